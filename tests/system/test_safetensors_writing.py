"""Safetensors written in one copy are read by the library as its own."""

from __future__ import annotations

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from nada_core.system.safetensors_writing import _NAMES, safetensors_parts


def test_the_library_reads_it(tmp_path):
    tensors = {f"{dtype}": (torch.rand(3, 5) * 9).to(dtype) for dtype in _NAMES}
    tensors |= {"scalar": torch.tensor(1.5), "none": torch.zeros(0, 4), "odd": torch.arange(7, dtype=torch.uint8)}
    tensors |= {"turned": torch.rand(4, 6).t(), "é|kind": torch.rand(2).requires_grad_(True)}
    content = b"".join(safetensors_parts(tensors, {"format": "x", "run": '{"a": "“"}'}))
    back = load(content)
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert back[name].dtype == tensor.dtype and torch.equal(back[name], tensor.detach())
    file = tmp_path / "some.safetensors"
    file.write_bytes(content)
    with safe_open(file, "pt") as opened:
        assert opened.metadata() == {"format": "x", "run": '{"a": "“"}'}


def test_what_the_format_has_not_is_refused():
    with pytest.raises(KeyError):
        safetensors_parts({"complex": torch.zeros(2, dtype=torch.complex64)}, {})


def test_parts_are_the_tensors_own_memory():
    tensor = torch.zeros(1000)
    parts = safetensors_parts({"one": tensor, "turned": torch.rand(3, 4).t()}, {"format": "x"})
    assert b"".join(parts) == b"".join(safetensors_parts({"one": tensor, "turned": load(b"".join(parts))["turned"]}, {"format": "x"}))
    tensor += 7
    assert load(b"".join(parts))["one"][0] == 7
