"""Run ``python -m nada_core fetch``: download files ahead of their first use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from nada_core.assets.store import REGISTRY, check_known
from nada_core.assets.store import fetch as fetch_asset
from nada_core.errors import AssetError

__all__ = ["fetch"]


def fetch(args: argparse.Namespace) -> int:
    """Download the named files that are not on the machine yet, once all names are known; all are tried, each failure is told."""
    names: list[str] = []
    for name in args.names:
        world = [asset.name for asset in REGISTRY.values() if asset.world == name and not asset.optional]
        names += world or [name]
    wanted = list(dict.fromkeys(names))
    known = [_done(name, check_known) for name in wanted]
    if not all(known):  # before anything is fetched, which may be 2 GB
        return 2
    fetched = [_done(name, lambda name: print(f"{name}: {fetch_asset(name)}")) for name in wanted]
    return 0 if all(fetched) else 2


def _done(name: str, work: Callable[[str], None]) -> bool:
    """Do some work on one asset; where it fails, tell why and go on."""
    try:
        work(name)
    except AssetError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return False
    return True
