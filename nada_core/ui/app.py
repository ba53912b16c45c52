"""Build the page, banner, tabs and footer, and say how it is served."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nada_core.errors import NadaError
from nada_core.ui.api.endpoints import build_api
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.html.pictures import PICTURES
from nada_core.ui.html.text import ARRIVED, HERO, WAITING, banner, chips, footer, message_box, workers_line
from nada_core.ui.jobs.crew import Crew
from nada_core.ui.jobs.job import MANY
from nada_core.ui.open_link import connect_link
from nada_core.ui.page.patches.calm_queue import CalmQueue
from nada_core.ui.page.patches.changed_scripts import ChangedScripts
from nada_core.ui.page.patches.last_word_once import LastWordOnce
from nada_core.ui.page.patches.page_start import PageStart
from nada_core.ui.page.patches.request_times import RequestTimes
from nada_core.ui.page.patches.single_app import SingleApp
from nada_core.ui.page.patches.skip_unnamed_outputs import NamedAnswers
from nada_core.ui.page.patches.small_sessions import SmallSessions
from nada_core.ui.page.scripts import FIRST_TAB, open_camera, open_prompt, start_mirror
from nada_core.ui.page.shared_components import QUIET, build_session
from nada_core.ui.page.theme import CSS_FILES, StageTheme
from nada_core.ui.photo.controls import size_choices
from nada_core.ui.restore_page import connect_return
from nada_core.ui.server.backend import Backend, default_backend
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.choices import style_choices
from nada_core.ui.tabs.adapt.tab import build_adapt_tab
from nada_core.ui.tabs.adapt.work import adapt_views, keep_style
from nada_core.ui.tabs.compare.tab import build_compare_tab, first_choice
from nada_core.ui.tabs.gallery.tab import build_gallery_tab
from nada_core.ui.tabs.mirror.film_form import build_film_part
from nada_core.ui.tabs.mirror.film_work import MAX_FILM
from nada_core.ui.tabs.mirror.routes import mirror_routes
from nada_core.ui.tabs.mirror.tab import build_mirror_tab
from nada_core.ui.tabs.stylise.tab import build_stylise_tab
from nada_core.ui.world_form import build_world_form

__all__ = ["StageBlocks", "build_app", "launch_options", "make_context", "mount_options"]

log = logging.getLogger(__name__)
_LOOK = 10.0  # seconds between looks at what the workers do
_CACHE_SECONDS = 1800  # checked this often, deleted at this age: so at most an hour


class StageBlocks(NamedAnswers, LastWordOnce, SmallSessions, CalmQueue, SingleApp):
    """Hold the page: a `gr.Blocks` with this project's patches of it."""


def make_context(backend: Backend, **more: Any) -> AppContext:
    """Return what one running app has; ``more`` are further fields of :class:`AppContext`."""
    return AppContext(backend, adapt_views, keep_style, **more)


def build_app(
    engine_factory: Callable[..., AppEngine] | None = None,
    *,
    backend: Backend | None = None,
    public: bool = False,
    crew: Crew | None = None,
) -> gr.Blocks:
    """Return the whole interface, queued, not launched. Nothing heavy is loaded before the first visitor (or `demo.warm()`).

    `engine_factory` makes the engine (default: nada_core.engine.Engine); where the page asks for another one it is called with world=,
    base= and encoder=. `backend` replaces every function the interface calls, for tests.
    `public`: strangers share this server, so styles are offered as downloads and not stored in its library.
    `crew`: workers outside of this process that adaptations are given to; they are named at the foot of the page.
    The result carries `context` (AppContext) and `warm()`, which loads the engine and returns its EngineFacts.
    """
    more = {} if crew is None else {"crew": crew, "limits": MANY}
    context = make_context(backend or default_backend(engine_factory), public=public, **more)
    with StageBlocks(
        title="StyleGAN-NADA: repaint faces in your own words", analytics_enabled=False, delete_cache=(_CACHE_SECONDS, _CACHE_SECONDS)
    ) as demo:
        build_api(context)
        gr.HTML(HERO)
        with gr.Row(elem_classes="ways"):
            selfie = gr.Button("Take a selfie", variant="primary", scale=0, min_width=190, elem_id="go-selfie")
            live = gr.Button("Live mirror", scale=0, min_width=190, elem_id="go-mirror")
            typing = gr.Button("Type a look", scale=0, min_width=190, elem_id="go-type")
        arrival = gr.HTML(WAITING, elem_id="arrival")
        tabs = gr.Tabs(elem_id="tabs", render=False)
        session = build_session(context, tabs)
        tabs.render()
        with tabs:
            with gr.Tab("Adapt", id="adapt") as adapting:
                adapt = build_adapt_tab(context, session)
            with gr.Tab("Stylise a photo", id="stylise") as stylise:
                stylise_tab = build_stylise_tab(context, session, stylise)
            with gr.Tab("Compare", id="compare") as compare:
                compared = build_compare_tab(context, session, compare)
            as_strong = adapt.worn.then(lambda strength: strength, [adapt.strength], [stylise_tab.strength], queue=False, **QUIET)
            stylise_tab.wear(as_strong)
            stylise_tab.follow(compared.box.photo)
            compared.follow(stylise_tab.box.photo)
            with gr.Tab("Mirror", id="mirror") as mirror:
                build_mirror_tab()
                with gr.Accordion("A film instead of the camera", open=False, elem_id="film"):
                    build_film_part(context, session, mirror)
            with gr.Tab("Gallery", id="gallery") as gallery:
                stylise_tab.wear(build_gallery_tab(context, session, gallery))
        world = gr.HTML("", elem_id="world")
        form = build_world_form(context) if not context.public else None
        if crew is not None:
            gr.HTML(lambda: workers_line([facts.sentence(public=public) for facts in crew.report()]), every=_LOOK, elem_id="workers")
        gr.HTML(footer())
        selfie.click(None, None, None, js=open_camera("photo", "Stylise a photo"))
        live.click(None, None, None, js=start_mirror("Mirror"))
        typing.click(None, None, None, js=open_prompt("Adapt"))

        sizes = {stylise_tab.resolution: max, compared.resolution: min}  # what is shown large is sharp; Compare's are small pictures

        def arrive(owned: list[str]) -> Iterator[dict[Any, Any]]:
            try:
                _, facts = context.open()
                styles = style_choices(context, owned)
            except NadaError as error:
                yield {arrival: message_box(str(error), "bad")}
                return
            except Exception:
                log.exception("the engine could not be loaded")
                yield {
                    arrival: message_box(
                        "The models could not be loaded. The server's log has the details; pressing Adapt tries again.", "bad"
                    )
                }
                return
            names = [value for _, value in styles]
            yield {
                arrival: ARRIVED,
                world: banner(facts.name, facts.reason, bool(facts.concepts)),
                adapt.chips: chips(facts.concepts),
                session.style: gr.update(choices=styles, value="joker" if "joker" in names else (names[0] if names else None)),
                **first_choice(compared, styles),
                **{radio: gr.update(choices=size_choices(facts.sizes), value=first(facts.sizes)) for radio, first in sizes.items()},
                **adapt.fit(facts.training),
                **(form.fit(facts) if form else {}),
                **dict(zip(adapt.originals, facts.originals, strict=False)),
                **dict(zip(adapt.previews, facts.originals, strict=False)),
            }

        demo.load(None, None, None, js=FIRST_TAB)
        arrived = demo.load(
            arrive,
            [session.owned],
            [
                arrival,
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
            **QUIET,
            concurrency_limit=None,
        )
        places = {"adapt": adapting, "stylise": stylise, "compare": compare, "mirror": mirror, "gallery": gallery}
        known = connect_return(context, session, arrived, stylise_tab, compared, places)
        linked = connect_link(context, session, known, adapt.prompt, arrival)
        linked.then(  # after both, or the originals would replace the previews of the run that is found again
            adapt.resume,
            [session.memory, session.page, session.linked],
            adapt.outputs,
            **QUIET,
            concurrency_limit=None,
        )
    demo.queue(max_size=48, api_open=False)  # beyond that, newcomers are told that the queue is full
    demo.context = context
    demo.warm = lambda: context.open()[1]
    return demo


def launch_options(host: str, port: int, *, mcp: bool = False) -> dict[str, Any]:
    """Return the keywords for `demo.launch`: the look, and the safe choices of every switch that Gradio leaves open."""
    return {
        "server_name": host,
        "server_port": port,
        "root_path": _root_path(),
        "theme": StageTheme(),
        "css": "\n".join(file.read_text(encoding="utf-8") for file in CSS_FILES),
        "footer_links": [],
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "strict_cors": True,
        "max_file_size": MAX_FILM,
        "allowed_paths": [],
        "ssr_mode": False,
        "share": False,
        "mcp_server": mcp,
        "app_kwargs": {
            "middleware": [Middleware(RequestTimes), Middleware(PageStart), Middleware(ChangedScripts)],
            "routes": [Route(f"/{PICTURES}/{{name}}", _thumbnail), *mirror_routes()],
        },
        "state_session_capacity": 256,  # Gradio never forgets a session by itself, and each holds 0.4 MB: the one used least goes
        # without the question whether the page answers within 3 s: on a busy machine it does not, and Gradio (6.31) would not start at all
        "_frontend": False,
        "max_threads": 128,  # every page that watches a run blocks one for up to a second
    }


def _root_path() -> str:
    """Return the path of ``GRADIO_ROOT_PATH`` as Gradio takes it: without the first / it answers every visit with an error."""
    asked = os.environ.get("GRADIO_ROOT_PATH", "").strip().rstrip("/")
    return asked if not asked or "://" in asked else "/" + asked.lstrip("/")


def mount_options(*, mcp: bool = False) -> dict[str, Any]:
    """Return the keywords for `gr.mount_gradio_app`: those of :func:`launch_options` that it takes.

    The page needs them: its scripts come by the middleware, its thumbnails by the route.
    """
    taken = inspect.signature(gr.mount_gradio_app).parameters
    options = launch_options("127.0.0.1", 7860, mcp=mcp)
    return {name: value for name, value in options.items() if name in taken and name != "root_path" and not name.startswith("server_")}


async def _thumbnail(request: Request) -> Response:
    """Answer with a kept thumbnail. Its address was given to one page, cannot be guessed, and always shows the same."""
    jpeg = request.app.get_blocks().context.thumbnails.named(request.path_params["name"])
    if jpeg is None:
        return Response("There is no such picture.", 404, media_type="text/plain")
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"})
