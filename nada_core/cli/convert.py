"""Run ``python -m nada_core convert``: write a StyleGAN2 generator in another format."""

from __future__ import annotations

import argparse
import sys

from nada_core.generators.load import load_generator
from nada_core.styles.convert import convert as convert_file
from nada_core.styles.library import StyleLibrary

__all__ = ["convert"]


def convert(args: argparse.Namespace) -> int:
    """Write a generator in another format."""
    style = None if args.style is None else StyleLibrary().load(args.style, lambda: load_generator(args.source))
    done = convert_file(args.source, args.out, args.to, style)
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{done.path}: {done.format}, {done.resolution} px{f', in the style {done.style}' if done.style else ''}")
    return 0
