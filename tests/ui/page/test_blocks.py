"""The page's own Blocks: the same answers as Gradio's, without building anew what a handler does not name."""

from __future__ import annotations

import asyncio
import functools

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from nada_core.ui.app import StageBlocks


@functools.cache
def page(kind: type[gr.Blocks]):
    """A small page and its parts, made once: a session keeps its own copies of what an answer changes."""
    with kind() as demo:
        parts = {
            "html": gr.HTML("", elem_id="html"),
            "state": gr.State(0),
            "button": gr.Button("Go"),
            "slider": gr.Slider(0, 10, 1),
            "number": gr.Number(0),
        }
        parts["button"].click(lambda: None, None, list(parts.values()))
        parts["slider"].change(lambda: None, None, [parts["html"]])
    return demo, parts, list(demo.fns.values())


ANSWERS = {
    "one value": lambda p: {p["html"]: "<b>x</b>"},
    "several": lambda p: {p["html"]: "x", p["number"]: 4, p["slider"]: 7},
    "updates": lambda p: {p["button"]: gr.update(interactive=False, value="Wait"), p["slider"]: gr.update(maximum=3, value=2)},
    "a state": lambda p: {p["state"]: 5},
    "a state by update": lambda p: {p["state"]: gr.update(value=6), p["html"]: ""},
    "named but left alone": lambda p: {p["html"]: gr.skip(), p["number"]: 1},
    "nothing": lambda p: {p["html"]: gr.skip()},
    "a list": lambda p: ["x", 1, gr.skip(), 2, gr.update(value=3)],
    "one skip for all": lambda p: gr.skip(),
}


@pytest.mark.parametrize("answer", list(ANSWERS))
def test_the_answers_are_gradios(answer):
    results = []
    for kind in (gr.Blocks, StageBlocks):
        demo, parts, (click, _) = page(kind)
        state = SessionState(demo)
        sent = asyncio.run(demo.postprocess_data(click, ANSWERS[answer](parts), state))
        # Gradio (6.31) sends the marker of an HTML part that is left alone a second time, as one of its properties
        sent = [gr.skip() if value == {"props": gr.skip(), **gr.skip()} else value for value in sent]
        results.append((sent, state[parts["state"]._id]))
    assert results[0] == results[1]


@pytest.mark.parametrize("wrong", ["stranger", "empty"])
def test_wrong_answers_fail_as_gradios(wrong):
    for kind in (gr.Blocks, StageBlocks):
        demo, _, (click, _) = page(kind)
        other = gr.HTML("")
        with pytest.raises(ValueError):
            asyncio.run(demo.postprocess_data(click, {other: "x"} if wrong == "stranger" else {}, SessionState(demo)))


def test_a_single_output_is_passed_as_it_is():
    demo, parts, (_, change) = page(StageBlocks)
    state = SessionState(demo)
    assert asyncio.run(demo.postprocess_data(change, "plain", state)) == ["plain"]
    assert asyncio.run(demo.postprocess_data(change, {parts["html"]: "named"}, state)) == ["named"]


def test_what_is_not_named_is_not_built_anew(monkeypatch):
    built: list[int] = []
    monkeypatch.setattr(SessionState, "_update_config", lambda self, key: built.append(key))
    counts = []
    for kind in (gr.Blocks, StageBlocks):
        demo, parts, (click, _) = page(kind)
        built.clear()
        asyncio.run(demo.postprocess_data(click, {parts["html"]: "x", parts["slider"]: gr.update(maximum=3)}, SessionState(demo)))
        counts.append(len(built))
    assert counts == [3, 1]  # the slider; Gradio also the button and the number


def test_sessions_do_not_describe_every_component_again():
    small, usual = (SessionState(page(kind)[0]) for kind in (StageBlocks, gr.Blocks))
    assert not any(small.config_values.values()) and all(usual.config_values.values())
    demo, parts, (click, _) = page(StageBlocks)
    described = demo.get_config_file()["components"]
    assert {one["id"] for one in described} >= {part._id for part in parts.values()} and all(one["props"] for one in described[:2])
    state = SessionState(demo)
    asyncio.run(demo.postprocess_data(click, {parts["slider"]: gr.update(maximum=3, value=2)}, state))
    assert state[parts["slider"]._id].maximum == 3 and demo.blocks[parts["slider"]._id].maximum == 10  # each session has its own
