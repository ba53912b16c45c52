"""Name the paths of the files shipped with the project: trained weights and the example photo."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CHECKPOINTS", "PORTRAIT"]

#: Weights this project trained.
CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
#: The photo that is used where none is given: the astronaut Eileen Collins.
PORTRAIT = Path(__file__).with_name("astronaut.jpg")
