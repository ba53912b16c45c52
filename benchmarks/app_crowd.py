"""Measure many visitors at once: the page's speed while an adaptation runs, and what becomes of many adaptations asked for at once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.app_page import Message, Page, Refused, Site, open_web

__all__ = ["ASKED_MS", "adaptation", "complaint", "crowd", "overtaken", "spread", "step_seen", "visitors"]

#: What the median of every kind of page action is asked to stay below, in milliseconds.
ASKED_MS = 300.0
_STEP = re.compile(r"Step (\d+) of (\d+)")
_NOTICE = re.compile(r'note-bad\\?" role=\\?"alert\\?">(.*?)</div>')
_PROMPTS = ("Joker", "Zombie", "Gold", "Oil painting", "Hulk")


def adaptation(prompt: str, steps: int) -> dict[str, Any]:
    """The fields of the Adapt tab for a run with a fixed seed."""
    return {"prompt": prompt, "Steps": steps, "seed": 1, "New seed each run": False}


def step_seen(message: Message) -> int:
    """The step that the page shows with this message, 0 where it shows none."""
    return max((int(found[1]) for found in _STEP.finditer(message.text)), default=0)


def complaint(text: str) -> str:
    """The sentence that the page shows beside the prompt where an adaptation was refused or broke off; empty where there is none."""
    found = _NOTICE.findall(text)
    return found[-1] if found else ""


def spread(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile (of those measured, no interpolation), longest, and how many."""
    ordered = sorted(times)
    place = min(len(ordered) - 1, -(-95 * len(ordered) // 100) - 1)
    return {"count": len(ordered), "median_ms": statistics.median(ordered), "p95_ms": ordered[place], "max_ms": ordered[-1]}


def overtaken(ended: list[int], pressed: list[float]) -> dict[str, Any]:
    """How far the order of service departs from the order of asking: pairs of people of whom the later one came first.

    `ended` are the people in the order they were served, `pressed` their times in seconds. Also returns by how many milliseconds at most
    somebody who was overtaken had been earlier.
    """
    ahead = [pressed[one] - pressed[other] for place, one in enumerate(ended) for other in ended[place + 1 :] if other < one]
    return {"order_kept": not ahead, "pairs_swapped": len(ahead), "swapped_within_ms": 1000 * max(ahead, default=0.0)}


@dataclass
class _Seen:
    """Collect what visitors met: the milliseconds of each kind of action, and the errors by their sentence; each is told when it comes."""

    told: Callable[[str], None]
    times: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)

    def took(self, kind: str, milliseconds: float) -> None:
        self.times[kind].append(milliseconds)
        self.told(kind)

    def refused(self, words: str) -> None:
        self.errors[words] += 1
        self.told(words)


# --- visitors -------------------------------------------------------------------------------------------------------------------------


async def visitors(
    url: str,
    count: int,
    steps: int = 60,
    seed: int = 0,
    think: tuple[float, float] = (2.0, 6.0),
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """`count` people look around while one more watches an adaptation; ends with it.

    Every one thinks for a random time between `think` seconds before doing something. Returns the spread of each kind of action from the
    click to the first change of the page, the errors by their sentence, and the share of one core that the visitors themselves took. `told`
    hears the kind of each action that was answered, and each error.
    """
    seen = _Seen(told)
    async with open_web(url) as web:
        site = await Site.read(web)
        begun, own, last = time.monotonic(), time.process_time(), 0
        runner = Page(site)
        people: list[asyncio.Task[None]] = []
        try:
            await runner.join(site.event("adapt", "click"), adaptation("Joker", steps))
            async for message in runner.messages():
                last = max(last, step_seen(message))
                if last and not people:
                    chances = [random.Random(f"{seed}-{number}") for number in range(count)]
                    people = [asyncio.create_task(_look_around(site, chance, think, seen)) for chance in chances]
                if message.kind == "process_completed" and not message.content().get("success"):
                    seen.refused("the adaptation failed")
        finally:
            for person in people:
                person.cancel()
            for outcome in await asyncio.gather(*people, return_exceptions=True):
                if isinstance(outcome, Exception):
                    seen.refused(f"{type(outcome).__name__}: {outcome}")
        took = time.monotonic() - begun
    return {
        "visitors": count,
        "seconds": took,
        "steps_seen": last,
        "actions": {kind: spread(values) for kind, values in sorted(seen.times.items())},
        "errors": dict(seen.errors),
        "own_core_share": (time.process_time() - own) / took,
    }


async def _look_around(site: Site, chance: random.Random, think: tuple[float, float], seen: _Seen) -> None:
    """One visitor, until cancelled: arrives, then does one of the cheap things of the page every few seconds, or reloads it."""
    async with _open_page(site, seen, chance, think) as page:
        current = page
        while True:
            await asyncio.sleep(chance.uniform(*think))
            (what,) = chance.choices(("gallery", "styles", "advice", "strength", "resume", "reload"), (30, 15, 25, 15, 10, 5))
            if what == "reload":
                current = Page(site)
                await _arrive(current, seen)
            elif what == "gallery":
                await _measure(current, "open the gallery", site.event("gallery", "select"), seen)
            elif what == "styles":
                await _measure(current, "list of styles", site.endpoint("styles"), seen)
            elif what == "advice":
                event = site.event("prompt", "change")
                await _measure(current, "advice on a prompt", event, seen, {"prompt": chance.choice(_PROMPTS)})
            elif what == "strength":
                changed = {"strength": round(chance.uniform(0, 1.3), 2)}
                await _measure(current, "move the strength", site.event("strength", "input"), seen, changed)
            else:
                await _measure(current, "look for a run of mine", site.loading()[-1], seen)


@contextlib.asynccontextmanager
async def _open_page(site: Site, seen: _Seen, chance: random.Random, think: tuple[float, float]) -> AsyncIterator[Page]:
    """A visitor's first page, with the connection that every open page holds."""
    await asyncio.sleep(chance.uniform(0, think[1]))  # nobody comes in step with the others
    page = Page(site)
    presence = asyncio.create_task(page.stay())
    try:
        await _arrive(page, seen)
        yield page
    finally:
        presence.cancel()
        await asyncio.gather(presence, return_exceptions=True)


async def _arrive(page: Page, seen: _Seen) -> None:
    seen.took("load the page (HTML)", await page.html())
    for event, kind in zip(page.site.loading(), ("fill the page", "look for a run of mine"), strict=False):
        await _measure(page, kind, event, seen)


async def _measure(
    page: Page,
    kind: str,
    event: dict[str, Any],
    seen: _Seen,
    changed: dict[str, Any] | None = None,
) -> None:
    try:
        answer = await page.ask(event, changed)
    except (Refused, httpx.HTTPError) as error:
        seen.refused(f"{kind}: {error or type(error).__name__}")
        return
    if answer.error is not None:
        seen.refused(f"{kind}: {answer.error}")
        return
    seen.took(kind, answer.first)


# --- many adaptations -----------------------------------------------------------------------------------------------------------------


async def crowd(url: str, count: int, steps: int = 5, patience: float = 180.0, told: Callable[[str], None] = print) -> dict[str, Any]:
    """`count` people press Adapt one right after the other; each is followed to the end.

    A run hangs when for `patience` seconds no page hears anything new and it is not over. Served are those whose page says "Done"; refused
    those whose page says "Not started", or whose event the queue does not take; failed those that broke off; lost those that end without
    either. The sentences that came with it are the complaints.
    """
    outcome: dict[int, str] = {}
    ended: list[int] = []
    complaints: Counter[str] = Counter()
    news = time.monotonic()

    async def follow(number: int, page: Page) -> None:
        nonlocal news
        done, turned_away, words = False, False, ""
        async for message in page.messages():
            if message.kind != "process_generating" or any(
                message.content()["output"]["data"]
            ):  # differences; a mere sign of life has none
                news = time.monotonic()
            done = done or f"Done: {steps} steps" in message.text
            turned_away = turned_away or "Not started" in message.text  # what the bar says then; a run that broke off says otherwise
            words = complaint(message.text) or words
            if message.kind != "process_completed":
                continue
            content = message.content()
            if content.get("success") and done and not words:
                outcome[number] = "served"
                ended.append(number)
                told(f"  served {len(ended)}, after {time.monotonic() - begun:.0f} s")
            elif words or not content.get("success"):
                outcome[number] = "refused" if turned_away else "failed"
                complaints[words or (content.get("output") or {}).get("error") or "no words"] += 1

    async with open_web(url) as web:
        site = await Site.read(web)
        begun, people, pressed = time.monotonic(), {}, []
        for number in range(count):
            page = Page(site)
            pressed.append(time.monotonic())
            try:
                await page.join(site.event("adapt", "click"), adaptation(_PROMPTS[number % len(_PROMPTS)], steps))
            except Refused as error:
                outcome[number] = "refused"
                complaints[str(error)] += 1
                continue
            people[asyncio.create_task(follow(number, page))] = number
        asked = time.monotonic() - begun
        left = set(people)
        while left and time.monotonic() - news < patience:
            _, left = await asyncio.wait(left, timeout=1.0)
        for task in left:
            outcome[people[task]] = "hung"
            task.cancel()
        await asyncio.gather(*people, return_exceptions=True)
        took = time.monotonic() - begun
    counts = Counter(outcome.get(number, "lost") for number in range(count))
    return {
        "jobs": count,
        "steps": steps,
        "seconds": took,
        "asked_within_s": asked,
        **{kind: counts[kind] for kind in ("served", "refused", "failed", "hung", "lost")},
        "served_in_order": ended,
        **overtaken(ended, pressed),
        "complaints": dict(complaints),
    }
