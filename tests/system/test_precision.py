"""The choice between float32 and bfloat16: measured once, remembered, measured again where that is not true any more."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch

from nada_core.system import precision
from nada_core.system.cache import cache_folder
from nada_core.system.device import precision_context
from nada_core.system.precision import Trial, machine, trial


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """An empty cache, and measurements that are counted and may be chosen."""
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    trial.cache_clear()
    results: list[Trial] = []
    monkeypatch.setattr(precision, "measure", lambda: results.pop(0))
    yield results
    trial.cache_clear()


def again() -> Trial:
    trial.cache_clear()  # as another process would
    return trial()


QUICK = Trial(machine(), 0.05, 0.02, 1.1)
SLOW = Trial(machine(), 0.05, 0.4, 1.1)


def test_it_is_measured_once(measured):
    measured.append(QUICK)
    assert again() == QUICK and again() == QUICK and not measured


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        json.dumps({"machine": machine()}).encode(),
        json.dumps(asdict(replace(QUICK, machine="a Z80"))).encode(),
        json.dumps(asdict(replace(QUICK, float32=0.0))).encode(),
        json.dumps(asdict(QUICK) | {"bfloat16": "fast"}).encode(),
        json.dumps(asdict(QUICK) | {"float8": 1}).encode(),
    ],
)
def test_a_wrong_file_is_measured_again(measured, content):
    (cache_folder()).mkdir()
    (cache_folder() / "precision.json").write_bytes(content)
    measured.append(SLOW)
    assert again() == SLOW and again() == SLOW


def test_what_other_work_disturbed_is_not_kept(measured):
    measured += [replace(SLOW, spread=3.0), QUICK]
    assert again().spread == 3.0
    assert again() == QUICK and again() == QUICK


def test_a_cache_that_cannot_be_written(measured, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    measured += [QUICK, SLOW]
    assert again() == QUICK and again() == SLOW


@pytest.mark.parametrize(("found", "expected"), [(QUICK, True), (SLOW, False), (Trial(machine(), 0.05, 0.048, 1.0), False)])
def test_auto_follows_the_measurement(measured, found, expected):
    measured.append(found)
    trial.cache_clear()
    with precision_context(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu") is expected
    with precision_context(torch.device("cpu"), "float32"):
        assert not torch.is_autocast_enabled("cpu")
    with precision_context(torch.device("cpu"), "bfloat16"):
        assert torch.is_autocast_enabled("cpu")


def test_measuring_leaves_the_seed_and_the_gradients_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with torch.no_grad():
        found = precision.measure()
    assert torch.equal(torch.rand(3), expected)
    assert found.machine == machine() and found.float32 > 0 and found.bfloat16 > 0 and found.spread >= 1
