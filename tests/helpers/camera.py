"""A camera for Chromium that shows a film."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from nada_core.assets.shipped import PORTRAIT

__all__ = ["ALLOWED", "camera_film", "portrait", "showing"]

#: Arguments of a Chromium that has a camera and gives it to every page.
ALLOWED = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def showing(film: Path) -> tuple[str, ...]:
    """Return arguments of a Chromium whose camera shows a film, over and over."""
    return (*ALLOWED, f"--use-file-for-fake-video-capture={film}")


def portrait() -> Image.Image:
    """Return the astronaut as near to a camera as the mirror wants faces."""
    return Image.open(PORTRAIT).convert("RGB").crop((112, 3, 337, 228))


def camera_film(picture: Image.Image, path: Path, size: tuple[int, int] = (640, 480), frames: int = 2) -> Path:
    """Write a y4m film whose frames are one picture, as high as the film, in the middle: two, since a still camera's time must go on."""
    width, height = size
    frame = Image.new("RGB", size, (120, 130, 140))
    shown = picture.convert("RGB").resize((round(picture.width * height / picture.height), height))
    frame.paste(shown, ((width - shown.width) // 2, 0))
    y, cb, cr = frame.convert("YCbCr").split()
    half = (width // 2, height // 2)
    planes = b"".join(plane.tobytes() for plane in (y, cb.resize(half), cr.resize(half)))
    path.write_bytes(b"YUV4MPEG2 W%d H%d F15:1 Ip A1:1 C420jpeg\n" % size + (b"FRAME\n" + planes) * frames)
    return path
