"""Make apps around the fake engine without a server: the context alone, or the whole page and what its handlers answer."""

from __future__ import annotations

from pathlib import Path

from nada_core.ui.app import make_context
from nada_core.ui.server.context import AppContext
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face, fake_backend


def context(*names: str, public: bool = False, **engine) -> tuple[AppContext, FakeEngine]:
    """An app whose library holds the ready Joker and these styles."""
    fake = FakeEngine(**{"delay": 0.0, **engine})
    for name in names:
        fake.saved[name] = FakeStyle(FakeCard(name, name.replace("-", " ").capitalize()))
    return make_context(fake_backend(fake), public=public), fake


def picture(tmp_path: Path, width: int = 400, height: int = 400, name: str = "me.jpg") -> str:
    """The path of a photo of that size; the fake editor finds two faces in wide ones, none in low ones."""
    path = tmp_path / name
    draw_face(7, 400).resize((width, height)).save(path)
    return str(path)


def handlers(demo) -> dict:
    """The page's handlers by their names. A name that two different handlers share means neither."""
    found: dict = {}
    for block in demo.fns.values():
        if block.fn is not None:
            found.setdefault(block.fn.__name__, set()).add(block.fn)
    return {name: functions.pop() for name, functions in found.items() if len(functions) == 1}


def components(demo) -> dict:
    """The page's components by their ids in HTML."""
    return {block.elem_id: block for block in demo.blocks.values() if getattr(block, "elem_id", None)}


def named(update) -> dict:
    """A handler's answer by the ids of the components."""
    return {getattr(component, "elem_id", None): value for component, value in update.items() if getattr(component, "elem_id", None)}
