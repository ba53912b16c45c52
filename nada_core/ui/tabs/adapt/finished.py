"""Handle a finished run's style: preview other steps and strengths, save or download it, try it on a photo."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.system.files import slug
from nada_core.ui.html.text import message_box
from nada_core.ui.jobs.watching import TICK
from nada_core.ui.page.replies import refusal
from nada_core.ui.page.scripts import TO_THE_TABS, press
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.styles import ShelvedStyle
from nada_core.ui.style_menu.choices import OWN, style_choices
from nada_core.ui.tabs.adapt.other_strengths import choose_step, faces_at, style_at
from nada_core.ui.tabs.adapt.stage import AdaptStage, scrub_words

__all__ = ["connect_keeping", "pack", "save"]

log = logging.getLogger(__name__)


def connect_keeping(context: AppContext, session: Session, stage: AdaptStage) -> Any:
    """Connect the sliders, buttons and name box below the curves to what they do.

    Returns the event after which the style just made is the one that is worn on a photo.
    """
    mine = [session.current, session.owned]
    quiet: dict[str, Any] = {"queue": False, **QUIET}

    def pick_step(value: float, key: str, owned: list[str]) -> dict[Any, Any]:
        try:
            chosen = choose_step(context, key, owned, value)
        except NadaError as error:
            raise refusal(error, "Not shown") from None
        if chosen is None:
            return {stage.words: gr.skip()}
        words = f"Step {chosen.step}: likeness {chosen.record.similarity:.2f}. Saving, downloading and trying on use this step."
        update: dict[Any, Any] = dict(zip(stage.previews, chosen.pictures, strict=False))
        update |= {stage.words: scrub_words(words), stage.strength: 1.0, stage.save: gr.update(interactive=True)}
        update[session.style] = gr.update(choices=style_choices(context, owned))
        if value < 0:  # otherwise the slider stays where the person is dragging it
            update[stage.slider] = chosen.step
        return update

    picked = [*stage.previews, stage.words, stage.strength, stage.save, session.style, stage.slider]
    stage.slider.input(pick_step, [stage.slider, *mine], picked, trigger_mode="always_last", **quiet)

    def snap(value: float, key: str, owned: list[str]) -> Any:
        """Return the saved step nearest to where the slider was let go."""
        job = context.jobs.find(key) if key in (owned or ()) else None
        return min((saved.step for saved in job.view.saved), key=lambda step: abs(step - value)) if job and job.view.saved else gr.skip()

    stage.slider.release(snap, [stage.slider, *mine], [stage.slider], **quiet)

    def pick_suggested(key: str, owned: list[str]) -> dict[Any, Any]:
        return pick_step(-1, key, owned)

    stage.suggest.click(pick_suggested, mine, picked, **quiet)

    def restrength(strength: float, key: str, owned: list[str]) -> dict[Any, Any]:
        try:
            pictures = faces_at(context, key, owned, strength)
        except NadaError as error:
            return {stage.words: scrub_words(f"{error} The faces are still those of the strength before; saving uses the slider's.")}
        if pictures is None:
            return {stage.words: gr.skip()}
        words = f"Strength {strength:.2f}. Saving, downloading and trying on use it."
        return {
            **dict(zip(stage.previews, pictures, strict=False)),
            stage.words: scrub_words(words),
            stage.save: gr.update(interactive=True),
        }

    stage.strength.input(
        restrength,
        [stage.strength, *mine],
        [*stage.previews, stage.words, stage.save],
        trigger_mode="always_last",
        **QUIET,
        concurrency_limit=4,
    )

    def store(key: str, owned: list[str], wanted: str, strength: float = 1.0) -> dict[Any, Any]:
        try:
            if context.public:
                raise NadaError("On a public server styles are not stored; download the file instead.")
            saved = save(context, key, owned, wanted or "", strength)
        except NadaError as error:
            raise refusal(error, "Not saved") from None
        return {
            stage.kept: message_box(f"Saved as “{saved}”. It is in the list of the Stylise tab from now on.", "good"),
            stage.save: gr.update(interactive=False),
            session.style: gr.update(choices=style_choices(context, owned), value=saved),
        }

    stage.save.click(
        store,
        [*mine, stage.name, stage.strength],
        [stage.kept, stage.save, session.style],
        **QUIET,
        concurrency_limit=2,
    )

    def renamed(key: str, owned: list[str]) -> dict[str, Any]:
        """Enable Save again: what was saved under one name can be saved under another as well."""
        return gr.update(interactive=key in (owned or ()) and key in context.shelf)

    stage.name.input(renamed, mine, [stage.save], **quiet)

    def export(key: str, owned: list[str], strength: float = 1.0) -> Iterator[dict[Any, Any]]:
        """Offer the compact file, at most 1 MB, which the Gallery of any server of this generator can import."""
        ready = gr.update(value="Download file", interactive=True)
        try:
            for file in pack(context, context.unsaved(key, owned), strength):
                # Gradio takes its own copy when the value is delivered
                yield {stage.file: file, stage.fetch: ready} if file else {stage.fetch: gr.update(value="Packing…", interactive=False)}
        except Exception as error:
            yield {stage.fetch: ready}
            if not isinstance(error, NadaError):
                log.exception("a style could not be packed")
                error = NadaError("Something went wrong on the server and the file was not made. The server's log has the details.")
            raise refusal(error, "Not downloaded") from None

    stage.fetch.click(
        export,
        [*mine, stage.strength],
        [stage.file, stage.fetch],
        **QUIET,
        concurrency_limit=24,
    ).success(None, None, None, js=press("style-file"))

    def wear(key: str, owned: list[str]) -> dict[Any, Any]:
        """Open Stylise with the style that is being looked at, not the one saved last."""
        choices = style_choices(context, owned)
        kept = OWN + key in [value for _, value in choices]
        return {session.tabs: gr.Tabs(selected="stylise")} | ({session.style: gr.update(choices=choices, value=OWN + key)} if kept else {})

    worn = stage.wear.click(wear, mine, [session.tabs, session.style], **quiet)
    worn.then(None, None, None, js=TO_THE_TABS)
    return worn


def save(context: AppContext, key: str, owned: list[str], wanted: str, strength: float) -> str:
    """Save an unsaved style into the library; return the name it got."""

    def work() -> str:
        entry = context.shelf.get(key, owned)
        engine, _ = context.open()
        return engine.save_style(style_at(engine, entry.style, strength), wanted.strip()[:60] or slug(entry.prompt))

    name = context.worker.run(work)
    context.cut_off.pop(key, None)
    if (job := context.jobs.find(key)) is not None:
        job.folder.forget()
    return name


def pack(context: AppContext, entry: ShelvedStyle, strength: float) -> Iterator[str]:
    """Yield empty strings while waiting, then the path of the compact file, which is deleted when the iterator is closed."""
    engine, _ = context.open()
    yield ""
    with context.join(engine) as turn, tempfile.TemporaryDirectory(prefix="nada-style-") as folder:
        while not turn.wait(TICK):
            yield ""
        path = Path(folder) / f"{slug(entry.prompt)}.safetensors"
        context.worker.run(lambda: engine.export_style(style_at(engine, entry.style, strength), path))
        turn.leave()
        yield str(path)
