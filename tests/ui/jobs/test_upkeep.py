"""After hours of jobs: threads, memory and disk are given back."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import replace

import pytest

from nada_core.ui.jobs.registry import JobLimits
from nada_core.ui.shelves.styles import ShelvedStyle, StyleShelf
from tests.helpers.adapting import last, start, wait_for

pytestmark = pytest.mark.heavy


def test_two_hundred_jobs_leave_nothing_behind(make_app, tmp_path):
    app, _ = make_app(JobLimits(kept=3, tick=0.05), delay=0.0)
    last(app, start(app, steps=2))
    threads, jobs = threading.active_count(), []
    for number in range(200):
        job = start(app, steps=2)
        jobs.append(weakref.ref(job))
        if number % 10 == 0:
            app.jobs.cancel(job.id)
        last(app, job)
    wait_for(lambda: len(app.line) == 0)
    wait_for(lambda: threading.active_count() <= threads and len(app.jobs.all()) <= 4)
    assert len(app.shelf) <= 12
    assert len(list((tmp_path / "jobs").glob("*/*/"))) <= 4 and len(list((tmp_path / "temp").glob("nada-pictures-*/*"))) <= 4
    del job
    gc.collect()
    assert sum(reference() is not None for reference in jobs) <= 4
    app.shutdown()
    make_app(delay=0.0)[0].open()  # unsaved styles stay for the browsers that made them, until the next start
    assert not list((tmp_path / "jobs").iterdir()) and not list((tmp_path / "temp").glob("nada-pictures-*/*"))


def test_a_long_run_keeps_few_pictures(make_app, monkeypatch):
    monkeypatch.setattr("nada_core.ui.tabs.adapt.step_recorder._LINGER", 0.2)
    app, _ = make_app(delay=0.01)
    job = start(app, steps=150)
    last(app, job)
    assert len(list(job.folder.pictures.glob("after-*"))) < 4 * 25  # 50 previews of four faces were drawn


def test_finished_jobs_and_unused_styles_are_forgotten(make_app):
    app, _ = make_app(JobLimits(keep=0.2, tick=0.05))
    job = start(app, steps=2)
    last(app, job)
    last(app, start(app, steps=2))

    def forgotten():
        app.jobs.tidy()
        return app.jobs.find(job.id) is None

    wait_for(forgotten)
    assert not job.folder.styles.exists() and not job.folder.pictures.exists()
    shelf = StyleShelf(keep=0.1)
    shelf.put("a", ShelvedStyle(object(), "a", 1))
    wait_for(lambda: shelf.listing(["a"]) == [])
    assert len(shelf) == 0


def test_finished_jobs_leave_the_disk_oldest_first(make_app):
    app, _ = make_app(JobLimits(tick=0.05, kept=10), delay=0.0)
    first = start(app, steps=12)
    last(app, first)
    assert first.size > 1000 and first.size == first.folder.size()
    app.jobs.limits = replace(app.jobs.limits, disk=2 * first.size + first.size // 2)
    jobs = [first]
    for _ in range(3):
        jobs.append(start(app, steps=12))
        last(app, jobs[-1])
    app.jobs.tidy()
    assert [app.jobs.find(job.id) is not None for job in jobs] == [False, False, True, True]
    assert not jobs[0].folder.styles.exists() and jobs[-1].folder.styles.exists()


def test_the_limits_suit_a_small_disk():
    limits = JobLimits()
    assert limits.kept <= 24 and limits.disk <= 2 << 30
