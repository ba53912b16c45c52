"""Painted lips: they reach their colour, and under a light one the lip's own folds and shadows are still seen."""

from __future__ import annotations

import numpy as np
import pytest

from nada_core.looks.drawing.draw import draw
from nada_core.looks.drawing.operations import lab
from nada_core.looks.known_faces import portraits
from nada_core.looks.reading import read


@pytest.fixture(scope="module")
def people():
    return portraits(4)


@pytest.mark.parametrize("text", ["white lips", "turquoise lips", "yellow lips", "neon green lips"])
def test_light_lips_are_no_flat_patch(text, people):
    look = read(text).look
    for face in people:
        inside = face.lips > 0.9
        before, after = (lab(picture)[inside][:, 0] for picture in (face.image, draw(look, face, 7)))
        assert after.std() > 0.6 * before.std()
        assert np.corrcoef(before, after)[0, 1] > 0.7  # what is light on the lips stays lighter than what is dark


@pytest.mark.parametrize("text", ["white lips", "turquoise lips", "red lips", "black lips"])
def test_painted_lips_go_most_of_the_way_to_their_colour(text, people):
    from skimage.color import deltaE_ciede2000

    look = read(text).look
    paint = look.paints["lips"]
    for face in people:
        inside = face.lips > 0.9
        start, end = (lab(picture)[inside].mean(0) for picture in (face.image, draw(look, face, 7)))
        goal = start + paint.amount * (np.float32(paint.colour) - start)
        assert deltaE_ciede2000(end, goal) < 0.3 * deltaE_ciede2000(start, goal)
