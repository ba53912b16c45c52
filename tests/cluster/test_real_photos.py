"""A photo, and a generator of one's own, on a worker with real networks: what the page shows is what an app without workers shows."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nada_core.assets.shipped import PORTRAIT
from nada_core.cluster.connect import connect
from nada_core.engine import Engine
from nada_core.styles.files import load_style
from nada_core.ui import build_app
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.server.backend import default_backend
from nada_core.ui.tabs.adapt.run import check_options
from nada_core.ui.tabs.stylise.run import run_edit
from nada_core.ui.workers.crew import RayCrew
from tests.helpers.adapting import last, start, wait_for
from tests.helpers.edits import done
from tests.helpers.needs_ray import needs_ray
from tests.helpers.stylegan2_files import rosinality_state, tiny

pytestmark = [pytest.mark.heavy, pytest.mark.slow, needs_ray]
PATIENCE = 600.0


@pytest.fixture(scope="module")
def cluster(starter_weights):
    """One worker; this process computes on as many cores, so that sums are rounded alike."""
    cores = torch.get_num_threads()
    with connect(workers=1) as joined:
        torch.set_num_threads(joined.cores)
        yield joined
        torch.set_num_threads(cores)


@contextmanager
def app_of(engine, folder, cluster=None):
    """The page's context, with a worker that is up where there is a cluster."""
    crew = None if cluster is None else RayCrew(cluster)
    demo = build_app(backend=replace(default_backend(lambda **wish: engine), jobs_folder=lambda: folder), crew=crew)
    try:
        demo.context.open()
        if crew is not None:
            crew.start(demo.context)
            wait_for(lambda: [facts.doing for facts in crew.report()] == ["idle"], PATIENCE)
        yield demo.context
    finally:
        demo.context.shutdown()
        if crew is not None:
            crew.close()


@pytest.fixture(scope="module")
def apps(cluster, engine, tmp_path_factory):
    """One without workers, and one with."""
    folders = [tmp_path_factory.mktemp("jobs") for _ in range(2)]
    with app_of(engine, folders[0]) as alone, app_of(engine, folders[1], cluster) as crewed:
        yield alone, crewed


def edited(context, then=None):
    """What an edit of a photo of a person says on its way, what is left of the person, and its pictures."""
    context.photos.forget_portraits()
    said = []

    def views():
        for view in run_edit(context, EditRequest(find_faces(context, str(PORTRAIT)).photo, "joker", mode="fast")):
            said.append(view.progress.headline)
            if then is not None:
                then()
            yield view

    view, pictures = done(views())
    assert view.phase == "done", view.error
    return said, view.scores, pictures


@pytest.fixture(scope="module")
def here(apps):
    """The edit without workers."""
    return edited(apps[0])


def busy(context) -> list[int]:
    return [place.colleague.pid for place in context.crew._places if place.busy]


def test_a_photo_is_the_same_to_the_bit(apps, here):
    at_work = []
    _, scores, pictures = edited(apps[1], lambda: at_work.extend(busy(apps[1])))
    assert len(set(at_work)) == 1 and at_work[0] != os.getpid()
    assert scores == here[1] and all(np.array_equal(one, other) for one, other in zip(pictures, here[2], strict=True))
    before, after, _ = pictures
    assert np.abs(after - before).mean() > 10, "the style is seen"


def test_a_photo_whose_worker_is_killed_is_begun_again(apps, here):
    """Here by the app itself: there is no other worker, and a new one is not there at once."""
    killed = []

    def kill() -> None:
        if not killed and (found := busy(apps[1])):
            killed.extend(found)
            os.kill(found[0], signal.SIGKILL)

    said, scores, pictures = edited(apps[1], kill)
    assert killed and "Moved to another machine" in said
    assert scores == here[1] and all(np.array_equal(one, other) for one, other in zip(pictures, here[2], strict=True))
    wait_for(lambda: [facts.doing for facts in apps[1].crew.report()] == ["idle"] and busy(apps[1]) == [], PATIENCE)
    assert apps[1].crew._places[0].colleague.pid != killed[0]


def test_a_generator_of_ones_own_travels_to_the_pages_workers(cluster, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    torch.save({"g_ema": rosinality_state(tiny())}, tmp_path / "mine" / "mine.pt")
    monkeypatch.chdir(tmp_path)
    engine = Engine("cpu", base="mine/mine.pt", world="starter", styles_folder=tmp_path / "styles")
    with app_of(engine, tmp_path / "jobs", cluster) as app:
        job = start(app, "gold", steps=2, seed=3)
        view = last(app, job)
        assert view.phase == "done", view.error
        *_, step = engine.adapt("gold", options=check_options(app, engine, job.request))
        there, own = load_style(Path(view.saved[-1].file)).tensors, step.style().tensors
        assert there.keys() == own.keys() and all(torch.equal(there[name], own[name]) for name in own)
