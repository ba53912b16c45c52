"""Parse, convert, mix and compare colours: hexadecimal and Lab notation, lighter and darker shades."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from nada_core.looks.look import Lab

__all__ = ["PALE_LIPS", "as_iris", "difference", "hexadecimal", "mixture", "parse_colour", "shifted"]

#: Lips without blood, and the lightest and greyest iris that has a colour: paler ones look blind.
PALE_LIPS: Lab = (72.0, 12.0, 10.0)
_LIGHTEST, _GREYEST = 76.0, 18.0
_HEX = re.compile(r"#([0-9a-fA-F]{6})$")
_LAB = re.compile(r"(-?\d+(?:\.\d+)?)/(-?\d+(?:\.\d+)?)/(-?\d+(?:\.\d+)?)$")
#: XYZ of the white point D65.
_WHITE = (0.95047, 1.0, 1.08883)


def _linear(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _curve(value: float) -> float:
    return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116


def parse_colour(text: str) -> Lab | None:
    """Return the colour written as ``#rrggbb`` or as ``L/a/b``, in Lab; None where ``text`` is neither."""
    if match := _LAB.match(text):
        light, a, b = (float(v) for v in match.groups())
        return light, a, b
    match = _HEX.match(text)
    if match is None:
        return None
    code = match.group(1)
    r, g, b = (_linear(int(code[i : i + 2], 16)) for i in (0, 2, 4))
    x = _curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / _WHITE[0])
    y = _curve(0.2126 * r + 0.7152 * g + 0.0722 * b)
    z = _curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / _WHITE[2])
    return round(116 * y - 16, 1), round(500 * (x - y), 1), round(200 * (y - z), 1)


def hexadecimal(colour: Lab) -> str:
    """Return a colour as ``#rrggbb``, the nearest that a screen can show."""
    light, a, b = colour
    y = (light + 16) / 116
    x, z = y + a / 500, y - b / 200
    x, y, z = (w * (v**3 if v**3 > 0.008856 else (v - 16 / 116) / 7.787) for w, v in zip(_WHITE, (x, y, z)))
    rows = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
    code = "#"
    for kx, ky, kz in rows:
        share = min(1.0, max(0.0, kx * x + ky * y + kz * z))
        share = 12.92 * share if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055
        code += f"{round(255 * share):02x}"
    return code


def shifted(colour: Lab, lightness: float, vividness: float = 1.0) -> Lab:
    """Return the colour ``lightness`` steps of L lighter (negative: darker) and ``vividness`` times as colourful."""
    light, a, b = colour
    return min(97.0, max(4.0, light + lightness)), a * vividness, b * vividness


def mixture(colours: Sequence[Lab]) -> Lab:
    """Return the mean of the colours in Lab."""
    count = len(colours)
    return (sum(c[0] for c in colours) / count, sum(c[1] for c in colours) / count, sum(c[2] for c in colours) / count)


def difference(one: Lab, other: Lab) -> float:
    """Return how far two colours lie apart; below about 45 people call both by one name ("red", "green")."""
    # lightness counts half: light green and dark green are both green
    return math.hypot((one[0] - other[0]) * 0.5, one[1] - other[1], one[2] - other[2])


def as_iris(colour: Lab) -> Lab:
    """Return a light colour as eyes can have it: "pale blue eyes" are blue."""
    light, a, b = colour
    chroma = math.hypot(a, b)
    if light <= _LIGHTEST or chroma < 4:
        return colour
    more = max(1.0, _GREYEST / chroma)
    return _LIGHTEST, round(a * more, 1), round(b * more, 1)
