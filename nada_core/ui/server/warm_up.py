"""Do a little of each kind of work, so that the first visitor meets networks that are loaded and warm. No Gradio in here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.server.context import AppContext

__all__ = ["take_pace", "warm_up"]

log = logging.getLogger(__name__)


def warm_up(context: AppContext) -> None:
    """Take one step of an adaptation, look for a face and describe it, and time a few steps of what photos need.

    A process's first step takes seconds longer than the others: networks read, fresh memory, kernels chosen.

    Raises:
        NadaError: the engine cannot be loaded, or cannot adapt.
    """
    context.open()
    if not context.jobs.inline:  # ZeroGPU lends its device to requests only
        _idly(context, lambda: _everything(context))


def take_pace(context: AppContext) -> None:
    """Time the work on photos, where that is not done yet. An estimate is a courtesy: nothing fails for the lack of one."""
    try:
        _idly(context, lambda: context.open()[0].editor.take_pace())
    except Exception:
        log.exception("the pace could not be measured")


def _idly(context: AppContext, work: Callable[[], Iterator[Any]]) -> None:
    """Work where nobody else does, and give up when somebody comes."""
    with context.line.join() as turn:
        if not turn.wait(0):
            return
        with closing(context.worker.steps(work)) as steps:
            for _ in steps:
                if len(context.line) > 1:
                    return


def _everything(context: AppContext) -> Iterator[None]:
    engine, world = context.open()
    steps = engine.adapt("Joker", options=context.backend.options(steps=1))
    try:
        next(steps)
    finally:
        close_iterator(steps)
    yield
    engine.editor.warm_up(context.backend.decode(world.originals[0]))
    yield
    yield from engine.editor.take_pace()
