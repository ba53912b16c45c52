#!/usr/bin/env bash
# torch 2.12.1: what making the first optimiser of a process imports, where nothing is compiled.
#
# Expected: `import torch` has loaded what `torch.optim.Adam` needs; making one costs microseconds.
# Happens:  the first one imports torch's compiler (torch._dynamo), and sympy with it: hundreds of modules, one and a half to two seconds of
#           the processor in a program that trains for a few seconds. Any optimiser does it, plain SGD too.
# Seen:     before: torch._dynamo loaded: False, sympy loaded: False, 1146 modules
#           after one SGD: torch._dynamo loaded: True, sympy loaded: True, 2031 modules
#           (the numbers of modules differ from system to system)
# Here:     on CPUs the kernel behind Adam is called without `torch.optim` (nada_core/adam.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==2.12.1" "numpy<3"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import torch


def loaded() -> tuple[bool, bool]:
    return "torch._dynamo" in sys.modules, "sympy" in sys.modules


def told(when: str) -> None:
    compiler, sympy = loaded()
    print(f"{when}: torch._dynamo loaded: {compiler}, sympy loaded: {sympy}, {len(sys.modules)} modules")


first = loaded()
told("before")
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
told("after one SGD")
sys.exit(0 if not any(first) and all(loaded()) else "This has changed.")
PYTHON
