"""Two workers with the starter's real networks: the page sees a run end although its worker is killed, with the style it would have had."""

from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path

import pytest

if importlib.util.find_spec("ray") is None:  # it is not imported here: `connect` sets first where it may listen
    pytest.skip("needs Ray: pip install -r requirements-cluster.txt", allow_module_level=True)

import torch

from nada_core.cluster.connect import connect
from nada_core.styles.files import load_style, save_style
from nada_core.ui import build_app, launch_options
from nada_core.ui.requests import AdaptRequest
from nada_core.ui.server.backend import default_backend
from nada_core.ui.tabs.adapt.run import check_options
from nada_core.ui.workers.crew import RayCrew
from tests.helpers.adapting import last, start, wait_for
from tests.helpers.loopback import dead_port
from tests.helpers.served import chromium, expect, in_chromium, open_app, until

pytestmark = [pytest.mark.heavy, pytest.mark.slow]
STEPS, SEED = 30, 5  # as many as the page asks for by itself
PATIENCE = 600.0


@pytest.fixture(scope="module")
def served(engine):
    """The address and the Blocks of an app whose adaptations two real workers compute; they are up."""
    with connect(workers=2) as cluster:
        crew = RayCrew(cluster, keep=0.5)
        demo = build_app(backend=default_backend(lambda **wish: engine), crew=crew)
        try:
            _, url, _ = demo.launch(**launch_options("127.0.0.1", dead_port()), prevent_thread_lock=True, quiet=True)
            demo.warm()
            crew.start(demo.context)
            wait_for(lambda: all(facts.doing == "idle" for facts in crew.report()), PATIENCE)
            yield url, demo
        finally:
            demo.close()
            demo.context.shutdown()
            crew.close()


@pytest.fixture(scope="module")
def in_process(served, engine, tmp_path_factory):
    """Makes the style file of a request as an app without workers would, on as many cores as a worker has."""

    def make(request: AdaptRequest):
        cores = torch.get_num_threads()
        torch.set_num_threads(served[1].context.crew.cluster.cores)
        try:
            *_, step = engine.adapt(request.prompt, options=check_options(served[1].context, engine, request))
            return load_style(save_style(step.style(), tmp_path_factory.mktemp("here") / "style.safetensors"))
        finally:
            torch.set_num_threads(cores)

    return make


def the_same(one, other) -> bool:
    return one.tensors.keys() == other.tensors.keys() and all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)


def test_two_at_once_give_the_styles_of_one_process(served, in_process):
    app = served[1].context
    jobs = [start(app, prompt, steps=5, seed=SEED) for prompt in ("Joker", "Zombie")]
    for job in jobs:
        view = last(app, job)
        assert view.phase == "done", view.error
        assert the_same(load_style(Path(view.saved[-1].file)), in_process(job.request))


@in_chromium
def test_the_page_sees_a_run_end_whose_worker_was_killed(served, in_process):
    url, demo = served
    crew, jobs = demo.context.crew, demo.context.jobs
    with chromium() as browser:
        page = open_app(browser.new_page(), url)
        page.locator("#prompt input, #prompt textarea").first.fill("Joker")
        before = len(jobs.all())
        page.locator("#adapt").click()
        until(page, lambda: len(jobs.all()) > before and jobs.all()[-1].view.step >= 4)
        job = jobs.all()[-1]
        (busy,) = [place for place in crew._places if place.busy]
        os.kill(busy.colleague.pid, signal.SIGKILL)
        expect(page.locator("#adapt-progress")).to_contain_text("Moved to another machine after step")
        expect(page.locator("#adapt-progress")).to_contain_text(f"Done: {STEPS} steps")
        expect(page.locator("#workers")).to_contain_text("workers compute the adaptations")
    assert job.view.phase == "done" and len(job.view.chart.losses) == STEPS
    assert the_same(load_style(Path(job.view.saved[-1].file)), in_process(job.request))
