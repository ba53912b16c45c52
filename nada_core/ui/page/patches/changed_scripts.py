"""Change two of Gradio's scripts on their way to the browser: no update is lost, no event repeats for ever, no hidden status is drawn.

Gradio (6.31) loses updates of a component that the browser is just drawing for the first time, as when a tab is opened, in three moments.
They are milliseconds long, and seconds on a busy machine; the page then waits for ever for its "Ready", its "Done" or a button.

* An update asks for the component's setter, waits for other components, and then believes that there is none: what it leaves for the
  component to pick up is never picked up, because the component came in the meantime.
* What a new component has picked up is set when all of the page has settled, over all that came since.
* A value is copied into the page's tree between two moments; a newer one that came there first is replaced by the older copy.

Two listeners of one event, each with `trigger_mode="always_last"`, call each other for ever where one of them is always under way: what was
put off is not run again by itself, the whole event is.

A change of an event's status is told to every component that was ever an input or shows progress, a hundred here, whether it shows anything
or not: half of the work that a browser has with this page, where none does.

Upstream: gradio-app/gradio issue 13414 is about the second of these moments; it was closed when the loading status alone was mended.
Remove when tests/ui/page/test_changed_scripts.py finds Gradio's own scripts right in every moment it asks for.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["CHANGES", "ChangedScripts", "changed_scripts"]

log = logging.getLogger(__name__)
_ASSETS = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
_N = r"[\w$]+"  # a name that Gradio's build has shortened

#: What is looked for in the script that keeps the page's components, and what takes its place. The names differ from build to build.
_COMPONENTS = (
    # a setter is asked for when the waiting is over
    (rf"(let {_N}=this\.#{_N}\.get\({_N}\);)({_N}&&!\(`value`in {_N}\)&&\(await this\.#{_N}\(.{{1,60}}?\)\);)", r"\2\1"),
    # what waits for a component stays where later updates find it, until it is set
    (
        rf"let (?P<r>{_N})=this\.#(?P<l>{_N})\.get\((?P<e>{_N})\);"
        rf"(?P=r)&&\(this\.#(?P=l)\.delete\((?P=e)\),(?P<x>{_N})\(\)\.then\(\(\)=>\{{"
        rf"let (?P<t>{_N})=this\.#(?P<c>{_N})\.get\((?P=e)\);(?P=t)&&(?P=t)\((?P=r)\)\}}\)\)",
        r"this.#\g<l>.has(\g<e>)&&\g<x>().then(()=>{let \g<t>=this.#\g<c>.get(\g<e>),\g<r>=this.#\g<l>.get(\g<e>);"
        r"\g<t>&&\g<r>&&(this.#\g<l>.delete(\g<e>),\g<t>(\g<r>))})",
    ),
    # and what is set at once is newer than what waits
    (
        rf",(?P<a>{_N})\)(?P=a)&&\((?P=a)\((?P<t>{_N})\),(?P<more>.{{1,200}}?this\.#(?P<l>{_N})\.get\((?P<e>{_N})\)\|\|)",
        r",\g<a>)\g<a>&&(Object.keys(\g<t>).forEach(k=>delete this.#\g<l>.get(\g<e>)?.[k]),\g<a>(\g<t>),\g<more>",
    ),
    (
        rf"(?P<get>let (?P<n>{_N})=this\.#{_N}\.get\((?P<e>{_N})\.id\);)if\((?P=n)\)(?P=n)\((?P<t>{_N})\);"
        rf"(?P<more>else if.{{1,80}}?this\.#(?P<l>{_N})\.get\()",
        r"\g<get>if(\g<n>)this.#\g<l>.delete(\g<e>.id),\g<n>(\g<t>);\g<more>",
    ),
    # a value that changed while it was read is newer than the copy
    (
        rf"let (?P<r>{_N})=await (?P<n>{_N})\(\);if\(!(?P=r)\)return;let (?P<i>{_N})=\{{\}};for\(let (?P<k>{_N}) of (?P<all>{_N})\)"
        rf"(?P=k) in (?P=r)&&\((?P=i)\[(?P=k)\]=(?P=r)\[(?P=k)\]\);(?P<set>{_N})\((?P<node>{_N}),(?P=i)\)",
        r"let was={...\g<node>.props.props},\g<r>=await \g<n>();if(!\g<r>)return;let \g<i>={};for(let \g<k> of \g<all>)"
        r"\g<k> in \g<r>&&\g<node>.props.props[\g<k>]===was[\g<k>]&&(\g<i>[\g<k>]=\g<r>[\g<k>]);\g<set>(\g<node>,\g<i>)",
    ),
)


#: The same in the script that runs the page's events.
_EVENTS = (
    # what was put off is run by itself
    (
        rf"(?P<put>this\.queue\.has\((?P<r>{_N})\.id\)&&\(this\.queue\.delete\((?P=r)\.id\),this\.dispatch\()(?P<e>{_N})\)\)",
        r"\g<put>{type:`fn`,fn_index:\g<r>.id,event_data:\g<e>.event_data,target_id:\g<e>.target_id}))",
    ),
    # a status that is hidden is not told
    (
        rf"(Object\.entries\(this\.loading_stati\.current\))(\.map\(\(\[{_N},{_N}\]\)=>this\.update_state_cb\(Number\()",
        r"\1.filter(([,told])=>told.show_progress!==`hidden`)\2",
    ),
    (rf"({_N}===0&&)(({_N})\.inputs\.forEach\({_N}=>\{{this\.update_state_cb\()", r"\1\3.show_progress!==`hidden`&&\2"),
)
CHANGES = {"core-*.js": _COMPONENTS, "Blocks-*.js": _EVENTS}


@cache
def changed_scripts() -> dict[str, bytes]:
    """Return Gradio's scripts as changed, by name. One that is not as the page was made for is left as it is, which the log says."""
    changed = {}
    for pattern, changes in CHANGES.items():
        for file in sorted(_ASSETS.glob(pattern)):
            text = file.read_text("utf-8")
            for looked_for, instead in changes:
                text, times = re.subn(looked_for, instead, text)
                if not times:
                    break
            else:
                changed[file.name] = text.encode()
    if len(changed) != len(CHANGES):
        log.warning(
            "This Gradio's scripts are not those that the page was made for: a tab may show old text when it is opened the first time."
        )
    return changed


class ChangedScripts:
    """Give the browser the changed scripts instead of Gradio's, as ASGI middleware. Everything else passes."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._scripts = changed_scripts()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        folder, _, name = scope["path"].rpartition("/") if scope["type"] == "http" else ("", "", "")
        if not folder.endswith("/assets") or name not in self._scripts:
            await self._app(scope, receive, send)
            return
        body = self._scripts[name]
        headers = [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-cache"),  # the name stays when these changes do not
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
