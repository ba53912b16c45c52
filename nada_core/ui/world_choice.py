"""Another world for a running app: what the page may ask for, and the change from one engine to the next. No Gradio in here."""

from __future__ import annotations

import gc
import logging
import os
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import AssetError, NadaError, OptionsError
from .context import AppContext, Wish, World

__all__ = ["BASES", "ENCODERS", "FROM_FILE", "WORLDS", "WorldRefused", "change_world", "in_use", "read_wish"]

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
    ("Starter: a fixed list of looks", "starter"),
    ("CLIP ViT-B-32", "ViT-B-32"),
    ("CLIP ViT-B-16", "ViT-B-16"),
    ("Both: ViT-B-32,ViT-B-16", "ViT-B-32,ViT-B-16"),
]
_LONGEST = 1000  # characters of an encoder's name
_PATIENCE = 90.0  # seconds to wait for a photo that is being worked on


class WorldRefused(NadaError):
    """The world cannot be changed now, or not here."""


def read_wish(world: str | None, base: str | None, file: str | None, encoder: str | None) -> Wish:
    """The wish that a form stands for.

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


def in_use(world: World) -> str:
    """The generator and the text encoder of a loaded world, in the form's words; a file by its name."""
    bases, encoders = ({value: words for words, value in choices} for choices in (BASES, ENCODERS))
    return f"{bases.get(world.base, Path(world.base).name)}. {encoders.get(world.encoder, world.encoder)}."


def change_world(context: AppContext, wish: Wish) -> World:
    """Load another engine beside the one there is, and let it take its place when it is ready; whatever fails leaves the old one.

    Portraits of photos and pictures of styles, which belong to the old generator, are dropped. Styles and finished jobs stay.

    Raises:
        WorldRefused: a public server, an adaptation or other work under way, or a bug (in the log).
        AssetError: weights are not on this machine; a click starts no download from the Hub.
        NadaError: the networks cannot be loaded.
    """
    if context.public:
        raise WorldRefused("On a public server the world stays as it is for everybody. Run the app on your own machine to choose another.")
    _check_idle(context)
    with context.line.join() as turn:
        if not turn.wait(_PATIENCE):
            raise WorldRefused("The generator is busy with other work. Try again when that is done.")
        _check_idle(context)
        try:
            engine, world = context.worker.run(partial(_loaded, context, wish))
        except NadaError:
            raise
        except Exception:
            log.exception("another world could not be loaded")
            raise WorldRefused("The networks could not be loaded: the world stays as it was. The server's log has the details.") from None
        _check_idle(context)  # a run that was asked for meanwhile is owed the world that its page shows
        context.install(engine, world, wish)
        context.photos.forget_portraits()
        context.thumbnails.clear()
    _free_memory()
    log.info("the world is now %s (%s)", world.name, world.reason)
    return world


def _check_idle(context: AppContext) -> None:
    if context.jobs.busy:
        raise WorldRefused("An adaptation is running or waiting. Stop it or wait for it, then press Apply again.")


def _loaded(context: AppContext, wish: Wish) -> tuple[Any, World]:
    engine = context.backend.engine(**asdict(wish))
    _check_present(engine.missing(), wish)
    return engine, context.facts(engine)


def _check_present(missing: list[str], wish: Wish) -> None:
    """Nothing large may come from the Hub because of a click."""
    from ..assets import REGISTRY
    from ..worlds import missing_for_full

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
