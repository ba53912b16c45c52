"""What the page runs before Gradio does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["PageStart"]

_SCRIPT_FILE = Path(__file__).with_name("page_start.js")


class PageStart:
    """ASGI middleware: puts the script at the start of the page's head. Everything else passes."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._script = f"<head><script>{_SCRIPT_FILE.read_text(encoding='utf-8')}</script>".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
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
            page = b"".join(parts).replace(b"<head>", self._script, 1)
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(page)).encode())]})
            await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, change)
