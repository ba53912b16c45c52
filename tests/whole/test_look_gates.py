"""Try the gates of looks: a drawing of a text meets what its look asks for, an untouched face and another drawing do not."""

from __future__ import annotations

import pytest
import torch

from nada_core.adaptation.drawn_targets import find_face
from nada_core.looks.drawing.draw import draw
from nada_core.looks.look import Look, Mark, Paint
from nada_core.looks.reading import read
from tests.whole.gates.checks import judge
from tests.whole.gates.faces import unseen_faces
from tests.whole.gates.looks.checks import checks_of, measure_look
from tests.whole.gates.looks.prompts import mixed, single
from tests.whole.gates.measure import measure, of_all

pytestmark = pytest.mark.heavy

TEXTS = ("green hair", "blue hair", "red lips", "black and white", "gold")


def test_texts_are_drawn_by_lot_and_understood():
    names, mixtures = single(60, 3), mixed(36, 3)
    assert names == single(60, 3) and mixtures == mixed(36, 3) and names != single(60, 4)
    assert len(set(names)) == len(names) >= 50 and len(set(mixtures)) == 36
    assert all(read(text).look and not read(text).unknown for text in (*names, *mixtures))


def labels(look: Look) -> set[str]:
    return {check.label for check in checks_of(look)}


def test_what_a_look_names_is_asked_for_and_the_rest_is_kept():
    blue = Paint((50, 0, -50))
    assert {"hair has its colour", "skin kept", "background kept"} <= labels(Look(paints={"hair": blue}))
    assert "hair kept" not in labels(Look(paints={"hair": blue}))
    assert "skin kept" not in labels(Look(medium="oil")) and "hair has its colour" not in labels(Look(paints={"hair": blue}, medium="oil"))
    assert "without colour" in labels(Look(process="black and white")) and "made of its stuff" in labels(Look(material="gold"))
    assert "smile seen by the landmarks" in labels(Look(shape={"smile": 0.9}))
    assert "open mouth seen by the landmarks" in labels(Look(shape={"open mouth": 0.9}))
    assert "slim face seen by the landmarks" in labels(Look(shape={"wide face": -0.9}))
    assert not any("landmarks" in label for label in labels(Look(shape={"wide face": -0.3, "smile": -0.9})))
    assert "eyes are the same eyes" not in labels(Look(marks=(Mark("sunglasses"),)))


@pytest.fixture(scope="module")
def faces(engine):
    return unseen_faces(engine, range(885_001, 885_006), 0.7)


@pytest.fixture(scope="module")
def drawn(engine, faces):
    known = [find_face(engine.encoder, face[None]) for face in faces.before]
    return {
        text: torch.stack([torch.from_numpy(draw(read(text).look, face, 1).transpose(2, 0, 1).copy()) for face in known]) * 2 - 1
        for text in TEXTS
    }


def failures(text: str, faces, pictures) -> set[str]:
    look, together = read(text).look, of_all(faces.before, pictures)
    measures = [
        measure(b, a, r) | measure_look(look, b, a, r) | together for b, a, r in zip(faces.before, pictures, faces.regions, strict=True)
    ]
    return {verdict.check.label for verdict in (judge(check, measures) for check in checks_of(look)) if not verdict.passed}


@pytest.mark.parametrize("text", TEXTS)
def test_a_drawing_meets_its_text_and_an_untouched_face_does_not(text, faces, drawn):
    assert failures(text, faces, drawn[text]) == set()
    assert failures(text, faces, faces.before)


def test_another_texts_drawing_does_not_meet_it(faces, drawn):
    assert "hair has its colour" in failures("green hair", faces, drawn["blue hair"])
    assert "background kept" in failures("red lips", faces, drawn["gold"])
