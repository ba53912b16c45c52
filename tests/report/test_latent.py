"""The report's place for StyleCLIP: what stands there, and that it is stored and found again like the runs."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.errors import NadaError
from nada_core.images.image_io import to_tensor
from nada_core.losses import GlobalLoss, text_direction
from nada_core.metrics import directional_similarity
from nada_core.report import command, run
from nada_core.report.command import make_report
from nada_core.report.findings import compare
from nada_core.report.page import build_page
from nada_core.report.plan import SAMPLES
from nada_core.report.results import LatentResult
from tests.helpers.fake_laboratory import Laboratory
from tests.helpers.small_reports import finished_report, report, selfie, shrunk_plan, without_times

pytestmark = pytest.mark.heavy


#: With two runs.
few_runs = partial(shrunk_plan, runs=2)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(command, "make_plan", few_runs)


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    return selfie(tmp_path_factory.mktemp("photos") / "me.jpg")


@pytest.fixture(scope="module")
def finished(photo, tmp_path_factory) -> Path:
    return finished_report(tmp_path_factory.mktemp("finished") / "out", photo, few_runs)


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "report"))


def stored(out: Path) -> LatentResult:
    return LatentResult.from_json(json.loads((out / "runs" / "styleclip" / "result.json").read_text())["result"])


def section(text: str) -> str:
    return text[text.index('<section id="styleclip">') : text.index("<h2>Run by run</h2>")]


def test_both_ways_stand_side_by_side(finished):
    shown, result = section((finished / "report.html").read_text("utf-8")), stored(finished)
    assert "<h2>Moving the latent instead (StyleCLIP)</h2>" in shown and html.escape(compare(result)) in shown
    assert [(face.name, face.photo) for face in result.faces] == [(f"face-{i}", False) for i in (1, 2, 3, 4)] + [("me", True)]
    captions = re.findall(r"<figcaption>([a-z ,]+?)(?:, distance [\d.]+)?</figcaption>", shown)
    assert (
        captions
        == ["original, aligned", "rebuilt", "adapted generator", "moved latent"]
        + [
            "before",
            "adapted generator",
            "moved latent",
        ]
        * 4
    )
    for face in result.faces:
        row = re.search(rf"<tr><td>{face.name}</td>(.*?)</tr>", shown).group(1)
        pairs = zip(*((score.similarity, score.identity, score.distance) for score in (face.adapted, face.moved)))
        assert re.findall(r"<td>([^<]*)</td>", row) == [f"{value:.2f}" for pair in pairs for value in pair]
    assert "4 steps of Adam a face, rate 0.1" in shown and "weighted by 0.008" in shown


def test_the_numbers_are_those_of_the_stored_pictures(finished):
    laboratory, result = Laboratory(), stored(finished)
    direction = text_direction(laboratory.encoder, "face", "Joker")
    for face in result.faces:
        first = finished / "runs" / "joker" / f"{face.name}-{'inverted' if face.photo else '0'}.jpg"
        files = (finished / "runs" / "joker" / f"{face.name}-2.jpg", finished / "runs" / "styleclip" / f"{face.name}-moved.jpg")
        assert files[0].read_bytes() != files[1].read_bytes() != first.read_bytes()
        before, *after = (to_tensor(Image.open(path)) for path in (first, *files))
        for picture, score in zip(after, (face.adapted, face.moved), strict=True):
            similarity = directional_similarity(laboratory.encoder, before, picture, direction).item()
            assert score.similarity == pytest.approx(similarity, abs=1e-4)
            assert score.distance == pytest.approx(GlobalLoss(laboratory.encoder, "Joker")(picture).item(), abs=1e-4)
            assert score.identity is not None and score.identity > 0
    moved = [face.moved for face in result.faces]
    assert len(set(moved)) == len(moved), "each face's own latent was moved"


def test_each_face_starts_from_its_own_latent(photo, tmp_path):
    laboratory = Laboratory()
    report(laboratory, tmp_path, photo)
    base = laboratory.generator
    faces = base.mapping(base.sample_z(SAMPLES), resolve_options(AdaptOptions(), base.family).truncation_psi)
    me = base.mapping(base.sample_z([5]), 0.7)
    assert [prompt for prompt, _ in laboratory.moved] == ["Joker"] * 5
    assert torch.allclose(torch.cat([start for _, start in laboratory.moved]), torch.cat([faces, me]), atol=1e-6)


def test_latents_come_nearer_to_the_text_than_they_were(finished):
    laboratory, result = Laboratory(), stored(finished)
    target = GlobalLoss(laboratory.encoder, "Joker")
    for face in result.faces:
        name = f"{face.name}-{'inverted' if face.photo else '0'}.jpg"
        with torch.no_grad():
            assert face.moved.distance < target(to_tensor(Image.open(finished / "runs" / "joker" / name))).item()


def test_found_again(folder, photo):
    before, again = (folder / "report.html").read_text("utf-8"), Laboratory()
    steps = list(make_report(again, folder, [photo]))
    assert ["found in the folder" in step.text for step in steps if step.result or step.latent] == [True] * 3
    assert again.log == again.moved == again.editor.log == []
    assert (folder / "report.html").read_text("utf-8") == before


def test_an_interruption_costs_only_the_latents(finished, photo, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        report(Laboratory(stop_moving_at=3), tmp_path, photo)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["joker", "joker-face"]
    resumed = Laboratory()
    text = report(resumed, tmp_path, photo)
    assert resumed.log == [] and len(resumed.moved) == 5 and resumed.editor.log == ["invert"]
    assert without_times(text) == without_times((finished / "report.html").read_text("utf-8"))


def test_a_run_that_is_done_again_the_same_leaves_the_latents(folder, photo):
    shutil.rmtree(folder / "runs" / "joker")
    again = Laboratory()
    steps = list(make_report(again, folder, [photo]))
    assert again.log == ["Joker"] and again.moved == []
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-2:] == [1.0, 1.0], "what need not be done is done"


def test_other_adapted_pictures_are_compared_anew(folder, photo):
    path = folder / "runs" / "joker" / "me-2.jpg"
    Image.new("RGB", (128, 128), "green").save(path)
    before, again = stored(folder), Laboratory()
    report(again, folder, photo)
    after = stored(folder)
    assert again.log == [] and len(again.moved) == 5
    assert after.faces[4].adapted != before.faces[4].adapted and after.faces[4].moved == before.faces[4].moved
    assert (folder / "runs" / "styleclip.older-1").is_dir()


class Eyes(torch.nn.Module):
    """A recogniser that gradients flow through, with one number of its own."""

    def __init__(self, floor: float) -> None:
        super().__init__()
        self.floor = torch.nn.Parameter(torch.tensor(floor), requires_grad=False)

    def forward(self, images):
        return torch.nn.functional.adaptive_avg_pool2d(images, 4).flatten(1) + self.floor


def test_an_identity_term_guides_where_its_recogniser_is_and_the_page_says_so(folder, photo):
    assert "no identity term: ArcFace, which would give one, was not on the machine" in section((folder / "report.html").read_text("utf-8"))
    before = stored(folder)
    assert before.identity_weight is None
    guided = Laboratory(guide=Eyes(0.1))
    text = report(guided, folder, photo)
    assert guided.log == [] and len(guided.moved) == 5, "moved anew, with the term"
    after = stored(folder)
    assert after.identity_weight == 0.005 and [face.moved for face in after.faces] != [face.moved for face in before.faces]
    assert "the face’s change in ArcFace’s eyes by 0.005; dlib’s recogniser, which judges, guides nothing" in section(text)
    again, other = Laboratory(guide=Eyes(0.1)), Laboratory(guide=Eyes(0.2))
    assert report(again, folder, photo) == text and again.moved == []
    report(other, folder, photo)
    assert len(other.moved) == 5, "another recogniser is another result"


def test_results_from_before_the_identity_term_are_read(finished):
    raw = json.loads((finished / "runs" / "styleclip" / "result.json").read_text())["result"]
    del raw["identity_weight"]
    assert LatentResult.from_json(raw) == stored(finished)


def test_another_seed_is_another_comparison(folder, photo):
    again = Laboratory()
    report(again, folder, photo, seed=2)
    assert len(again.moved) == 5 and (folder / "runs" / "styleclip.older-1").is_dir()


@pytest.mark.parametrize("name", ["face-2-moved.jpg", "me-moved.jpg"])
def test_a_moved_picture_that_was_deleted(folder, photo, name):
    (folder / "runs" / "styleclip" / name).unlink()
    with pytest.raises(NadaError, match=rf"{name}.*Delete the folder runs/styleclip"):
        report(Laboratory(), folder, photo)


def test_latents_count_in_the_time_left(photo, tmp_path, monkeypatch):
    def until_moving(out) -> float:
        steps = list(make_report(Laboratory(), out, [photo]))
        start = next(step for step in steps if "StyleCLIP" in step.text)
        assert start.left is not None and start.left >= 0
        return start.fraction

    short = until_moving(tmp_path / "short")
    monkeypatch.setattr(run, "MOVE_SECONDS", 100 * run.MOVE_SECONDS)
    assert until_moving(tmp_path / "long") < 0.5 * short < 0.5


def test_without_photos_faces_are_enough(tmp_path):
    laboratory, plan = Laboratory(), few_runs("starter", lambda prompt: 1e-3)
    store = command.RunStore(tmp_path)
    *_, last = run.do_runs(laboratory, plan, [], store)
    assert [face.name for face in last.latent.faces] == [f"face-{i}" for i in (1, 2, 3, 4)]
    folders = {name: store.path(name) for name in ("joker", "styleclip")}
    page = build_page(replace(plan, runs=()), {}, last.latent, folders, {}).decode()
    assert html.escape(compare(last.latent)) in page
    assert "This has not been done" in section(build_page(replace(plan, runs=()), {}, None, folders, {}).decode())
