"""Make a short upright film of a face that changes, as phones show and share them: H.264 in MP4, nine to sixteen."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageEnhance, ImageFilter

from nada_core.images.transparency import on_white
from nada_core.system.files import write_bytes

__all__ = ["FRAMES_A_SECOND", "phone_film_bytes", "save_phone_film"]

_WIDTH, _HEIGHT = 720, 1280
FRAMES_A_SECOND = 30
_BETWEEN = 7  # pictures from one frame to the next, that one included
_REST = 24  # pictures that the first frame and the last one stay
_QUALITY = "20"  # x264's constant rate factor: lower is better, 18 cannot be told from the original
_BT709 = 1  # in every one of H.264's lists of colour


def phone_film_bytes(frames: Sequence[Image.Image], comment: str) -> bytes:
    """Return a film that goes from the first frame to the last, rests, and goes back; between two frames it fades.

    Args:
        frames: at least two, of equal size: the plain face first, the full style last.
        comment: stored in the file; say here that the pictures are made by AI.

    Raises:
        ValueError: fewer than two frames.
    """
    if len(frames) < 2:
        raise ValueError(f"a film needs at least 2 pictures, got {len(frames)}")
    with tempfile.TemporaryDirectory(prefix="nada-film-") as folder:  # a film that begins to play at once is written twice, as a file
        path = Path(folder) / "film.mp4"
        _encode(frames, path, comment)
        return path.read_bytes()


def _encode(frames: Sequence[Image.Image], path: Path, comment: str) -> None:
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        film.metadata["comment"] = comment
        stream = film.add_stream("libx264", rate=FRAMES_A_SECOND, options={"crf": _QUALITY, "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"  # what every phone plays
        stream.time_base = Fraction(1, FRAMES_A_SECOND)
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = 1  # of television: players expect it of yuv420p
        for picture in _pictures([_upright(on_white(frame)) for frame in frames]):
            frame = av.VideoFrame.from_image(picture).reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def save_phone_film(frames: Sequence[Image.Image], path: Path, comment: str) -> None:
    """Write what :func:`phone_film_bytes` makes of frames as a file, complete or not at all.

    Raises:
        NadaError: the file cannot be written.
    """
    write_bytes(path, phone_film_bytes(frames, comment))


def _pictures(frames: Sequence[Image.Image]) -> Iterator[Image.Image]:
    way = [*frames, *frames[-2::-1]]
    for here, there in itertools.pairwise(way):
        for _ in range(_REST if here in (frames[0], frames[-1]) else 0):
            yield here
        for step in range(1, _BETWEEN + 1):
            yield Image.blend(here, there, step / _BETWEEN)


def _upright(frame: Image.Image) -> Image.Image:
    """Return a frame whole, before a dim and blurred enlargement of itself that fills the screen."""
    scale = max(_WIDTH / frame.width, _HEIGHT / frame.height)
    small = frame.resize((max(round(frame.width * scale / 8), _WIDTH // 8), max(round(frame.height * scale / 8), _HEIGHT // 8)))
    left, top = (small.width - _WIDTH // 8) // 2, (small.height - _HEIGHT // 8) // 2
    small = small.crop((left, top, left + _WIDTH // 8, top + _HEIGHT // 8)).filter(ImageFilter.GaussianBlur(5))
    whole = ImageEnhance.Brightness(small.resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)).enhance(0.55)
    fit = min(_WIDTH / frame.width, _HEIGHT / frame.height)
    shown = frame.resize((max(round(frame.width * fit), 1), max(round(frame.height * fit), 1)), Image.Resampling.LANCZOS)
    whole.paste(shown, ((_WIDTH - shown.width) // 2, (_HEIGHT - shown.height) // 2))
    return whole
