"""Choose the optimiser: Adam (Kingma and Ba 2015, arXiv:1412.6980), on CPUs without what `torch.optim` loads for it.

The first optimiser of `torch.optim` that is made imports torch's compiler, and sympy with it: one and a half to two seconds of each start,
though nothing is compiled here. On CPUs the kernel that `torch.optim.Adam(..., fused=True)` ends in is called directly, one pass over the
weights instead of nine. A GPU takes torch's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["CpuAdam", "adam"]

_EPS = 1e-8


def adam(parameters: Iterable[Tensor] | Iterable[Mapping[str, Any]], lr: float, betas: tuple[float, float] = (0.9, 0.999)) -> Any:
    """Return Adam for tensors, or for groups of them with settings of their own, as `torch.optim.Adam` takes them."""
    given: list[Any] = list(parameters)
    groups = [dict(group) for group in given] if given and isinstance(given[0], Mapping) else [{"params": given}]
    groups = [{"lr": lr, "betas": betas, **group, "params": list(group["params"])} for group in groups]
    on_cpu = all(tensor.device.type == "cpu" for group in groups for tensor in group["params"])
    return CpuAdam(groups) if on_cpu else torch.optim.Adam(groups, lr=lr, betas=betas)


class CpuAdam:
    """Take steps of Adam on a CPU.

    Attributes:
        param_groups: ``params``, ``lr`` and ``betas`` of each group, and what else it was given; changed from outside between steps.
        state: by tensor, what is remembered of its gradients: ``step``, ``exp_avg``, ``exp_avg_sq``, named as torch names them.
    """

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.param_groups = groups
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change all tensors that have a gradient."""
        for group in self.param_groups:
            tensors = [tensor for tensor in group["params"] if tensor.grad is not None]
            if not tensors:
                continue
            for tensor in tensors:
                if tensor not in self.state:
                    moments = {name: torch.zeros_like(tensor, memory_format=torch.preserve_format) for name in ("exp_avg", "exp_avg_sq")}
                    self.state[tensor] = {"step": torch.zeros(()), **moments}
            means, squares, steps = ([self.state[t][name] for t in tensors] for name in ("exp_avg", "exp_avg_sq", "step"))
            torch._foreach_add_(steps, 1)
            first, second = group["betas"]
            torch._fused_adam_(
                tensors,
                [tensor.grad for tensor in tensors],
                means,
                squares,
                [],
                steps,
                lr=group["lr"],
                beta1=first,
                beta2=second,
                weight_decay=0.0,
                eps=_EPS,
                amsgrad=False,
                maximize=False,
            )
