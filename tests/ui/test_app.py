"""The page put together around a fake engine, without a browser: what a visitor meets, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio import networking

from nada_core.errors import AssetError
from nada_core.ui import Backend, build_app, launch_options
from nada_core.ui.server.backend import default_backend
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from tests.helpers.apps import named
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.folders import ROOT
from tests.helpers.served import serving


@pytest.mark.heavy
def test_building_the_page_loads_no_engine():
    code = "import sys; from nada_core.ui import build_app; build_app(); print('torch' in sys.modules, 'nada_core.engine' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["False", "False"], done.stderr[-500:]


def arrival(demo, owned=()):
    (update,) = handler(demo, "arrive")(list(owned))
    return {getattr(component, "elem_id", None): value for component, value in update.items()}


@pytest.mark.heavy
def test_a_visitor_meets_the_world_and_its_limits():
    update = arrival(build_app(backend=fake_backend()))
    assert "Starter world" in update["world"] and "no GPU here" in update["world"] and "It reads <strong>looks</strong>" in update["world"]
    assert "note-bad" not in update["arrival"] and "leaves the server" in update["arrival"]
    assert "Pencil sketch" in update["chips"] and update["style"]["value"] == "joker" and Path(update["before-0"]).exists()


@pytest.mark.heavy
def test_a_visitor_reads_why_the_engine_is_missing():
    def fail(error):
        def engine():
            raise error

        return Backend(engine, *(getattr(fake_backend(), name) for name in ("options", "export", "decode")))

    update = arrival(build_app(backend=fail(AssetError("The weights could not be fetched: no network. Run make setup when there is one."))))
    assert "Run make setup" in update["arrival"]
    update = arrival(build_app(backend=fail(RuntimeError("/secret/weights.bin"))))
    assert "/secret" not in update["arrival"] and "could not be loaded" in update["arrival"]


@pytest.mark.heavy
def test_a_public_server_stores_no_styles():
    def saves(public):
        demo = build_app(backend=fake_backend(), public=public)
        return [block.visible for block in demo.blocks.values() if getattr(block, "elem_id", None) == "save"]

    assert saves(False) == [True] and saves(True) == [False]


def handler(demo, name):
    (function,) = [block.fn for block in demo.fns.values() if getattr(block.fn, "__name__", "") == name]
    return function


@pytest.mark.heavy
def test_saving_and_exporting_need_the_session_that_made_the_style():
    engine = FakeEngine()
    demo = build_app(backend=fake_backend(engine))
    *_, made = run_adaptation(demo.context, AdaptRequest("Gold", steps=3))
    for name, extra in (("store", ("gold",)), ("export", ())):
        with pytest.raises(gr.Error, match="no longer kept"):
            list(handler(demo, name)(made.style_id, [], *extra) or ())
    assert "gold" not in engine.saved
    handler(demo, "store")(made.style_id, [made.style_id], "gold", 0.5)
    handler(demo, "store")(made.style_id, [made.style_id], "whole")
    assert engine.saved["gold"].amount == 0.5 * engine.saved["whole"].amount
    packing, update = (named(update) for update in handler(demo, "export")(made.style_id, [made.style_id], 0.25))
    assert packing["fetch-style"]["value"] == "Packing…" and update["fetch-style"]["interactive"]
    assert Path(update["style-file"]).name == "gold.safetensors"


@pytest.mark.heavy
def test_on_a_public_server_nothing_is_stored():
    engine = FakeEngine()
    public = build_app(backend=fake_backend(engine), public=True)
    *_, made = run_adaptation(public.context, AdaptRequest("Neon", steps=3))
    with pytest.raises(gr.Error, match="public server"):  # a hidden button can still be called over HTTP
        handler(public, "store")(made.style_id, [made.style_id], "neon")
    assert "neon" not in engine.saved


@pytest.mark.heavy
def test_layer_choices_are_the_generators_own():
    from nada_core.generators.base import LAYER_GROUPS

    (layers,) = [b for b in build_app(backend=fake_backend()).blocks.values() if getattr(b, "label", "") == "Layers that learn"]
    assert {value for _, value in layers.choices} == {"all", *LAYER_GROUPS}


def test_the_real_options_take_what_the_tab_sends():
    options = default_backend().options(steps=60, layers="colour", seed=5, source="face", lr=0.001)
    assert (options.steps, options.layers, options.seed, options.source, options.lr) == (60, "colour", 5, "face", 0.001)


def test_launch_options_are_the_safe_ones():
    options = launch_options("127.0.0.1", 7860)
    assert options["run_history"] is False and options["show_error"] is False and options["strict_cors"] is True
    assert options["state_session_capacity"] <= 1000  # Gradio keeps 0.4 MB for each session that ever was, up to this number
    assert options["allowed_paths"] == [] and options["max_file_size"] == 48 * 2**20 and options["footer_links"] == []


@pytest.mark.heavy
def test_a_machine_that_is_too_busy_to_answer_at_once_starts_the_app_nevertheless(monkeypatch):
    asked = []
    monkeypatch.setattr(networking, "url_ok", lambda url: bool(asked.append(url)))  # what Gradio sees when its page takes longer than 3 s
    with serving(FakeEngine()) as (url, _):
        assert httpx.get(url, timeout=300).status_code == 200
    assert not asked
