"""Insert the page's scripts that must run before Gradio's own.

Gradio (6.31) puts what `launch(head=...)` and `launch(js=...)` name into the page when its own scripts have run already, and these keep the
browser's functions they found: a script that changes such a function has to stand before them, at the start of the page's head. The others
stand with these.

Upstream: no issue known.
Remove when these scripts can go, or when Gradio has a place for scripts that run first.
"""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["SCRIPTS", "PageStart"]

SCRIPTS = tuple(
    Path(__file__).with_name(f"{name}.js")
    for name in ("still_clock", "another_server", "one_stream", "refused_storage", "kept_focus", "arrow_keys", "named_pictures")
)
_EVENTS = ("/queue/join", "/queue/data")


class PageStart:
    """Put the scripts at the start of the page's head, and this server's name into them and into answers to events, as ASGI middleware.

    Everything else passes.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._server = secrets.token_hex(8)
        scripts = (file.read_text(encoding="utf-8").replace("{server}", self._server) for file in SCRIPTS)
        self._head = ("<head>" + "".join(f"<script>{script}</script>" for script in scripts)).encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith(_EVENTS):
            await self._app(scope, receive, partial(self._named, send))
            return
        if scope["type"] != "http" or scope["method"] != "GET" or not _asks_for_the_page(scope):
            await self._app(scope, receive, send)
            return
        start: dict[str, Any] = {}
        parts: list[bytes] = []

        async def change(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            page = b"".join(parts).replace(b"<head>", self._head, 1)
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(page)).encode())]})
            await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, change)

    async def _named(self, send: Any, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"x-nada-server", self._server.encode())]}
        await send(message)


def _asks_for_the_page(scope: Any) -> bool:
    """Tell whether a request is for the page itself, under whatever path the app is served or mounted.

    A proxy may take that path off or leave it: the server names it in ``root_path`` either way.
    """
    path, root = scope["path"], scope.get("root_path", "")
    return (path.removeprefix(root) if root else path) in ("", "/")
