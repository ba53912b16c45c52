"""Run `app.py` as a process with folders of its own, to measure it from outside. The user's styles, jobs and uploads stay untouched."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nada_core.assets.store import cache_folder

__all__ = ["AppServer", "running_app"]

ROOT = Path(__file__).resolve().parents[1]


class AppServer:
    """One app on a free port of this machine; `start` may be called again after `kill`.

    Everything it writes goes into `folder`. The downloaded weights are the user's, through links.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.log = folder, folder / "cache", folder / "server.log"
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self.url = f"http://127.0.0.1:{self.port}"
        for name in ("cache", "styles", "gradio", "temporary"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        known = cache_folder()
        for entry in known.iterdir() if known.is_dir() else ():
            target = self.cache / entry.name
            if entry.is_dir() and entry.name != "jobs" and not target.exists():
                target.symlink_to(entry, target_is_directory=True)
            elif entry.is_file() and not target.exists():  # the list of verified files is written to
                shutil.copy(entry, target)

    @property
    def pid(self) -> int:
        """The process's id. Raises RuntimeError when it is not running."""
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"The app has ended by itself. Its last words:\n{self.last_words()}")
        return self.process.pid

    def start(self, timeout: float = 300.0) -> float:
        """Start it and wait until the engine is loaded; returns the seconds that took.

        Raises:
            RuntimeError: it ended, or its engine was not ready within `timeout` seconds.
        """
        environment = os.environ | {
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(self.port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_TEMP_DIR": str(self.folder / "gradio"),
            "NADA_CACHE": str(self.cache),
            "NADA_STYLES": str(self.folder / "styles"),
            "TMPDIR": str(self.folder / "temporary"),
            "PYTHONUNBUFFERED": "1",
        }
        self._begun = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        return self._wait("World: ", timeout)

    def settle(self, timeout: float = 300.0) -> float:
        """Wait until it has also tried everything once; returns the seconds since its start. Raises RuntimeError as `start` does."""
        return self._wait("Warm: ", timeout)

    def _wait(self, words: str, timeout: float) -> float:
        while words not in self.log.read_text(errors="replace"):
            if self.process is None or self.process.poll() is not None or time.monotonic() - self._begun > timeout:
                last = self.last_words()
                self.stop()
                raise RuntimeError(f"The app did not get ready within {timeout:.0f} seconds. Its last words:\n{last}")
            time.sleep(0.2)
        return time.monotonic() - self._begun

    def kill(self) -> None:
        """Kill it without warning, as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and end it when it does not within half a minute (again is harmless)."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""


@contextmanager
def running_app(folder: Path) -> Iterator[AppServer]:
    """A started app that is warm, as one is that has been up for a minute; it is always stopped at the end."""
    server = AppServer(folder)
    try:
        server.start()
        server.settle()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
