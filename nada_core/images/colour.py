"""Turn pictures into sRGB, whichever way a file describes its colours: by an ICC profile or by numbers.

The numbers are those of ITU-T H.273 ("code points": the nclx box of HEIC and AVIF, PNG's cICP chunk) or PNG's gAMA and cHRM chunks. They
are put into a small ICC profile, so that both ways are one from there on. Only PQ and HLG, which have light above white, are tone-mapped.
"""

from __future__ import annotations

import contextlib
import functools
import io
import struct
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFilter

__all__ = ["ColourSpace", "coded_space", "icc_profile", "space_of", "to_srgb", "tone_map", "tone_map_back"]

Floats = NDArray[np.float64]

_D65, _DCI, _C = (0.3127, 0.3290), (0.314, 0.351), (0.310, 0.316)
_SRGB = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
#: H.273 colour primaries -> white, red, green, blue as x, y.
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: _SRGB,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (*_DCI, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_VIDEO = 2.4  # curve of the screens that video is made for (ITU-R BT.1886); cameras' own curves are never undone by viewers
#: H.273 transfer characteristics: curves by name, or the exponent that turns values into light.
_TRANSFERS: dict[int, str | float] = {
    1: _VIDEO, 4: 2.2, 5: 2.8, 6: _VIDEO, 8: 1.0, 11: _VIDEO, 12: _VIDEO, 13: "srgb", 14: _VIDEO, 15: _VIDEO, 16: "pq", 17: 2.6, 18: "hlg",
}  # fmt: skip
#: (a x + b) ^ g from d on, below that c x: sRGB's g, a, b, c, d.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.96422, 1.0, 0.82521])  # white of ICC's connection space

_WHITE = 203.0  # cd/m2 of a white sheet of paper in PQ and HLG: ITU-R BT.2408
_PEAK = 1000.0 / _WHITE  # where the shoulder ends: what HDR is mostly graded for
_SHOULDER = 0.65  # how soon it bends
_LUT_SIDE = 65


@dataclass(frozen=True)
class ColourSpace:
    """Hold what numbers say of a picture's colours.

    ``chromaticities`` are x and y of white, red, green and blue; ``transfer`` is a curve's name ("srgb", "pq", "hlg") or the
    exponent that turns values into light.
    """

    chromaticities: tuple[float, ...]
    transfer: str | float

    @property
    def is_hdr(self) -> bool:
        """Tell whether there is light above white."""
        return self.transfer in ("pq", "hlg")


def coded_space(primaries: int, transfer: int, *, photo: bool = False) -> ColourSpace | None:
    """Return the colour space of two H.273 code points; None where they say sRGB, nothing, or nothing known.

    Args:
        photo: the curve of video means sRGB's, as browsers and phones take it in HEIC and AVIF, where encoders write it by habit.
    """
    chromaticities, curve = _PRIMARIES.get(primaries, _SRGB), _TRANSFERS.get(transfer, "srgb")
    if photo and curve == _VIDEO:
        curve = "srgb"
    return None if chromaticities == _SRGB and curve == "srgb" else ColourSpace(chromaticities, curve)


def space_of(info: dict[Any, Any]) -> ColourSpace | None:
    """Return the colour space that a decoded picture's ``info`` describes by numbers; None for sRGB and where it does not.

    Looked at are ``cicp`` (the four bytes of PNG's chunk), ``nclx_profile`` (pillow-heif's form), ``gamma`` and ``chromaticity``.
    """
    if cicp := info.get("cicp"):
        return coded_space(cicp[0], cicp[1])
    if nclx := info.get("nclx_profile"):
        return coded_space(int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]), photo=True)
    gamma, chromaticities = info.get("gamma"), info.get("chromaticity")
    if "srgb" in info or not gamma or not 0.1 < gamma < 10:  # primaries without a curve are taken for sRGB's by browsers
        return None
    if chromaticities is None:
        near = abs(gamma - 1 / 2.2) < 0.01  # written for sRGB, whose curve it is about
        return None if near else ColourSpace(_SRGB, 1 / gamma)
    return ColourSpace(tuple(chromaticities), 1 / gamma)


def to_srgb(image: Image.Image) -> Image.Image:
    """Return an RGB, CMYK or grey picture as RGB in sRGB; one whose description cannot be used as if it were sRGB.

    PNG's cICP goes before a profile, a profile before all other numbers.
    """
    if "cicp" in image.info and len(image.info["cicp"]) == 4 and image.info["cicp"][3] == 0:
        image = _full_range(image)
    info = image.info
    profile = info.get("icc_profile")
    space = _space_in(profile) if profile and "cicp" not in info else space_of(info)
    if profile and space is None and "cicp" not in info:
        return _through(image, profile)
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    if space is None:
        return rgb
    if space.is_hdr:
        return rgb.filter(tone_map(space))
    try:
        return _through(rgb, icc_profile(space))
    except (ValueError, ArithmeticError, struct.error, np.linalg.LinAlgError):  # primaries that span no colours
        return rgb


def _full_range(image: Image.Image) -> Image.Image:
    """Return a picture whose values go from 16 to 235, as those of television do, with values from 0 to 255."""
    table = [min(max(round((value - 16) * 255 / 219), 0), 255) for value in range(256)]
    wide = image.point(table * len(image.getbands()))
    wide.info = dict(image.info)
    return wide


def icc_profile(space: ColourSpace) -> bytes:
    """Return an ICC profile (version 4, matrix and curves) of a space that is not HDR.

    Raises:
        ValueError, ArithmeticError, LinAlgError: its primaries span no colours.
    """
    columns = _to_d50(space.chromaticities).T
    name = "RGB".encode("utf-16-be")
    words = b"mluc" + struct.pack(">5I", 0, 1, 12, 0x656E5553, len(name)) + struct.pack(">I", 28) + name
    tags = {b"desc": words, b"cprt": words, b"wtpt": _xyz(_D50)}
    tags |= {key: _xyz(column) for key, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(space.transfer))
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        table += key + struct.pack(">2I", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50) + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


def _through(image: Image.Image, profile: bytes) -> Image.Image:
    """Turn a picture into sRGB through a profile; one that does not fit the picture is left out."""
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if embedded.profile.xcolor_space.strip() == "GRAY" and image.mode == "RGB":
            image = image.convert("L")  # where the picture is grey, its channels are the same
        converted = ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return cast(Image.Image, converted)
    return image if image.mode == "RGB" else image.convert("RGB")


def _space_in(profile: bytes) -> ColourSpace | None:
    """Return the space that a profile gives by code points (ICC 4.4's cicp) where it is HDR: its curves then say little."""
    with contextlib.suppress(struct.error):
        (count,) = struct.unpack_from(">I", profile, 128)
        for number in range(min(count, 100)):
            key, start, length = struct.unpack_from(">4s2I", profile, 132 + 12 * number)
            if key == b"cicp" and length >= 12:
                primaries, transfer = struct.unpack_from(">8x2B", profile, start)
                space = coded_space(primaries, transfer)
                return space if space is not None and space.is_hdr else None
    return None


def _to_xyz(chromaticities: tuple[float, ...]) -> Floats:
    """Return the matrix from linear RGB to XYZ, white having a luminance of 1."""
    xy = np.array(chromaticities, dtype=np.float64).reshape(4, 2)
    if not (xy[:, 1] > 0).all():
        raise ValueError("a colour without light")
    white, *colours = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in xy)
    matrix = np.stack(colours, axis=1)
    found: Floats = matrix * np.linalg.solve(matrix, white)
    if not np.isfinite(found).all():
        raise ValueError("these primaries span no colours")
    return found


def _to_d50(chromaticities: tuple[float, ...]) -> Floats:
    """Return the matrix from linear RGB to XYZ with white moved to D50."""
    matrix = _to_xyz(chromaticities)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ matrix.sum(1))
    adapted: Floats = np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD) @ matrix
    return adapted


def _fixed(values: Any) -> bytes:
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _xyz(values: Floats) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _curve(transfer: str | float) -> bytes:
    if isinstance(transfer, str):
        return b"para" + struct.pack(">IHH", 0, 3, 0) + _fixed(_SRGB_CURVE)
    return b"para" + struct.pack(">IHH", 0, 0, 0) + _fixed([transfer])


# -- light above white


@functools.lru_cache(maxsize=4)
def tone_map(space: ColourSpace) -> ImageFilter.Color3DLUT:
    """Return what turns a PQ or HLG picture into sRGB.

    As Chromium shows one on a screen without HDR (measured): paper white at half of the screen's light, straight up to there, then a
    shoulder up to 1000 cd/m2, the same factor for all three channels.
    """
    light = _light(_steps(), space)
    most = light.max(-1, keepdims=True)
    light = light * (_shoulder(most) / np.maximum(most, 1e-9))
    out = np.clip(light @ (np.linalg.inv(_to_d50(_SRGB)) @ _to_d50(space.chromaticities)).T, 0, 1)
    return _table(np.where(out <= 0.0031308, 12.92 * out, 1.055 * out ** (1 / 2.4) - 0.055))


@functools.lru_cache(maxsize=4)
def tone_map_back(space: ColourSpace) -> ImageFilter.Color3DLUT:
    """Return what turns sRGB into the PQ or HLG picture that :func:`tone_map` shows so."""
    values = _steps()
    out = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    shown = np.maximum(out @ (np.linalg.inv(_to_d50(space.chromaticities)) @ _to_d50(_SRGB)).T, 0)
    most = shown.max(-1, keepdims=True)
    return _table(_coded(shown * (_without_shoulder(most) / np.maximum(most, 1e-9)), space))


def _steps() -> Floats:
    steps = np.linspace(0, 1, _LUT_SIDE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # the table's red changes fastest
    return np.stack([red, green, blue], -1)


def _table(values: Floats) -> ImageFilter.Color3DLUT:
    return ImageFilter.Color3DLUT(_LUT_SIDE, values.reshape(-1, 3).ravel().tolist())


def _light(values: Floats, space: ColourSpace) -> Floats:
    """Return the light of PQ or HLG values ``[..., 3]`` in [0, 1]; 1 is paper white."""
    if space.transfer == "pq":  # SMPTE ST 2084
        power = values ** (1 / 78.84375)
        nits = 10000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        return nits / _WHITE
    a, b, c = 0.17883277, 0.28466892, 0.55991073  # ITU-R BT.2100, on a screen of 1000 cd/m2
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    luminance = scene @ _to_xyz(space.chromaticities)[1]
    return cast(Floats, scene * luminance[..., None] ** 0.2 * _PEAK)


def _coded(light: Floats, space: ColourSpace) -> Floats:
    """Return the PQ or HLG values of light, of which 1 is paper white: the way back from :func:`_light`."""
    if space.transfer == "pq":
        power = (light * _WHITE / 10000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    light = light / _PEAK
    luminance = (light @ _to_xyz(space.chromaticities)[1])[..., None]
    scene = light * np.maximum(luminance, 1e-9) ** (1 / 1.2 - 1)
    return np.clip(np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c), 0, 1)


def _shoulder(light: Floats) -> Floats:
    """Return light in [0, 1]: half of what it was up to paper white, then along a quadratic Bezier curve (SMPTE ST 2094-50's)."""
    return cast(Floats, np.where(light <= 1, light / 2, np.interp(light, *_bend())))


def _without_shoulder(shown: Floats) -> Floats:
    """Return the light that :func:`_shoulder` shows so."""
    light, seen = _bend()
    return cast(Floats, np.where(shown <= 0.5, shown * 2, np.interp(shown, seen, light)))


def _bend() -> tuple[Floats, Floats]:
    """Return points of the curve: light, and what is shown of it; both rise."""
    middle_x, middle_y = 1 + _SHOULDER, 0.5 + 0.5 * _SHOULDER
    t = np.linspace(0, 1, 1000)
    x = (1 - t) ** 2 + 2 * t * (1 - t) * middle_x + t**2 * _PEAK
    y = 0.5 * (1 - t) ** 2 + 2 * t * (1 - t) * middle_y + t**2
    return x, y
