"""Run ``python -m nada_core styles``: list, import, export and push styles."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from dataclasses import asdict
from pathlib import Path

from nada_core.cli.adapt_flags import parts_again
from nada_core.engine import Engine
from nada_core.errors import OptionsError, StyleError, shown
from nada_core.styles.files import save_style
from nada_core.styles.hub import PREFIX, REPOSITORY, fetch_style_file, is_reference
from nada_core.styles.library import StyleLibrary
from nada_core.styles.publish import check_repository, push_style
from nada_core.system.files import is_there

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
    from nada_core.cli.arguments import print_json

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
    if not is_reference(text) and not is_there(Path(text)) and REPOSITORY.fullmatch(text):
        raise StyleError(f"There is no file '{shown(text)}'. If it is a repository on the Hub, write {PREFIX}{shown(text)}.")
    path = fetch_style_file(text) if is_reference(text) else Path(text)
    engine = _engine(args)
    name = engine.import_style(path, compact=False)
    print(f"{name}: imported. Wear it with `python -m nada_core edit PHOTO --style {shlex.quote(name)} --out DIR{parts_again(args)}`.")
    return 0


def _export(args: argparse.Namespace) -> int:
    """Write one style's file, compact or full."""
    name, out = args.export[0], Path(args.export[1])
    if out.suffix != ".safetensors":
        raise OptionsError(f"'{shown(out.name, 60)}' does not end in .safetensors, as style files do. Give it that ending.")
    _engine(args).export_style(name, out, full=args.full)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0


def _push(args: argparse.Namespace) -> int:
    """Upload a style as it is stored; no network is loaded."""
    if args.repo is None:
        raise OptionsError("--push needs --repo user/name: the repository on the Hub that the style is to have.")
    repo, library = check_repository(args.repo), StyleLibrary()
    style = library.load(args.push)
    picture = {entry.card.name: entry.thumbnail for entry in library.entries()}.get(library.find(args.push) or "")
    with tempfile.TemporaryDirectory(prefix="nada-push-") as folder:
        address = push_style(save_style(style, Path(folder) / "style.safetensors"), repo, private=args.private, thumbnail=picture)
    print(f"{address}: uploaded{', private' if args.private else ''}. Wear it with --style {PREFIX}{repo}.")
    return 0
