"""What each command of ``python -m nada_core`` does."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch

from nada_core.adapt_flags import TRAINING_FILE, given_options, parts_again
from nada_core.adaptation import AdaptationStep, AdaptOptions
from nada_core.checkpoints import save_style, slug
from nada_core.engine import Engine
from nada_core.errors import AssetError, OptionsError, ResumeError
from nada_core.files import output_folder, write_bytes
from nada_core.images import grid, save_png
from nada_core.interrupt import finishing_steps
from nada_core.latent_command import latent
from nada_core.options import MAX_STEPS
from nada_core.photo_command import edit
from nada_core.prompts import check_prompt
from nada_core.resume import load_training, save_training
from nada_core.styles_command import styles

__all__ = ["run"]


def adapt(args: argparse.Namespace) -> int:
    """Write style.safetensors, steps.jsonl, before_after.png, preview_*.png, summary.json; training.safetensors to be resumed."""
    state = None if args.resume is None else load_training(args.resume)
    prompt = check_prompt(state.prompt if args.prompt is None and state else args.prompt or "")  # before the networks are loaded
    engine = Engine(args.device, base=args.base, encoder=args.encoder or (state.encoder if state else None), world=args.world)
    options = replace(state.options if state else AdaptOptions(), **given_options(args))
    steps = engine.adapt(prompt, options=options, images=args.images, resume=state)
    out = output_folder(args.out)
    originals = engine.preview_originals(options)
    log = _earlier_steps(out / "steps.jsonl", state.step) if state else []
    latest: AdaptationStep | None = None
    previews = originals
    interrupted = False
    try:
        with finishing_steps() as asked_to_stop:
            for latest in steps:
                log.append(_record(latest))
                print(
                    f"\rstep {latest.index}/{latest.steps}  similarity {latest.similarity:.2f}  {latest.eta:.0f} s left ",
                    end="",
                    file=sys.stderr,
                )
                if latest.note:
                    print(f"\n{latest.note}", file=sys.stderr)
                if latest.previews is not None:
                    previews = latest.previews
                    save_png(grid(previews, len(previews)), out / f"preview_{latest.index:04d}.png", {"prompt": prompt})
                if asked_to_stop() and latest.index < latest.steps:
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        interrupted = True
        print("\ninterrupted: keeping the style so far", file=sys.stderr)
    print(file=sys.stderr)
    if latest is None:
        return 130
    style = latest.style(slug(prompt))
    save_style(style, out / "style.safetensors")
    write_bytes(out / "steps.jsonl", ("\n".join(log) + "\n").encode())
    facts = {"prompt": prompt, "steps": str(latest.index), "seed": str(options.seed)}
    save_png(grid(torch.cat([originals, previews]), len(originals)), out / "before_after.png", facts)
    summary = {"card": asdict(style.card), "seconds": round(latest.seconds, 1), "interrupted": interrupted, "world": engine.world}
    write_bytes(out / "summary.json", json.dumps(summary, indent=2).encode())
    print(f"{out / 'style.safetensors'}: '{prompt}' after {latest.index} steps, {latest.seconds:.0f} s")
    if interrupted or args.keep_training:
        _keep_training(latest, out / TRAINING_FILE, parts_again(args))
    return 130 if interrupted else 0


def _record(step: AdaptationStep) -> str:
    """One line of steps.jsonl."""
    record = {k: getattr(step, k) for k in ("index", "loss", "similarity", "seconds", "lr", "note")}
    if step.layers:
        record["layers"] = step.layers
    # a diverged step has no finite loss, and NaN is no JSON
    return json.dumps({k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()})


def _earlier_steps(path: Path, count: int) -> list[str]:
    """The first ``count`` lines of the log that a resumed run's first part left in the same folder; none where it lies elsewhere."""
    return path.read_text().splitlines()[:count] if path.is_file() else []


def _keep_training(step: AdaptationStep, path: Path, parts: str) -> None:
    """Write the file and print the command that goes on from it with the same ``parts``: see :func:`parts_again`."""
    try:
        save_training(path, step.checkpoint())
    except ResumeError as error:  # the second Ctrl-C came in the middle of a change: the style is kept all the same
        print(str(error), file=sys.stderr)
    else:
        if step.index >= MAX_STEPS:
            print(f"{path}: {MAX_STEPS} steps, the most there can be")
            return
        more = f" --steps {min(2 * step.index, MAX_STEPS)}" if step.index >= step.steps else ""  # a run that is done goes on only so
        words = " ".join(shlex.quote(str(word)) for word in ("--resume", path, "--out", path.parent))
        print(f"{path}: to go on, `python -m nada_core adapt {words}{more}{parts}`")


def sample(args: argparse.Namespace) -> int:
    """Write one strip of faces."""
    from nada_core.__main__ import parse_seeds

    seeds = parse_seeds(args.seeds)
    if not 0 <= args.truncation <= 1.5:
        raise OptionsError(f"--truncation is {args.truncation}; it must be between 0 and 1.5.")
    engine = Engine(args.device, base=args.base, world=args.world)
    images = engine.sample(seeds, args.style, args.resolution, args.truncation)
    save_png(grid(images, len(images)), args.out, {"seeds": args.seeds, "style": str(args.style), "note": "generated by AI"})
    print(args.out)
    return 0


def convert(args: argparse.Namespace) -> int:
    """Write a generator in another format."""
    from nada_core.generators.convert import convert as convert_file
    from nada_core.generators.load import load_generator
    from nada_core.styles import StyleLibrary

    style = None if args.style is None else StyleLibrary().load(args.style, lambda: load_generator(args.source))
    done = convert_file(args.source, args.out, args.to, style)
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{done.path}: {done.format}, {done.resolution} px{f', in the style {done.style}' if done.style else ''}")
    return 0


def report(args: argparse.Namespace) -> int:
    """Repeat the source project's experiment."""
    from nada_core.report.command import report as make

    return make(args)


def doctor(args: argparse.Namespace) -> int:
    """Report device, world and assets."""
    from nada_core import doctor as examination
    from nada_core.__main__ import print_json

    found = examination.report()
    if args.json:
        print_json(found)
    else:
        print(examination.format_report(found))
    return 0


def fetch(args: argparse.Namespace) -> int:
    """Download what is not on the machine yet; all of it is tried, and each failure is told."""
    from nada_core.assets import REGISTRY
    from nada_core.assets import fetch as fetch_asset

    names: list[str] = []
    for name in args.names:
        world = [asset.name for asset in REGISTRY.values() if asset.world == name and not asset.optional]
        names += world or [name]
    failed = False
    for name in dict.fromkeys(names):
        try:
            print(f"{name}: {fetch_asset(name)}")
        except AssetError as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            failed = True
    return 2 if failed else 0


def selfcheck(args: argparse.Namespace) -> int:
    """Try the whole world; exit code 1 where a stage failed."""
    from nada_core import doctor as examination
    from nada_core.selfcheck import selfcheck as check

    if args.full and args.world == "starter":
        raise OptionsError("--full and --world starter contradict each other; leave one of them out.")
    if not 10 <= args.steps <= MAX_STEPS:
        raise OptionsError(f"--steps is {args.steps}; it must be between 10 and {MAX_STEPS}.")
    engine = Engine(args.device, base=args.base, world="full" if args.full else args.world)
    print(f"world: {engine.world}: {engine.world_reason}")
    findings = []
    for finding in check(engine, args.photo, steps=args.steps):
        findings.append(finding)
        word = "passed" if finding.passed else "FAILED" if finding.tried else "left  "
        print(f"{word}  {finding.name:<28} {finding.seconds:7.1f} s  {finding.detail}", flush=True)
    if args.out is not None:
        machine = {key: value for key, value in examination.report().items() if key not in ("cache", "local_folder")}  # folders name people
        machine["assets"] = [{key: value for key, value in asset.items() if key != "path"} for asset in machine["assets"]]
        found = {"world": engine.world, "machine": machine, "stages": [asdict(finding) for finding in findings]}
        write_bytes(args.out, json.dumps(found, indent=2, default=str).encode())
        print(f"{args.out}: the report; it names no folder and no person")
    failed = [finding.name for finding in findings if not finding.passed and finding.tried]
    left = sum(not finding.tried for finding in findings)
    also = f"; {left} that need them were not tried" if left else ""
    print(f"{len(failed)} of {len(findings)} stages failed: {', '.join(failed)}{also}" if failed else f"all {len(findings)} stages passed")
    return 1 if failed else 0


def run(args: argparse.Namespace) -> int:
    """Dispatch; returns the exit code."""
    commands = {
        "adapt": adapt,
        "edit": edit,
        "latent": latent,
        "sample": sample,
        "convert": convert,
        "styles": styles,
        "report": report,
        "doctor": doctor,
        "fetch": fetch,
        "selfcheck": selfcheck,
    }
    return commands[args.command](args)
