"""Doing the runs of a plan, one after another, each stored before the next begins."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from nada_core.adaptation import AdaptationStep
from nada_core.checkpoints import Style, compact_style, save_style, slug
from nada_core.files import write_bytes
from nada_core.images import to_pil
from nada_core.mixing import style_delta
from nada_core.options import resolve_options
from nada_core.portrait import AlignedPhoto, Portrait, Worn
from nada_core.report.faces import Measurer
from nada_core.report.latent import MOVE_SECONDS, LatentWork, pictures_digest
from nada_core.report.pictures import jpeg
from nada_core.report.plan import SAMPLES, LatentPlan, Plan, RunPlan
from nada_core.report.results import LatentResult, PhotoScore, Probe, RunResult
from nada_core.report.store import RunStore
from nada_core.sheets import side_by_side
from nada_core.training_inputs import training_pool

__all__ = ["Progress", "do_runs", "settings_of"]

#: Rough seconds on two cores, used only as weights: time left is scaled by what was really needed so far.
_STEP, _PROBE, _INVERT, _FIT, _SHOW, _STORE = 0.65, 0.4, 26.0, 7.0, 0.7, 4.0  # a probe: for each face


@dataclass(frozen=True)
class Progress:
    """Where the report is: the share done, a line for people, seconds left (None until something was timed), a result when one is done:
    a run's, or at the end that of the moved latents."""

    fraction: float
    text: str
    left: float | None = None
    result: RunResult | None = None
    latent: LatentResult | None = None
    reused: bool = False


class _Clock:
    """Shares and time left over pieces of work of unequal weight."""

    def __init__(self, total: float) -> None:
        self.total, self.done, self.start = max(total, 1e-6), 0.0, time.monotonic()

    def at(self, text: str, extra: float = 0.0, **more: Any) -> Progress:
        done = self.done + extra
        left = (time.monotonic() - self.start) / done * (self.total - done) if done > 1 else None
        return Progress(min(done / self.total, 1.0), text, left, **more)


def settings_of(engine: Any, plan: Plan, run: RunPlan | LatentPlan, photos: Sequence[tuple[str, AlignedPhoto]]) -> dict[str, Any]:
    """Everything a run's result depends on: a stored one is reused only if all of it is the same."""
    pixels = [[name, hashlib.sha256(photo.crop.tobytes()).hexdigest()] for name, photo in photos]
    return {
        **run.settings(),
        "half": plan.half,
        "fitted": plan.fitted,
        "photos": pixels,
        "faces": list(plan.faces),
        "base": engine.base_hash,
        "encoder": [engine.encoder.name, _fingerprint(engine.encoder)],
        "device": engine.device.type,
    }


def do_runs(engine: Any, plan: Plan, photos: Sequence[tuple[str, AlignedPhoto]], store: RunStore) -> Iterator[Progress]:
    """Run what is not stored yet; every run ends with an item that carries its result, in the plan's order, the moved latents last.

    Raises:
        NadaError: a result cannot be stored. What is stored already is found again by the next call.
    """
    settings = {run.name: settings_of(engine, plan, run, photos) for run in plan.runs}
    stored = {run.name: store.load(run.name, settings[run.name], RunResult) for run in plan.runs}
    latent = plan.latent
    latent_base = settings_of(engine, plan, latent, photos)
    last = next(run.options.steps for run in plan.runs if run.name == latent.against)
    guide = engine.identity_guide()
    if guide is not None:
        latent_base["identity"] = _fingerprint(guide)

    def find_latent() -> tuple[dict[str, Any], LatentResult | None]:
        digest = pictures_digest(store.path(latent.against), [name for name, _ in photos], last)
        own = {**latent_base, "pictures": digest}
        return own, store.load(latent.name, own, LatentResult)

    todo = [run for run in plan.runs if stored[run.name] is None]
    shown = len(photos) * 2 * (_FIT if plan.fitted else _SHOW)
    weights = {run.name: run.options.steps * _STEP + len(run.probes) * len(plan.faces) * _PROBE + shown + _STORE for run in todo}
    if stored[latent.against] is None or find_latent()[1] is None:
        weights[latent.name] = latent.options.steps * (len(SAMPLES) + len(photos)) * MOVE_SECONDS + _STORE
    clock = _Clock(sum(weights.values()) + (len(photos) * _INVERT if weights else 0))
    known: _Known | None = None
    total = len(plan.runs) + 1
    for number, run in enumerate(plan.runs, 1):
        label = f"run {number}/{total}, {run.title}"
        earlier = stored[run.name]
        if earlier is not None:
            yield clock.at(f"{label}: found in the folder", result=earlier, reused=True)
            continue
        known = known or (yield from _look(engine, plan, photos, clock))
        work = _OneRun(engine, plan, run, known.measurer, known.portraits)
        for spent, text in work.steps():
            yield clock.at(f"{label}: {text}", spent)
        result = work.result()
        store.save(run.name, settings[run.name], result, work.write)
        clock.done += weights[run.name]
        yield clock.at(f"{label}: done", result=result)
    label = f"run {total}/{total}, {latent.title}"
    own, moved = find_latent()
    if moved is not None:
        clock.done += weights.get(latent.name, 0.0)
        yield clock.at(f"{label}: found in the folder", latent=moved, reused=True)
        return
    known = known or (yield from _look(engine, plan, photos, clock))
    moving = LatentWork(engine, latent, known.measurer, known.portraits, store.path(latent.against), last, guide)
    for spent, text in moving.steps():
        yield clock.at(f"{label}: {text}", spent)
    moved = moving.result()
    store.save(latent.name, own, moved, moving.write)
    clock.done += weights.get(latent.name, 0.0)
    yield clock.at(f"{label}: done", latent=moved)


class _Known(NamedTuple):
    """What all runs share: the faces before, and the people on the photos."""

    measurer: Measurer
    portraits: list[tuple[str, Portrait]]


def _look(engine: Any, plan: Plan, photos: Sequence[tuple[str, AlignedPhoto]], clock: _Clock) -> Generator[Progress, None, _Known]:
    yield clock.at("looking at the faces before")
    psi = resolve_options(plan.runs[0].options, engine.generator.family).truncation_psi
    assert psi is not None
    known = _Known(Measurer(engine, plan.faces, psi), [])
    for name, photo in photos:
        for stage in engine.editor.invert_steps(photo):
            yield clock.at(f"rebuilding {name}", stage.fraction * _INVERT)
            if stage.portrait:
                known.portraits.append((name, stage.portrait))
        clock.done += _INVERT
    return known


class _OneRun:
    """One adaptation, its measures and its pictures."""

    def __init__(self, engine: Any, plan: Plan, run: RunPlan, measurer: Measurer, portraits: Sequence[tuple[str, Portrait]]) -> None:
        self.engine, self.plan, self.run, self.measurer, self.portraits = engine, plan, run, measurer, portraits
        self.losses: list[float | None] = []
        self.notes: list[str] = []
        self.probes: list[Probe] = []
        self.styles: dict[int, Style] = {}
        self.pictures: dict[str, Image.Image] = {}
        self.scores: dict[str, dict[str, float]] = {}
        self.training: float | None = None
        self.seconds = 0.0

    def steps(self) -> Iterator[tuple[float, str]]:
        """Do it; yields the weight done so far and a line."""
        run, spent = self.run, 0.0
        start = time.monotonic()
        for index in range(len(SAMPLES)):
            self.pictures[f"face-{index + 1}-0"] = self.measurer.faces.pictures[index]
        for step in self.engine.adapt(run.prompt, options=run.options):
            self.losses.append(round(step.loss, 5) if math.isfinite(step.loss) else None)
            self.notes += [f"step {step.index}: {step.note}"] if step.note else []
            spent += _STEP
            if step.index in run.probes:
                self._probe(step)
                spent += _PROBE * len(self.plan.faces)
            yield spent, f"step {step.index}/{step.steps}"
        pool = training_pool(run.options, self.engine.generator.z_dim)
        if pool is not None:
            self.training = self.measurer.training_similarity(run.prompt, self.styles[run.options.steps], pool)
        for name, portrait in self.portraits:
            for step_index in (self.plan.half, run.options.steps):
                yield spent, f"{name} at step {step_index}"
                self._wear(name, portrait, step_index)
                spent += _FIT if self.plan.fitted else _SHOW
        self.seconds = time.monotonic() - start

    def _probe(self, step: AdaptationStep) -> None:
        style = step.style(slug(self.run.prompt))
        images = self.measurer.adapted(style)
        self.probes.append(self.measurer.measure(step.index, self.run.prompt, images, smiles=step.index == self.run.options.steps))
        if step.index in (self.plan.half, self.run.options.steps):
            self.styles[step.index] = style
            for index in range(len(SAMPLES)):
                self.pictures[f"face-{index + 1}-{step.index}"] = to_pil(images[index])

    def _wear(self, name: str, portrait: Portrait, index: int) -> None:
        editor, style = self.engine.editor, self.styles[index]
        worn: Worn | None = None
        if self.plan.fitted:
            for stage in editor.wear_steps(portrait, style):
                worn = stage.worn or worn
            assert worn is not None
        else:
            worn = Worn(style.card.name, style.card.prompt, style_delta(style, self.engine.generator))
        (edited,) = editor.render(portrait, [(worn, 1.0)])
        score = self.scores.setdefault(name, {"inverted": portrait.identity})
        score["half" if index == self.plan.half else "final"] = editor.scores(portrait, edited).identity
        if f"{name}-aligned" not in self.pictures:
            (rebuilt,) = editor.render(portrait)
            self.pictures[f"{name}-aligned"] = portrait.aligned.crop.resize(rebuilt.size, Image.Resampling.LANCZOS)
            self.pictures[f"{name}-inverted"] = rebuilt
        self.pictures[f"{name}-{index}"] = edited

    def result(self) -> RunResult:
        """The numbers, once :meth:`steps` has ended."""
        options = self.run.options
        assert options.lr is not None
        return RunResult(
            name=self.run.name,
            title=self.run.title,
            prompt=self.run.prompt,
            changed=self.run.changed,
            half=self.plan.half,
            steps=options.steps,
            rate=options.lr,
            layers=options.layers,
            pool=options.latent_pool,
            losses=tuple(self.losses),
            probes=tuple(self.probes),
            training_similarity=self.training,
            photos=tuple(PhotoScore(name, **scores) for name, scores in self.scores.items()),
            samples=len(SAMPLES),
            seconds=round(self.seconds, 1),
            notes=tuple(self.notes),
        )

    def write(self, folder: Path) -> None:
        """Pictures, sheets of them, and the styles of both kept steps."""
        for name, picture in self.pictures.items():
            write_bytes(folder / f"{name}.jpg", jpeg(picture, 90, "aligned" not in name))
        half, steps = self.plan.half, self.run.options.steps
        later = [f"{half} steps", f"{steps} steps"]
        faces = [[self.pictures[f"face-{i + 1}-{key}"] for key in (0, half, steps)] for i in range(len(SAMPLES))]
        write_bytes(folder / "faces.jpg", jpeg(side_by_side(faces, ["before", *later]), 90))
        people = [[self.pictures[f"{name}-{key}"] for key in ("aligned", "inverted", half, steps)] for name, _ in self.portraits]
        if people:
            write_bytes(folder / "photos.jpg", jpeg(side_by_side(people, ["original, aligned", "rebuilt", *later]), 90))
        for index, style in self.styles.items():
            named = Style(replace(style.card, name=f"{self.run.name}-{index}"), style.tensors)
            save_style(compact_style(named, self.engine.generator), folder / f"style_{index}.safetensors")


def _fingerprint(module: Any) -> str:
    """SHA-256 over a network's weights; empty for what has none."""
    if not isinstance(module, torch.nn.Module):
        return ""
    digest = hashlib.sha256(json.dumps(sorted(module.state_dict())).encode())
    for _, value in sorted(module.state_dict().items()):
        plain = value.detach().cpu().float() if value.is_floating_point() else value.detach().cpu()  # numpy knows no bfloat16
        digest.update(plain.contiguous().numpy().tobytes())
    return digest.hexdigest()
