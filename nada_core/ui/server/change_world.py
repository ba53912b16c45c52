"""Switch a running app to another world (set of networks): check the form's request, load the new engine, swap it in. No Gradio."""

from __future__ import annotations

import gc
import logging
import os
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from nada_core.errors import AssetError, NadaError, OptionsError
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.server.context import AppContext, EngineFacts, Wish

__all__ = ["BASES", "ENCODERS", "FROM_FILE", "WORLDS", "WorldRefused", "change_world", "check_idle", "in_use", "read_wish"]

log = logging.getLogger(__name__)
FROM_FILE = "file"  # stands for a generator whose path is typed
WORLDS = [("Automatic", ""), ("Starter", "starter"), ("Full", "full")]
BASES = [
    ("The world's own", ""),
    ("Starter: MobileStyleGAN, faces", "starter"),
    ("StyleGAN2, faces (stylegan2-ffhq)", "stylegan2-ffhq"),
    ("A file on this server", FROM_FILE),
]
ENCODERS = [
    ("The world's own", ""),
    ("Starter: reads looks", "starter"),
    ("CLIP ViT-B-32", "ViT-B-32"),
    ("CLIP ViT-B-16", "ViT-B-16"),
    ("Both: ViT-B-32,ViT-B-16", "ViT-B-32,ViT-B-16"),
]
_LONGEST = 1000  # characters of an encoder's name
_PATIENCE = 90.0  # seconds to wait for a photo that is being worked on


class WorldRefused(NadaError):
    """Report that the networks cannot be changed now, or not on this server."""


def read_wish(world: str | None, base: str | None, file: str | None, encoder: str | None) -> Wish:
    """Turn the fields of the form into a wish.

    Raises:
        OptionsError: a world or generator that is not offered, a file without a path, or a name that is too long.
    """
    world, base, file, encoder = (value if isinstance(value, str) else "" for value in (world, base, file, encoder))
    if world not in {value for _, value in WORLDS} or base not in {value for _, value in BASES}:
        raise OptionsError("There is no such world or generator. Reload the page and choose one from the lists.")
    path, encoder = file.strip(), encoder.strip()
    if base == FROM_FILE:
        if not path:
            raise OptionsError("Type the path of the generator's file on this server, or choose another generator.")
        base = str(Path(os.path.expanduser(path)).absolute())  # never the name of a downloadable file
    if len(encoder) > _LONGEST:
        raise OptionsError(f"The encoder's name has {len(encoder):,} characters. Type one such as ViT-B-32.")
    return Wish(world or None, base or None, encoder or None)


def in_use(world: EngineFacts) -> str:
    """Name the generator and the text encoder of a loaded world in the form's words; a file by its name."""
    bases, encoders = ({value: words for words, value in choices} for choices in (BASES, ENCODERS))
    return f"{bases.get(world.base, Path(world.base).name)}. {encoders.get(world.encoder, world.encoder)}."


def change_world(context: AppContext, wish: Wish) -> EngineFacts:
    """Load another engine beside the one there is, and let it take its place when it is ready; whatever fails leaves the old one.

    Portraits of photos and pictures of styles, which belong to the old generator, are dropped. Styles and finished jobs stay.

    Raises:
        WorldRefused: a public server, an adaptation or other work under way, or a bug (in the log).
        AssetError: weights are not on this machine; nothing is downloaded here.
        NadaError: the networks cannot be loaded.
    """
    if context.public:
        raise WorldRefused("On a public server the world stays as it is for everybody. Run the app on your own machine to choose another.")
    check_idle(context)
    with context.line.join() as turn:
        if not turn.wait(_PATIENCE):
            raise WorldRefused("The generator is busy with other work. Try again when that is done.")
        check_idle(context)
        try:
            engine, world = context.worker.run(partial(_loaded, context, wish))
        except NadaError:
            raise
        except Exception:
            log.exception("another world could not be loaded")
            raise WorldRefused("The networks could not be loaded: the world stays as it was. The server's log has the details.") from None
        check_idle(context)  # a run that was asked for meanwhile is owed the world that its page shows
        context.install(engine, world, wish)
        context.photos.forget_portraits()
        context.thumbnails.clear()
    _free_memory()
    log.info("the world is now %s (%s)", world.name, world.reason)
    return world


def check_idle(context: AppContext) -> None:
    """Raise WorldRefused while an adaptation runs or waits: it is owed the networks it was asked for with."""
    if context.jobs.busy:
        raise WorldRefused("An adaptation is running or waiting. Stop it or wait for it, then try again.")


def _loaded(context: AppContext, wish: Wish) -> tuple[AppEngine, EngineFacts]:
    engine = context.backend.engine(**asdict(wish))
    _check_present(engine.missing(), wish)
    return engine, context.facts(engine)


def _check_present(missing: list[str], wish: Wish) -> None:
    """Refuse a world with files missing: nothing large comes from the Hub but what was asked for by its size (see `clip_on_demand`)."""
    from nada_core.assets.store import REGISTRY
    from nada_core.worlds import missing_for_full

    if not missing:
        return
    known = [name for name in missing if name in REGISTRY]
    names = "full" if set(known) >= set(missing_for_full()) and len(known) > 1 else " ".join(known)
    remedy = [f"run `python -m nada_core fetch {names}` on the server and press Apply again"] if known else []
    if len(known) < len(missing):
        remedy.append(f"start the app with `--encoder '{wish.encoder}'`, which fetches them")
    raise AssetError(
        f"This world needs what is not on this machine: {', '.join(missing)}. It is not downloaded from here: {', or '.join(remedy)}."
    )


def _free_memory() -> None:
    """Give back what the old engine held, on the GPU as well."""
    gc.collect()
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.cuda.empty_cache()  # harmless where there is none
