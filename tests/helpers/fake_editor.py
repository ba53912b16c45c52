"""Stand in for the PhotoEditor, without weights: the middle square of the photo is the face, a tint is the style."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from nada_core.alignment.ffhq import choose_face
from nada_core.errors import PhotoError
from nada_core.images.transparency import on_white


def rest(seconds: Callable[[], float]) -> None:
    """Sleep for so many seconds; a test that has seen what it wanted may shorten them meanwhile."""
    begun = time.monotonic()
    while (left := begun + seconds() - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))


@dataclass(frozen=True)
class FakeFace:
    landmarks: np.ndarray
    size: float = 100.0


@dataclass(frozen=True)
class FakeAligned:
    photo: Image.Image
    crop: Image.Image
    faces: tuple[FakeFace, ...]
    face: int


@dataclass(frozen=True)
class FakePortrait:
    aligned: FakeAligned
    mode: str

    @property
    def inversion(self) -> Image.Image:
        return middle(self.aligned.crop, 256)


@dataclass(frozen=True)
class FakeFittedStyle:
    name: str
    prompt: str


@dataclass(frozen=True)
class FakeStage:
    stage: str
    fraction: float
    image: Image.Image | None = None
    portrait: FakePortrait | None = None
    fitted: FakeFittedStyle | None = None


@dataclass(frozen=True)
class FakeResult:
    aligned: Image.Image
    inverted: Image.Image
    edited: Image.Image
    identity_inverted: float | None = 0.16
    identity_edited: float | None = 0.52
    reconstruction: float | None = 0.1
    faces: int = 1
    face: int = 0
    seconds: float = 0.1
    notes: tuple[str, ...] = ()
    instant: Any = None


def middle(image: Image.Image, size: int) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 3
    return image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.LANCZOS)


@dataclass
class FakeEditor:
    """Wide pictures have as many faces as squares side by side, pictures below 100 px none; ``log`` counts what was really computed."""

    tint: Any
    delay: float = 0.0
    log: list[str] = field(default_factory=list)
    resolutions: tuple[int, ...] = (256, 1024)
    paced: bool = False
    warm: bool = False
    held: bool = False  # a face that is being rebuilt stays so, until this ends or the work is stopped
    unpainted: str = ""  # the same of a face that is being painted in the style of this prompt

    def warm_up(self, image: Image.Image) -> None:
        self.warm = bool(self.find(image)[1])

    def find(self, image: Image.Image) -> tuple[Image.Image, tuple[FakeFace, ...]]:
        count = 0 if min(image.size) < 100 else max(image.width // image.height, 1)
        spots = np.random.default_rng(0).uniform(0.3, 0.7, (68, 2)) * min(image.size)
        # as a portrait has them: a crop that goes beyond the photo takes forty times as long
        spots[36:42], spots[42:48] = np.array([0.41, 0.45]) * image.height, np.array([0.59, 0.45]) * image.height
        spots[48], spots[54] = np.array([0.43, 0.64]) * image.height, np.array([0.57, 0.64]) * image.height
        return image, tuple(FakeFace(spots + np.array([number * image.height, 0.0])) for number in range(count))

    def take_pace(self) -> Iterator[None]:
        """Three steps."""
        for _ in range(0 if self.paced else 3):
            rest(lambda: self.delay)
            yield
        self.paced = True

    def seconds(self, mode: str, portraits: int = 1, looks: int = 1) -> float:
        return portraits * {"fast": 20.0, "balanced": 80.0, "faithful": 210.0}[mode] + 20.0 * looks

    def align_found(self, photo: Image.Image, faces: Sequence[FakeFace], face: int) -> FakeAligned:
        choose_face(faces, face)
        square = (face * photo.height, 0, (face + 1) * photo.height, photo.height)
        return FakeAligned(photo, middle(on_white(photo.crop(square) if face else photo), 1024), tuple(faces), face)

    def align_by_hand(self, photo: Image.Image, points: Sequence[Sequence[float]]) -> FakeAligned:
        if len(points) != 3:
            raise PhotoError("Three points are needed.")
        return FakeAligned(photo, middle(on_white(photo), 1024), (), -1)

    def invert_steps(self, aligned: FakeAligned, mode: str) -> Iterator[FakeStage]:
        self.log.append(f"invert {mode}")
        try:
            shown = middle(aligned.crop, 256)
            for number in range(4):
                rest(lambda: 20 * self.delay)
                yield FakeStage("Rebuilding the face", (number + 1) / 5, shown)
                while self.held:
                    time.sleep(0.1)
                    yield FakeStage("Rebuilding the face", (number + 1) / 5)
            yield FakeStage("Person found", 1.0, portrait=FakePortrait(aligned, mode))
        finally:
            self.log.append("invert close")

    def fit_steps(self, portrait: FakePortrait, style: Any) -> Iterator[FakeStage]:
        self.log.append(f"wear {style.card.prompt}")
        yield FakeStage("Painting", 0.5)
        while self.unpainted == style.card.prompt:
            time.sleep(0.1)
            yield FakeStage("Painting", 0.5)
        rest(lambda: 5 * self.delay)
        yield FakeStage("Painted", 1.0, fitted=FakeFittedStyle(style.card.name, style.card.prompt))

    def render(
        self, portrait: FakePortrait, fitted: Sequence = (), strengths: Sequence = (None,), resolution: int | None = None
    ) -> list[Image.Image]:
        resolution = self.resolutions[0] if resolution is None else resolution
        if resolution not in self.resolutions:  # as the networks say it: no sentence for a page
            raise ValueError(f"this generator renders at {self.resolutions} only, not at {resolution}")
        rebuilt = middle(portrait.aligned.crop, resolution).filter(ImageFilter.BoxBlur(resolution / 200))
        return [self._worn(rebuilt, fitted, strength) for strength in strengths]

    def _worn(self, rebuilt: Image.Image, fitted: Sequence, strength: Any) -> Image.Image:
        picture = rebuilt.copy()
        for wearing, share in fitted:
            picture = self.tint(picture, wearing.prompt, min(strength.colour * share, 1.0))
        return picture

    def finish(self, portrait: FakePortrait, fitted: Sequence, strength: Any, resolution: int) -> FakeResult:
        self.log.append(f"render {resolution}")
        (inverted,) = self.render(portrait, resolution=resolution)
        aligned, edited = portrait.aligned, self._worn(inverted, fitted, strength)
        return FakeResult(middle(aligned.crop, resolution), inverted, edited, faces=len(aligned.faces), face=aligned.face)

    def scores(self, portrait: FakePortrait, image: Image.Image) -> SimpleNamespace:
        """The farther from the crop in colour, the less of the person."""
        before, after = (np.asarray(picture.resize((32, 32)), dtype=float) for picture in (portrait.aligned.crop, image))
        distance = round(min(0.12 + np.abs(before - after).mean() / 130, 1.0), 4)
        return SimpleNamespace(identity=distance, likeness=1 - distance)

    def paste(self, portrait: FakePortrait, edited: Image.Image, inverted: Image.Image, onto: Image.Image | None = None) -> Image.Image:
        photo = (onto or portrait.aligned.photo).copy()
        if portrait.aligned.face > 0:
            photo.paste(edited.resize((photo.height, photo.height)), (portrait.aligned.face * photo.height, 0))
        else:
            photo.paste(edited.resize((40, 40)), (10, 10))
        return photo

    def paste_change(self, face: Any, onto: Image.Image | None = None) -> Image.Image:
        """The whole photo as the change has it: a callable, here."""
        return face.change((onto or face.aligned.photo).copy())
