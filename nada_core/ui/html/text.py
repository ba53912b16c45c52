"""Write the words on the page: shared copy, chip groups, boxes. Everything that comes from outside is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from nada_core.looks.prompts import SOURCE_PROMPTS

__all__ = [
    "ARRIVED",
    "HERO",
    "PHOTO_NOTE",
    "WAITING",
    "banner",
    "chips",
    "coded",
    "footer",
    "group_concepts",
    "identity_words",
    "message_box",
]

# What to suggest before the engine is there, or where it has no list because every prompt works.
_ANY_PROMPT = (*SOURCE_PROMPTS, "Zombie", "Vampire", "Clown", "Pencil sketch", "Oil painting", "Bronze statue", "Blue skin", "Green hair")

_CHARACTERS = frozenset(
    "zombie vampire clown hulk robot navi na'vi elf demon devil witch alien ghost old elderly baby avatar mime android smurf shrek".split()
)
_LAST_ROW = "Colours and light"  # many and less exciting: folded away when there are more than ten
_COLOURED = frozenset("skin hair tint light lighting dark bright background sunburnt sunburn lips eyes".split())

HERO = """
<header class="hero">
  <h1>Become <em>the Joker</em>, or any look you can type</h1>
  <p>Take a selfie and see yourself repainted. Or type a new look, and watch four faces that never existed turn into it, step by step.</p>
</header>
"""

#: What stands below the two ways in: until the models are there, and from then on. Both are as high, so that nothing moves.
WAITING = (
    '<p class="arrival arrival-wait" role="status"><span class="dot"></span>'
    "<span>Getting the generator ready. The first start takes longest.</span></p>"
)
ARRIVED = '<p class="arrival">Your photo is used for your own request only. It leaves the server an hour after you last used it.</p>'

PHOTO_NOTE = '<p class="quiet">Only your own face, or one whose owner agreed. It leaves the server an hour after you last used it.</p>'

_FOOTER = """
<footer class="foot">
  <p><strong>Every picture here is made by AI.</strong> The four faces are not real people, and an edited photo is not a photograph: say so
  when you share it; downloads carry the mark in their metadata. Upload only your own face, or one whose owner agreed. Photos are used for
  your request, are never trained on or published, and temporary files are removed within the hour.</p>
  <p>Method: <a href="https://arxiv.org/abs/2108.00946" rel="noopener" target="_blank">StyleGAN-NADA</a> (Gal et al., 2021).
  Code: Apache-2.0. Weights derived from StyleGAN2-FFHQ are for non-commercial use at their source.</p>
  <details><summary>Licences of the weights</summary><ul>{licences}</ul></details>
</footer>
"""


def workers_line(sentences: Sequence[str]) -> str:
    """Return the workers of the app, one a line: where each is and what it does."""
    rows = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<details class="quiet"><summary>{len(sentences)} workers compute the adaptations</summary><ul>{rows}</ul></details>'


def footer() -> str:
    """Return the foot of the page, with the licence of every file of weights that may be in use."""
    from nada_core.assets.registry import REGISTRY

    trained = "What this project trained, and its styles: non-commercial at the source, as the generator they come from"
    rows = [f"{asset.title}: {asset.licence}" for asset in REGISTRY.values()] + [trained]
    return _FOOTER.replace("{licences}", "".join(f"<li>{escape(row)}</li>" for row in rows))


def group_concepts(concepts: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Sort concepts into rows of chips: the source project's five, characters, styles, colours; empty rows are left out."""
    known = list(dict.fromkeys(concepts))
    lower = {name.lower() for name in known}
    five = [name for name in SOURCE_PROMPTS if name.lower() in lower]
    rows: dict[str, list[str]] = {"The classic five": five, "Characters": [], "Styles and materials": [], _LAST_ROW: []}
    for name in known:
        words = set(re.findall(r"[\w']+", name.lower()))
        if name.lower() in {one.lower() for one in five}:
            continue
        if words & _CHARACTERS:
            rows["Characters"].append(name)
        elif words & _COLOURED:
            rows[_LAST_ROW].append(name)
        else:
            rows["Styles and materials"].append(name)
    return [(title, names) for title, names in rows.items() if names]


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def chips(concepts: Iterable[str]) -> str:
    """Return buttons that put their word into the prompt box (the page handles the click: the script in the Adapt tab's form)."""
    rows = []
    for title, names in group_concepts(tuple(concepts) or _ANY_PROMPT):
        buttons = "".join(
            f'<button type="button" class="chip" data-prompt="{escape(_capital(name))}">{escape(_capital(name))}</button>' for name in names
        )
        tag, head = ("details", "summary") if title == _LAST_ROW and len(names) > 10 else ("div", "span")
        count = f" ({len(names)})" if tag == "details" else ""
        head = f'<{head} class="chip-title">{escape(title)}{count}</{head}>'
        rows.append(f'<{tag} class="chip-row">{head}<div class="chip-list">{buttons}</div></{tag}>')
    return f'<div class="chips" role="group" aria-label="Suggested looks">{"".join(rows)}</div>'


_STARTER_MORE = """
<p>Looks can be mixed: "vampire with red lips", "wooden statue with green hair". Words that are not known are shown and left out, never
guessed at. Faces have less detail than in the full world, and a photo is rebuilt a little less exactly.</p>
<p>The full world, CLIP and StyleGAN2 on a GPU, adds any prompt in your own words, finer 1024 px faces, and a closer likeness of your
photo.</p>
"""


def banner(world: str, reason: str, looks: bool) -> str:
    """Say in a box which world the app runs in, what that means, and what it cannot do."""
    if looks:
        knows = "It reads <strong>looks</strong>: characters, colours of any part, materials, painters; what it understood is shown."
    else:
        knows = "Any prompt works, in your own words."
    if world == "full":
        head, body, more = "Full world", f"{knows} CLIP and StyleGAN2 come from the Hugging Face Hub.", ""
    elif world == "mixed":
        head, body, more = "Mixed world", f"{knows} Its parts were chosen by whoever runs this server.", ""
    else:
        head, body, more = "Starter world", f"Small models that need no GPU. {knows}", _STARTER_MORE
    return (
        f'<details class="world world-{escape(world)}"><summary><span class="dot"></span>'
        f"<span><strong>{head}.</strong> {body}</span></summary>"
        f'<div class="world-more">{more}<p class="quiet">Why this world: {coded(reason)}</p></div></details>'
    )


def coded(text: str) -> str:
    """Return the text as HTML; what stands between back quotes, such as a command to type, in the type of code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def message_box(text: str, kind: str = "info") -> str:
    """Return a sentence in a quiet box; `kind` is info, good or bad."""
    return f'<div class="note note-{kind}" role="{"alert" if kind == "bad" else "status"}">{coded(text)}</div>'


def identity_words(distance: float | None) -> str:
    """Say a face recognition distance (dlib; below 0.6 counts as the same person) in words."""
    if distance is None:
        return "could not be measured"
    if distance <= 0.30:
        return "unmistakably the same person"
    if distance <= 0.45:
        return "clearly the same person"
    if distance <= 0.60:
        return "still recognisable as the same person"
    return "hard to recognise: try a lower strength"
