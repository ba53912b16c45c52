"""Read the plan of a sweep, a TOML file; what is wrong with it is said in one sentence before anything is computed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nada_core.errors import NadaError, OptionsError, PhotoError, PromptError, shown
from nada_core.images.image_io import MAX_BYTES, decode_photo
from nada_core.inversion.optimisation import MODES
from nada_core.looks.prompts import check_prompt
from nada_core.rows.row import Input
from nada_core.students.library import INSTANT
from nada_core.styles.mixing import MAX_STRENGTH
from nada_core.sweep.options import combinations, count_combinations
from nada_core.system.files import is_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["ADAPTED", "MAX_ROWS", "AdaptPart", "EditPart", "Photo", "Plan", "StyleWish", "read_plan"]

MAX_ROWS = 1000
#: Among the styles of ``[edit]``: every style that ``[adapt]`` makes.
ADAPTED = "adapted"
_MOST_BYTES = 1 << 20
_MAX_BLEND = 4
_MOST_SEED = 2**63 - 1


@dataclass(frozen=True)
class AdaptPart:
    """Say what to adapt to: every prompt with every seed and every combination of options."""

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    options: tuple[Mapping[str, Any], ...]

    @property
    def count(self) -> int:
        """Return how many rows this is."""
        return len(self.prompts) * len(self.seeds) * len(self.options)


@dataclass(frozen=True)
class Photo:
    """Hold a photo's name, without its folder, and its content."""

    name: str
    file: Input


@dataclass(frozen=True)
class StyleWish:
    """Name the styles of a blend with their shares; one style is a blend of one."""

    parts: tuple[tuple[str, float], ...]

    @property
    def title(self) -> str:
        """Return what a person calls it."""
        return self.parts[0][0] if len(self.parts) == 1 else ", ".join(f"{name} {share:g}" for name, share in self.parts)


@dataclass(frozen=True)
class EditPart:
    """Say what to edit: every photo in every style (``adapted``: those of the plan as well) at every strength and in every mode."""

    photos: tuple[Photo, ...]
    styles: tuple[StyleWish, ...]
    adapted: bool
    strengths: tuple[float, ...]
    modes: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Hold a plan that was read, with the folder that its file names are relative to."""

    folder: Path
    adapt: AdaptPart | None
    edit: EditPart | None

    @property
    def count(self) -> int:
        """Return how many rows the plan has."""
        adapted = self.adapt.count if self.adapt else 0
        if self.edit is None:
            return adapted
        styles = len(self.edit.styles) + (adapted if self.edit.adapted else 0)
        return adapted + len(self.edit.photos) * styles * len(self.edit.strengths) * len(self.edit.modes)


def read_plan(path: Path) -> Plan:
    """Return the plan of a file.

    Raises:
        NadaError: it cannot be read, is no TOML, has an unknown key, a value of a wrong kind or out of range, a photo that is not there or
            no picture, or more than :data:`MAX_ROWS` rows. The message names the key and what is allowed.
    """
    raw = _toml(path)
    _known(raw, "The plan", ("adapt", "edit"))
    if not raw:
        raise OptionsError(f"The plan '{path.name}' is empty; it needs a table [adapt], [edit] or both.")
    for name, value in raw.items():
        if not isinstance(value, dict):
            raise OptionsError(f"{name} is {shown(repr(value), 40)}; it must be a table: [{name}] on a line of its own.")
    counts = [_adapt_count(raw["adapt"])] if "adapt" in raw else [0]
    if counts[0] > MAX_ROWS:
        raise _too_many(counts[0])
    adapt = _adapt(raw["adapt"]) if "adapt" in raw else None
    edit = _edit(raw["edit"], path.parent, counts[0]) if "edit" in raw else None
    return Plan(path.parent, adapt, edit)


def _toml(path: Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise OptionsError(f"The plan '{shown(path.name)}' cannot be read: {error.strerror}. Give the name of a TOML file.") from None
    if len(content) > _MOST_BYTES:
        raise OptionsError(f"The plan '{shown(path.name)}' has more than 1 MB; it is no plan.")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # a TOMLDecodeError is a ValueError; so is text that is not UTF-8
        raise OptionsError(f"The plan '{shown(path.name)}' is not TOML: {shown(str(error), 120)}.") from None


def _adapt_count(raw: Mapping[str, Any]) -> int:
    where = "[adapt]"
    _known(raw, where, ("prompts", "seeds", "options"))
    options = raw.get("options", {})
    if not isinstance(options, dict):
        raise OptionsError(f"{where} options is {shown(repr(options), 40)}; it must be a table: [adapt.options] on a line of its own.")
    prompts = _list(raw, "prompts", where, 'texts, for example ["Joker", "zombie"]', str)
    seeds = _list(raw, "seeds", where, "whole numbers, for example [0, 1, 2]", int, [0])
    return len(prompts) * len(seeds) * count_combinations(options, "[adapt.options]")


def _adapt(raw: Mapping[str, Any]) -> AdaptPart:
    prompts = []
    for text in raw["prompts"]:
        try:
            prompts.append(check_prompt(text))
        except PromptError as error:
            raise PromptError(f"[adapt] prompts: {error}") from None
    _once(prompts, "[adapt] prompts")
    seeds = raw.get("seeds", [0])
    for seed in seeds:
        if not 0 <= seed <= _MOST_SEED:
            raise OptionsError(f"[adapt] seeds has {seed}; a seed is between 0 and {_MOST_SEED}.")
    _once(seeds, "[adapt] seeds")
    return AdaptPart(tuple(prompts), tuple(seeds), tuple(combinations(raw.get("options", {}), "[adapt.options]")))


def _edit(raw: Mapping[str, Any], folder: Path, adapted: int) -> EditPart:
    where = "[edit]"
    _known(raw, where, ("photos", "styles", "strengths", "modes"))
    names = _list(raw, "photos", where, 'names of files, for example ["me.jpg", "photos/*.jpg"]', str)
    wishes = _list(raw, "styles", where, f'names, for example ["joker", "{ADAPTED}", {{joker = 0.6, zombie = 0.4}}]', (str, dict))
    strengths = _list(raw, "strengths", where, "numbers, for example [0.5, 1.0]", (int, float), [1.0])
    for strength in strengths:
        if not 0 <= strength <= MAX_STRENGTH:
            raise OptionsError(f"{where} strengths has {strength}; a strength is between 0 and {MAX_STRENGTH}.")
    modes = _list(raw, "modes", where, "texts", str, ["balanced"])
    for mode in modes:
        if mode not in (*MODES, INSTANT):
            raise OptionsError(f"{where} modes has '{shown(mode, 20)}'; known are {', '.join((*MODES, INSTANT))}.")
    for values, key in ((wishes, "styles"), (strengths, "strengths"), (modes, "modes")):
        _once(values, f"{where} {key}")
    made = ADAPTED in wishes
    if made and not adapted:
        raise OptionsError(
            f"{where} styles has '{ADAPTED}', the styles that [adapt] makes, and there is no [adapt]. Add it, or leave it out."
        )
    if made and INSTANT in modes:
        raise OptionsError(f"{where} modes has '{INSTANT}', which styles just {ADAPTED} cannot have. Use {', '.join(MODES)}.")
    styles = tuple(_wish(wish, where) for wish in wishes if wish != ADAPTED)
    paths = _paths(names, folder, where)
    count = adapted + len(paths) * (len(styles) + (adapted if made else 0)) * len(strengths) * len(modes)
    if count > MAX_ROWS:  # before photos are read
        raise _too_many(count)
    photos = tuple(_photo(path, where) for path in paths)
    return EditPart(photos, styles, made, tuple(float(strength) for strength in strengths), tuple(modes))


def _wish(wish: str | dict[str, Any], where: str) -> StyleWish:
    if isinstance(wish, str):
        return StyleWish(((wish, 1.0),))
    right = 1 <= len(wish) <= _MAX_BLEND and all(isinstance(share, (int, float)) and 0 <= share <= 1 for share in wish.values())
    if not right or ADAPTED in wish or any(isinstance(share, bool) for share in wish.values()):
        raise OptionsError(
            f"{where} styles has {shown(wish, 60)}; a blend is 1 to {_MAX_BLEND} styles with shares from 0 to 1, "
            "{joker = 0.6, zombie = 0.4}."
        )
    return StyleWish(tuple((name, float(share)) for name, share in wish.items()))


def _paths(names: Sequence[str], folder: Path, where: str) -> list[Path]:
    """Return the files that are meant, in order: relative to the plan, * and ? standing for any letters."""
    found: list[Path] = []
    for name in names:
        path = folder / name
        if is_file(path):
            matches = [path]
        elif ("*" in name or "?" in name) and not Path(name).is_absolute() and name.strip("*?./\\"):
            matches = sorted(match for match in folder.glob(name) if match.is_file())
        else:
            matches = []
        if not matches:
            raise PhotoError(f"{where} photos: there is no file '{shown(name)}' beside the plan. Names are relative to the plan's folder.")
        found += matches
    _once([path.resolve() for path in found], f"{where} photos", [path.name for path in found])
    return found


def _photo(path: Path, where: str) -> Photo:
    try:
        decode_photo(path)
        with open(path, "rb") as stream:
            return Photo(path.name, Input(stream.read(MAX_BYTES)))
    except PhotoError as error:
        raise PhotoError(f"{where} photos: {error}") from None
    except OSError as error:
        raise PhotoError(f"{where} photos: {shown(path.name)} cannot be read: {error.strerror}.") from None


def _known(raw: Mapping[str, Any], where: str, names: Sequence[str]) -> None:
    for name in raw:
        if name not in names:
            raise OptionsError(f"{where} has the unknown key '{shown(name, 40)}'; known are {', '.join(names)}.")


def _list(raw: Mapping[str, Any], name: str, where: str, words: str, kind: Any, default: list[Any] | None = None) -> list[Any]:
    """Return a list that is not empty, all of one kind."""
    if name not in raw and default is not None:
        return default
    if name not in raw:
        raise OptionsError(f"{where} has no {name}; give a list of {words}.")
    values = raw[name]
    right = isinstance(values, list) and values and all(isinstance(one, kind) and not isinstance(one, bool) for one in values)
    if not right:
        raise OptionsError(f"{where} {name} is {shown(repr(values), 60)}; it must be a list of {words}.")
    return values


def _once(values: Sequence[Any], where: str, names: Sequence[object] | None = None) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise OptionsError(f"{where} has {shown((names or values)[index], 60)} twice; everything is run once.")


def _too_many(count: int) -> NadaError:
    return OptionsError(f"The plan has {count} rows; at most {MAX_ROWS} are done at once. Split it, each part with an --out of its own.")
