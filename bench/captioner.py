"""Runs transformers' BLIP and Easel in turn on the same random weights. Start it by bench/captioner.sh, whose head says more."""
import argparse, json, os, shutil, subprocess, sys, tempfile, time
from statistics import median

import numpy as np
import torch
from PIL import Image
from transformers import BlipConfig, BlipForConditionalGeneration, BlipImageProcessorPil

PICTURES, END = 6, 102
SEARCH = dict(max_length=40, min_length=8, no_repeat_ngram_size=3)  # Easel's usual


def make(folder):
    """BLIP base with random weights, of which only the end's bias is chosen: captions end as soon as they may."""
    torch.manual_seed(1)
    config = BlipConfig(text_config=dict(num_attention_heads=12, encoder_hidden_size=768), vision_config={})
    model = BlipForConditionalGeneration(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1:
                p.normal_(std=0.05)
        for name, p in model.named_parameters():
            if name.endswith(("predictions.bias", "decoder.bias")):
                p[END] = 30
    model.save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + [f"w{i}" for i in range(4, 30522)]
    with open(f"{folder}/vocab.txt", "w") as f:
        f.write("\n".join(words) + "\n")
    rng = np.random.default_rng(1)
    os.mkdir(f"{folder}/pictures")
    for i in range(PICTURES):
        small = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
        small.resize((640, 480), Image.BICUBIC).save(f"{folder}/pictures/{i}.png")
    return words


def transformers(folder, words, beams, dtype):
    """Seconds of each picture but the first, and all captions."""
    model = BlipForConditionalGeneration.from_pretrained(folder, dtype=dtype).eval()
    processor = BlipImageProcessorPil()
    seconds, captions = [], []
    for i in range(PICTURES):
        start = time.perf_counter()
        pixels = torch.as_tensor(np.asarray(processor(Image.open(f"{folder}/pictures/{i}.png").convert("RGB"), return_tensors="np")["pixel_values"]))
        with torch.inference_mode():
            ids = model.generate(pixel_values=pixels.to(dtype), num_beams=beams, do_sample=False, **SEARCH)[0].tolist()
        seconds.append(time.perf_counter() - start)
        captions.append(" ".join(words[j] for j in ids if 3 < j < len(words) and j != END))
    return seconds[1:], captions


def easel(folder, beams, dtype):
    pictures = shutil.copytree(f"{folder}/pictures", f"{folder}/again", dirs_exist_ok=True)
    command = ["build/easel-cli", "caption", pictures, "--model", folder, "--beams", str(beams), "--dtype", dtype, "--json"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    events = [e["caption"] for e in map(json.loads, out.splitlines()) if "caption" in e]
    shutil.rmtree(pictures)
    return [e["seconds"] for e in events][1:], [e["found"] for e in events]


def main():
    p = argparse.ArgumentParser(prog="bench/captioner.sh")
    p.add_argument("--beams", type=int, default=3)
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    p.add_argument("--runs", type=int, default=3)
    a = p.parse_args()
    types = [torch.float32] if a.dtype == "f32" else [torch.float32, torch.bfloat16]
    with tempfile.TemporaryDirectory() as folder:
        words = make(folder)
        theirs, ours, same = {t: [] for t in types}, [], 0
        for _ in range(a.runs):
            for t in types:
                seconds, captions = transformers(folder, words, a.beams, t)
                theirs[t] += seconds
                if t == torch.float32:
                    want = captions
            seconds, captions = easel(folder, a.beams, a.dtype)
            ours += seconds
            same = sum(x == y for x, y in zip(want, captions))
    best, t = min((median(s), t) for t, s in theirs.items())[0], min(theirs, key=lambda t: median(theirs[t]))
    print(f"BLIP base, {a.beams} beams, a caption of {len(want[0].split())} words, {torch.get_num_threads()} threads: "
          f"transformers {best:.2f} s a picture ({str(t).removeprefix('torch.')}), Easel {median(ours):.2f} s ({a.dtype}); "
          f"{best / median(ours):.2f} times as fast; {same} of {PICTURES} captions the same")


main()
