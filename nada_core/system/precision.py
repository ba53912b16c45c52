"""Measure once a machine whether bfloat16 is faster than float32 on its CPU, and remember it."""

from __future__ import annotations

import functools
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from nada_core.errors import NadaError
from nada_core.system.cache import cache_folder
from nada_core.system.files import write_bytes

__all__ = ["Trial", "machine", "measure", "trial"]

_FILE = "precision.json"
_MAP, _ROUNDS = 192, 5  # large maps: memory counts as much as arithmetic
_GLANCE, _HOPELESS = 24, 5
#: A measurement whose repetitions differ more than this was disturbed by other work: it is used, but not remembered.
_STEADY = 1.6
#: bfloat16 has to be this much faster: it has fewer digits, and a trial on a busy machine is noisy.
_MARGIN = 1.15


@dataclass(frozen=True)
class Trial:
    """Hold what was measured: seconds of the same work in both formats, and for which machine and versions that is true."""

    machine: str
    float32: float
    bfloat16: float
    spread: float
    """The slower half of the repetitions against the fastest one, of the format where that differs more: 1 on a quiet machine."""

    @property
    def bfloat16_is_faster(self) -> bool:
        """Tell whether bfloat16 was faster by a clear margin."""
        return self.bfloat16 * _MARGIN < self.float32


@functools.cache
def trial() -> Trial:
    """Return this machine's measurement: the remembered one where machine and versions are the same, else a new one (a second or less).

    A file that is broken, of another machine or of other versions is measured again and replaced. What was disturbed by other work is not
    kept; then, and where no file can be written, the next process measures again.
    """
    kept = _kept(cache_folder() / _FILE)
    if kept is not None:
        return kept
    found = measure()
    if found.spread > _STEADY:
        return found
    with suppress(NadaError):
        write_bytes(cache_folder() / _FILE, json.dumps(asdict(found), indent=1).encode())
    return found


def machine() -> str:
    """Return what a measurement depends on: processor, its instructions as torch may use them, threads, torch's version."""
    name = platform.processor() or platform.machine()
    with suppress(OSError, UnicodeDecodeError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "all")
    features = "+".join(_features()) or "none"
    kernels = torch.backends.cpu.get_cpu_capability()
    return f"{name}; {kernels}; {features}; {limit}; {torch.get_num_threads()} threads; torch {torch.__version__}"


def measure() -> Trial:
    """Time a generator's convolutions, forward and back, in both formats by turns, and take the medians.

    Small maps first: where bfloat16 is only emulated it is twenty times slower, which a few milliseconds show.
    """
    with torch.random.fork_rng(devices=[]):  # random weights are drawn: a seed that the caller set keeps its meaning
        found = _timed(_work(_GLANCE), 3)
        return found if found.bfloat16 > _HOPELESS * found.float32 else _timed(_work(_MAP), _ROUNDS)


def _timed(work: Callable[[], None], rounds: int) -> Trial:
    seconds: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for number in range(rounds + 1):
        for kind, taken in seconds.items():
            begin = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=kind is torch.bfloat16), torch.enable_grad():
                work()
            if number:  # the first one of each chooses its kernels
                taken.append(time.perf_counter() - begin)
    medians = {kind: statistics.median(taken) for kind, taken in seconds.items()}
    spread = max(medians[kind] / min(taken) for kind, taken in seconds.items())
    return Trial(machine(), medians[torch.float32], medians[torch.bfloat16], spread)


def _work(side: int) -> Callable[[], None]:
    """Return the last block of a face generator in small, forward and back, on maps of that side."""
    layers = nn.Sequential(
        nn.Conv2d(128, 128, 1), nn.LeakyReLU(0.2), nn.Conv2d(128, 128, 3, padding=1, groups=128), nn.Conv2d(128, 3, 1)
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels = torch.ones(1, 128, side, side).contiguous(memory_format=torch.channels_last)

    def run() -> None:
        layers(pixels.detach().requires_grad_()).float().mean().backward()

    return run


def _features() -> Iterator[str]:
    """Yield the names of instructions for matrices that torch finds."""
    for name, probe in (("amx", "_is_amx_tile_supported"), ("avx512_bf16", "_is_avx512_bf16_supported")):
        found = getattr(torch.cpu, probe, None)
        if found is not None and found():
            yield name


def _kept(path: Path) -> Trial | None:
    try:
        found = Trial(**json.loads(path.read_text("utf-8")))
        sound = found.machine == machine() and min(float(found.float32), float(found.bfloat16), float(found.spread)) > 0
    except (OSError, ValueError, TypeError):
        return None
    return found if sound else None
