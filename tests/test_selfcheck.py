"""``selfcheck``: the starter world passes it, and what is broken is found and named while the other stages go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from nada_core import commands
from nada_core.__main__ import main
from nada_core.engine import Engine
from nada_core.selfcheck import selfcheck
from tests.small_adaptations import StandInEncoder, small_stylegan2
from tests.stylegan2_files import rosinality_state


def test_the_starter_world_passes_and_the_report_can_be_sent_back(engine, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(commands, "Engine", lambda *args, **parts: engine)
    assert main(["selfcheck", "--steps", "10", "--out", str(tmp_path / "report.json")]) == 0
    said = capsys.readouterr().out
    assert "FAILED" not in said and "all 8 stages passed" in said
    text = (tmp_path / "report.json").read_text()
    found = json.loads(text)
    assert [stage["passed"] for stage in found["stages"]] == [True] * 8
    assert str(Path.home()) not in text and str(tmp_path) not in text
    photo = found["stages"][-1]
    assert photo["name"] == "photo" and photo["figures"]["identity_inverted"] < 0.3


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """An engine whose generator draws no faces."""
    small = small_stylegan2()
    torch.save({"g_ema": rosinality_state(small), "latent_avg": small.w_avg}, tmp_path / "noise.pt")
    monkeypatch.setattr("nada_core.engine.load_encoder", lambda name, device: StandInEncoder(name))
    return Engine("cpu", base=tmp_path / "noise.pt", encoder="ViT-B-32", world="starter")


def test_a_generator_without_faces_is_found_and_the_rest_is_tried(broken, tmp_path):
    findings = {finding.name: finding for finding in selfcheck(broken, tmp_path / "nobody.png", steps=10)}
    assert not findings["generator"].passed and "face was found in" in findings["generator"].detail
    assert findings["text-image encoder"].passed and findings["adaptation"].passed
    assert not findings["photo"].passed and "nobody.png" in findings["photo"].detail


def test_a_failed_adaptation_leaves_no_style_for_the_photo(broken, monkeypatch):
    def fall(*args):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(broken, "adapt", fall)
    findings = {finding.name: finding for finding in selfcheck(broken, steps=10)}
    assert findings["adaptation"].detail == "RuntimeError: out of memory"
    assert "there is no style" in findings["photo"].detail


def test_bad_options(capsys):
    assert main(["selfcheck", "--full", "--world", "starter"]) == 2
    assert main(["selfcheck", "--steps", "3"]) == 2
    assert "between 10 and 2000" in capsys.readouterr().err
