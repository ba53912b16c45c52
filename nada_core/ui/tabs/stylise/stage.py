"""Write the HTML of the Stylise tab's large area before a result: three steps that say what will happen, then the face in progress."""

from __future__ import annotations

from html import escape

from nada_core.ui.html.pictures import data_url
from nada_core.ui.tabs.stylise.run import Working

__all__ = ["edit_outlook", "edit_working"]

_STEPS = (
    ("Your face", "is found in the photo, cut out and straightened."),
    ("Rebuilt", "The generator learns to draw this one face. This takes longest, and only the first time."),
    ("Repainted", "The style is fitted to it. Then you choose how strong, drag between before and after, and take it away."),
)


_NOT_YET = "Not you yet: it begins with another face and comes closer"
_CURRENT = ' aria-current="step"'


def edit_outlook() -> str:
    """Return HTML on what will appear, for those who have not made anything yet."""
    steps = "".join(f"<li><div><b>{title}</b><span>{words}</span></div></li>" for title, words in _STEPS)
    return f'<div class="outlook"><b>You, in another look</b><ol class="steps">{steps}</ol></div>'


def edit_working(working: Working) -> str:
    """Draw the face as it is now beside the steps."""
    step, url = working.step, data_url(working.jpeg)
    alt = "The face in its style, at once" if working.sketched else "The face so far"
    picture = f'<img class="work-face" src="{url}" alt="{alt}" width="256" height="256">'
    caption = f'<figcaption class="work-caption">{_NOT_YET}</figcaption>' if step == 1 and not working.sketched else ""
    face = f'<figure class="work-shown">{picture}{caption}</figure>'
    marks = "".join(
        f'<li class="{"was" if number < step else "now" if number == step else "comes"}"{_CURRENT if number == step else ""}>'
        f"<div><b>{title}</b><span>{escape(working.words) if number == step else ''}</span></div></li>"
        for number, (title, _) in enumerate(_STEPS)
    )
    return f'<div class="work">{face}<ol class="steps">{marks}</ol></div>'
