"""Show a browser what became of its run when the server was killed: its settings again, and the style where it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from nada_core.system.files import slug
from nada_core.ui.html.text import message_box
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.views import Progress
from nada_core.ui.page.shared_components import Session
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.choices import OWN, style_choices
from nada_core.ui.tabs.adapt.form import AdaptForm
from nada_core.ui.tabs.adapt.stage import AdaptStage

__all__ = ["show_cut_off"]


def show_cut_off(
    context: AppContext, session: Session, form: AdaptForm, stage: AdaptStage, remembered: Sequence[str], owned: Sequence[str]
) -> dict[Any, Any]:
    """Return updates that tell of the newest run of an earlier process among those a browser remembers; none where there is none.

    What is not kept is told once: the browser forgets it with this.
    """
    key = next((key for key in reversed(remembered) if key in context.cut_off), "")
    if not key:
        return {}
    left = context.cut_off[key] if key in owned else context.cut_off.pop(key)
    done = left.step / left.steps if left.steps else 0.0
    said = "What became of this run is said below the buttons."
    bar = Progress(done, "The server was started again", kind="good" if left.kept else "bad", note=said)
    update: dict[Any, Any] = {
        stage.bar: progress_bar(bar),
        form.notice: message_box(left.sentence, "info" if left.kept else "bad"),
        form.prompt: left.prompt,
    }
    fields = {"seed": form.seed, "layers": form.layers, "source": form.source, "batch": form.batch, "truncation": form.truncation}
    update |= {fields[name]: value for name, value in left.settings.items() if name in fields and value is not None}
    if left.settings:
        update |= {form.lr: left.settings.get("lr") or 0, form.fresh: False}
    if left.steps:
        update[form.steps] = left.steps
    if left.kept:
        update |= {button: gr.update(interactive=True) for button in (stage.save, stage.fetch, stage.wear)}
        update |= {session.current: key, stage.name: slug(left.prompt)}
        update[session.style] = gr.update(choices=style_choices(context, owned), value=OWN + key)
    return update
