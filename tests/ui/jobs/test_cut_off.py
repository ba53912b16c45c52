"""A process that is killed at any moment: what can be kept is, and the browser whose run it was is told the rest."""

from __future__ import annotations

import os
import time

import pytest

from nada_core.ui import build_app
from nada_core.ui.jobs.job_card import CARD, JobCard, card_of, read_card, write_card
from nada_core.ui.requests import AdaptRequest
from nada_core.ui.tabs.adapt.finished import save
from tests.helpers.adapting import last, start, wait_for
from tests.helpers.apps import handlers, named
from tests.helpers.fake_engine import FakeEngine, fake_backend

pytestmark = pytest.mark.heavy


def killed(app) -> None:
    """Let the lock go as a killed process does; nothing is tidied up."""
    app.jobs.store._held.release()


def returned(engine, jobs, *keys, public=False) -> tuple[dict, object]:
    """What a browser that remembers these runs is shown by the next server, and that server's context."""
    demo = build_app(backend=fake_backend(engine, jobs), public=public)
    demo.context.open()
    (update,) = handlers(demo)["resume"]({"browser": "b", "jobs": list(keys)})
    demo.context.shutdown()
    return named(update), demo.context


def test_a_run_killed_before_anything_was_saved_is_told_with_its_settings(make_app, tmp_path):
    app, _ = make_app(hold_at=2)
    job = start(app, "Oil painting", steps=40, seed=77, layers="colour")
    wait_for(lambda: job.view.step == 2 and read_card(job.folder.styles / CARD).step)
    waiting = start(app, "Zombie", steps=30)
    write_card(job.folder.styles, card_of(job.request, "running", 2))
    killed(app)
    engine = FakeEngine(delay=0.0)
    update, context = returned(engine, tmp_path / "jobs", job.id)
    assert "at step 2 of 40 of “Oil painting”, and nothing had been saved" in update["adapt-notice"]
    assert update["prompt"] == "Oil painting" and update["seed"] == 77 and "started again" in update["adapt-progress"]
    assert set(engine.saved) == {"joker"} and job.id not in context.cut_off  # it is told once
    assert "while “Zombie” waited in line" in context.cut_off[waiting.id].sentence
    assert not list((tmp_path / "jobs").glob("*"))


def test_an_unsaved_style_comes_back_to_its_browser_alone(make_app, tmp_path):
    app, _ = make_app(delay=0.0)
    done = start(app, "Zombie", steps=12)
    last(app, done)
    saved = start(app, "Joker", steps=12)
    last(app, saved)
    save(app, saved.id, [saved.id], "mine", 1.0)
    killed(app)
    engine = FakeEngine(delay=0.0)
    update, context = returned(engine, tmp_path / "jobs", saved.id, done.id, public=True)
    assert "step 12 is kept" in update["adapt-notice"] and update["save"]["interactive"]
    assert ("Zombie (just made, 12 steps)", f"mine:{done.id}") in update["style"]["choices"]
    assert context.shelf.get(done.id, [done.id]).steps == 12 and saved.id not in context.shelf
    assert set(engine.saved) == {"joker"}


def test_a_stranger_is_shown_nothing(make_app, tmp_path):
    app, _ = make_app(delay=0.0)
    last(app, start(app, "Zombie", steps=12))
    killed(app)
    update, _ = returned(FakeEngine(delay=0.0), tmp_path / "jobs", "another")
    assert not {"adapt-notice", "adapt-progress"} & set(update) and "Zombie" not in str(update)


def test_an_orderly_stop_keeps_unsaved_styles_too(make_app, tmp_path):
    app, _ = make_app(delay=0.0)
    done = start(app, "Zombie", steps=12)
    last(app, done)
    app.shutdown()
    update, _ = returned(FakeEngine(delay=0.0), tmp_path / "jobs", done.id)
    assert "is kept" in update["adapt-notice"]


def test_old_unsaved_styles_are_deleted(make_app, tmp_path):
    app, _ = make_app(delay=0.0)
    done = start(app, "Zombie", steps=12)
    last(app, done)
    killed(app)
    os.utime(done.folder.styles, (time.time() - 3 * 3600,) * 2)
    update, context = returned(FakeEngine(delay=0.0), tmp_path / "jobs", done.id)
    assert "two hours only" in update["adapt-notice"] and done.id not in context.shelf
    assert not list((tmp_path / "jobs").glob("*"))


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b'{"prompt": 7, "state": "x", "step": "y", "settings": {"seed": [1], "photo": "p"}}']
)
def test_a_damaged_card_has_defaults(tmp_path, content):
    (tmp_path / CARD).write_bytes(content)
    assert read_card(tmp_path / CARD) == JobCard()


def test_a_card_holds_no_photo(tmp_path):
    request = AdaptRequest("Joker", 30, seed=4, photo="secret", images=("a.png",))
    write_card(tmp_path, card_of(request, "running", 3))
    assert "secret" not in (tmp_path / CARD).read_text() and read_card(tmp_path / CARD) == card_of(request, "running", 3)
