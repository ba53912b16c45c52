"""Visit the page without a browser: Gradio's queue protocol by plain HTTP, as its JavaScript client speaks it (protocol sse_v3).

The page names its events in `/config`: which component triggers them, and which components' values are sent along. They are looked up by
the components' ids in the HTML, as a person finds them, so nothing here depends on the names or numbers of handlers.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

__all__ = ["Answer", "Message", "Page", "Refused", "Site", "open_web"]

_API = "/gradio_api"
_KIND = re.compile(r'"msg"\s*:\s*"(\w+)"')
_BROWSER = {"accept-encoding": "gzip, deflate, br"}  # what browsers take: the server's work of compressing counts


class Refused(Exception):
    """The queue did not take an event; the message is what it said."""


@dataclass(frozen=True)
class Message:
    """One message of the queue: its kind ("process_generating", "process_completed", ...) and its JSON, which may be a megabyte."""

    kind: str
    text: str

    def content(self) -> dict[str, Any]:
        """The JSON, parsed."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Answer:
    """What became of an event: when the page first changed and when the event was over, in milliseconds after the click."""

    first: float
    done: float
    data: list[Any]
    error: str | None = None  # None: it succeeded


def open_web(url: str) -> httpx.AsyncClient:
    """Connections to the app. No limit on how many, and streams may be silent."""
    unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(base_url=url, limits=unlimited, timeout=httpx.Timeout(60.0, read=None), trust_env=False)


@dataclass(frozen=True)
class Site:
    """What `/config` says about the page: its components by id, its events."""

    web: httpx.AsyncClient
    components: dict[int, dict[str, Any]]
    events: list[dict[str, Any]] = field(repr=False)

    @classmethod
    async def read(cls, web: httpx.AsyncClient) -> Site:
        """Fetch it."""
        answer = await web.get("/config")
        answer.raise_for_status()
        config = answer.json()
        return cls(web, {one["id"]: one for one in config["components"]}, config["dependencies"])

    def event(self, trigger: str, kind: str) -> dict[str, Any]:
        """The first event that `kind` ("click", "select", ...) on the component or tab with this id in the HTML triggers.

        Raises LookupError.
        """
        for event in self.events:
            for key, name in event["targets"]:
                props = self.components.get(key, {}).get("props", {})
                if name == kind and trigger in (props.get("elem_id"), props.get("id")) and event["backend_fn"]:
                    return event
        raise LookupError(f"The page has no event {kind} on {trigger}.")

    def loading(self) -> list[dict[str, Any]]:
        """The events of a page that has just been loaded, one after the other."""
        found = [event for event in self.events if event["backend_fn"] and any(name == "load" for _, name in event["targets"])]
        for event in found:  # grows while it is walked: what comes after an event of it belongs to it
            found += [after for after in self.events if after["trigger_after"] == event["id"] and after["backend_fn"]]
        return found

    def endpoint(self, name: str) -> dict[str, Any]:
        """The event behind a public endpoint. Raises LookupError."""
        for event in self.events:
            if event["api_name"] == name and event["api_visibility"] == "public":
                return event
        raise LookupError(f"The app has no endpoint /{name}.")

    def values(self, event: Mapping[str, Any], changed: Mapping[str, Any]) -> list[Any]:
        """What the page sends with an event: its fields' first values, save those `changed`, by id in the HTML or by label.

        State is sent as null: the server keeps it. Raises LookupError for a field that the event does not take.
        """
        left, values = dict(changed), []
        for key in event["inputs"]:
            props = self.components[key]["props"]
            name = next((one for one in (props.get("elem_id"), props.get("label")) if one in left), None)
            values.append(props.get("value") if name is None else left.pop(name))
        if left:
            raise LookupError(f"The page sends no {', '.join(left)} with this event.")
        return values


class Page:
    """One session. It does one thing after the other, as a person does."""

    def __init__(self, site: Site) -> None:
        self.site, self.session = site, secrets.token_hex(6)

    async def html(self) -> float:
        """Load the page's HTML, without what it links to; returns the milliseconds that took."""
        begun = time.perf_counter()
        async with self.site.web.stream("GET", "/", headers=_BROWSER) as answer:
            answer.raise_for_status()
            async for _ in answer.aiter_raw():
                pass
        return _milliseconds(begun)

    async def join(self, event: Mapping[str, Any], changed: Mapping[str, Any] | None = None) -> None:
        """Put an event in the queue. Raises Refused."""
        body = {
            "data": self.site.values(event, changed or {}),
            "event_data": None,
            "fn_index": event["id"],
            "trigger_id": event["targets"][0][0] if event["targets"] else None,
            "session_hash": self.session,
        }
        answer = await self.site.web.post(f"{_API}/queue/join", json=body)
        if answer.status_code != 200:
            raise Refused(_said(answer))

    async def messages(self) -> AsyncIterator[Message]:
        """What the queue says about this session until nothing of it is under way. Going away earlier cancels what is."""
        async with self.site.web.stream("GET", f"{_API}/queue/data", params={"session_hash": self.session}) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                found = _KIND.search(line[:400]) if line.startswith("data:") else None
                if found is None or found[1] in ("heartbeat", "close_stream"):
                    continue
                yield Message(found[1], line[5:])

    async def ask(self, event: Mapping[str, Any], changed: Mapping[str, Any] | None = None) -> Answer:
        """Do something on the page and wait until it is over. Raises Refused when the queue does not take it."""
        begun, first = time.perf_counter(), None
        if not event["queue"]:
            return await self._at_once(event, changed or {}, begun)
        await self.join(event, changed)
        answer = None
        async for message in self.messages():
            if message.kind in ("process_generating", "process_completed"):
                first = first or _milliseconds(begun)
            if message.kind == "process_completed":
                answer = _answer(message.content(), first or 0.0, _milliseconds(begun))
        return answer or Answer(first or 0.0, _milliseconds(begun), [], "The stream ended without an answer.")

    async def _at_once(self, event: Mapping[str, Any], changed: Mapping[str, Any], begun: float) -> Answer:
        """An event that does not queue."""
        body = {"data": self.site.values(event, changed), "fn_index": event["id"], "session_hash": self.session}
        answer = await self.site.web.post(f"{_API}/run/predict", json=body)
        took = _milliseconds(begun)
        if answer.status_code != 200:
            return Answer(took, took, [], _said(answer))
        return Answer(took, took, answer.json().get("data") or [])

    async def upload(self, content: bytes, name: str) -> dict[str, Any]:
        """Upload a file; returns the value to send as a photo."""
        answer = await self.site.web.post(f"{_API}/upload", files={"files": (name, content)})
        answer.raise_for_status()
        return {"path": answer.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    async def stay(self) -> None:
        """Keep the connection that tells the server that the page is still open. Ends when it is cancelled."""
        async with self.site.web.stream("GET", f"{_API}/heartbeat/{self.session}") as answer:
            async for _ in answer.aiter_raw():
                pass


def _answer(content: dict[str, Any], first: float, done: float) -> Answer:
    output = content.get("output") or {}
    if content.get("success"):
        return Answer(first, done, output.get("data") or [])
    return Answer(first, done, [], output.get("error") or "Error")


def _said(answer: httpx.Response) -> str:
    try:
        content = answer.json()
        return str(content.get("detail") or content.get("error") or f"HTTP {answer.status_code}")
    except (ValueError, AttributeError):
        return f"HTTP {answer.status_code}"


def _milliseconds(begun: float) -> float:
    return 1000 * (time.perf_counter() - begun)
