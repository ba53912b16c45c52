"""A style is fitted to what it was made from, its text; what a style made from pictures is called changes nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nada_core.editing.editor import PhotoEditor
from nada_core.inversion.base import Inversion
from nada_core.looks.reading import read
from nada_core.styles.mixing import Delta, style_delta
from tests.helpers.small_adaptations import StandInEncoder, same_tensors, small_stylegan2
from tests.helpers.small_styles import smooth_style


class LookingEncoder(StandInEncoder):
    """One for which texts are looks; nothing of that may be asked for here."""

    look = regions = maps = None


@pytest.fixture(scope="module")
def base():
    return small_stylegan2()


def worn(base, encoder, **card) -> tuple[Delta, int]:
    """A style's change as a person wears it, and the steps that fitting it took."""
    person = SimpleNamespace(inversion=Inversion(base.mapping(base.sample_z([1]))))
    *steps, last = PhotoEditor(base, None, None, encoder).fit_steps(person, smooth_style(base, **card))
    return last.fitted.delta, len(steps)


@pytest.mark.parametrize("made_from", ["pictures", ""], ids=["pictures", "another program"])
@pytest.mark.parametrize("encoder", [StandInEncoder(), LookingEncoder()], ids=["reads texts", "reads looks"])
def test_a_name_is_no_target(base, encoder, made_from):
    for name in ("gold", "my picture", "Joker"):
        delta, steps = worn(base, encoder, name=name, prompt=name, title=name, made_from=made_from)
        assert steps == 0 and same_tensors(delta, style_delta(smooth_style(base), base)), name


def test_pictures_have_no_look_whatever_their_card_says(base):
    reading = {"look": read("gold skin").look.to_json()}
    assert worn(base, LookingEncoder(), prompt="gold skin", made_from="pictures", reading=reading)[1] == 0


@pytest.mark.heavy
def test_a_text_is_one(base):
    gold, joker = (worn(base, StandInEncoder(), prompt=text, made_from="text") for text in ("gold", "Joker"))
    assert gold[1] == joker[1] == 20 and not same_tensors(gold[0], joker[0])
