"""What the page runs before Gradio does."""

from __future__ import annotations

from typing import Any

__all__ = ["PageStart"]

# Gradio (6.31) takes the "Loading..." of the first moment off the page without stopping its clock, which then makes the browser draw sixty
# frames a second for as long as the page is open: a tenth of a core, and a laptop's battery. The clock shows the seconds that an event has
# been waiting for; no event of this page shows them, so that no clock has to run at all. What it asks for is known by its source.
_NO_CLOCKS = """<script>(() => {
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) => (/performance\\.now\\(\\)\\s*-.*1e3/.test(String(work)) ? 0 : ask(work));
})();</script>"""


class PageStart:
    """ASGI middleware: puts the script at the start of the page's head. Everything else passes."""

    def __init__(self, app: Any) -> None:
        self._app = app

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
            page = b"".join(parts).replace(b"<head>", b"<head>" + _NO_CLOCKS.encode(), 1)
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(page)).encode())]})
            await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, change)
