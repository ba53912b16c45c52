"""Serve the mirror's files, compressed: what a browser is sent for it stays below 6 MB."""

from __future__ import annotations

import gzip
import logging
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nada_core.errors import NadaError
from nada_core.ui.html.pictures import picture_url
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.thumbnails import kept_thumbnail
from nada_core.ui.tabs.mirror.run import MirrorDesk

if TYPE_CHECKING:
    from nada_core.styles.library import StyleEntry

__all__ = ["MIRROR", "mirror_routes"]

log = logging.getLogger(__name__)
MIRROR = "mirror"  # the folder that the page knows


def mirror_routes() -> list[Route]:
    """Return the routes of one app's mirror."""
    desk = MirrorDesk(_picture)

    def answer(request: Request) -> Response:  # not async: Starlette gives it a thread, since what it makes may take a while
        try:
            found = desk.file(request.app.get_blocks().context, request.path_params["path"])
        except NadaError as error:
            return JSONResponse({"error": str(error)}, 503, headers={"Cache-Control": "no-store"})
        except Exception:
            log.exception("a file of the mirror could not be made")
            return JSONResponse({"error": "The mirror's files could not be made. The server's log has the details."}, 500)
        if found is None:
            return JSONResponse({"error": "There is no such file."}, 404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if found.lasting else "no-cache", "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(found.packed), media_type=found.kind, headers=headers)
        return Response(found.packed, media_type=found.kind, headers={**headers, "Content-Encoding": "gzip"})

    return [Route(f"/{MIRROR}/{{path:path}}", answer)]


def _picture(context: AppContext, entry: StyleEntry) -> str | None:
    file = kept_thumbnail(context.thumbnails, context.open()[0], entry)
    return picture_url(file) if file is not None else None
