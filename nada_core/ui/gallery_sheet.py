"""The comparison of styles on the same faces: as a part of the page, and as a zip of marked pictures."""

from __future__ import annotations

import io
import json
import math
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from .gallery_cards import data_url
from .text import slug, style_title

__all__ = ["MARK", "SheetRow", "sheet_html", "write_zip"]

MARK = "AI-generated: a face made by a neural network, not a photograph of anybody."
_LABEL, _GAP = 34, 8  # pixels of the contact sheet


@dataclass(frozen=True)
class SheetRow:
    """One style (or, without a card, the generator before any) on all faces; pictures and JPEGs are empty until it is rendered."""

    name: str
    card: Any = None
    images: Any = None  # tensor [N, 3, H, W] in [-1, 1]
    jpegs: tuple[bytes, ...] = ()

    @property
    def heading(self) -> str:
        """What stands above the row."""
        return style_title(self.name, self.card.prompt) if self.card is not None else "Without a style"


def sheet_html(rows: Sequence[SheetRow], seeds: Sequence[int]) -> str:
    """Rows of faces under their headings. Rows that are not rendered yet have their place already, so nothing moves."""
    if not rows:
        return (
            '<div class="sheet sheet-empty"><b>Compare on the same faces</b>'
            "<span>Choose one or more styles above. Every row is one style, every column one face.</span></div>"
        )
    parts = []
    for row in rows:
        cells = ""
        for column, seed in enumerate(seeds):
            if column < len(row.jpegs):
                alt = f"Face {seed}, {row.heading}"
                cells += f'<img src="{data_url(row.jpegs[column])}" alt="{escape(alt)}" width="256" height="256">'
            else:
                cells += "<span></span>"
        parts.append(f'<section><h3>{escape(row.heading)}</h3><div class="sheet-row">{cells}</div></section>')
    seeds_row = "".join(f"<span>Face {seed}</span>" for seed in seeds)
    return f'<div class="sheet" style="--faces:{len(seeds)}"><div class="sheet-row sheet-seeds">{seeds_row}</div>{"".join(parts)}</div>'


def write_zip(path: Path, rows: Sequence[SheetRow], seeds: Sequence[int], world: str, truncation_psi: float) -> None:
    """Every picture as PNG, a contact sheet, and the styles' cards as JSON, in one file.

    Raises:
        NadaError: the disk is full or read-only.
    """
    from ..files import write_bytes
    from ..images import save_png, to_pil
    from ..sheets import download_metadata

    target = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="nada-sheet-") as name, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        png = Path(name) / "picture.png"

        def add(image: Any, inside: str, style: str, faces: str) -> None:
            marks = {**download_metadata(style, "1.00", world), "Comment": MARK, "Seed": faces, "Truncation": f"{truncation_psi:g}"}
            save_png(image, png, marks)
            archive.write(png, inside)

        pictures = [[to_pil(image) for image in row.images.detach().cpu()] for row in rows]
        for number, (row, images) in enumerate(zip(rows, pictures)):
            for seed, image in zip(seeds, images):
                add(image, f"{number}-{slug(row.heading)}/seed-{seed}.png", row.name, str(seed))
        add(_contact_sheet(rows, pictures, seeds), "sheet.png", ", ".join(row.name for row in rows), ", ".join(map(str, seeds)))
        facts = {
            "note": MARK,
            "world": world,
            "seeds": list(seeds),
            "truncation_psi": truncation_psi,
            "styles": [_plain(asdict(row.card)) for row in rows if row.card is not None],
        }
        archive.writestr("cards.json", json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False))
    write_bytes(path, target.getvalue())


def _plain(value: Any) -> Any:
    """The same without numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _contact_sheet(rows: Sequence[SheetRow], pictures: Sequence[Sequence[Any]], seeds: Sequence[int]) -> Any:
    from PIL import Image, ImageDraw, ImageFont

    side = pictures[0][0].width
    sheet = Image.new("RGB", (len(seeds) * (side + _GAP) + _GAP, len(rows) * (side + _LABEL) + 3 * _LABEL), "white")
    draw, ink = ImageDraw.Draw(sheet), (27, 23, 38)
    large, small = ImageFont.load_default(20), ImageFont.load_default(14)
    for column, seed in enumerate(seeds):
        draw.text((_GAP + column * (side + _GAP) + side / 2, _LABEL / 2), f"seed {seed}", (101, 94, 118), small, "mm")
    for number, (row, images) in enumerate(zip(rows, pictures)):
        top = _LABEL + number * (side + _LABEL)
        draw.text((_GAP, top + _LABEL / 2), row.heading, ink, large, "lm")
        for column, image in enumerate(images):
            sheet.paste(image, (_GAP + column * (side + _GAP), top + _LABEL))
    draw.text((_GAP, sheet.height - _LABEL), MARK, (101, 94, 118), small, "lm")
    return sheet
