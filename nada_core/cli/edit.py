"""Run ``python -m nada_core edit``: put photos into styles and write the pictures into a folder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from nada_core.editing.base import EditProgress, EditResult, EditStages
from nada_core.editing.session import paste_all, paste_changes
from nada_core.engine import Engine
from nada_core.errors import OptionsError, shown
from nada_core.images.films import ramp, save_gif
from nada_core.images.image_io import save_png
from nada_core.images.sheets import AI_NOTE, download_metadata, side_by_side
from nada_core.styles.hub import PREFIX
from nada_core.styles.library import StyleLibrary
from nada_core.styles.mixing import Strength
from nada_core.system.files import is_there, output_folder, write_bytes

__all__ = ["edit", "parse_blend", "parse_points", "parse_strength"]


def parse_blend(text: str, known: Callable[[str], object] = lambda name: None) -> str | list[tuple[str, float]]:
    """Return a style's name or file as it is; ``joker:0.6,zombie:0.4`` as names with shares. A share that is not given is 1.

    Commas and colons may be part of a file's name that exists, of a title, or of a place on the Hub (``hf:user/repo``).

    Args:
        known: tells whether the library has a style of this name or title.

    Raises:
        OptionsError: a share that is no number.
    """

    def there(name: str) -> bool:
        return bool(known(name)) or is_there(Path(name))

    if there(text):
        return text
    pieces, parts = text.split(","), []
    while pieces:
        # the longest beginning that is there with its commas; else up to the next comma
        count = next((n for n in range(len(pieces), 1, -1) if _is_whole(",".join(pieces[:n]).strip(), there)), 1)
        parts.append(_shared(",".join(pieces[:count]).strip(), there))
        pieces = pieces[count:]
    if len(parts) == 1 and parts[0][1] in ("", None):
        return text
    try:
        if any(share == "" for _, share in parts):
            raise ValueError
        return [(name, 1.0 if share is None else float(share)) for name, share in parts]
    except ValueError:
        if len(parts) == 1:  # no share, but a colon in a name that is not there: whoever looks for it says so
            return text
        raise OptionsError(f"--style is '{shown(text, 60)}'; a blend looks like joker:0.6,zombie:0.4.") from None


def _shared(part: str, there: Callable[[str], bool]) -> tuple[str, str | None]:
    """Return the name and the share, as it is written, of one part of a blend; None where no share is given."""
    name, colon, share = part.rpartition(":")
    if not colon or there(part) or f"{name}:" == PREFIX:
        return part, None
    return (name, share) if name else (part, "")


def _is_whole(part: str, there: Callable[[str], bool]) -> bool:
    """Tell whether a piece with commas in it is one style that is there, with its share or without."""
    name, share = _shared(part, there)
    return there(name) and "," not in (share or "")


def parse_strength(text: str) -> Strength:
    """Return the strength that ``1`` (all layers) or ``0.5,1,1`` (shape, texture, colour) means.

    Raises:
        OptionsError: something else, or out of range.
    """
    try:
        values = [float(part) for part in str(text).split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 3):
        raise OptionsError(
            f"--strength is '{shown(text, 40)}'; give one number, or three for shape, texture "
            "and colour: 0.5,1,1. See `python -m nada_core edit --help`."
        )
    return Strength.even(values[0]) if len(values) == 1 else Strength(*values)


def parse_points(text: str | None) -> list[tuple[float, float]] | None:
    """Return six numbers as three points.

    Raises:
        OptionsError: not six numbers.
    """
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 6:
        raise OptionsError("--points takes six numbers: x,y of one eye, x,y of the other, x,y of the middle of the mouth.")
    return list(zip(numbers[::2], numbers[1::2]))


def edit(args: argparse.Namespace) -> int:
    """Write aligned.png, inverted.png, edited.png, sheet.png and summary.json; pasted.png and ramp.gif on request.

    With ``--face all`` the pictures of the second face are named aligned_2.png and so on.
    """
    strength, points, model = parse_strength(args.strength), parse_points(args.points), parse_blend(args.style, StyleLibrary().find)
    engine = Engine(args.device, base=args.base, encoder=args.encoder, world=args.world, inverter=args.inverter)
    styles = engine.resolve_styles(model)  # an unknown style is refused before the photo is searched for faces
    everyone = str(args.face).lower() == "all"
    try:
        face = 0 if everyone else int(args.face)
    except ValueError:
        raise OptionsError(f"--face is '{shown(args.face, 20)}'; give a number, 0 being the largest face, or all.") from None
    stages = engine.edit_steps(
        args.photo, styles, strength=strength, face=face, resolution=args.resolution, mode=args.mode, points=points, everyone=everyone
    )
    out = output_folder(args.out)
    last = _follow(stages)
    results = last.results
    label = download_metadata(str(args.style), str(args.strength), engine.world)
    for number, result in enumerate(results, 1):
        _write(engine, result, out, "" if number == 1 else f"_{number}", label, args, strength)
    if args.paste:
        instant = [result.instant for result in results if result.instant is not None]
        pasted = paste_changes(engine.editor, instant) if instant else paste_all(engine.editor, last.made, results)
        save_png(pasted, out / "pasted.png", label)
    write_bytes(out / "summary.json", json.dumps(_summary(results, args, strength, engine.world), indent=2).encode())
    for note in dict.fromkeys(note for result in results for note in result.notes):
        print(note)
    first = results[0]
    inverted = "" if first.identity_inverted is None else f"{first.identity_inverted} inverted, "
    print(f"{out / 'edited.png'}: distance to the photo {inverted}{first.identity_edited} edited (same person: below 0.6)")
    return 0


def _follow(stages: EditStages) -> EditProgress:
    for progress in stages:
        # photos are refused in the first stage: nothing is printed before it, so that the error stands on a line of its own
        if progress.fraction:
            print(f"\r{progress.fraction:4.0%} {progress.stage:24s}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return progress


def _write(engine: Engine, result: EditResult, out: Path, suffix: str, label: dict, args: argparse.Namespace, strength: Strength) -> None:
    columns = {"aligned": "photo", "inverted": "rebuilt", "edited": str(args.style)}
    if result.instant is not None:  # nothing was rebuilt
        del columns["inverted"]
    for name in columns:
        save_png(getattr(result, name), out / f"{name}{suffix}.png", {} if name == "aligned" else label)
    sheet = side_by_side([[getattr(result, name) for name in columns]], list(columns.values()), result.edited.width)
    save_png(sheet, out / f"sheet{suffix}.png", label)
    if args.gif and result.portrait:
        strengths = [strength.scaled(value) for value in ramp()]
        save_gif(engine.editor.render(result.portrait, result.fitted, strengths, args.resolution), out / f"ramp{suffix}.gif", AI_NOTE)


def _summary(results: Sequence[EditResult], args: argparse.Namespace, strength: Strength, world: str) -> dict:
    kept = ("identity_inverted", "identity_edited", "reconstruction", "faces", "face", "seconds", "notes")
    entries = [{key: getattr(result, key) for key in kept} for result in results]
    values = [strength.shape, strength.texture, strength.colour]
    more = {"style": str(args.style), "strength": values[0] if len(set(values)) == 1 else values, "mode": args.mode, "world": world}
    return entries[0] | more | ({"all_faces": entries} if len(entries) > 1 else {})
