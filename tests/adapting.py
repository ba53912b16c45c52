"""Jobs of the Adapt tab: starting them, waiting for them, and what they leave in the fake engine's log."""

from __future__ import annotations

import time

from nada_core.ui.adapt_run import AdaptRequest, start_adaptation
from nada_core.ui.jobs import JobLimits

QUICK = JobLimits(tick=0.05)


def start(app, prompt="Joker", browser="", **values):
    return start_adaptation(app, AdaptRequest(prompt, **values), browser)


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def runs(engine):
    """When adaptations began and ended, without the faces drawn in between."""
    return [entry for entry in engine.log if entry in ("open", "close")]


def last(app, job):
    """The view with which the job ends."""
    *_, view = app.jobs.watch(job.id)
    return view
