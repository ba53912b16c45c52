"""Measure how light the cheeks of light, medium and dark faces are after a style: paint that covers leaves all alike.

``python -m tests.whole.gates.looks.by_skin checkpoints/styles/joker.safetensors``: of 90 unseen faces the eight lightest, the eight in the
middle and the eight darkest are rendered. A white paint should leave the groups' means within 8 of L*. ``--at-once`` lets the styles'
students paint the same faces instead.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from nada_core.engine import Engine
from nada_core.styles.files import Style, load_style
from tests.whole.gates.faces import unseen_faces
from tests.whole.gates.regions import Regions, to_lab, to_rgb

__all__ = ["cheeks", "grouped", "main"]

PSI = 0.7


def cheeks(image: Tensor, regions: Regions) -> float:
    """Return the mean lightness of the cheeks in a picture ``[3, S, S]`` in [-1, 1]; NaN where none are seen."""
    mask = regions.masks.get("cheeks")
    return math.nan if mask is None else float(to_lab(to_rgb(image))[..., 0][mask].mean())


def grouped(lightness: Sequence[float], each: int) -> dict[str, list[int]]:
    """Return places of the darkest, the middle and the lightest values, ``each`` of them; NaN is none of them."""
    order = [int(place) for place in np.argsort(lightness) if not math.isnan(lightness[place])]
    middle = (len(order) - each) // 2
    return {"dark": order[:each], "medium": order[middle : middle + each], "light": order[-each:]}


def painted(engine: Engine, style: Style, faces: Tensor) -> Tensor:
    """Return faces ``[N, 3, 256, 256]`` as the style's student paints them at once."""
    ((student, _),) = engine.students.of([(style, 1.0)])
    return student.network(faces, student.code).clamp(-1, 1)


def main(arguments: list[str] | None = None) -> int:
    """Print each style's means; 1 where those of one lie further apart than wanted."""
    parser = argparse.ArgumentParser(prog="python -m tests.whole.gates.looks.by_skin", description=__doc__)
    parser.add_argument("styles", nargs="+", type=Path)
    parser.add_argument("--faces", type=int, default=90, help="of which the groups are chosen")
    parser.add_argument("--each", type=int, default=8, help="faces in a group")
    parser.add_argument("--within", type=float, default=8.0, help="how far the means may lie apart")
    parser.add_argument("--at-once", action="store_true", help="by the styles' students")
    options = parser.parse_args(arguments)
    engine = Engine("cpu")
    faces = unseen_faces(engine, range(886_001, 886_001 + options.faces), PSI)
    before = [cheeks(image, regions) for image, regions in zip(faces.before, faces.regions, strict=True)]
    groups = grouped(before, options.each)
    print("before:", {name: round(float(np.mean([before[i] for i in places])), 1) for name, places in groups.items()}, flush=True)
    far = 0.0
    for path in options.styles:
        style, means = load_style(path), dict[str, float]()
        for name, places in groups.items():
            if options.at_once:
                pictures = painted(engine, style, faces.before[places])
            else:
                pictures = engine.sample([faces.keys[i][0] for i in places], style=style, resolution=256, truncation_psi=PSI)
            means[name] = float(np.nanmean([cheeks(picture, faces.regions[i]) for picture, i in zip(pictures, places, strict=True)]))
        spread = max(means.values()) - min(means.values())
        far = max(far, spread)
        print(f"{path.stem}:", {name: round(mean, 1) for name, mean in means.items()}, f"apart {spread:.1f}", flush=True)
    return 0 if far <= options.within else 1


if __name__ == "__main__":
    sys.exit(main())
