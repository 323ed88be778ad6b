"""Seconds of a whole SD 1.5 picture in PyTorch and diffusers, random weights: prompt, 20 steps of DPM++ 2M with guidance, decoder.

    PYTHONPATH=../shared/peers python3 bench/picture.py --dtype f32|bf16 --res 512
"""
import argparse, json, time
import torch
from diffusers import DPMSolverMultistepScheduler
import reference_models as ref

a = argparse.ArgumentParser()
a.add_argument("--dtype", default="f32"); a.add_argument("--res", type=int, default=512); a.add_argument("--steps", type=int, default=20)
a = a.parse_args()
torch.manual_seed(0)
dt = torch.bfloat16 if a.dtype == "bf16" else torch.float32
unet, vae, text = (m.to(dt).eval() for m in (ref.unet(), ref.vae(), ref.text()))
scheduler = DPMSolverMultistepScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def picture(steps):
    context = text(torch.randint(0, 49000, (2, 77))).last_hidden_state
    scheduler.set_timesteps(steps)
    x = torch.randn(1, 4, a.res // 8, a.res // 8, dtype=dt)
    for t in scheduler.timesteps:
        without, guided = unet(torch.cat([x, x]), t, context).sample.chunk(2)
        x = scheduler.step(without + 7.5 * (guided - without), t, x).prev_sample
    return (vae.decode(x / 0.18215).sample / 2 + 0.5).clamp(0, 1)


with torch.no_grad(), ref.PeakMemory() as mem:
    picture(1)
    start = time.time()
    picture(a.steps)
    seconds = time.time() - start
print(json.dumps(dict(vars(a), picture_s=round(seconds, 3), peak_gib=round(mem.peak / 2**30, 2))))
