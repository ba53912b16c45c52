"""Find the students of styles: those that ship, and those made on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from nada_core.errors import OptionsError, StyleError, shown
from nada_core.students.files import StyleStudent, load_students, ready_students, save_students, style_digest
from nada_core.students.wear import change_of, changed_crop
from nada_core.styles.files import Style

__all__ = ["INSTANT", "StudentLibrary"]

#: Name of the way of editing that students make possible.
INSTANT = "instant"


class StudentLibrary:
    """Find and keep students by the digest of their style's weights.

    Args:
        folder: of those made on this machine, one file each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, StyleStudent] = {}

    def find(self, style: Style) -> StyleStudent | None:
        """Return a style's student, or None where there is none that can be read."""
        return self.known(style_digest(style))

    def known(self, digest: str) -> StyleStudent | None:
        """Return the student of the style with this digest, or None where there is none that can be read."""
        found = self._made.get(digest) or ready_students().get(digest)
        path = self._path(digest)
        if found is None and path.is_file():
            try:
                found = load_students(path).get(digest)
            except StyleError:  # it can be made again
                return None
            if found is not None:
                self._made[digest] = found
        return found

    def of(
        self, styles: Sequence[tuple[Style, float]], otherwise: str = "or use the mode fast, balanced or faithful"
    ) -> list[tuple[StyleStudent, float]]:
        """Return the students of a blend, with its shares.

        Args:
            otherwise: what else whoever asked may do where there is none.

        Raises:
            OptionsError: a style has none.
        """
        found = [(self.find(style), style.card.name, share) for style, share in styles]
        missing = [shown(name) for student, name, _ in found if student is None]
        if missing:
            raise OptionsError(
                f"There is no instant version of '{missing[0]}' yet. Make one with `python -m nada_core distil {missing[0]}`, {otherwise}."
            )
        return [(student, share) for student, _, share in found if student is not None]

    def all_of(self, styles: Sequence[tuple[Style, float]]) -> list[tuple[StyleStudent, float]]:
        """Return the students of a blend, with its shares; none at all where one is missing."""
        found = [(student, share) for student, share in ((self.find(style), share) for style, share in styles) if student is not None]
        return found if len(found) == len(styles) else []

    def wear(self, face: Image.Image, styles: Sequence[tuple[Style, float]], strength: float = 1.0) -> Image.Image | None:
        """Return an aligned face in a blend of styles, at its own size; None where a style has no student."""
        if not (students := self.all_of(styles)):
            return None
        return changed_crop(face, change_of(face, students).times(strength), face.width)

    def keep(self, student: StyleStudent) -> Path:
        """Write a student into the folder, from where it is found from now on.

        Raises:
            NadaError: the folder cannot be written.
        """
        path = save_students([student], self._path(student.card.style))
        self._made[student.card.style] = student
        return path

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest[:32]}.safetensors"
