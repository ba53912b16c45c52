"""The web interface against a fake engine: handlers without a server, then over HTTP, then in a real browser."""

from __future__ import annotations

import base64
import math
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio import networking
from PIL import Image

from nada_core.errors import AssetError, PhotoError, StyleError
from nada_core.system.files import slug
from nada_core.ui import Backend, build_app, launch_options, warm_up
from nada_core.ui.app import make_context
from nada_core.ui.html.text import banner, chips, group_concepts, identity_words, message_box
from nada_core.ui.html.widgets import loss_chart, progress_bar
from nada_core.ui.jobs.line import WorkLine
from nada_core.ui.jobs.views import LossCurve, Progress
from nada_core.ui.page.patches.unopened_image import MAX_UPLOAD, data_url_bytes
from nada_core.ui.server.backend import default_backend
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.styles import ShelfLabel, ShelvedStyle, StyleShelf
from nada_core.ui.tabs.adapt.run import AdaptRequest, read_seed, run_adaptation
from nada_core.ui.wording import duration
from tests.helpers.adapting import wait_for
from tests.helpers.apps import named
from tests.helpers.fake_engine import CONCEPTS, FakeCard, FakeEngine, FakeStyle, export, fake_backend
from tests.helpers.folders import ROOT
from tests.helpers.served import serving

CHROMIUM = "/usr/bin/chromium"


def runs(engine):
    """When adaptations began and ended, without the faces drawn in between."""
    return [entry for entry in engine.log if entry in ("open", "close")]


def context(**engine) -> tuple[AppContext, FakeEngine]:
    fake = FakeEngine(**engine)
    return make_context(fake_backend(fake)), fake


# --- adaptation -------------------------------------------------------------------------------------------------------------------


def test_adaptation_runs_to_the_end_and_keeps_the_style():
    app, engine = context()
    previews, views = [], []
    for view in run_adaptation(app, AdaptRequest("  joker ", steps=12)):
        views.append(view)
        if view.previews:
            assert all(Image.open(path).size == (256, 256) for path in view.previews)  # there while the page needs them
            previews.append([np.asarray(Image.open(path)).astype(int) for path in view.previews])
    last = views[-1]
    assert (
        last.phase == "done"
        and last.progress.headline == "Done: 12 steps"
        and last.chart is not None
        and len(last.chart.losses) == 12
        and not last.running
    )
    assert app.shelf.get(last.style_id, [last.style_id]).steps == 12
    assert np.abs(previews[-1][0] - previews[0][0]).mean() > 10  # the faces changed
    assert runs(engine) == ["open", "close"] and len(app.line) == 0
    pictures = [view.previews for view in views if view.previews][-1]
    assert all(Path(path).exists() for path in pictures)  # for the page that comes back
    app.shutdown()
    assert not any(Path(path).exists() for path in pictures)  # and nothing is left behind


def test_stop_keeps_the_style_so_far():
    app, engine = context()
    for view in run_adaptation(app, AdaptRequest("Joker", steps=200)):
        if view.phase == "run":
            app.jobs.cancel(view.job)
    assert view.phase == "stopped" and view.progress.headline == f"Stopped at step {view.step} of 200"
    assert 1 <= app.shelf.get(view.style_id, [view.style_id]).steps < 200
    assert runs(engine)[-1] == "close" and not app.jobs.cancel(view.job)


def test_a_closed_page_does_not_stop_its_run():
    app, engine = context()
    views = run_adaptation(app, AdaptRequest("Joker", steps=60))
    while next(views).phase != "run":
        pass
    assert len(app.line) == 1
    views.close()
    wait_for(lambda: len(app.line) == 0)
    assert runs(engine) == ["open", "close"] and len(app.shelf) == 1


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "empty"),
        ("   \n ", "empty"),
        ("x" * 10_000, "10,000 characters"),
        ("🤡🤡", "no words in it"),
        ("<img src=x onerror=alert(1)>", "does not know"),
        ("Джокер", "does not know"),
        ("\x00\x07", "empty"),
    ],
)
def test_bad_prompts_get_one_sentence(prompt, words):
    app, engine = context()
    *_, last = run_adaptation(app, AdaptRequest(prompt))
    assert last.phase == "failed" and words in last.error and engine.log == [] and len(app.line) == 0
    assert "<img" not in message_box(last.error, "bad")


def test_bad_steps_are_refused_by_the_options():
    for steps in (0, -5, 10**6):
        *_, last = run_adaptation(context()[0], AdaptRequest("Joker", steps=steps))
        assert last.phase == "failed" and "steps" in last.error


def test_a_bug_shows_no_path_and_keeps_the_style_so_far():
    app, engine = context(fail_at=9)
    *_, last = run_adaptation(app, AdaptRequest("Joker", steps=20))
    assert last.phase == "failed" and "/secret" not in last.error + progress_bar(last.progress)
    assert runs(engine) == ["open", "close"] and len(app.line) == 0 and len(app.shelf) == 1


def test_an_engine_that_cannot_load_is_tried_again():
    app, fake = context()
    attempts = []

    def factory():
        attempts.append(1)
        if len(attempts) == 1:
            raise RuntimeError("no weights")
        return fake

    app.backend = replace(app.backend, engine=factory)
    assert list(run_adaptation(app, AdaptRequest("Joker", steps=3)))[-1].phase == "failed"
    assert list(run_adaptation(app, AdaptRequest("Joker", steps=3)))[-1].phase == "done"


def test_two_adaptations_take_turns():
    app, engine = context(delay=0.0, hold_at=3)
    seen: dict[str, list[str]] = {"a": [], "b": []}

    def work(key):
        for view in run_adaptation(app, AdaptRequest("Joker", steps=30)):
            seen[key].append(view.progress.headline)

    first = threading.Thread(target=work, args=("a",))
    first.start()
    wait_for(lambda: "open" in engine.log)
    second = threading.Thread(target=work, args=("b",))
    second.start()
    wait_for(lambda: any("1 job ahead" in words for words in seen["b"]))
    engine.hold_at = math.inf
    first.join(300)
    second.join(300)
    assert any("1 job ahead" in words for words in seen["b"]) and seen["b"][-1] == "Done: 30 steps"
    assert runs(engine) == ["open", "close", "open", "close"]  # never two at once


def test_a_rehearsal_is_one_step_that_leaves_nothing_behind():
    app, engine = context()
    with app.line.join():
        warm_up(app)
    assert runs(engine) == []  # somebody has the turn
    warm_up(app)
    assert runs(engine) == ["open", "close"] and engine.options.steps == 1
    assert engine.editor.warm and engine.editor.paced  # the first photo's times are known
    assert len(app.line) == 0 and len(app.shelf) == 0 and not app.jobs.busy


def test_waiting_can_be_stopped():
    app, engine = context()
    with app.line.join():
        views = run_adaptation(app, AdaptRequest("Joker"))
        phases = []
        for view in views:
            phases.append(view.phase)
            app.jobs.cancel(view.job)
    assert phases[-1] == "stopped" and engine.log == []


def test_the_line_is_first_come_first_served():
    line, order = WorkLine(), []
    turns = [line.join() for _ in range(5)]
    threads = [
        threading.Thread(target=lambda t=turn, i=i: (t.wait(), order.append(i), t.leave())) for i, turn in reversed(list(enumerate(turns)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert order == [0, 1, 2, 3, 4] and len(line) == 0


def test_seeds():
    assert read_seed(7, False) == 7 and read_seed(-1, False) >= 0
    assert len({read_seed(7, True) for _ in range(5)}) > 1 and read_seed(None, False) >= 0


# --- unsaved styles ---------------------------------------------------------------------------------------------------------------


def test_most_of_the_shelf_lies_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine, written = FakeEngine(), []

    def write(style, path):
        written.append(path)
        export(style, path)

    shelf = StyleShelf(capacity=4, write=write, read=engine.style, at_hand=2)
    styles = {key: FakeStyle(FakeCard(key, key, 7), number / 10) for number, key in enumerate("abcde")}
    for key, style in styles.items():
        shelf.put(key, ShelvedStyle(style, key, 7))

    def files():
        return sorted(path.stem for path in tmp_path.rglob("*.safetensors"))

    assert files() == ["b", "c"] and [path.stem for path in written] == ["a", "b", "c"]  # a had to go
    assert shelf.get("e", ["e"]).style is styles["e"]
    back = shelf.get("b", ["b"])
    assert back.style is not styles["b"] and (back.style.card.prompt, back.style.amount, back.steps) == ("b", 0.1, 7)
    assert shelf.get("b", ["b"]).style is back.style  # at hand now
    assert files() == ["b", "c", "d"] and len(written) == 4
    assert shelf.label("c", ["c"]) == ShelfLabel("c", 7) and [key for key, _ in shelf.listing("bcde")] == ["c", "b", "e", "d"]
    shelf.put("b", ShelvedStyle(styles["a"], "other", 8))  # another step of the same run
    assert files() == ["c", "d", "e"] and shelf.get("b", ["b"]).style is styles["a"]
    shelf.discard(["c", "d"])
    assert files() == ["e"]


def test_styles_that_cannot_be_written_stay_in_memory(tmp_path):
    def full(style, path):
        raise StyleError("The disk is full.")

    shelf = StyleShelf(write=full, read=FakeEngine().style, at_hand=1)
    entries = [ShelvedStyle(object(), key, 1) for key in "abc"]
    for entry in entries:
        shelf.put(entry.prompt, entry)
    assert [shelf.get(entry.prompt, "abc").style for entry in entries] == [entry.style for entry in entries]


def test_the_shelf_is_bounded_and_private():
    shelf = StyleShelf(capacity=3)
    for key in "abcd":
        shelf.put(key, ShelvedStyle(object(), key, 1))
    assert len(shelf) == 3 and "a" not in shelf
    assert [key for key, _ in shelf.listing(["b", "d"])] == ["d", "b"]
    for key, owned in (("a", ["a"]), ("b", []), ("b", ["c"])):
        with pytest.raises(StyleError):
            shelf.get(key, owned)
    shelf.discard(["b", "unknown"])
    assert "b" not in shelf


# --- photo ------------------------------------------------------------------------------------------------------------------------


def test_data_urls_are_decoded_and_capped():
    assert data_url_bytes("data:image/png;base64," + base64.b64encode(b"abc").decode()) == b"abc"
    for url in ("data:image/png,abc", "data:image/png;base64,***", "data:image/png;base64," + "A" * (MAX_UPLOAD * 2)):
        with pytest.raises(PhotoError):
            data_url_bytes(url)


# --- words ------------------------------------------------------------------------------------------------------------------------


def test_every_concept_has_one_chip_and_html_is_inert():
    rows = dict(group_concepts(CONCEPTS))
    assert rows["The classic five"] == ["Joker", "Joker face", "Joker smile", "Joker makeup", "Joker cosplay"]
    assert sorted(name for names in rows.values() for name in names) == sorted(CONCEPTS)
    assert "Zombie" in rows["Characters"] and "Blue skin" in rows["Colours and light"] and "Oil painting" in rows["Styles and materials"]
    assert '<b x="' not in chips(['<b x="1">']) and "<script" not in banner("starter", "<script>", True)


def test_the_chart_keeps_its_shape_and_survives_bad_numbers():
    assert loss_chart(LossCurve(60)).count("<") == loss_chart(LossCurve(60, (1.0, 0.5, float("nan"), float("inf")))).count("<")
    long = loss_chart(LossCurve(5000, tuple(1 / (i + 1) for i in range(5000))))
    assert len(long) < 8000 and "nan" not in loss_chart(LossCurve(1, (float("nan"),)))
    assert "<b>" not in progress_bar(Progress(0.5, "<b>", "<b>", note="<b>")) and "width:100.0%" in progress_bar(Progress(7, ""))
    bar = progress_bar(Progress(0.5, "a", "b", "run", "c"))
    assert all(part in bar for part in ("progress-run", "<span>a</span><span>b</span>", "width:50.0%", ">c</p>"))


def test_measurements_in_words():
    assert duration(34.4) == "34 s" and duration(125) == "2 min 05 s" and duration(float("nan")) == "a moment"
    assert identity_words(0.16) != identity_words(0.55) != identity_words(0.7) and "lower strength" in identity_words(0.7)
    assert slug("Joker <3 ../x") == "joker-3-x" and slug("Джокер") == "джокер"


# --- the page ---------------------------------------------------------------------------------------------------------------------


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


def test_a_machine_that_is_too_busy_to_answer_at_once_starts_the_app_nevertheless(monkeypatch):
    asked = []
    monkeypatch.setattr(networking, "url_ok", lambda url: bool(asked.append(url)))  # what Gradio sees when its page takes longer than 3 s
    with serving(FakeEngine()) as (url, _):
        assert httpx.get(url, timeout=300).status_code == 200
    assert not asked
