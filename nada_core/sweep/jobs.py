"""Make rows of a plan: one adaptation or one edit each, with everything that decides how it ends in its key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nada_core.adaptation.options import AdaptOptions, own_steps
from nada_core.errors import NadaError, StyleError, shown
from nada_core.rows.row import Input, Row, make_row
from nada_core.styles.hub import fetch_style_file, is_reference
from nada_core.styles.library import StyleLibrary
from nada_core.styles.published import NETWORK_SUFFIXES
from nada_core.sweep.plan import AdaptPart, EditPart, Photo, Plan

__all__ = ["STYLE_FILE", "Facts", "Job", "LoadedStyle", "adapt_jobs", "edit_jobs", "find_styles", "options_of"]

#: The file in which an adaptation's row keeps its style.
STYLE_FILE = "style.safetensors"


@dataclass(frozen=True)
class Facts:
    """Hold what else decides how a row ends: it must be the same on every worker."""

    version: str
    world: str
    family: str
    base_hash: str
    encoder: str
    encoder_hash: str
    looks: bool
    device: str

    def __str__(self) -> str:
        return f"{self.world} world, {self.family} {self.base_hash[:8]}, encoder {self.encoder}, {self.device}, version {self.version}"


@dataclass(frozen=True)
class LoadedStyle:
    """Hold the files of a blend with their shares, and what a person calls it."""

    title: str
    files: tuple[tuple[str, Input, float], ...]


@dataclass(frozen=True)
class Job:
    """Hold a row and where the sheet shows it: below which heading, with which caption.

    Attributes:
        needs: the adaptation whose style it wears, a row of the same plan; None where its styles are inputs.
    """

    row: Row
    heading: str
    caption: str
    needs: Row | None = None


def options_of(chosen: dict[str, Any], seed: int, facts: Facts) -> AdaptOptions:
    """Return the options of one adaptation; steps that are not chosen are those that suit the generator."""
    options = AdaptOptions(seed=seed, preview_seconds=math.inf, **chosen)
    if "steps" in chosen:
        return options
    suited = own_steps(facts.family, looks=facts.looks) if chosen.get("start") != "" else AdaptOptions.steps
    return replace(options, steps=suited)


def adapt_jobs(part: AdaptPart, facts: Facts) -> list[Job]:
    """Return a job for every prompt, seed and combination of options, prompt by prompt."""
    jobs, varied = [], _varied(part.options)
    for prompt in part.prompts:
        for chosen in part.options:
            for seed in part.seeds:
                settings = {"kind": "adapt", "prompt": prompt, "options": _plain(asdict(options_of(dict(chosen), seed, facts)))}
                words = [f"{name} {_value(chosen[name])}" for name in varied]
                words += [f"seed {seed}"] if len(part.seeds) > 1 or not words else []
                row = make_row(", ".join((prompt, *words)), settings, **_plain(asdict(facts)))
                jobs.append(Job(row, prompt, ", ".join(words)))
    return jobs


def edit_jobs(part: EditPart, styles: Sequence[LoadedStyle], adapted: Sequence[Job], facts: Facts) -> list[Job]:
    """Return a job for every photo, mode, style and strength, photo by photo: who holds a person does all of theirs."""
    jobs = []
    for photo in part.photos:
        for mode in part.modes:
            for style in styles:
                inputs = {"photo": photo.file, **{name: file for name, file, _ in style.files}}
                shares = [[name, share] for name, _, share in style.files]
                jobs += [_edit(part, photo, mode, strength, style.title, {"styles": shares}, inputs, facts) for strength in part.strengths]
            for made in adapted if part.adapted else ():
                worn = {"styles": [[STYLE_FILE, 1.0]], "adapted": made.row.key}
                own = {"photo": photo.file}
                for strength in part.strengths:
                    jobs.append(replace(_edit(part, photo, mode, strength, made.row.title, worn, own, facts), needs=made.row))
    return jobs


def _edit(
    part: EditPart, photo: Photo, mode: str, strength: float, style: str, worn: dict[str, Any], inputs: dict[str, Input], facts: Facts
) -> Job:
    settings = {"kind": "edit", "photo": photo.name, "mode": mode, "strength": strength, **worn}
    words = [style, *([f"strength {strength:g}"] if len(part.strengths) > 1 else []), *([mode] if len(part.modes) > 1 else [])]
    row = make_row(", ".join((photo.name, *words)), settings, inputs, **_plain(asdict(facts)))
    return Job(row, photo.name, ", ".join(words))


def find_styles(plan: Plan, library: StyleLibrary) -> list[LoadedStyle]:
    """Return the files of the styles that a plan names: of the library, else beside the plan, else of the Hub (``hf:user/repo``).

    Raises:
        StyleError: there is no such style, or it cannot be fetched. Whether it fits the generator is seen by who has one.
    """
    if plan.edit is None:
        return []
    return [
        LoadedStyle(wish.title, tuple(_file(number, name, share, plan, library) for number, (name, share) in enumerate(wish.parts)))
        for wish in plan.edit.styles
    ]


def _file(number: int, name: str, share: float, plan: Plan, library: StyleLibrary) -> tuple[str, Input, float]:
    try:
        path = _path(name, plan.folder, library)
        return f"style-{number}{path.suffix}", Input(path.read_bytes()), share
    except NadaError as error:
        raise StyleError(f"[edit] styles: {error}") from None
    except (OSError, ValueError) as error:  # ValueError: a null in the name
        why = getattr(error, "strerror", None) or "its name is none"
        raise StyleError(f"[edit] styles: '{shown(name, 60)}' cannot be read: {why}.") from None


def _path(name: str, folder: Path, library: StyleLibrary) -> Path:
    if (listed := library.find(name)) is not None:
        return library.paths()[listed]
    if is_reference(name):
        return fetch_style_file(name)
    if not name.endswith((".safetensors", *NETWORK_SUFFIXES)):
        library.load(name)  # says which names are similar
    return folder / name


def _varied(options: Sequence[Any]) -> list[str]:
    """Return the names of the options that have several values."""
    return [name for name in options[0] if len({repr(chosen[name]) for chosen in options}) > 1]


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else "/".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)


def _plain(value: Any) -> Any:
    """Return what JSON can hold: no tuples, no infinity."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
