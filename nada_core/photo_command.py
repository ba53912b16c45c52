"""``python -m nada_core edit``: from the words of a command line to pictures in a folder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nada_core.animation import ramp, save_gif
from nada_core.editing import EditProgress, EditResult, paste_all
from nada_core.engine import Engine
from nada_core.errors import OptionsError
from nada_core.files import output_folder, write_bytes
from nada_core.images import save_png
from nada_core.mixing import Strength
from nada_core.sheets import AI_NOTE, download_metadata, side_by_side

__all__ = ["edit", "parse_blend", "parse_points", "parse_strength"]


def parse_blend(text: str) -> str | list[tuple[str, float]]:
    """A style's name or file as it is; ``joker:0.6,zombie:0.4`` as names with shares.

    Raises:
        OptionsError: a share that is no number.
    """
    if "," not in text:
        return text
    parts = []
    for part in text.split(","):
        name, _, share = part.strip().rpartition(":")
        try:
            parts.append((name or share, float(share) if name else 1.0))
        except ValueError:
            raise OptionsError(f"--style is '{text[:60]}'; a blend looks like joker:0.6,zombie:0.4.") from None
    return parts


def parse_strength(text: str) -> Strength:
    """``1`` for all layers, or ``0.5,1,1`` for shape, texture and colour.

    Raises:
        OptionsError: something else, or out of range.
    """
    try:
        values = [float(part) for part in str(text).split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 3):
        raise OptionsError(
            f"--strength is '{str(text)[:40]}'; give one number, or three for shape, texture "
            "and colour: 0.5,1,1. See `python -m nada_core edit --help`."
        )
    return Strength.even(values[0]) if len(values) == 1 else Strength(*values)


def parse_points(text: str | None) -> list[tuple[float, float]] | None:
    """Six numbers as three points.

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
    strength, points, model = parse_strength(args.strength), parse_points(args.points), parse_blend(args.style)
    engine = Engine(args.device, base=args.base, encoder=args.encoder, world=args.world, inverter=args.inverter)
    styles = engine.look(model)  # an unknown style is refused before the photo is searched for faces
    everyone = str(args.face).lower() == "all"
    try:
        chosen = [0] if everyone else [int(args.face)]
    except ValueError:
        raise OptionsError(f"--face is '{str(args.face)[:20]}'; give a number, 0 being the largest face, or all.") from None
    results: list[EditResult] = []
    out: Path | None = None
    while len(results) < len(chosen):
        face = chosen[len(results)]
        stages = engine.edit_steps(
            args.photo, styles, strength=strength, face=face, resolution=args.resolution, mode=args.mode, points=points
        )
        out = out or output_folder(args.out)
        results.append(_follow(stages))
        if everyone and len(results) == 1:
            chosen = list(range(max(results[0].faces, 1)))
    assert out is not None
    label = download_metadata(str(args.style), str(args.strength), engine.world)
    for number, result in enumerate(results, 1):
        _write(engine, result, out, "" if number == 1 else f"_{number}", label, args, strength)
    if args.paste:
        save_png(paste_all(engine.editor, [result.portrait for result in results], results), out / "pasted.png", label)
    write_bytes(out / "summary.json", json.dumps(_summary(results, args, strength, engine.world), indent=2).encode())
    for note in dict.fromkeys(note for result in results for note in result.notes):
        print(note)
    first = results[0]
    print(
        f"{out / 'edited.png'}: distance to the photo {first.identity_inverted} inverted, {first.identity_edited} edited "
        "(same person: below 0.6)"
    )
    return 0


def _follow(stages: Iterator[EditProgress]) -> EditResult:
    result = None
    for progress in stages:
        # photos are refused in the first stage: nothing is printed before it, so that the error stands on a line of its own
        if progress.fraction:
            print(f"\r{progress.fraction:4.0%} {progress.stage:24s}", end="", file=sys.stderr)
        result = progress.result or result
    print(file=sys.stderr)
    assert result is not None
    return result


def _write(engine: Engine, result: EditResult, out: Path, suffix: str, label: dict, args: argparse.Namespace, strength: Strength) -> None:
    for name in ("aligned", "inverted", "edited"):
        save_png(getattr(result, name), out / f"{name}{suffix}.png", {} if name == "aligned" else label)
    sheet = side_by_side([[result.aligned, result.inverted, result.edited]], ["photo", "rebuilt", str(args.style)], result.edited.width)
    save_png(sheet, out / f"sheet{suffix}.png", label)
    if args.gif and result.portrait:
        strengths = [strength.scaled(value) for value in ramp()]
        save_gif(engine.editor.render(result.portrait, result.worn, strengths, args.resolution), out / f"ramp{suffix}.gif", AI_NOTE)


def _summary(results: Sequence[EditResult], args: argparse.Namespace, strength: Strength, world: str) -> dict:
    kept = ("identity_inverted", "identity_edited", "reconstruction", "faces", "face", "seconds", "notes")
    entries = [{key: getattr(result, key) for key in kept} for result in results]
    values = [strength.shape, strength.texture, strength.colour]
    more = {"style": str(args.style), "strength": values[0] if len(set(values)) == 1 else values, "mode": args.mode, "world": world}
    return entries[0] | more | ({"all_faces": entries} if len(entries) > 1 else {})
