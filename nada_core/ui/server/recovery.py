"""Bring back what an earlier process of the app left when it was killed or stopped, and say what was lost. No Gradio in here."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nada_core.system.files import slug
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.job_card import JobCard
from nada_core.ui.jobs.store import JobStore, Leftover
from nada_core.ui.shelves.styles import ShelvedStyle, StyleShelf

__all__ = ["CutOff", "recovered"]

log = logging.getLogger(__name__)
_DAY = 24 * 3600


@dataclass(frozen=True)
class CutOff:
    """Describe a run of an earlier process, for the browser that started it."""

    prompt: str
    steps: int  # planned
    sentence: str  # what was lost, what is kept and where
    step: int = 0  # how far it had come
    kept: bool = False  # its style is on the shelf, under the run's id
    settings: Mapping[str, Any] = field(default_factory=dict)  # of its request


def recovered(store: JobStore, engine: AppEngine, shelf: StyleShelf, *, public: bool, keep: float) -> dict[str, CutOff]:
    """Put styles of runs that were cut off into the library, and those that were over but unsaved back on the shelf, under their ids.

    On a public server nothing goes into the library: all go back on the shelf, where only the browser that made them finds them. What is
    older than ``keep`` seconds is deleted there; what cannot be read stays for a day.

    Returns:
        By the ids of the runs, what their browsers are to be told.
    """
    told: dict[str, CutOff] = {}
    try:
        for left in store.leftovers():
            try:
                told[left.key] = _bring_back(left, engine, shelf, public=public, keep=keep)
            except Exception:  # a damaged leftover must not keep the app from starting
                log.exception("a style of an earlier run could not be recovered")
                told[left.key] = _told(left.card, "and what was saved of it cannot be read.")
                if left.age < _DAY and not public:
                    continue
            shutil.rmtree(left.folder, ignore_errors=True)
    except OSError as error:
        log.warning("What earlier runs left could not be looked through: %s", error.strerror)
    return told


def _bring_back(left: Leftover, engine: AppEngine, shelf: StyleShelf, *, public: bool, keep: float) -> CutOff:
    card = left.card
    if card.state == "saved":
        return _told(card, f"The style so far is in the library as “{card.saved_as}”.")
    if left.file is None:
        return _told(card, "and nothing had been saved of it yet. Press Adapt to begin again with the same settings.")
    if left.age > keep and (public or card.state == "ended"):
        return _told(card, "and unsaved styles are kept for two hours only. Press Adapt to make it again with the same settings.")
    style = engine.style(left.file)
    steps = int(style.card.steps)
    if not public and card.state != "ended":
        name = engine.save_style(style, f"recovered-{slug(card.prompt)}")
        log.warning("A style of an earlier run that was cut off is in the library as %s.", name)
        return _told(card, f"What was saved, step {steps}, is in the library as “{name}”.")
    shelf.put(left.key, ShelvedStyle(style, card.prompt, steps))
    return _told(card, f"The style after step {steps} is kept: save it, download it, or try it on a photo.", kept=True)


def _told(card: JobCard, end: str, *, kept: bool = False) -> CutOff:
    """Say what became of a run; an ``end`` that begins with "and" belongs to the first sentence."""
    if card.state == "waiting":
        where = f"while “{card.prompt}” waited in line"
    elif card.state == "ended":
        where = f"after “{card.prompt}” was done"
    else:
        where = f"at step {card.step}{f' of {card.steps}' if card.steps else ''} of “{card.prompt}”"
    joined = f", {end}" if end.startswith("and ") else f". {end}"
    return CutOff(card.prompt, card.steps, f"The server was started again {where}{joined}", card.step, kept, card.settings)
