"""When requests reached the server. Gradio starts the handlers of presses that come close together in no certain order."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["Arrivals", "arrived"]

_KEY = "nada.arrived"


class Arrivals:
    """ASGI middleware: notes in each request's scope when it came in, on the monotonic clock."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope[_KEY] = time.monotonic()
        await self._app(scope, receive, send)


def arrived(request: Any) -> float:
    """When this `gr.Request` came in; now, where that was not noted (a call without a server)."""
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    return float(scope.get(_KEY, time.monotonic()))
