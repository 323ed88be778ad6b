#!/usr/bin/env bash
# Times SD 1.5's shape (random weights, 512 px, batch 1) in PyTorch and in Easel, in turn. Needs ../shared/peers.
set -eu
cd "$(dirname "$0")/.."
python=$(bench/venv.sh)
make --no-print-directory cli
peers() { (cd ../shared/peers && "$python" "$@" | tail -n 1); }
peers train_step.py --dtype f32 --steps 3
peers train_step.py --dtype bf16-weights --steps 3
peers inference.py --part unet --dtype f32
peers inference.py --part unet --dtype bf16
peers inference.py --part vae --dtype f32
for dtype in f32 bf16; do
	build/easel-cli bench --shape sd15 --dtype "$dtype" --runs 3 --profile
done
