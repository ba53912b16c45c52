"""Build the sheet of a sweep: one HTML page over the pictures that lie beside it in the rows' folders, no script."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from nada_core.images.sheets import AI_NOTE
from nada_core.report.frame import document, escaped
from nada_core.rows.row import State
from nada_core.rows.table import Entry
from nada_core.sweep.jobs import STYLE_FILE, Job

__all__ = ["build_sheet", "duration"]

#: What the sheet calls the states of rows.
STATES: dict[State, str] = {"done": "done", "failed": "failed", "left": "left out", "running": "being done", "waiting": "waiting"}


def build_sheet(jobs: Sequence[Job], entries: Mapping[str, Entry], out: Path, facts: str) -> bytes:
    """Return the page: every row with its pictures, or why there are none, and a table of all rows.

    Args:
        entries: by the key of a job's row.
        out: the folder that the page will lie in.
        facts: what the rows were made with, in words.
    """
    css = (Path(__file__).parent / "page.css").read_text("utf-8")
    shown = [(job, entries[job.row.key]) for job in jobs]
    adapted = [pair for pair in shown if pair[0].row.settings["kind"] == "adapt"]
    edited = [pair for pair in shown if pair[0].row.settings["kind"] == "edit"]
    body = [
        "<h1>Sweep</h1>",
        f"<p>{_summary([entry for _, entry in shown])}</p>",
        f'<p class="soft">{escaped(facts[:1].upper() + facts[1:])}</p><p class="soft">{escaped(AI_NOTE)}</p>',
        *(_adaptations(adapted, out) if adapted else ()),
        *(_photos(edited, out) if edited else ()),
        "<h2>All rows</h2>",
        _table(shown),
    ]
    return document("Sweep", "\n".join(body), css).encode()


def _summary(entries: Sequence[Entry]) -> str:
    states = Counter(entry.state for entry in entries)
    others = [f"{states[state]} {words}" for state, words in STATES.items() if state != "done" and states[state]]
    spent = sum(entry.seconds for entry in entries if entry.state == "done")
    more = f" ({', '.join(others)})" if others else ""
    return f"<b>{states['done']} of {len(entries)} rows are done</b>{more}; together they took {duration(spent)}."


def _adaptations(shown: Sequence[tuple[Job, Entry]], out: Path) -> Iterator[str]:
    yield "<h2>Prompts</h2>"
    first = next((entry for _, entry in shown if entry.kept), None)
    if first is not None and first.kept is not None:
        yield f'<div class="strips">{_figure(first.kept.folder / "before.jpg", out, "the faces before", "<b>before</b>")}</div>'
    for prompt, group in itertools.groupby(shown, lambda pair: pair[0].heading):
        yield f'<h3>{escaped(prompt)}</h3><div class="strips">{"".join(_adaptation(job, entry, out) for job, entry in group)}</div>'


def _adaptation(job: Job, entry: Entry, out: Path) -> str:
    if entry.kept is None:
        return _empty(job, entry)
    facts, folder = entry.kept.facts, entry.kept.folder
    words = [f"{facts['steps']} steps", _named("similarity", facts.get("similarity")), duration(entry.seconds)]
    link = f'<a href="{_address(folder / STYLE_FILE, out)}">style</a>'
    notes = "".join(f"<br>{escaped(note)}" for note in facts.get("notes", ()))
    caption = f"<b>{escaped(job.caption)}</b> · {' · '.join(word for word in words if word)} · {link}{notes}"
    return _figure(folder / "faces.jpg", out, job.row.title, caption)


def _photos(shown: Sequence[tuple[Job, Entry]], out: Path) -> Iterator[str]:
    yield "<h2>Photos</h2>"
    for photo, members in itertools.groupby(shown, lambda pair: pair[0].heading):
        group = list(members)
        figures = [*_before(group, out), *(_edit(job, entry, out) for job, entry in group)]
        yield f'<h3>{escaped(photo)}</h3><div class="people">{"".join(figures)}</div>'
    yield '<p class="soft">Distance: dlib’s to the photo; below 0.6 it is the same person.</p>'


def _before(group: Sequence[tuple[Job, Entry]], out: Path) -> Iterator[str]:
    """Yield the photo as it was, and as it was rebuilt in each mode."""
    kept = [(job.row.settings["mode"], entry.kept) for job, entry in group if entry.kept]
    if kept:
        yield _figure(kept[0][1].folder / "aligned.jpg", out, "the photo, aligned", "<b>photo</b>")
    modes = dict.fromkeys(mode for mode, _ in kept)
    for mode in modes:
        found = next(one for own, one in kept if own == mode)
        if (found.folder / "rebuilt.jpg").is_file():
            words = f"rebuilt, {mode}" if len(modes) > 1 else "rebuilt"
            distance = _named("distance", found.facts.get("identity_inverted"))
            yield _figure(found.folder / "rebuilt.jpg", out, words, f"<b>{escaped(words)}</b> {distance}")


def _edit(job: Job, entry: Entry, out: Path) -> str:
    if entry.kept is None:
        return _empty(job, entry)
    words = [_named("distance", entry.kept.facts.get("identity_edited")), duration(entry.seconds)]
    caption = f"<b>{escaped(job.caption)}</b> {' · '.join(word for word in words if word)}"
    return _figure(entry.kept.folder / "edited.jpg", out, job.row.title, caption)


def _empty(job: Job, entry: Entry) -> str:
    words = f"{STATES[entry.state]}: {entry.error}" if entry.error else STATES[entry.state]
    failed = " failed" if entry.error else ""
    return f'<figure><div class="empty{failed}">{escaped(words)}</div><figcaption><b>{escaped(job.caption)}</b></figcaption></figure>'


def _figure(path: Path, out: Path, alt: str, caption: str) -> str:
    """Return a picture with a caption, which is markup."""
    address = _address(path, out)
    picture = f'<a href="{address}"><img src="{address}" alt="{escaped(alt)}" loading="lazy"></a>'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _address(path: Path, out: Path) -> str:
    return escaped(quote(path.relative_to(out).as_posix()))


def _table(shown: Sequence[tuple[Job, Entry]]) -> str:
    rows, errors = [], any(entry.error for _, entry in shown)
    for job, entry in shown:
        facts = entry.kept.facts if entry.kept else {}
        numbers = [_named("similarity", facts.get("similarity")), _named("distance", facts.get("identity_edited"))]
        cells = [
            f"<td>{escaped(job.row.title)}</td>",
            f'<td class="{entry.state}">{STATES[entry.state]}</td>',
            f"<td>{duration(entry.seconds) if entry.seconds else '–'}</td>",
            f"<td>{' '.join(number for number in numbers if number) or '–'}</td>",
            *([f"<td>{escaped(entry.error)}</td>"] if errors else []),
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    heads = "".join(f"<th>{head}</th>" for head in ("row", "state", "took", "measured", *(["why not"] if errors else [])))
    return f'<div class="wide"><table class="jobs"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _named(name: str, value: float | None) -> str:
    return "" if value is None else f"{name} {value:.2f}"


def duration(seconds: float) -> str:
    """Return a time in words: seconds up to a minute and a half, then minutes, then hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
