#!/usr/bin/env bash
# torch 2.12.1: torch.utils.flop_counter and the way back of convolutions in groups.
#
# Expected: the gradient of a convolution costs twice its way forward (once for the input, once for the weight), in groups or not.
# Happens:  the part for the weight is counted as if there were no groups: with C groups it is C times too much. A depthwise layer of 64
#           channels costs 65 times its way forward, and a mobile network's training step is counted several times too high. (A change for
#           this was proposed in pytorch/pytorch pull request 183405.)
# Seen:     1 groups: forward 150994944, back 2.0 times as much
#           16 groups: forward 9437184, back 17.0 times as much
#           64 groups: forward 2359296, back 65.0 times as much
# Here:     the test that counts the work of a training step brings a formula of its own (tests/adaptation/test_work_of_a_step.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==2.12.1" "numpy<3"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import torch
from torch.utils.flop_counter import FlopCounterMode

seen = {}
for groups in (1, 16, 64):
    layer = torch.nn.Conv2d(64, 64, 3, padding=1, groups=groups, bias=False)
    pictures = torch.randn(2, 64, 32, 32, requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        output = layer(pictures)
    with FlopCounterMode(display=False) as back:
        output.sum().backward()
    assert forward.get_total_flops() == 2 * output.numel() * 9 * 64 // groups  # this way it knows of groups
    seen[groups] = back.get_total_flops() / forward.get_total_flops()
    print(f"{groups} groups: forward {forward.get_total_flops()}, back {seen[groups]} times as much")
sys.exit(0 if seen == {1: 2.0, 16: 17.0, 64: 65.0} else "This has changed.")
PYTHON
