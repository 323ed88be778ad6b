#!/usr/bin/env bash
# Makes (once) and names a Python with PyTorch and diffusers, for comparing Easel with them: several GB.
set -eu
venv=${EASEL_VENV:-$HOME/.cache/easel-peers}
if ! "$venv/bin/python" -c 'import torch, diffusers, peft' 2>/dev/null; then
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet torch==2.15.0 diffusers==0.42.1 transformers==5.23.0 peft==0.21.2 safetensors==0.8.0 accelerate==1.15.0 >&2
fi
echo "$venv/bin/python"
