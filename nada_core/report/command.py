"""``python -m nada_core report``: from the words of a command line to one HTML page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from nada_core.assets import fetch
from nada_core.checkpoints import slug
from nada_core.encoders.base import KnowsRegions
from nada_core.engine import Engine
from nada_core.errors import NadaError, OptionsError
from nada_core.options import AdaptOptions, resolve_options
from nada_core.portrait import AlignedPhoto
from nada_core.report.page import build_page
from nada_core.report.plan import SOURCE_RATE, Plan, make_plan
from nada_core.report.results import LatentResult, RunResult
from nada_core.report.run import Progress, do_runs
from nada_core.report.store import PageFile, RunStore

__all__ = ["MAX_PHOTOS", "make_report", "report"]

MAX_PHOTOS = 6
#: The portrait that is used where no photo is given.
DEFAULT_PHOTO = "portrait-astronaut"


def report(args: argparse.Namespace) -> int:
    """Do the runs that are not in the folder yet and write ``report.html``; returns the exit code."""
    engine = Engine(args.device, base=args.base, world=args.world)
    last: Progress | None = None
    try:
        for last in make_report(engine, args.out, args.photo, world=args.world, quick=args.quick, seed=args.seed):
            _show(last)
    except KeyboardInterrupt:
        print("\ninterrupted: finished runs are kept; the same command goes on from there", file=sys.stderr)
        return 130
    except NadaError:
        if last is not None:
            print(file=sys.stderr)
        raise
    print(file=sys.stderr)
    print(last.text if last else "")
    return 0


def make_report(
    engine: Any, out: Path, photos: Sequence[Any] | None = None, *, world: str | None = None, quick: bool = False, seed: int = 0
) -> Iterator[Progress]:
    """The whole report as a series of :class:`Progress`; the last one says where the page is.

    Args:
        photos: 1 to 6 files; the astronaut Eileen Collins where there are none.
        world: ``starter`` or ``full``; the engine's own by default.

    Raises:
        OptionsError: the engine is in another world, too many photos, or a folder that cannot be written.
        PhotoError, NoFaceError: which photo cannot be used, before any run.
        NadaError: the disk is full, or a file of the folder is damaged.
    """
    if world is not None and world != engine.world:
        why = f"this machine is in the {engine.world} world: {engine.world_reason}"
        raise OptionsError(f"The report was asked for in the {world} world; {why}. Leave --world out, or see `python -m nada_core doctor`.")
    if photos is not None and not 1 <= len(photos) <= MAX_PHOTOS:
        raise OptionsError(f"{len(photos)} photos; between 1 and {MAX_PHOTOS} are possible.")
    resolve_options(AdaptOptions(seed=seed), engine.generator.family)  # a bad seed is refused before the photos are looked at
    people = _align(engine, photos if photos is not None else [fetch(DEFAULT_PHOTO)])
    plan = make_plan(engine.world, lambda prompt: baseline_rate(engine, prompt), quick=quick, seed=seed)
    store = RunStore(out)
    results: dict[str, RunResult] = {}
    latent: LatentResult | None = None
    for progress in do_runs(engine, plan, people, store):
        if progress.result is not None:
            results[progress.result.name] = progress.result
        latent = progress.latent or latent
        yield progress
    names = [*(run.name for run in plan.runs), plan.latent.name]
    folders = {name: store.path(name) for name in names}
    page = build_page(plan, results, latent, folders, _facts(engine, plan, seed))
    file = PageFile(out)
    older = file.write(page)
    kept = f"; the older page is now {older.name}" if older else ""
    yield Progress(1.0, f"{file.path}: {len(results) + (latent is not None)} runs, {len(page) / 1e6:.1f} MB{kept}", 0.0)


def baseline_rate(engine: Any, prompt: str) -> float:
    """The step size of the baseline: the source's in the full world, in the starter world the one that an adaptation takes by itself."""
    if engine.world == "full":
        return SOURCE_RATE
    rate = resolve_options(AdaptOptions(), engine.generator.family).lr
    assert rate is not None
    return rate * (engine.encoder.rate_factor(prompt) if isinstance(engine.encoder, KnowsRegions) else 1.0)


def _align(engine: Any, photos: Sequence[Any]) -> list[tuple[str, AlignedPhoto]]:
    """Name and face of each photo."""
    people: list[tuple[str, AlignedPhoto]] = []
    for number, photo in enumerate(photos, 1):
        path = Path(photo) if isinstance(photo, (str, Path)) else None
        try:
            aligned = engine.editor.align(photo)
        except NadaError as error:
            name = path.name[:60] if path else f"photo {number}"
            raise type(error)(f"{name}: {error}") from error
        stem = slug(path.stem) if path else f"photo-{number}"
        taken = {name for name, _ in people} | {f"face-{index}" for index in range(1, 10)}
        name, count = stem, 2
        while name in taken:
            name, count = f"{stem}-{count}", count + 1
        people.append((name, aligned))
    return people


def _facts(engine: Any, plan: Plan, seed: int) -> dict[str, str]:
    rate = "the source's rate" if plan.world == "full" else "the starter world's own rate, averaging and guards against losing the person"
    return {
        "World": plan.world,
        "Generator": f"{engine.generator.family} {engine.base_hash[:8]}",
        "Encoder": engine.encoder.name,
        "Baseline": rate,
        "Seed": str(seed),
        "Device": engine.device.type,
        "torch": metadata.version("torch"),
    }


def _show(progress: Progress) -> None:
    left = "" if progress.left is None else f"  {_minutes(progress.left)} left"
    line = f"{progress.fraction:4.0%} {progress.text}{left}"
    ending = "\n" if progress.result is not None or progress.latent is not None else ""
    print(f"\r{line[:110]:110s}", end=ending, file=sys.stderr, flush=True)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
