"""Adapting to the concepts, a row each: full styles, so that what is measured is what the adaptation made, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from nada_core.assets.program import program_digest
from nada_core.engine import Engine
from nada_core.rows.row import Made, Row, RowStep, make_row
from nada_core.styles.files import style_bytes

__all__ = ["STYLE_FILE", "AdaptWork", "adapt_rows", "open_work"]

STYLE_FILE = "style.safetensors"


class AdaptWork:
    """Adapts to the prompt of a row with the engine's own way, and takes down what the steps say."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __call__(self, row: Row) -> Iterator[RowStep]:
        last, notes = None, []
        for last in self.engine.adapt(row.settings["prompt"], row.settings["steps"]):
            notes += [last.note] if last.note else []
            yield RowStep(last.index / last.steps, f"step {last.index}/{last.steps}")
        yield RowStep(1.0, "done", Made({STYLE_FILE: style_bytes(last.style())}, {"notes": notes}))


def open_work(device: str) -> AdaptWork:
    """What loads the work on a worker."""
    return AdaptWork(Engine(device))


def adapt_rows(prompts: Sequence[str], steps: int | None, engine: Engine) -> list[Row]:
    """A row for each prompt; another one where the program, the generator, the encoder or the kind of device changes."""
    parts = {"base": engine.base_hash, "encoder": engine.encoder.name, "device": engine.device.type}
    parts |= {"program": program_digest(), "torch": torch.__version__}
    return [make_row(prompt, {"prompt": prompt, "steps": steps}, **parts) for prompt in prompts]
