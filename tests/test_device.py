"""Where the networks live."""

from __future__ import annotations

import sys
import types

import pytest
import torch

from nada_core.device import choose_device
from nada_core.engine import Engine
from nada_core.errors import OptionsError


def test_auto_takes_cuda_but_not_on_zero_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert choose_device().type == "cuda"
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert choose_device().type == "cuda"  # the variable alone is not ZeroGPU
    spaces = types.ModuleType("spaces")
    spaces.__spec__ = types.SimpleNamespace(name="spaces")
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    assert choose_device().type == "cpu"


def test_a_device_that_is_not_there():
    for name in ("meta", "tpu", "cuda:77"):
        with pytest.raises(OptionsError, match="not available here"):
            choose_device(name)


def test_an_engine_on_another_device_has_the_same_parts(tmp_path):
    engine = Engine("cpu", base="starter", encoder="starter", styles_folder=tmp_path)
    other = engine.on("cpu")
    assert other is not engine and other.parts == engine.parts and other.library is engine.library
    with pytest.raises(OptionsError):
        engine.on("meta")
