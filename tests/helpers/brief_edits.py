"""Let edits on the real networks take a few steps, for tests of what is around them: how good an edit is, tests/editing says."""

from __future__ import annotations

from functools import partial

import pytest

from nada_core.editing import style_fit
from nada_core.inversion.optimisation import MODES, InvertOptions

__all__ = ["brief_edits"]


def brief_edits(monkeypatch: pytest.MonkeyPatch, *, latent_steps: int = 3, tuning_steps: int = 2, fit_steps: int = 2) -> None:
    """From now on, an inversion of any mode and a fit of a style to a person take so many steps."""
    options = InvertOptions(latent_steps=latent_steps, tuning_steps=tuning_steps, latent_lr=0.08, tuning_lr=1.2e-3)
    for mode in MODES:
        monkeypatch.setitem(MODES, mode, options)
    monkeypatch.setattr(style_fit, "PersonalOptions", partial(style_fit.PersonalOptions, steps=fit_steps))
