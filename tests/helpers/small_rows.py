"""Do rows that only write their settings down, so that tests can look at what is done, kept and tried again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from nada_core.errors import PhotoError
from nada_core.rows.row import Input, Made, Row, RowStep, make_row

__all__ = ["Writing", "open_writing", "row"]


def row(number: int, **settings) -> Row:
    return make_row(f"Row {number}", {"number": number, **settings}, {"text": Input(b"text %d" % number)})


@dataclass
class Writing:
    """``log`` has the numbers of rows that were begun; those of ``refused`` fail, ``broken`` has a bug, ``stop_at`` is interrupted."""

    log: list[int] = field(default_factory=list)
    refused: Sequence[int] = ()
    broken: Sequence[int] = ()
    stop_at: int | None = None

    def __call__(self, row: Row) -> Iterator[RowStep]:
        number = row.settings["number"]
        self.log.append(number)
        yield RowStep(0.5, "half way")
        if number == self.stop_at:
            raise KeyboardInterrupt
        if number in self.refused:
            raise PhotoError("No face was found. Crop closer to the face.")
        if number in self.broken:
            raise ZeroDivisionError("a bug in /secret/path.py")
        content = {"number": number, "text": row.inputs["text"].content.decode()}
        yield RowStep(1.0, "done", Made({"row.txt": json.dumps(content).encode()}, {"square": number**2}))

    def opened(self) -> Callable[[], Writing]:
        return lambda: self


def open_writing(**options) -> Callable[[], Writing]:
    """What other processes can be sent."""
    return partial(Writing, **options)
