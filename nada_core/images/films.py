"""Make short looping GIFs: any frames, or a strength ramp from the person to the style and back."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from nada_core.system.files import write_bytes

__all__ = ["gif_bytes", "ramp", "save_gif", "save_loop"]


def ramp(count: int = 14, peak: float = 1.0) -> list[float]:
    """Return ``count`` strengths from 0 up to ``peak``, slow at both ends; the way back is these in reverse.

    Raises:
        ValueError: fewer than two.
    """
    if count < 2:
        raise ValueError(f"a ramp needs at least 2 pictures, got {count}")
    return [peak * 0.5 * (1 - math.cos(math.pi * i / (count - 1))) for i in range(count)]


def _loop_bytes(frames: Sequence[Image.Image], times: Sequence[int], comment: str) -> bytes:
    """Return an endless GIF of frames of one size, each for its time in ms. All share one palette: with one each they flicker."""
    width, height = (max(side // 2, 1) for side in frames[0].size)
    columns = math.ceil(math.sqrt(len(frames)))
    montage = Image.new("RGB", (columns * width, math.ceil(len(frames) / columns) * height))
    for index, frame in enumerate(frames):
        montage.paste(frame.resize((width, height)), (index % columns * width, index // columns * height))
    palette = montage.quantize(256, Image.Quantize.MEDIANCUT)
    first, *others = (frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames)
    target = io.BytesIO()
    first.save(target, "GIF", save_all=True, append_images=others, duration=list(times), loop=0, comment=comment.encode(), optimize=False)
    return target.getvalue()


def gif_bytes(frames: Sequence[Image.Image], comment: str, *, seconds: float = 0.08, rest: float = 0.9) -> bytes:
    """Return an endless GIF that plays ``frames`` forth and back, resting at both ends.

    Args:
        frames: at least two, of equal size.
        comment: stored in the file; say here that the pictures are made by AI.
        seconds: a frame's time; ``rest``: the first one's and the last one's.
    """
    shown = (*frames, *frames[-2:0:-1])
    times = [int(1000 * seconds)] * len(shown)
    times[0] = times[len(frames) - 1] = int(1000 * rest)
    return _loop_bytes(shown, times, comment)


def save_loop(frames: Sequence[Image.Image], path: Path, comment: str, seconds: float = 0.08) -> None:
    """Write frames of one size as a GIF that repeats for ever, complete or not at all.

    Args:
        comment: stored in the file; say here that the pictures are made by AI.
        seconds: a frame's time.

    Raises:
        NadaError: the file cannot be written.
    """
    write_bytes(path, _loop_bytes(frames, [int(1000 * seconds)] * len(frames), comment))


def save_gif(frames: Sequence[Image.Image], path: Path, comment: str) -> None:
    """Write what :func:`gif_bytes` makes of frames as a file, complete or not at all.

    Raises:
        NadaError: the file cannot be written.
    """
    write_bytes(path, gif_bytes(frames, comment))
