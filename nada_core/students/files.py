"""Keep students in files: one network with the numbers of many styles, each with a card that says what was measured."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from nada_core.assets.checksums import sha256_of_tensors
from nada_core.assets.shipped import CHECKPOINTS
from nada_core.errors import StyleError, shown
from nada_core.students.network import WIDTHS, Student
from nada_core.styles.files import Style
from nada_core.system.containers import read_safetensors, reading
from nada_core.system.files import write_bytes

__all__ = [
    "READY_STUDENTS",
    "TEXTURED_STUDENTS",
    "StudentCard",
    "StyleStudent",
    "load_students",
    "ready_students",
    "save_students",
    "style_digest",
]

FORMAT = "nada-students-2"
READY_STUDENTS = CHECKPOINTS / "students.safetensors"
#: Those of styles with a texture, which share a network of their own.
TEXTURED_STUDENTS = CHECKPOINTS / "students-textured.safetensors"


@dataclass(frozen=True)
class StudentCard:
    """Say which style a student was made from, and how well it does.

    Attributes:
        name, prompt: of the style.
        style: digest of the style's weights (:func:`style_digest`): a name is only a name.
        steps: of the training, over all styles that share the network.
        figures: what was measured on faces it never saw, by name.
    """

    name: str
    prompt: str
    style: str
    steps: int
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class StyleStudent:
    """Hold one style's student: the network, and the style's own numbers ``[1, code_size]``."""

    card: StudentCard
    network: Student
    code: Tensor


def style_digest(style: Style) -> str:
    """Return what a student's card names its style by."""
    return sha256_of_tensors(style.tensors)


def save_students(students: Sequence[StyleStudent], path: Path) -> Path:
    """Write students that share one network, in half precision; the file is complete or absent.

    Raises:
        NadaError: the file cannot be written. ValueError: they have different networks.
    """
    network = students[0].network
    if any(student.network is not network for student in students):
        raise ValueError("one file has one network")
    tensors = {f"network.{name}": value.detach().half().contiguous() for name, value in network.state_dict().items()}
    tensors["codes"] = torch.cat([student.code.detach() for student in students]).half()
    cards = [asdict(student.card) for student in students]
    metadata = {"format": FORMAT, "widths": json.dumps(network.widths), "cards": json.dumps(cards), "sha256": sha256_of_tensors(tensors)}
    write_bytes(path, save(tensors, metadata))
    return path


def load_students(path: Path) -> dict[str, StyleStudent]:
    """Return the students of a file by the digests of their styles.

    Raises:
        StyleError: no such file, not of this kind, or damaged.
    """
    name = shown(path.name)
    damaged = f"'{name}' is no file of students, or it is damaged. Make it again with `python -m nada_core distil`."
    tensors, metadata = read_safetensors(path, damaged, StyleError)
    with reading(path, damaged, StyleError):
        if metadata.get("format") != FORMAT or metadata.get("sha256") != sha256_of_tensors(tensors):
            raise StyleError(damaged)
        grain = tensors["network.grain"].shape[1] // 4 if "network.grain" in tensors else 0
        network = Student(tuple(int(width) for width in json.loads(metadata["widths"])) or WIDTHS, grain)
        weights = {key.removeprefix("network."): value.float() for key, value in tensors.items() if key.startswith("network.")}
        network.load_state_dict(weights)
        network.eval().requires_grad_(False)
        codes = tensors["codes"].float()
        cards = [StudentCard(**card) for card in json.loads(metadata["cards"])]
        if codes.shape != (len(cards), network.code_size) or not all(bool(torch.isfinite(t).all()) for t in (codes, *weights.values())):
            raise StyleError(damaged)
    return {card.style: StyleStudent(card, network, codes[place : place + 1]) for place, card in enumerate(cards)}


@functools.cache
def ready_students(*paths: Path) -> Mapping[str, StyleStudent]:
    """Return the students that are shipped, by the digests of their styles, of these files (by default all); none where none is there."""
    found: dict[str, StyleStudent] = {}
    for path in paths or (READY_STUDENTS, TEXTURED_STUDENTS):
        if path.is_file():
            found |= load_students(path)
    return found
