#!/usr/bin/env bash
# Compares Easel's captioner with transformers' on BLIP base with random weights: the same weights, pictures and search, in
# turn, three times each. Prints seconds a picture, their ratio, and whether the captions are the same. A quiet machine and
# 4 GB of memory.
#
#     bench/captioner.sh                 float32, three beams
#     bench/captioner.sh --beams 1       greedy
#     bench/captioner.sh --dtype bf16    Easel in bfloat16, transformers in whichever is faster for it
set -eu
cd "$(dirname "$0")/.."
python=$(bench/venv.sh)
make --no-print-directory cli >&2
exec "$python" bench/captioner.py "$@"
