"""The script that makes the film of docs/pictures, on the page with the fake engine."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from docs.make_pictures import MOST_STEPS, STRENGTHS, browser_page, evenly, record, write_gif
from tests.helpers.fake_engine import FakeEngine, FakeGenerator
from tests.helpers.served import in_chromium, serving


@in_chromium
def test_a_person_is_filmed_using_the_page(tmp_path):
    engine = FakeEngine(delay=0.1, generator=FakeGenerator(resolutions=(256,)))
    engine.editor.delay = 0.02
    with serving(engine) as (url, _), browser_page() as page:
        frames = record(page, url, steps=8, mode="fast", out=tmp_path)
    assert len(frames) > len("Joker") + len(STRENGTHS) + 4
    before, after = (np.asarray(picture, float) for picture, _ in (frames[len("Joker")], frames[len("Joker") + 3]))
    assert np.abs(after - before).mean() > 1  # of 255: the faces turn
    write_gif(frames, tmp_path / "app.gif", sizes=[(320, 32)])
    with Image.open(tmp_path / "app.gif") as film:
        assert film.n_frames > len(frames) // 2 and film.info["loop"] == 0  # equal neighbours are one frame that is shown longer
    for name in ("adapt.jpg", "stylise.jpg"):
        assert Image.open(tmp_path / name).size == frames[0][0].size


def test_a_film_that_cannot_be_small_enough_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2, 90, 160, 3), dtype=np.uint8)
    frames = [(Image.fromarray(picture), 100) for picture in noise]
    with pytest.raises(RuntimeError, match="Keep fewer frames"):
        write_gif(frames, tmp_path / "app.gif", most=1000, sizes=[(160, 16), (80, 16)])
    assert not (tmp_path / "app.gif").exists()


def test_frames_are_left_out_evenly():
    assert evenly(range(100), 4) == [0, 33, 66, 99]
    assert evenly([1, 2], MOST_STEPS) == [1, 2]
