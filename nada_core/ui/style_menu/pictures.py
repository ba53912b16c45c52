"""Make the pictures by which a style is chosen: the ones just made first, then the library. No Gradio in here."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.errors import NadaError
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.choices import OWN
from nada_core.ui.style_menu.thumbnails import draw_thumbnail, kept_thumbnail
from nada_core.ui.wording import style_title

if TYPE_CHECKING:
    from nada_core.styles.files import Style

__all__ = ["StylePictures", "run_style_pictures"]

_PATIENCE = 1.0  # seconds that a picture waits for other work; the next look at the tab tries again
_BLANK = "blank"


@dataclass(frozen=True)
class StylePictures:
    """Hold what the gallery shows: (file, caption) in the order of `names`, which are values of the style dropdown."""

    names: tuple[str, ...]
    pictures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Look:
    name: str
    caption: str
    stamp: str
    key: str = ""  # of an unsaved style

    def sampled(self, context: AppContext, owned: Sequence[str]) -> Style | str:
        """Return what the engine samples: a style, or the name of one."""
        return context.unsaved(self.key, owned).style if self.key else self.name


def run_style_pictures(context: AppContext, owned: Sequence[str]) -> Iterator[StylePictures]:
    """Yield all styles at once, with neutral pictures for missing ones; then again after each picture that is made.

    Args:
        owned: ids of the unsaved styles that this page may see.
    """
    if not context.is_open:  # the page says what it waits for
        yield StylePictures((), ())
        return
    engine, thumbnails = context.open()[0], context.thumbnails
    looks = [
        _Look(OWN + key, f"{label.prompt[:1].upper()}{label.prompt[1:]} (just made)", f"{OWN}{key}-{label.steps}", key)
        for key, label in context.shelf.listing(owned)
    ]
    for entry in engine.style_entries():
        kept_thumbnail(thumbnails, engine, entry)
        looks.append(_Look(entry.card.name, style_title(entry.card.name, entry.card.prompt, entry.card.title), entry.stamp))
    yield _shown(context, looks)
    for look in looks:
        if thumbnails.file(look.stamp) is not None:
            continue
        try:
            if draw_thumbnail(context, thumbnails, look.stamp, look.sampled(context, owned), _PATIENCE) is None:
                return
        except NadaError:  # not for this generator: its neutral picture stays
            continue
        yield _shown(context, looks)


def _shown(context: AppContext, looks: Sequence[_Look]) -> StylePictures:
    files = [context.thumbnails.file(look.stamp) or _blank(context) for look in looks]
    return StylePictures(
        tuple(look.name for look in looks), tuple((str(file), look.caption) for file, look in zip(files, looks, strict=True))
    )


def _blank(context: AppContext) -> Path:
    """Return the file of the neutral picture, a head and shoulders in grey, drawn once."""
    kept = context.thumbnails.file(_BLANK)
    if kept is not None:
        return kept
    from PIL import Image, ImageDraw, ImageFilter

    picture, target = Image.new("RGB", (256, 256), (112, 104, 136)), io.BytesIO()
    draw = ImageDraw.Draw(picture)
    draw.ellipse((84, 52, 172, 164), fill=(141, 133, 164))
    draw.ellipse((30, 176, 226, 360), fill=(141, 133, 164))
    picture.filter(ImageFilter.GaussianBlur(2)).save(target, "JPEG", quality=88)
    return context.thumbnails.put(_BLANK, target.getvalue())
