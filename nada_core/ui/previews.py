"""Preview pictures as small files: encoded once here, so that the page only swaps addresses and nothing flickers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["write_faces"]


def write_faces(images: Any, folder: Path, stem: str) -> tuple[str, ...]:
    """Write images [N,3,H,W] in [-1,1] as `<stem>-<i>.jpg` into `folder` and return the paths in order."""
    from ..images import to_pil  # late: it brings torch, and the page must be up before that

    paths = []
    for index, image in enumerate(images):
        path = folder / f"{stem}-{index}.jpg"
        to_pil(image.detach().cpu()).save(path, quality=90)
        paths.append(str(path))
    return tuple(paths)
