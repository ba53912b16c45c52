"""Note when each request reached the server, so that presses can be handled in their order.

Gradio (6.31) starts the handlers of presses that come close together in no certain order, each in a thread of its own. Nothing that it
hands a handler says when the press came.

Upstream: gradio-app/gradio issue 3908 asks about the order; it promises none.
Remove when a `gr.Request` says when it came, or when handlers begin in the order of their presses.
"""

from __future__ import annotations

import time
from typing import Any

__all__ = ["RequestTimes", "arrived"]

_KEY = "nada.arrived"


class RequestTimes:
    """Note in each request's scope when it came in, on the monotonic clock: ASGI middleware."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope[_KEY] = time.monotonic()
        await self._app(scope, receive, send)


def arrived(request: Any) -> float:
    """Return when this `gr.Request` came in; now, where that was not noted (a call without a server)."""
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    return float(scope.get(_KEY, time.monotonic()))
