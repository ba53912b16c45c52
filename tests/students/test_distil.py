"""Distillation on a tiny generator: pairs, steps, stopping early."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from nada_core.errors import OptionsError
from nada_core.students import distil as distil_module
from nada_core.students.distil import FITTED, HELD, DistilOptions, distil
from nada_core.students.files import StudentCard, StyleStudent, style_digest
from nada_core.students.network import SIDE, Student, with_grain
from nada_core.students.pairs import Pairs, draw_pairs, seen
from nada_core.styles.files import Style, styled
from tests.helpers.fake_laboratory import Laboratory
from tests.helpers.small_styles import smooth_style


class Small(torch.nn.Module):
    """Features: the picture, three times smaller each."""

    def forward(self, images):
        return [F.avg_pool2d(images, 2**n) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def base():
    return Laboratory().generator


@pytest.fixture(scope="module")
def style(base) -> Style:
    """What a network can learn: half a negative."""
    card = smooth_style(base).card
    return Style(
        card, {"to_img.weight": base.get_parameter("to_img.weight") * -0.5, "to_img.bias": base.get_parameter("to_img.bias") * -0.5}
    )


@pytest.fixture
def start() -> StyleStudent:
    torch.manual_seed(0)
    network = Student((8, 8, 8, 8))
    return StyleStudent(StudentCard("", "", "", 0), network, network.neutral())


def options(**changed) -> DistilOptions:
    return DistilOptions(**({"steps": 60, "batch": 3, "pairs": 3 * HELD, "rate": 1e-2, "alone": 0.1, "precision": "float32"} | changed))


def test_pairs_are_the_same_faces_before_and_after(base, style):
    adapted = styled(base, style)
    drawn = list(draw_pairs(base, adapted, 5, seed=3))
    assert sum(map(len, drawn)) == 5 and all(p.before.dtype == torch.uint8 and p.before.shape[1:] == (3, SIDE, SIDE) for p in drawn)
    assert all((p.before != p.after).any() for p in drawn)
    again = list(draw_pairs(base, adapted, 5, seed=3))
    assert all(torch.equal(a.after, b.after) for a, b in zip(drawn, again))
    plain = list(draw_pairs(base, base, 3, seed=3))
    assert all(torch.equal(p.before, p.after) for p in plain)


def test_both_pictures_of_a_pair_are_moved_alike_and_one_is_lit():
    patches = torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1)
    before = (F.interpolate(patches, size=SIDE, mode="bilinear") * 255).round().byte()
    face, wanted = seen(before, before, torch.Generator().manual_seed(1))
    assert face.shape == wanted.shape and face.abs().max() <= 1
    for one, other, original in zip(face, wanted, before):
        alike = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]
        assert alike > 0.8 and (other - (original.float() / 127.5 - 1)).abs().mean() > 0.01


@pytest.mark.heavy
def test_a_student_comes_nearer_to_the_style_and_says_by_how_much(base, style, start):
    steps = list(distil(base, style, Small(), options(), start))
    assert {step.stage for step in steps} == {"drawing faces", "learning"}
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1 and steps[-1].left == 0
    last = steps[-1].student
    assert last is not None and last.card.style == style_digest(style) and last.card.steps == 60
    assert last.card.figures["error"] < 0.8 * last.card.figures["unchanged"]
    assert not any(parameter.requires_grad for parameter in last.network.parameters())


@pytest.mark.heavy
def test_the_start_is_left_as_it_is_and_seeds_repeat(base, style, start):
    before = {name: value.clone() for name, value in start.network.state_dict().items()}
    torch.manual_seed(7)
    state = torch.get_rng_state()
    one, two = ([*distil(base, style, Small(), options(steps=3, pairs=2 * HELD), start)][-1].student for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, start.network.state_dict()[name]) for name, value in before.items())
    assert torch.equal(one.code, two.code) and all(
        torch.equal(a, b) for a, b in zip(one.network.state_dict().values(), two.network.state_dict().values())
    )


@pytest.mark.heavy
def test_whoever_stops_keeps_the_student_so_far(base, style, start):
    run = distil(base, style, Small(), options(pairs=2 * HELD), start)
    kept = next(step.student for step in run if step.student is not None and step.student.card.steps == 3)
    code = kept.code.clone()
    next(run)
    run.close()
    assert torch.equal(kept.code, code), "later steps do not change it"


@pytest.mark.parametrize("hatching", [0.0, 0.7])
def test_a_style_with_a_texture_begins_at_the_network_of_textures(monkeypatch, hatching):
    torch.manual_seed(0)
    smooth = Student((8, 8, 8, 8))
    plain = StyleStudent(StudentCard("", "", "a", 0), smooth, smooth.neutral())
    grown = replace(plain, network=with_grain(smooth))
    monkeypatch.setattr(distil_module, "ready_students", lambda: {"a": plain, "b": grown})
    before = torch.full((FITTED, 3, SIDE, SIDE), 100, dtype=torch.uint8)
    strokes = torch.randn(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(5)) * 40 * hatching
    after = (before + 20 + strokes).clamp(0, 255).byte()
    network, code = distil_module._beginning(None, Pairs(before, after))
    assert network.textured == (hatching > 0) and code.shape == (1, network.code_size)
    assert network not in (plain.network, grown.network), "what the ready students wear stays as it is"


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"pairs": 3}, {"batch": 1000}])
def test_options_out_of_range(wrong):
    with pytest.raises(OptionsError, match=f"{next(iter(wrong))} is"):
        DistilOptions(**wrong)
