"""Draw texts on faces that are shipped, in seconds, and print what was read: how a new word or a new drawing is looked at.

python -m training.draw_looks "pirate" "blue hair and a monocle"
python -m training.draw_looks --file texts.txt --out out/looks.png      # a text a line
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from nada_core.errors import PromptError
from nada_core.looks.drawing.draw import draw
from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.known_faces import portraits
from nada_core.looks.reading import read, sentence

__all__ = ["main", "sheet"]

SIDE, TITLE, COLUMNS = 176, 16, 3


def sheet(texts: Sequence[str], faces: Sequence[DrawnFace]) -> Image.Image:
    """Return a picture with a title and all faces for each text.

    Raises:
        PromptError: a text is empty, too long or has no words.
    """
    columns = min(COLUMNS, len(texts))
    rows = -(-len(texts) // columns)
    wide, high = SIDE * len(faces) + 8, SIDE + TITLE
    page = Image.new("RGB", (columns * wide, rows * high), "white")
    for place, text in enumerate(texts):
        x, y = place % columns * wide, place // columns * high
        ImageDraw.Draw(page).text((x + 2, y + 2), text[: wide // 7], fill="black")
        for number, face in enumerate(faces):
            drawn = Image.fromarray((draw(read(text).look, face, 1) * 255).round().astype(np.uint8))
            page.paste(drawn.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x + number * SIDE, y + TITLE))
    return page


def main(arguments: list[str] | None = None) -> int:
    """Draw the texts, print how each was read, and return an exit status: 1 where a text cannot be read at all."""
    parser = argparse.ArgumentParser(
        prog="python -m training.draw_looks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("texts", nargs="*")
    parser.add_argument("--file", type=Path, help="more texts, one a line")
    parser.add_argument("--faces", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/looks.png"))
    options = parser.parse_args(arguments)
    texts = [*options.texts, *(options.file.read_text(encoding="utf-8").splitlines() if options.file else ())]
    if not texts:
        parser.error("no texts: give some, or a file with --file")
    try:
        for text in texts:
            print(f"{text}: {sentence(read(text))}")
        page = sheet(texts, portraits(options.faces))
    except PromptError as error:
        print(error, file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    page.save(options.out)
    print(f"Written: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
