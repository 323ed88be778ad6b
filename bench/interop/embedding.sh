#!/usr/bin/env bash
# Do the embeddings that Easel exported load in diffusers, with the same effect?
set -eu
cd "$(dirname "$0")/../.."
EASEL_PYTHON=$(bench/venv.sh) EASEL_LOAD_EMBEDDING=$(realpath bench/interop/embedding.py) \
	go test -count=1 -v -run TestEmbeddingsLoadInDiffusers ./engine/local
