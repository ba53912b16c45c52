"""Edit the people of one photo: reuse inversions and fitted styles already made, make the rest, report one overall progress.

Everything that edits photos goes through here: Python, command line, report, page and endpoints. What is ready is not made again, and a
session holds the people of its own photo only.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from PIL import Image

from nada_core.editing.base import FITTING_STAGE, EditProgress, EditResult, EditStages, FittedPortrait, InstantFace, PhotoEditing
from nada_core.errors import NadaError, OptionsError

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from nada_core.alignment.faces import Face
    from nada_core.editing.portrait import AlignedPhoto, FittedStyle, Portrait
    from nada_core.styles.files import Style
    from nada_core.styles.mixing import Strength

__all__ = ["FaceToFit", "PastedFace", "PhotoSession", "StyleToFit", "edit_aligned", "finish_all", "given", "paste_all", "paste_changes"]

#: How long the parts of the work take, in fits of a style.
_INVERT, _FIT, _FINISH = {"fast": 0.8, "balanced": 3.0, "faithful": 8.0}, 1.0, 0.2
#: What looking for a face takes of a whole edit.
_SEARCH = 0.05
_MOST_PORTRAITS = 6  # kept for one photo: a group's faces
_MOST_FITTED = 12  # fitted styles kept for one photo, tens of megabytes each: two for each of a group's faces

Made = TypeVar("Made")


@dataclass(frozen=True)
class FaceToFit:
    """Name one face to work on: the key its inversion is kept under, what cuts it out, and how long its likeness is worked on."""

    key: Hashable
    align: Callable[[], AlignedPhoto]
    mode: str = "balanced"


@dataclass(frozen=True)
class StyleToFit:
    """Name one style to fit to each face: its own key, what loads it, and its share of a blend."""

    key: Hashable
    load: Callable[[], Style]
    share: float = 1.0


def given(value: Made) -> Callable[[], Made]:
    """Return a function that returns ``value``: for faces and styles that are at hand."""
    return lambda: value


@dataclass(eq=False)
class PhotoSession:
    """Hold a decoded photo with its faces, and what has been made of it so far: the last few inversions and fitted styles."""

    photo: Any = None
    faces: tuple[Face, ...] = ()
    portraits: OrderedDict[Hashable, Portrait] = field(default_factory=OrderedDict)  # by FaceToFit.key
    fitted: OrderedDict[tuple[Hashable, Hashable], FittedStyle] = field(default_factory=OrderedDict)  # by (FaceToFit.key, StyleToFit.key)

    # -- what has been made

    def keep_portrait(self, key: Hashable, portrait: Portrait) -> None:
        """Keep an inversion, the last few of them; the styles fitted to one go with it."""
        self._leave(key)
        self.portraits[key] = portrait
        while len(self.portraits) > _MOST_PORTRAITS:
            self._leave(next(iter(self.portraits)))

    def keep_fitted(self, key: tuple[Hashable, Hashable], fitted: FittedStyle) -> None:
        """Keep a fitted style under (face key, style key), the last few of them."""
        self.fitted[key] = fitted
        self.fitted.move_to_end(key)
        while len(self.fitted) > _MOST_FITTED:
            self.fitted.popitem(last=False)

    def _leave(self, key: Hashable) -> None:
        self.portraits.pop(key, None)
        for fitted in [fitted for fitted in self.fitted if fitted[0] == key]:
            del self.fitted[fitted]

    def forget(self) -> None:
        """Let go of everything made of the photo, which stays."""
        self.portraits.clear()
        self.fitted.clear()

    @property
    def held(self) -> int:
        """Count the inversions and fitted styles that are kept."""
        return len(self.portraits) + len(self.fitted)

    def made(self, faces: Sequence[Hashable], styles: Sequence[StyleToFit]) -> list[FittedPortrait] | None:
        """Return each face's portrait with the styles fitted to it, by the faces' keys; None unless all of it has been made."""
        everyone = []
        for face in faces:
            portrait = self.portraits.get(face)
            found = [(self.fitted.get((face, style.key)), style.share) for style in styles]
            fitted = [(one, share) for one, share in found if one is not None]
            if portrait is None or len(fitted) < len(styles):
                return None
            everyone.append(FittedPortrait(portrait, fitted))
        return everyone

    # -- making what is missing

    def steps(
        self,
        editor: PhotoEditing,
        faces: Sequence[FaceToFit],
        styles: Sequence[StyleToFit] = (),
        *,
        strength: Strength | None = None,
        resolution: int = 0,
        lenient: bool = False,
    ) -> EditStages:
        """Invert each face and fit each style to it, where that has not been done; closing the iterator keeps what was finished.

        An inversion or fit that is ready is one stage without words. The last stage carries everything that was asked for, in its order,
        whether or not the session has still room for it.

        Args:
            strength, resolution: also finish each face in its styles at this strength and size; without a strength nothing is rendered.
            lenient: a style that cannot be loaded or fitted is left out, and a stage says why, instead of ending the work.

        Raises:
            NadaError: no such face, or a style that cannot be worn.
        """
        bar = _Bar([weight for face in faces for weight in self._weights(face, styles)], 0 if strength is None else _FINISH * len(faces))
        everyone, seconds, results = [], [], []
        for person, face in enumerate(faces):
            begun, worn = time.monotonic(), []
            portrait = yield from self._invert(editor, face, bar.part(person))
            for place, style in enumerate(styles):
                fitted = yield from self._fit(editor, face.key, portrait, style, bar.part(person, place), lenient)
                worn += [] if fitted is None else [(fitted, style.share)]
            everyone.append(FittedPortrait(portrait, worn))
            seconds.append(time.monotonic() - begun)
        if strength is not None:
            yield EditProgress("rendering", bar.done)
            for result, spent in zip(finish_all(editor, everyone, strength, resolution), seconds, strict=True):
                results.append(replace(result, seconds=spent + result.seconds))
        yield EditProgress("done", 1.0, results[0].edited if results else None, made=tuple(everyone), results=tuple(results))

    def _weights(self, face: FaceToFit, styles: Sequence[StyleToFit]) -> Iterable[float]:
        """Yield the length of each part of the work on a face, 0 for what is ready."""
        yield 0.0 if face.key in self.portraits else _INVERT.get(face.mode, _INVERT["balanced"])
        for style in styles:
            yield 0.0 if (face.key, style.key) in self.fitted else _FIT

    def _invert(self, editor: PhotoEditing, face: FaceToFit, at: _At) -> Generator[EditProgress, None, Portrait]:
        portrait = self.portraits.get(face.key)
        if portrait is not None:
            yield at(EditProgress("", 1.0, portrait=portrait))
            return portrait
        stages = editor.invert_steps(face.align(), face.mode)
        return (yield from _follow(stages, at, lambda stage: stage.portrait, lambda made: self.keep_portrait(face.key, made)))

    def _fit(
        self, editor: PhotoEditing, face: Hashable, portrait: Portrait, style: StyleToFit, at: _At, lenient: bool
    ) -> Generator[EditProgress, None, FittedStyle | None]:
        key = (face, style.key)
        fitted = self.fitted.get(key)
        if fitted is not None:
            yield at(EditProgress("", 1.0, fitted=fitted))
            return fitted
        yield at(EditProgress(FITTING_STAGE, 0.0))  # loading the style and preparing its fit take a moment
        try:
            stages = editor.fit_steps(portrait, style.load())
            return (yield from _follow(stages, at, lambda stage: stage.fitted, lambda made: self.keep_fitted(key, made)))
        except NadaError as error:
            if not lenient or isinstance(error, OptionsError):
                raise
            refused = error
        yield replace(at(EditProgress(FITTING_STAGE, 1.0)), refused=refused)
        return None


class _Bar:
    """Measure the share done of parts of different lengths, one after the other; ``last`` is the length of what comes after them."""

    def __init__(self, weights: Sequence[float], last: float) -> None:
        self._weights, self._total, self._before = iter(weights), sum(weights) + last or 1.0, 0.0

    @property
    def done(self) -> float:
        """Return the share of the whole that is done once the parts begun so far are."""
        return self._before / self._total

    def part(self, person: int, style: int | None = None) -> _At:
        """Begin the next part; returns what turns its own stages into stages of the whole."""
        start, weight = self._before, next(self._weights)
        self._before += weight

        def at(stage: EditProgress) -> EditProgress:
            fraction = (start + weight * stage.fraction) / self._total
            return EditProgress(stage.stage, fraction, stage.image, stage.portrait, stage.fitted, person, style)

        return at


_At = Callable[[EditProgress], EditProgress]


def _follow(
    stages: EditStages, at: _At, carried: Callable[[EditProgress], Made | None], keep: Callable[[Made], None]
) -> Generator[EditProgress, None, Made]:
    """Pass the editor's stages on and return what the last one carries. That is kept before the stage is passed on: whoever stops the work
    there loses nothing."""
    found: Made | None = None
    with closing(stages):
        for stage in stages:
            made = carried(stage)
            if made is not None:
                found = made
                keep(made)
            yield at(stage)
    if found is None:
        raise NadaError("The edit ended without a picture. Try again.")
    return found


def edit_aligned(
    editor: PhotoEditing,
    align: Callable[[], Sequence[AlignedPhoto]],
    styles: Sequence[tuple[Style, float]],
    *,
    strength: Strength,
    resolution: int,
    mode: str,
) -> EditStages:
    """Edit a photo from the beginning, in a session that is not kept; the last stage carries the results.

    Args:
        align: looks for the faces and cuts out those that are meant.

    Raises:
        PhotoError, NoFaceError, StyleError, OptionsError.
    """
    begun = time.monotonic()
    yield EditProgress("looking for the face", 0.0)
    found = align()
    searched = time.monotonic() - begun
    yield EditProgress("face found", _SEARCH, found[0].crop.resize((256, 256), Image.Resampling.LANCZOS))
    faces = [FaceToFit(number, given(aligned), mode) for number, aligned in enumerate(found)]
    wanted = [StyleToFit(number, given(style), share) for number, (style, share) in enumerate(styles)]
    with closing(PhotoSession().steps(editor, faces, wanted, strength=strength, resolution=resolution)) as stages:
        for stage in stages:
            results = tuple(replace(result, seconds=searched + result.seconds) for result in stage.results)
            yield replace(stage, fraction=_SEARCH + (1 - _SEARCH) * stage.fraction, results=results)


def finish_all(editor: PhotoEditing, made: Sequence[FittedPortrait], strength: Strength, resolution: int) -> list[EditResult]:
    """Render and score each person in their styles."""
    return [editor.finish(portrait, styles, strength, resolution) for portrait, styles in made]


class PastedFace(Protocol):
    """Describe what is pasted: the pictures of an :class:`EditResult`, or those alone."""

    @property
    def inverted(self) -> Image.Image:
        """Return the rebuilt face."""
        ...

    @property
    def edited(self) -> Image.Image:
        """Return the face with the style."""
        ...


def paste_all(editor: PhotoEditing, made: Sequence[FittedPortrait], results: Sequence[PastedFace]) -> Image.Image:
    """Put every edited face back into the one photo they came from; given largest first: where two overlap, the larger is in front."""
    photo = None
    for (portrait, _), result in reversed(list(zip(made, results, strict=True))):
        photo = editor.paste(portrait, result.edited, result.inverted, onto=photo)
    assert photo is not None
    return photo


def paste_changes(editor: PhotoEditing, faces: Sequence[InstantFace]) -> Image.Image:
    """Put the changes of an instant edit into the one photo its faces came from; given largest first, as for :func:`paste_all`."""
    photo = None
    for face in reversed(faces):
        photo = editor.paste_change(face, onto=photo)
    assert photo is not None
    return photo
