"""Speed, memory and identity in the starter world: ``make bench`` or ``python -m benchmarks [--quick] [--out FILE]``.

Times of one machine mean little; what is compared is measured in one run, interleaved, and given as medians and ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of ``work`` after one warm-up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def training_step(tuned: bool, precision: str, repeats: int) -> float:
    """Seconds of a generator forward and backward pass, batch 2 at 256 px. In a process of its own: the allocator cannot be untuned."""
    code = (
        "import sys, torch\nfrom benchmarks.__main__ import median_seconds\n"
        "from nada_core.device import precision_context, tune_cpu_allocator\n"
        "from nada_core.generators.load import load_starter_generator\n"
        f"{'tune_cpu_allocator()' if tuned else ''}\n"
        "g = load_starter_generator().requires_grad_(True)\nws = g.mapping(g.sample_z([0, 1])).detach()\n"
        f"def step():\n    with precision_context(torch.device('cpu'), {precision!r}):\n"
        f"        y = g.synthesis(ws, resolution=256).float()\n    y.mean().backward()\nprint(median_seconds(step, {repeats}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def page_up_seconds(port: int = 7899) -> float:
    """From starting ``app.py`` to the first answer of the page."""
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_ANALYTICS_ENABLED": "False"}
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.perf_counter() - start < 120:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - start
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("app.py did not answer within two minutes")
    finally:
        process.terminate()
        process.wait(10)


def adapt_and_edit() -> dict[str, float]:
    """The two main jobs, and what they need."""
    from nada_core.adaptation import AdaptOptions
    from nada_core.engine import Engine

    engine = Engine("cpu")
    gaps, last, start = [], None, time.perf_counter()
    step = None
    for step in engine.adapt("Joker", options=AdaptOptions(steps=60)):
        if step.previews is not None:
            now = time.perf_counter()
            gaps.append(now - (last or start))
            last = now
    assert step is not None
    figures = {"adapt_joker_60_steps_s": step.seconds, "longest_preview_gap_s": max(gaps), "first_preview_s": gaps[0]}
    from skimage import data

    result = engine.edit(data.astronaut(), step.style())
    figures |= {"edit_first_s": result.seconds, "identity_inverted": result.identity_inverted, "identity_edited": result.identity_edited}
    figures["edit_again_s"] = engine.edit(data.astronaut(), step.style()).seconds
    figures["peak_memory_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--out", type=Path, default=None, help="also write the figures as JSON")
    args = parser.parse_args()
    repeats = 3 if args.quick else 7
    figures = adapt_and_edit()
    plain = training_step(False, "float32", repeats)
    tuned = training_step(True, "float32", repeats)
    automatic = training_step(True, "auto", repeats)
    figures |= {"generator_step_plain_s": plain, "speedup_allocator": plain / tuned, "speedup_allocator_and_precision": plain / automatic}
    figures["page_up_s"] = page_up_seconds()
    for name, value in figures.items():
        print(f"{name:36s} {value:8.3f}")
    if args.out:
        args.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
