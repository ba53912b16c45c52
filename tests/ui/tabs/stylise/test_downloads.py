"""What is taken away from the Stylise tab: the whole photo, marked files, and the wait for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import gradio as gr
import pytest
from PIL import Image

from nada_core.errors import NadaError, OptionsError, PhotoError
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.page.replies import delivered
from nada_core.ui.photo import downloads
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.tabs.stylise.downloads import KINDS, download_writing, write_download
from nada_core.ui.tabs.stylise.run import run_edit, run_rerender
from tests.helpers.apps import context, picture
from tests.helpers.edits import done

#: A film for phones takes seconds.
EVERY_KIND = [pytest.param(kind, marks=pytest.mark.heavy) if kind == "phone" else kind for kind in KINDS]


@pytest.mark.heavy
def test_the_whole_photo_is_shown_small_and_taken_away_large(tmp_path):
    app, _ = context()
    request = EditRequest(find_faces(app, picture(tmp_path, 3000, 2000)).photo, "joker", paste=True)
    _, (before, after, rebuilt) = done(run_edit(app, request))
    assert before.shape == after.shape == (1067, 1600, 3) and rebuilt.shape == (256, 256, 3)
    whole = Image.open(write_download(app, replace(request, paste=False), "photo", tmp_path))
    assert whole.size == (3000, 2000) and "AI-generated" in whole.info["Comment"]
    _, (before, after, _) = done(run_rerender(app, replace(request, paste=False)))
    assert before.shape == after.shape == (256, 256, 3)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_download_says_that_it_was_made_by_ai(tmp_path, photo, kind):
    app, _ = context("zombie")
    request = EditRequest(find_faces(app, photo).photo, "joker", 0.8, blend="zombie", share=0.25)
    done(run_edit(app, request))
    path = write_download(app, request, kind, tmp_path)
    assert path.name.startswith("joker-and-zombie-80") and len(app.line) == 0
    if kind == "phone":
        with av.open(str(path)) as opened:
            assert opened.streams.video[0].height == 1280 and opened.metadata["comment"].startswith("AI-generated")
        return
    file = Image.open(path)
    if kind == "film":
        assert file.format == "GIF" and file.n_frames > 20 and file.info["comment"].startswith(b"AI-generated") and file.info["loop"] == 0
        return
    assert file.format == "PNG" and "AI-generated" in file.info["Comment"]
    assert (file.info["Style"], file.info["Strength"], file.info["World"]) == ("Joker and Zombie", "0.80", "starter")
    assert file.size == {"picture": (256, 256), "photo": (400, 400)}.get(kind, file.size) and (kind != "sheet" or file.width > 3 * 256)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_what_is_worn_at_once_can_be_taken_before_anything_is_pressed(tmp_path, photo, kind):
    app, engine = context("zombie")
    engine.students.colour = "#00c000"
    request = EditRequest(find_faces(app, photo).photo, "joker", 0.8, blend="zombie", share=0.25)
    path = write_download(app, request, kind, tmp_path)
    assert path.name.startswith("joker-and-zombie-80") and engine.editor.log == [], "nothing is inverted for it"
    if kind == "phone":
        assert path.suffix == ".mp4" and path.read_bytes()[4:8] == b"ftyp"
        return
    file = Image.open(path)
    if kind == "film":
        assert file.format == "GIF" and file.n_frames > 20 and file.size == (512, 512)
        return
    assert (file.info["Style"], file.info["Strength"]) == ("Joker and Zombie", "0.80") and "AI-generated" in file.info["Comment"]
    assert file.size == {"picture": (1024, 1024), "photo": (400, 400)}.get(kind, file.size)
    red, green, _ = file.convert("RGB").getpixel((file.width - 40 if kind == "sheet" else 30, 60))
    assert green > 1.5 * red


def test_a_style_that_cannot_be_worn_at_once_is_not_taken_at_once(tmp_path, photo):
    app, engine = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    for colour, groups in (("", (1.0, 1.0, 1.0)), ("#00c000", (1.0, 0.5, 1.0))):
        engine.students.colour = colour
        with pytest.raises(PhotoError, match="press Stylise first"):
            write_download(app, replace(request, groups=groups), "picture", tmp_path)


def test_downloads_need_a_finished_look_and_a_known_kind(photo, tmp_path):
    app, _ = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    with pytest.raises(PhotoError, match="press Stylise first"):
        write_download(app, request, "picture", tmp_path)
    done(run_edit(app, request))
    with pytest.raises(NadaError, match="choose picture, photo"):
        write_download(app, request, "../x", tmp_path)
    with pytest.raises(OptionsError):
        write_download(app, replace(request, strength=9.0), "picture", tmp_path)
    assert not list(tmp_path.glob("joker*")) and len(app.line) == 0


def test_what_is_on_show_waits_for_nobody(photo, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_PATIENCE", 0.05)
    app, engine = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    done(run_edit(app, request))
    done(run_rerender(app, replace(request, strength=0.5)))
    engine.editor.log.clear()
    with app.line.join():  # somebody else's work
        for kind in ("picture", "photo", "sheet"):
            assert write_download(app, replace(request, strength=0.5), kind, tmp_path).exists()
        writing = download_writing(app, request, "picture", tmp_path)  # another strength, which has to be rendered
        assert next(writing) == 1
        writing.close()
    assert engine.editor.log == [] and len(app.line) == 0
    app.photos.forget_portraits()
    assert app.photos.get(request.photo).rendered is None


@pytest.mark.heavy
def test_a_download_waits_for_other_work_and_says_so(photo, tmp_path, monkeypatch):
    app, _ = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    done(run_edit(app, request))
    monkeypatch.setattr(downloads, "_PATIENCE", 0.05)
    with app.line.join(), pytest.raises(NadaError, match="busy"):
        write_download(app, request, "film", tmp_path)
    monkeypatch.setattr(downloads, "_PATIENCE", 60)
    monkeypatch.setattr(downloads, "TICK", 0.05)
    with gr.Blocks():
        button, notice = gr.DownloadButton(), gr.HTML()
    turn = app.line.join()
    told = delivered(lambda folder: download_writing(app, request, "film", folder), button, notice, "Film")
    assert "1 job ahead" in next(told)[notice]
    turn.leave()
    assert "being made" in next(told)[notice]
    last = next(told)
    assert Path(last[button]).exists() and last[notice] == "" and len(app.line) == 0
    told.close()


def test_a_bug_while_downloading_shows_no_path(photo, tmp_path):
    app, engine = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    done(run_edit(app, request))

    def finish(*_):
        raise RuntimeError("a bug in /secret/path.py")

    engine.editor.finish = finish
    with pytest.raises(NadaError) as refused:
        write_download(app, replace(request, strength=0.5), "picture", tmp_path)
    view, _ = done(run_rerender(app, request))
    assert "/secret" not in str(refused.value) + view.error + progress_bar(view.progress) and view.phase == "failed" and len(app.line) == 0
