"""A machine that joins a cluster while the app runs, and one that leaves; edits on workers of Ray. Machines are Ray's nodes on this one."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if importlib.util.find_spec("ray") is None:  # it is not imported here: `connect` sets first where it may listen
    pytest.skip("needs Ray: pip install -r requirements-cluster.txt", allow_module_level=True)

from nada_core.cluster.connect import connect
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.tabs.stylise.run import run_edit
from nada_core.ui.workers import crew as module
from nada_core.ui.workers.crew import RayCrew
from tests.helpers.adapting import last, start, wait_for
from tests.helpers.edits import done
from tests.helpers.fake_engine import tint
from tests.helpers.folders import ROOT
from tests.helpers.loopback import dead_port
from tests.helpers.portrait_editor import PortraitEditor
from tests.helpers.stand_in_workers import BACKEND

pytestmark = [pytest.mark.heavy]
PATIENCE = 180.0
RAY = str(Path(sys.executable).with_name("ray"))


class Nodes:
    """Ray's nodes on this machine, each a process of its own that is ended with the test.

    Two on one loopback are not allowed by Ray: these listen where other machines may reach them, and ask for the token.
    """

    def __init__(self) -> None:
        self.port = dead_port()
        self._running: list[subprocess.Popen] = []

    def start(self, *options: str) -> subprocess.Popen:
        own = ["--node-ip-address=127.0.0.1", "--disable-usage-stats", "--object-store-memory=200000000"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1", "RAY_AUTH_MODE": "token"}
        command = [RAY, "start", "--block", *own, *options]
        node = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self._running.append(node)
        return node

    def join(self, cores: int) -> subprocess.Popen:
        return self.start(f"--address=127.0.0.1:{self.port}", f"--num-cpus={cores}")

    def end(self, node: subprocess.Popen) -> None:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait(60)

    def close(self) -> None:
        for node in self._running[::-1]:
            if node.poll() is None:
                self.end(node)


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    made = Nodes()
    made.start("--head", f"--port={made.port}", "--num-cpus=1", "--include-dashboard=false")
    yield made
    made.close()


def reached(port: int) -> bool:
    from nada_core.cluster.head import reachable

    return reachable(f"127.0.0.1:{port}", 1.0)


def test_who_joins_later_is_used_and_who_leaves_is_missed(nodes, make_app, photo, monkeypatch):
    monkeypatch.setattr(module, "_LOOK", 0.5)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    wait_for(lambda: reached(nodes.port), PATIENCE)
    with connect(address=f"127.0.0.1:{nodes.port}") as cluster:
        crew = RayCrew(cluster, keep=0.2, backend=BACKEND, delay=0.02)
        app, fake = make_app(crew=crew)
        fake.editor = PortraitEditor(tint)
        try:
            crew.start(app)
            wait_for(lambda: [facts.doing for facts in crew.report()] == ["idle"], PATIENCE)
            joined = nodes.join(1)
            wait_for(lambda: [facts.doing for facts in crew.report()] == ["idle"] * 2, PATIENCE)
            jobs = [start(app, steps=400) for _ in range(2)]
            wait_for(lambda: all(job.view.step >= 3 for job in jobs), PATIENCE)  # both at once
            nodes.end(joined)
            wait_for(lambda: any("Moved to another machine" in job.view.progress.note for job in jobs) or len(crew.report()) == 1, PATIENCE)
            for job in jobs[:1]:
                app.jobs.cancel(job.id)
            last(app, jobs[0])
            app.jobs.cancel(jobs[1].id)
            last(app, jobs[1])
            wait_for(lambda: [facts.doing for facts in crew.report()] == ["idle"], PATIENCE)
            view, _ = done(run_edit(app, EditRequest(find_faces(app, photo).photo, "joker")))
            assert view.phase == "done" and fake.editor.log == ["render 256"]
        finally:
            app.shutdown()
            crew.close()
