"""The page: banner, tabs, footer; and how it is served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from ..errors import NadaError
from .adapt_tab import build_adapt_tab
from .api import build_api
from .arrivals import Arrivals
from .blocks import StageBlocks
from .compare_tab import build_compare_tab, first_choice
from .context import AppContext, Backend, default_backend
from .edit_run import style_choices
from .gallery_tab import build_gallery_tab
from .page_return import connect_return
from .page_start import PageStart
from .photo_input import MAX_UPLOAD
from .session import build_session
from .sizes import size_choices
from .stylise_tab import build_stylise_tab
from .text import HERO, banner, chips, footer, message_box
from .theme import CSS_FILE, StageTheme
from .world_form import build_world_form

__all__ = ["build_app", "launch_options"]

log = logging.getLogger(__name__)
# Gradio (6.31) looks a thousand times a second whether an event waits, each time taking Python's lock from whatever computes.
_QUEUE_SECONDS = 0.02
_CACHE_SECONDS = 1800  # checked this often, deleted at this age: so at most an hour
_WAITING = (
    '<div class="world world-wait"><div class="summary"><span class="dot"></span>'
    "<span>Getting the generator ready. The first start takes longest.</span></div></div>"
)


def build_app(engine_factory: Callable[..., Any] | None = None, *, backend: Backend | None = None, public: bool = False) -> gr.Blocks:
    """The whole interface, queued, not launched. Nothing heavy is loaded before the first visitor (or `demo.warm()`).

    `engine_factory` makes the engine (default: nada_core.engine.Engine); where the page asks for another one it is called with world=,
    base= and encoder=. `backend` replaces every function the interface calls, for tests.
    `public`: strangers share this server, so styles are offered as downloads and not stored in its library.
    The result carries `context` (AppContext) and `warm()`, which loads the engine and returns its World.
    """
    context = AppContext(backend or default_backend(engine_factory), public=public)
    with StageBlocks(
        title="StyleGAN-NADA: repaint faces with one word", analytics_enabled=False, delete_cache=(_CACHE_SECONDS, _CACHE_SECONDS)
    ) as demo:
        build_api(context)
        gr.HTML(HERO)
        world = gr.HTML(_WAITING, elem_id="world")
        form = build_world_form(context) if not context.public else None
        tabs = gr.Tabs(elem_id="tabs", render=False)
        session = build_session(context, tabs)
        tabs.render()
        with tabs:
            with gr.Tab("Adapt", id="adapt") as adapting:
                adapt = build_adapt_tab(context, session)
            with gr.Tab("Stylise a photo", id="stylise") as stylise:
                worn = build_stylise_tab(context, session, stylise)
            with gr.Tab("Compare", id="compare") as compare:
                compared = build_compare_tab(context, session, compare)
            adapt.wear.click(
                lambda strength: strength, [adapt.strength], [worn.strength], queue=False, api_visibility="private", show_progress="hidden"
            )
            worn.follow(compared.box.photo)
            compared.follow(worn.box.photo)
            with gr.Tab("Gallery", id="gallery") as gallery:
                build_gallery_tab(context, session, gallery)
        gr.HTML(footer())

        sizes = (worn.resolution, compared.resolution)

        def arrive(owned: list[str]) -> Iterator[dict[Any, Any]]:
            try:
                _, facts = context.open()
                styles = style_choices(context, owned)
            except NadaError as error:
                yield {world: message_box(str(error), "bad")}
                return
            except Exception:
                log.exception("the engine could not be loaded")
                yield {
                    world: message_box(
                        "The models could not be loaded. The server's log has the details; pressing Adapt tries again.", "bad"
                    )
                }
                return
            names = [value for _, value in styles]
            yield {
                world: banner(facts.name, facts.reason, len(facts.concepts)),
                adapt.chips: chips(facts.concepts),
                session.style: gr.update(choices=styles, value="joker" if "joker" in names else (names[0] if names else None)),
                **first_choice(compared, styles),
                **{radio: gr.update(choices=size_choices(facts.sizes), value=facts.sizes[0]) for radio in sizes},
                **adapt.fit(facts.training),
                **(form.fit(facts) if form else {}),
                **dict(zip(adapt.originals, facts.originals, strict=False)),
                **dict(zip(adapt.previews, facts.originals, strict=False)),
            }

        arrived = demo.load(
            arrive,
            [session.owned],
            [
                world,
                adapt.chips,
                session.style,
                compared.styles,
                compared.offered,
                *sizes,
                *adapt.fitted,
                *(form.fitted if form else ()),
                *adapt.originals,
                *adapt.previews,
            ],
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=None,
        )
        places = {"adapt": adapting, "stylise": stylise, "compare": compare, "gallery": gallery}
        known = connect_return(context, session, arrived, worn, compared, places)
        known.then(  # after both, or the originals would replace the previews of the run that is found again
            adapt.resume,
            [session.memory, session.page],
            adapt.outputs,
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=None,
        )
    demo.queue(max_size=48, api_open=False)  # beyond that, newcomers are told that the queue is full
    demo._queue.sleep_when_free = _QUEUE_SECONDS
    demo.context = context
    demo.warm = lambda: context.open()[1]
    return demo


def launch_options(host: str, port: int, *, mcp: bool = False) -> dict[str, Any]:
    """Keywords for `demo.launch`: the look, and the safe choices of every switch that Gradio leaves open."""
    return {
        "server_name": host,
        "server_port": port,
        "theme": StageTheme(),
        "css": Path(CSS_FILE).read_text(encoding="utf-8"),
        "footer_links": [],
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "strict_cors": True,
        "max_file_size": MAX_UPLOAD,
        "allowed_paths": [],
        "ssr_mode": False,
        "share": False,
        "mcp_server": mcp,
        "app_kwargs": {"middleware": [Middleware(Arrivals), Middleware(PageStart)]},
        "state_session_capacity": 256,  # Gradio never forgets a session by itself, and each holds 0.4 MB: the one used least goes
        "max_threads": 128,  # every page that watches a run blocks one for up to a second
    }
