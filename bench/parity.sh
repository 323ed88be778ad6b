#!/usr/bin/env bash
# Trains the same LoRA (rank 16, AdamW, f32) of SD 1.5's shape in PyTorch and in Easel, from the same random weights, first values
# and inputs, and compares losses and trained weights. Needs ../shared/peers, 12 GB of memory and 5 GB of disk.
#
#     bench/parity.sh                       20 steps at 512 px: some 15 minutes on two cores
#     bench/parity.sh --steps 3 --res 128   a first look: two minutes. At 64 px the middle block would see a single token and its
#                                           attention learn nothing but rounding errors
#
# PyTorch's side is kept in ~/.cache/easel-parity and made once for each number of steps and size.
set -eu
cd "$(dirname "$0")/.."
python=$(bench/venv.sh)
dir=$(PYTHONPATH=../shared/peers "$python" bench/parity.py reference "$@")
EASEL_PARITY=$dir go test -count=1 -timeout 2h -v -run TestParityWithPyTorch ./engine/train
"$python" bench/parity.py compare "$dir"
