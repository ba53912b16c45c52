"""Strength by layer group, blends, and offsets: arithmetic on weights, checked on a small generator."""

from __future__ import annotations

import copy

import pytest
import torch

from nada_core.editing.portrait import check_shares
from nada_core.errors import OptionsError, StyleError
from nada_core.styles.mixing import MAX_STRENGTH, Strength, apply_mix, style_delta, sum_deltas
from tests.helpers.small_styles import small_generator, smooth_style


@pytest.fixture(scope="module")
def small():
    return small_generator()


@pytest.fixture(scope="module")
def delta(small):
    return style_delta(smooth_style(small), small)


def test_strength_works_by_layer_group(small, delta):
    working = apply_mix(copy.deepcopy(small), small, [(delta, 1.0)], Strength(shape=0.0, texture=0.5, colour=1.2))
    factors = {"shape": 0.0, "texture": 0.5, "colour": 1.2}
    seen = set()
    for name, value in working.named_parameters():
        group = small.layer_group(name)
        expected = small.get_parameter(name) + factors[group] * delta.get(name, torch.zeros(()))
        torch.testing.assert_close(value, expected)
        seen.add(group)
    assert "shape" in seen and "colour" in seen


def test_zero_is_the_base_bit_for_bit(small, delta):
    working = apply_mix(copy.deepcopy(small), small, [(delta, 1.0)], Strength.even(0))
    assert all(torch.equal(a, b) for a, b in zip(working.parameters(), small.parameters()))


def test_a_blend_is_the_weighted_sum_and_offsets_stay_whole(small, delta):
    other = {name: -2 * value for name, value in delta.items()}
    offsets = {name: 0.01 * torch.ones_like(value) for name, value in list(delta.items())[:2]}
    parts = [(delta, 0.25), (other, 0.75)]
    working = apply_mix(copy.deepcopy(small), small, parts, Strength.even(0.5), offsets)
    for name, value in delta.items():
        expected = small.get_parameter(name) + 0.5 * (0.25 - 1.5) * value + offsets.get(name, torch.zeros(()))
        torch.testing.assert_close(working.get_parameter(name), expected)


def test_the_same_style_twice_is_the_style(small, delta):
    one = apply_mix(copy.deepcopy(small), small, [(delta, 1.0)])
    two = apply_mix(copy.deepcopy(small), small, [(delta, share) for share in check_shares([3, 1], 2)])
    for a, b in zip(one.parameters(), two.parameters()):
        torch.testing.assert_close(a, b)


def test_deltas_add_over_all_names():
    total = sum_deltas({"a": torch.ones(2)}, {"a": torch.ones(2), "b": torch.zeros(1)})
    assert torch.equal(total["a"], torch.full((2,), 2.0)) and torch.equal(total["b"], torch.zeros(1))


def test_a_known_hash_is_believed_and_a_wrong_base_is_refused(small):
    style = smooth_style(small)
    with pytest.raises(StyleError, match="made for"):
        style_delta(style, small, "0" * 64)


@pytest.mark.parametrize("value", [-0.1, MAX_STRENGTH + 0.1, float("nan"), True, "1"])
def test_strengths_out_of_range(value):
    with pytest.raises(OptionsError, match=r"between 0 and 1\.5"):
        Strength(texture=value)


def test_scaled_strengths_stop_at_the_most():
    assert Strength(0.5, 1.0, 1.4).scaled(1.2) == Strength(0.6, 1.2, MAX_STRENGTH)


def test_shares_sum_to_one():
    assert check_shares([], 2) == [0.5, 0.5] and check_shares([3, 1], 2) == [0.75, 0.25]


@pytest.mark.parametrize("shares", [[1.0], [-1, 2], [0, 0], [float("nan"), 1], [float("inf"), 1]])
def test_shares_that_make_no_blend(shares):
    with pytest.raises(OptionsError, match="share"):
        check_shares(shares, 2)
