"""What a sweep leaves behind: a table, a JSON file of all numbers and a contact sheet."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from nada_core.images.image_io import to_pil
from tests.whole.gates.faces import FaceSet
from tests.whole.gates.sweep import Result

__all__ = ["contact_sheet", "table", "write_numbers"]


def table(results: Sequence[Result]) -> str:
    """One line a style, its failed checks below it. ``person`` is the recogniser's distance, ``(own)`` the uncorrected sizes'."""
    heads = ("checks", "struct", "edges", "bg dE", "rms", "person", "1024", "(own)", "woven", "s")
    lines = [f"{'style':22s}" + "".join(f"{head:>7s}" for head in heads)]
    for result in results:
        sizes = result.consistency
        numbers = [result.median(name) for name in ("face.structure", "face.edges_alike", "background.dE", "image.rms", "face.identity")]
        numbers += [sizes.shown, sizes.generator, sizes.woven] if sizes else [math.nan] * 3
        cells = [f"{len(result.verdicts) - len(result.failures)}/{len(result.verdicts)}"]
        cells += ["-" if math.isnan(number) else f"{number:.{digits}f}" for number, digits in zip(numbers, (2, 2, 1, 2, 2, 3, 3, 2))]
        cells.append("-" if result.seconds is None else f"{result.seconds:.0f}")
        verdict = ("ok" if result.passed else "FAILED") + ("" if result.concept else " (general checks only)")
        lines.append(f"{result.name[:22]:22s}" + "".join(f"{cell:>7s}" for cell in cells) + f"  {verdict}")
        lines += [f"    {verdict}" for verdict in result.failures]
        lines += [f"    {failure}" for failure in (sizes.failures if sizes else ())]
        lines += [f"    note: {note}" for note in result.notes]
    return "\n".join(lines)


def write_numbers(results: Sequence[Result], path: Path) -> None:
    """Medians and verdicts as JSON."""
    data = {}
    for result in results:
        names = sorted({name for m in result.measures for name in m})
        data[result.name] = {
            "concept": result.concept,
            "passed": result.passed,
            "verdicts": [
                {"label": v.check.label, "passed": v.passed, "share": v.share, "median": v.median, "faces": v.faces}
                for v in result.verdicts
            ],
            "medians": {name: round(result.median(name), 3) for name in names},
            "consistency": vars(result.consistency) if result.consistency else None,
        }
    path.write_text(json.dumps(data, indent=1))


def contact_sheet(results: Sequence[Result], faces: FaceSet, *, side: int = 144, columns: int = 2, shown: int = 4) -> Image.Image:
    """A cell a style: its name, ``shown`` faces before, and below them the same faces after."""
    shown = min(shown, len(faces.before))
    title, gap = 18, 10
    wide, high = shown * side + gap, title + 2 * side + gap
    rows = -(-len(results) // columns)
    sheet = Image.new("RGB", (columns * wide, rows * high), "white")
    pen = ImageDraw.Draw(sheet)
    for index, result in enumerate(results):
        left, top = index % columns * wide, index // columns * high
        failed = len(result.failures) + (result.consistency is not None and not result.consistency.passed)
        caption, ink = (f"{result.name}   ({failed} checks failed)", "#b00000") if failed else (result.name, "black")
        pen.text((left + 2, top + 3), caption, fill=ink)
        for row, images in enumerate((faces.before, result.after)):
            for i in range(shown):
                picture = to_pil(torch.nan_to_num(images[i])).resize((side, side), Image.Resampling.LANCZOS)
                sheet.paste(picture, (left + i * side, top + title + row * side))
    return sheet
