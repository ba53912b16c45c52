"""A person's own photo among the faces of a live adaptation."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nada_core.ui.app import make_context
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from tests.helpers.fake_engine import FakeEngine, draw_face, fake_backend


@pytest.fixture
def app():
    engine = FakeEngine(delay=0.0)
    return make_context(fake_backend(engine)), engine


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB").resize((64, 64))).astype(int)


@pytest.mark.heavy
def test_the_photo_leads_the_faces_and_is_inverted_once(app, tmp_path):
    context, engine = app
    path = tmp_path / "me.jpg"
    draw_face(7, 400).save(path)
    photo = find_faces(context, str(path)).photo
    shown = {}
    for _ in range(2):
        for view in run_adaptation(context, AdaptRequest("Joker", 12, photo=photo)):
            for kind in ("originals", "previews"):
                if getattr(view, kind):  # the files go when newer ones have come
                    shown[kind] = [pixels(file) for file in getattr(view, kind)]
        assert view.phase == "done", view.error
    me, usual = pixels(str(path)), np.asarray(draw_face(0).resize((64, 64))).astype(int)
    first = shown["originals"][0]
    assert np.abs(first - me).mean() < 6 < np.abs(first - usual).mean()
    assert len(shown["originals"]) == len(shown["previews"]) == 4
    assert np.abs(shown["previews"][0] - first).mean() > 5  # it was repainted like the others
    assert sum(line.startswith("invert ") and "close" not in line for line in engine.editor.log) == 1


def test_a_photo_that_is_gone_is_said(app):
    context, engine = app
    *_, view = run_adaptation(context, AdaptRequest("Joker", 5, photo="nobody's"))
    assert view.phase == "failed" and "Upload it again" in view.error and "open" not in engine.log
