"""Start an adaptation: check the request, put it in line and watch it. The work itself is in `work.py`."""

from __future__ import annotations

import logging
import math
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import NadaError, OptionsError
from nada_core.images.transparency import on_white
from nada_core.looks.prompts import check_prompt
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.job import Job
from nada_core.ui.jobs.views import AdaptView, Progress
from nada_core.ui.jobs.watching import changes
from nada_core.ui.requests import AdaptRequest
from nada_core.ui.server.blocklist import check_words
from nada_core.ui.server.context import AppContext

if TYPE_CHECKING:
    from nada_core.adaptation.options import AdaptOptions

__all__ = [
    "AdaptRequest",
    "AdaptView",
    "check_options",
    "read_seed",
    "refused_view",
    "run_adaptation",
    "run_to_continue",
    "start_adaptation",
]

log = logging.getLogger(__name__)
_MAX_IMAGES = 16
_TARGET_SIDE = 2048  # pixels: target pictures wait on disk no larger than this


def read_seed(value: float | int | None, fresh: bool) -> int:
    """Return the seed to use: a new one if asked for or the field is empty, else the given one as a non-negative integer."""
    if fresh or value is None or not math.isfinite(value):
        return secrets.randbelow(2**31)
    return int(value) % 2**31


def run_adaptation(context: AppContext, request: AdaptRequest, browser: str = "", asked: float | None = None) -> Iterator[AdaptView]:
    """Start an adaptation (asked for at the time `asked`) and yield its views; a failure is the last, with a readable `error`.

    Closing the iterator only stops the watching: the job goes on (not in inline mode, see JobRegistry).
    """
    try:
        job = start_adaptation(context, request, browser, asked)
    except NadaError as error:
        yield refused_view(error)
        return
    yield from changes(context.jobs.watch(job.id))


def run_to_continue(context: AppContext, key: str, request: AdaptRequest, *, any_seed: bool) -> Job | None:
    """Return the stopped run under ``key`` if a request asks for the same, but for its length; None otherwise.

    Args:
        key: of a run of the page's own.
        any_seed: the person asks for no seed of their own.
    """
    job = context.jobs.find(key)
    if job is None or not job.over or not job.view.goes_on or not job.folder.training.is_file() or request.steps <= job.view.step:
        return None
    same = replace(request, steps=job.request.steps, resume=job.request.resume, seed=job.request.seed if any_seed else request.seed)
    try:
        same = replace(same, prompt=check_prompt(request.prompt or ""))
    except NadaError:
        return None
    return job if same == job.request else None


def refused_view(error: NadaError) -> AdaptView:
    """Return the view of an adaptation that was not started."""
    return AdaptView("failed", Progress(0, "Not started", kind="bad", note="Why is said under the button."), error=str(error))


def start_adaptation(context: AppContext, request: AdaptRequest, browser: str = "", asked: float | None = None) -> Job:
    """Check a request and put it in line: see :meth:`.jobs.JobRegistry.submit` for `browser` and `asked`.

    Raises:
        NadaError: the prompt, an option or a picture is unusable, or a picture to aim at shows nothing (prompt and options are checked
            where the engine is loaded, else the job itself ends so), or the line is full.
    """
    request = replace(request, prompt=check_prompt(request.prompt or ""))
    check_words((request.prompt, request.source), context.blocked)
    if len(request.images) > _MAX_IMAGES:
        raise OptionsError(f"{len(request.images)} target pictures; between 1 and {_MAX_IMAGES} are possible.")
    if context.is_open:  # nobody queues only to hear that the prompt is unknown
        check_options(context, context.open()[0], request)
    with tempfile.TemporaryDirectory(prefix="nada-targets-") as folder:
        files = []
        for number, image in enumerate(request.images):  # uploads do not outlive a long line: keep a copy of our own
            picture = on_white(context.backend.decode(image))
            context.backend.target(picture, Path(image).name)
            picture.thumbnail((_TARGET_SIDE, _TARGET_SIDE))
            files.append(str(Path(folder) / f"{number}.jpg"))
            picture.save(files[-1], quality=95)
        return context.jobs.submit(replace(request, images=tuple(files)), browser, asked)


def check_options(context: AppContext, engine: AppEngine, request: AdaptRequest) -> AdaptOptions:
    """Return the engine's options for a request. Raises NadaError for what is wrong at sight, before any computing."""
    values: dict[str, Any] = {
        "steps": request.steps,
        "layers": request.layers,
        "seed": request.seed,
        "source": request.source or "face",
        "batch": request.batch,
        "preview_start": True,
    }
    values |= {name: value for name, value in {"lr": request.lr, "truncation_psi": request.truncation}.items() if value is not None}
    options = context.backend.options(**values, **request.extra.given())
    context.backend.check(engine, None if request.images else request.prompt, options)
    return options
