#!/usr/bin/env bash
# Compares Easel with PyTorch on SD 1.5's shape (random weights, 512 px, batch 1): runs the two in turn, three times each, and
# prints a table of medians and ratios. Needs ../shared/peers, 16 GB of memory and a machine that does nothing else meanwhile.
#
#     bench/peers.sh                        every row: 50 to 90 minutes on two cores
#     bench/peers.sh step-bf16 unet-f32     these rows; -h lists them
#     bench/peers.sh --avx2 step-f32        both held to AVX2, as on most laptops
#     bench/peers.sh --runs 1 vae-bf16      once each, for a first look
#
# Every measurement is also a line of JSON in build/peers.jsonl.
set -eu
cd "$(dirname "$0")/.."
python=$(bench/venv.sh)
make --no-print-directory cli >&2

# PyTorch's own allocator loses much time to page faults; this one is what it is at its fastest with.
library=libtcmalloc_minimal.so.4
find_library() { ldconfig -p | awk -v name="$library" '$1 == name { print $NF; exit }'; }
if [ -z "$(find_library)" ]; then
	package=libtcmalloc-minimal4
	apt-cache show "$package" >/dev/null 2>&1 || package=libtcmalloc-minimal4t64
	.ci/packages "$package" >&2
fi
EASEL_TCMALLOC=$(find_library) exec "$python" bench/peers.py "$@"
