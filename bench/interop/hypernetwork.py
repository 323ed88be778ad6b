"""Does a hypernetwork that Easel exported do in A1111 what it does in Easel? A1111's way is written out here on diffusers' UNet
(modules/hypernetworks/hypernetwork.py: HypernetworkModule, apply_single_hypernetwork).

    python3 hypernetwork.py MODEL_FOLDER FILE.pt X.safetensors
X holds x, t, ctx and eps_lora (Easel's own UNet output with the file), as for shared/peers/load_lora.py.
"""
import sys
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

activations = {name.lower(): c for name, c in torch.nn.modules.activation.__dict__.items() if isinstance(c, type) and issubclass(c, torch.nn.Module)}
activations["swish"] = torch.nn.Hardswish


def network(width, state, file):
    structure, modules = file["layer_structure"], []
    for i in range(len(structure) - 1):
        modules.append(torch.nn.Linear(int(width * structure[i]), int(width * structure[i + 1])))
        last = i == len(structure) - 2
        if file["activation_func"] not in ("linear", None) and not (last and not file["activate_output"]):
            modules.append(activations[file["activation_func"]]())
        if file["is_layer_norm"]:
            modules.append(torch.nn.LayerNorm(int(width * structure[i + 1])))
    module = torch.nn.Module()
    module.linear = torch.nn.Sequential(*modules)
    module.load_state_dict(state)  # strict: A1111's names and no others
    return module.linear


file = torch.load(sys.argv[2], weights_only=True)
assert file["layer_structure"][0] == 1 and file["layer_structure"][-1] == 1 and not file["use_dropout"]
networks = {(width, side): network(width, state, file) for width, pair in file.items() if isinstance(width, int) for side, state in zip("kv", pair)}

unet = UNet2DConditionModel.from_pretrained(sys.argv[1], subfolder="unet")
case = load_file(sys.argv[3])
run = lambda: unet(case["x"], case["t"], case["ctx"]).sample
with torch.no_grad():
    before, hooked = run(), 0
    for name, layer in unet.named_modules():
        if name.endswith(("attn1.to_k", "attn1.to_v", "attn2.to_k", "attn2.to_v")) and (layer.in_features, name[-1]) in networks:
            layer.register_forward_pre_hook(lambda _, args, f=networks[layer.in_features, name[-1]]: (args[0] + f(args[0]),))
            hooked += 1
    after = run()
change, difference = (after - before).abs().mean(), (after - case["eps_lora"]).abs().max()
print(f"{hooked} layers with a changed context, mean |change| {change:.3e}, largest difference to Easel's own output {difference:.3e}")
assert hooked and change > 1e-4, "the file changed nothing"
assert difference < 2e-3
