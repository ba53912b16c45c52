"""Run ``python -m nada_core adapt``: from a prompt to a style file and pictures in a folder."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch

from nada_core.adaptation.loop import AdaptationStep, AdaptOptions
from nada_core.adaptation.options import MAX_STEPS, own_steps
from nada_core.adaptation.resume import load_training, save_training
from nada_core.cli.adapt_flags import TRAINING_FILE, given_options, parts_again
from nada_core.cli.interrupt import finishing_steps
from nada_core.encoders.base import ReadsLooks
from nada_core.engine import Engine
from nada_core.errors import ResumeError
from nada_core.images.image_io import grid, save_png
from nada_core.looks.prompts import check_prompt
from nada_core.looks.reading import read, sentence
from nada_core.styles.files import save_style, slug
from nada_core.system.files import output_folder, write_bytes

__all__ = ["adapt"]


def adapt(args: argparse.Namespace) -> int:
    """Write style.safetensors, steps.jsonl, before_after.png, preview_*.png, summary.json; training.safetensors to be resumed."""
    state = None if args.resume is None else load_training(args.resume)
    prompt = check_prompt(state.prompt if args.prompt is None and state else args.prompt or "")  # before the networks are loaded
    engine = Engine(args.device, base=args.base, encoder=args.encoder or (state.encoder if state else None), world=args.world)
    given = given_options(args)
    looks = isinstance(engine.encoder, ReadsLooks)  # before the generator: where CLIP cannot be fetched, that is said at once
    if state is None and args.steps is None:
        given["steps"] = own_steps(engine.generator.family, looks=looks) if args.start != "" else AdaptOptions.steps
    options = replace(state.options if state else AdaptOptions(), **given)
    steps = engine.adapt(prompt, options=options, images=args.images, resume=state)
    out = output_folder(args.out)
    if not args.images and looks:
        print(sentence(read(prompt)), file=sys.stderr)
    log = _earlier_steps(out / "steps.jsonl", state.step) if state else []
    latest: AdaptationStep | None = None
    previews: torch.Tensor | None = None
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
                if words := latest.note or latest.begun:
                    print(f"\n{words}", file=sys.stderr)
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
    originals = engine.preview_originals(options)  # now: the first step need not wait for them
    shown = originals if previews is None else previews
    save_png(grid(torch.cat([originals, shown]), len(originals)), out / "before_after.png", facts)
    summary = {"card": asdict(style.card), "seconds": round(latest.seconds, 1), "interrupted": interrupted, "world": engine.world}
    write_bytes(out / "summary.json", json.dumps(summary, indent=2).encode())
    print(f"{out / 'style.safetensors'}: '{prompt}' after {latest.index} steps, {latest.seconds:.0f} s")
    if interrupted or args.keep_training:
        _keep_training(latest, out / TRAINING_FILE, parts_again(args))
    return 130 if interrupted else 0


def _record(step: AdaptationStep) -> str:
    """Return one line of steps.jsonl."""
    record = {k: getattr(step, k) for k in ("index", "loss", "similarity", "seconds", "lr", "note")}
    if step.layers:
        record["layers"] = step.layers
    # a diverged step has no finite loss, and NaN is no JSON
    return json.dumps({k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()})


def _earlier_steps(path: Path, count: int) -> list[str]:
    """Return the first ``count`` lines of the log that a resumed run's first part left in the same folder; none if elsewhere."""
    return path.read_text().splitlines()[:count] if path.is_file() else []


def _keep_training(step: AdaptationStep, path: Path, parts: str) -> None:
    """Write the training state and print the command that goes on from it with the same ``parts`` (:func:`parts_again`)."""
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
