"""Time a training step of the starter world against the usual one: ``python -m benchmarks.starter_step [--rounds 3]``.

The usual one is plainly written in float32: both generators and the encoder on both pictures at every step, one text direction, Adam as it
is by default. Ours is the training loop with its own defaults, drawn targets included, in the middle of a run. Each is timed in processes
of its own, by turns: what ours sets up for the whole process cannot be undone.
"""

from __future__ import annotations

import argparse
import copy
import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.taking_turns import in_turns, ratio_line, seconds_of

__all__ = ["main", "measure"]

ROOT = Path(__file__).resolve().parents[1]
_STEPS = 6
WAYS = ("usual", "ours")


def _usual() -> Callable[[], object]:
    """Return a step of the published loop on the starter's networks."""
    import torch
    import torch.nn.functional as F

    from nada_core.encoders.load import load_encoder
    from nada_core.generators.load import load_starter_generator

    base, encoder = load_starter_generator(), load_encoder("starter")
    trained = copy.deepcopy(base).requires_grad_(True)
    optimiser = torch.optim.Adam([p for n, p in trained.named_parameters() if "mapping" not in n], lr=1e-4)
    source, target = encoder.encode_text(["face", "Joker"])
    direction = F.normalize(target - source, dim=0)

    def step() -> None:
        with torch.no_grad():
            ws = base.mapping(torch.randn(2, base.z_dim))
            before = encoder.encode_image(base.synthesis(ws, resolution=256))
        after = encoder.encode_image(trained.synthesis(ws, resolution=256))
        loss = (1 - F.cosine_similarity(after - before, direction[None])).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def _ours() -> Callable[[], object]:
    """Return a step of a run of this program, as `adapt` makes it, without previews."""
    from nada_core.adaptation.options import AdaptOptions
    from nada_core.engine import Engine

    steps = Engine("cpu").adapt("Joker", options=AdaptOptions(steps=100, preview_seconds=math.inf))
    return lambda: next(steps)


def _child(way: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.starter_step", "--way", way], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def measure(rounds: int = 3) -> dict[str, float]:
    """Return the median seconds of a step of both."""
    return in_turns({way: lambda way=way: _child(way) for way in WAYS}, rounds)


def main() -> None:
    """Print the seconds of both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many processes each (default: %(default)s)")
    parser.add_argument("--way", choices=WAYS, help="only this one, in this process")
    args = parser.parse_args()
    if args.way is None:
        print(ratio_line("a step of the starter", measure(args.rounds)))
        return
    from nada_core.system.threads import wait_politely

    wait_politely()
    step = {"usual": _usual, "ours": _ours}[args.way]()
    step()
    print(statistics.median(seconds_of(step) for _ in range(_STEPS)))


if __name__ == "__main__":
    main()
