"""Hold a film's frames as they are coded, brightness and colour apart: what is not changed in them stays as it is, bit for bit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nada_core.images.colour import ColourSpace, coded_space, tone_map, tone_map_back
from nada_core.images.transparency import on_white

__all__ = ["Box", "Colours", "Frame", "Turn", "coded", "frame_of", "turn_of"]

Plane = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom, all even: half of them are edges in the planes of colour

_KNOWN_MATRICES = frozenset((1, 4, 5, 6, 7, 9))  # numbers of ITU-T H.273 that stand for a way from red, green and blue to brightness
_LIMITED = 1  # brightness from 16 to 235
_PLANAR = frozenset(("yuv420p", "yuvj420p"))  # coded as frames are held here
_UNSAID = 2
_HDR_CURVES = frozenset((16, 18))  # PQ and HLG; phones film in them
_WIDE = 9  # primaries of ITU-R BT.2020, those of HDR


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

    def said(self, height: int) -> Colours:
        """Return the same with all that players would take by the frame's height."""
        if self.matrix in _KNOWN_MATRICES:
            return self
        coded = 1 if self.assumed(height) == 1 else 6  # ITU-R BT.709, or BT.601
        primaries, curve = (coded if number == _UNSAID else number for number in (self.primaries, self.curve))
        return replace(self, matrix=coded, primaries=primaries, curve=curve)

    @property
    def hdr(self) -> ColourSpace | None:
        """Return the space of colours that have light above white; None for all others."""
        return coded_space(_WIDE if self.primaries == _UNSAID else self.primaries, self.curve) if self.curve in _HDR_CURVES else None


@dataclass(frozen=True)
class Turn:
    """Say what sets a film upright: mirrored from left to right first, then so many quarter turns anticlockwise, 0 to 3."""

    quarters: int = 0
    mirrored: bool = False

    def of(self, plane: Plane) -> Plane:
        """Return a plane upright."""
        return np.ascontiguousarray(np.rot90(plane[:, ::-1] if self.mirrored else plane, self.quarters))


def turn_of(decoded: Any) -> Turn:
    """Return how players turn an ``av.VideoFrame``: its own ``rotation`` knows nothing of mirrors, as selfie cameras have them."""
    from av.sidedata.sidedata import Type

    matrix = decoded.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return Turn()
    a, b, _, c, d = (float(value) / 65536 for value in np.frombuffer(matrix, np.int32)[:5])
    mirrored = a * d < b * c
    angle = math.atan2(b, -a) if mirrored else math.atan2(-b, a)
    return Turn(round(angle / (math.pi / 2)) % 4, mirrored)


@dataclass(frozen=True, eq=False)
class Frame:
    """Hold one upright frame.

    ``y`` is brightness ``[h, w]``, ``u`` and ``v`` colour ``[h / 2, w / 2]``, all uint8 and of even sizes; ``ticks`` is when it is shown,
    in units of the film's time base, ``lasts`` how long, 0 where the film does not say.
    """

    y: Plane
    u: Plane
    v: Plane
    ticks: int
    colours: Colours
    lasts: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height."""
        return self.y.shape[1], self.y.shape[0]

    def picture(self, box: Box | None = None, size: tuple[int, int] | None = None) -> Image.Image:
        """Return the frame, or a box of it, as an RGB picture in sRGB, of another size where one is given; HDR as photos are shown."""
        rgb, space = self._rgb(box, size), self.colours.hdr
        return rgb if space is None else rgb.filter(tone_map(space))

    def _rgb(self, box: Box | None, size: tuple[int, int] | None = None) -> Image.Image:
        """Return the numbers of the frame, or of a box of it, as red, green and blue."""
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

        if (space := self.colours.hdr) is not None:
            # what is shown of HDR is less than there is: the change is added to what is there
            there, back = self._rgb(box), tone_map_back(space)
            before, after = (np.asarray(shown.filter(back), np.int16) for shown in (there.filter(tone_map(space)), picture))
            picture = Image.fromarray(np.clip(np.asarray(there) + (after - before), 0, 255).astype(np.uint8))
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
        return replace(self, y=y, u=u, v=v)


def coded(y: Plane, u: Plane, v: Plane) -> Any:
    """Return planes of even sizes as an ``av.VideoFrame``."""
    import av

    height, width = y.shape
    flat = np.concatenate([np.ascontiguousarray(plane).ravel() for plane in (y, u, v)])
    return av.VideoFrame.from_ndarray(flat.reshape(height * 3 // 2, width), format="yuv420p")


def frame_of(decoded: Any, ticks: int, size: tuple[int, int], turn: Turn) -> Frame:
    """Return a decoded ``av.VideoFrame`` as an upright frame of 8 bits, transparent places over white.

    Args:
        size: as it is coded, before it is turned: width and height; an odd one loses its last column or row.
        turn: what sets it upright.
    """
    lasts = int(decoded.duration or 0)
    decoded = _opaque(decoded)
    rgb = decoded.format.is_rgb or decoded.format.has_palette or decoded.colorspace == 0
    full = decoded.color_range == 2 or decoded.format.name.startswith("yuvj")
    colours = Colours(1 if rgb else int(decoded.colorspace), 2 if full and not rgb else _LIMITED)
    colours = Colours(colours.matrix, colours.range, int(decoded.color_primaries), int(decoded.color_trc))
    if turn.quarters % 2:  # what is not said depends on the height that the film had
        colours = colours.said(size[1])
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
    y, u, v = (turn.of(plane) for plane in planes)
    return Frame(y, u, v, ticks, colours, lasts)


def _opaque(decoded: Any) -> Any:
    """Return an ``av.VideoFrame`` with transparent places over white, as photos are read; another one as it is."""
    import av

    if len(decoded.format.components) not in (2, 4) and not decoded.format.has_palette:
        return decoded
    matrix = None if decoded.format.is_rgb or decoded.format.has_palette else Colours(int(decoded.colorspace)).assumed(decoded.height)
    picture = Image.fromarray(decoded.reformat(format="rgba", src_colorspace=matrix).to_ndarray())
    if picture.getchannel("A").getextrema() == (255, 255):
        return decoded
    return av.VideoFrame.from_ndarray(np.asarray(on_white(picture)), format="rgb24")


def _planes(frame: Any) -> list[Plane]:
    """Return copies of the three planes of an ``av.VideoFrame``, without what fills their lines."""
    found = []
    for plane in frame.planes:
        lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        found.append(lines[: plane.height, : plane.width].copy())
    return found
