"""Does a model that Easel's DreamBooth exported load in diffusers, and does it predict there what it does in Easel?

    python3 checkpoint.py MODEL_FOLDER EXPORT X.safetensors
MODEL_FOLDER is the untrained model in diffusers form; EXPORT one file in the original layout, or a folder in diffusers form. X holds
x, t, ctx and eps_lora (Easel's own UNet output with the export), as for shared/peers/load_lora.py.
"""
import os
import sys
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file

base, export, case = sys.argv[1], sys.argv[2], load_file(sys.argv[3])
untrained = UNet2DConditionModel.from_pretrained(base, subfolder="unet")
if os.path.isdir(export):
    pipe = StableDiffusionPipeline.from_pretrained(export, safety_checker=None, requires_safety_checker=False)
    unet, form = pipe.unet, "folder"
else:
    # A single file does not tell the sizes of a model that is not Stable Diffusion's own: they are the untrained one's.
    unet, form = UNet2DConditionModel.from_single_file(export, config=base, subfolder="unet"), "single file"
run = lambda u: u.float()(case["x"], case["t"], case["ctx"]).sample
with torch.no_grad():
    before, after = run(untrained), run(unet)
    difference = (after - case["eps_lora"]).abs().max().item()
    print(f"{form}: mean |change| {(after - before).abs().mean():.3e}, largest difference to Easel's own output {difference:.3e}")
    assert not torch.equal(before, after), "the export is the untrained model"
    assert difference < 2e-3
