"""Is a server reachable? Asked before pip or the Hub client is started: their own retries take up to half a minute to say they are offline.

Only a connection is opened, nothing is sent. The answer has three values, because a wrong "offline" would be worse than a slow one:
whatever cannot be judged (an unknown scheme, a strange proxy) is ``"unknown"``, and the caller then simply tries.
"""

from __future__ import annotations

import configparser
import os
import queue
import shlex
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["PROBE_SECONDS", "PipSettings", "Reach", "offline_asked", "pip_settings", "reach"]

Reach = Literal["yes", "no", "unknown"]
PROBE_SECONDS = 1.5  # one TCP handshake; a slower line than that would not bring 40 MB of weights either
PYPI = "https://pypi.org/simple"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class PipSettings:
    """Where this user's pip looks for packages (its environment variables win over its configuration files)."""

    indexes: tuple[str, ...] = (PYPI,)
    """Remote indexes, main one first; empty under ``no-index``."""
    local_indexes: tuple[str, ...] = ()
    """``file:`` indexes: they work without a network."""
    find_links: tuple[str, ...] = ()
    """Folders and pages of wheels."""
    proxy: str | None = None

    @property
    def has_local(self) -> bool:
        """True where pip may find a package without a network."""
        return bool(self.local_indexes) or any(_is_local(link) for link in self.find_links)


def offline_asked(variable: str) -> bool:
    """True if ``NADA_OFFLINE`` or the given environment variable is set to something that means yes."""
    return any(os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"} for name in ("NADA_OFFLINE", variable))


def pip_settings(environ: Mapping[str, str] | None = None) -> PipSettings:
    """What ``pip config`` would print about indexes and proxies, read in milliseconds instead of starting pip (half a second)."""
    environ = os.environ if environ is None else environ
    values: dict[str, str] = {}
    for path in _config_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself will complain about it, with the line number
        for section in ("global", "download"):
            if parser.has_section(section):
                values.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    for key in ("index-url", "extra-index-url", "find-links", "no-index", "proxy"):
        value = environ.get("PIP_" + key.upper().replace("-", "_"))
        if value is not None:
            values[key] = value
    no_index = values.get("no-index", "").strip().lower() in {"1", "true", "yes", "on"}
    indexes = [] if no_index else [values.get("index-url") or PYPI, *values.get("extra-index-url", "").split()]
    return PipSettings(
        indexes=tuple(url for url in indexes if not _is_local(url)),
        local_indexes=tuple(url for url in indexes if _is_local(url)),
        find_links=tuple(shlex.split(values.get("find-links", ""), posix=os.name != "nt")),
        proxy=values.get("proxy") or None,
    )


def reach(url: str, *, proxy: str | None = None, timeout: float = PROBE_SECONDS) -> Reach:
    """Whether a TCP connection towards ``url`` (or the proxy on the way to it) opens within ``timeout`` seconds, name look-up included.

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
    if not host or not port:
        return "unknown"
    return _connect(host, port, timeout)


def _connect(host: str, port: int, timeout: float) -> Reach:
    # In threads of their own: a look-up against a dead name server cannot be given a time limit and blocks for 10 to 30 seconds, and a
    # machine with a dead IPv6 route is still online over IPv4.
    answers: queue.Queue[bool | int] = queue.Queue()

    def look_up() -> None:
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:6]
        except (OSError, UnicodeError):
            addresses = []
        answers.put(len(addresses))
        for address in addresses:
            threading.Thread(target=attempt, args=(address[0], address[4]), daemon=True).start()

    def attempt(family: int, address: tuple) -> None:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout)
                connection.connect(address)
        except OSError:
            answers.put(False)
        else:
            answers.put(True)

    threading.Thread(target=look_up, daemon=True).start()
    deadline = time.monotonic() + timeout
    try:
        waiting = int(answers.get(timeout=timeout))
        while waiting > 0:
            if answers.get(timeout=max(0.01, deadline - time.monotonic())):
                return "yes"
            waiting -= 1
    except queue.Empty:
        pass
    return "no"


def _is_local(url: str) -> bool:
    return urlsplit(url).scheme not in {"http", "https", "git+https", "ftp"}


def _config_files(environ: Mapping[str, str]) -> list[Path]:
    """pip's configuration files, weakest first (pip's documentation, "Configuration files")."""
    last = environ.get("PIP_CONFIG_FILE")
    if last == os.devnull:
        return []  # pip's way of saying: read none
    home = Path.home()
    if sys.platform == "win32":
        files = [Path(environ.get("PROGRAMDATA", r"C:\ProgramData")) / "pip" / "pip.ini", home / "pip" / "pip.ini"]
        files.append(Path(environ.get("APPDATA", str(home))) / "pip" / "pip.ini")
        files.append(Path(sys.prefix) / "pip.ini")
    else:
        user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
        system = [Path(folder) / "pip" / "pip.conf" for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if folder]
        files = [*system, Path("/etc/pip.conf"), home / ".pip" / "pip.conf"]
        if sys.platform == "darwin":
            support = Path("Library") / "Application Support" / "pip" / "pip.conf"
            files = [Path("/") / support, *files, home / support]
        files += [user, Path(sys.prefix) / "pip.conf"]
    return [*files, Path(last)] if last else files
