#!/usr/bin/env bash
# safetensors 0.8.0: the same tensors with the same metadata, saved twice, give different bytes.
#
# Expected: a format made for sharing weights writes the same file for the same content, as it does without metadata; so that a file's
#           SHA-256 can say whether two people have the same weights, and a cache by hash finds a file that was written again.
# Happens:  the entries of `__metadata__` are written in an order that is drawn anew for each file. Tensors are sorted and stay the same.
# Seen:     20 saves without metadata: 1 different file(s)
#           20 saves with four entries: 12 different file(s)     (the number varies; 24 orders exist)
#           20 saves with one entry: 1 different file(s)
#           tensors of all of them: 1 different set(s)
# Here:     a style file carries the checksum of its tensors in its metadata, and never that of the file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "safetensors==0.8.0" "numpy==2.2.6"
"$folder/venv/bin/python" - <<'PYTHON'
import hashlib
import sys

import numpy as np
from safetensors.numpy import load, save

tensors = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.zeros(3, np.float16)}
several = {"format": "demo", "card": "{}", "creator": "nobody", "version": "1"}


def files(metadata):
    return [save(tensors, metadata) for _ in range(20)]


def different(contents):
    return len({hashlib.sha256(content).hexdigest() for content in contents})


none, four, one = different(files(None)), different(files(several)), different(files({"format": "demo"}))
weights = different(b"".join(array.tobytes() for _, array in sorted(load(file).items())) for file in files(several))
print(f"20 saves without metadata: {none} different file(s)")
print(f"20 saves with four entries: {four} different file(s)")
print(f"20 saves with one entry: {one} different file(s)")
print(f"tensors of all of them: {weights} different set(s)")
sys.exit(0 if none == one == weights == 1 and four > 1 else "This has changed.")
PYTHON
