"""Do the work of ``python -m nada_core adapt``, in this process or on a worker: no file is written here, all is told."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from nada_core.adaptation.loop import AdaptationStep, AdaptOptions
from nada_core.adaptation.options import own_steps
from nada_core.adaptation.resume import TrainingState, load_training, training_bytes
from nada_core.cli.adapt_flags import TRAINING_FILE
from nada_core.cluster.networks import Networks, loaded_engine
from nada_core.encoders.base import ReadsLooks
from nada_core.engine import Engine
from nada_core.errors import ResumeError
from nada_core.images.image_io import grid, png_bytes
from nada_core.looks.reading import read, sentence
from nada_core.styles.files import slug, style_bytes

__all__ = ["STYLE_FILE", "AdaptTask", "Told", "adapt_elsewhere", "adapt_steps"]

STYLE_FILE = "style.safetensors"


@dataclass(frozen=True)
class AdaptTask:
    """Describe one adaptation.

    Attributes:
        engine: keywords of the engine.
        options: those that were given.
        images: of the target, files or their contents: a worker of another machine knows no files of this one.
        keep: tell the training at the end in any case.
    """

    prompt: str
    engine: Mapping[str, Any]
    options: Mapping[str, Any]
    images: Sequence[str | bytes] | None = None
    keep: bool = False


@dataclass(frozen=True)
class Told:
    """Tell of a run: first, once all is checked, that it begins (``index`` 0), then of each step, at the end of what it made.

    Attributes:
        line: of progress, which the next one replaces.
        words: lines that stay.
        record: the step's line of the log.
        files: by name, to be written.
        ended: the run is over; ``interrupted`` where it has fewer steps than it should.
    """

    index: int = 0
    steps: int = 0
    seconds: float = 0.0
    line: str = ""
    words: Sequence[str] = ()
    record: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    ended: bool = False
    interrupted: bool = False


def adapt_steps(task: AdaptTask, state: TrainingState | None = None, engine: Engine | None = None) -> Generator[Told, bool, None]:
    """Adapt, and tell what is to be shown and written; stop after the step at hand once True is sent, or Ctrl-C comes.

    Args:
        state: to go on from.
        engine: where it is loaded already.

    Raises:
        NadaError: as :meth:`nada_core.engine.Engine.adapt`, before the first value.
    """
    engine = engine or Engine(**task.engine)
    prompt, given = task.prompt, dict(task.options)
    looks = isinstance(engine.encoder, ReadsLooks)  # before the generator: where CLIP cannot be fetched, that is said at once
    if state is None and "steps" not in given:
        given["steps"] = own_steps(engine.generator.family, looks=looks) if given.get("start") != "" else AdaptOptions.steps
    options = replace(state.options if state else AdaptOptions(), **given)
    steps = engine.adapt(prompt, options=options, images=task.images, resume=state)
    latest: AdaptationStep | None = None
    previews: torch.Tensor | None = None
    interrupted = False
    try:
        stop = yield Told(words=(sentence(read(prompt)),) if not task.images and looks else ())
        if stop:
            return
        for latest in steps:
            previews = latest.previews if latest.previews is not None else previews
            stop = yield _told(latest, prompt)
            if stop and latest.index < latest.steps:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        interrupted = True
    if latest is None:
        return
    for files, words in _made(task, engine, options, latest, previews, interrupted):
        yield Told(latest.index, latest.steps, latest.seconds, words=words, files=files, ended=True, interrupted=interrupted)


def adapt_elsewhere(task: AdaptTask, training: bytes = b"", files: Mapping[str, bytes] | None = None) -> Generator[Told, bool, None]:
    """Do the same on a worker.

    Args:
        training: the content of its file.
        files: of the engine's networks, by the words that the task calls them by (:mod:`nada_core.cluster.networks`).
    """
    state = None
    if training:
        with tempfile.TemporaryDirectory(prefix="nada-adapt-") as folder:
            path = Path(folder) / TRAINING_FILE
            path.write_bytes(training)
            state = load_training(path)
    if not files:
        yield from adapt_steps(task, state)
        return
    asked = task.engine
    networks = Networks(asked["base"], asked["encoder"], files)
    yield from adapt_steps(task, state, loaded_engine(asked["device"], asked["world"], networks))  # the files are gone again


def _told(step: AdaptationStep, prompt: str) -> Told:
    files = {}
    if step.previews is not None:
        files[f"preview_{step.index:04d}.png"] = png_bytes(grid(step.previews, len(step.previews)), {"prompt": prompt})
    line = f"step {step.index}/{step.steps}  similarity {step.similarity:.2f}  {step.eta:.0f} s left "
    words = tuple(filter(None, (step.note or step.begun,)))
    return Told(step.index, step.steps, step.seconds, line, words, _record(step), files)


def _made(
    task: AdaptTask, engine: Engine, options: AdaptOptions, step: AdaptationStep, previews: torch.Tensor | None, interrupted: bool
) -> Iterator[tuple[dict[str, bytes], tuple[str, ...]]]:
    """Yield the files of a run's end, the style first: what comes later may be broken off. With them what is said of them."""
    style = step.style(slug(task.prompt))
    yield {STYLE_FILE: style_bytes(style)}, ()
    facts = {"prompt": task.prompt, "steps": str(step.index), "seed": str(options.seed)}
    originals = engine.preview_originals(options)  # now: the first step need not wait for them
    shown = originals if previews is None else previews
    summary = {"card": asdict(style.card), "seconds": round(step.seconds, 1), "interrupted": interrupted, "world": engine.world}
    yield (
        {
            "before_after.png": png_bytes(grid(torch.cat([originals, shown]), len(originals)), facts),
            "summary.json": json.dumps(summary, indent=2).encode(),
        },
        (),
    )
    if interrupted or task.keep:
        try:
            yield {TRAINING_FILE: training_bytes(step.checkpoint())}, ()
        except ResumeError as error:  # the second Ctrl-C came in the middle of a change: the style is kept all the same
            yield {}, (str(error),)


def _record(step: AdaptationStep) -> str:
    """Return one line of steps.jsonl."""
    record = {k: getattr(step, k) for k in ("index", "loss", "similarity", "seconds", "lr", "note")}
    if step.layers:
        record["layers"] = step.layers
    # a diverged step has no finite loss, and NaN is no JSON
    return json.dumps({k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()})
