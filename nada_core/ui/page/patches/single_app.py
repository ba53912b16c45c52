"""Make a page's web application once, when the page is served.

Gradio (6.31) makes it three times while a page is built and a fourth time when it is launched, which is the only one that answers anybody:
half of the processor time that building the page takes.

Upstream: no issue known.
Remove when building a page and giving it a queue call `App.create_app` no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import gradio as gr
from gradio import blocks

__all__ = ["SingleApp"]

_BUILDING = Lock()


class _NotYet:
    """Stand in Gradio's module for the class of web applications: makes none of one page."""

    def __init__(self, page: gr.Blocks, real: Any) -> None:
        self._page, self._real = page, real

    def create_app(self, page: gr.Blocks, *values: Any, **options: Any) -> Any:
        return None if page is self._page else self._real.create_app(page, *values, **options)


class SingleApp(gr.Blocks):
    """Build a page (`gr.Blocks`) whose web application is made when it is launched, mounted or asked for."""

    _app: Any = None

    def __init__(self, **options: Any) -> None:
        with self._without_app():
            super().__init__(**options)

    def __exit__(self, *error: Any) -> None:
        with self._without_app():
            super().__exit__(*error)

    def queue(self, *values: Any, **options: Any) -> Any:
        """Make the queue, with the arguments of `gr.Blocks.queue`."""
        with self._without_app():
            super().queue(*values, **options)
        return self

    @property
    def app(self) -> Any:
        """Return the web application; makes it where nothing has served the page so far."""
        if self._app is None:
            self._app = blocks.App.create_app(self, mcp_server=False)
        return self._app

    @app.setter
    def app(self, app: Any) -> None:
        self._app = app

    @contextmanager
    def _without_app(self) -> Iterator[None]:
        if isinstance(blocks.App, _NotYet):  # Gradio gives a page its queue while it makes the page
            yield
            return
        with _BUILDING:
            module: Any = blocks
            real = module.App
            module.App = _NotYet(self, real)
            try:
                yield
            finally:
                module.App = real
