"""Write and read what travels between the app and its workers: JSON and files, as bytes. Nothing that a visitor sent is ever unpickled.

What is large travels in parts that are somebody's own memory: Ray copies them into its store once, and who reads them reads them there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import ClusterError
from nada_core.ui.jobs.suggest_step import StepRecord
from nada_core.ui.jobs.views import AdaptView, LossCurve, Progress, SavedStep
from nada_core.ui.requests import AdaptExtras, AdaptRequest

if TYPE_CHECKING:
    from nada_core.inversion.base import Inversion

__all__ = ["News", "Part", "Task", "pack_person", "read_news", "read_task", "sendable", "unpack_person", "write_news", "write_task"]

_LENGTH = 8  # bytes that say how long the JSON is
_INLINE = 1024  # bytes below which a copy costs less than a part of its own
Part = bytes | memoryview


@dataclass(frozen=True)
class Task:
    """Describe an adaptation to a worker.

    Attributes:
        images: of the pictures to aim at, each with its file's ending; the request names none.
        person: see :func:`pack_person`; empty for none.
        base, base_hash, encoder: the names of the networks that it is asked for with.
    """

    key: str
    request: AdaptRequest
    base: str
    base_hash: str
    encoder: str
    images: tuple[tuple[str, bytes], ...] = ()
    person: bytes = b""


@dataclass(frozen=True)
class News:
    """Hold what a worker has to tell: a view with the files that are new, the end, or why there is none.

    Attributes:
        view: its files are named ``styles/NAME``, ``pictures/NAME`` or ``originals/NUMBER``.
        files, gone: of the job's folders, by the same names; contents in parts, which are the message's own memory where they were read.
        step: of the training that came with them; 0 for none.
        error: for a person; ``broken`` where it is a fault of the program and only its log knows more.
    """

    view: AdaptView | None = None
    files: tuple[tuple[str, Sequence[Part]], ...] = ()
    gone: tuple[str, ...] = ()
    step: int = 0
    error: str = ""
    broken: bool = False
    over: bool = False


def write_task(task: Task) -> bytes:
    """Return a task as bytes."""
    facts = {"key": task.key, "base": task.base, "base_hash": task.base_hash, "encoder": task.encoder}
    names = [ending for ending, _ in task.images]
    return _pack(
        {**facts, "request": asdict(task.request), "images": names, "person": bool(task.person)},
        [*(content for _, content in task.images), *([task.person] if task.person else ())],
    )


def read_task(message: bytes) -> Task:
    """Return the task that :func:`write_task` wrote. Raises ClusterError for anything else."""
    try:
        facts, parts = _unpack(message)
        blobs = list(map(bytes, parts))
        request = dict(facts["request"])
        extra = AdaptExtras(**request.pop("extra"))
        images = tuple(zip(facts["images"], blobs, strict=False))
        person = blobs[-1] if facts["person"] else b""
        return Task(
            facts["key"],
            AdaptRequest(**{**request, "images": tuple(request["images"])}, extra=extra),
            facts["base"],
            facts["base_hash"],
            facts["encoder"],
            images,
            person,
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ClusterError("A task for a worker cannot be read: its machine has another version of the product.") from error


def write_news(news: News) -> list[Part]:
    """Return news as parts: JSON, then the contents of the files."""
    facts = {"gone": news.gone, "step": news.step, "error": news.error, "broken": news.broken, "over": news.over}
    view = None if news.view is None else asdict(news.view)
    files = [(name, [len(part) for part in parts]) for name, parts in news.files]
    return [json.dumps({**facts, "view": view, "files": files}).encode(), *(part for _, parts in news.files for part in parts)]


def read_news(message: Sequence[Any]) -> News:
    """Return the news that :func:`write_news` wrote. Raises ClusterError for anything else, and for names that are no plain file's."""
    try:
        head, *parts = [memoryview(part) for part in message]
        facts, left = json.loads(bytes(head)), iter(parts)
        files = tuple((name, tuple(next(left) for _ in sizes)) for name, sizes in facts["files"])
        if next(left, None) is not None or [[len(part) for part in parts] for _, parts in files] != [sizes for _, sizes in facts["files"]]:
            raise ValueError("parts are missing, or of another length")
        gone = tuple(facts["gone"])
        for name in (*(name for name, _ in files), *gone):
            check_name(name)
        view = None if facts["view"] is None else _view(facts["view"])
        return News(view, files, gone, facts["step"], facts["error"], facts["broken"], facts["over"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:  # the last: a generator that ran out of parts
        raise ClusterError("News of a worker cannot be read: its machine has another version of the product.") from error


def sendable(parts: Sequence[Part]) -> list[Any]:
    """Return parts as Ray takes them without a copy of its own: arrays of bytes, and what is small as it is."""
    import numpy as np

    return [bytes(part) if len(part) < _INLINE else np.frombuffer(part, np.uint8) for part in parts]


def check_name(name: str) -> None:
    """Raise ValueError for what is not ``styles/NAME`` or ``pictures/NAME``: a file of a job goes nowhere else."""
    folder, _, plain = name.partition("/")
    if folder not in ("styles", "pictures") or not plain or plain != Path(plain).name or plain.startswith(".") or "\\" in plain:
        raise ValueError(f"'{name}' is no file of a job")


def renamed(view: AdaptView, name: Callable[[str], str]) -> AdaptView:
    """Return a view whose files are called what ``name`` makes of them."""

    def all_of(files: Sequence[str] | None) -> tuple[str, ...] | None:
        return None if files is None else tuple(map(name, files))

    saved = tuple(replace(one, file=name(one.file), pictures=tuple(map(name, one.pictures))) for one in view.saved)
    return replace(view, originals=all_of(view.originals), previews=all_of(view.previews), saved=saved)


def pack_person(person: Inversion) -> bytes:
    """Return an inversion as a safetensors file."""
    from safetensors.torch import save

    offsets = {f"offset|{name}": tensor for name, tensor in person.offsets.items()}
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in {"ws": person.ws, **offsets}.items()})


def unpack_person(content: bytes, device: Any = "cpu") -> Inversion:
    """Return the inversion that :func:`pack_person` wrote, on a device."""
    from safetensors.torch import load

    from nada_core.inversion.base import Inversion

    tensors = load(content)
    return Inversion(tensors["ws"], {name.partition("|")[2]: t for name, t in tensors.items() if name != "ws"}).to(device)


def _view(facts: Mapping[str, Any]) -> AdaptView:
    facts = dict(facts)
    chart = facts.pop("chart")
    curve = None if chart is None else LossCurve(chart["steps"], tuple(chart["losses"]), tuple(chart["similarities"]))
    saved = tuple(SavedStep(StepRecord(**one["record"]), one["file"], tuple(one["pictures"])) for one in facts.pop("saved"))
    for name in ("originals", "previews"):
        facts[name] = None if facts[name] is None else tuple(facts[name])
    return AdaptView(progress=Progress(**facts.pop("progress")), chart=curve, saved=saved, **facts)


def _pack(facts: Mapping[str, Any], blobs: Sequence[bytes | memoryview]) -> bytes:
    head = json.dumps({"facts": facts, "sizes": [len(blob) for blob in blobs]}).encode()
    return b"".join((len(head).to_bytes(_LENGTH, "little"), head, *blobs))


def _unpack(message: bytes) -> tuple[dict[str, Any], list[memoryview]]:
    whole = memoryview(message)
    start = _LENGTH + int.from_bytes(message[:_LENGTH], "little")
    head = json.loads(message[_LENGTH:start])
    blobs = []
    for size in head["sizes"]:
        blobs.append(whole[start : start + size])
        start += size
    if start != len(message):
        raise ValueError("cut off")
    return head["facts"], blobs
