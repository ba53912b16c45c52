"""What is computed in another way on CPUs, for speed: the same values and gradients as by the plain way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.clip import CLIPEncoder, ImageInput, PatchConv2d
from nada_core.generators import stylegan2_ops as ops
from nada_core.options import resolve_options
from nada_core.training_run import TrainingRun
from tests.small_adaptations import StandInEncoder, small_options, small_stylegan2
from tests.stylegan2_files import tiny

#: How weights ``[O, I, k, k]`` may lie in memory; the last is that of upsampling layers after ``laid_out_for_cpu``.
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": torch.Tensor.contiguous,
    "channels last": lambda t: t.contiguous(memory_format=torch.channels_last),
    "input channels first": lambda t: t.transpose(0, 1).contiguous(memory_format=torch.channels_last).transpose(0, 1),
}


def equal_with_gradients(mine: Tensor, theirs: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    torch.testing.assert_close(mine, theirs)
    probe = torch.randn(theirs.shape, dtype=theirs.dtype)
    found = torch.autograd.grad(mine, inputs, probe)
    torch.testing.assert_close(found, torch.autograd.grad(theirs, inputs, probe))
    return list(found)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_demodulation_is_its_formula_in_every_layout(layout):
    torch.manual_seed(0)
    weight = LAYOUTS[layout](torch.randn(5, 4, 3, 3, dtype=torch.double)).requires_grad_()
    styles = torch.randn(2, 4, dtype=torch.double, requires_grad=True)
    modulated = weight * styles[:, None, :, None, None]
    expected = torch.rsqrt(modulated.square().sum((2, 3, 4)) + 1e-8)
    gradient, _ = equal_with_gradients(ops.demodulation(weight, styles), expected, [weight, styles])
    assert gradient.stride() == weight.stride()  # what else would be copied in every step


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("kernel", [1, 3])
def test_doubling_convolution_is_a_transposed_one(layout, last, kernel):
    torch.manual_seed(1)
    x = torch.randn(2, 4, 5, 6).contiguous(memory_format=torch.channels_last if last else torch.contiguous_format).requires_grad_()
    weight = LAYOUTS[layout](torch.randn(3, 4, kernel, kernel)).transpose(0, 1).requires_grad_()
    expected = F.conv_transpose2d(x, weight, stride=2)
    found = ops._doubling_conv2d(x, weight)
    equal_with_gradients(found, expected, [x, weight])
    assert not last or found.is_contiguous(memory_format=torch.channels_last)
    (alone,) = torch.autograd.grad(ops._doubling_conv2d(x, weight.detach()).sum(), x)  # a frozen network
    torch.testing.assert_close(alone, torch.autograd.grad(F.conv_transpose2d(x, weight, stride=2).sum(), x)[0])
    with torch.autocast("cpu", torch.bfloat16):
        half, usual = ops._doubling_conv2d(x, weight), F.conv_transpose2d(x, weight, stride=2)
    assert half.dtype == usual.dtype == torch.bfloat16
    torch.testing.assert_close(half, usual)


@pytest.mark.parametrize("noise_mode", ["const", "none"])
def test_pictures_of_a_batch_are_those_of_its_samples(noise_mode):
    """Where samples part ways, here at 64 px, each keeps its own latents, and the weights get the gradients of all."""
    generator = tiny().double().requires_grad_(True)
    ws = torch.randn(3, generator.num_ws, 16, dtype=torch.double)
    seen: list[int] = []
    generator.blocks["b64"].conv1.register_forward_hook(lambda module, given, out: seen.append(len(out)))
    together = generator.synthesis(ws, noise_mode)
    assert seen == [1, 1, 1]
    alone = torch.cat([generator.synthesis(row, noise_mode) for row in ws.split(1)])
    equal_with_gradients(together, alone, [generator.get_parameter("blocks.b64.conv1.weight"), generator.get_parameter("blocks.b4.const")])


def test_adam_sees_weights_in_the_order_of_memory():
    """The steps are those of plain Adam on the parameters, and nothing that it gets has to be copied."""
    base = small_stylegan2().laid_out_for_cpu()
    run = TrainingRun(base, StandInEncoder(), "Joker", resolve_options(small_options(base, batch=2), base.family))
    plain = {name: parameter.detach().clone().requires_grad_() for name, parameter in run.parameters.items()}
    usual = torch.optim.Adam(plain.values(), lr=run.lr, betas=run.optimiser.param_groups[0]["betas"], foreach=False)
    moved = {name: parameter.detach().clone() for name, parameter in run.parameters.items()}
    for _ in range(3):
        run.advance()
        for name, parameter in run.parameters.items():
            plain[name].grad = None if parameter.grad is None else parameter.grad.clone()
        usual.param_groups[0]["lr"] = run.optimiser.param_groups[0]["lr"]
        usual.step()
    for name, parameter in run.parameters.items():
        torch.testing.assert_close(parameter.detach(), plain[name].detach())
        view = run.stepped[name]
        assert view.is_contiguous() and view.data_ptr() == parameter.data_ptr()
        assert view.grad is None or view.grad.is_contiguous()
    assert sum(not torch.equal(value, run.parameters[name]) for name, value in moved.items()) > 20
    assert any(not parameter.is_contiguous() for parameter in run.parameters.values())


class Tower(nn.Module):
    """The first layers of a vision transformer and of a convolutional network."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 4, stride=4, bias=bias)
        self.overlapping = nn.Conv2d(3, 6, 4, stride=2)
        self.deeper = nn.Conv2d(6, 6, 2, stride=2)


@pytest.mark.parametrize("bias", [False, True])
def test_patches_are_those_of_the_convolution(bias):
    tower = Tower(bias)
    plain, names = tower.conv1, list(tower.state_dict())
    CLIPEncoder(tower, None, ImageInput((8, 8), (0.5,) * 3, (0.5,) * 3), name="tower", embedding_dim=6)
    assert type(tower.conv1) is PatchConv2d and type(tower.overlapping) is type(tower.deeper) is nn.Conv2d
    assert list(tower.state_dict()) == names and tower.conv1.weight is plain.weight and tower.conv1.bias is plain.bias
    for shape in ((2, 3, 8, 12), (1, 3, 11, 9)):  # what is left over at the border is not read
        x = torch.randn(shape, requires_grad=True)
        equal_with_gradients(tower.conv1(x), plain(x), [x])
