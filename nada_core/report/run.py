"""Do the runs of a plan as rows, by default one after another, each stored before the next begins."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from nada_core.adaptation.loop import AdaptationStep
from nada_core.adaptation.options import resolve_options
from nada_core.adaptation.training_inputs import training_pool
from nada_core.editing.portrait import AlignedPhoto, FittedStyle, Portrait
from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit, given
from nada_core.engine import Engine
from nada_core.errors import NadaError
from nada_core.images.image_io import to_pil
from nada_core.images.sheets import side_by_side
from nada_core.report.faces import Measurer
from nada_core.report.latent import MOVE_SECONDS, LatentWork, pictures_digest
from nada_core.report.pictures import jpeg
from nada_core.report.plan import SAMPLES, LatentPlan, Plan, RunPlan
from nada_core.report.results import LatentResult, PhotoScore, Probe, RunResult
from nada_core.report.store import RunStore
from nada_core.rows.row import Made, OpenWork, Row, RowStep, make_row
from nada_core.rows.run import Executor, run_rows
from nada_core.styles.files import Style, compact_style, slug, style_bytes
from nada_core.styles.mixing import style_delta
from nada_core.system.files import write_bytes

__all__ = ["Progress", "ReportWork", "do_runs", "settings_of"]

#: Rough seconds on two cores, used only as weights: time left is scaled by what was really needed so far.
_STEP, _PROBE, _INVERT, _FIT, _SHOW, _STORE = 0.65, 0.4, 26.0, 7.0, 0.7, 4.0  # a probe: for each face


@dataclass(frozen=True)
class Progress:
    """Tell how far the report is: the share done, a line for people, seconds left (None until something was timed).

    Holds a result when one is done: a run's, or at the end that of the moved latents.
    """

    fraction: float
    text: str
    left: float | None = None
    result: RunResult | None = None
    latent: LatentResult | None = None


class _Clock:
    """Compute the share done and the time left over pieces of work of unequal weight."""

    def __init__(self, total: float) -> None:
        self.total, self.done, self.start = max(total, 1e-6), 0.0, time.monotonic()

    def at(self, text: str, extra: float = 0.0, **more: Any) -> Progress:
        done = self.done + extra
        left = (time.monotonic() - self.start) / done * (self.total - done) if done > 1 else None
        return Progress(min(done / self.total, 1.0), text, left, **more)


def settings_of(engine: Engine, plan: Plan, run: RunPlan | LatentPlan, photos: Sequence[tuple[str, AlignedPhoto]]) -> dict[str, Any]:
    """Return all that a run's result depends on: a stored one is reused only if all of it is the same."""
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


def do_runs(
    engine: Engine,
    plan: Plan,
    photos: Sequence[tuple[str, AlignedPhoto]],
    store: RunStore,
    executor: Executor | None = None,
    work: OpenWork | None = None,
) -> Iterator[Progress]:
    """Do the runs not stored yet; an item for each run carries its result: first stored ones, the latents last.

    Args:
        executor: where the runs are done; in this process by default. The moved latents are always done here.
        work: loads a :class:`ReportWork` on each of its workers.

    Raises:
        NadaError: a result cannot be stored, or a run failed, which is said when all others are done. What is stored already is found
            again by the next call.
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
    weights = {run.name: _weight(plan, run, len(photos)) for run in todo}
    if stored[latent.against] is None or find_latent()[1] is None:
        weights[latent.name] = latent.options.steps * (len(SAMPLES) + len(photos)) * MOVE_SECONDS + _STORE
    if weights:  # whoever comes first rebuilds the people
        weights[next(iter(weights))] += len(photos) * _INVERT
    clock, here = _Clock(sum(weights.values())), ReportWork(engine, plan, photos)
    total = len(plan.runs) + 1
    labels = {run.name: f"run {number}/{total}, {run.title}" for number, run in enumerate(plan.runs, 1)}
    for run in plan.runs:
        if stored[run.name] is not None:
            yield clock.at(f"{labels[run.name]}: found in the folder", result=stored[run.name])
    failed = []
    for event in run_rows([_row(run, engine.base_hash) for run in todo], work or given(here), executor) if todo else ():
        name = event.row.settings["run"]
        if event.state == "failed":
            failed.append(f"{event.row.title}: {event.error}")
        elif event.made is not None:
            result, files = RunResult.from_json(dict(event.made.facts)), event.made.files
            store.save(name, settings[name], result, partial(_write_all, files))
            clock.done += weights[name]
            yield clock.at(f"{labels[name]}: done", result=result)
        elif event.text:
            yield clock.at(f"{labels[name]}: {event.text}", event.fraction * weights[name])
    if failed:
        raise NadaError(f"{failed[0]} ({len(failed)} of {total} runs failed; the same command tries them again.)")
    label = f"run {total}/{total}, {latent.title}"
    own, moved = find_latent()
    if moved is not None:
        clock.done += weights.get(latent.name, 0.0)
        yield clock.at(f"{label}: found in the folder", latent=moved)
        return
    known = here.known or (yield from _looking(here, clock))
    moving = LatentWork(engine, latent, known.measurer, known.portraits, store.path(latent.against), last, guide)
    for spent, text in moving.steps():
        yield clock.at(f"{label}: {text}", spent)
    moved = moving.result()
    store.save(latent.name, own, moved, moving.write)
    clock.done = clock.total
    yield clock.at(f"{label}: done", latent=moved)


def _row(run: RunPlan, base_hash: str) -> Row:
    return make_row(run.title, {"run": run.name, "base": base_hash})


def _weight(plan: Plan, run: RunPlan, photos: int) -> float:
    shown = photos * 2 * (_FIT if plan.fitted else _SHOW)
    return run.options.steps * _STEP + len(run.probes) * len(plan.faces) * _PROBE + shown + _STORE


def _looking(work: ReportWork, clock: _Clock) -> Generator[Progress, None, _Known]:
    """Look at faces and photos here, where no run did."""
    for spent, text in work.look():
        yield clock.at(text, spent)
    clock.done += len(work.photos) * _INVERT
    assert work.known is not None
    return work.known


def _write_all(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        write_bytes(folder / name, content)


class _Known(NamedTuple):
    """Hold what all runs share: the faces before, and the people on the photos."""

    measurer: Measurer
    portraits: list[tuple[str, Portrait]]


class ReportWork:
    """Do runs of a plan: rows that name one. The first of them looks at the faces and rebuilds the people on the photos, for all."""

    def __init__(self, engine: Engine, plan: Plan, photos: Sequence[tuple[str, AlignedPhoto]]) -> None:
        self.engine, self.plan, self.photos = engine, plan, photos
        self.known: _Known | None = None

    def look(self) -> Iterator[tuple[float, str]]:
        """Yield the seconds' worth of work done so far and a line of text while looking."""
        yield 0.0, "looking at the faces before"
        psi = resolve_options(self.plan.runs[0].options, self.engine.generator.family).truncation_psi
        assert psi is not None
        known = _Known(Measurer(self.engine, self.plan.faces, psi), [])
        for number, (name, photo) in enumerate(self.photos):
            for stage in PhotoSession().steps(self.engine.editor, [FaceToFit(name, given(photo))]):
                yield (number + stage.fraction) * _INVERT, f"rebuilding {name}"
            known.portraits.append((name, stage.made[0].portrait))
        self.known = known

    def __call__(self, row: Row) -> Iterator[RowStep]:
        """Do a run; the last step holds its result as JSON, its pictures and its styles."""
        if row.settings["base"] != self.engine.base_hash:
            raise NadaError("Its worker has another generator. Give every machine the same files.")
        run = next(run for run in self.plan.runs if run.name == row.settings["run"])
        before = len(self.photos) * _INVERT if self.known is None else 0.0
        total = before + _weight(self.plan, run, len(self.photos))
        if self.known is None:
            for spent, text in self.look():
                yield RowStep(spent / total, text)
        assert self.known is not None
        work = _OneRun(self.engine, self.plan, run, self.known.measurer, self.known.portraits)
        for spent, text in work.steps():
            yield RowStep((before + spent) / total, text)
        yield RowStep(1.0, "", Made(work.files(), work.result().to_json()))


class _OneRun:
    """Do one adaptation, with its measures and its pictures."""

    def __init__(self, engine: Engine, plan: Plan, run: RunPlan, measurer: Measurer, portraits: Sequence[tuple[str, Portrait]]) -> None:
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
        """Yield the work done so far and a line of text while adapting."""
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
        if self.plan.fitted:
            session = PhotoSession(portraits=OrderedDict({name: portrait}))
            *_, last = session.steps(editor, [FaceToFit(name, given(portrait.aligned))], [StyleToFit(index, given(style))])
            fitted = last.made[0].styles
        else:
            fitted = [(FittedStyle(style.card.name, style.card.prompt, style_delta(style, self.engine.generator)), 1.0)]
        (edited,) = editor.render(portrait, fitted)
        score = self.scores.setdefault(name, {"inverted": portrait.identity})
        score["half" if index == self.plan.half else "final"] = editor.scores(portrait, edited).identity
        if f"{name}-aligned" not in self.pictures:
            (rebuilt,) = editor.render(portrait)
            self.pictures[f"{name}-aligned"] = portrait.aligned.crop.resize(rebuilt.size, Image.Resampling.LANCZOS)
            self.pictures[f"{name}-inverted"] = rebuilt
        self.pictures[f"{name}-{index}"] = edited

    def result(self) -> RunResult:
        """Return the numbers, once :meth:`steps` has ended."""
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

    def files(self) -> dict[str, bytes]:
        """Return pictures, sheets of them, and the styles of both kept steps, by the names of their files."""
        files = {f"{name}.jpg": jpeg(picture, 90, "aligned" not in name) for name, picture in self.pictures.items()}
        half, steps = self.plan.half, self.run.options.steps
        later = [f"{half} steps", f"{steps} steps"]
        faces = [[self.pictures[f"face-{i + 1}-{key}"] for key in (0, half, steps)] for i in range(len(SAMPLES))]
        files["faces.jpg"] = jpeg(side_by_side(faces, ["before", *later]), 90)
        people = [[self.pictures[f"{name}-{key}"] for key in ("aligned", "inverted", half, steps)] for name, _ in self.portraits]
        if people:
            files["photos.jpg"] = jpeg(side_by_side(people, ["original, aligned", "rebuilt", *later]), 90)
        for index, style in self.styles.items():
            named = Style(replace(style.card, name=f"{self.run.name}-{index}"), style.tensors)
            files[f"style_{index}.safetensors"] = style_bytes(compact_style(named, self.engine.generator))
        return files


def _fingerprint(module: Any) -> str:
    """Return a SHA-256 over a network's weights; empty for what has none."""
    if not isinstance(module, torch.nn.Module):
        return ""
    digest = hashlib.sha256(json.dumps(sorted(module.state_dict())).encode())
    for _, value in sorted(module.state_dict().items()):
        plain = value.detach().cpu().float() if value.is_floating_point() else value.detach().cpu()  # numpy knows no bfloat16
        digest.update(plain.contiguous().numpy().tobytes())
    return digest.hexdigest()
