"""``python -m nada_core.starter_weights``: have the starter world's files on this machine (run by ``make setup`` and the Dockerfile)."""

from __future__ import annotations

import sys

from nada_core.assets import REGISTRY, fetch
from nada_core.errors import AssetError

__all__ = ["main"]


def main() -> int:
    """Fetch what is missing. Returns an exit code: 2 with one line on stderr if a file cannot be had, 130 on Ctrl-C."""
    try:
        for name, asset in REGISTRY.items():
            if asset.world == "starter" and not asset.optional:
                fetch(name)
    except AssetError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
