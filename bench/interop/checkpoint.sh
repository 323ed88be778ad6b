#!/usr/bin/env bash
# Do the models that Easel's DreamBooth exported load in diffusers, with the same effect: in one file, as a folder, and as a LoRA of
# the change? Needs ../shared/peers.
set -eu
cd "$(dirname "$0")/../.."
EASEL_PYTHON=$(bench/venv.sh) EASEL_LOAD_LORA=$(realpath ../shared/peers/load_lora.py) EASEL_LOAD_CHECKPOINT=$(realpath bench/interop/checkpoint.py) \
	go test -count=1 -v -run TestCheckpointsLoadInDiffusers ./engine/local
