"""The words on the page: shared copy, chip groups, readable measurements. Everything that comes from outside is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from ..errors import PromptError
from ..prompts import MAX_PROMPT, SOURCE_PROMPTS

__all__ = [
    "HERO",
    "PHOTO_NOTE",
    "banner",
    "chips",
    "clean_prompt",
    "coded",
    "duration",
    "footer",
    "group_concepts",
    "identity_words",
    "message_box",
    "rough",
    "slug",
    "style_title",
    "time_left",
    "waiting_words",
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
  <h1>Repaint a face generator <em>with one word</em></h1>
  <p>Type a look and watch four faces that never existed turn into it, step by step. Then wear the result yourself.</p>
</header>
"""

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


def footer() -> str:
    """The foot of the page, with the licence of every file of weights that may be in use."""
    from ..asset_registry import REGISTRY

    trained = "What this project trained, and its styles: non-commercial at the source, as the generator they come from"
    rows = [f"{asset.title}: {asset.licence}" for asset in REGISTRY.values() if asset.name != "portrait-astronaut"] + [trained]
    return _FOOTER.replace("{licences}", "".join(f"<li>{escape(row)}</li>" for row in rows))


def clean_prompt(prompt: str | None) -> str:
    """The prompt with white space tidied. Raises PromptError when it is empty or longer than MAX_PROMPT characters.

    Checked on the server, because a text box's own limit is only a courtesy of the browser.
    """
    text = " ".join((prompt or "").split())
    if not text:
        raise PromptError("The prompt is empty. Type a look, for example Joker, or press one of the suggestions.")
    if len(text) > MAX_PROMPT:
        raise PromptError(f"The prompt has {len(text):,} characters and at most {MAX_PROMPT} are read. Describe the look in a few words.")
    return text


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
    """Buttons that put their word into the prompt box (the click is handled in the page, see adapt_tab)."""
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
<p>Near synonyms of the suggested looks work too. What is further away is refused, with the nearest looks named, rather than guessed at.
Faces have less detail than in the full world, and a photo is rebuilt a little less exactly.</p>
<p>The full world, CLIP and StyleGAN2 on a GPU, adds any prompt in your own words, finer 1024 px faces, and a closer likeness of your
photo.</p>
"""


def banner(world: str, reason: str, concepts: int) -> str:
    """Which world the app runs in, what that means, and what it cannot do."""
    if concepts:
        knows = f"It knows <strong>{concepts} looks</strong>, the ones suggested under the prompt."
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
    """The text as HTML; what stands between back quotes, such as a command to type, in the type of code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def message_box(text: str, kind: str = "info") -> str:
    """A sentence in a quiet box; `kind` is info, good or bad."""
    return f'<div class="note note-{kind}" role="{"alert" if kind == "bad" else "status"}">{coded(text)}</div>'


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds != seconds or seconds < 0:
        return "a moment"
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60:02d} s"


def rough(seconds: float) -> str:
    """An estimate as a person says it: nobody can keep a promise of seconds."""
    if seconds < 57.5:
        return f"{max(5 * round(seconds / 5), 5)} s"
    halves = round(seconds / 30)
    return f"{halves // 2}{'½' if halves % 2 else ''} min" if halves < 20 else f"{round(seconds / 60)} min"


def identity_words(distance: float | None) -> str:
    """A face recognition distance (dlib; below 0.6 counts as the same person) in words."""
    if distance is None:
        return "could not be measured"
    if distance <= 0.30:
        return "unmistakably the same person"
    if distance <= 0.45:
        return "clearly the same person"
    if distance <= 0.60:
        return "still recognisable as the same person"
    return "hard to recognise: try a lower strength"


def slug(text: str) -> str:
    """A safe piece of a file name."""
    return _plain(text)[:40] or "style"


def style_title(name: str, prompt: str = "") -> str:
    """A style's name, or its prompt, as a heading.

    Args:
        prompt: of the style's card. Where the name is only its spelling for files, perhaps with a number, the prompt's own spelling is
            used: `na-vi-2` of "Na'vi" is Na’vi 2.
    """
    plain = _plain(prompt)
    if plain and (number := re.fullmatch(re.escape(plain) + r"(?:-(\d+))?", name)):
        name = " ".join([*prompt.split(), *(digits for digits in number.groups() if digits)]).replace("'", "’")
    readable = name.replace("-", " ").replace("_", " ")
    return readable[:1].upper() + readable[1:]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def time_left(elapsed: float, fraction: float) -> str:
    """What the rest of a job takes, going by the share done in ``elapsed`` seconds; nothing while that says little."""
    return f"about {duration(elapsed * (1 - fraction) / fraction)} left" if 0.1 < fraction < 1 and elapsed > 0.5 else ""


def waiting_words(ahead: int) -> str:
    """How many jobs come first."""
    return f"Waiting: {ahead} {'job' if ahead == 1 else 'jobs'} ahead of you"
