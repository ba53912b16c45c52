"""Start jobs of the Adapt tab, wait for them, and read what they leave in the fake engine's log."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from nada_core.ui.jobs.registry import JobLimits
from nada_core.ui.tabs.adapt.run import AdaptRequest, start_adaptation

QUICK = JobLimits(tick=0.05)
#: The settings for experts as a page sends them that leaves them alone.
LEFT_ALONE = {
    "preset": "own", "resolution": "own", "mixing": 0, "adaptive_layers": 0, "latent_pool": 0, "crops": "own", "direction_weight": "",
    "global_weight": "", "manifold_weight": 0, "patch_weight": 0, "start": "own",
}  # fmt: skip


def pressed(prompt="Joker", **changes):
    """What the page sends when Adapt is pressed, by name and in its order, with these changes."""
    sent = {
        "prompt": prompt, "steps": 60, "layers": "all", "lr": 0, "source": "face", "seed": 5, "fresh": False, "batch": 2,
        "truncation": 0.8, "images": None, "me": False, "photo": "", "owned": [], "browser": "", "job": "", "current": "", **LEFT_ALONE,
    }  # fmt: skip
    assert set(changes) <= set(sent)
    return sent | changes


def start(app, prompt="Joker", browser="", **values):
    return start_adaptation(app, AdaptRequest(prompt, **values), browser)


def wait_for(condition, seconds=300.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def behind_another_job(app, views: Iterator, log: list[str]) -> list:
    """The views of work that had to wait for another job, which leaves once the wait is told; nothing was computed until then."""
    seen, turn = [], app.line.join()
    worker = threading.Thread(target=lambda: seen.extend(views))
    worker.start()
    wait_for(lambda: any("1 job ahead" in view.progress.headline for view in seen))
    assert log == []
    turn.leave()
    worker.join(300)
    return seen


def runs(engine):
    """When adaptations began and ended, without the faces drawn in between."""
    return [entry for entry in engine.log if entry in ("open", "close")]


def last(app, job):
    """The view with which the job ends."""
    *_, view = app.jobs.watch(job.id)
    return view
