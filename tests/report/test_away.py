"""The report's runs done by Ray's workers: the same page as here."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from nada_core.errors import NadaError
from nada_core.report import command
from nada_core.report.command import make_report
from nada_core.report.run import ReportWork
from tests.helpers.fake_laboratory import Laboratory
from tests.helpers.folders import ROOT
from tests.helpers.needs_ray import needs_ray
from tests.helpers.small_reports import report, selfie, shrunk_plan, without_times

pytestmark = pytest.mark.heavy
PICTURE = re.compile(r"data:image/[^\"']+")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(command, "make_plan", few_runs)


def few_runs(*args, **options):
    """Three runs."""
    return shrunk_plan(*args, runs=3, **options)


class SameEverywhere(Laboratory):
    """A stand-in whose generator has one name: its mean latent is estimated, and rounded otherwise on another number of cores."""

    base_hash = "a" * 64


def small_work(quick: bool, seed: int, photos: Sequence[tuple[str, bytes]]) -> ReportWork:
    """What :func:`nada_core.report.command.load_work` loads, on the stand-in engine."""
    engine = SameEverywhere()
    people = [(name, engine.editor.align(content)) for name, content in photos]
    return ReportWork(engine, few_runs(engine.world, lambda prompt: command.baseline_rate(engine, prompt), quick=quick, seed=seed), people)


def test_a_run_that_fails_does_not_stop_the_others(tmp_path):
    class Flaky(Laboratory):
        def adapt(self, prompt, options):
            if prompt == "Joker face":
                raise NadaError("Not today.")
            return super().adapt(prompt, options)

    photo, flaky = selfie(tmp_path / "me.jpg"), Flaky()
    with pytest.raises(NadaError, match=r"^Joker face: Not today\. \(1 of 4 runs failed; the same command tries them again\.\)$"):
        report(flaky, tmp_path / "out", photo)
    assert flaky.log == ["Joker", "Joker smile"] and flaky.moved == []
    again = Laboratory()
    report(again, tmp_path / "out", photo)
    assert again.log == ["Joker face"] and again.moved


@needs_ray
def test_workers_make_the_same_page(tmp_path, monkeypatch):
    from nada_core.cluster.connect import connect
    from nada_core.rows.on_ray import OnRay

    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # workers find the tests' own modules
    photo, engine = selfie(tmp_path / "me.jpg"), SameEverywhere()
    with connect(workers=2) as cluster:
        steps = list(make_report(engine, tmp_path / "many", [photo], away=(OnRay(cluster), small_work)))
    assert engine.log == [] and len([step for step in steps if step.result]) == 3
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    many = (tmp_path / "many" / "report.html").read_text("utf-8")
    one = report(SameEverywhere(), tmp_path / "one", photo)
    # pictures are rounded otherwise on another number of cores: as many and as large, near enough, and not bit by bit
    assert [len(picture) for picture in PICTURE.findall(many)] == pytest.approx(
        [len(picture) for picture in PICTURE.findall(one)], rel=0.02
    )
    assert PICTURE.sub("", without_times(many)) == PICTURE.sub("", without_times(one))
