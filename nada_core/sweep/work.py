"""Do one row of a sweep with an engine: adapt to a prompt, or put a photo into a style."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from nada_core import __version__
from nada_core.adaptation.loop import AdaptOptions, check_options, check_texts
from nada_core.adaptation.resume import encoder_hash
from nada_core.adaptation.start_near import parse_start
from nada_core.adaptation.training_run import drawable
from nada_core.cluster.networks import Networks, loaded_engine
from nada_core.editing.base import EditResult, EditStages
from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit, given
from nada_core.encoders.base import ReadsLooks
from nada_core.engine import Engine
from nada_core.errors import NadaError
from nada_core.images.image_io import grid
from nada_core.report.pictures import jpeg
from nada_core.rows.row import Made, OpenWork, Row, RowStep, Work
from nada_core.students.library import INSTANT
from nada_core.styles.files import Style, compact_style, slug, style_bytes
from nada_core.styles.mixing import Strength
from nada_core.sweep.jobs import STYLE_FILE, Facts, LoadedStyle, options_of
from nada_core.sweep.plan import Plan

__all__ = ["SweepWork", "check_plan", "facts_of", "open_work"]

_QUALITY = 92


def open_work(device: str = "auto", world: str | None = None, networks: Networks | None = None) -> OpenWork:
    """Return what loads an engine that does rows: device and world are those of :class:`nada_core.engine.Engine`."""
    return partial(_load, device, world, networks or Networks())


def _load(device: str, world: str | None, networks: Networks) -> SweepWork:
    return SweepWork(loaded_engine(device, world, networks))


class SweepWork:
    """Do rows with one engine, and hold the person of the last photo: rows come photo by photo."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._photo, self._session = "", PhotoSession()

    def __call__(self, row: Row) -> Iterator[RowStep]:
        """Do a row; the last step holds its pictures, and the style of an adaptation."""
        return _adapt(self.engine, row) if row.settings["kind"] == "adapt" else _edit(self.engine, row, self._session_of(row))

    def _session_of(self, row: Row) -> PhotoSession:
        """Return what has been made of the row's photo so far, and let go of another's."""
        photo = row.inputs["photo"].digest
        if photo != self._photo:
            self._photo, self._session = photo, PhotoSession()
        return self._session


def facts_of(work: Work) -> Facts:
    """Return what a worker's engine is made of."""
    engine = _engine(work)
    return Facts(
        version=__version__,
        world=engine.world,
        family=engine.generator.family,
        base_hash=engine.base_hash,
        encoder=engine.encoder.name,
        encoder_hash=encoder_hash(engine.encoder),
        looks=isinstance(engine.encoder, ReadsLooks),
        device=engine.device.type,
    )


def check_plan(work: Work, plan: Plan, styles: Sequence[LoadedStyle], facts: Facts) -> None:
    """Refuse what only networks can tell: texts, options and styles that do not suit them. Computes nothing.

    Raises:
        NadaError: the message begins with the plan's key.
    """
    engine = _engine(work)
    if plan.adapt is not None:
        for chosen in plan.adapt.options:
            options = _said("[adapt.options]", _options, engine, options_of(dict(chosen), plan.adapt.seeds[0], facts))
            for prompt in plan.adapt.prompts:
                _said("[adapt] prompts", check_texts, engine.encoder, prompt, options)
                _said("[adapt] prompts", drawable, engine.encoder, prompt, options)
    for style in styles:
        loaded = _said("[edit] styles", _styles, engine, style.files)
        if plan.edit is not None and INSTANT in plan.edit.modes:
            _said("[edit] modes", engine.students.of, loaded)


def _engine(work: Work) -> Engine:
    assert isinstance(work, SweepWork)
    return work.engine


def _options(engine: Engine, options: AdaptOptions) -> AdaptOptions:
    for name, _ in parse_start(options.start or ""):
        engine.resolve_styles(name)
    return check_options(engine.generator, engine.encoder, options)


def _said(where: str, check: Any, *args: Any) -> Any:
    try:
        return check(*args)
    except NadaError as error:
        raise type(error)(f"{where}: {error}") from None


def _styles(engine: Engine, files: Sequence[tuple[str, Any, float]]) -> list[tuple[Style, float]]:
    """Return the styles of files that came as bytes, with their shares."""
    with tempfile.TemporaryDirectory(prefix="nada-sweep-") as folder:
        parts: list[tuple[str | Path | Style, float]] = []
        for name, file, share in files:
            path = Path(folder) / name
            path.write_bytes(file.content)
            parts.append((path, share))
        return engine.resolve_styles(parts)


def _adapt(engine: Engine, row: Row) -> Iterator[RowStep]:
    prompt, raw = row.settings["prompt"], row.settings["options"]
    options = AdaptOptions(**{name: _option(name, value) for name, value in raw.items()})
    step, notes, begun = None, [], ""
    for step in engine.adapt(prompt, options=options):
        notes += [f"step {step.index}: {step.note}"] if step.note else []
        begun = begun or step.begun
        yield RowStep(step.index / step.steps, f"step {step.index}/{step.steps}")
    if step is None or step.previews is None:
        raise NadaError("The adaptation ended without pictures. Try again.")
    style = compact_style(step.style(slug(prompt)), engine.generator)
    facts = {
        "steps": step.index,
        "loss": round(step.loss, 4) if math.isfinite(step.loss) else None,
        "similarity": round(step.similarity, 4) if math.isfinite(step.similarity) else None,
        "notes": [*([begun] if begun else []), *notes],
    }
    files = {
        STYLE_FILE: style_bytes(style),
        "before.jpg": _strip(engine.preview_originals(options)),
        "faces.jpg": _strip(step.previews),
    }
    yield RowStep(1.0, "done", Made(files, facts))


def _option(name: str, value: Any) -> Any:
    """Return a value as it was before JSON."""
    if isinstance(value, list):
        return tuple(value)
    return float(value) if value in ("inf", "-inf") and name != "source" else value


def _strip(images: torch.Tensor) -> bytes:
    return jpeg(grid(images, len(images)), _QUALITY)


def _edit(engine: Engine, row: Row, session: PhotoSession) -> Iterator[RowStep]:
    settings, photo = row.settings, row.inputs["photo"]
    mode, strength = settings["mode"], Strength.even(settings["strength"])
    files = [(name, row.inputs[name], share) for name, share in settings["styles"]]
    styles = _styles(engine, files)
    if mode == INSTANT:
        stages = engine.edit_steps(photo.content, styles, strength=strength, mode=mode)
    else:
        face = FaceToFit(mode, partial(engine.editor.align, photo.content), mode)
        wanted = [StyleToFit(file.digest, given(style), share) for (_, file, _), (style, share) in zip(files, styles, strict=True)]
        stages = session.steps(engine.editor, [face], wanted, strength=strength, resolution=engine.generator.resolutions[0])
    result = yield from _followed(stages)
    yield RowStep(1.0, "done", _pictures(result))


def _followed(stages: EditStages) -> Generator[RowStep, None, EditResult]:
    result = None
    for stage in stages:
        result = stage.result or result
        yield RowStep(stage.fraction, stage.stage)
    if result is None:
        raise NadaError("The edit ended without a picture. Try again.")
    return result


def _pictures(result: EditResult) -> Made:
    pictures: dict[str, Image.Image] = {"aligned": result.aligned, "edited": result.edited}
    if result.instant is None:  # else nothing was rebuilt
        pictures["rebuilt"] = result.inverted
    facts = {
        "identity_inverted": result.identity_inverted,
        "identity_edited": result.identity_edited,
        "notes": list(result.notes),
    }
    return Made({f"{name}.jpg": jpeg(picture, _QUALITY, name != "aligned") for name, picture in pictures.items()}, facts)
