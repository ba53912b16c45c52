"""Compare whole commands with an earlier commit, by turns: ``python -m benchmarks.against REVISION [--rounds 3] [-- ARGUMENTS]``.

The earlier commit is checked out into a temporary folder beside this one, with the same environment and the same downloaded weights.
Without arguments the command is ``adapt "Joker"`` as it is by default in each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.taking_turns import in_turns, ratio_line, seconds_of

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def _checked_out(revision: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nada-earlier-") as folder:
        place = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(place), revision], cwd=ROOT, check=True)
        try:
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=ROOT, check=True)


def _command(tree: Path, arguments: list[str]) -> float:
    """Return the seconds of a command in a tree; it writes into a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="nada-out-") as out:
        filled = [out if argument == "OUT" else argument for argument in arguments]
        environment = os.environ | {"PYTHONPATH": str(tree)}
        return seconds_of(
            lambda: subprocess.run([sys.executable, "-m", "nada_core", *filled], cwd=tree, env=environment, check=True, capture_output=True)
        )


def main() -> None:
    """Print the seconds of both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision", help="a commit or tag")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many (default: %(default)s)")
    parser.add_argument("arguments", nargs="*", help="of `python -m nada_core`; OUT stands for a temporary folder")
    args = parser.parse_args()
    arguments = args.arguments or ["adapt", "Joker", "--out", "OUT"]
    with _checked_out(args.revision) as earlier:
        works = {args.revision: lambda: _command(earlier, arguments), "now": lambda: _command(ROOT, arguments)}
        print(ratio_line(" ".join(arguments), in_turns(works, args.rounds)))


if __name__ == "__main__":
    main()
