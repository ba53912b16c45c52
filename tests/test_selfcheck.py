"""``selfcheck``: the starter world passes it, and what is broken is found and named while the other stages go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import skimage.data
import torch
import torch.nn.functional as F
from PIL import Image

from nada_core import commands
from nada_core.__main__ import main
from nada_core.engine import Engine
from nada_core.images import to_tensor
from nada_core.selfcheck import _without_folders, selfcheck
from tests.small_adaptations import ReadingEncoder, StandInEncoder, small_stylegan2
from tests.stylegan2_files import rosinality_state


@pytest.mark.slow
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


class Knowing(ReadingEncoder):
    """Knows one photo; everything else is a face to it."""

    photo: torch.Tensor

    def encode_image(self, images):
        sizes = [F.interpolate(pictures, size=(16, 16), mode="bilinear", antialias=True) for pictures in (images, self.photo)]
        same = (sizes[0] - sizes[1]).abs().mean((1, 2, 3)) < 0.02
        face, astronaut = self.encode_text(["a photo of a face.", "a photo of an astronaut."])
        return torch.where(same[:, None], astronaut, face)


def encoder_stage(engine):
    (finding,) = (finding for finding in selfcheck(engine, steps=10) if finding.name == "text-image encoder")
    return finding


@pytest.mark.slow
def test_an_encoder_that_reads_must_know_what_it_sees(broken, monkeypatch):
    photo = to_tensor(Image.fromarray(skimage.data.astronaut()))
    monkeypatch.setattr(broken, "adapt", lambda *args: iter(()))
    broken.__dict__["encoder"] = knowing = Knowing()
    knowing.photo = photo
    finding = encoder_stage(broken)
    assert (
        finding.passed and "tells 10 subjects apart" in finding.detail and finding.figures["cosines of an astronaut"]["an astronaut"] == 1
    )
    for number in range(8):  # random weights never pass: whatever text is nearest is so to both pictures, or one is not known
        broken.__dict__["encoder"] = ReadingEncoder(f"random {number}")
        finding = encoder_stage(broken)
        assert not finding.passed and "is taken for" in finding.detail


def test_paths_lose_their_folders():
    hidden = _without_folders("[Errno 2] No such file: '/home/anna/models/x.pt' in C:\\Users\\Anna\\y.pkl, rate 3/4 and a/b")
    at_home = _without_folders(f"No such file: '{Path.home()}/my models/x.pt', nor '{Path.home()}'")
    assert str(Path.home()) not in at_home and "x.pt" in at_home
    assert "anna" not in hidden.lower() and "x.pt" in hidden and "y.pkl" in hidden and "3/4" in hidden


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
