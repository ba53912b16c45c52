"""Make the ready styles: each prompt's adaptation, its compact file and a thumbnail, under ``checkpoints/styles``.

python -m training.make_styles                          # all of PROMPTS
python -m training.make_styles --from runs/styles       # full files of that folder are used instead of new adaptations
python -m training.make_styles --prompts Joker zombie --steps 60 --out checkpoints/styles
python -m training.make_styles --thumbnails             # only the pictures, of the styles that are there
"""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from nada_core.adaptation import AdaptOptions
from nada_core.checkpoints import Style, compact_style, load_style, save_style, slug, styled
from nada_core.engine import Engine
from nada_core.errors import StyleError
from nada_core.files import write_bytes
from nada_core.generators.base import Generator
from nada_core.images import to_pil
from nada_core.prompts import SOURCE_PROMPTS, check_prompt
from nada_core.rendering import render
from nada_core.sheets import AI_NOTE
from nada_core.styles import READY, THUMBNAIL_PSI, THUMBNAIL_SEED, THUMBNAIL_SIDE

__all__ = ["PROMPTS", "fidelity", "full_style", "main", "thumbnail"]

#: What ships, the five of the source project first.
PROMPTS = (
    *SOURCE_PROMPTS,
    "zombie",
    "vampire",
    "clown",
    "devil",
    "ghost",
    "Hulk",
    "Na'vi",
    "old person",
    "sunburnt",
    "pencil sketch",
    "oil painting",
    "watercolour",
    "robot",
    "cartoon",
    "neon",
    "sepia photograph",
    "black and white",
    "bronze statue",
    "marble statue",
    "gold",
    "green hair",
    "blue hair",
    "pink hair",
)
THUMBNAIL_BYTES = 20_000
#: The faces on which the compact file is compared with the full one: no adaptation trains on them by design.
CHECK_SEEDS = (901, 902, 903, 904)
LEAST_PSNR = 35.0


def full_style(engine: Engine, prompt: str, steps: int, folder: Path | None) -> Style:
    """The style from ``folder`` where it has one for this prompt, else from a new adaptation.

    Raises:
        StyleError: the file is damaged, or holds another prompt.
    """
    path = None if folder is None else folder / f"{slug(prompt)}.safetensors"
    if path is not None and not path.is_file():
        path = path.with_name(f"{slug(prompt.replace(chr(39), ''))}.safetensors")  # "Na'vi" as navi
    if path is not None and path.is_file():
        style = load_style(path)
        if style.card.prompt != check_prompt(prompt):
            raise StyleError(f"'{path.name}' was made for '{style.card.prompt[:60]}', not for '{prompt}'. Remove it, or rename it.")
        return Style(replace(style.card, name=slug(prompt)), style.tensors)
    step = None
    for step in engine.adapt(prompt, options=AdaptOptions(steps=steps, preview_seconds=math.inf)):  # noqa: B007 (the last one is used)
        pass
    assert step is not None
    return step.style(slug(prompt))


@torch.no_grad()
def pictures(generator: Generator, seeds: Sequence[int]) -> torch.Tensor:
    """Faces ``[N, 3, R, R]`` in [-1, 1] at the smallest size."""
    ws = generator.mapping(generator.sample_z(seeds), THUMBNAIL_PSI)
    return torch.cat([render(generator, row[None], generator.resolutions[0]) for row in ws]).clamp(-1, 1)


def fidelity(base: Generator, full: Style, compact: Style, seeds: Sequence[int] = CHECK_SEEDS) -> float:
    """Peak signal-to-noise ratio in dB of the compact style's pictures against the full one's; infinite when they are equal."""
    exact, close = (pictures(styled(base, style), seeds) for style in (full, compact))
    error = (close - exact).pow(2).mean().item()
    return 10 * math.log10(4 / error) if error else math.inf


def thumbnail(base: Generator, style: Style, seed: int = THUMBNAIL_SEED) -> bytes:
    """One face in the style, as the gallery draws it: a JPEG of 256 x 256 pixels and at most :data:`THUMBNAIL_BYTES`."""
    image = to_pil(pictures(styled(base, style), [seed])[0]).resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    for quality in (90, 85, 80, 70, 60, 45, 30):
        target = io.BytesIO()
        image.save(target, "JPEG", quality=quality, optimize=True, comment=AI_NOTE.encode())
        if target.tell() <= THUMBNAIL_BYTES:
            break
    return target.getvalue()


def make(engine: Engine, prompt: str, steps: int, source: Path | None, out: Path) -> str:
    """Write ``<slug>.safetensors`` and ``<slug>.jpg``; returns a line about them.

    Raises:
        StyleError: the compact style does not look like the full one.
    """
    full = full_style(engine, prompt, steps, source)
    compact = compact_style(full, engine.generator)
    close = fidelity(engine.generator, full, compact)
    if close < LEAST_PSNR:
        raise StyleError(f"The compact style '{prompt}' is {close:.1f} dB from the full one; at least {LEAST_PSNR:.0f} are asked for.")
    picture = thumbnail(engine.generator, compact)
    path = save_style(compact, out / f"{slug(prompt)}.safetensors")
    write_bytes(path.with_suffix(".jpg"), picture)
    similarity = "" if full.card.similarity is None else f", similarity {full.card.similarity:.2f}"
    return f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {close:.1f} dB, thumbnail {len(picture) / 1000:.0f} kB{similarity}"


def remake_thumbnail(engine: Engine, prompt: str, out: Path) -> str:
    """Write ``<slug>.jpg`` anew for the style that is there; returns a line about it.

    Raises:
        StyleError: no such style, or it is damaged.
    """
    path = out / f"{slug(prompt)}.safetensors"
    picture = thumbnail(engine.generator, load_style(path))
    write_bytes(path.with_suffix(".jpg"), picture)
    return f"{path.stem}.jpg: {len(picture) / 1000:.0f} kB"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", nargs="+", default=list(PROMPTS), help=f"default: all {len(PROMPTS)}")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--from", dest="source", type=Path, default=None, help="folder of full styles, <slug>.safetensors")
    parser.add_argument("--out", type=Path, default=READY)
    parser.add_argument("--thumbnails", action="store_true", help="only make the thumbnails of the styles in --out anew")
    args = parser.parse_args(argv)
    if args.source is not None and not args.source.is_dir():
        parser.error(f"--from: there is no folder '{args.source}'")
    engine = Engine()
    for prompt in args.prompts:
        if args.thumbnails:
            print(remake_thumbnail(engine, prompt, args.out), flush=True)
        else:
            print(make(engine, prompt, args.steps, args.source, args.out), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
