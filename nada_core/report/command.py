"""Run ``python -m nada_core report``: do the missing runs and write the results as one HTML page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from nada_core.adaptation.drawn_targets import look_options
from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.assets.shipped import PORTRAIT
from nada_core.cluster.networks import Networks, loaded_engine, named_networks
from nada_core.editing.portrait import AlignedPhoto
from nada_core.encoders.base import ReadsLooks
from nada_core.engine import Engine
from nada_core.errors import NadaError, OptionsError
from nada_core.report.page import build_page
from nada_core.report.plan import SOURCE_RATE, Plan, make_plan
from nada_core.report.results import LatentResult, RunResult
from nada_core.report.run import Progress, ReportWork, do_runs
from nada_core.report.store import PageFile, RunStore
from nada_core.rows.row import Work
from nada_core.rows.run import Executor
from nada_core.rows.where import executor_for
from nada_core.styles.files import slug

__all__ = ["MAX_PHOTOS", "make_report", "report"]

MAX_PHOTOS = 6


def report(args: argparse.Namespace) -> int:
    """Do the runs that are not in the folder yet and write ``report.html``; returns the exit code."""
    engine = Engine(args.device, base=args.base, world=args.world)
    last: Progress | None = None
    try:
        options = {"world": args.world, "quick": args.quick, "seed": args.seed}
        elsewhere = args.workers is not None or args.cluster is not None
        # the networks that were chosen here: another machine might choose others
        work = partial(load_work, args.device, args.world, named_networks(engine.parts.base, engine.parts.encoder)) if elsewhere else None
        with executor_for(args.workers, args.cluster) as executor:
            away = None if work is None else (executor, work)
            for last in make_report(engine, args.out, args.photo, away=away, **options):
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


def load_work(
    device: str, world: str | None, networks: Networks, quick: bool, seed: int, photos: Sequence[tuple[str, bytes]]
) -> ReportWork:
    """Load what does runs on a worker: an engine of its own, the same plan, and the photos, which come as bytes."""
    engine = loaded_engine(device, world, networks)
    people = [(name, engine.editor.align(content)) for name, content in photos]
    return ReportWork(engine, make_plan(engine.world, lambda prompt: baseline_rate(engine, prompt), quick=quick, seed=seed), people)


def make_report(
    engine: Engine,
    out: Path,
    photos: Sequence[Any] | None = None,
    *,
    world: str | None = None,
    quick: bool = False,
    seed: int = 0,
    away: tuple[Executor, Callable[..., Work]] | None = None,
) -> Iterator[Progress]:
    """Make the whole report, yielding :class:`Progress`; the last one says where the page is.

    Args:
        photos: 1 to 6 files; the astronaut Eileen Collins where there are none.
        world: ``starter`` or ``full``; the engine's own by default.
        away: where else runs are done, and what :func:`load_work` is called with before quick, seed and photos; here where it is None.

    Raises:
        OptionsError: the engine is in another world, too many photos, or a folder that cannot be written.
        PhotoError, NoFaceError: a photo cannot be used; raised before any run.
        NadaError: the disk is full, or a file of the folder is damaged.
    """
    if world is not None and world != engine.world:
        why = f"this machine is in the {engine.world} world: {engine.world_reason}"
        raise OptionsError(f"The report was asked for in the {world} world; {why}. Leave --world out, or see `python -m nada_core doctor`.")
    if photos is not None and not 1 <= len(photos) <= MAX_PHOTOS:
        raise OptionsError(f"{len(photos)} photos; between 1 and {MAX_PHOTOS} are possible.")
    resolve_options(AdaptOptions(seed=seed), engine.generator.family)  # a bad seed is refused before the photos are looked at
    files = photos if photos is not None else [PORTRAIT]
    people = align_photos(engine, files)
    plan = make_plan(engine.world, lambda prompt: baseline_rate(engine, prompt), quick=quick, seed=seed)
    store = RunStore(out)
    results: dict[str, RunResult] = {}
    latent: LatentResult | None = None
    executor, work = away or (None, None)
    if work is not None:
        contents = [(name, photo if isinstance(photo, bytes) else Path(photo).read_bytes()) for (name, _), photo in zip(people, files)]
        work = partial(work, quick, seed, contents)
    for progress in do_runs(engine, plan, people, store, executor, work):
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


def baseline_rate(engine: Engine, prompt: str) -> float:
    """Return the baseline's step size: the source's in the full world, in the starter world the one an adaptation takes itself."""
    if engine.world == "full":
        return SOURCE_RATE
    looks = isinstance(engine.encoder, ReadsLooks)
    rate = resolve_options(AdaptOptions(), engine.generator.family, looks=looks).lr
    assert rate is not None
    return rate * look_options(engine.encoder.look(prompt), engine.generator.family)[0] if looks else rate


def align_photos(engine: Engine, photos: Sequence[Any]) -> list[tuple[str, AlignedPhoto]]:
    """Find and align the face of each photo; returns it with the photo's name."""
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


def _facts(engine: Engine, plan: Plan, seed: int) -> dict[str, str]:
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
