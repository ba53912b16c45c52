"""Workers in Ray's own processes: where they listen, jobs on them, one that is killed, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

if importlib.util.find_spec("ray") is None:  # it is not imported here: `connect` sets first where it may listen
    pytest.skip("needs Ray: pip install -r requirements-cluster.txt", allow_module_level=True)

from nada_core.cluster.connect import connect
from nada_core.cluster.identity import Identity, product
from nada_core.cluster.listing import listing
from nada_core.errors import ClusterError
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.tabs.stylise.run import run_edit
from nada_core.ui.workers.asked import Asked
from nada_core.ui.workers.colleague import WorkerLost, hire
from nada_core.ui.workers.crew import RayCrew
from tests.helpers.adapting import last, start, wait_for
from tests.helpers.fake_engine import tint
from tests.helpers.folders import ROOT
from tests.helpers.listening import listening
from tests.helpers.portrait_editor import PortraitEditor
from tests.helpers.stand_in_workers import BACKEND

pytestmark = [pytest.mark.heavy]
PLAN = {"backend": BACKEND, "arguments": {"delay": 0.05}, "cores": 1, "keep": 0.2}
FAKE = Identity(product(), "starter", "0" * 16, "starter")
PATIENCE = 120.0


@pytest.fixture(scope="module")
def cluster():
    with connect(workers=2) as cluster:
        yield cluster


@pytest.fixture
def crewed(make_app, cluster):
    """An app with two stand-in workers of Ray, which are up."""
    crew = RayCrew(cluster, keep=0.2, backend=BACKEND, delay=0.05)
    app, _ = make_app(crew=crew)
    crew.start(app)
    wait_for(lambda: all(facts.doing == "idle" for facts in crew.report()), PATIENCE)
    yield app
    app.shutdown()
    crew.close()


def kill_the_busy_one(app) -> int:
    """End the process of a worker that is at work, as a machine's failure would; return its id."""
    crew = app.crew
    place = next(place for place in crew._places if place.busy and place.colleague is not None)
    os.kill(place.colleague.pid, signal.SIGKILL)
    return place.colleague.pid


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_everything_listens_on_loopback_only(crewed):
    assert listening() <= {"127.0.0.1", "::1"}


def test_a_run_on_a_worker(crewed):
    view = last(crewed, start(crewed, steps=12))
    assert view.phase == "done" and view.step == 12 and len(view.previews) == 4
    assert crewed.shelf.get(view.style_id, [view.style_id]).steps == 12


def test_two_run_at_once_and_stop_acts(crewed):
    jobs = [start(crewed, steps=400) for _ in range(2)]
    wait_for(lambda: all(job.view.step >= 3 for job in jobs), PATIENCE)
    assert [facts.doing for facts in crewed.crew.report()] == ["adapting"] * 2
    stopped = jobs[0].view.step
    assert crewed.jobs.cancel(jobs[0].id)
    view = last(crewed, jobs[0])
    assert view.phase == "stopped" and view.goes_on and stopped <= view.step < 400
    crewed.jobs.cancel(jobs[1].id)
    last(crewed, jobs[1])
    wait_for(lambda: {facts.doing for facts in crewed.crew.report()} == {"idle"}, PATIENCE)


def test_a_killed_worker_loses_nothing(crewed):
    job = start(crewed, steps=80)
    wait_for(lambda: job.view.step >= 20, PATIENCE)
    pid = kill_the_busy_one(crewed)
    view = last(crewed, job)
    assert view.phase == "done" and view.step == 80 and len(view.chart.losses) == 80
    assert "Moved to another machine after step" in view.progress.note
    wait_for(lambda: all(facts.doing == "idle" for facts in crewed.crew.report()), PATIENCE)  # another one in its place
    assert pid not in {place.colleague.pid for place in crewed.crew._places}


def test_doctor_names_them(crewed, cluster):
    mine = {place.colleague.pid for place in crewed.crew._places}
    found = [one for one in listing(cluster) if one.get("pid") in mine]
    assert [one["doing"] for one in found] == ["idle"] * 2 and {one["product"] for one in found} == {product()}


def test_doctor_finds_a_cluster_of_this_machine(crewed):
    mine = {place.colleague.pid for place in crewed.crew._places}
    command = [sys.executable, "-m", "nada_core", "doctor", "--json", "--cluster", "auto"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    found = json.loads(said.stdout)
    assert mine <= {one.get("pid") for one in found["workers"]} and found["ray"] == "2.60.0"


def test_ray_that_has_ended_is_not_started_again():
    """As by a thread that waits for a worker while the app ends."""
    look = """
from nada_core.cluster.connect import connect
with connect(workers=1) as cluster:
    ref = cluster.ray.put(b"")
try:
    cluster.ray.wait([ref], timeout=0)
except Exception as error:
    print(type(error).__name__)
print(cluster.ray.is_initialized())
"""
    said = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert said.stdout.split() == ["RaySystemError", "False"]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (replace(FAKE, product="9.9.9 (00000000)"), "and this app 9.9.9"),
        (replace(FAKE, base_hash="f" * 16), "has other weights of the generator starter"),
        (replace(FAKE, encoder="ViT-B-32"), "has the encoder"),
    ],
)
def test_a_worker_that_is_another_is_refused_by_name(cluster, wanted, sentence):
    with pytest.raises(ClusterError, match="The worker on") as refused:
        hire(cluster, f"nada-worker-refused-{time.monotonic_ns()}", PLAN, Asked(wanted))
    assert sentence in str(refused.value)


def test_a_worker_that_cannot_start_is_lost(cluster):
    with pytest.raises(WorkerLost):
        hire(cluster, f"nada-worker-broken-{time.monotonic_ns()}", PLAN | {"backend": "no.such:thing"}, Asked(FAKE))


def test_who_waits_for_workers_that_cannot_start_is_told(make_app, cluster):
    crew = RayCrew(cluster, backend=BACKEND, base_hash="f" * 16)
    app, _ = make_app(crew=crew)
    try:
        view = last(app, start(app, steps=5))
        assert view.phase == "failed" and "has other weights of the generator" in view.error and "Traceback" not in view.error
    finally:
        crew.close()


def test_no_thread_is_left_behind(crewed):
    before = threading.active_count()
    for _ in range(3):
        last(crewed, start(crewed, steps=3))
    wait_for(lambda: threading.active_count() <= before + 3, PATIENCE)


def test_an_edit_on_a_worker_that_is_killed(crewed, photo):
    fake = crewed.open()[0]
    fake.editor = PortraitEditor(tint)
    request, killed, said = EditRequest(find_faces(crewed, photo).photo, "joker"), 0, []
    for view in run_edit(crewed, request):
        said.append(view.progress.headline)
        if view.phase == "run" and not killed:
            killed = kill_the_busy_one(crewed)
    assert view.phase == "done" and "Moved to another machine" in said, view.error
    assert fake.editor.log == ["render 256"] and len(crewed.photos.get(request.photo).fitted) == 1  # the other one ended it
    wait_for(lambda: [facts.doing for facts in crewed.crew.report()] == ["idle"] * 2, PATIENCE)
