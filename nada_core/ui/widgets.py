"""Small pieces of HTML whose shape never changes while they update: the page patches attributes in place, so nothing jumps or flickers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .text import identity_words

__all__ = ["identity_panel", "loss_chart", "progress"]

_WIDTH, _HEIGHT, _POINTS = 600.0, 120.0, 160


def progress(fraction: float, left: str, right: str = "", *, kind: str = "idle", note: str = "") -> str:
    """A bar with a word on either side. `kind`: idle, wait (moving stripes), run, good, bad. `note` is a second line, always reserved."""
    percent = round(100 * min(max(fraction, 0.0), 1.0), 1)
    return (
        f'<div class="progress progress-{kind}"><div class="progress-words">'
        f"<span>{escape(left)}</span><span>{escape(right)}</span></div>"
        f'<div class="bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}">'
        f'<i style="width:{percent}%"></i></div><p class="progress-note">{escape(note) or "&nbsp;"}</p></div>'
    )


def loss_chart(losses: Sequence[float], steps: int) -> str:
    """The loss so far as one line; the horizontal axis is all of the planned steps, so the line grows to the right instead of rescaling."""
    finite = [(index, value) for index, value in enumerate(losses, start=1) if value == value and abs(value) != float("inf")]
    top = max([value for _, value in finite], default=1.0) * 1.08 or 1.0
    stride = max(1, -(-len(finite) // _POINTS))
    shown = finite[::stride] + ([finite[-1]] if finite and (len(finite) - 1) % stride else [])
    across = max(steps - 1, 1)
    points = " ".join(f"{_WIDTH * (index - 1) / across:.1f},{_HEIGHT * (1 - max(value, 0) / top):.1f}" for index, value in shown)
    area = f"{points} {_WIDTH * (shown[-1][0] - 1) / across:.1f},{_HEIGHT:.0f} 0,{_HEIGHT:.0f}" if shown else ""
    now = f"{finite[-1][1]:.3f}" if finite else "&ndash;"
    lines = "".join(
        f'<line x1="0" x2="{_WIDTH:.0f}" y1="{_HEIGHT * part:.0f}" y2="{_HEIGHT * part:.0f}"></line>' for part in (0.25, 0.5, 0.75)
    )
    return (
        f'<figure class="chart"><figcaption><span>Distance to the look (loss)</span><b>{now}</b></figcaption>'
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none" role="img" aria-label="Loss, now {now}">'
        f'<g class="rules">{lines}</g><polygon points="{area}"></polygon><polyline points="{points}"></polyline></svg>'
        f'<div class="chart-feet"><span>step 1</span><span>step {steps}</span></div></figure>'
    )


def identity_panel(inverted: float | None = None, edited: float | None = None, *, empty: bool = False) -> str:
    """How much of the person is left, in words and as two bars (full = identical, tick = the usual limit of the same person)."""
    rows = []
    for title, value in (("Rebuilt by the generator", inverted), ("With the style", edited)):
        likeness = 0.0 if value is None else min(max(1 - value / 1.2, 0.0), 1.0)
        words = "after the first edit" if empty else identity_words(value)
        grade = "good" if value is None or value <= 0.45 else "fair" if value <= 0.6 else "weak"
        number = "" if value is None else f" <small>distance {value:.2f}</small>"
        rows.append(
            f'<div class="likeness"><div><b>{title}</b><span>{escape(words)}{number}</span></div>'
            f'<div class="bar bar-{grade}"><i style="width:{100 * likeness:.0f}%"></i><u></u></div></div>'
        )
    return f'<div class="identity">{"".join(rows)}</div>'
