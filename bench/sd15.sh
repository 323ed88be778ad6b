#!/usr/bin/env bash
# Times SD 1.5's shape (random weights, 512 px, batch 1) in PyTorch and in Easel, in turn, on a quiet machine. Needs
# ../shared/peers, 16 GB of memory and some ten minutes.
set -eu
cd "$(dirname "$0")/.."
python=$(bench/venv.sh)
make --no-print-directory cli
peer() { (cd ../shared/peers && "$python" "$@" 2>/dev/null | tail -n 1); }
ours() { build/easel-cli bench --shape sd15 --res 512 --batch 1 --rank 16 --runs 3 --profile "$@"; }
peer train_step.py --dtype f32 --steps 3
ours --part step --dtype f32
peer train_step.py --dtype bf16-weights --steps 3
ours --part step --dtype bf16
peer inference.py --part unet --dtype f32
ours --part unet --dtype f32
peer inference.py --part unet --dtype bf16
ours --part unet --dtype bf16
