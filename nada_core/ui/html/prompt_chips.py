"""Show how a prompt is understood while it is typed: one chip with colours for each understood piece, then the unknown words."""

from __future__ import annotations

from html import escape

from nada_core.errors import PromptError

__all__ = ["reading_line"]

_MOST_SWATCHES = 6


def reading_line(prompt: str | None) -> str:
    """Return the chips of a prompt; a sentence where it cannot be used, nothing where nothing was typed. Loads no network.

    Each chip has a cross whose ``data-prompt`` is the text without it: the page writes it into the prompt box (see the Adapt tab's form).
    """
    from nada_core.looks.colours import hexadecimal
    from nada_core.looks.leaving_out import left_out
    from nada_core.looks.reading import nearest, read

    if not (prompt or "").strip():
        return _line("")
    try:
        reading = read(prompt or "")
    except PromptError as error:
        return _line(f"<span>{escape(str(error))}</span>")
    chips = []
    for number, piece in enumerate(reading.understood):
        colours = "".join(
            f'<i class="swatch" style="background:{hexadecimal(colour)}" title="{escape(part)}"></i>'
            for part, colour in piece.swatches[:_MOST_SWATCHES]
        )
        parts = ", ".join(dict.fromkeys(part for part, _ in piece.swatches))
        said = f"{piece.title}: {parts}" if parts and parts not in piece.title else piece.title
        title, rest = escape(piece.title), escape(left_out(reading, number))
        off = f'<button type="button" class="read-off" data-prompt="{rest}" aria-label="Leave out {title}">\u00d7</button>'
        chips.append(f'<span class="read-chip" title="{escape(said)}">{colours}{title}{off}</span>')
    chips += [f'<span class="read-unknown">{escape(words[:60])}: not known here</span>' for words in reading.unknown]
    chips += [f"<span>{escape(title)}: a shade of its colour at most will be seen</span>" for title in reading.faint]
    chips += [f"<span>{escape(later)}, not {escape(one)}: both cannot be shown</span>" for one, later in reading.overruled]
    if reading.neutral:
        chips.append("<span>A face as it is: say what it should become.</span>")
    elif not reading.look:
        near = "".join(_suggestion(title) for title in nearest(prompt or "")) if not reading.understood else ""
        said = "Say in English what is to be seen: a colour, a character, a material, a painter. For example:"
        chips.append(f"<span>{said if near else 'Nothing is left to show.'}</span>{near}")
    return _line("".join(chips))


def _suggestion(title: str) -> str:
    shown = escape(title[:1].upper() + title[1:])
    return f'<button type="button" class="chip" data-prompt="{shown}">{shown}</button>'


def _line(inside: str) -> str:
    return f'<div class="advice reading" aria-live="polite">{inside or "&nbsp;"}</div>'
