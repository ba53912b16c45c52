"""1x1 convolutions that are trained on a CPU: the same values, and the gradients of torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from nada_core.generators.pointwise import pointwise_conv2d


def layer(count, layout=torch.channels_last):
    torch.manual_seed(0)
    x = torch.randn(count, 5, 6, 7).contiguous(memory_format=layout).requires_grad_()
    return x, torch.randn(4, 5, 1, 1, requires_grad=True), torch.randn(4, requires_grad=True)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("count", [1, 3])
def test_values_and_gradients_are_those_of_a_convolution(count, layout):
    inputs = layer(count, layout)
    found, expected = pointwise_conv2d(*inputs), F.conv2d(*inputs)
    assert torch.equal(found, expected)
    probe = torch.randn(expected.shape)  # not in the memory layout of the pictures, as some losses give it
    torch.testing.assert_close(torch.autograd.grad(found, inputs, probe), torch.autograd.grad(expected, inputs, probe))


def test_the_gradient_of_the_weights_is_a_product_of_matrices():
    inputs = layer(2)
    with torch.profiler.profile() as seen:
        pointwise_conv2d(*inputs).sum().backward()
    names = {event.key for event in seen.key_averages()}
    assert "_PointwiseBackward" in names and "aten::mm" in names


def test_without_a_bias():
    x, weight, _ = layer(2)
    found, expected = pointwise_conv2d(x, weight, None), F.conv2d(x, weight)
    probe = torch.randn(expected.shape)
    torch.testing.assert_close(torch.autograd.grad(found, [x, weight], probe), torch.autograd.grad(expected, [x, weight], probe))


def test_what_is_not_trained_or_rounded_is_left_to_torch():
    x, weight, bias = layer(1)
    assert pointwise_conv2d(x, weight.detach(), bias.detach()).grad_fn.name() == "ConvolutionBackward0"
    with torch.autocast("cpu", torch.bfloat16):
        assert pointwise_conv2d(x, weight, bias).dtype == torch.bfloat16
