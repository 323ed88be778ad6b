"""Does an embedding that Easel exported load in diffusers, and does its word then mean there what it means in Easel?

    python3 embedding.py MODEL_FOLDER X.safetensors WORD FILE...

MODEL_FOLDER: a diffusers folder. X holds ids [1,77] of a prompt in Easel's numbering, before [1,77,d] and after [1,77,d]:
Easel's text encoder's output for the prompt "a photo of a WORD on a red background", with the word's vectors all zero and with
the file. Each FILE is loaded into a fresh pipeline by load_textual_inversion, as diffusers' users do: a file that does not name
the word (A1111's emb_params) with token=, the others without.
"""
import sys
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

folder, case, word, files = sys.argv[1], load_file(sys.argv[2]), sys.argv[3], sys.argv[4:]
prompt = f"a photo of a {word} on a red background"
for file in files:
    pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, requires_safety_checker=False, dtype=torch.float32)
    known = len(pipe.tokenizer)
    named = not (file.endswith(".safetensors") and "emb_params" in load_file(file))
    pipe.load_textual_inversion(file, **({} if named else {"token": word}))
    added = len(pipe.tokenizer) - known
    text = pipe.maybe_convert_prompt(prompt, pipe.tokenizer)
    ids = pipe.tokenizer(text, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    with torch.no_grad():
        out = pipe.text_encoder(ids)[0]
    d = (out - case["after"]).abs().max().item()
    moved = (out - case["before"]).abs().mean().item()
    print(f"{file}: {added} new tokens, largest difference to Easel's own output {d:.3e}, mean |change| {moved:.3e}")
    assert torch.equal(ids.to(case["ids"].dtype), case["ids"]), f"other token ids than Easel's: {ids[ids != case['ids']]}"
    assert moved > 1e-2, "the word changes nothing"
    assert d < 1e-4, "the word means something else than in Easel"
