"""Adapt texts drawn by lot, judge each on unseen faces, and write results.jsonl, table.md and sheet.jpg; what is done is not done again."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from nada_core.adaptation.loop import AdaptOptions
from nada_core.engine import Engine
from nada_core.images.image_io import to_pil
from nada_core.styles.files import Style, load_card, load_style
from tests.whole.gates.faces import FaceSet, unseen_faces
from tests.whole.gates.looks.judge import Judge
from tests.whole.gates.looks.prompts import mixed, single
from tests.whole.gates.looks.trial import DISTRACTORS, Tried, try_style

SHOWN = 5  # faces a row of the sheet
SIDE = 112


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.whole.gates.looks", description=__doc__)
    parser.add_argument("--single", type=int, default=200, help="names of the word lists")
    parser.add_argument("--mixed", type=int, default=60, help="mixtures")
    parser.add_argument("--prompts", nargs="+", default=None, help="these texts instead")
    parser.add_argument("--styles", type=Path, default=None, metavar="DIR", help="judge the style files of a folder, adapt nothing")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--faces", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0, help="of the lot")
    parser.add_argument("--out", type=Path, default=Path("out/looks"))
    return parser.parse_args(arguments)


def _row(prompt: str, pictures: torch.Tensor) -> Image.Image:
    row = Image.new("RGB", (SIDE * SHOWN, SIDE + 16), "white")
    for place, picture in enumerate(pictures[:SHOWN]):
        row.paste(to_pil(picture.clamp(-1, 1)).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (place * SIDE, 16))
    ImageDraw.Draw(row).text((4, 2), prompt[:80], fill="black")
    return row


def sheet(folder: Path, rows: list[Tried], columns: int = 3) -> Image.Image:
    """Put the rows of all texts on one sheet; what failed has a red mark."""
    high = math.ceil(len(rows) / columns)
    page = Image.new("RGB", (columns * (SIDE * SHOWN + 8), high * (SIDE + 18)), "white")
    for place, tried in enumerate(rows):
        corner = (place // high * (SIDE * SHOWN + 8), place % high * (SIDE + 18))
        page.paste(Image.open(_file(folder, tried.prompt)), corner)
        if not tried.passed:
            ImageDraw.Draw(page).rectangle(
                (corner[0] + SIDE * SHOWN - 12, corner[1] + 3, corner[0] + SIDE * SHOWN - 3, corner[1] + 12), fill="red"
            )
    return page


def table(rows: list[Tried], faces: FaceSet) -> str:
    """Return the results as Markdown: shares by kind, then what failed."""
    lines = [f"{len(faces.before)} unseen faces a text.", "", "| | texts | pass all | named by the judge |", "| --- | --- | --- | --- |"]
    for kind in sorted({row.kind for row in rows}):
        of = [row for row in rows if row.kind == kind]
        lines.append(f"| {kind} | {len(of)} | {sum(r.passed for r in of) / len(of):.0%} | {sum(r.place == 1 for r in of) / len(of):.0%} |")
    lines += ["", "| text | what failed |", "| --- | --- |"]
    lines += [f"| {row.prompt} | {'; '.join(failure.removeprefix('FAIL ') for failure in row.failures)} |" for row in rows if row.failures]
    return "\n".join(lines) + "\n"


def _file(folder: Path, prompt: str) -> Path:
    return folder / "rows" / f"{''.join(c if c.isalnum() else '-' for c in prompt)}.png"


def _kept(path: Path) -> list[Tried]:
    if not path.is_file():
        return []
    return [Tried(**(json.loads(line) | {"failures": tuple(json.loads(line)["failures"])})) for line in path.read_text().splitlines()]


def _adapted(engine: Engine, prompt: str, steps: int) -> Style:
    *_, last = engine.adapt(prompt, options=AdaptOptions(steps=steps, preview_seconds=math.inf))
    return last.style()


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    (options.out / "rows").mkdir(parents=True, exist_ok=True)
    names, mixtures = single(options.single, options.seed), mixed(options.mixed, options.seed)
    made: dict[str, Path] = {}
    if options.styles:
        made = {load_card(path).prompt: path for path in sorted(options.styles.glob("*.safetensors"))}
        jobs = [(prompt, "ready") for prompt in made]
    elif options.prompts:
        jobs = [(prompt, "given") for prompt in options.prompts]
    else:
        jobs = [*((prompt, "mixed") for prompt in mixtures), *((prompt, "single") for prompt in names)]
    engine = Engine("cpu")
    faces = unseen_faces(engine, range(883_001, 883_001 + options.faces), 0.7)
    critic, results = Judge(engine), options.out / "results.jsonl"
    rows = _kept(results)
    done = {row.prompt for row in rows}
    others = [prompt for prompt, _ in jobs] if len(jobs) > DISTRACTORS else [*names, *mixtures]
    for prompt, kind in jobs:
        if prompt in done:
            continue
        start = time.monotonic()
        style = load_style(made[prompt]) if prompt in made else _adapted(engine, prompt, options.steps)
        tried, pictures = try_style(engine, critic, prompt, kind, style, faces, others, time.monotonic() - start)
        _row(prompt, pictures).save(_file(options.out, prompt))
        with results.open("a") as stream:
            stream.write(json.dumps(tried.row()) + "\n")
        rows.append(tried)
        mark = "ok  " if tried.passed else "FAIL"
        print(f"{mark} {prompt} ({tried.seconds:.0f} s, place {tried.place}) {'; '.join(tried.failures)}", flush=True)
    (options.out / "table.md").write_text(table(rows, faces))
    sheet(options.out, rows).save(options.out / "sheet.jpg", quality=85)
    passed = sum(row.passed for row in rows)
    print(f"{passed} of {len(rows)} texts pass all their checks. Written: {options.out}/table.md, sheet.jpg")
    return 0 if passed >= 0.9 * len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
