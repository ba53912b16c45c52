"""A sweep with the starter's real networks, short; and the same rows on Ray's workers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nada_core.assets.shipped import PORTRAIT
from nada_core.rows.run import InProcess
from nada_core.styles.files import load_style
from nada_core.sweep.plan import read_plan
from nada_core.sweep.run import SweepStep, do_sweep
from nada_core.sweep.work import SweepWork, open_work
from tests.helpers.brief_edits import brief_edits
from tests.helpers.needs_ray import needs_ray

pytestmark = [pytest.mark.heavy, pytest.mark.slow]

PLAN = """
[adapt]
prompts = ["gold", "green hair"]
[adapt.options]
steps = 2
batch = 1
[edit]
photos = ["portrait.jpg"]
styles = ["adapted", { joker = 0.6, zombie = 0.4 }]
modes = ["fast"]
"""


@pytest.fixture
def plan(tmp_path) -> Path:
    shutil.copy(PORTRAIT, tmp_path / "portrait.jpg")
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path / "plan.toml"


def finish(*args) -> SweepStep:
    for step in do_sweep(*args):  # noqa: B007 (the last one is used)
        pass
    return step


def test_prompts_and_a_photo(plan, tmp_path, engine, monkeypatch):
    brief_edits(monkeypatch)
    plan.write_text(PLAN.replace(', "green hair"', ""))
    last = finish(read_plan(plan), tmp_path / "out", lambda: SweepWork(engine), InProcess())
    assert last.complete and len(last.entries) == 3
    gold, *edits = last.entries
    assert load_style(gold.kept.folder / "style.safetensors").card.prompt == "gold"
    assert all(0 < entry.kept.facts["identity_edited"] < 1 for entry in edits)
    assert json.loads((tmp_path / "out" / "table.json").read_text())["rows"][1]["title"] == "portrait.jpg, joker 0.6, zombie 0.4"


def test_what_the_starter_does_not_understand_is_refused_before_anything_is_done(plan, tmp_path, engine):
    plan.write_text(PLAN.replace("green hair", "xyzzyplugh"))
    with pytest.raises(Exception, match=r"^\[adapt\] prompts: Nothing in 'xyzzyplugh' is known here as a look\."):
        finish(read_plan(plan), tmp_path / "out", lambda: SweepWork(engine), InProcess())
    assert not (tmp_path / "out").exists()


@needs_ray
def test_two_workers_make_the_same_styles(plan, tmp_path, engine):
    """Each alone on its core, as the process they are compared with: the order of sums depends on the number of threads."""
    import torch

    from nada_core.cluster.connect import connect
    from nada_core.rows.on_ray import OnRay

    with connect(workers=2) as cluster:
        many = finish(read_plan(plan), tmp_path / "many", open_work("cpu", "starter"), OnRay(cluster))
    threads = torch.get_num_threads()
    torch.set_num_threads(cluster.cores)
    try:
        one = finish(read_plan(plan), tmp_path / "one", lambda: SweepWork(engine), InProcess())
    finally:
        torch.set_num_threads(threads)
    assert many.complete and one.complete and [entry.row.key for entry in many.entries] == [entry.row.key for entry in one.entries]
    for there, here in zip(many.entries[:2], one.entries[:2], strict=True):
        styles = [load_style(entry.kept.folder / "style.safetensors").tensors for entry in (there, here)]
        assert styles[0].keys() == styles[1].keys() and all(torch.equal(styles[0][name], styles[1][name]) for name in styles[0])
