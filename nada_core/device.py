"""Choosing the device once, and making CPUs fast."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from nada_core.allocator import tune_cpu_allocator
from nada_core.errors import OptionsError
from nada_core.zero_gpu import on_zero_gpu

__all__ = ["Precision", "bfloat16_is_fast", "choose_device", "precision_context", "tune_cpu_allocator"]

Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(device: str = "auto") -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU. MPS only when asked for by name: it is untested.

    On ZeroGPU ``auto`` is the CPU: a GPU is lent there to one function at a time, which has to ask for CUDA by name.

    Raises:
        OptionsError: the device does not exist here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and not on_zero_gpu() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen).cpu()  # "meta" has no values to give back
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise OptionsError(f"Device '{device}' is not available here. Use 'cpu', or 'auto' to let the engine choose.") from error
    return chosen


@functools.cache
def bfloat16_is_fast() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware tiles (AMX): several times faster than float32, elsewhere slower."""
    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(probe and probe())


def precision_context(device: torch.device, precision: Precision = "auto") -> AbstractContextManager:
    """Autocast to bfloat16 where asked for, or where ``auto`` finds it faster; otherwise plain float32."""
    if precision == "bfloat16" or (precision == "auto" and device.type == "cpu" and bfloat16_is_fast()):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
