"""Stand in for the film work, without networks: a film of ten frames, whose file is the source's bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from nada_core.errors import FilmError

FRAMES = 10


def fake_film(engine: Any, source: Path, style: Any, out: Path) -> Iterator[SimpleNamespace]:
    """Stays at the frame `hold_at` of the engine until it is stopped; keeps what was made then. Texts are no films."""
    if source.read_bytes().startswith(b"dear"):
        raise FilmError("This is not a film.")
    engine.log.append(f"film {style.card.prompt}")
    return _frames(engine, source, out)


def _frames(engine: Any, source: Path, out: Path) -> Iterator[SimpleNamespace]:
    try:
        for frame in range(1, FRAMES + 1):
            picture = Image.new("RGB", (64, 48), "green") if frame % 3 == 1 else None
            step = SimpleNamespace(frame=frame, frames=FRAMES, fraction=frame / FRAMES, left=1.0, people=1, picture=picture, result=None)
            out.write_bytes(source.read_bytes())
            if frame == FRAMES:
                step.result = SimpleNamespace(
                    painted=9, frames=FRAMES, people=1, seconds=0.4, took=1.0, notes=("The subtitles were left out.",)
                )
            yield step
            while frame >= engine.hold_at:
                time.sleep(0.1)
                yield step
    finally:
        engine.log.append("film close")
