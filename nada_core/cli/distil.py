"""Run ``python -m nada_core distil``: make a style's student, the small network that puts it on a face in milliseconds."""

from __future__ import annotations

import argparse
import sys

from nada_core.engine import Engine
from nada_core.students.distil import DistilOptions, DistilStep
from nada_core.students.files import save_students
from nada_core.students.library import INSTANT

__all__ = ["distil"]


def distil(args: argparse.Namespace) -> int:
    """Train until the last step or Ctrl-C; either way the student so far is kept, and written to ``--out`` where it is given."""
    engine = Engine(args.device, base=args.base, world=args.world)
    last: DistilStep | None = None
    try:
        for step in engine.distil(args.style, DistilOptions(steps=args.steps, pairs=args.pairs, seed=args.seed)):
            last = step if step.student is not None else last
            loss = "" if step.loss is None else f"  loss {step.loss:.3f}"
            print(f"\r{step.fraction:4.0%} {step.stage}{loss}  {step.left:.0f} s left   ", end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        if last is None:
            raise
    print(file=sys.stderr)
    assert last is not None and last.student is not None
    student = last.student
    kept = engine.students.keep(student)
    if args.out is not None:
        save_students([student], args.out)
    measured = student.card.figures
    said = f", error {measured['error']} on unseen faces (doing nothing: {measured['unchanged']})" if measured else ", stopped early"
    print(f"{args.out or kept.name}: '{student.card.prompt}' after {student.card.steps} steps{said}")
    print(f"Wear it: python -m nada_core edit PHOTO --style {args.style} --mode {INSTANT} --out DIR")
    return 0 if measured else 130
