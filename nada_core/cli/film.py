"""Run ``python -m nada_core film``: put a style on everybody in a film."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from nada_core.cli.edit import parse_blend, parse_strength
from nada_core.cli.interrupt import finishing_steps
from nada_core.engine import Engine
from nada_core.films.reading import FilmLimits
from nada_core.films.restyle import FilmStep
from nada_core.styles.library import StyleLibrary

__all__ = ["film"]


def film(args: argparse.Namespace) -> int:
    """Write the film, a line of progress for each frame; Ctrl-C keeps what was painted so far, as a film that plays."""
    strength, model = parse_strength(args.strength), parse_blend(args.style, StyleLibrary().find)
    limits = FilmLimits(args.longest * 60, advice="Cut it, or let longer ones in with --longest MINUTES.")
    engine = Engine(args.device, base=args.base, world=args.world)
    steps = engine.film_steps(args.film, model, args.out, strength=strength, limits=limits, overwrite=args.overwrite)
    painted, last = 0, None
    with finishing_steps() as stopping, closing(steps):
        for last in steps:
            painted += last.people > 0 and last.result is None
            print(f"\r{_line(last)}", end="", file=sys.stderr, flush=True)
            if stopping() and last.result is None:
                break
    print(file=sys.stderr)
    assert last is not None
    if last.result is None:
        kept = f"{args.out}: the first {last.frame} frames" if painted else "No face was painted yet: nothing was written"
        print(f"{kept}, stopped early.")
        return 130
    made = last.result
    print(f"{made.path}: {made.painted} of {made.frames} frames painted, {made.frames / max(made.took, 1e-9):.1f} frames a second")
    for note in made.notes:
        print(note)
    return 0


def _line(step: FilmStep) -> str:
    if step.frames is None or step.left is None:
        return f"frame {step.frame}   "
    done = round(20 * step.fraction)
    return f"{'#' * done}{'.' * (20 - done)} {step.fraction:4.0%} frame {step.frame} of {step.frames}, {step.left:.0f} s left   "
