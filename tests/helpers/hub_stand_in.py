"""Serve a Hub on a loopback port to the real huggingface_hub client: repositories to read from, and uploads as its API takes them."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_let_me_write"


@dataclass
class Repo:
    """One repository. ``refused``: status and error code that every question about it gets without the token."""

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False
    refused: tuple[int, str] | None = None
    sizes: dict[str, int] = field(default_factory=dict)  # claimed, in place of the real ones


class Hub:
    """The state of the server: change ``repos`` and ``read_only``, look at ``requests``."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[str] = []
        self.read_only = False
        self.cards: list[str] = []  # READMEs sent for validation
        self.starts: list[int] = []  # where each download of a file began
        self.breaks: list[int] = []  # after so many bytes the next downloads are cut off
        self.hold_at: int | None = None  # a download stands still there
        self.held = threading.Event()  # until this is set
        self.held.set()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self._answer(b"")

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def _answer(self, body: bytes) -> None:
                path = unquote(urlsplit(self.path).path).strip("/")
                hub.requests.append(f"{self.command} /{path}")
                known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
                self._send(*hub.answer(path, self.command, body, known=known))

            def _send(self, status: int, content: bytes | dict, headers: dict[str, str]) -> None:
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                start = 0
                if self.command == "GET" and isinstance(content, bytes):
                    start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
                    hub.starts.append(start)
                if start:
                    status, headers = 206, headers | {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
                    data = data[start:]
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command == "GET" and isinstance(content, bytes):
                    self._file(data)
                elif self.command != "HEAD":
                    self.wfile.write(data)

            def _file(self, data: bytes) -> None:
                """Send a file: whole, held up, or cut off."""
                if not hub.held.is_set() and hub.hold_at is not None:
                    self.wfile.write(data[: hub.hold_at])
                    hub.held.wait(300)
                    data = data[hub.hold_at :]
                if hub.breaks:
                    data, self.close_connection = data[: hub.breaks.pop(0)], True
                self.wfile.write(data)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, path: str, method: str, body: bytes, *, known: bool) -> tuple[int, bytes | dict, dict[str, str]]:
        parts = path.split("/")
        if method == "POST" and (not known or self.read_only):
            return (403 if known else 401), {"error": "no"}, {}
        if path == "api/validate-yaml":
            self.cards.append(json.loads(body)["content"])
            return 200, {"errors": [], "warnings": []}, {}
        if path == "api/repos/create":
            wanted = json.loads(body)
            name = f"{wanted['organization']}/{wanted['name']}" if wanted.get("organization") else f"me/{wanted['name']}"
            self.repos[name] = Repo(private=wanted.get("private") is True or wanted.get("visibility") == "private")
            return 200, {"url": f"{self.url}/{name}"}, {}
        api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if api else parts[:2])
        repo = self.repos.get(name)
        if repo is None:
            return 404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
        if repo.refused and not known:
            return repo.refused[0], {"error": "refused"}, {"X-Error-Code": repo.refused[1]} if repo.refused[1] else {}
        if api and len(parts) > 4 and parts[4] == "preupload":
            files = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
            return 200, {"files": files}, {}
        if api and len(parts) > 4 and parts[4] == "commit":
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    repo.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            return 200, {"success": True, "commitUrl": f"{self.url}/{name}/commit/{COMMIT}", "commitOid": COMMIT}, {}
        if api:
            if len(parts) > 5 and parts[5] not in ("main", COMMIT):
                return 404, {"error": "Invalid rev"}, {"X-Error-Code": "RevisionNotFound"}
            siblings = [{"rfilename": n, "size": repo.sizes.get(n, len(data)), "blobId": "0"} for n, data in repo.files.items()]
            return 200, {"id": name, "modelId": name, "sha": COMMIT, "private": repo.private, "siblings": siblings}, {}
        data = repo.files.get("/".join(parts[4:]))
        if data is None:
            return 404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"}
        return 200, data, {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def hub_serving():
    """A running :class:`Hub`."""
    hub = Hub()
    try:
        yield hub
    finally:
        hub.close()
