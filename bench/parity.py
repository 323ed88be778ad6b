"""PyTorch's side of bench/parity.sh: `reference` trains and writes what went in and came out, `compare` reads what Easel made of it.

Files of a folder: ../unet.safetensors (diffusers' names), reference.safetensors (in/..., init/..., loss, after/..., kohya's names)
and easel.safetensors (loss, after/...).
"""
import argparse, os, sys
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

CACHE = os.path.expanduser("~/.cache/easel-parity")
RANK, RATE, BETAS, EPS, DECAY, CLIP = 16, 1e-4, (0.9, 0.999), 1e-8, 0.01, 1.0
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]
ALLOWED = 1e-3


def reference():
    """Trains in PyTorch, where that has not been done, and prints the folder."""
    a = argparse.ArgumentParser(prog="bench/parity.sh")
    a.add_argument("--steps", type=int, default=20); a.add_argument("--res", type=int, default=512)
    a = a.parse_args(sys.argv[2:])
    folder = os.path.join(CACHE, f"{a.res}px-{a.steps}steps")
    print(folder)
    if not os.path.exists(os.path.join(folder, "reference.safetensors")):
        os.makedirs(folder, exist_ok=True)
        written(train(a.steps, a.res), os.path.join(folder, "reference.safetensors"),
                dict(rank=RANK, rate=RATE, beta1=BETAS[0], beta2=BETAS[1], eps=EPS, decay=DECAY, clip=CLIP))


def written(tensors, path, meta=None):
    save_file(tensors, path + ".new", {k: str(v) for k, v in (meta or {}).items()})
    os.rename(path + ".new", path)


def frozen():
    """The UNet with the random weights that both sides use."""
    import reference_models as ref
    torch.manual_seed(0)
    unet, path = ref.unet(), os.path.join(CACHE, "unet.safetensors")
    if os.path.exists(path):
        unet.load_state_dict(load_file(path))
    else:
        written(unet.state_dict(), path)
    return unet.requires_grad_(False), ref.scheduler()


def train(steps, res):
    from peft import LoraConfig
    unet, noising = frozen()
    torch.manual_seed(1)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS))
    params = {kohya(n): p for n, p in unet.named_parameters() if p.requires_grad}
    out = {"init/" + n: p.detach().clone() for n, p in params.items()}
    latent = (steps, 1, 4, res // 8, res // 8)
    out.update({"in/latents": torch.randn(latent), "in/noise": torch.randn(latent), "in/context": torch.randn(steps, 1, 77, 768),
                "in/timesteps": torch.randint(0, 1000, (steps, 1), dtype=torch.int32)})
    optimizer = torch.optim.AdamW(params.values(), lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY)
    losses = []
    for i in range(steps):
        x0, eps, t = out["in/latents"][i], out["in/noise"][i], out["in/timesteps"][i].long()
        loss = torch.nn.functional.mse_loss(unet(noising.add_noise(x0, eps, t), t, out["in/context"][i]).sample, eps)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params.values(), CLIP)
        optimizer.step(); optimizer.zero_grad()
        losses.append(loss.item())
        print(f"PyTorch: step {i + 1} of {steps}, loss {losses[-1]:.6f}", file=sys.stderr)
    out["loss"] = torch.tensor(losses)
    out.update({"after/" + n: p.detach().contiguous() for n, p in params.items()})
    return out


def kohya(name):
    """down_blocks.0...to_q.lora_A.default.weight is lora_unet_down_blocks_0_..._to_q.lora_down.weight"""
    module, _, part = name.partition(".lora_")
    return "lora_unet_" + module.replace(".", "_") + (".lora_down.weight" if part[0] == "A" else ".lora_up.weight")


def compare(folder):
    """Prints the largest relative differences; fails where they are more than ALLOWED."""
    want = safe_open(os.path.join(folder, "reference.safetensors"), "pt")
    got = safe_open(os.path.join(folder, "easel.safetensors"), "pt")
    names = [n for n in want.keys() if n.startswith("after/")]
    loss = ((got.get_tensor("loss") - want.get_tensor("loss")).abs() / want.get_tensor("loss")).max().item()
    weights, updates, off, moved = [], [], 0.0, 0.0
    for n in names:
        g, w = got.get_tensor(n).double(), want.get_tensor(n).double()
        init = want.get_tensor(n.replace("after/", "init/")).double()
        d, m = (g - w).norm().item(), (w - init).norm().item()
        weights.append((d / w.norm().item(), n)); updates.append((d / m, n))
        off, moved = off + d * d, moved + m * m
    print(f"{len(names)} tensors after {len(want.get_tensor('loss'))} steps; the largest relative differences between Easel and PyTorch:")
    print(f"  loss of a step                                 {loss:.2e}")
    print(f"  a tensor's values, |a - b| / |b|               {max(weights)[0]:.2e}  {max(weights)[1]}")
    print(f"  a tensor's update, |a - b| / |b - first|       {max(updates)[0]:.2e}  {max(updates)[1]}")
    print(f"  the whole update                               {(off / moved) ** 0.5:.2e}")
    worst = max(loss, max(weights)[0])
    print(f"losses and weights agree to {worst:.1e}, {'as' if worst <= ALLOWED else 'MORE THAN'} allowed ({ALLOWED:g})")
    sys.exit(worst > ALLOWED)


if sys.argv[1] == "compare":
    compare(sys.argv[2])
else:
    reference()
