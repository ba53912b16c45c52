"""Measure speed, memory and likeness in the starter world: ``make bench`` or ``python -m benchmarks [--quick] [--only NAME ...]``.

Seconds of one machine mean little. What is compared takes turns in one run, and is given as medians and as ratios to the first of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks import shared_cores, starter_step
from benchmarks.taking_turns import in_turns, ratio_line, seconds_of

ROOT = Path(__file__).resolve().parents[1]


def step(rounds: int) -> list[str]:
    """Time a step of the starter against the usual one."""
    return [ratio_line("a step of the starter", starter_step.measure(rounds))]


def cores(rounds: int) -> list[str]:
    """Time a step beside another process on the same cores."""
    return [ratio_line(f"threads {name}", medians) for name, medians in shared_cores.measure(rounds).items()]


def full(rounds: int) -> list[str]:
    """Time a step of StyleGAN2 with CLIP, of random weights, against the usual one."""
    from benchmarks.full_step import full_step

    found = full_step(repeats=rounds)
    return [ratio_line("a step of the full world at 256 px", {"ours": found["full_step_s"], "usual": found["full_step_usual_s"]})]


def start(rounds: int) -> list[str]:
    """Adapt to "Joker" from a blend of ready styles and from the generator itself: similarity after some steps."""
    from nada_core.adaptation.options import AdaptOptions
    from nada_core.engine import Engine

    engine, said = Engine("cpu"), []
    for name, begin in (("near", None), ("the generator itself", "")):
        steps = [(s.index, s.similarity, s.seconds) for s in engine.adapt("Joker", options=AdaptOptions(steps=20, start=begin))]
        shown = ", ".join(
            f"step {index}: {similarity:.2f} ({seconds:.0f} s)" for index, similarity, seconds in steps if index in (1, 5, 10, 20)
        )
        said.append(f"Joker begun at {name}: {shown}")
    return said


def edits(rounds: int) -> list[str]:
    """Time a photo as the Joker, opened already, in each mode; its likeness, and the memory of all."""
    from skimage import data

    from nada_core.engine import Engine

    engine, photo, likeness = Engine("cpu"), data.astronaut(), {}

    def edit(mode: str) -> float:
        result = engine.edit(photo, "joker", mode=mode)
        likeness[mode] = result.identity_edited
        return result.seconds

    engine.edit(photo, "joker", mode="instant")
    medians = in_turns({mode: lambda mode=mode: edit(mode) for mode in ("instant", "fast", "balanced")}, rounds)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    distances = ", ".join(f"{mode} {value:.2f}" for mode, value in likeness.items() if value is not None)
    return [ratio_line("a photo as the Joker", medians), f"identity distance: {distances}; most memory {memory:.1f} GB"]


def page(rounds: int) -> list[str]:
    """Time from starting ``app.py`` to the page's first answer, and the command line's help."""
    helped = [sys.executable, "-m", "nada_core", "--help"]
    works = {"help": lambda: seconds_of(lambda: subprocess.run(helped, cwd=ROOT, capture_output=True, check=True)), "page up": _page_up}
    return [ratio_line("start", in_turns(works, rounds))]


def _page_up(port: int = 7899) -> float:
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_ANALYTICS_ENABLED": "False"}
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.perf_counter() - begin < 120:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - begin
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("app.py did not answer within two minutes")
    finally:
        process.terminate()
        process.wait(30)


PARTS: dict[str, Callable[[int], list[str]]] = {"page": page, "step": step, "cores": cores, "full": full, "start": start, "edits": edits}


def main() -> None:
    """Run the parts one after another, and print each one's lines as soon as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round each instead of three")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--out", type=Path, default=None, help="also write the lines to this file")
    args = parser.parse_args()
    from nada_core.system.precision import machine, trial

    measured = trial()
    lines = [f"on {machine()}", f"bfloat16 {measured.bfloat16 / measured.float32:.2f} times as long as float32"]
    print("\n".join(lines), flush=True)
    for name in args.only:
        for line in PARTS[name](1 if args.quick else 3):
            lines.append(line)
            print(line, flush=True)
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
