"""``python -m nada_core styles``: list styles, take them in, give them away."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from dataclasses import asdict
from pathlib import Path

from nada_core.adapt_flags import parts_again
from nada_core.checkpoints import save_style, slug
from nada_core.engine import Engine
from nada_core.errors import OptionsError, StyleError
from nada_core.hub_styles import PREFIX, REPOSITORY, fetch_style_file, is_reference
from nada_core.style_publishing import check_repository, push_style
from nada_core.styles import StyleLibrary

__all__ = ["styles"]


def styles(args: argparse.Namespace) -> int:
    """List the styles, or import, export or push one."""
    if args.full and args.export is None:
        raise OptionsError("--full says how a style is exported; give it with --export NAME FILE.")
    if (args.repo is not None or args.private) and args.push is None:
        raise OptionsError("--repo and --private say where a style is uploaded; give them with --push NAME.")
    if args.import_ is not None:
        return _import(args)
    if args.export is not None:
        return _export(args)
    if args.push is not None:
        return _push(args)
    return _list(args)


def _list(args: argparse.Namespace) -> int:
    from nada_core.__main__ import print_json

    cards = StyleLibrary().cards()
    if args.json:
        print_json([asdict(card) for card in cards])
        return 0
    for card in cards:
        print(f"{card.name:24s} '{card.prompt}'  {f'{card.steps} steps' if card.steps else 'imported'}, {card.base}, {card.created[:10]}")
    if not cards:
        print("no styles yet: make one with `python -m nada_core adapt PROMPT --out DIR`")
    return 0


def _engine(args: argparse.Namespace) -> Engine:
    return Engine(args.device, base=args.base, world=args.world)


def _import(args: argparse.Namespace) -> int:
    """Check a file against the base and take it into the library."""
    text = args.import_
    if not is_reference(text) and not Path(text).exists() and REPOSITORY.fullmatch(text):
        raise StyleError(f"There is no file '{text[:80]}'. If it is a repository on the Hub, write {PREFIX}{text[:80]}.")
    path = fetch_style_file(text) if is_reference(text) else Path(text)
    engine = _engine(args)
    name = engine.library.import_file(path, engine.generator)
    print(f"{name}: imported. Wear it with `python -m nada_core edit PHOTO --style {shlex.quote(name)} --out DIR{parts_again(args)}`.")
    return 0


def _export(args: argparse.Namespace) -> int:
    """Write one style's file, compact or full."""
    name, out = args.export[0], Path(args.export[1])
    if out.suffix != ".safetensors":
        raise OptionsError(f"'{out.name[:60]}' does not end in .safetensors, as style files do. Give it that ending.")
    _engine(args).export_style(name, out, full=args.full)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0


def _push(args: argparse.Namespace) -> int:
    """Upload a style as it is stored; no network is loaded."""
    if args.repo is None:
        raise OptionsError("--push needs --repo user/name: the repository on the Hub that the style is to have.")
    repo, library = check_repository(args.repo), StyleLibrary()
    style = library.load(args.push)
    picture = {entry.card.name: entry.thumbnail for entry in library.entries()}.get(slug(args.push))
    with tempfile.TemporaryDirectory(prefix="nada-push-") as folder:
        address = push_style(save_style(style, Path(folder) / "style.safetensors"), repo, private=args.private, thumbnail=picture)
    print(f"{address}: uploaded{', private' if args.private else ''}. Wear it with --style {PREFIX}{repo}.")
    return 0
