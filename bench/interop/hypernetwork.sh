#!/usr/bin/env bash
# Do the files of Easel's hypernetworks do elsewhere what they do in Easel: as a LoRA in diffusers, as a .pt in A1111's way? Needs
# ../shared/peers.
set -eu
cd "$(dirname "$0")/../.."
EASEL_PYTHON=$(bench/venv.sh) EASEL_LOAD_LORA=$(realpath ../shared/peers/load_lora.py) EASEL_LOAD_HYPERNETWORK=$(realpath bench/interop/hypernetwork.py) \
	go test -count=1 -v -run TestHypernetworksLoadElsewhere ./engine/local
