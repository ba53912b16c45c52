"""Run ``python -m nada_core latent``: edit a photo by StyleCLIP's latent optimisation and compare it with adapted styles."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from nada_core.adaptation.latent_edit import LatentOptions, LatentStep
from nada_core.assets.store import state
from nada_core.cli.edit import parse_blend, parse_points
from nada_core.cli.interrupt import finishing_steps
from nada_core.cli.latent_flags import IDENTITY, latent_values
from nada_core.editing.base import EditStages, FittedPortrait
from nada_core.editing.portrait import Portrait
from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit, given
from nada_core.engine import Engine
from nada_core.errors import OptionsError
from nada_core.generators.base import rendered_side
from nada_core.images.image_io import save_png, to_tensor
from nada_core.images.sheets import download_metadata, side_by_side
from nada_core.inversion.base import Inversion
from nada_core.inversion.optimisation import invert_options
from nada_core.looks.prompts import check_prompt
from nada_core.losses import GlobalLoss
from nada_core.recognition.load import ARCFACE
from nada_core.styles.library import StyleLibrary
from nada_core.system.files import output_folder, write_bytes

__all__ = ["latent"]

_MOST_STYLES = 6  # columns of the sheet


@dataclass(frozen=True, eq=False)
class _Outcome:
    """Hold the photo, rebuilt, moved and in the styles: pictures of one size. ``last`` is the latent's last step."""

    portrait: Portrait
    last: LatentStep
    rebuilt: Image.Image
    moved: Image.Image
    styled: Sequence[Image.Image]


def latent(args: argparse.Namespace) -> int:
    """Write aligned.png, inverted.png, moved.png, styled.png for each style, sheet.png, steps.jsonl and summary.json.

    Ctrl-C keeps the latent so far: exit code 130, all files written.
    """
    start = time.monotonic()
    prompt, options, points = check_prompt(args.prompt), LatentOptions(**latent_values(args)), parse_points(args.points)
    invert_options(args.mode)  # an unknown one is refused before networks are loaded
    if args.identity == "on" and not options.identity_weight:
        raise OptionsError("--identity on and --identity-weight 0 contradict each other; leave one of them out.")
    if len(args.style) > _MOST_STYLES:
        raise OptionsError(f"{len(args.style)} styles; at most {_MOST_STYLES} fit beside the moved latent.")
    engine = Engine(args.device, base=args.base, encoder=args.encoder, world=args.world, inverter=args.inverter)
    looks = [engine.resolve_styles(parse_blend(style, StyleLibrary().find)) for style in args.style]
    resolution = rendered_side(engine.generator.resolutions, args.resolution)
    target = GlobalLoss(engine.encoder, prompt)  # a text that the encoder does not know is refused before the photo is searched for faces
    aligned = engine.editor.align(args.photo, args.face, points)
    guide = engine.identity_guide(IDENTITY[args.identity]) if options.identity_weight else None
    out = output_folder(args.out)
    styles = [StyleToFit(number, given(style), share) for number, (style, share) in enumerate(part for look in looks for part in look)]
    face = FaceToFit("photo", given(aligned), args.mode)
    # before the latent moves: what Ctrl-C keeps is then whole
    portrait, fits = _fitted(PhotoSession().steps(engine.editor, [face], styles), styles)
    worn = iter(fits)
    fitted = [[next(worn) for _ in look] for look in looks]
    steps = engine.latent_edit_steps(prompt, portrait.inversion, options=options, identity=False if guide is None else guide)
    last, log, interrupted = _moved(steps)
    if last is None:
        return 130
    (rebuilt,) = engine.editor.render(portrait, resolution=resolution)
    result = replace(portrait, inversion=Inversion(last.ws, portrait.inversion.offsets))
    (moved,) = engine.editor.render(result, resolution=resolution)
    styled = [engine.editor.render(portrait, parts, resolution=resolution)[0] for parts in fitted]
    outcome = _Outcome(portrait, last, rebuilt, moved, styled)
    _write(outcome, out, prompt, args.style, engine.world)
    write_bytes(out / "steps.jsonl", ("\n".join(log) + "\n").encode())
    facts = {
        "prompt": prompt,
        "steps": last.index,
        "interrupted": interrupted,
        **_measured(engine, outcome, target, args.style),
        "moved": round(last.moved, 4),
        "lr": options.lr,
        "l2_weight": options.l2_weight,
        "identity_term": guide is not None,
        "identity_weight": None if guide is None else options.identity_weight,
        "identity_loss": None if last.identity is None else round(last.identity, 4),
        "mode": args.mode,
        "seed": options.seed,
        "world": engine.world,
        "faces": len(aligned.faces),
        "face": aligned.face,
        "seconds": round(time.monotonic() - start, 1),
        "notes": engine.editor.notes(portrait),
    }
    write_bytes(out / "summary.json", json.dumps(facts, indent=2).encode())
    for note in facts["notes"]:
        print(note)
    print(
        f"{out / 'moved.png'}: similarity to the text {facts['similarity_before']} before, {facts['similarity_after']} after; distance to "
        f"the photo {facts['identity_inverted']} inverted, {facts['identity_moved']} moved (same person: below 0.6); "
        f"{_term(guide is not None, options, args.identity)}"
    )
    return 130 if interrupted else 0


def _term(guided: bool, options: LatentOptions, asked: str) -> str:
    """Say whether an identity term guided the latent, and if not, why not."""
    if guided:
        return f"identity term: ArcFace, weight {options.identity_weight:g}"
    if asked == "off" or not options.identity_weight:
        return "no identity term, as asked"
    found = state(ARCFACE)
    if found.status == "corrupt":
        return f"no identity term: ArcFace's file cannot be used: {found.detail}"
    return f"no identity term: ArcFace is not on this machine; `python -m nada_core fetch {ARCFACE}` brings it"


def _fitted(stages: EditStages, styles: Sequence[StyleToFit]) -> FittedPortrait:
    """Return the person and the styles fitted to them, one after the other."""
    for stage in stages:
        _tell(f"{stage.fraction:4.0%} {stage.stage}" + ("" if stage.style is None else f": {styles[stage.style].load().card.name[:20]}"))
    (made,) = stage.made
    return made


def _moved(steps: Iterator[LatentStep]) -> tuple[LatentStep | None, list[str], bool]:
    """Return the last step there was, a line for each, and whether Ctrl-C ended it."""
    latest: LatentStep | None = None
    log: list[str] = []
    interrupted = False
    try:
        with finishing_steps() as asked_to_stop:
            for latest in steps:
                log.append(json.dumps({key: getattr(latest, key) for key in ("index", "loss", "text", "moved", "identity", "lr")}))
                _tell(f"step {latest.index}/{latest.steps}  distance to the text {latest.text:.3f}")
                if asked_to_stop() and latest.index < latest.steps:
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        interrupted = True
        print("\ninterrupted: keeping the latent so far", file=sys.stderr)
    print(file=sys.stderr)
    return latest, log, interrupted


def _tell(line: str) -> None:
    print(f"\r{line:<60.60}", end="", file=sys.stderr, flush=True)


def _write(outcome: _Outcome, out: Path, prompt: str, styles: Sequence[str], world: str) -> None:
    label = download_metadata(f"latent moved towards: {prompt}", "1", world)
    aligned = outcome.portrait.aligned.crop.resize(outcome.moved.size, Image.Resampling.LANCZOS)
    save_png(aligned, out / "aligned.png")
    save_png(outcome.rebuilt, out / "inverted.png", label)
    save_png(outcome.moved, out / "moved.png", label)
    for number, (style, picture) in enumerate(zip(styles, outcome.styled, strict=True), 1):
        name = "styled.png" if number == 1 else f"styled_{number}.png"
        save_png(picture, out / name, download_metadata(style, "1", world))
    captions = ["photo", "rebuilt", "moved latent", *styles]
    row = [aligned, outcome.rebuilt, outcome.moved, *outcome.styled]
    save_png(side_by_side([row], captions, outcome.moved.width), out / "sheet.png", label)


@torch.no_grad()
def _measured(engine: Engine, outcome: _Outcome, target: GlobalLoss, styles: Sequence[str]) -> dict[str, Any]:
    """Measure the pictures as saved: cosine to the text (what StyleCLIP maximises) and dlib's distance to the photo."""

    def similarity(picture: Image.Image) -> float:
        embedding = engine.encoder.encode_image(to_tensor(picture).to(engine.device)).float()
        return round((embedding @ target.target.to(embedding)).item(), 4)

    def identity(picture: Image.Image) -> float:
        return engine.editor.scores(outcome.portrait, picture).identity

    entries = [
        {"style": style, "similarity": similarity(picture), "identity": identity(picture)}
        for style, picture in zip(styles, outcome.styled, strict=True)
    ]
    return {
        "similarity_before": similarity(outcome.rebuilt),
        "similarity_after": similarity(outcome.moved),
        "identity_inverted": outcome.portrait.identity,
        "identity_moved": identity(outcome.moved),
        "styles": entries,
    }
