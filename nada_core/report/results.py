"""What one run of the report found: plain values that go to JSON and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["PhotoScore", "Probe", "RunResult"]


@dataclass(frozen=True)
class Probe:
    """The faces after one step, means over all of them.

    Attributes:
        similarity: directional similarity with the run's own text.
        closeness: directional similarity with "Joker", whatever the run's text.
        identity: dlib's distance to the face before (0.6: limit of the same person); None where no face was found.
        diversity: pairwise perceptual distance relative to the faces before, 1 as before.
        change: zone of the face to colour change (CIE Lab); empty where no face was found.
        lips: how much redder the lips became against the skin (CIE Lab a*); None where no face was found.
        smile: how much wider the mouth became, as a share, by landmarks found anew; None where none were, or not looked for.
    """

    step: int
    similarity: float
    closeness: float
    diversity: float
    identity: float | None = None
    change: dict[str, float] = field(default_factory=dict)
    lips: float | None = None
    smile: float | None = None


@dataclass(frozen=True)
class PhotoScore:
    """dlib's distance to the photo: of the inversion, of the state at half the steps, of the last state."""

    name: str
    inverted: float
    half: float
    final: float


@dataclass(frozen=True)
class RunResult:
    """All numbers of one run; pictures lie beside it in the run's folder."""

    name: str
    title: str
    prompt: str
    changed: str
    half: int
    steps: int
    rate: float
    layers: str
    pool: int | None
    losses: tuple[float | None, ...]
    probes: tuple[Probe, ...]
    training_similarity: float | None
    photos: tuple[PhotoScore, ...]
    samples: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def final(self) -> Probe:
        """The faces after the last step."""
        return self.probes[-1]

    def at(self, step: int) -> Probe | None:
        """The faces after a step, None where they were not measured."""
        return next((probe for probe in self.probes if probe.step == step), None)

    def to_json(self) -> dict[str, Any]:
        """Values for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> RunResult:
        """The inverse of :meth:`to_json`.

        Raises:
            TypeError, KeyError: something else.
        """
        values = dict(raw)
        values["losses"] = tuple(values["losses"])
        values["notes"] = tuple(values["notes"])
        values["probes"] = tuple(Probe(**probe) for probe in values["probes"])
        values["photos"] = tuple(PhotoScore(**photo) for photo in values["photos"])
        if not values["probes"]:
            raise KeyError("probes")
        return cls(**values)
