"""Put pictures side by side with their captions, or into one archive, for people to keep and show."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from nada_core.images.image_io import save_png
from nada_core.system.files import write_bytes

__all__ = ["AI_NOTE", "download_metadata", "side_by_side", "zip_pictures"]

AI_NOTE = "AI-generated: a face edited by a neural network, not a photograph."
_INK, _PAPER = (27, 23, 38), (255, 255, 255)


def side_by_side(
    rows: Sequence[Sequence[Image.Image]], captions: Sequence[str], side: int = 256, headings: Sequence[str] = (), note: str = AI_NOTE
) -> Image.Image:
    """Put rows of pictures under one row of captions, each ``side`` x ``side``, with the AI mark at the foot.

    Args:
        rows: the pictures.
        captions: one a column.
        side: pixels.
        headings: one above each row, or none.
        note: the mark.

    Raises:
        ValueError: rows of different lengths, or as many captions as there are not columns.
    """
    columns = len(captions)
    if not rows or any(len(row) != columns for row in rows):
        raise ValueError(f"every row needs {columns} pictures, one a caption")
    gap, head, foot = max(4, side // 48), max(18, side // 10), max(14, side // 14)
    above = head if headings else 0
    sheet = Image.new("RGB", (columns * (side + gap) + gap, head + len(rows) * (above + side + gap) + foot), _PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = (ImageFont.load_default(size) for size in (0.62 * head, 0.62 * foot))
    for column, caption in enumerate(captions):
        x = gap + column * (side + gap)
        draw.text((x + side / 2, head / 2), _fitted(draw, caption, large, side), _INK, large, "mm")
        for row, pictures in enumerate(rows):
            y = head + row * (above + side + gap) + above
            sheet.paste(pictures[column].convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (x, y))
    for row, heading in enumerate(headings):
        middle = head + row * (above + side + gap) + above / 2
        draw.text((gap, middle), _fitted(draw, heading, large, sheet.width - 2 * gap), _INK, large, "lm")
    draw.text((gap, sheet.height - foot / 2), _fitted(draw, note, small, sheet.width - 2 * gap), _INK, small, "lm")
    return sheet


def download_metadata(style: str, strength: str, world: str) -> dict[str, str]:
    """Return text entries for every picture a person takes away: made by AI, with what."""
    return {"Software": "StyleGAN-NADA demo", "Comment": AI_NOTE, "Style": style, "Strength": strength, "World": world}


def zip_pictures(
    path: Path, pictures: Iterable[tuple[str, Image.Image, Mapping[str, str]]], texts: Mapping[str, str] | None = None
) -> None:
    """Write pictures (name inside, picture, text entries) as PNG files into one archive, and ``texts`` by their names.

    Raises:
        NadaError: the disk is full or read-only.
    """
    target = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="nada-zip-") as folder, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        png = Path(folder) / "picture.png"
        for name, picture, metadata in pictures:
            save_png(picture, png, metadata)
            archive.write(png, name)
        for name, text in (texts or {}).items():
            archive.writestr(name, text)
    write_bytes(path, target.getbuffer())


def _fitted(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """Return the text, cut with an ellipsis where it is too wide."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text + "…"
