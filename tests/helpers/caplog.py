"""Hear what is logged: the few things that tests ask of pytest's own `caplog`.

Pytest (9.2) visits every logger of the process four times a test, and torch has hundreds: a twentieth of the time of the quick tests.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Heard"]


class Heard(logging.Handler):
    """Keep the records that reach the root logger."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.message = record.getMessage()
        self.records.append(record)

    @property
    def text(self) -> str:
        """All messages, a line each."""
        return "\n".join(record.message for record in self.records)

    def clear(self) -> None:
        self.records.clear()

    @contextmanager
    def at_level(self, level: int | str, name: str | None = None) -> Iterator[None]:
        """Let a logger, by default the root, speak from this level on."""
        logger = logging.getLogger(name)
        before = logger.level
        logger.setLevel(level)
        try:
            yield
        finally:
            logger.setLevel(before)
