"""Run ``python -m nada_core export``: write a style's small network for other programs, or a page that runs it."""

from __future__ import annotations

import argparse

from nada_core.engine import Engine
from nada_core.students.export import check_target, export_student, folder_size

__all__ = ["export"]


def export(args: argparse.Namespace) -> int:
    """Write one style's student to ``--out``."""
    check_target(args.out, args.format)
    engine = Engine(args.device, base=args.base, world=args.world)
    ((student, _),) = engine.students.of([(engine.style(args.style), 1.0)])
    export_student(student, args.out, args.format)
    print(f"{args.out}: {folder_size(args.out) / 1e6:.1f} MB")
    if args.format == "web":
        print("Show it: python -m http.server --directory DIR, then open http://localhost:8000")
    return 0
