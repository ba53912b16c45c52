"""Make a network once for the same arguments and hand out copies of it: building a small one takes ten times as long as copying it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = ["made_once"]

Network = TypeVar("Network", bound=nn.Module)


def made_once(make: Callable[..., Network]) -> Callable[..., Network]:
    """Each caller gets a copy of its own, and torch's random numbers go on from where making the network leaves them."""

    @cache
    def original(*arguments: object, **named: object) -> tuple[Network, Tensor]:
        return make(*arguments, **named), torch.get_rng_state()

    @wraps(make)
    def copied(*arguments: object, **named: object) -> Network:
        network, after = original(*arguments, **named)
        torch.set_rng_state(after)
        return copy.deepcopy(network)

    return copied
