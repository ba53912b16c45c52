"""Describe what the page asks of the engine, so that one in tests can take its place. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from nada_core.editing.base import PhotoEditing

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from PIL import Image
    from torch import Tensor

    from nada_core.adaptation.loop import AdaptationStep
    from nada_core.adaptation.options import AdaptOptions
    from nada_core.adaptation.resume import TrainingState
    from nada_core.editing.base import EditResult
    from nada_core.editing.portrait import AlignedPhoto
    from nada_core.encoders.base import ImageTextEncoder
    from nada_core.films.reading import FilmLimits
    from nada_core.films.restyle import FilmSteps
    from nada_core.generators.base import Generator
    from nada_core.inversion.base import Inversion
    from nada_core.students.distil import DistilStep
    from nada_core.students.files import StyleStudent
    from nada_core.styles.files import Style, StyleCard
    from nada_core.styles.library import StyleEntry
    from nada_core.worlds import World

__all__ = ["AppEditor", "AppEngine"]


@runtime_checkable
class AppEditor(PhotoEditing, Protocol):
    """Describe a photo editor that also knows how long its work takes: :class:`nada_core.editing.editor.PhotoEditor`."""

    @property
    def paced(self) -> bool:
        """Tell whether its pace on this machine is known."""
        ...

    def take_pace(self) -> Iterator[None]:
        """Time a few steps of what photos need; a pause after each."""
        ...

    def seconds(self, mode: str, portraits: int = 1, looks: int = 1) -> float:
        """Estimate how long so many inversions and fits of styles take."""
        ...

    def warm_up(self, image: Image.Image) -> None:
        """Look for a face and describe it, so that the first visitor's photo meets networks that are loaded."""
        ...


class InstantStyles(Protocol):
    """Put styles on faces at once (:class:`nada_core.students.library.StudentLibrary`)."""

    def wear(self, face: Image.Image, styles: Sequence[tuple[Style, float]], strength: float = 1.0) -> Image.Image | None:
        """Return an aligned face in a blend of styles; None where a style cannot be had at once."""
        ...

    def keep(self, student: StyleStudent, /) -> Path:
        """Keep a student on this machine: its style can be had at once from now on."""
        ...

    def of(self, styles: Sequence[tuple[Style, float]], otherwise: str, /) -> list[tuple[StyleStudent, float]]:
        """Return the networks of a blend, with its shares. Raises OptionsError, with what else may be done: a style has none."""
        ...

    def find(self, style: Style, /) -> StyleStudent | None:
        """Return a style's network, or None where there is none."""
        ...


@runtime_checkable
class AppEngine(Protocol):
    """Describe one engine of an app: :class:`nada_core.engine.Engine`, whose members say more, or what stands in for it."""

    @property
    def generator(self) -> Generator:
        """Return the frozen base generator."""
        ...

    @property
    def encoder(self) -> ImageTextEncoder:
        """Return the image-text encoder."""
        ...

    @property
    def editor(self) -> AppEditor:
        """Return the photo editor."""
        ...

    @property
    def students(self) -> InstantStyles:
        """Return the small networks that put styles on faces in milliseconds."""
        ...

    @property
    def parts(self) -> World:
        """Return the names of its networks."""
        ...

    @property
    def base_hash(self) -> str:
        """Return the hash of the generator, which its styles carry."""
        ...

    def on(self, device: str, /) -> AppEngine:
        """Return an engine with the same networks on another device."""
        ...

    def missing(self) -> list[str]:
        """Return names of what it would fetch from the Hub on first use."""
        ...

    def concepts(self) -> list[str]:
        """Return prompts worth a try; empty where any will do."""
        ...

    def preview_originals(self, options: AdaptOptions, person: Inversion | None = None, /) -> Tensor:
        """Return preview faces before adaptation, ``[P, 3, R, R]`` in about [-1, 1]; a person takes the first one's place."""
        ...

    def adapt(
        self,
        prompt: str,
        /,
        *,
        options: AdaptOptions,
        images: Sequence[str] | None = None,
        person: Inversion | None = None,
        resume: TrainingState | None = None,
    ) -> Iterator[AdaptationStep]:
        """Adapt the generator to a prompt, or to pictures; one item a step, going on after the state ``resume``."""
        ...

    def film_steps(
        self,
        source: str | Path,
        style: Style,
        out: str | Path,
        strength: float,
        /,
        *,
        limits: FilmLimits | None = None,
        students: Sequence[tuple[StyleStudent, float]] | None = None,
    ) -> FilmSteps:
        """Put a style on everybody in a film, by students that were sent or are found; one item a frame, the last one with the result."""
        ...

    def wear_at_once(
        self, people: Sequence[AlignedPhoto], styles: Sequence[tuple[Style, float]], strength: float, /
    ) -> tuple[EditResult, ...] | None:
        """Put a blend of styles on aligned faces, 1024 px each, without the generator; None where that cannot be had."""
        ...

    def distil(self, style: Style, /) -> Iterator[DistilStep]:
        """Train the student of a style; one item a step, the last one's student is the best."""
        ...

    def sample(self, seeds: Sequence[int], style: Style | str | None = None, *, truncation_psi: float = 0.7) -> Tensor:
        """Return faces of the given seeds, in a style or plain: ``[len(seeds), 3, R, R]`` in about [-1, 1]."""
        ...

    def walk(self, seeds: Sequence[int], style: str, frames_between: int = 8) -> Iterator[Image.Image]:
        """Yield frames of a closed walk between the seeds' faces in a style."""
        ...

    def styles(self) -> list[StyleCard]:
        """Return cards of the library's styles for this generator, ready ones first."""
        ...

    def style_entries(self) -> list[StyleEntry]:
        """Return the same styles with the sizes, stamps and pictures of their files."""
        ...

    def style(self, style: str | Path, /) -> Style:
        """Load a style of the library by its name, or one from a file."""
        ...

    def scaled(self, style: Style, strength: float, /) -> Style:
        """Return a style that does ``strength`` times as much."""
        ...

    def save_style(self, style: Style, name: str, /) -> str:
        """Save a style into the library and return the name it got."""
        ...

    def export_style(self, style: str | Style, path: Path, /) -> None:
        """Write a style's compact file."""
        ...

    def import_style(self, path: Path, /) -> str:
        """Take a compact style file into the library and return the name it got."""
        ...

    def rename_style(self, name: str, new: str, /) -> str:
        """Rename a saved style and return the name it got."""
        ...

    def delete_style(self, name: str, /) -> None:
        """Delete a saved style."""
        ...
