"""Hold what the report's runs found, as plain values that go to JSON and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["EditScore", "FacePair", "LatentResult", "PhotoScore", "Probe", "RunResult"]


@dataclass(frozen=True)
class Probe:
    """Hold the measures of the faces after one step, means over all of them.

    Attributes:
        similarity: directional similarity with the run's own text.
        closeness: directional similarity with "Joker", whatever the run's text.
        identity: dlib's distance to the face before (0.6: limit of the same person); None where no face was found.
        diversity: pairwise perceptual distance relative to the faces before, 1 as before.
        change: zone of the face to colour change (CIE Lab); empty where no face was found.
        lips: how much redder the lips became against the skin (CIE Lab a*); None where no face was found.
        smile: how much wider the mouth became, as a share, by landmarks found anew; None where none were found or looked for.
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
    """Hold dlib's distance to the photo: of the inversion, of the state at half the steps, of the last state."""

    name: str
    inverted: float
    half: float
    final: float


@dataclass(frozen=True)
class RunResult:
    """Hold all numbers of one run; pictures lie beside it in the run's folder."""

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
        """Return the measures after the last step."""
        return self.probes[-1]

    def at(self, step: int) -> Probe | None:
        """Return the measures after a step, None where there are none."""
        return next((probe for probe in self.probes if probe.step == step), None)

    def to_json(self) -> dict[str, Any]:
        """Return values for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> RunResult:
        """Read the values that :meth:`to_json` returned.

        Raises:
            TypeError, KeyError: they are something else.
        """
        values = dict(raw)
        values["losses"] = tuple(values["losses"])
        values["notes"] = tuple(values["notes"])
        values["probes"] = tuple(Probe(**probe) for probe in values["probes"])
        values["photos"] = tuple(PhotoScore(**photo) for photo in values["photos"])
        if not values["probes"]:
            raise KeyError("probes")
        return cls(**values)


@dataclass(frozen=True)
class EditScore:
    """Hold the scores of one edited picture of a face.

    Directional similarity with the text, distance to the text (what StyleCLIP minimises), and dlib's distance to the face before or, for a
    photo, to the photo; None where no face was found.
    """

    similarity: float
    distance: float
    identity: float | None = None


@dataclass(frozen=True)
class FacePair:
    """Hold one face's scores both ways: by the adapted generator, and by the unchanged one from a moved latent."""

    name: str
    photo: bool
    adapted: EditScore
    moved: EditScore


@dataclass(frozen=True)
class LatentResult:
    """Hold the StyleCLIP baseline's numbers beside those of the run ``against``, from its pictures after step ``last``."""

    name: str
    prompt: str
    against: str
    last: int
    steps: int
    rate: float
    l2_weight: float
    faces: tuple[FacePair, ...]
    seconds: float
    identity_weight: float | None = None
    """Of the identity term, by another recogniser than the one that judges; None: there was none."""

    def means(self) -> tuple[EditScore, EditScore]:
        """Return means over all faces, of the adapted generator and the moved latents. Identity counts only where both have one."""
        both = [face for face in self.faces if face.adapted.identity is not None and face.moved.identity is not None]
        adapted, moved = ([getattr(face, way) for face in self.faces] for way in ("adapted", "moved"))
        known = ([getattr(face, way).identity for face in both] for way in ("adapted", "moved"))
        first, second = (
            EditScore(
                sum(score.similarity for score in scores) / len(scores),
                sum(score.distance for score in scores) / len(scores),
                sum(identities) / len(identities) if identities else None,
            )
            for scores, identities in zip((adapted, moved), known, strict=True)
        )
        return first, second

    def to_json(self) -> dict[str, Any]:
        """Return values for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> LatentResult:
        """Read the values that :meth:`to_json` returned.

        Raises:
            TypeError, KeyError: they are something else.
        """
        ways = ("adapted", "moved")
        faces = tuple(FacePair(**{**face, **{way: EditScore(**face[way]) for way in ways}}) for face in raw["faces"])
        if not faces:
            raise KeyError("faces")
        return cls(**{**raw, "faces": faces})
