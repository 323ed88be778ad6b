#!/usr/bin/env bash
# Makes (once) and names a Python with PyTorch and diffusers, for comparing Easel with them: several GB.
set -eu
venv=${EASEL_VENV:-$HOME/.cache/easel-peers}
if ! "$venv/bin/python" -c 'import torch, diffusers, peft' 2>/dev/null; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet torch diffusers transformers peft safetensors accelerate >&2
fi
echo "$venv/bin/python"
