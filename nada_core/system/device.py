"""Choose the device (CUDA or CPU), and use bfloat16 on CPUs that are faster with it."""

from __future__ import annotations

import logging
import warnings
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Literal, get_args

import torch

from nada_core.errors import OptionsError, shown
from nada_core.system.allocator import tune_cpu_allocator
from nada_core.system.precision import trial
from nada_core.system.zero_gpu import on_zero_gpu

__all__ = ["Precision", "card_problem", "check_precision", "choose_device", "precision_context", "tune_cpu_allocator"]

log = logging.getLogger(__name__)
Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(device: str = "auto") -> torch.device:
    """Return the device: ``auto`` is CUDA where there is a card that this torch can use, else the CPU.

    MPS only when asked for by name: it is untested.

    On ZeroGPU ``auto`` is the CPU: a GPU is lent there to one function at a time, which has to ask for CUDA by name.

    Raises:
        OptionsError: the device does not exist here.
    """
    if not isinstance(device, (str, torch.device)):
        raise OptionsError(f"device is {shown(device, 40)}; give a name: 'auto', 'cpu', 'cuda' or 'cuda:1'.")
    if device == "auto":
        if not torch.cuda.is_available() or on_zero_gpu():
            return torch.device("cpu")
        if problem := card_problem():
            log.warning("%s", problem)
        return torch.device("cpu" if problem else "cuda")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen).cpu()  # "meta" has no values to give back
    except (
        RuntimeError,
        AssertionError,
        ImportError,
        AttributeError,
    ) as error:  # ImportError: torch knows the name, a plug-in has the rest
        raise OptionsError(f"Device '{shown(device, 40)}' is not available here. Use 'cpu', or 'auto' to let the engine choose.") from error
    return chosen


@lru_cache(maxsize=1)
def card_problem() -> str:
    """Try one tiny piece of work on the graphics card; say in a sentence why it failed, nothing where it did not.

    A card may be too old or too new for the torch that is installed, or belong to a driver that is: torch sees it all the same.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own are several lines long
            ones = torch.ones(4, 4, device="cuda")
            if (ones @ ones).relu().sum().item() != 64:
                raise RuntimeError("it computes nonsense")
    except Exception as error:  # noqa: BLE001 - torch raises many classes here, AssertionError among them
        said = (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")
        return f"The graphics card cannot be used with torch {torch.__version__} ({shown(said, 120)}); the CPU is used instead."
    return ""


def check_precision(precision: object) -> None:
    """Refuse a precision that there is none of.

    Raises:
        OptionsError: the message lists those that there are.
    """
    if precision not in (known := get_args(Precision)):
        raise OptionsError(f"precision is '{shown(precision, 40)}'; it must be {', '.join(known[:-1])} or {known[-1]}.")


def precision_context(device: torch.device, precision: Precision = "auto") -> AbstractContextManager:
    """Return autocast to bfloat16 where asked for, or where ``auto`` measured it faster on this CPU; otherwise plain float32.

    Raises:
        OptionsError: there is no such precision.
    """
    check_precision(precision)
    if precision == "bfloat16" or (precision == "auto" and device.type == "cpu" and trial().bfloat16_is_faster):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
