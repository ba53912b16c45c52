"""Serve a package index and a Hub on a loopback port, so that the real clients (pip, huggingface_hub) run without a network."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def dead_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_wheel(folder: Path, members: dict[str, bytes], name: str = "tiny_weights", version: str = "1.0") -> Path:
    """A wheel that pip accepts, holding the given members."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


class Server:
    """Serves ``/simple/<project>/`` pages for wheels, and ``/<owner>/<repo>/resolve/<revision>/<file>`` as the Hub does."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.drip = False  # send the first half of a wheel, then a byte now and then, for ever
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def _answer(self, *, body: bool) -> None:
                outer.requests.append(f"{self.command} {self.path}")
                parts = self.path.split("?")[0].strip("/").split("/")
                if parts[0] == "simple":
                    links = [name for name in outer.files if name.split("-")[0].replace("_", "-") == parts[1]]
                    page = "".join(f'<a href="/files/{name}">{name}</a>' for name in links).encode()
                    self._send(page if links else None, body, {"Content-Type": "text/html"})
                elif len(parts) > 4 and parts[2] == "resolve":
                    data = outer.files.get("/".join(parts[4:]))
                    etag = hashlib.sha256(data or b"").hexdigest()
                    self._send(data, body, {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'})
                else:
                    self._send(outer.files.get(parts[-1]), body, {"Content-Type": "application/octet-stream"}, drip=outer.drip)

            def _send(self, data: bytes | None, body: bool, headers: dict[str, str], drip: bool = False) -> None:
                self.send_response(200 if data is not None else 404)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                if not body or data is None:
                    return
                try:
                    if drip:
                        self.wfile.write(data[: len(data) // 2])
                        while True:
                            time.sleep(0.1)
                            self.wfile.write(b"\0")
                    self.wfile.write(data)
                except OSError:
                    pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def serving():
    """A running :class:`Server`."""
    server = Server()
    try:
        yield server
    finally:
        server.close()
