#!/usr/bin/env bash
# torch 2.12.1: torch.export of a module with a buffer that is called "code".
#
# Expected: how a buffer is called is the module's own affair, as long as the module has no attribute of that name: it can be registered,
#           traced and exported, so the exported program can be used like any other.
# Happens:  export works, but module() of the program fails, and run_decompositions() as well, because the graph's module has a property
#           "code" of its own ("graph" and "_code" likewise). torch.onnx.export(dynamo=True) begins with that, and blames the model.
# Seen:     scale: [2.0, 2.0, 2.0]
#           code: KeyError "attribute 'code' already exists"
#           graph: KeyError "attribute 'graph' already exists"
# Here:     the network that is exported calls what it holds otherwise (nada_core/students/export_onnx.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==2.12.1" "numpy<3"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import torch


class Scaled(torch.nn.Module):
    """Multiply by a number that is kept in a buffer."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.register_buffer(name, torch.full((1,), 2.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * getattr(self, self.name)


seen = {}
for name in ("scale", "code", "graph"):
    program = torch.export.export(Scaled(name), (torch.ones(3),))  # works under every name
    try:
        seen[name] = str(program.module()(torch.ones(3)).tolist())
        seen[name] = str(program.run_decompositions().module()(torch.ones(3)).tolist())
    except Exception as error:
        seen[name] = f"{type(error).__name__} {error}"
    print(f"{name}: {seen[name]}")
failed = [name for name, words in seen.items() if "already exists" in words]
sys.exit(0 if failed == ["code", "graph"] else "This has changed.")
PYTHON
