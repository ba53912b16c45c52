"""Define the requests that a page sends (adapt, edit, compare) as frozen dataclasses, shared by all tabs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nada_core.errors import OptionsError

__all__ = [
    "FACES_AT_ONCE",
    "MAX_SHOWN",
    "STYLES_AT_ONCE",
    "AdaptExtras",
    "AdaptRequest",
    "CompareRequest",
    "EditRequest",
    "Person",
    "chosen_side",
]

MAX_SHOWN = 1.3  # where the sliders of strengths end
FACES_AT_ONCE = 6  # of a photo in one edit, or of seeds on one sheet
STYLES_AT_ONCE = 6  # compared on a photo or on generated faces


@dataclass(frozen=True)
class AdaptExtras:
    """Hold fields of ``AdaptOptions`` under their own names; None leaves one as it is."""

    preset: str | None = None
    resolution: int | None = None
    mixing: float | None = None
    adaptive_layers: int | None = None
    latent_pool: int | None = None
    crops: int | None = None
    direction_weight: float | None = None
    global_weight: float | None = None
    manifold_weight: float | None = None
    patch_weight: float | None = None
    start: str | None = None

    def given(self) -> dict[str, Any]:
        """Return what was set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Person:
    """Say whose face of a photo is meant, and how long it is worked on: all that an inversion depends on."""

    face: int = 0
    points: tuple[tuple[float, float], ...] = ()  # instead of a face: clicked eyes and mouth
    mode: str = "balanced"

    @property
    def key(self) -> Hashable:
        """Return the key under which the shelf keeps the inversion."""
        return (self.points or self.face, self.mode)


@dataclass(frozen=True)
class AdaptRequest:
    """Describe an adaptation that a person asks for."""

    prompt: str
    steps: int = 60
    lr: float | None = None  # None: the generator family's own default
    layers: str = "all"
    seed: int = 0
    source: str = "face"
    batch: int = 2
    truncation: float | None = None  # None: the generator family's own default
    photo: str = ""  # id of an uploaded photo whose person takes the first face's place
    images: tuple[str, ...] = ()  # picture files to aim at instead of the words, which then are a name
    extra: AdaptExtras = field(default_factory=AdaptExtras)  # the settings for experts
    resume: str = ""  # id of the stopped run that it goes on from


@dataclass(frozen=True)
class EditRequest:
    """Describe a photo edit that a person asks for; ``owned`` are the ids of the unsaved styles made on the same page."""

    photo: str | None  # id on the photo shelf
    style: str | None
    strength: float = 1.0
    groups: tuple[float, float, float] = (1.0, 1.0, 1.0)  # further factors for shape, texture, colour
    blend: str | None = None
    share: float = 0.5  # of the second style
    face: int = 0
    points: tuple[tuple[float, float], ...] = ()
    mode: str = "balanced"
    resolution: int | None = None  # pixels of a side; None: the generator's smallest
    paste: bool = False
    owned: Sequence[str] = ()
    everyone: bool = False  # all faces that were found, in the whole photo

    @property
    def person(self) -> Person:
        """Return what an inversion depends on: whose face, and how long."""
        return Person(self.face, self.points, self.mode)


@dataclass(frozen=True)
class CompareRequest:
    """Describe a comparison of styles on a photo; ``owned`` are the ids of the unsaved styles made on the same page."""

    photo: str | None  # id on the photo shelf
    styles: Any = ()  # names, or marked ids of unsaved styles, as the browser sent them
    strength: float = 1.0
    person: Person = field(default_factory=Person)
    owned: Sequence[str] = ()


def chosen_side(sizes: Sequence[int], wanted: int | None) -> int:
    """Return the side to render at, in pixels; the smallest where none is chosen.

    Raises:
        OptionsError: the generator does not render at this one. The page may be older than the world, or the request forged.
    """
    if wanted is None:
        return sizes[0]
    if wanted not in sizes:
        raise OptionsError(
            f"The size is {wanted} px; this generator renders at {' or '.join(map(str, sizes))}. Reload the page and choose again."
        )
    return wanted
