"""Draw small line charts as inline SVG: no script, colours from the page's own style, sharp in print."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Line", "chart", "smooth"]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 300, 170, 38, 8, 10, 30


@dataclass(frozen=True)
class Line:
    """Hold the ``(step, value)`` points of a line; ``style`` is a class of the page's style sheet; a label appears in the legend."""

    points: Sequence[tuple[float, float]]
    style: str
    label: str = ""


def smooth(values: Sequence[float | None], width: int = 9) -> list[tuple[float, float]]:
    """Return a running mean over the steps, counted from 1; missing values are left out."""
    found = []
    for index in range(len(values)):
        window = [v for v in values[max(0, index - width // 2) : index + width // 2 + 1] if v is not None]
        if window:
            found.append((index + 1.0, sum(window) / len(window)))
    return found


def chart(title: str, lines: Sequence[Line], steps: int, marks: Sequence[tuple[float, str]] = ()) -> str:
    """Draw one chart from step 0 to ``steps``. ``marks`` are horizontal lines with a word; without any point it is a note."""
    values = [value for line in lines for _, value in line.points]
    name = html.escape(title)
    if not values:
        return f'<figure class="chart"><p>{name}: not measured.</p></figure>'
    low, high = min([*values, 0.0]), max([*values, *(value for value, _ in marks)])
    high = high if high > low else low + 1.0
    high += 0.05 * (high - low)

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / max(steps, 1)

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}">']
    for value in _ticks(low, high):
        parts.append(f'<path class="grid" d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{y(value) + 3:.1f}" text-anchor="end">{value:g}</text>')
    for step in (0, steps // 2, steps):
        parts.append(f'<text x="{x(step):.1f}" y="{_HEIGHT - _BOTTOM + 13}" text-anchor="middle">{step}</text>')
    for value, word in marks:
        parts.append(f'<path class="mark" d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT}" y="{y(value) - 3:.1f}" text-anchor="end">{html.escape(word)}</text>')
    for line in lines:
        path = " ".join(f"{'L' if i else 'M'}{x(step):.1f} {y(value):.1f}" for i, (step, value) in enumerate(line.points))
        parts += [f'<path class="{line.style}" d="{path}"/>'] if path else []
    place = float(_LEFT)
    for line in lines:
        if line.label:
            parts.append(f'<path class="{line.style}" d="M{place:.0f} {_HEIGHT - 6}h14"/>')
            parts.append(f'<text x="{place + 18:.0f}" y="{_HEIGHT - 3}">{html.escape(line.label)}</text>')
            place += 30 + 5.2 * len(line.label)
    parts.append("</svg>")
    return f'<figure class="chart"><figcaption>{name}</figcaption>{"".join(parts)}</figure>'


def _ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return round numbers between low and high."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 10) for index in range(first, math.floor(high / step + 1e-9) + 1)]
