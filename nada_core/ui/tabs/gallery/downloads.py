"""Write the Gallery tab's zip of a comparison: every picture marked in its metadata as made by AI."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nada_core.system.files import slug
from nada_core.ui.tabs.gallery.views import SheetRow

__all__ = ["MARK", "write_zip"]

MARK = "AI-generated: a face made by a neural network, not a photograph of anybody."


def write_zip(path: Path, rows: Sequence[SheetRow], seeds: Sequence[int], world: str, truncation_psi: float) -> None:
    """Write every picture as PNG, a contact sheet, and the styles' cards as JSON into one file.

    Raises:
        NadaError: the disk is full or read-only.
    """
    from nada_core.images.image_io import to_pil
    from nada_core.images.sheets import download_metadata, side_by_side, zip_pictures

    def marks(style: str, faces: str) -> dict[str, str]:
        return {**download_metadata(style, "1.00", world), "Comment": MARK, "Seed": faces, "Truncation": f"{truncation_psi:g}"}

    pictures = [[to_pil(image) for image in row.images.detach().cpu()] for row in rows if row.images is not None]
    inside = [
        (f"{number}-{slug(row.heading)}/seed-{seed}.png", image, marks(row.name, str(seed)))
        for number, (row, images) in enumerate(zip(rows, pictures))
        for seed, image in zip(seeds, images)
    ]
    headings, side = [row.heading for row in rows], pictures[0][0].width
    sheet = side_by_side(pictures, [f"seed {seed}" for seed in seeds], side, headings, MARK)
    inside.append(("sheet.png", sheet, marks(", ".join(row.name for row in rows), ", ".join(map(str, seeds)))))
    facts = {
        "note": MARK,
        "world": world,
        "seeds": list(seeds),
        "truncation_psi": truncation_psi,
        "styles": [_plain(asdict(row.card)) for row in rows if row.card is not None],
    }
    zip_pictures(path, inside, {"cards.json": json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)})


def _plain(value: Any) -> Any:
    """Return the value with None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
