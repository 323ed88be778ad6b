#!/usr/bin/env bash
# Does a LoRA that Easel exported load in diffusers, with the same effect? Needs ../shared/peers.
set -eu
cd "$(dirname "$0")/../.."
EASEL_PYTHON=$(bench/venv.sh) EASEL_LOAD_LORA=$(realpath ../shared/peers/load_lora.py) \
	go test -count=1 -v -run TestExportLoadsInDiffusers ./engine/local
