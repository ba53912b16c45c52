"""Where the networks live."""

from __future__ import annotations

import sys
import types

import pytest
import torch

from nada_core.checks import doctor
from nada_core.engine import Engine
from nada_core.errors import OptionsError
from nada_core.system import device
from nada_core.system.device import choose_device, precision_context


def test_auto_takes_cuda_but_not_on_zero_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device, "card_problem", lambda: "")
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert choose_device().type == "cuda"
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert choose_device().type == "cuda"  # the variable alone is not ZeroGPU
    spaces = types.ModuleType("spaces")
    spaces.__spec__ = types.SimpleNamespace(name="spaces")
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    assert choose_device().type == "cpu"


@pytest.fixture
def useless_card(monkeypatch):
    """A card that torch sees and cannot use: its first kernel fails, in words of several lines."""

    def fail(*args, **options):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors might be")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", fail)
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    device.card_problem.cache_clear()
    yield
    device.card_problem.cache_clear()


def test_a_card_that_torch_cannot_use_is_left_alone(useless_card, caplog):
    assert choose_device().type == "cpu"
    assert "cannot be used with torch" in caplog.text and "no kernel image is available" in caplog.text
    assert "kernel errors might be" not in caplog.text


def test_doctor_says_so_in_one_line(useless_card):
    found = doctor._device()
    assert found["kind"] == "cpu" and "The graphics card cannot be used" in found["name"] and "\n" not in found["name"]


def test_a_device_that_is_not_there():
    for name in ("meta", "tpu", "cuda:77", "hpu", "privateuseone", "xla", "x\n" * 4000):
        with pytest.raises(OptionsError, match="not available here"):
            choose_device(name)


def test_a_device_is_quoted_on_one_short_line():
    with pytest.raises(OptionsError) as refusal:
        choose_device("x\n\x1b[31m" * 4000)
    assert len(said := str(refusal.value)) < 200 and said.isprintable()


@pytest.mark.parametrize("precision", ["fp16", "float99", "", None])
def test_a_precision_that_there_is_none_of(precision):
    with pytest.raises(OptionsError, match="it must be auto, float32 or bfloat16"):
        precision_context(torch.device("cpu"), precision)


def test_an_engine_on_another_device_has_the_same_parts(tmp_path):
    engine = Engine("cpu", base="starter", encoder="starter", styles_folder=tmp_path)
    other = engine.on("cpu")
    assert other is not engine and other.parts == engine.parts and other.library is engine.library
    with pytest.raises(OptionsError):
        engine.on("meta")
