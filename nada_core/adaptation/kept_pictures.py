"""Keep what the frozen generator draws in every run: the pictures of the known training faces, in the cache folder.

They depend on the generator, on the number format and on the kernels of this machine, never on the prompt. A picture that is kept is bit
by bit the one that would be drawn, so a run is the same with and without.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nada_core.errors import NadaError
from nada_core.system.cache import cache_folder
from nada_core.system.files import write_bytes
from nada_core.system.precision import machine

__all__ = ["MOST_SETS", "kept_picture", "picture_set"]

#: Sets that are kept, one a generator, number format, machine and version of torch; 38 MB each for 48 faces.
MOST_SETS = 3


def picture_set(base_hash: str, truncation_psi: float, resolution: int | None) -> Path:
    """Return the folder of pictures that are drawn alike: of one generator, in the number format of this moment, on this machine."""
    numbers = str(torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32)
    facts = "|".join((base_hash, repr(truncation_psi), str(resolution), numbers, machine()))
    return cache_folder() / "faces" / hashlib.sha256(facts.encode()).hexdigest()[:24]


def kept_picture(folder: Path, number: int, draw: Callable[[], Tensor]) -> Tensor:
    """Return picture ``number`` of a set, ``[1, 3, S, S]`` in float32: the one that is kept, else drawn and kept.

    A file that is damaged is drawn again; where none can be written the picture is drawn each time.
    """
    file = folder / f"{number}.npy"
    with suppress(OSError, ValueError, EOFError):
        kept = torch.from_numpy(np.load(file, allow_pickle=False))
        if kept.dtype == torch.float32 and kept.ndim == 4 and bool(torch.isfinite(kept).all()):
            return kept
    picture = draw()
    if not folder.is_dir():
        _make_room(folder.parent)
    content = io.BytesIO()
    np.save(content, picture.cpu().numpy(), allow_pickle=False)
    with suppress(NadaError, OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(file, content.getvalue())
    return picture


def _make_room(parent: Path) -> None:
    """Delete the sets that were begun first, so that with the next one there are no more than are kept."""
    with suppress(OSError):
        sets = sorted((path for path in parent.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
        for old in sets[: max(0, len(sets) - MOST_SETS + 1)]:
            shutil.rmtree(old, ignore_errors=True)
