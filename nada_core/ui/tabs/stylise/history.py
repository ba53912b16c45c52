"""Keep a page's last results as small pictures, each with what was asked for, so that it can be shown again. No Gradio in here."""

from __future__ import annotations

import io
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nada_core.images.small_jpeg import small_jpeg
from nada_core.images.transparency import on_white
from nada_core.ui.requests import EditRequest

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["MOST_PAST", "PastLook", "captioned", "with_look"]

MOST_PAST = 10
_SIDE = 144  # pixels


@dataclass(frozen=True)
class PastLook:
    """Hold one result: what was asked for, what it is called, and a small JPEG of it."""

    request: EditRequest
    title: str
    jpeg: bytes

    @property
    def key(self) -> Hashable:
        """Return what makes it another result: whose face, in which style. Another strength is the same one, moved."""
        asked = self.request
        return asked.photo, asked.person.key, asked.everyone, asked.style, asked.blend


def with_look(past: Sequence[PastLook], request: EditRequest, title: str, picture: Image.Image) -> tuple[PastLook, ...]:
    """Return the results with one more in front; the same look takes the place it has."""
    look = PastLook(request, title, small_jpeg(on_white(picture), _SIDE, quality=85))
    if any(one.key == look.key for one in past):
        return tuple(look if one.key == look.key else one for one in past)
    return (look, *past)[:MOST_PAST]


def captioned(past: Sequence[PastLook]) -> list[tuple[object, str]]:
    """Return the small pictures with their titles, for a gallery."""
    from PIL import Image

    return [(Image.open(io.BytesIO(look.jpeg)), look.title) for look in past]
