"""Pictures side by side with their captions: what people keep and show."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

__all__ = ["AI_NOTE", "download_metadata", "side_by_side"]

AI_NOTE = "AI-generated: a face edited by a neural network, not a photograph."
_INK, _PAPER = (27, 23, 38), (255, 255, 255)


def side_by_side(rows: Sequence[Sequence[Image.Image]], captions: Sequence[str], side: int = 256) -> Image.Image:
    """Rows of pictures under one row of captions, each ``side`` x ``side``, with the AI mark at the foot.

    Raises:
        ValueError: rows of different lengths, or as many captions as there are not columns.
    """
    columns = len(captions)
    if not rows or any(len(row) != columns for row in rows):
        raise ValueError(f"every row needs {columns} pictures, one a caption")
    gap, head, foot = max(4, side // 48), max(18, side // 10), max(14, side // 14)
    sheet = Image.new("RGB", (columns * (side + gap) + gap, head + len(rows) * (side + gap) + foot), _PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = (ImageFont.load_default(size) for size in (0.62 * head, 0.62 * foot))
    for column, caption in enumerate(captions):
        x = gap + column * (side + gap)
        draw.text((x + side / 2, head / 2), _fitted(draw, caption, large, side), _INK, large, "mm")
        for row, pictures in enumerate(rows):
            sheet.paste(pictures[column].convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (x, head + row * (side + gap)))
    draw.text((gap, sheet.height - foot / 2), _fitted(draw, AI_NOTE, small, sheet.width - 2 * gap), _INK, small, "lm")
    return sheet


def download_metadata(style: str, strength: str, world: str) -> dict[str, str]:
    """Text entries for every picture a person takes away: made by AI, with what."""
    return {"Software": "StyleGAN-NADA demo", "Comment": AI_NOTE, "Style": style, "Strength": strength, "World": world}


def _fitted(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """The text, cut with an ellipsis where it is too wide."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text + "…"
