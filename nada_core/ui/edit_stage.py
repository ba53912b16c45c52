"""The Stylise tab's large area before there is a result: what will happen, in three steps, and then the face on its way through them."""

from __future__ import annotations

import io
from html import escape
from typing import Any

from .gallery_cards import data_url

__all__ = ["edit_outlook", "edit_working"]

_STEPS = (
    ("Your face", "is found in the photo, cut out and straightened."),
    ("Rebuilt", "The generator learns to draw this one face. This takes longest, and only the first time."),
    ("Repainted", "The style is fitted to it. Then you choose how strong, drag between before and after, and take it away."),
)


_CURRENT = ' aria-current="step"'


def edit_outlook() -> str:
    """What will appear, for those who have not made anything yet."""
    steps = "".join(f"<li><div><b>{title}</b><span>{words}</span></div></li>" for title, words in _STEPS)
    return f'<div class="outlook"><b>You, in another look</b><ol class="steps">{steps}</ol></div>'


def edit_working(step: int, words: str, picture: Any = None) -> str:
    """The face as it is now (PIL, any size; shown at 256 px) beside the steps; ``step`` counts from 0, ``words`` say what is being done."""
    if picture is None:
        face = '<span class="work-face"></span>'
    else:
        target = io.BytesIO()
        picture.convert("RGB").resize((256, 256), reducing_gap=2.0).save(target, "JPEG", quality=88)
        face = f'<img class="work-face" src="{data_url(target.getvalue())}" alt="The face so far" width="256" height="256">'
    marks = "".join(
        f'<li class="{"was" if number < step else "now" if number == step else "comes"}"{_CURRENT if number == step else ""}>'
        f"<div><b>{title}</b><span>{escape(words) if number == step else ''}</span></div></li>"
        for number, (title, _) in enumerate(_STEPS)
    )
    return f'<div class="work">{face}<ol class="steps">{marks}</ol></div>'
