"""Compact styles trained to draw what the full style draws."""

from __future__ import annotations

import pytest
import torch

from nada_core.styles.files import Style, compact_style, load_style, save_style, styled
from tests.helpers.small_styles import small_generator, smooth_style
from training.polish import polished


@torch.no_grad()
def error(base, full: Style, compact: Style) -> float:
    """Mean square difference of unseen pictures, against what the style changes in them."""
    ws = base.mapping(base.sample_z(range(901, 905)), 0.7)
    exact, close, plain = (network.synthesis(ws).float() for network in (styled(base, full), styled(base, compact), base))
    return float((close - exact).pow(2).mean() / (plain - exact).pow(2).mean())


@pytest.mark.heavy
def test_a_polished_style_is_nearer_to_the_full_one_and_not_larger(tmp_path):
    base = small_generator()
    full = smooth_style(base, size=0.3, rank=8)
    compact = compact_style(full, base, 14_000)
    before = save_style(compact, tmp_path / "before.safetensors")
    state = torch.get_rng_state()
    better = polished(base, full, compact, steps=40)
    assert torch.equal(torch.get_rng_state(), state), "no random numbers of the process are used"
    after = save_style(better, tmp_path / "after.safetensors")
    assert error(base, full, load_style(after)) < 0.9 * error(base, full, load_style(before))
    assert after.stat().st_size <= before.stat().st_size + 64  # the card's digest may have another length
    assert better.tensors.keys() == compact.tensors.keys()
