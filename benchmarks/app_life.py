"""Measure the server's memory over many jobs, and what is left of a run when the server is killed; ``benchmarks.app_load`` runs it."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.app_crowd import adaptation, complaint, step_seen
from benchmarks.app_page import Page, Site, open_web
from benchmarks.app_server import AppServer

__all__ = ["ASKED_GROWTH", "killed", "memory", "memory_of", "portrait"]

#: What the resident memory is asked to grow at most from the third job to the end.
ASKED_GROWTH = 0.10
_FIRST = 3
_FULL = 12
_PROMPTS = ("Joker", "Zombie", "Gold")


def memory_of(pid: int) -> dict[str, float]:
    """Resident memory of a process now and at its highest, in MB, from `/proc`. Raises OSError where there is none (not Linux)."""
    text = Path(f"/proc/{pid}/status").read_text()
    values = {name: int(found[1]) / 1024 for name in ("VmRSS", "VmHWM") if (found := re.search(rf"{name}:\s+(\d+) kB", text))}
    return {"now": values["VmRSS"], "peak": values["VmHWM"]}


async def memory(
    url: str, pid: int, minutes: float, photo: bytes, *, steps: int = 5, every: int = 5, told: Callable[[str], None] = print
) -> dict[str, Any]:
    """Adapt again and again for `minutes`, at least four times, each on a new page; every few jobs somebody restyles `photo` (JPEG), too.

    The growth is from the end of the third job to the end of the last. `later` is the growth since the
    twelfth, when the shelf of unsaved styles is full and every kind of work has been done.
    """
    begun, rows, errors = time.monotonic(), [], []
    rows.append({"seconds": 0.0, "jobs": 0, "edits": 0, "memory_mb": memory_of(pid)["now"]})
    edits = 0
    async with open_web(url) as web:
        site = await Site.read(web)
        while len(rows) < _FIRST + 2 or time.monotonic() - begun < 60 * minutes:
            jobs = len(rows)
            answer = await Page(site).ask(site.event("adapt", "click"), adaptation(_PROMPTS[jobs % len(_PROMPTS)], steps))
            if words := answer.error or complaint(str(answer.data)):
                errors.append(words)
            await asyncio.sleep(0.3)  # memory goes back just after the page has been told that the run is over
            rows.append({"seconds": round(time.monotonic() - begun, 1), "jobs": jobs, "edits": edits, "memory_mb": memory_of(pid)["now"]})
            told(f"  {rows[-1]['seconds']:7.0f} s  {jobs:5d} jobs  {rows[-1]['memory_mb']:8.0f} MB")
            if jobs % every == 0:
                page = Page(site)
                fields = {"Photo: JPEG, PNG, WebP, HEIC or AVIF, up to 25 MB": await page.upload(photo, "photo.jpg")}
                answer = await page.ask(site.endpoint("edit"), fields | {"Likeness: how long the face is worked on": "fast"})
                edits += 1
                if answer.error is not None:
                    errors.append(answer.error)
            if len(errors) > 10:
                raise RuntimeError(f"The app fails again and again, last with: {errors[-1]}")
    first, last = rows[_FIRST]["memory_mb"], rows[-1]["memory_mb"]
    return {
        "minutes": (time.monotonic() - begun) / 60,
        "jobs": rows[-1]["jobs"],
        "edits": edits,
        "after_third_job_mb": first,
        "at_end_mb": last,
        "peak_mb": memory_of(pid)["peak"],
        "growth": (last - first) / first,
        "later": (last - rows[_FULL]["memory_mb"]) / rows[_FULL]["memory_mb"] if len(rows) > _FULL + 1 else None,
        "errors": errors,
        "rows": rows,
    }


async def killed(server: AppServer, steps: int = 40) -> dict[str, Any]:
    """Kill the running `server` in the middle of an adaptation, start it again, and see which step came back into the library."""
    seen = 0
    async with open_web(server.url) as web:
        site, before = await Site.read(web), set(await _styles(web))
        page = Page(site)
        await page.join(site.event("adapt", "click"), adaptation("Joker", steps))
        try:
            async for message in page.messages():
                seen = max(seen, step_seen(message))
                if seen >= steps // 2:
                    server.kill()
        except httpx.TransportError:  # the connection breaks with the server
            pass
    server.kill()  # where the run ended before its middle was seen
    on_disk = _newest_step(server.cache / "jobs")
    ready = server.start()
    async with open_web(server.url) as web:
        styles = await _styles(web)
    found = {name: style for name, style in styles.items() if name not in before}
    recovered = next((style["steps"] for style in found.values()), None)
    return {
        "steps": steps,
        "last_seen": seen,
        "saved_on_disk": on_disk,
        "recovered": recovered,
        "recovered_as": list(found),
        "lost": None if recovered is None else max(seen - recovered, 0),
        "ready_again_s": ready,
    }


async def _styles(web: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    site = await Site.read(web)
    answer = await Page(site).ask(site.endpoint("styles"))
    if answer.error is not None:
        raise RuntimeError(f"The list of styles could not be had: {answer.error}")
    return {style["name"]: style for style in answer.data[0]}


def _newest_step(jobs: Path) -> int | None:
    """The step of the newest style file that the killed process left."""
    files = sorted(jobs.glob("*/*/*.safetensors"), key=lambda file: file.stat().st_mtime)
    if not files:
        return None
    with files[-1].open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return int(json.loads(header["__metadata__"]["card"])["steps"])


def portrait() -> bytes:
    """A photo to restyle: the astronaut of scikit-image (NASA, public domain), as JPEG."""
    from PIL import Image
    from skimage import data

    target = io.BytesIO()
    Image.fromarray(data.astronaut()).save(target, "JPEG", quality=92)
    return target.getvalue()
