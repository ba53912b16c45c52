"""StyleGAN2's operations against naive ones, with gradients; the fused kernel where there is a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.stylegan2_step import grouped_conv2d
from nada_core.generators import stylegan2_cuda
from nada_core.generators import stylegan2_ops as ops
from tests.helpers.stylegan2_files import relative


def naive_upfirdn(x: Tensor, kernel: Tensor, up: int, down: int, pad: tuple[int, int]) -> Tensor:
    """One output pixel at a time, from the definition."""
    n, c, h, w = x.shape
    kh, kw = kernel.shape
    high, wide = h * up + sum(pad), w * up + sum(pad)
    canvas = np.zeros((n, c, high, wide))
    canvas[:, :, pad[0] : pad[0] + h * up : up, pad[0] : pad[0] + w * up : up] = x.numpy()
    taps = kernel.numpy()[::-1, ::-1]
    rows, columns = range(0, high - kh + 1, down), range(0, wide - kw + 1, down)
    out = np.zeros((n, c, len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            out[:, :, i, j] = (canvas[:, :, row : row + kh, column : column + kw] * taps).sum((2, 3))
    return torch.from_numpy(out)


@pytest.mark.parametrize(("up", "down", "pad"), [(1, 1, (1, 1)), (2, 1, (2, 1)), (1, 2, (1, 1)), (2, 3, (0, 2)), (3, 1, (1, 0))])
def test_upfirdn_is_its_definition(up, down, pad):
    torch.manual_seed(0)
    x, kernel = torch.randn(2, 3, 5, 7, dtype=torch.double), torch.randn(4, 3, dtype=torch.double)  # an asymmetric filter shows flips
    torch.testing.assert_close(ops.upfirdn2d(x, kernel, up, down, pad), naive_upfirdn(x, kernel, up, down, pad))


@pytest.mark.parametrize("shape", [(2, 3, 6, 6), (1, 1, 4, 10), (2, 5, 2, 2)])
def test_fast_resampling_equals_the_naive_one(shape):
    torch.manual_seed(1)
    x, fir = torch.randn(shape, dtype=torch.double), ops.fir_filter(1.0).double()
    assert fir.sum() == 1
    torch.testing.assert_close(ops.upsample2(x), naive_upfirdn(x, fir * 4, 2, 1, (2, 1)))
    weight = torch.randn(4, shape[1], 3, 3, dtype=torch.double)
    # zeros, low-pass and convolution in this order: what the transposed convolution is short for
    smooth = naive_upfirdn(x, fir * 4, 2, 1, (3, 2))
    torch.testing.assert_close(ops.shared_conv2d(x, weight, up=True), F.conv2d(smooth, weight.flip(2, 3)))


def plain_act(x: Tensor, bias: Tensor, scale: Tensor | None, noise: Tensor | None, clamp: float | None) -> Tensor:
    x = x if scale is None else x * scale[:, :, None, None]
    x = x if noise is None else x + noise
    y = F.leaky_relu(x + bias[None, :, None, None], 0.2)
    return y if clamp is None else y.clamp(-clamp, clamp)


def equal_with_gradients(mine: Tensor, theirs: Tensor, inputs: list[Tensor]) -> None:
    torch.testing.assert_close(mine, theirs)
    probe = torch.randn_like(mine)
    for a, b in zip(torch.autograd.grad(mine, inputs, probe), torch.autograd.grad(theirs, inputs, probe), strict=True):
        torch.testing.assert_close(a, b)


def leaves(*shapes: tuple[int, ...]) -> list[Tensor]:
    torch.manual_seed(2)
    return [torch.randn(shape, dtype=torch.double, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("own_weights", [False, True, None])
@pytest.mark.parametrize(("up", "kernel"), [(False, 1), (False, 3), (True, 3)])
@pytest.mark.parametrize(("batch", "noises"), [(3, 1), (3, 3), (1, 1), (2, 0)])
def test_both_kinds_of_layer_equal_grouped_convolutions(batch, noises, up, kernel, own_weights):
    side = 12 if up else 6
    inputs = leaves((batch, 5, 6, 6), (4, 5, kernel, kernel), (4,), (batch, 5), *([(noises, 1, side, side)] if noises else []))
    x, weight, bias, styles, noise = (*inputs, None)[:5]
    mine = ops.styled_conv2d(x, weight, bias, styles, noise, up, clamp=1.5, own_weights=own_weights)
    # the clamp comes last, after the gain
    theirs = (plain_act(grouped_conv2d(x, weight, styles, up=up), bias, None, noise, None) * 2**0.5).clamp(-1.5, 1.5)
    equal_with_gradients(mine, theirs, inputs)


def test_large_pictures_get_their_own_weights():
    """What decides: 512 channels at 16 px scale the activations, 64 channels at 256 px the weights."""
    with torch.device("meta"):
        cases = [(torch.empty(1, 512, 16, 16), torch.empty(512, 512, 3, 3)), (torch.empty(1, 64, 256, 256), torch.empty(64, 64, 3, 3))]
    assert not any(ops.own_weights_pay(x, weight, up=False) for x, weight in cases)  # only on CPUs
    assert [ops.own_weights_pay(torch.empty_like(x, device="cpu"), weight, up=False) for x, weight in cases] == [False, True]


@pytest.mark.parametrize("clamp", [None, 0.5])
@pytest.mark.parametrize("noises", [0, 1, 2])
@pytest.mark.parametrize("fused", [False, True])
def test_bias_act_is_its_formula(monkeypatch, fused, noises, clamp):
    """The plain operation; and the gradients around the fused kernel, with the kernel's two formulas in plain PyTorch."""
    inputs = leaves((2, 3, 4, 4), (3,), (2, 3), *([(noises, 1, 4, 4)] if noises else []))
    x, bias, scale, noise = (*inputs, None)[:4]
    function = ops.bias_act
    if fused:
        monkeypatch.setattr(stylegan2_cuda, "compiled_kernels", PlainKernels)
        function = stylegan2_cuda.fused_bias_act
    equal_with_gradients(function(x, bias, scale, noise, clamp), plain_act(x, bias, scale, noise, clamp), inputs)


class PlainKernels:
    """What ``stylegan2_cuda.KERNELS`` computes."""

    @staticmethod
    def bias_act(x, bias, scale, noise, slope, clamp):
        return plain_act(x, bias, scale, noise if noise.numel() else None, clamp or None)

    @staticmethod
    def bias_act_grad(grad, y, slope, clamp):
        g = torch.where(y > 0, grad, grad * slope)
        return torch.where(y.abs() >= clamp, 0, g) if clamp else g


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("noise", [None, 1, 2])
@pytest.mark.parametrize("clamp", [None, 1.0])
def test_fused_kernel_equals_the_plain_operation(dtype, noise, clamp):
    assert stylegan2_cuda.compiled_kernels() is not None
    torch.manual_seed(0)
    wide = torch.promote_types(dtype, torch.float32)
    inputs = [torch.randn(2, 8, 16, 16, dtype=wide), torch.randn(8, dtype=wide), torch.rand(2, 8, dtype=wide) + 0.5]
    inputs += [torch.randn(noise, 1, 16, 16, dtype=wide)] if noise else []

    def run(device: str, kind: torch.dtype):
        leaves = [t.to(device).requires_grad_() for t in inputs]
        y = ops.bias_act(leaves[0].to(kind), *leaves[1:3], leaves[3] if noise else None, clamp)
        return [y, *torch.autograd.grad(y.to(wide).square().sum(), leaves)]

    tolerance = {torch.float32: 1e-4, torch.float64: 1e-10, torch.bfloat16: 0.05}[dtype]
    for fast, plain in zip(run("cuda", dtype), run("cpu", wide), strict=True):
        assert relative(fast.cpu().to(wide), plain) <= tolerance
