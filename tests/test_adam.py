"""Adam on a CPU: torch's own numbers, without what torch loads for them."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from nada_core.adam import CpuAdam, adam


def tensors():
    torch.manual_seed(0)
    return [torch.randn(5, 7), torch.randn(3, 4, 3, 3), torch.randn(2)]


def test_steps_are_those_of_torch_bit_by_bit():
    mine, theirs = tensors(), tensors()
    ours = adam([{"params": mine[:1], "factor": 2.0}, {"params": mine[1:]}], lr=0.02, betas=(0.5, 0.99))
    usual = torch.optim.Adam([{"params": theirs[:1]}, {"params": theirs[1:]}], lr=0.02, betas=(0.5, 0.99), fused=True)
    for number in range(4):
        for a, b in zip(mine, theirs, strict=True):
            a.grad = torch.randn(a.shape)
            b.grad = a.grad.clone()
        if number % 2:  # a layer that is left out this time
            mine[2].grad = theirs[2].grad = None
        ours.param_groups[0]["lr"] = usual.param_groups[0]["lr"] = 0.01 * (number + 1)
        ours.step()
        usual.step()
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    assert [int(ours.state[t]["step"]) for t in mine] == [4, 4, 2]
    ours.zero_grad()
    assert all(t.grad is None for t in mine)


def test_one_list_of_tensors_is_one_group_with_adams_own_decay():
    (group,) = adam(tensors(), lr=0.1).param_groups
    assert len(group["params"]) == 3 and group["lr"] == 0.1 and group["betas"] == (0.9, 0.999)


def test_cpus_get_the_small_one():
    assert isinstance(adam(tensors(), lr=0.1), CpuAdam)
    elsewhere = [torch.nn.Parameter(torch.empty(2, device="meta"))]
    assert isinstance(adam(elsewhere, lr=0.1), torch.optim.Adam)


@pytest.mark.heavy
def test_a_step_does_not_load_torchs_compiler():
    script = """
import sys, torch
from nada_core.adam import adam
weight = torch.ones(2, requires_grad=True)
optimiser = adam([weight], lr=0.1)
weight.sum().backward()
torch.nn.utils.clip_grad_norm_([weight], 1.0)
optimiser.step()
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
