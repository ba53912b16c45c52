"""The stand-ins of the tests do what the page asks of the engine. That the engine does is checked by mypy: the backend makes one."""

from __future__ import annotations

import inspect

import pytest

from nada_core.editing.base import PhotoEditing
from nada_core.ui.app_engine import AppEditor, AppEngine
from tests.helpers.fake_editor import FakeEditor
from tests.helpers.fake_engine import FakeEngine


def test_the_stand_ins_have_all_that_the_page_asks_for():
    engine = FakeEngine()
    assert isinstance(engine, AppEngine) and isinstance(engine.editor, AppEditor)


@pytest.mark.parametrize(("described", "stand_in"), [(AppEngine, FakeEngine), (AppEditor, FakeEditor), (PhotoEditing, FakeEditor)])
def test_the_stand_ins_take_what_the_page_gives(described, stand_in):
    for name, method in vars(described).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        asked = list(inspect.signature(method).parameters.values())
        there = inspect.signature(getattr(stand_in, name)).parameters
        named = {one.name for one in asked if one.kind is not inspect.Parameter.POSITIONAL_ONLY}
        assert named <= set(there) and len(there) >= len(asked), f"{stand_in.__name__}.{name}"
