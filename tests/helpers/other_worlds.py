"""Make fake engines of other worlds, for an app that changes its own."""

from __future__ import annotations

from dataclasses import replace

from nada_core.ui.app import make_context
from nada_core.ui.server.context import AppContext
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeGenerator, FakeStyle, fake_backend

SMALL = FakeGenerator("stylegan2", (64,), 10)


class Maker:
    """Makes the engine that the app starts with, then those that are wished for; notes the wishes."""

    def __init__(self, first: FakeEngine, *others) -> None:
        self.engines, self.wishes = [first, *others], []

    def __call__(self, **wish):
        self.wishes.append(wish)
        engine = self.engines.pop(0)
        if isinstance(engine, Exception):
            raise engine
        return engine


def full(**more) -> FakeEngine:
    """An engine of another world, with a style of its own."""
    saved = {"pixar": FakeStyle(FakeCard("pixar", "Pixar"))}
    return FakeEngine(delay=0.0, world="full", world_reason="the full world was asked for", saved=saved, **{"generator": SMALL} | more)


def app_with(*others, **more) -> tuple[AppContext, Maker]:
    """An open app, and what makes its engines."""
    maker = Maker(FakeEngine(delay=0.0), *others)
    app = make_context(replace(fake_backend(), engine=maker), **more)
    app.open()
    return app, maker
