"""Several styles on one photo, against the fake editor: what is made once, what arrives when, who may wear what, and the files."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nada_core.errors import NadaError, PhotoError, StyleError
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.photo import downloads
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import CompareRequest, EditRequest, Person
from nada_core.ui.style_menu.choices import OWN
from nada_core.ui.style_menu.pictures import StylePictures
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from nada_core.ui.tabs.compare import run as compare_run
from nada_core.ui.tabs.compare.downloads import write_comparison
from nada_core.ui.tabs.compare.run import CompareCell, default_styles, run_compare_strength, run_compare_styles
from nada_core.ui.tabs.compare.sheet import compare_html, picks_html
from nada_core.ui.tabs.stylise.run import run_edit, run_rerender
from tests.helpers.adapting import behind_another_job
from tests.helpers.apps import context, picture
from tests.helpers.edits import done


def pictures(sheet: tuple[CompareCell, ...]) -> list[np.ndarray]:
    """What a sheet shows, in its order, as values and as the page draws it."""
    found = [base64.b64decode(one) for one in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', compare_html(sheet))]
    assert found == [cell.jpeg for cell in sheet if cell.jpeg]
    return [np.asarray(Image.open(io.BytesIO(one))).astype(int) for one in found]


def compared(app, request):
    *_, last = run_compare_styles(app, request)
    return last


@pytest.mark.heavy
def test_pictures_arrive_one_by_one_and_their_places_are_there_before(photo):
    app, engine = context("zombie", "neon", delay=0.01)
    request = CompareRequest(find_faces(app, photo).photo, ["joker", "zombie", "neon"])
    sheets, words = [], []
    for view in run_compare_styles(app, request):
        words.append(view.progress)
        if view.sheet:
            sheets.append(view.sheet)
            assert [cell.title for cell in view.sheet] == ["Your photo", "Rebuilt", "Joker", "Zombie", "Neon"]
            html = compare_html(view.sheet)
            assert html.count('class="compare-cell"') == 5 and all(
                f">{name}</b>" in html for name in ("Rebuilt", "Joker", "Zombie", "Neon")
            )
    counts = [len(pictures(sheet)) for sheet in sheets]
    assert counts == sorted(counts) and counts[0] == 1 and counts[-1] == 5 and {2, 3, 4} <= set(counts)
    assert view.phase == "done" and view.made == 3 and any("Rebuilding the face" in one.headline for one in words)
    assert any(one.left.endswith(" left") for one in words)
    assert any("Zombie, style 2 of 3" in one.headline for one in words)
    photo_, rebuilt, *styled = pictures(sheets[-1])
    assert np.abs(photo_ - rebuilt).mean() < 5 and all(np.abs(one - rebuilt).mean() > 10 for one in styled)
    assert np.abs(styled[0] - styled[1]).mean() > 3
    html = compare_html(sheets[-1])
    assert html.count("distance 0.") == 4 and html.count('alt="') == 5 and "compare-busy" not in html
    assert [cell.distance is not None for cell in sheets[-1]] == [False, True, True, True, True] and not any(c.busy for c in sheets[-1])
    assert engine.editor.log == ["invert balanced", "invert close", "wear Joker", "wear Zombie", "wear Neon"] and len(app.line) == 0


@pytest.mark.heavy
def test_both_tabs_share_what_was_made(photo):
    app, engine = context("zombie")
    key, log = find_faces(app, photo).photo, engine.editor.log
    done(run_edit(app, EditRequest(key, "joker")))
    log.clear()
    request = CompareRequest(key, ["joker", "zombie"])
    assert compared(app, request).phase == "done" and log == ["wear Zombie"]
    log.clear()
    view, _ = done(run_rerender(app, EditRequest(key, "zombie")))  # made there, shown here
    assert view.phase == "done" and log == ["render 256"]
    log.clear()
    assert compared(app, request).phase == "done" and log == []
    assert compared(app, replace(request, person=Person(mode="fast"))).phase == "done" and log[0] == "invert fast"


@pytest.mark.heavy
def test_the_strength_moves_all_of_them(photo):
    app, engine = context("zombie", "neon")
    request = CompareRequest(find_faces(app, photo).photo, ["joker", "zombie"])
    assert list(run_compare_strength(app, request)) == [] and list(run_compare_strength(app, replace(request, photo=None))) == []
    full = pictures(compared(app, request).sheet)
    engine.editor.log.clear()
    *_, weak = run_compare_strength(app, replace(request, strength=0.3))
    shown = pictures(weak.sheet)
    assert engine.editor.log == [] and np.array_equal(shown[0], full[0]) and np.array_equal(shown[1], full[1])
    for place in (2, 3):
        assert 1 < np.abs(shown[place] - shown[1]).mean() < np.abs(full[place] - full[1]).mean() / 2
    distances = [[cell.distance for cell in sheet[1:]] for sheet in (compared(app, request).sheet, weak.sheet)]
    assert all(now < before for before, now in zip(distances[0][1:], distances[1][1:]))
    *_, none = run_compare_strength(app, replace(request, strength=0.0))
    assert all(np.array_equal(one, pictures(none.sheet)[1]) for one in pictures(none.sheet)[2:])
    *_, partly = run_compare_strength(app, replace(request, styles=["joker", "neon"]))  # stopped before the second
    assert partly.made == 1 and partly.sheet[3].words == "Not made: press Compare" and len(pictures(partly.sheet)) == 3


PATHS = ["../../etc/passwd", "/etc/passwd", "nobody", "Joker", "joker\x00", OWN + "forged", OWN]


@pytest.mark.parametrize("name", PATHS)
def test_only_listed_styles_are_compared(photo, name):
    app, engine = context()
    key = find_faces(app, photo).photo
    view = compared(app, CompareRequest(key, ["joker", name]))
    assert view.phase == "failed" and ("not in the library" in view.error or "no longer kept" in view.error)
    assert engine.editor.log == [] and len(app.line) == 0


@pytest.mark.parametrize(
    ("styles", "words"),
    [
        ([], "No style is chosen"),
        (None, "No style is chosen"),
        ("joker", "No style is chosen"),
        ([None, 7, {"a": 1}, ""], "No style is chosen"),
        ([f"style-{number}" for number in range(7)], "at most 6"),
        (["joker"] * 7, ""),
    ],
)
def test_strange_choices_are_refused_in_words(photo, styles, words):
    app, _ = context()
    view = compared(app, CompareRequest(find_faces(app, photo).photo, styles))
    assert (words in view.error and view.phase == "failed") if words else (view.phase == "done" and view.made == 1)


@pytest.mark.parametrize("key", [None, "", "forged", "../me.jpg"])
def test_without_a_photo_there_is_nothing_to_compare(key):
    app, engine = context()
    view = compared(app, CompareRequest(key, ["joker"]))
    assert view.phase == "failed" and "photo" in view.error and "pload" in view.error and engine.editor.log == []


@pytest.mark.parametrize("strength", [-0.1, 9.0, float("nan")])
def test_strengths_out_of_range_are_refused_before_any_work(photo, strength):
    app, engine = context()
    view = compared(app, CompareRequest(find_faces(app, photo).photo, ["joker"], strength))
    assert view.phase == "failed" and "between" in view.error and engine.editor.log == [] and len(app.line) == 0


def test_an_unsaved_style_is_compared_on_its_own_page_only(photo):
    app, _ = context()
    *_, made = run_adaptation(app, AdaptRequest("Zombie", steps=3))
    key, mine = find_faces(app, photo).photo, OWN + made.style_id
    good = compared(app, CompareRequest(key, [mine, "joker"], owned=[made.style_id]))
    assert good.phase == "done" and good.sheet[2].title == "Zombie"
    stolen = compared(app, CompareRequest(key, [mine], owned=[]))
    assert stolen.phase == "failed" and "no longer kept" in stolen.error


def test_a_style_that_vanishes_meanwhile_says_so_in_its_place(photo, tmp_path):
    app, engine = context("zombie")
    request = CompareRequest(find_faces(app, photo).photo, ["zombie", "joker"])
    for view in run_compare_styles(app, request):
        if view.phase == "run":
            engine.saved.pop("zombie", None)  # deleted on another page after the button was pressed
    assert view.phase == "done" and view.made == 1 and "no style called zombie" in view.sheet[2].words and len(pictures(view.sheet)) == 3
    assert "1 of 2 styles could not be worn" in view.progress.note
    again = compared(app, request)
    assert again.phase == "failed" and "“zombie” is not in the library any more" in again.error
    with pytest.raises(StyleError, match="any more"):
        write_comparison(app, request, "sheet", tmp_path)
    engine.style = lambda name: (_ for _ in ()).throw(StyleError("Made for another generator."))
    app.photos.get(request.photo).forget()
    alone = compared(app, replace(request, styles=["joker"]))
    assert alone.phase == "failed" and "another generator" in alone.error and len(app.line) == 0


def test_a_bug_shows_no_path(photo):
    app, engine = context()
    engine.editor.scores = lambda *_: (_ for _ in ()).throw(RuntimeError("a bug in /secret/path.py"))
    view = compared(app, CompareRequest(find_faces(app, photo).photo, ["joker"]))
    assert view.phase == "failed" and "/secret" not in view.error + progress_bar(view.progress) and len(app.line) == 0


@pytest.mark.heavy
def test_a_comparison_waits_its_turn_and_a_closed_page_gives_it_back(photo, monkeypatch):
    monkeypatch.setattr(compare_run, "TICK", 0.05)
    app, engine = context(delay=0.01)
    request = CompareRequest(find_faces(app, photo).photo, ["joker"])
    assert behind_another_job(app, run_compare_styles(app, request), engine.editor.log)[-1].phase == "done"

    views = run_compare_styles(app, replace(request, person=Person(mode="fast")))
    while "Rebuilding" not in next(views).progress.headline:
        pass
    assert len(app.line) == 1
    views.close()
    assert engine.editor.log[-1] == "invert close" and len(app.line) == 0
    assert [mode for _, mode in app.photos.get(request.photo).portraits] == ["balanced"]  # no half portrait is kept


@pytest.mark.heavy
def test_the_second_face_is_another_person(tmp_path):
    app, engine = context()
    key = find_faces(app, picture(tmp_path, 900, 400)).photo
    first = compared(app, CompareRequest(key, ["joker"]))
    second = compared(app, CompareRequest(key, ["joker"], person=Person(1)))
    assert engine.editor.log.count("invert balanced") == 2 and not np.array_equal(pictures(first.sheet)[0], pictures(second.sheet)[0])
    assert "does not exist" in compared(app, CompareRequest(key, ["joker"], person=Person(2))).error


# --- files ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", [256, pytest.param(1024, marks=pytest.mark.heavy)])
def test_the_sheet_and_the_pictures_say_that_they_were_made_by_ai(photo, tmp_path, resolution):
    app, _ = context("zombie", "neon")
    request = CompareRequest(find_faces(app, photo).photo, ["joker", "zombie"], 0.8)
    compared(app, request)
    more = replace(request, styles=["joker", "zombie", "neon"])  # the third was never fitted
    path = write_comparison(app, more, "sheet", tmp_path, resolution)
    sheet, side = Image.open(path), min(resolution, 512)
    assert path.name == "compare-joker-zombie-80.png" and sheet.width > 4 * side and side < sheet.height < 1.4 * side
    assert "AI-generated" in sheet.info["Comment"] and sheet.info["Style"] == "Joker, Zombie" and sheet.info["Strength"] == "0.80"
    with zipfile.ZipFile(write_comparison(app, more, "pictures", tmp_path, resolution)) as archive:
        assert archive.namelist() == ["0-photo.png", "1-rebuilt.png", "2-joker.png", "3-zombie.png"]
        own, *shown = [Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    assert all(one.size == (resolution, resolution) for one in (own, *shown)) and "Comment" not in own.info
    assert all("AI-generated" in one.info["Comment"] and one.info["World"] == "starter" for one in shown)
    assert [one.info["Style"] for one in shown] == ["none", "Joker", "Zombie"] and len(app.line) == 0


def test_files_need_a_comparison_a_known_kind_and_a_free_server(photo, tmp_path, monkeypatch):
    app, _ = context()
    request = CompareRequest(find_faces(app, photo).photo, ["joker"])
    for nothing in (request, replace(request, photo=None), replace(request, styles=())):
        with pytest.raises(PhotoError, match="press Compare first"):
            write_comparison(app, nothing, "sheet", tmp_path)
    compared(app, request)
    with pytest.raises(NadaError, match="choose sheet, pictures"):
        write_comparison(app, request, "../x", tmp_path)
    monkeypatch.setattr(downloads, "_PATIENCE", 0.05)
    with app.line.join(), pytest.raises(NadaError, match="busy"):
        write_comparison(app, request, "sheet", tmp_path)
    assert not list(tmp_path.glob("compare*"))


# --- parts of the page ------------------------------------------------------------------------------------------------------------


def test_the_five_prompts_are_the_first_choice():
    five = ["joker", "joker-face", "joker-smile", "joker-makeup", "joker-cosplay"]
    assert default_styles(["zombie", *reversed(five)]) == five
    assert default_styles([OWN + "x", "zombie", "neon"]) == ["zombie"] and default_styles([OWN + "x"]) == default_styles([]) == []


def test_html_is_inert(tmp_path):
    hostile = '"><img src=x onerror=a()>'
    html = compare_html([CompareCell(hostile, words=hostile), CompareCell(hostile, b"jpeg", 0.5)])
    file = tmp_path / "a.jpg"
    file.write_bytes(b"jpeg")
    html += picks_html(StylePictures((hostile,), ((str(file), hostile),)))
    assert "<img src=x" not in html and str(tmp_path) not in html and html.count("<img ") == 2
