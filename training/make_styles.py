"""Make the ready styles: each prompt's adaptation, its compact file and a thumbnail, under ``checkpoints/styles``.

python -m training.make_styles                          # all of PROMPTS
python -m training.make_styles --from runs/styles       # full files of that folder are used instead of new adaptations
python -m training.make_styles --prompts Joker zombie --steps 60 --out checkpoints/styles
python -m training.make_styles --work out/styles        # what is made is kept there: stopped, the same command goes on
python -m training.make_styles --prompts Joker --more 30  # trains the ready style further, by what its text asks for today
python -m training.make_styles --workers 2              # on Ray's workers (docs/sweep.md)
python -m training.make_styles --thumbnails             # only the pictures, of the styles that are there
"""

from __future__ import annotations

import argparse
import io
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from nada_core.adaptation.loop import AdaptOptions
from nada_core.assets.checksums import sha256_of
from nada_core.assets.program import program_digest
from nada_core.cluster.connect import add_cluster_flags
from nada_core.engine import Engine
from nada_core.errors import StyleError
from nada_core.generators.base import Generator
from nada_core.generators.rendering import render
from nada_core.images.image_io import to_pil
from nada_core.images.sheets import AI_NOTE
from nada_core.looks.prompts import SOURCE_PROMPTS, check_prompt
from nada_core.rows.fill import fill
from nada_core.rows.row import Input, Made, Row, RowStep, make_row
from nada_core.rows.run import InProcess
from nada_core.rows.where import executor_for
from nada_core.styles.files import Style, compact_style, load_style, save_style, slug, styled
from nada_core.styles.library import READY, THUMBNAIL_PSI, THUMBNAIL_SEED, THUMBNAIL_SIDE
from nada_core.system.files import write_bytes
from training.polish import polished

__all__ = ["PROMPTS", "fidelity", "full_style", "main", "thumbnail"]

#: What ships, the five of the source project first.
PROMPTS = (
    *SOURCE_PROMPTS,
    # characters
    *("zombie", "vampire", "clown", "evil clown", "devil", "ghost", "Hulk", "Na'vi", "Harley Quinn", "Pennywise", "Darth Maul", "Thanos"),
    *("Grinch", "Smurf", "Maleficent", "Wednesday Addams", "White Walker", "witch", "alien", "mummy", "skeleton", "sugar skull", "geisha"),
    *("mime", "elf", "tiger", "robot"),
    # faces, make-up, hair
    *("old person", "smile", "sunburnt", "gothic makeup"),
    *("green hair", "blue hair", "pink hair", "red hair", "rainbow hair"),
    # materials
    *("bronze statue", "marble statue", "gold", "copper statue", "wooden statue", "jade", "ice", "lava", "chocolate"),
    "porcelain doll",
    # paintings and drawings
    *("pencil sketch", "charcoal drawing", "oil painting", "watercolour", "Van Gogh painting", "Klimt", "cubism", "ukiyo-e", "pop art"),
    *("cartoon", "comic book", "anime", "stained glass"),
    # photographs and light
    *("sepia photograph", "black and white", "infrared photo", "thermal camera", "neon", "cyberpunk", "moonlight"),
)
THUMBNAIL_BYTES = 20_000
#: The faces on which the compact file is compared with the full one: no adaptation trains on them by design.
CHECK_SEEDS = (901, 902, 903, 904)
#: Of a file.
READY_BYTES = 300_000
LEAST_PSNR = 38.0
#: A compact style farther from the full one than this is trained a little (:mod:`training.polish`).
POLISHED_BELOW = 38.5


def ready_file(prompt: str) -> Path:
    """The file of a prompt's ready style."""
    return READY / f"{slug(prompt)}.safetensors"


def full_file(prompt: str, folder: Path | None) -> Path | None:
    """The file of a prompt's full style in ``folder``; None where it has none."""
    if folder is None:
        return None
    names = (slug(prompt), slug(prompt.replace(chr(39), "")))  # "Na'vi" as navi
    return next((path for path in (folder / f"{name}.safetensors" for name in names) if path.is_file()), None)


def full_style(engine: Engine, prompt: str, steps: int, folder: Path | None, *, more: bool = False) -> Style:
    """The style from ``folder`` where it has one, else from a new adaptation; with ``more`` it begins at the ready style.

    Raises:
        StyleError: the file is damaged, or holds another prompt.
    """
    path = full_file(prompt, folder)
    if path is not None:
        style = load_style(path)
        if style.card.prompt != check_prompt(prompt):
            raise StyleError(f"'{path.name}' was made for '{style.card.prompt[:60]}', not for '{prompt}'. Remove it, or rename it.")
        return Style(replace(style.card, name=slug(prompt)), style.tensors)
    step, start = None, f"{slug(prompt)} 1" if more else ""
    for step in engine.adapt(prompt, options=AdaptOptions(steps=steps, start=start, preview_seconds=math.inf)):  # noqa: B007 (the last one is used)
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


def make(engine: Engine, prompt: str, steps: int, source: Path | None, out: Path, *, more: bool = False) -> str:
    """Write ``<slug>.safetensors`` and ``<slug>.jpg``; returns a line about them.

    Raises:
        StyleError: the compact style does not look like the full one.
    """
    full = full_style(engine, prompt, steps, source, more=more)
    compact = compact_style(full, engine.generator, READY_BYTES)
    close = fidelity(engine.generator, full, compact)
    if close < POLISHED_BELOW:
        compact = polished(engine.generator, full, compact)
        close = fidelity(engine.generator, full, compact)
    if close < LEAST_PSNR:
        raise StyleError(f"The compact style '{prompt}' is {close:.1f} dB from the full one; at least {LEAST_PSNR:.0f} are asked for.")
    picture = thumbnail(engine.generator, compact)
    path = save_style(compact, out / f"{slug(prompt)}.safetensors")
    write_bytes(path.with_suffix(".jpg"), picture)
    similarity = "" if full.card.similarity is None else f", similarity {full.card.similarity:.2f}"
    return f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {close:.1f} dB, thumbnail {len(picture) / 1000:.0f} kB{similarity}"


class StyleWork:
    """Makes the style of a row (:func:`style_rows`)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __call__(self, row: Row) -> Iterator[RowStep]:
        with tempfile.TemporaryDirectory(prefix="nada-styles-") as folder:
            source, out = Path(folder) / "full", Path(folder) / "out"
            source.mkdir()
            for name, file in row.inputs.items():
                (source / name).write_bytes(file.content)
            line = make(self.engine, row.settings["prompt"], row.settings["steps"], source, out, more=bool(row.settings["begun"]))
            yield RowStep(1.0, "done", Made({path.name: path.read_bytes() for path in out.iterdir()}, {"line": line}))


def open_work() -> StyleWork:
    """What loads the work on a worker."""
    return StyleWork(Engine())


def style_rows(prompts: Sequence[str], steps: int, source: Path | None, base_hash: str, *, more: bool = False) -> list[Row]:
    """A row for each prompt; where the program, the generator or the style that it begins at changes, it is another row."""
    code, rows = program_digest(), []
    for prompt in prompts:
        path = full_file(prompt, source)
        inputs = {} if path is None else {path.name: Input(path.read_bytes())}
        begun = sha256_of(ready_file(prompt)) if more else ""
        rows.append(make_row(prompt, {"prompt": prompt, "steps": steps, "begun": begun}, inputs, base=base_hash, code=code))
    return rows


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
    parser.add_argument("--more", type=int, default=0, metavar="STEPS", help="begin at the ready styles and train so many steps")
    parser.add_argument("--from", dest="source", type=Path, default=None, help="folder of full styles, <slug>.safetensors")
    parser.add_argument("--out", type=Path, default=READY)
    parser.add_argument(
        "--work", type=Path, default=None, metavar="DIR", help="keep what is made here too: it is not made again after a stop"
    )
    add_cluster_flags(parser)
    parser.add_argument("--thumbnails", action="store_true", help="only make the thumbnails of the styles in --out anew")
    args = parser.parse_args(argv)
    if args.source is not None and not args.source.is_dir():
        parser.error(f"--from: there is no folder '{args.source}'")
    if args.more and (unknown := [prompt for prompt in args.prompts if not ready_file(prompt).is_file()]):
        parser.error(f"--more: there is no ready style of '{unknown[0]}' to begin at. Make it without --more first.")
    engine = Engine()
    if args.thumbnails:
        for prompt in args.prompts:
            print(remake_thumbnail(engine, prompt, args.out), flush=True)
        return 0
    rows, failed = style_rows(args.prompts, args.more or args.steps, args.source, engine.base_hash, more=bool(args.more)), 0
    with tempfile.TemporaryDirectory(prefix="nada-styles-") as scratch, executor_for(args.workers, args.cluster) as executor:
        work = (lambda: StyleWork(engine)) if isinstance(executor, InProcess) else open_work
        for entry in fill(args.work or Path(scratch), rows, work, executor):
            if entry.kept is None:
                failed += 1
                print(f"{entry.row.title}: {entry.error}", file=sys.stderr, flush=True)
                continue
            for path in sorted(entry.kept.folder.glob(f"{slug(entry.row.title)}.*")):
                write_bytes(args.out / path.name, path.read_bytes())
            print(entry.kept.facts["line"], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
