"""A strength ramp as a short looping film: from the person to the style and back."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from nada_core.files import write_bytes

__all__ = ["gif_bytes", "ramp", "save_gif"]


def ramp(count: int = 14, peak: float = 1.0) -> list[float]:
    """``count`` strengths from 0 up to ``peak``, slow at both ends, as the way there; the way back is the same in reverse.

    Raises:
        ValueError: fewer than two.
    """
    if count < 2:
        raise ValueError(f"a ramp needs at least 2 pictures, got {count}")
    return [peak * 0.5 * (1 - math.cos(math.pi * i / (count - 1))) for i in range(count)]


def gif_bytes(frames: Sequence[Image.Image], comment: str, *, seconds: float = 0.08, rest: float = 0.9) -> bytes:
    """An endless GIF that plays ``frames`` forth and back, resting at both ends.

    All frames share one palette taken from the first, middle and last, so that nothing flickers.

    Args:
        frames: at least two, of equal size.
        comment: stored in the file; say here that the pictures are made by AI.
        seconds: a frame's time; ``rest``: the first one's and the last one's.
    """
    strip = Image.new("RGB", (frames[0].width * 3, frames[0].height))
    for i, frame in enumerate((frames[0], frames[len(frames) // 2], frames[-1])):
        strip.paste(frame, (i * frame.width, 0))
    palette = strip.quantize(256, Image.Quantize.MEDIANCUT)
    shown = [f.convert("RGB").quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for f in (*frames, *frames[-2:0:-1])]
    times = [int(1000 * seconds)] * len(shown)
    times[0] = times[len(frames) - 1] = int(1000 * rest)
    target = io.BytesIO()
    shown[0].save(target, "GIF", save_all=True, append_images=shown[1:], duration=times, loop=0, comment=comment.encode(), optimize=False)
    return target.getvalue()


def save_gif(frames: Sequence[Image.Image], path: Path, comment: str) -> None:
    """:func:`gif_bytes` into a file, complete or not at all.

    Raises:
        NadaError: the file cannot be written.
    """
    write_bytes(path, gif_bytes(frames, comment))
