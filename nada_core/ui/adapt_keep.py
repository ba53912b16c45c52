"""What can be done with a style when its run is over: look at earlier steps and other strengths, save it, download it, wear it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NadaError
from .adapt_run import choose_step, faces_at, style_at
from .adapt_stage import AdaptStage, scrub_words
from .context import AppContext
from .edit_run import OWN, style_choices
from .refusals import refusal
from .scripts import TO_THE_TABS, press
from .session import Session
from .text import message_box, slug

__all__ = ["connect_keeping"]

log = logging.getLogger(__name__)
_TICK = 1.0  # seconds between signs of life of a download that waits for the generator


def connect_keeping(context: AppContext, session: Session, stage: AdaptStage) -> None:
    """Connect the components below the curves."""
    mine = [session.current, session.owned]
    quiet: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}

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
        """Where the slider rests is a step that was saved."""
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
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=4,
    )

    def store(key: str, owned: list[str], wanted: str, strength: float = 1.0) -> dict[Any, Any]:
        try:
            if context.public:
                raise NadaError("On a public server styles are not stored; download the file instead.")
            saved = _saved(context, key, owned, wanted or "", strength)
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
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=2,
    )

    def renamed(key: str, owned: list[str]) -> dict[str, Any]:
        """What was saved under one name can be saved under another as well."""
        return gr.update(interactive=key in (owned or ()) and key in context.shelf)

    stage.name.input(renamed, mine, [stage.save], **quiet)

    def export(key: str, owned: list[str], strength: float = 1.0) -> Iterator[dict[Any, Any]]:
        """The compact file, at most 1 MB: what the Gallery of any server of this generator imports again."""
        ready = gr.update(value="Download file", interactive=True)
        try:
            for file in _packed(context, context.unsaved(key, owned), strength):
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
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=24,
    ).success(None, None, None, js=press("style-file"))

    def wear(key: str, owned: list[str]) -> dict[Any, Any]:
        """What is looked at, not what was saved of it last: the strength goes along, and a saved style has its own in it."""
        choices = style_choices(context, owned)
        kept = OWN + key in [value for _, value in choices]
        return {session.tabs: gr.Tabs(selected="stylise")} | ({session.style: gr.update(choices=choices, value=OWN + key)} if kept else {})

    stage.wear.click(wear, mine, [session.tabs, session.style], **quiet).then(None, None, None, js=TO_THE_TABS)


def _saved(context: AppContext, key: str, owned: list[str], wanted: str, strength: float) -> str:
    """Save an unsaved style into the library; returns the name it got."""

    def save() -> str:
        entry = context.shelf.get(key, owned)
        engine, _ = context.open()
        return engine.save_style(style_at(engine, entry.style, strength), wanted.strip()[:60] or slug(entry.prompt))

    return context.worker.run(save)


def _packed(context: AppContext, entry: Any, strength: float) -> Iterator[str]:
    """The path of the compact file; empty strings while it is not there. The file goes when this is closed."""
    engine, _ = context.open()
    yield ""
    with context.join(engine) as turn, tempfile.TemporaryDirectory(prefix="nada-style-") as folder:
        while not turn.wait(_TICK):
            yield ""
        path = Path(folder) / f"{slug(entry.prompt)}.safetensors"
        context.worker.run(lambda: engine.export_style(style_at(engine, entry.style, strength), path))
        turn.leave()
        yield str(path)
