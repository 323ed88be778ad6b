#!/usr/bin/env bash
# Times a LoRA step on the built-in model (batch 4, rank 8) in PyTorch and in Easel, in turn, and prints the ratios.
# Needs ../shared/peers and a quiet machine.
set -eu
cd "$(dirname "$0")/.."
python=$(bench/venv.sh)
make --no-print-directory cli
for run in 1 2 3; do
	peer=$(cd ../shared/peers && "$python" train_step.py --model ../builtin-model --rank 8 --batch 4 --steps 12 | tail -n 1)
	ours=$(build/easel-cli bench --shape builtin --part step --dtype f32 --batch 4 --rank 8 --json | grep '"part":"step"')
	"$python" - "$run" "$peer" "$ours" <<'PY'
import json, sys
run, peer, ours = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
gib = ours["peak_bytes"] / 2**30
print(f"run {run}: PyTorch {peer['step_s']:.3f} s, {peer['peak_gib']:.2f} GiB; Easel {ours['seconds']:.3f} s, {gib:.2f} GiB; "
      f"{peer['step_s'] / ours['seconds']:.2f} times as fast, {100 * gib / peer['peak_gib']:.0f} % of the memory")
PY
done
