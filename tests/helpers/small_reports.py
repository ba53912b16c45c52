"""Make whole reports in a second: runs of two steps on a stand-in engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nada_core.report import command
from nada_core.report.command import make_report
from nada_core.report.plan import Plan, make_plan
from tests.helpers.fake_laboratory import Laboratory


def shrunk_plan(*args, runs: int | None = None, **options) -> Plan:
    """Two steps a run (of the first `runs`, where not all) and four a latent, in place of hundreds."""
    plan = make_plan(*args, **options)
    fewer = [replace(run, options=replace(run.options, steps=2), probes=(1, 2)) for run in plan.runs[:runs]]
    latent = replace(plan.latent, options=replace(plan.latent.options, steps=4))
    return replace(plan, half=1, steps=2, runs=tuple(fewer), latent=latent)


def selfie(path: Path) -> Path:
    """Write a photo; the stand-in's faces are everywhere."""
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (160, 160, 3), dtype=np.uint8)).save(path)
    return path


def report(laboratory: Laboratory, out: Path, photo: Path, **options) -> str:
    """The report's page, and every step of the way there looked at."""
    fractions = [step.fraction for step in make_report(laboratory, out, [photo], **options)]
    assert all(0 <= value <= 1 for value in fractions) and fractions[-1] == 1.0
    return (out / "report.html").read_text("utf-8")


def finished_report(out: Path, photo: Path, plan: Callable[..., Plan]) -> Path:
    """Make a report of seed 0 by another plan; for a fixture of a whole module, so not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "make_plan", plan)
        report(Laboratory(), out, photo)
    return out


def without_times(text: str) -> str:
    return re.sub(r'<span class="time">\d+</span>', "", text)
