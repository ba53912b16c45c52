"""Training by drawing: each face goes where its own drawing is."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from nada_core.adaptation.drawn_targets import DrawnTargets, drawn_loss, look_options
from nada_core.adaptation.loop import adapt
from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.adaptation.training_run import drawable
from nada_core.errors import PromptError
from nada_core.looks.known_faces import known_faces
from nada_core.looks.look import Look, Paint

TEAL = Look(paints={"skin": Paint((55, -32, -12)), "hair": Paint((86, 0, 2))})
QUICK = AdaptOptions(steps=20, batch=2, preview_seconds=math.inf)


@pytest.fixture(scope="module")
def targets(generator, encoder):
    return DrawnTargets(generator, encoder, TEAL, resolve_options(QUICK, generator.family))


def test_the_known_faces_are_this_generators(targets, generator):
    assert targets.known and targets.size == len(known_faces().seeds) >= 40
    assert known_faces().base_hash == generator.content_hash()


@torch.no_grad()
def test_a_pair_is_prepared_once_and_keeps_what_the_drawing_leaves_alone(targets):
    pair = targets.pair(0)
    assert targets.pair(0) is pair
    changed = (pair.after - pair.before).abs().amax(1, keepdim=True)
    assert changed.max() > 0.5
    assert pair.kept.min() == 0 and pair.kept.max() == 1
    assert changed[pair.kept == 1].max() < 0.13
    assert not ((changed > 0) & (changed < 0.9 * 3 / 255)).any(), "rounding on the way to Lab and back is no paint"


@torch.no_grad()
def test_the_drawing_itself_is_what_the_loss_asks_for(targets, encoder):
    pairs = [targets.pair(0), targets.pair(1)]
    before, after = (torch.cat([getattr(p, name) for p in pairs]) for name in ("before", "after"))
    weights = {"direction": 1.0, "place": 0.2, "keep": 10.0}
    untouched, _ = drawn_loss(encoder, pairs, before, None, **weights)
    reached, similarity = drawn_loss(encoder, pairs, after, None, **weights)
    swapped, other = drawn_loss(encoder, pairs, after.flip(0), None, **weights)
    assert reached < 0.3 * untouched and similarity > 0.95
    assert swapped > 2 * reached and other < similarity, "the drawing of another face is not the target"


@pytest.mark.slow
def test_a_look_that_nobody_named_before_is_learnt_in_a_few_steps(generator, encoder):
    steps = list(adapt(generator, encoder, "teal skin and white hair", replace(QUICK, steps=12, batch=1, lr=5e-4)))
    assert sum(step.similarity for step in steps[-3:]) / 3 > steps[0].similarity + 0.4
    card = steps[-1].style().card
    assert card.made_from == "text" and card.reading["unknown"] == []
    assert Look.from_json(card.reading["look"]).paints.keys() == {"skin", "hair"}


def test_a_smile_trains_the_layers_of_shape(generator, encoder):
    _, paint = look_options(TEAL, generator.family)
    _, smile = look_options(Look(shape={"smile": 1.0}), generator.family)
    assert smile[0] > paint[0]
    assert look_options(TEAL, "stylegan2") == (1.0, None)


def test_what_needs_texts_is_trained_on_texts(encoder, generator):
    defaults = resolve_options(AdaptOptions(), generator.family)
    assert drawable(encoder, "gold", defaults) is not None
    for more in ({"manifold_weight": 0.5}, {"adaptive_layers": 3}, {"mixing": 0.5}, {"source": "zombie"}):
        assert drawable(encoder, "gold", resolve_options(AdaptOptions(**more), generator.family)) is None
    with pytest.raises(PromptError, match="nothing to adapt"):
        drawable(encoder, "a photo of a face", defaults)


def test_a_batch_shows_different_skin(targets):
    rng = torch.Generator().manual_seed(0)
    for _ in range(20):
        one, other = targets.lot(rng)
        assert one % 3 != other % 3 and max(one, other) < targets.size
