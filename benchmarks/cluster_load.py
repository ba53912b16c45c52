"""Measure workers of a cluster on this machine: ``python -m benchmarks.cluster_load FIGURE ... [--out FILE]`` (needs Ray).

Workers of the load figures are stand-ins, the real program around an engine that sleeps; ``overhead`` has the starter's real networks.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.app_crowd import spread, visitors
from nada_core.cluster.connect import connect
from nada_core.cluster.listing import listing
from nada_core.ui.app import make_context
from nada_core.ui.jobs.job import Job, JobLimits
from nada_core.ui.requests import AdaptRequest
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.adapt.run import start_adaptation
from nada_core.ui.workers.crew import RayCrew

ROOT = Path(__file__).resolve().parents[1]
_MANY = JobLimits(waiting=2000, kept=3000, disk=1 << 40)
_STEP = 0.5  # seconds that a stand-in sleeps for a step
_STAND_IN = "tests.helpers.stand_in_workers:backend"


@contextlib.contextmanager
def stand_ins(workers: int, step: float = _STEP, keep: float = 3.0) -> Iterator[tuple[AppContext, float]]:
    """An app whose workers sleep, all of them up, and the seconds that this took from the start of Ray."""
    from tests.helpers.fake_engine import FakeEngine, fake_backend

    begun = time.monotonic()
    with connect(workers=workers) as cluster, tempfile.TemporaryDirectory() as folder:
        crew = RayCrew(cluster, keep=keep, backend=_STAND_IN, delay=step)
        app = make_context(fake_backend(FakeEngine(), Path(folder)), limits=_MANY, crew=crew)
        crew.start(app)
        until(lambda: all(facts.doing == "idle" for facts in crew.report()), 300)
        try:
            yield app, time.monotonic() - begun
        finally:
            app.shutdown()
            crew.close()


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for something. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited for {seconds} s")
        time.sleep(0.02)


def asked(app: AppContext, steps: int, prompt: str = "Joker") -> Job:
    """Put a run in line."""
    return start_adaptation(app, AdaptRequest(prompt, steps=steps))


def scale(steps: int = 20, rounds: int = 3) -> dict[str, Any]:
    """Runs an hour of one worker and of eight."""
    hourly = {}
    for workers in (1, 8):
        with stand_ins(workers) as (app, _):
            begun = time.monotonic()
            jobs = [asked(app, steps) for _ in range(workers * rounds)]
            until(lambda jobs=jobs: all(job.over for job in jobs), 600)
            hourly[workers] = 3600 * len(jobs) / (time.monotonic() - begun)
    return {"step_seconds": _STEP, "steps": steps, "runs_an_hour": hourly, "eight_over_one": hourly[8] / hourly[1]}


def first_pictures(count: int = 100, workers: int = 8, steps: int = 6) -> dict[str, Any]:
    """Milliseconds from a free worker to the first picture, of so many people who ask at once; each is watched as by a page."""
    free: dict[str, float] = {}
    seen: set[str] = set()
    waits: list[float] = []
    done = Counter()

    def watch(job: Job) -> None:
        for view in app.jobs.watch(job.id):
            now = time.monotonic()
            if job.state != "waiting":
                free.setdefault(job.id, now)
            if view.previews and view.previews != view.originals and job.id in free and job.id not in seen:
                seen.add(job.id)
                waits.append(1000 * (now - free[job.id]))
        done[view.phase] += 1

    with stand_ins(workers, 0.3) as (app, _):
        threads = [threading.Thread(target=watch, args=(asked(app, steps),)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {"people": count, "workers": workers, "ended": dict(done), "from_a_free_worker": spread(waits)}


def killing(seconds: float = 300.0, every: float = 10.0, workers: int = 2, steps: int = 24) -> dict[str, Any]:
    """Kill a worker every so many seconds while there is always work; what became of the runs."""
    chance = random.Random(0)
    with stand_ins(workers, 0.25, keep=1.0) as (app, _):
        crew, jobs, killed = app.crew, [], 0
        begun = last = time.monotonic()
        while time.monotonic() - begun < seconds:
            if sum(not job.over for job in jobs) < 2 * workers:
                jobs.append(asked(app, steps))
            if time.monotonic() - last >= every:
                last = time.monotonic()
                busy = [place.colleague for place in crew._places if place.busy and place.colleague is not None]
                if busy:
                    os.kill(chance.choice(busy).pid, signal.SIGKILL)
                    killed += 1
            time.sleep(0.05)
        until(lambda: all(job.over for job in jobs), 600)
        whole = [job for job in jobs if job.state == "done" and job.view.step == steps and len(job.view.chart.losses) == steps]
        moved = [job for job in jobs if "Moved to" in job.view.progress.note]
        lost = [_lost(job) for job in moved]
        return {
            "seconds": seconds,
            "killed": killed,
            "runs": len(jobs),
            "ended": dict(Counter(job.state for job in jobs)),
            "whole_and_once": len(whole),
            "moved": len(moved),
            "most_steps_lost": max(lost, default=0),
            "in_order_of_asking": sum(one.ended <= other.ended for one, other in itertools.pairwise(jobs)) / max(1, len(jobs) - 1),
        }


def _lost(job: Job) -> int:
    words = job.view.progress.note.split()
    numbers = [int(word.strip(";.")) for word in words if word.strip(";.").isdigit()]
    return numbers[0] - numbers[1]


def queued(count: int = 1000, workers: int = 8, people: int = 20) -> dict[str, Any]:
    """The page's answers to visitors who look around while so many runs wait and eight are computed; then whether all ended in order."""
    from tests.helpers.loopback import dead_port

    port = dead_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.cluster_load", "serve", "--port", str(port), "--count", str(count), "--workers", str(workers)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None and server.stdin is not None
    try:
        while "serving" not in (line := server.stdout.readline()):
            assert line, "the server did not come up"
        seen = asyncio.run(visitors(f"http://127.0.0.1:{port}/", people, steps=200))
        server.stdin.write("finish\n")
        server.stdin.flush()
        seen["queue"] = json.loads(server.stdout.readline())
        times = [value["median_ms"] for value in seen["actions"].values()]
        return seen | {"median_of_medians_ms": statistics.median(times)}
    finally:
        server.terminate()
        server.wait(60)


def serve(port: int, count: int, workers: int) -> None:
    """Serve the page over stand-ins; when its first run has begun put many more in line, and say at the end what became of them."""
    from nada_core.ui import build_app, launch_options
    from tests.helpers.fake_engine import FakeEngine, fake_backend

    with connect(workers=workers) as cluster:
        crew = RayCrew(cluster, backend=_STAND_IN, delay=0.1)
        demo = build_app(backend=fake_backend(FakeEngine()), crew=crew)
        app = demo.context
        app.jobs.limits = _MANY
        demo.launch(**launch_options("127.0.0.1", port), prevent_thread_lock=True, quiet=True)
        crew.start(app)
        until(lambda: all(facts.doing == "idle" for facts in crew.report()), 300)
        print("serving", flush=True)
        until(lambda: bool(app.jobs.all()), 300)
        jobs = [asked(app, 5) for _ in range(count)]
        held = sum(job.state == "waiting" for job in jobs)
        sys.stdin.readline()
        until(lambda: all(job.over for job in jobs), 1200)
        began = [jobs[place].ended for place in range(count)]
        swapped = sum(one > other + 2.0 for one, other in itertools.pairwise(began))  # eight are at work at once
        print(json.dumps({"held": held, "ended": dict(Counter(job.state for job in jobs)), "overtaken": swapped}), flush=True)
        demo.close(verbose=False)
        app.shutdown()
        crew.close()


def overhead(steps: int = 30, rounds: int = 3) -> dict[str, Any]:
    """A real run in this process and on one real worker, one core each, taken in turn: seconds, and those of the processor (Linux).

    The second are those of this process and the worker together. They compare the two where other work takes the cores, too.
    """
    import torch

    from nada_core.engine import Engine
    from nada_core.ui.server.backend import default_backend

    torch.set_num_threads(1)
    engine = Engine("cpu")
    backend = default_backend(lambda **wish: engine)
    took: dict[str, list[float]] = {"here": [], "worker": []}
    used: dict[str, list[float]] = {"here": [], "worker": []}
    with connect(workers=1) as cluster:
        crew = RayCrew(replace(cluster, cores=1))
        with tempfile.TemporaryDirectory() as folder:
            apps = {"here": make_context(backend, limits=_MANY), "worker": make_context(backend, limits=_MANY, crew=crew)}
            apps["here"].open()
            apps["worker"]._engine, apps["worker"]._world = apps["here"]._engine, apps["here"]._world
            crew.start(apps["worker"])
            until(lambda: all(facts.doing == "idle" for facts in crew.report()), 300)
            pids = [os.getpid(), *(one["pid"] for one in listing(cluster) if "pid" in one)]
            for number in range(rounds + 1):
                for name, app in apps.items():
                    begun, before = time.monotonic(), sum(map(_processor, pids))
                    job = asked(app, steps)
                    until(lambda job=job: job.over, 1200)
                    assert job.state == "done", job.view.error
                    if number:  # the first warms up
                        took[name].append(time.monotonic() - begun)
                        used[name].append(sum(map(_processor, pids)) - before)
            for app in apps.values():
                app.shutdown()
            del folder
        crew.close()

    def more(values: dict[str, list[float]]) -> float:
        return 100 * (statistics.median(values["worker"]) / statistics.median(values["here"]) - 1)

    return {"steps": steps, "seconds": took, "processor": used, "overhead_percent": more(took), "processor_percent": more(used)}


def _processor(pid: int) -> float:
    """Return the seconds of the processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def starting(workers: int = 2) -> dict[str, Any]:
    """Seconds from nothing to workers that are idle."""
    with stand_ins(workers) as (_, seconds):
        return {"workers": workers, "seconds": seconds}


_FIGURES: dict[str, Callable[[], dict[str, Any]]] = {
    "starting": starting,
    "scale": scale,
    "first": first_pictures,
    "killing": killing,
    "queued": queued,
    "overhead": overhead,
}


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="+", choices=[*_FIGURES, "serve"])
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument("--port", type=int, default=7899)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=8)
    options = parser.parse_args()
    if options.figures == ["serve"]:
        serve(options.port, options.count, options.workers)
        return 0
    found = {}
    for name in options.figures:
        found[name] = _FIGURES[name]()
        print(name, json.dumps(found[name], indent=1), flush=True)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
