"""Offer CLIP where the starter's encoder does not know the words, and put it in its place. No Gradio in here, and no network to offer."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from nada_core.errors import PromptError
from nada_core.ui.jobs.views import Progress
from nada_core.ui.server.change_world import WorldRefused, change_world, check_idle
from nada_core.ui.server.context import AppContext, Wish

__all__ = ["clip_offer", "take_clip"]

_ASSET, _ENCODER, _STARTER = "clip-vit-b-32", "ViT-B-32", "starter"
_LOADING = Progress(1.0, "Loading CLIP", "up to a minute", kind="wait", note="Then the page is loaded again, and your words run.")


def clip_offer(context: AppContext, prompt: str | None) -> str:
    """Return what to write on the button that brings CLIP for a prompt; empty where it is not offered.

    It is offered on a private server whose texts the starter's encoder reads, for words that this one does not know or cannot show.
    """
    from nada_core.assets.store import REGISTRY, state

    if context.public or not context.is_open or context.open()[1].encoder != _STARTER or not _beyond(prompt or ""):
        return ""
    if not state(_ASSET).absent:
        return "Use CLIP for these words"
    return f"Fetch CLIP once ({REGISTRY[_ASSET].megabytes} MB) and take any words"


def _beyond(prompt: str) -> bool:
    """Tell whether a prompt that any encoder may take says what the starter's does not know, or nothing that it can show."""
    from nada_core.looks.reading import read

    try:
        reading = read(prompt)
    except PromptError:
        return False
    return bool(reading.unknown) or not (reading.look or reading.neutral)


def take_clip(context: AppContext) -> Generator[Progress, None, None]:
    """Fetch CLIP where it is missing, then let it read the texts (:func:`change_world`); yield how far that is.

    Closing the iterator stops the download, which goes on from there the next time.

    Raises:
        WorldRefused: a public server, another encoder in use, or work under way.
        AssetError: the Hub cannot be reached, or the download broke off.
        NadaError: the networks cannot be loaded.
    """
    from nada_core.assets.resuming import download_steps
    from nada_core.assets.store import state

    if context.public:
        raise WorldRefused("On a public server nothing is downloaded by a click. Run the app on your own machine to use CLIP.")
    _, facts = context.open()
    if facts.encoder != _STARTER:
        raise WorldRefused("Another text encoder is in use by now. Reload the page, then press Adapt.")
    check_idle(context)
    if state(_ASSET).absent:
        yield Progress(0.0, "Asking the Hub for CLIP", kind="wait")
    with closing(download_steps(_ASSET)) as steps:
        for received in steps:
            share = received.done / received.total if received.total else 0.0
            size = f"{received.done / 1e6:.0f} of {received.total / 1e6:.0f} MB" if received.total else ""
            kind = "run" if received.done else "wait"
            yield Progress(share, "Fetching CLIP", size, kind=kind, note="Stop when you like: it goes on from there the next time.")
    yield _LOADING
    change_world(context, Wish("starter", facts.base, _ENCODER))
