"""Damage small files of every kind that the readers of generators and styles take, and see that they answer as they should.

    python -m tests.whole.fuzz [--count 10000] [--seed 0] [--kinds ours mobile] [--first 0]

The files are made here, small and valid; each input is one of them with bytes or facts changed, chosen by its number. Inputs are read in a
child process with a limit of memory; one that takes more than 20 s, or ends the process, is a finding. So is an exception that is not the
project's own, a message above 900 characters or with line breaks or paths in it, and a picture that is not finite. Inputs are not kept: a
finding names kind and number, which make the input again. But torch writes addresses into its old format, which the legacy files and the
pickles are made of, so that bytes changed there may be others the next time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.whole.fuzz_inputs import KINDS, Maker

__all__ = ["Finding", "Outcome", "run"]

SECONDS = 20.0  # for one input
_START = 120.0  # for the child to import everything, on a machine with other work
_MEMORY = 3 << 30  # bytes beyond what the child has when it begins
_MOST = 900  # characters of a message
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finding:
    """One input that was not answered as it should be."""

    kind: str
    number: int
    what: str


@dataclass(frozen=True)
class Outcome:
    """What became of the inputs: how many of each kind were read and how many refused; all findings."""

    read: Counter[str]
    refused: Counter[str]
    findings: tuple[Finding, ...]


def run(kinds: Sequence[str], count: int, seed: int = 0, first: int = 0) -> Outcome:
    """Read ``count`` damaged inputs of each kind."""
    read: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    findings: list[Finding] = []
    waiting = [(kind, number) for kind in kinds for number in range(first, first + count)]
    while waiting:
        done = 0
        for line in _answers(waiting, seed):
            kind, number = waiting[done]
            done += 1
            if line.get("finding"):
                findings.append(Finding(kind, number, line["finding"]))
            (read if line["read"] else refused)[kind] += 1
        if done < len(waiting):  # the child is gone: what it was reading is the finding
            findings.append(Finding(*waiting[done], "it took too long, or ended the process"))
            done += 1
        waiting = waiting[done:]
    return Outcome(read, refused, tuple(findings))


def _answers(inputs: Sequence[tuple[str, int]], seed: int) -> Iterator[dict]:
    """Yield the child's answers, in order, until it has none left, is too slow, or is gone."""
    command = [sys.executable, "-m", "tests.whole.fuzz", "--child", "--seed", str(seed)]
    with (
        tempfile.TemporaryFile("w+") as asked,
        subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as child,
    ):
        pass_on = "\n".join(f"{kind} {number}" for kind, number in inputs)
        asked.write(pass_on)
        asked.flush()
        asked.seek(0)
        assert child.stdout is not None
        yield from _lines(child, len(inputs))
        child.kill()


def _lines(child: subprocess.Popen[bytes], count: int) -> Iterator[dict]:
    assert child.stdout is not None
    descriptor, rest, patience = child.stdout.fileno(), b"", _START
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while count:
            if not selector.select(patience):
                return
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                patience, count = SECONDS, count - 1
                yield json.loads(line)


def _child(seed: int) -> None:
    """Read the inputs that standard input names, one after the other, and say what happened on a line each."""
    import resource

    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="nada-fuzz-") as folder:
        maker = Maker(Path(folder))
        pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
        if pages:
            limit = pages * resource.getpagesize() + _MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        sound: set[str] = set()
        for line in sys.stdin:
            kind, number = line.split()
            was_read, finding = (True, "") if kind in sound else _try(maker, kind, maker.write_valid(kind), folder)
            if not was_read or finding:
                finding = finding or "the sound file was refused"
            else:
                sound.add(kind)
                path = maker.write(kind, random.Random(f"{seed} {kind} {number}"))
                was_read, finding = _try(maker, kind, path, folder)
            print(json.dumps({"read": was_read, "finding": finding}), flush=True)


def _try(maker: Maker, kind: str, path: Path, folder: str) -> tuple[bool, str]:
    """Read one input; return whether it was read, and what was wrong with that."""
    import torch

    from nada_core.errors import NadaError

    try:
        pictures = maker.read(kind, path)
    except NadaError as error:
        return False, _wrong_words(str(error), folder)
    except BaseException as error:  # noqa: BLE001 (it is what is looked for)
        return False, f"a foreign exception: {type(error).__module__}.{type(error).__name__}"
    return True, "" if torch.isfinite(pictures).all() else "a picture that is not finite"


def _wrong_words(message: str, folder: str) -> str:
    if len(message) > _MOST:
        return f"a message of {len(message)} characters"
    if len(message.splitlines()) != 1 or not message.isprintable():
        return "a message with line breaks or other signs that cannot be printed"
    if folder in message or re.search(r"(^|[\s'(])(/\w[\w.-]*){2,}|site-packages|Traceback", message):
        return "a message with a path in it"
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run by hand: print a line a kind, then the findings; 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="inputs of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        _child(args.seed)
        return 0
    findings: list[Finding] = []
    for kind in args.kinds:
        begun = time.monotonic()
        outcome = run([kind], args.count, args.seed, args.first)
        findings += outcome.findings
        told = f"{outcome.read[kind]} read, {outcome.refused[kind]} refused, {len(outcome.findings)} findings"
        print(f"{kind:20s} {told}, {time.monotonic() - begun:.0f} s", flush=True)
    for finding in findings[:50]:
        print(f"{finding.kind} {finding.number}: {finding.what}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
