"""Stand in for the StudentLibrary, without weights: every style is one colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from nada_core.errors import OptionsError
from tests.helpers.fake_editor import FakeResult


@dataclass
class FakeStudents:
    """Every style can be worn at once as this colour; none can without one. In the mirror each is ``student``.

    ``kept`` are the students that were made.
    """

    colour: str = ""
    student: Any = None
    kept: list[Any] = field(default_factory=list)

    def find(self, style: Any) -> Any:
        return self.student

    def of(self, styles: Sequence[tuple[Any, float]], otherwise: str = "") -> list[tuple[Any, float]]:
        if self.student is None:
            raise OptionsError(f"There is no instant version of these yet. Make one, {otherwise}.")
        return [(self.student, share) for _, share in styles]

    def keep(self, student: Any) -> Path:
        self.kept.append(student)
        return Path("student")

    def wear(self, face: Image.Image, styles: Sequence[tuple[Any, float]], strength: float = 1.0) -> Image.Image | None:
        return Image.new("RGB", face.size, self.colour) if self.colour else None

    def faces(self, people: Sequence[Any], styles: Sequence[Any], strength: float = 1.0) -> tuple[FakeResult, ...] | None:
        """Every face becomes one colour, and with it a square of the photo."""
        if (face := self.wear(Image.new("RGB", (1024, 1024)), styles, strength)) is None:
            return None
        results = []
        for aligned in people:
            crop, left = aligned.crop.resize((1024, 1024)), max(aligned.face, 0) * aligned.photo.height
            done = Image.blend(crop.convert("RGB"), face, min(strength, 1.0))

            def change(photo: Image.Image, done: Image.Image = done, left: int = left) -> Image.Image:
                photo.paste(done.resize((photo.height // 2,) * 2), (left, 0))
                return photo

            results.append(FakeResult(crop, crop, done, instant=SimpleNamespace(aligned=aligned, change=change)))
        return tuple(results)
