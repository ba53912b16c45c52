"""Write down what a job is and how far it is, so that after a crash its page can be told what became of it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nada_core.ui.requests import AdaptRequest

__all__ = ["CARD", "JobCard", "card_of", "read_card", "write_card"]

CARD = "job.json"
_SETTINGS = ("seed", "layers", "source", "batch", "lr", "truncation")  # what a page fills in again, by the names of `AdaptRequest`
_STATES = ("waiting", "running", "ended", "saved")


@dataclass(frozen=True)
class JobCard:
    """Describe a job on disk. No photos and no pictures to aim at: those do not outlive their process."""

    prompt: str = "style"
    state: str = "running"  # "waiting" | "running" | "ended" | "saved": its style is in the library
    step: int = 0  # the last that was done
    steps: int = 0  # planned
    saved_as: str = ""  # its name in the library
    settings: Mapping[str, Any] = field(default_factory=dict)


def card_of(request: AdaptRequest, state: str, step: int = 0, saved_as: str = "") -> JobCard:
    """Return the card of a request at a state and step."""
    settings = {name: getattr(request, name) for name in _SETTINGS}
    return JobCard(request.prompt, state, step, request.steps, saved_as, settings)


def write_card(folder: Path, card: JobCard) -> None:
    """Put a card into a folder: complete, or as it was. Raises OSError."""
    temporary = folder / f".{CARD}"
    temporary.write_text(json.dumps(asdict(card)), encoding="utf-8")
    os.replace(temporary, folder / CARD)


def read_card(path: Path) -> JobCard:
    """Read a card; whatever in it is missing or damaged has its default."""
    raw: Any = {}
    with contextlib.suppress(OSError, ValueError):
        raw = json.loads(path.read_text(encoding="utf-8"))
    raw = raw if isinstance(raw, dict) else {}
    prompt, state, saved_as, settings = (raw.get(name) for name in ("prompt", "state", "saved_as", "settings"))
    step, steps = (value if isinstance(value := raw.get(name), int) and value > 0 else 0 for name in ("step", "steps"))
    plain = {name: value for name, value in settings.items() if name in _SETTINGS} if isinstance(settings, dict) else {}
    return JobCard(
        prompt[:200] if isinstance(prompt, str) and prompt else "style",
        state if state in _STATES else "running",
        step,
        steps,
        saved_as[:200] if isinstance(saved_as, str) else "",
        {name: value for name, value in plain.items() if value is None or isinstance(value, (int, float, str))},
    )
