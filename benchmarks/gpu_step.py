"""Try the full world's step on a graphics card: ``python -m benchmarks.gpu_step [--out FILE]``, below ten minutes. Never run so far.

First the fused kernel against the plain operation, then training steps of 1024 px by turns: the usual one (grouped convolutions, float32),
ours in each number format, and a step that the card replays as one CUDA graph, which is only tried here. StyleGAN2 config-f and CLIP
ViT-B/32 with random weights of a sane size. Aimed at: kernels equal, four times the usual step, 100 steps within 3 s on an H200.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F

from benchmarks.full_step import random_clip, random_generator, usual_step
from benchmarks.taking_turns import in_turns, ratio_line
from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.adaptation.training_run import TrainingRun
from nada_core.encoders.base import ImageTextEncoder
from nada_core.generators.stylegan2 import StyleGAN2
from nada_core.generators.stylegan2_ops import bias_act
from nada_core.system.device import Precision, card_problem

__all__ = ["NO_CARD", "kernel_errors", "main", "no_card", "steps_by_turns", "works"]

NO_CARD = "There is no graphics card that this torch can use, and this measures one. For a CPU: `python -m benchmarks.full_step`."
#: Largest relative error of the fused kernel, by number format: some units in the last place of each.
LARGEST = {torch.float32: 1e-5, torch.bfloat16: 2e-2, torch.float16: 3e-3}
Work = Callable[[], object]


def no_card() -> str:
    """Say in a sentence why nothing can be measured here; nothing where it can."""
    return NO_CARD if not torch.cuda.is_available() else card_problem().replace("; the CPU is used instead", "")


def kernel_errors(device: torch.device) -> Iterator[tuple[torch.dtype, float]]:
    """Yield the relative error (of norms) of a layer's pointwise part and its gradients, the largest of them, in each number format."""
    torch.manual_seed(0)
    given = [torch.randn(shape) for shape in ((2, 16, 33, 31), (16,), (2, 16), (2, 1, 33, 31))]
    for kind in LARGEST:
        rounded = [given[0].to(kind), *given[1:]]
        clamp = 2.0 if kind is torch.float32 else None  # a half's rounding up to the limit would count as a gradient that is lost
        expected = _with_gradients([value.double() for value in rounded], clamp)
        found = _with_gradients([value.to(device) for value in rounded], clamp)
        yield kind, max(float((a.double().cpu() - b).norm() / b.norm()) for a, b in zip(found, expected, strict=True))


def _with_gradients(values: list[torch.Tensor], clamp: float | None) -> list[torch.Tensor]:
    values = [value.detach().requires_grad_() for value in values]
    shown = bias_act(*values, clamp=clamp)
    return [shown.detach(), *torch.autograd.grad(shown.double().pow(2).sum(), values)]


def works(base: StyleGAN2, encoder: ImageTextEncoder, batch: int) -> Iterator[tuple[str, Callable[[], Work]]]:
    """Yield the name of each way, the usual one first, and what prepares a step of it."""
    yield "usual", lambda: usual_step(base, encoder, batch)
    kinds: tuple[Precision, ...] = ("float32", "bfloat16")
    for kind in kinds:
        yield f"ours in {kind}", lambda kind=kind: _our_step(base, encoder, batch, kind)
    if base.device.type == "cuda":
        yield "one CUDA graph", lambda: _graph_step(base, encoder, batch)


def _our_step(base: StyleGAN2, encoder: ImageTextEncoder, batch: int, precision: Precision) -> Work:
    options = AdaptOptions(batch=batch, preset="source", precision=precision)
    return TrainingRun(base, encoder, "Joker", resolve_options(options, base.family)).advance


def _graph_step(base: StyleGAN2, encoder: ImageTextEncoder, batch: int) -> Work:
    """Return a step in bfloat16 that is recorded once; only its latents change."""
    trained = copy.deepcopy(base)
    parameters = [p.requires_grad_(True) for name, p in trained.named_parameters() if not name.startswith("mapping_layers")]
    optimiser = torch.optim.Adam(parameters, lr=2e-3, capturable=True)
    source, target = encoder.encode_text(["a photo of a face", "a photo of a Joker"])
    direction = F.normalize(target - source, dim=0)

    @torch.no_grad()
    def latents() -> torch.Tensor:
        return base.mapping(torch.randn(batch, base.z_dim, device=base.device)).clone()

    ws = latents()

    def work() -> None:
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
            with torch.no_grad():
                before = encoder.encode_image(base.synthesis(ws).float())
            after = encoder.encode_image(trained.synthesis(ws).float())
        loss = (1 - F.cosine_similarity(after - before + 1e-6, direction[None])).mean()
        loss.backward()
        optimiser.step()

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):  # chooses kernels and makes Adam's memory: neither can be recorded
            optimiser.zero_grad(set_to_none=True)
            work()
    torch.cuda.current_stream().wait_stream(aside)
    optimiser.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()

    def step() -> None:
        ws.copy_(latents())
        graph.replay()

    return step


def steps_by_turns(base: StyleGAN2, encoder: ImageTextEncoder, batch: int, steps: int, rounds: int) -> tuple[dict[str, float], list[str]]:
    """Return the median seconds of a step of each way, and a sentence on each that cannot be made here."""

    def timed(step: Work) -> float:
        _settle(base)
        begin = time.perf_counter()
        for _ in range(steps):
            step()
        _settle(base)
        return (time.perf_counter() - begin) / steps

    ready: dict[str, Callable[[], float]] = {}
    failed = []
    for name, prepare in works(base, encoder, batch):
        try:
            step = prepare()
            step()
        except (
            RuntimeError,
            NotImplementedError,
        ) as error:  # a card, driver or torch that cannot do it: the others are still worth knowing
            failed.append(f"{name}: not possible here ({(str(error).strip().splitlines() or [type(error).__name__])[0][:160]})")
        else:
            ready[name] = lambda step=step: timed(step)
    return in_turns(ready, rounds), failed


def _settle(base: StyleGAN2) -> None:
    if base.device.type == "cuda":
        torch.cuda.synchronize()


def main(argv: list[str] | None = None) -> int:
    """Print the errors of the kernel, seconds of a step and ratios, and the most memory; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20, help="steps a turn (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=None, help="also write the lines to this file")
    args = parser.parse_args(argv)
    if problem := no_card():
        print(problem, file=sys.stderr)
        return 2
    device = torch.device("cuda")
    lines = [f"{torch.cuda.get_device_name()}, torch {torch.__version__}"]
    for kind, error in kernel_errors(device):
        lines.append(
            f"kernel in {str(kind).removeprefix('torch.')}: relative error {error:.1e}, {'equal' if error < LARGEST[kind] else 'WRONG'}"
        )
    print("\n".join(lines), flush=True)
    base, encoder = random_generator(args.resolution).to(device), random_clip(device)
    medians, failed = steps_by_turns(base, encoder, args.batch, args.steps, args.rounds)
    found = [
        ratio_line(f"a step of {args.resolution} px", medians),
        *(
            f"{name}: {medians['usual'] / value:.2f} times as fast as usual, 100 steps {100 * value:.1f} s"
            for name, value in medians.items()
        ),
        *failed,
        f"most memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GB, of all ways together",
    ]
    print("\n".join(found), flush=True)
    if args.out:
        args.out.write_text("\n".join([*lines, *found]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
