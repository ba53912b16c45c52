"""What is offered when a run is over: the style weaker and stronger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from adapting import last, start
from PIL import Image

from nada_core.checkpoints import styled
from nada_core.errors import NadaError, OptionsError
from nada_core.mixing import Strength, apply_mix, scaled_style, style_delta
from nada_core.ui.adapt_run import choose_step, faces_at
from tests.small_adaptations import small_mobile


def test_the_strength_of_what_was_just_made(make_app):
    app, engine = make_app()
    job = start(app, steps=40)
    view = last(app, job)
    assert faces_at(app, job.id, [], 0.5) is None  # somebody else's
    assert faces_at(app, job.id, [job.id], 1) == view.saved[-1].pictures  # they exist already
    count = len(engine.log)
    weaker = faces_at(app, job.id, [job.id], 0.5)
    assert len(weaker) == 4 and all(Path(file).parent == job.folder.pictures for file in weaker) and weaker != view.saved[-1].pictures
    assert faces_at(app, job.id, [job.id], 0.5) == weaker and len(engine.log) == count + 1  # drawn once
    before, now, full = (np.asarray(Image.open(files[0]), float) for files in (view.originals, weaker, view.saved[-1].pictures))
    assert 0.2 < np.abs(now - before).mean() / np.abs(full - before).mean() < 0.8
    choose_step(app, job.id, [job.id], 5)
    assert faces_at(app, job.id, [job.id], 0.5) != weaker  # of the chosen step
    for strength in (-0.1, 1.31, float("nan")):
        with pytest.raises(OptionsError):
            faces_at(app, job.id, [job.id], strength)
    with app.line.join() as turn:
        assert turn.wait(0)
        with pytest.raises(NadaError, match="busy"):
            faces_at(app, job.id, [job.id], 0.3)


def test_a_run_led_by_a_photo_has_no_strength_here(make_app, monkeypatch):
    app, _ = make_app()
    job = start(app, steps=4)
    last(app, job)
    job.request = replace(job.request, photo="key")
    assert faces_at(app, job.id, [job.id], 0.5) is None


def test_a_scaled_style_is_the_style_applied_at_that_strength(tmp_path):
    from nada_core.checkpoints import Style, StyleCard

    base = small_mobile()
    rng = torch.Generator().manual_seed(0)
    values = {name: value + 0.1 * torch.randn(value.shape, generator=rng) for name, value in base.named_parameters()}
    style = Style(
        StyleCard("a", "a", base=base.family, base_hash=base.content_hash()), {name: value.detach() for name, value in values.items()}
    )
    half = styled(base, scaled_style(style, base, 0.5), base.content_hash())
    mixed = apply_mix(small_mobile(), base, [(style_delta(style, base), 1.0)], Strength.even(0.5))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(half.parameters(), mixed.parameters(), strict=True))
    assert any(not torch.allclose(a, b, atol=1e-3) for a, b in zip(half.parameters(), base.parameters(), strict=True))
    with pytest.raises(OptionsError):
        scaled_style(style, base, 1.6)
