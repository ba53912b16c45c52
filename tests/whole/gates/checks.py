"""One check: a number from :mod:`tests.whole.gates.measure`, a limit, and how many faces must meet it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.whole.gates.measure import Measures, hue_between

__all__ = ["Check", "Verdict", "above", "any_of", "below", "hue_in", "judge"]


@dataclass(frozen=True)
class Check:
    """``low <= measure <= high`` (on an arc where ``arc``), or any of ``options``.

    ``share`` of the faces on which the region is visible must meet it: by default three in four, since a person forgives one face in
    four (sunglasses, a hat, deep shadow) and no more.
    """

    label: str
    measure: str = ""
    low: float = -np.inf
    high: float = np.inf
    arc: bool = False
    options: tuple[Check, ...] = ()
    share: float = 0.75

    def holds(self, m: Measures) -> bool | None:
        """True or False for one face; None where it cannot be seen."""
        if self.options:
            answers = [answer for answer in (option.holds(m) for option in self.options) if answer is not None]
            return any(answers) if answers else None
        value = m.get(self.measure)
        if value is None:
            # not finite: nothing else could be measured, and nothing may pass
            return None if m.get("image.finite") == 1 else False
        if self.arc:
            return hue_between(value, self.low, self.high)
        return self.low <= value <= self.high

    def values(self, faces: Sequence[Measures]) -> list[float]:
        name = self.measure or self.options[0].measure
        return [m[name] for m in faces if name in m]


@dataclass(frozen=True)
class Verdict:
    """A check over several faces."""

    check: Check
    passed: bool
    share: float  # of the faces that meet it
    median: float  # of the (first) measure
    faces: int  # on which it could be seen

    def __str__(self) -> str:
        wanted = " or ".join(_limits(check) for check in self.check.options or (self.check,))
        mark = "ok  " if self.passed else "FAIL"
        return f"{mark} {self.check.label} ({wanted}: median {self.median:.2f}, met by {self.share:.0%} of {self.faces} faces)"


def _limits(check: Check) -> str:
    if check.arc:
        return f"{check.measure} from {check.low:g} to {check.high:g} degrees"
    low = f"{check.low:g} <= " if np.isfinite(check.low) else ""
    high = f" <= {check.high:g}" if np.isfinite(check.high) else ""
    return f"{low}{check.measure}{high}"


def judge(check: Check, faces: Sequence[Measures]) -> Verdict:
    """Whether enough faces meet a check. Seen on fewer than a third of them, it is not passed: nothing was shown."""
    answers = [answer for answer in (check.holds(m) for m in faces) if answer is not None]
    values = check.values(faces)
    share = float(np.mean(answers)) if answers else 0.0
    passed = len(answers) * 3 >= len(faces) and share >= check.share
    return Verdict(check, passed, share, float(np.median(values)) if values else float("nan"), len(answers))


def above(label: str, measure: str, low: float, share: float = 0.75) -> Check:
    return Check(label, measure, low=low, share=share)


def below(label: str, measure: str, high: float, share: float = 0.75) -> Check:
    return Check(label, measure, high=high, share=share)


def hue_in(label: str, measure: str, low: float, high: float) -> Check:
    """Hue angle on the arc from ``low`` up to ``high`` degrees in Lab."""
    return Check(label, measure, low=low, high=high, arc=True)


def any_of(label: str, *options: Check) -> Check:
    return Check(label, options=options)
