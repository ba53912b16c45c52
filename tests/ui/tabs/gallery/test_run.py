"""The gallery's work: comparison, walk and export, against a fake engine."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nada_core.errors import OptionsError
from nada_core.ui.tabs.gallery import run
from nada_core.ui.tabs.gallery.downloads import MARK
from nada_core.ui.tabs.gallery.sheet import sheet_html
from tests.helpers.adapting import behind_another_job
from tests.helpers.apps import context
from tests.helpers.fake_engine import draw_face
from tests.helpers.gallery import PATHS


def pictures(html: str) -> list[str]:
    """Return the file names of the pictures that a page shows."""
    return re.findall(r'src="pictures/([^"/]+)"', html)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


# --- compare ----------------------------------------------------------------------------------------------------------------------


def test_compare_fills_the_sheet_row_by_row_and_zips_it(tmp_path):
    app, engine = context("zombie")
    phases, filled = [], []
    for view in run.run_compare(app, ["zombie", "joker"], "5, 6"):
        phases.append(view.phase)
        if view.sheet:
            html = sheet_html(view.sheet)
            filled.append(html.count("<img"))
            addresses = pictures(html)
            assert html.count("<section>") == 3  # every row has its place from the start
        if view.archive:
            copy = tmp_path / Path(view.archive).name
            copy.write_bytes(Path(view.archive).read_bytes())
    assert phases[-1] == "done" and filled == [0, 2, 4, 6] and len(app.line) == 0
    assert [line for line in engine.log if "sample" in line] == ["sample None", "sample zombie", "sample joker"]
    assert copy.name == "zombie-joker-sheet.zip" and not Path(view.archive).exists()

    with zipfile.ZipFile(copy) as archive:
        faces = [f"{row}/seed-{seed}.png" for row in ("0-without-a-style", "1-zombie", "2-joker") for seed in (5, 6)]
        assert sorted(archive.namelist()) == sorted([*faces, "sheet.png", "cards.json"])
        shown = {name: Image.open(io.BytesIO(archive.read(name))) for name in [*faces, "sheet.png"]}
        facts = json.loads(archive.read("cards.json"))
    assert all(png.format == "PNG" and png.info["Comment"] == MARK and "AI-generated" in MARK for png in shown.values())
    one = shown["1-zombie/seed-6.png"]
    assert one.size == (256, 256) and (one.info["Style"], one.info["Seed"], one.info["World"]) == ("zombie", "6", "starter")
    assert np.abs(np.asarray(shown[faces[0]]).astype(int) - np.asarray(draw_face(5)).astype(int)).max() <= 1  # the plain face
    sheet = np.asarray(shown["sheet.png"]).astype(int)
    tops = [top for top in range(sheet.shape[0] - 255) if np.array_equal(sheet[top : top + 256, 5:261], np.asarray(shown[faces[2]]))]
    assert len(tops) == 1 and (sheet[tops[0] - 25 : tops[0], 5:100] < 100).any()  # its row, under its heading
    seen = [pixels(app.thumbnails.named(name)) for name in addresses]
    assert len(set(addresses)) == 6 and np.abs(seen[0] - np.asarray(draw_face(5)).astype(int)).mean() < 5  # row by row, each its own file
    assert np.abs(seen[0] - seen[2]).mean() > 10 and np.abs(seen[0] - seen[1]).mean() > 10
    assert facts["seeds"] == [5, 6] and [card["name"] for card in facts["styles"]] == ["zombie", "joker"] and facts["note"] == MARK


@pytest.mark.parametrize("name", PATHS)
def test_only_listed_styles_are_rendered(name):
    app, engine = context()
    for views in (run.run_compare(app, [name], "3"), run.run_walk(app, ["joker", name], "3, 4")):
        *_, last = views
        assert last.phase == "failed" and last.error and "etc" not in last.error
    assert engine.log == [] and len(app.line) == 0


@pytest.mark.parametrize("names", [None, [], "joker", 5, ["joker"] * 7, {"joker": 1}])
def test_strange_choices_are_refused(names):
    app, engine = context()
    *_, last = run.run_compare(app, names, "3")
    assert last.phase == "failed" and "style" in last.error.lower() and engine.log == []


def test_seeds():
    assert run.read_seeds(" 3, 11;27\n42 3") == [3, 11, 27, 42]
    assert len(run.read_seeds(run.fresh_seeds())) == 4 and run.fresh_seeds() != run.fresh_seeds()
    for text in (None, "", "  ", "x", "-1", "1.5", "3, x", "9" * 11, "1,2,3,4,5,6,7", "٣", "1" * 100_000):
        with pytest.raises(OptionsError):
            run.read_seeds(text)


def test_a_bug_shows_no_path():
    app, engine = context()

    def sample(*_, **__):
        raise RuntimeError("a bug in /secret/path.py")

    engine.sample = sample
    *_, last = run.run_compare(app, ["joker"], "3")
    assert last.phase == "failed" and "/secret" not in last.error + last.progress.note and len(app.line) == 0


def test_a_closed_page_gives_the_turn_back():
    app, engine = context()
    views = run.run_walk(app, ["joker"], "3, 4")
    while next(views).phase != "run":
        pass
    assert len(app.line) == 1
    views.close()
    assert engine.log[-1] == "walk close" and len(app.line) == 0


def test_heavy_work_waits_its_turn(monkeypatch):
    monkeypatch.setattr(run, "TICK", 0.05)
    app, engine = context()
    app.open()
    assert behind_another_job(app, run.run_compare(app, ["joker"], "3"), engine.log)[-1].phase == "done"


# --- walk -------------------------------------------------------------------------------------------------------------------------


def test_walk_makes_a_marked_endless_film():
    app, engine = context()
    for view in run.run_walk(app, ["joker"], "3, 11, 27"):
        if view.film:
            film = Image.open(view.film)
            assert (film.format, film.n_frames, film.size, film.info["loop"]) == ("GIF", 27, (256, 256), 0)
            assert film.info["comment"].decode().startswith(MARK) and "Seeds: 3, 11, 27" in film.info["comment"].decode()
    assert view.phase == "done" and engine.log == ["walk open", "walk close"] and len(app.line) == 0


# --- export -----------------------------------------------------------------------------------------------------------------------


def test_a_failure_says_its_reason_where_the_work_is_followed():
    app, _ = context()
    *_, last = run.run_compare(app, ["joker"], "x")
    assert last.phase == "failed" and "whole numbers" in last.error and "whole numbers" in last.progress.note


def test_several_styles_are_exported_as_one_zip():
    app, _ = context("zombie")
    for view in run.run_export(app, ["zombie", "joker"]):
        if view.file:
            with zipfile.ZipFile(view.file) as archive:
                prompts = {name: json.loads(archive.read(name))["prompt"] for name in archive.namelist()}
    assert view.phase == "done" and prompts == {"zombie.safetensors": "Zombie", "joker.safetensors": "Joker"}
    assert "styles.zip" in view.said and len(app.line) == 0 and not Path(view.file).exists()


def test_export_hands_out_a_file():
    app, _ = context("zombie")
    for view in run.run_export(app, "zombie"):
        if view.file:
            assert Path(view.file).name == "zombie.safetensors" and json.loads(Path(view.file).read_text())["prompt"] == "Zombie"
    assert view.phase == "done" and len(app.line) == 0 and not Path(view.file).exists()
