"""Hold a film's frames as they are coded, brightness and colour apart: what is not changed in them stays as it is, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Box", "Colours", "Frame", "coded", "frame_of"]

Plane = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom, all even: half of them are edges in the planes of colour

_KNOWN_MATRICES = frozenset((1, 4, 5, 6, 7, 9))  # numbers of ITU-T H.273 that stand for a way from red, green and blue to brightness
_LIMITED = 1  # brightness from 16 to 235
_PLANAR = frozenset(("yuv420p", "yuvj420p"))  # coded as frames are held here


@dataclass(frozen=True)
class Colours:
    """Say what a film's numbers mean, by the numbers of ITU-T H.273; 2 is "not said"."""

    matrix: int = 2
    range: int = _LIMITED
    primaries: int = 2
    curve: int = 2

    def assumed(self, height: int) -> int:
        """Return the matrix to calculate with: where none is said, players take one by the frame's height."""
        if self.matrix in _KNOWN_MATRICES:
            return 5 if self.matrix == 6 else self.matrix  # two numbers, one matrix
        return 1 if height >= 720 else 5


@dataclass(frozen=True, eq=False)
class Frame:
    """Hold one upright frame.

    ``y`` is brightness ``[h, w]``, ``u`` and ``v`` colour ``[h / 2, w / 2]``, all uint8 and of even sizes; ``ticks`` is when it is shown,
    in units of the film's time base.
    """

    y: Plane
    u: Plane
    v: Plane
    ticks: int
    colours: Colours

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height."""
        return self.y.shape[1], self.y.shape[0]

    def picture(self, box: Box | None = None, size: tuple[int, int] | None = None) -> Image.Image:
        """Return the frame, or a box of it, as an RGB picture, of another size where one is given."""
        left, top, right, bottom = box or (0, 0, *self.size)
        half = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
        part = coded(self.y[top:bottom, left:right], self.u[half], self.v[half])
        width, height = size or (right - left, bottom - top)
        rgb = part.reformat(
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=self.colours.assumed(self.size[1]),
            src_color_range=self.colours.range,
            interpolation="BICUBIC" if width * height >= (right - left) * (bottom - top) else "AREA",
        )
        return Image.fromarray(rgb.to_ndarray())

    def painted(self, box: Box, picture: Image.Image, touched: NDArray[np.bool_]) -> Frame:
        """Return the frame with a picture in a box of it, where it is touched: ``[h, w]`` of the box."""
        import av

        rgb = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
        new = rgb.reformat(format="yuv420p", dst_colorspace=self.colours.assumed(self.size[1]), dst_color_range=self.colours.range)
        left, top, right, bottom = box
        height, width = touched.shape
        coarse = touched.reshape(height // 2, 2, width // 2, 2).any((1, 3))
        planes = []
        for plane, old, where, scale in zip(_planes(new), (self.y, self.u, self.v), (touched, coarse, coarse), (1, 2, 2)):
            whole = old.copy()
            part = whole[top // scale : bottom // scale, left // scale : right // scale]
            part[where] = plane[where]
            planes.append(whole)
        y, u, v = planes
        return Frame(y, u, v, self.ticks, self.colours)


def coded(y: Plane, u: Plane, v: Plane) -> Any:
    """Return planes of even sizes as an ``av.VideoFrame``."""
    import av

    height, width = y.shape
    flat = np.concatenate([np.ascontiguousarray(plane).ravel() for plane in (y, u, v)])
    return av.VideoFrame.from_ndarray(flat.reshape(height * 3 // 2, width), format="yuv420p")


def frame_of(decoded: Any, ticks: int, size: tuple[int, int], turn: int) -> Frame:
    """Return a decoded ``av.VideoFrame`` as an upright frame of 8 bits.

    Args:
        size: as it is coded, before it is turned: width and height; an odd one loses its last column or row.
        turn: quarter turns anticlockwise that set it upright, 0 to 3.
    """
    rgb = decoded.format.is_rgb or decoded.format.has_palette or decoded.colorspace == 0
    full = decoded.color_range == 2 or decoded.format.name.startswith("yuvj")
    colours = Colours(1 if rgb else int(decoded.colorspace), 2 if full and not rgb else _LIMITED)
    colours = Colours(colours.matrix, colours.range, int(decoded.color_primaries), int(decoded.color_trc))
    if decoded.format.name not in _PLANAR or any(abs(a - b) > 1 for a, b in zip((decoded.width, decoded.height), size)):
        whole = [side + side % 2 for side in size]
        decoded = decoded.reformat(
            width=whole[0],
            height=whole[1],
            format="yuv420p",
            src_colorspace=None if rgb else colours.assumed(size[1]),
            dst_colorspace=colours.assumed(size[1]),
            src_color_range=None if rgb else colours.range,
            dst_color_range=colours.range,
        )
    width, height = (side - side % 2 for side in size)
    y, u, v = _planes(decoded)
    planes = (y[:height, :width], u[: height // 2, : width // 2], v[: height // 2, : width // 2])
    y, u, v = (np.ascontiguousarray(np.rot90(plane, turn)) for plane in planes)
    return Frame(y, u, v, ticks, colours)


def _planes(frame: Any) -> list[Plane]:
    """Return copies of the three planes of an ``av.VideoFrame``, without what fills their lines."""
    found = []
    for plane in frame.planes:
        lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        found.append(lines[: plane.height, : plane.width].copy())
    return found
