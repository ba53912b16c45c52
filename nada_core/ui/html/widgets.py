"""Draw bars, charts and panels in HTML whose shape stays while they update: the page patches attributes in place, nothing flickers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from nada_core.ui.html.text import identity_words
from nada_core.ui.jobs.views import LossCurve, Progress

__all__ = ["identity_panel", "likeness_bar", "likeness_words", "loss_chart", "progress_bar"]

_WIDTH, _HEIGHT, _POINTS = 600.0, 120.0, 160


def progress_bar(state: Progress) -> str:
    """Return the HTML of a progress bar: striped where progress is unknown; the line for a note always keeps its height."""
    percent = round(100 * min(max(state.fraction, 0.0), 1.0), 1)
    return (
        f'<div class="progress progress-{state.kind}"><div class="progress-words">'
        f"<span>{escape(state.headline)}</span><span>{escape(state.left)}</span></div>"
        f'<div class="bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}">'
        f'<i style="width:{percent}%"></i></div><p class="progress-note">{escape(state.note) or "&nbsp;"}</p></div>'
    )


def loss_chart(curve: LossCurve) -> str:
    """Draw the loss and, from 0 at the bottom to 1 at the top, similarity to the text direction, as two lines over all planned steps.

    The lines grow to the right instead of rescaling across. Values that are no finite numbers are left out.
    """
    losses, steps = curve.losses, curve.steps
    losses_shown, last = _points(losses)
    top = max([value for value in losses if math.isfinite(value)], default=1.0) * 1.08 or 1.0
    line = _polyline(losses_shown, top, steps)
    right = _WIDTH * (losses_shown[-1][0] - 1) / max(steps - 1, 1) if losses_shown else 0.0
    area = f"{line} {right:.1f},{_HEIGHT:.0f} 0,{_HEIGHT:.0f}" if line else ""
    similar_shown, similar = _points(curve.similarities)
    now, alike = (f"{value:.3f}" if value is not None else "&ndash;" for value in (last, similar))
    rules = "".join(
        f'<line x1="0" x2="{_WIDTH:.0f}" y1="{_HEIGHT * part:.0f}" y2="{_HEIGHT * part:.0f}"></line>' for part in (0.25, 0.5, 0.75)
    )
    return (
        '<figure class="chart"><figcaption>'
        f'<span class="key-loss">Distance to the look (loss) <b>{now}</b></span>'
        f'<span class="key-similar">Likeness to the words <b>{alike}</b></span></figcaption>'
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none" role="img" aria-label="Loss {now}, likeness {alike}">'
        f'<g class="rules">{rules}</g><polygon points="{area}"></polygon><polyline class="line-loss" points="{line}"></polyline>'
        f'<polyline class="line-similar" points="{_polyline(similar_shown, 1.0, steps)}"></polyline></svg>'
        f'<div class="chart-feet"><span>step 1</span><span>step {steps}</span></div></figure>'
    )


def _points(values: Sequence[float]) -> tuple[list[tuple[int, float]], float | None]:
    """Return at most about _POINTS of the finite values with their step, and the last of them."""
    finite = [(index, value) for index, value in enumerate(values, start=1) if math.isfinite(value)]
    stride = max(1, -(-len(finite) // _POINTS))
    shown = finite[::stride] + ([finite[-1]] if finite and (len(finite) - 1) % stride else [])
    return shown, finite[-1][1] if finite else None


def _polyline(shown: Sequence[tuple[int, float]], top: float, steps: int) -> str:
    across = max(steps - 1, 1)
    return " ".join(f"{_WIDTH * (index - 1) / across:.1f},{_HEIGHT * (1 - min(max(value, 0) / top, 1)):.1f}" for index, value in shown)


def likeness_bar(distance: float | None) -> str:
    """Draw an identity distance as a bar: full = identical, tick = the usual limit of the same person."""
    likeness = 0.0 if distance is None else min(max(1 - distance / 1.2, 0.0), 1.0)
    grade = "good" if distance is None or distance <= 0.45 else "fair" if distance <= 0.6 else "weak"
    return f'<div class="bar bar-{grade}"><i style="width:{100 * likeness:.0f}%"></i><u></u></div>'


def likeness_words(distance: float | None) -> str:
    """Say an identity distance in words and as a number."""
    number = "" if distance is None else f" <small>distance {distance:.2f}</small>"
    return f"<span>{escape(identity_words(distance))}{number}</span>"


def identity_panel(
    inverted: float | None = None,
    edited: float | None = None,
    error: float | None = None,
    *,
    each: Sequence[float | None] = (),
) -> str:
    """Show how much of the person is left, in words and as two bars.

    ``error`` is the rebuilt picture's RMS error in [0, 2]. Where the values are means over several faces, ``each`` has the single
    distances with the style.
    """
    rows = []
    for title, value in (("Rebuilt by the generator", inverted), ("With the style", edited)):
        rows.append(f'<div class="likeness"><div><b>{title}</b>{likeness_words(value)}</div>{likeness_bar(value)}</div>')
    if each:
        values = ", ".join("–" if value is None else f"{value:.2f}" for value in each)
        rows.append(f'<p class="quiet">Means of {len(each)} faces. With the style, largest face first: {values}.</p>')
    exact = "" if error is None else f'<p class="quiet">Rebuilt pixels are off by {127.5 * error:.0f} of 255 on average.</p>'
    return f'<div class="identity">{"".join(rows)}{exact}</div>'
