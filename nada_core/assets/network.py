"""Tell whether a server can be reached, before pip or the Hub client spends half a minute on saying that they are offline.

Only a connection is opened, nothing is sent. The answer has three values, because a wrong "offline" would be worse than a slow one:
whatever cannot be judged (an unknown scheme, a strange proxy) is ``"unknown"``, and the caller then simply tries.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
import time
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["PROBE_SECONDS", "Reach", "offline_asked", "offline_reason", "reach"]

Reach = Literal["yes", "no", "unknown"]
PROBE_SECONDS = 1.5  # one TCP handshake; a slower line than that would not bring 40 MB of weights either
_PORTS = {"http": 80, "https": 443}


def offline_asked(variable: str) -> bool:
    """Tell whether ``NADA_OFFLINE`` or the given environment variable is set to something that means yes."""
    return any(os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"} for name in ("NADA_OFFLINE", variable))


def offline_reason(url: str, variable: str) -> str:
    """Tell why nothing can be fetched from there: a wish to work offline, or no connection; an empty string where it may be tried."""
    if offline_asked(variable):
        return f"working offline as asked by the environment (NADA_OFFLINE or {variable})"
    return f"no connection to {urlsplit(url).hostname}" if reach(url) == "no" else ""


def reach(url: str, *, proxy: str | None = None, timeout: float = PROBE_SECONDS) -> Reach:
    """Tell whether a TCP connection towards ``url`` (or its proxy) opens within ``timeout`` seconds, name look-up included.

    Args:
        url: http or https address; any other scheme gives ``"unknown"``.
        proxy: an explicitly configured proxy; by default the system's and the environment's are honoured, exceptions too.
    """
    target = urlsplit(url)
    if target.scheme not in _PORTS or not target.hostname:
        return "unknown"
    if proxy is None and not proxy_bypass(target.hostname):
        proxies = getproxies()
        proxy = proxies.get(target.scheme) or proxies.get("all")
    if proxy:
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        host, port = target.hostname, target.port or _PORTS.get(target.scheme)
    except ValueError:
        return "unknown"
    return _connect(host, port, timeout) if host and port else "unknown"


def _connect(host: str, port: int, timeout: float) -> Reach:
    # In threads of their own: a look-up against a dead name server cannot be given a time limit and blocks for 10 to 30 seconds, and a
    # machine with a dead IPv6 route is still online over IPv4.
    answers: queue.Queue[bool | int] = queue.Queue()  # first the number of addresses, then whether each one answered

    def look_up() -> None:
        addresses = []
        with contextlib.suppress(OSError, UnicodeError):
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:6]
        answers.put(len(addresses))
        for address in addresses:
            threading.Thread(target=attempt, args=(address[4][:2],), daemon=True).start()

    def attempt(address: tuple[str, int]) -> None:
        try:
            socket.create_connection(address, timeout).close()
            answers.put(True)
        except OSError:
            answers.put(False)

    threading.Thread(target=look_up, daemon=True).start()
    deadline = time.monotonic() + timeout
    with contextlib.suppress(queue.Empty):
        for _ in range(answers.get(timeout=timeout)):
            if answers.get(timeout=max(0.01, deadline - time.monotonic())):
                return "yes"
    return "no"
