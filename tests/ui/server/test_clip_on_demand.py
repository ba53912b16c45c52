"""When CLIP is offered, who gets it, and what is asked of the engine's maker; the Hub is a stand-in."""

from __future__ import annotations

import pytest

from nada_core.assets.store import state
from nada_core.errors import AssetError
from nada_core.ui.app import make_context
from nada_core.ui.server.change_world import WorldRefused
from nada_core.ui.server.clip_on_demand import clip_offer, take_clip
from tests.helpers.adapting import start, wait_for
from tests.helpers.clip_pages import ClipEngine, clip_hub
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.loopback import dead_port
from tests.helpers.other_worlds import app_with

pytestmark = pytest.mark.heavy


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with clip_hub(tmp_path, monkeypatch) as running:
        yield running


@pytest.mark.parametrize(
    ("prompt", "offered"),
    [
        ("joker on the sofa", True),  # a word is not known
        ("Greta Thunberg", True),
        ("not a clown", True),  # refused: nothing is left to show
        ("joker", False),
        ("face", False),
        ("123", False),  # no encoder takes it
        ("", False),
        (None, False),
    ],
)
def test_it_is_offered_for_words_that_the_starter_does_not_know(hub, prompt, offered):
    app, _ = app_with()
    assert clip_offer(app, prompt) == ("Fetch CLIP once (605 MB) and take any words" if offered else "")
    assert hub.requests == [], "to offer it asks nobody"


def test_it_is_not_offered_to_strangers_nor_before_the_engine_is_there_nor_twice(hub):
    public, _ = app_with(public=True)
    with_clip = make_context(fake_backend(ClipEngine()))
    closed = make_context(fake_backend(FakeEngine()))
    with_clip.open()
    assert [clip_offer(app, "sofa") for app in (public, with_clip, closed)] == [""] * 3
    with pytest.raises(WorldRefused, match="public server nothing is downloaded"):
        list(take_clip(public))
    with pytest.raises(WorldRefused, match="in use by now"):
        list(take_clip(with_clip))
    assert hub.requests == []


def test_it_is_fetched_and_reads_the_texts_of_the_generator_in_use(hub):
    app, maker = app_with(ClipEngine())
    seen = list(take_clip(app))
    assert [seen[0].headline, seen[-1].headline] == ["Asking the Hub for CLIP", "Loading CLIP"]
    assert all(progress.left.endswith("of 0 MB") for progress in seen if progress.kind == "run"), "the same unit as on the button"
    assert maker.wishes[-1] == {"world": "starter", "base": "starter", "encoder": "ViT-B-32"}
    assert app.open()[1].encoder == "ViT-B-32" and app.open()[1].training.own_steps == 150
    assert not state("clip-vit-b-32").absent


def test_where_it_is_on_the_machine_nothing_is_downloaded(hub):
    app, _ = app_with(ClipEngine())
    list(take_clip(app))
    asked = len(hub.requests)
    other, _ = app_with(ClipEngine())
    assert clip_offer(other, "sofa") == "Use CLIP for these words"
    assert [progress.headline for progress in take_clip(other)] == ["Loading CLIP"] and len(hub.requests) == asked


def test_without_a_connection_it_is_one_sentence_and_the_world_stays(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    app, maker = app_with()
    with pytest.raises(AssetError, match=r"CLIP ViT-B/32 could not be fetched: no connection to 127.0.0.1. Try again"):
        list(take_clip(app))
    assert len(maker.wishes) == 1 and app.open()[1].encoder == "starter"


def test_nothing_is_downloaded_beside_a_run(hub, make_app):
    app, _ = make_app(delay=0.02)
    app.open()
    job = start(app, steps=300)
    with pytest.raises(WorldRefused, match="Stop it or wait for it"):
        list(take_clip(app))
    assert hub.requests == [] and app.jobs.cancel(job.id)
    wait_for(lambda: job.over)
