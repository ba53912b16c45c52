"""Write and read errands as bytes: a face to rebuild, a style to fit to one, a student to train, a film to paint; and what came of it.

Of a photo only the face that was cut out leaves the app, as plain pixels, and only in memory; a film leaves it whole.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nada_core.editing.base import EditProgress
from nada_core.errors import ClusterError, StyleError
from nada_core.system.files import write_bytes
from nada_core.ui.workers.messages import Part, pack_person, unpack_person

if TYPE_CHECKING:
    from nada_core.editing.portrait import AlignedPhoto, FittedStyle, Portrait
    from nada_core.students.files import StyleStudent

__all__ = [
    "FaceNews",
    "FaceTask",
    "crop_of",
    "crop_parts",
    "made_parts",
    "read_face_news",
    "read_face_task",
    "read_fitted",
    "read_portrait",
    "read_student",
    "student_bytes",
    "write_face_news",
    "write_face_task",
]

_UNREADABLE = "What a worker was sent, or said, cannot be read: its machine has another version of the product."
#: Parts of a task that travel as they are, in this order; the style's own parts come last.
_CONTENTS = ("crop", "person", "film", "student")


@dataclass(frozen=True)
class FaceTask:
    """Describe photo work to a worker.

    Attributes:
        kind: ``face``: rebuild it; ``style``: fit it to a person; ``student``: train that of a style; ``film``: paint it.
        mode: how long the likeness is worked on.
        facts, crop: of a face to rebuild, see :func:`crop_parts`; of a film the facts ``name``, without a folder, and ``strength``.
        person, style: an inversion as :func:`.messages.pack_person` packs it, and the parts of the style's file.
        film, student: of a film, the files of both.
        base, base_hash, encoder: the names of the networks that it is asked for with.
    """

    key: str
    base: str
    base_hash: str
    encoder: str
    kind: str = "face"
    mode: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    crop: Part = b""
    person: Part = b""
    film: Part = b""
    student: Part = b""
    style: Sequence[Part] = ()


@dataclass(frozen=True)
class FaceNews:
    """Hold what a worker has to tell of photo work.

    Attributes:
        stage, fraction: as in :class:`nada_core.editing.base.EditProgress`; ``picture`` is a JPEG or nothing.
        facts, made: at the end, see :func:`made_parts`; of a student's training the seconds ``left``, and at its end the file; of a film
            the numbers of :class:`nada_core.films.restyle.FilmStep`, and at its end the file, with ``result`` unless it was stopped.
        error: for a person, of the class ``kind``; ``broken`` where it is a fault of the program and only its log knows more.
    """

    stage: str = ""
    fraction: float = 0.0
    picture: Part = b""
    facts: Mapping[str, Any] = field(default_factory=dict)
    made: Sequence[Part] = ()
    error: str = ""
    kind: str = ""
    broken: bool = False
    over: bool = False


def write_face_task(task: FaceTask) -> list[Part]:
    """Return a task as parts."""
    head = {name: value for name, value in vars(task).items() if name not in (*_CONTENTS, "style")}
    return [json.dumps(head).encode(), *(getattr(task, name) for name in _CONTENTS), *task.style]


def read_face_task(message: Sequence[Any]) -> FaceTask:
    """Return the task that :func:`write_face_task` wrote. Raises ClusterError for anything else."""
    try:
        head, *parts = [memoryview(part) for part in message]
        contents: dict[str, Any] = dict(zip(_CONTENTS, parts[: len(_CONTENTS)], strict=True))
        return FaceTask(**json.loads(bytes(head)), **contents, style=parts[len(_CONTENTS) :])
    except (TypeError, ValueError) as error:
        raise ClusterError(_UNREADABLE) from error


def write_face_news(news: FaceNews) -> list[Part]:
    """Return news as parts."""
    head = asdict(replace(news, picture=b"", made=()))
    for name in ("picture", "made"):
        del head[name]
    return [json.dumps(head).encode(), news.picture, *news.made]


def read_face_news(message: Sequence[Any]) -> FaceNews:
    """Return the news that :func:`write_face_news` wrote. Raises ClusterError for anything else."""
    try:
        head, picture, *made = [memoryview(part) for part in message]
        return FaceNews(**json.loads(bytes(head)), picture=picture, made=made)
    except (TypeError, ValueError) as error:
        raise ClusterError(_UNREADABLE) from error


def crop_parts(aligned: AlignedPhoto) -> tuple[dict[str, Any], bytes]:
    """Return what rebuilding a face needs of its photo: size and landmarks of the crop, and its pixels."""
    return {"size": aligned.crop.size, "landmarks": aligned.landmarks.tolist()}, aligned.crop.convert("RGB").tobytes()


def crop_of(facts: Mapping[str, Any], pixels: Part) -> AlignedPhoto:
    """Return a face without the photo around it, from what :func:`crop_parts` returned. Raises ClusterError."""
    import numpy as np
    from PIL import Image

    from nada_core.editing.portrait import AlignedPhoto

    try:
        landmarks = np.asarray(facts["landmarks"], dtype=float)
        width, height = facts["size"]
        crop = Image.frombytes("RGB", (width, height), bytes(pixels))
    except (KeyError, TypeError, ValueError) as error:
        raise ClusterError(_UNREADABLE) from error
    return AlignedPhoto(crop, crop, (), -1, landmarks, landmarks)


def made_parts(stage: EditProgress) -> tuple[dict[str, Any], Sequence[Part]]:
    """Return what the last stage of an inversion or of a fit made, as facts and parts."""
    from nada_core.system.safetensors_writing import safetensors_parts

    if stage.portrait is not None:
        made, picture = stage.portrait, io.BytesIO()
        made.rebuilt.save(picture, "PNG", compress_level=1)  # later pictures are compared with it: nothing may be lost
        facts = {name: getattr(made, name) for name in ("identity", "error", "mode", "seconds")}
        return {**facts, "reference": made.reference.tolist()}, (picture.getvalue(), pack_person(made.inversion))
    fitted = cast("FittedStyle", stage.fitted)
    tensors = {name: tensor.detach().cpu() for name, tensor in fitted.delta.items()}
    return {"name": fitted.name, "prompt": fitted.prompt}, safetensors_parts(tensors, {})


def student_bytes(student: StyleStudent) -> bytes:
    """Return the file of one student."""
    from nada_core.students.files import save_students

    with tempfile.TemporaryDirectory(prefix="job-") as folder:
        return save_students([student], Path(folder) / "student.safetensors").read_bytes()


def read_student(parts: Sequence[Part]) -> StyleStudent:
    """Return the one student of a file. Raises StyleError."""
    from nada_core.students.files import load_students

    with tempfile.TemporaryDirectory(prefix="job-") as folder:
        write_bytes(path := Path(folder) / "student.safetensors", *parts, synced=False)
        found = list(load_students(path).values())
    if len(found) != 1:
        raise StyleError("The file of a student that travelled holds another number of them than one. Try again.")
    return found[0]


def read_portrait(news: FaceNews, aligned: AlignedPhoto, device: Any) -> Portrait:
    """Return the portrait that a worker made of this face. Raises ClusterError."""
    import numpy as np
    from PIL import Image

    from nada_core.editing.portrait import Portrait

    try:
        facts = dict(news.facts)
        reference = np.asarray(facts.pop("reference"))
        picture, person = news.made
        rebuilt = Image.open(io.BytesIO(picture), formats=("PNG",))
        rebuilt.load()
        return Portrait(aligned, unpack_person(bytes(person), device), rebuilt, reference, **facts)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ClusterError(_UNREADABLE) from error


def read_fitted(news: FaceNews, device: Any) -> FittedStyle:
    """Return the fitted style that a worker made. Raises ClusterError."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from nada_core.editing.portrait import FittedStyle

    try:
        tensors = load(b"".join(news.made))
        return FittedStyle(**news.facts, delta={name: tensor.to(device) for name, tensor in tensors.items()})
    except (TypeError, ValueError, SafetensorError) as error:
        raise ClusterError(_UNREADABLE) from error
