"""Speak Gradio's protocol by hand as a visitor, to send what the page would never send."""

from __future__ import annotations

import json
import secrets

import httpx

from tests.helpers.folders import ROOT

LEAKS = ("Traceback", 'File "', str(ROOT), "site-packages", "/root", "/tmp", "root:x:0", "/home/")


class Visitor:
    """One session that speaks Gradio's protocol by hand."""

    def __init__(self, url: str, demo) -> None:
        self.demo, self.web, self.session = (
            demo,
            httpx.Client(base_url=url, timeout=300, headers={"connection": "close"}, verify=False),  # plain HTTP: no certificates are read
            secrets.token_hex(6),
        )

    def number(self, name: str) -> int:
        """The index of the handler of that name."""
        return next(key for key, block in self.demo.fns.items() if getattr(block.fn, "__name__", "") == name)

    def ask(self, function: int | str, *data) -> tuple[bool, str, list]:
        """Run a handler through the queue: whether it succeeded, all that was answered, and the last outputs."""
        number = function if isinstance(function, int) else self.number(function)
        body = json.dumps({"fn_index": number, "data": list(data), "session_hash": self.session})  # NaN and the like included
        joined = self.web.post("/gradio_api/queue/join", content=body, headers={"content-type": "application/json"})
        if joined.status_code != 200:
            return False, clean(joined.text), []
        lines, last = [], {}
        with self.web.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as events:
            for line in events.iter_lines():
                if line.startswith("data:"):
                    lines.append(line)
                    last = json.loads(line[5:])
                    if last["msg"] in ("process_completed", "close_stream", "unexpected_error"):
                        break
        return bool(last.get("success")), "\n".join(lines), (last.get("output") or {}).get("data") or []

    def refused(self, function: int | str, *data) -> str:
        """Like `ask` for what must fail; returns the answer."""
        success, answer, _ = self.ask(function, *data)
        assert not success, answer[-500:]
        return clean(answer)

    def turned_away(self, *data) -> str:
        """Like `refused` for the Adapt button, which says so on the page; a value that Gradio itself refuses does not get that far."""
        success, answer, _ = self.ask("adapt", *data)
        assert not success or ("note-bad" in answer and "Not started" in answer), answer[-500:]
        return clean(answer)

    def upload(self, content: bytes, name: str = "photo.jpg") -> httpx.Response:
        return self.web.post("/gradio_api/upload", files={"files": (name, content)})


def clean(text: str) -> str:
    """The same text, checked."""
    assert not [leak for leak in LEAKS if leak in text], text[-800:]
    return text
