"""Every patch of Gradio by its name: what it hooks into is there in the installed version, and says why and until when."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from functools import cache
from pathlib import Path

import gradio as gr
import pytest
from gradio import blocks, component_meta, queueing, routes, server_messages, state_holder
from starlette.requests import Request

from nada_core.ui.app import StageBlocks, build_app, launch_options
from nada_core.ui.page.patches import changed_scripts, last_word_once, page_start, quick_import, request_times, unopened_image
from nada_core.ui.page.patches.heic_upload import HEIC_SCRIPT
from tests.helpers.fake_engine import FakeEngine, fake_backend

PATCHES = Path(page_start.__file__).parent
FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"


@cache
def assets() -> dict[str, str]:
    """Return Gradio's scripts, as a browser gets them, by their names."""
    return {file.name: file.read_text("utf-8") for file in sorted((FRONTEND / "assets").glob("*.js"))}


def script_with(*words: str) -> str:
    """Return the one script of Gradio that has all of these words."""
    (name,) = [name for name, text in assets().items() if all(word in text for word in words)]
    return assets()[name]


def names(function) -> list[str]:
    """Return the names of a function's parameters."""
    return list(inspect.signature(function).parameters)


def explanations() -> dict[str, str]:
    """Return what each patch says of itself: a module's docstring, or the comment at the top of a script."""
    words = {file.stem: ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "" for file in PATCHES.glob("[!_]*.py")}
    for file in PATCHES.glob("*.js"):
        lines = file.read_text("utf-8").splitlines()
        top = lines[: next(number for number, line in enumerate(lines) if not line.startswith("//"))]
        words[file.stem] = "\n".join(line.removeprefix("//").strip() for line in top)
    return words


@pytest.mark.parametrize("patch", sorted(explanations()))
def test_a_patch_says_why_and_until_when_and_has_a_test_of_its_name(patch):
    words = explanations()[patch]
    assert "Gradio" in words and "(6.31)" in words
    (upstream,) = re.findall(r"^Upstream: (.+)", words, re.MULTILINE)
    assert "no issue" in upstream or re.match(r"gradio-app/gradio issue \d+ ", upstream)
    assert re.search(r"^Remove when \S+", words, re.MULTILINE)
    assert f"test_{patch}" in globals()


def test_the_version_is_the_one_that_the_patches_are_for():
    assert gr.__version__.startswith("6.31.")
    assert "gradio==6.31.*" in (PATCHES.parents[3] / "requirements.txt").read_text("utf-8")


def test_page_start():
    page = (FRONTEND / "index.html").read_text("utf-8")
    head = page.index("<head>")
    assert page.count("<head>") == 1 and "<script" not in page[:head]
    assert set(page_start.SCRIPTS) == set(PATCHES.glob("*.js"))
    assert "app_kwargs" in names(gr.Blocks.launch) and "middleware" in launch_options("127.0.0.1", 1)["app_kwargs"]


def test_quick_import(monkeypatch):
    """A component is defined without anybody reading its source; asked by others, its file is known."""
    read: list[str] = []
    monkeypatch.setattr(component_meta, "extract_class_source_code", lambda code, name: read.append(name) or (None, None))
    with quick_import.without_stubs():
        component_meta.create_or_modify_pyi(gr.Image, "Image", [])
        assert inspect.getfile(gr.Image).endswith("image.py")
    assert not read
    with pytest.raises(ValueError, match="class source code"):  # what it does otherwise
        component_meta.create_or_modify_pyi(gr.Image, "Image", [])
    assert read == ["Image"]


def test_still_clock():
    (pattern,) = re.findall(r"\(/(.+?)/\.test\(String\(work\)\)", (PATCHES / "still_clock.js").read_text("utf-8"))
    (text,) = [text for name, text in assets().items() if name.startswith("statustracker-")]
    (ask,) = re.findall(r"(\w+)=typeof window<`u`\?window\.requestAnimationFrame", text)  # taken when the script has replaced it
    frames = re.findall(rf"\b{ask}\(\(\)=>\{{(.+?)\}}\)", text)
    assert [bool(re.search(pattern, work)) for work in frames].count(True) == 1  # the one function that is kept from running


def test_one_stream():
    text = script_with("`queue/data`", "`queue/join`")
    assert re.search(r"\.msg===`close_stream`", text)  # the server's farewell, which the script keeps to itself
    assert re.search(r"(\w)=new Request\(\w,\w\);.{0,120}`text/event-stream`.{0,80}await fetch\(\1\)", text)  # the global fetch, with a URL
    source = inspect.getsource(routes.App.create_app)
    assert '"/queue/data"' in source and '"/queue/join"' in source and '"event_id": event_id' in source
    assert server_messages.CloseStreamMessage().model_dump()["msg"] == "close_stream"
    assert {"msg", "event_id"} <= set(server_messages.ProcessCompletedMessage.model_fields)


def test_refused_storage():
    text = script_with("Error reading from localStorage:")
    read = text.index("localStorage.getItem(")
    assert read < text.index("try{", read) < text.index("Error reading from localStorage:")  # what throws is outside of the try


def test_another_server():
    text = script_with("`queue/data`", "`queue/join`")
    assert re.search(r"(\w)=new Request\(\w,\w\);.{0,120}`text/event-stream`.{0,80}await fetch\(\1\)", text)  # the global fetch
    source = inspect.getsource(routes.App.create_app)
    assert "session_not_found=isinstance(e, HTTPException)" in source  # all that a server says of a page it does not know
    assert set(page_start._EVENTS) == {f"/queue/{name}" for name in ("join", "data") if f'"/queue/{name}"' in source}


def test_changed_scripts():
    changed = changed_scripts.changed_scripts()
    assert len(changed) == len(changed_scripts.CHANGES)
    components, events = (next(name for name in changed if name.startswith(start)) for start in ("core-", "Blocks-"))
    assert "register_component(" in assets()[components] and "dependencies_by_event" in assets()[events]
    times = {"core-*.js": [1] * 5, "Blocks-*.js": [2, 1, 1]}
    for name, (pattern, changes) in zip((components, events), changed_scripts.CHANGES.items(), strict=True):
        assert [len(re.findall(looked_for, assets()[name])) for looked_for, _ in changes] == times[pattern]
    assert changed_scripts.ChangedScripts in [one.cls for one in launch_options("127.0.0.1", 1)["app_kwargs"]["middleware"]]


def test_kept_focus():
    assert "interactive" in names(gr.Button) and "disabled" not in names(gr.Button)  # that it rests as a disabled one: test_keyboard.py


def test_arrow_keys():
    every = "".join(assets().values())
    assert 'role="tab"' in every and 'role="tablist"' in every and "ArrowRight" not in script_with('role="tablist"')
    assert 'data-testid="slider" role="none"' in every and "`mousedown.drag`" in every  # the handle, and how it is dragged


def test_named_pictures():
    assert "`Thumbnail `+" in script_with("caption-label", "thumbnail-lg")


def test_skip_unnamed_outputs():
    assert names(blocks.Blocks.postprocess_data) == ["self", "block_fn", "predictions", "state"]
    assert inspect.iscoroutinefunction(blocks.Blocks.postprocess_data)
    with gr.Blocks() as demo:
        one, kept = gr.Number(0), gr.State(0)
        one.change(lambda: None, None, [one, kept])
    (event,) = demo.fns.values()
    assert list(event.outputs) == [one, kept] and event.batch is event.is_validator_function is False
    assert kept.stateful and not one.stateful and one._id in demo.blocks and isinstance(one, blocks.Block)
    assert gr.skip() == {"__type__": "update"}
    assert "self.postprocess_data(" in inspect.getsource(blocks.Blocks.process_api)


def test_small_sessions():
    assert "self.blocks_config.config_for_block(" in inspect.getsource(state_holder.SessionState.__init__)
    assert "__copy__" in vars(blocks.BlocksConfig) and names(blocks.BlocksConfig) == ["root_block"]
    assert "copy(blocks.default_config)" in inspect.getsource(state_holder.SessionState.__init__)
    sizes = []
    for kind in (gr.Blocks, StageBlocks):
        with kind() as demo:
            gr.Number(0)
        sizes.append(len(str(state_holder.SessionState(demo).config_values)))
    assert sizes[0] > 500 > 50 > sizes[1]  # what is removed was there


@pytest.mark.heavy
def test_last_word_once():
    assert names(blocks.Blocks.handle_streaming_diffs)[1:3] == ["block_fn", "data"]
    source = inspect.getsource(blocks.Blocks.process_api)
    assert "self.handle_streaming_diffs(" in source and "final=not is_generating" in source

    async def said(kind, visibility: str) -> list[list]:
        """Return what the page is told by an event that yields once, and at its end."""
        with kind() as demo:
            number = gr.Number(0)
            number.change(numbers, None, number, api_visibility=visibility)
        (function,) = demo.fns.values()
        page = {"session_hash": "page", "event_id": "event", "state": state_holder.SessionState(demo)}
        first = await demo.process_api(function, [], **page)
        last = await demo.process_api(function, [], iterator=first["iterator"], **page)
        assert first["is_generating"] and not last["is_generating"]
        return [first["data"], last["data"]]

    def numbers():
        yield 7

    assert asyncio.run(said(gr.Blocks, "private")) == [[7], [7]]  # what is changed
    assert asyncio.run(said(StageBlocks, "private")) == [[7], [gr.skip()]]
    assert asyncio.run(said(StageBlocks, "public")) == [[7], [7]]
    page = build_app(backend=fake_backend(FakeEngine()))
    assert {event.fn.__name__ for event in page.fns.values() if event.fn} >= last_word_once.ARRIVAL


def test_calm_queue():
    assert "self.sleep_when_free" in inspect.getsource(queueing.Queue.start_processing)
    assert "while len(self.event_analytics) > self.ANALYTICS_MAX_EVENTS" in inspect.getsource(queueing.Queue.push)
    rests, sums = [], []
    for kind in (gr.Blocks, StageBlocks):
        with kind() as demo:
            gr.Number(0)
        queue = demo.queue()._queue
        rests.append(queue.sleep_when_free)
        queue.events_recorded = 10_000
        sums.append(queue.compute_analytics_summary([{"function": "a", "status": "success", "process_time": 1.0}])["functions"])
    assert rests == [0.001, 0.02]
    assert list(sums[0]) == ["a"] and sums[1] == {}
    assert launch_options("127.0.0.1", 7860)["enable_monitoring"] is False  # or the page would show nothing


def test_single_app(monkeypatch):
    """Built and queued, a page has no web application yet; it gets one when somebody asks. Other pages get theirs as ever."""
    made, real = [], routes.App.create_app
    monkeypatch.setattr(routes.App, "create_app", staticmethod(lambda page, **options: made.append(page) or real(page, **options)))
    with gr.Blocks() as usual:
        gr.Number(0)
    assert usual.queue() and made == 3 * [usual]  # what is changed
    with StageBlocks() as ours:
        gr.Number(0)
    assert ours.queue() is ours and made == 3 * [usual] and blocks.App is routes.App
    assert isinstance(ours.app, routes.App) and ours.app is ours.app and made == [*(3 * [usual]), ours]
    assert "self.server_app = self.app = App.create_app(" in inspect.getsource(gr.Blocks.launch)


def test_request_times():
    request = gr.Request(Request({"type": "http", "headers": [], "query_string": b"", request_times._KEY: 7.0}))
    assert request_times.arrived(request) == 7.0


def test_unopened_image():
    from gradio.components.image import Image
    from gradio.context import LocalContext

    assert names(Image.preprocess) == ["self", "payload"] and "preprocess_image" in inspect.getsource(Image.preprocess)
    assert LocalContext.blocks.get(None) is None and gr.Blocks().upload_file_set == set()
    with gr.Blocks():
        box, usual = unopened_image.unopened(), gr.Image(type="filepath")
        assert box.GRADIO_CACHE and box.temp_files == set()
        assert box.get_block_name() == usual.get_block_name() == "image"  # the page draws it as Gradio's own


def test_heic_upload():
    text = script_with("Invalid file type", "allowed.")
    assert re.search(r"=document\.createElement\(`input`\),(\w)\.type=`file`", text) and "event.target.type === 'file'" in HEIC_SCRIPT
    assert ".addEventListener(`change`," in text  # the script's own listener hears of a file before this one
    assert ".addEventListener(`drop`," in text and ".dataTransfer.files" in text
    assert re.search(r"return (\w)\.type\.startsWith\(\w\+`/`\)", text)  # what refuses a file without a type


def test_mcp_photos():
    mcp = pytest.importorskip("gradio.mcp")
    assert isinstance(mcp.DEFAULT_TEMP_DIR, str)
    convert = mcp.GradioMCPServer.convert_strings_to_filedata
    assert names(convert) == ["self", "value", "filedata_positions"] and "DEFAULT_TEMP_DIR" in inspect.getsource(convert)
    assert "self.mcp_server_obj" in inspect.getsource(blocks.Blocks.__init__)
