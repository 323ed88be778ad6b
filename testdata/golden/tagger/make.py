"""Makes this folder: a tiny WD tagger with random weights, and what timm's vision transformer computes with it.

    python make.py     (in a venv with torch, safetensors, Pillow, timm 1.0.31, and the torchvision that timm imports)

Model: timm's vit_base_patch16_224 with the arguments of SmilingWolf/wd-vit-tagger-v3 (class_token=False,
global_pool="avg", fc_norm=False, act_layer="gelu_tanh"), 128 wide, 2 layers, 2 heads, pictures of 32 in patches of 8; the
weights are exact in float16. The numbers are those of a float64 run; tolerances as ../README.md says.
"""
import csv, io, json, math, os
import numpy as np, timm, torch
from PIL import Image
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE, GENERAL, CHARACTER = 32, 0.35, 0.85
KAOMOJI = ["0_0", "(o)_(o)", "+_+", "+_-", "._.", "<o>_<o>", "<|>_<|>", "=_=", ">_<", "3_3", "6_9", ">_o", "@_@", "^_^", "o_o", "u_u", "x_x", "|_|", "||_||"]
TAGS = [(9, n) for n in ("general", "sensitive", "questionable", "explicit")] + \
       [(0, n) for n in ["1girl", "solo", "long_hair", "blue_eyes", "hair_ribbon", "skirt_lift", ":d", ";)", "^_^", ">_<", "||_||", "no_humans", "outdoors",
                         "looking_at_viewer", "fur-trimmed_coat", "1990s_(style)", 'quoted_"sign"', "cat", "tree", "!?", "rain", "hat", "simple_background", "x_x"]] + \
       [(4, n) for n in ("hatsune_miku", "rem_(re:zero)", "saber", "zelda", "kirby", "pikachu", "totoro", "gojo_satoru")]


def path(name): return os.path.join(HERE, name)


def build(dtype):
    return timm.create_model("vit_base_patch16_224", img_size=SIDE, patch_size=8, embed_dim=128, depth=2, num_heads=2, mlp_ratio=2, num_classes=len(TAGS),
                             class_token=False, global_pool="avg", fc_norm=False, act_layer="gelu_tanh").to(dtype).eval()


def weights(seed):
    g, m = torch.Generator().manual_seed(seed), build(torch.float32)
    state = {}
    for name, p in sorted(m.state_dict().items()):
        r = torch.randn(p.shape, generator=g)
        if p.dim() == 1:
            v = (1.0 if name.endswith("norm.weight") or "norm1.weight" in name or "norm2.weight" in name else 0.0) + 0.1 * r
        elif name == "pos_embed":
            v = 0.5 * r
        else:
            v = r / math.sqrt(p[0].numel()) * (2 if name == "head.weight" else 1)
            if "qkv.weight" in name:
                v[:256] *= 2  # queries and keys: attention far from uniform
        state[name] = v.half()
    return state


def picture():
    """40x27 with transparency, as a PNG."""
    rng = np.random.default_rng(8)
    small = Image.fromarray(rng.integers(0, 255, (5, 7, 4), dtype=np.uint8), "RGBA")
    small.resize((40, 27), Image.BICUBIC).save(path("picture_40x27.png"))


def pixels():
    """As SmilingWolf's wdv3-timm: on white, padded to a square, bicubic, normalised, BGR."""
    img = Image.open(path("picture_40x27.png"))
    canvas = Image.new("RGBA", img.size, (255, 255, 255))
    canvas.alpha_composite(img)
    img = canvas.convert("RGB")
    side = max(img.size)
    square = Image.new("RGB", (side, side), (255, 255, 255))
    square.paste(img, ((side - img.size[0]) // 2, (side - img.size[1]) // 2))
    x = torch.from_numpy(np.array(square.resize((SIDE, SIDE), Image.BICUBIC))).permute(2, 0, 1)[None].double() / 255
    return ((x - 0.5) / 0.5)[:, [2, 1, 0]]


def run(dtype, state):
    m = build(dtype)
    m.load_state_dict({k: v.to(dtype) for k, v in state.items()})
    x = torch.cat([pixels(), torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(9)).double()]).float().to(dtype)
    with torch.inference_mode():
        h = m.pos_drop(m._pos_embed(m.patch_embed(x)))
        first = m.blocks[0](h)
        return {"in/pixels": x, "first_block": first, "states": m.forward_features(x), "logits": m(x)}


def words(logits):
    """The tags of a picture, the likeliest first; None where a float32 run might see it otherwise."""
    limits = {0: GENERAL, 4: CHARACTER}
    all = [(v, limits.get(c, 2), n) for v, (c, n) in zip(torch.sigmoid(logits).tolist(), TAGS)]
    chosen = sorted(((v, n) for v, limit, n in all if v > limit), reverse=True)
    if min(abs(v - limit) for v, limit, _ in all) < 0.004 or any(a[0] - b[0] < 1e-3 for a, b in zip(chosen, chosen[1:])):
        return None
    return ", ".join(n if n in KAOMOJI else n.replace("_", " ") for _, n in chosen)


def search():
    """Weights by which characters, kaomoji and words in parentheses are seen, and nothing is near a threshold."""
    for seed in range(1000):
        state = weights(seed)
        tags = [words(l) for l in run(torch.float64, state)["logits"]]
        if None not in tags and all(any(t in " ".join(tags) for t in some) for some in (["re:zero", "hatsune"], ["^_^", ">_<"], ["style)", '"'])):
            return state, tags


def main():
    picture()
    state, tags = search()
    save_file(state, path("model.safetensors"))
    with open(path("selected_tags.csv"), "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["tag_id", "name", "category", "count"])
        w.writerows([1000 + i, name, category, 9999 - i] for i, (category, name) in enumerate(TAGS))
    want, got = run(torch.float64, state), run(torch.float32, state)
    print("\n".join(tags))
    save_file({k: v.float().contiguous() for k, v in want.items()}, path("tagger.safetensors"), metadata={"tags": json.dumps(tags)})
    tolerances = {k: {"rel": float(f"{max(1e-6, 10 * ((want[k] - got[k].double()).abs().max() / want[k].abs().max()).item()):.2g}")} for k in want if k[:3] != "in/"}
    every = os.path.join(HERE, "..", "tolerances.json")
    all = json.load(open(every))
    all["tagger/tagger.safetensors"] = tolerances
    with open(every, "w") as f:
        json.dump(dict(sorted(all.items())), f, indent=1, sort_keys=True)


main()
