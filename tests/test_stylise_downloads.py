"""What is taken away from the Stylise tab: the whole photo, marked files, and the wait for them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from apps import context, picture
from edits import done
from PIL import Image

from nada_core.errors import NadaError, OptionsError, PhotoError
from nada_core.ui import take_away
from nada_core.ui.edit_run import EditRequest, run_edit, run_rerender
from nada_core.ui.photo_faces import find_faces
from nada_core.ui.take_away import KINDS, write_download


def test_the_whole_photo_is_shown_small_and_taken_away_large(tmp_path):
    app, _ = context()
    request = EditRequest(find_faces(app, picture(tmp_path, 3000, 2000)).photo, "joker", paste=True)
    _, (before, after, rebuilt) = done(run_edit(app, request))
    assert before.shape == after.shape == (1067, 1600, 3) and rebuilt.shape == (256, 256, 3)
    whole = Image.open(write_download(app, replace(request, paste=False), "photo", tmp_path))
    assert whole.size == (3000, 2000) and "AI-generated" in whole.info["Comment"]
    _, (before, after, _) = done(run_rerender(app, replace(request, paste=False)))
    assert before.shape == after.shape == (256, 256, 3)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_download_says_that_it_was_made_by_ai(tmp_path, photo, kind):
    app, _ = context("zombie")
    request = EditRequest(find_faces(app, photo).photo, "joker", 0.8, blend="zombie", share=0.25)
    done(run_edit(app, request))
    path = write_download(app, request, kind, tmp_path)
    file = Image.open(path)
    assert path.name.startswith("joker-and-zombie-80") and len(app.line) == 0
    if kind == "film":
        assert file.format == "GIF" and file.n_frames > 20 and file.info["comment"].startswith(b"AI-generated") and file.info["loop"] == 0
        return
    assert file.format == "PNG" and "AI-generated" in file.info["Comment"]
    assert (file.info["Style"], file.info["Strength"], file.info["World"]) == ("Joker and Zombie", "0.80", "starter")
    assert file.size == {"picture": (256, 256), "photo": (400, 400)}.get(kind, file.size) and (kind != "sheet" or file.width > 3 * 256)


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


def test_a_download_waits_for_other_work_and_gives_up_in_words(photo, tmp_path, monkeypatch):
    app, _ = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    done(run_edit(app, request))
    monkeypatch.setattr(take_away, "_PATIENCE", 0.05)
    with app.line.join(), pytest.raises(NadaError, match="busy"):
        write_download(app, request, "picture", tmp_path)
    monkeypatch.setattr(take_away, "_PATIENCE", 20)
    turn, made = app.line.join(), []
    worker = threading.Thread(target=lambda: made.append(write_download(app, request, "picture", tmp_path)))
    worker.start()
    time.sleep(0.1)
    assert not made
    turn.leave()
    worker.join(10)
    assert made and len(app.line) == 0


def test_a_bug_while_downloading_shows_no_path(photo, tmp_path):
    app, engine = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    done(run_edit(app, request))

    def finish(*_):
        raise RuntimeError("a bug in /secret/path.py")

    engine.editor.finish = finish
    with pytest.raises(NadaError) as refused:
        write_download(app, request, "picture", tmp_path)
    view, _ = done(run_rerender(app, request))
    assert "/secret" not in str(refused.value) + view.error + view.progress and view.phase == "failed" and len(app.line) == 0
