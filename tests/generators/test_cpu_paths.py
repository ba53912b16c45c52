"""What is computed in another way on CPUs, for speed: the same values and gradients as by the plain way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.adaptation.options import resolve_options
from nada_core.adaptation.training_run import TrainingRun
from nada_core.encoders.clip import CLIPEncoder, ImageInput, PatchConv2d
from nada_core.generators import mobile_stylegan
from nada_core.generators import stylegan2_ops as ops
from tests.helpers.small_adaptations import StandInEncoder, small_mobile, small_options, small_stylegan2
from tests.helpers.stylegan2_files import tiny

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
    found = ops.doubling_conv2d(x, weight)
    equal_with_gradients(found, expected, [x, weight])
    assert not last or found.is_contiguous(memory_format=torch.channels_last)
    (alone,) = torch.autograd.grad(ops.doubling_conv2d(x, weight.detach()).sum(), x)  # a frozen network
    torch.testing.assert_close(alone, torch.autograd.grad(F.conv_transpose2d(x, weight, stride=2).sum(), x)[0])
    with torch.autocast("cpu", torch.bfloat16):
        half, usual = ops.doubling_conv2d(x, weight), F.conv_transpose2d(x, weight, stride=2)
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


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("side", [2, 12])
@pytest.mark.parametrize(("kernel", "groups"), [(1, 1), (3, 1), (3, 6)])
def test_modulated_convolution_is_one_of_scaled_channels(monkeypatch, samples, side, kernel, groups):
    torch.manual_seed(2)
    shapes = ((samples, 6, side, side), (12, 6 // groups, kernel, kernel), (samples, 6, 1, 1), (12,))
    x, weight, styles, bias = inputs = [torch.randn(shape, dtype=torch.double, requires_grad=True) for shape in shapes]
    plain, seen = F.conv2d, []
    expected = plain(x * styles, weight, bias, padding=kernel // 2, groups=groups)
    if groups > 1:  # two filters a channel are not in the network
        weight, bias = weight[::2], bias[::2]
        expected = expected[:, ::2]
    monkeypatch.setattr(F, "conv2d", lambda x, *args, **named: seen.append(x) or plain(x, *args, **named))
    found = mobile_stylegan.modulated_conv2d(x, weight, styles, bias, kernel // 2, groups)
    assert (seen[0] is x) == (samples == 1 and side == 12)  # at 2 px the activations are fewer than the weights
    equal_with_gradients(found, expected, inputs)


def plain_layer(layer: mobile_stylegan.StyledConv, x: Tensor, w: Tensor, noise_mode: str) -> Tensor:
    """A layer of MobileStyleGAN by its formula."""
    x = x * (w @ layer.modulation.weight.T + layer.modulation.bias)[:, :, None, None] * layer.modulation.gain
    if layer.depthwise is None:
        x = F.conv2d(x, layer.weight, layer.bias, padding=1)
    else:
        x = F.conv2d(F.conv2d(x, layer.depthwise, padding=1, groups=x.shape[1]), layer.weight, layer.bias)
    return F.leaky_relu(x + layer.noise if noise_mode == "const" else x, 0.2)


def plain_mobile(generator: mobile_stylegan.MobileStyleGAN, ws: Tensor, noise_mode: str, head: bool) -> Tensor:
    """The pictures by the formulae of all layers, the whole batch at once."""

    def scale(modulation: nn.Linear, w: Tensor) -> Tensor:
        return (F.linear(w, modulation.weight, modulation.bias) * modulation.gain)[:, :, None, None]

    x = plain_layer(generator.conv1, generator.const.expand(len(ws), -1, -1, -1), ws[:, 0], noise_mode)
    for i, block in enumerate(list(generator.blocks)[: 6 if head else None]):
        x = mobile_stylegan.inverse_haar(x * scale(block.up, ws[:, 1 + 3 * i]))
        for k, layer in enumerate((block.conv1, block.conv2)):
            x = plain_layer(layer, x, ws[:, 2 + 3 * i + k], noise_mode)
    if not head:
        output = generator.to_img
        return mobile_stylegan.inverse_haar(F.conv2d(x * scale(output.modulation, ws[:, -1]), output.weight, output.bias))
    output = generator.small_head
    x = x * scale(output.modulation, ws[:, -1])
    hidden = F.leaky_relu(output.hidden(x), 0.2) * scale(output.hidden_modulation, ws[:, -1])
    return output.skip(x) + output.out(hidden) + scale(output.tone, ws[:, -1])


@pytest.mark.parametrize(
    ("samples", "noise_mode", "head"),
    [(1, "const", False), (3, "const", False), (3, "none", False), pytest.param(2, "const", True, marks=pytest.mark.heavy)],
)
def test_mobile_stylegan_is_its_formula(samples, noise_mode, head):
    """Also where samples part ways, here from 32 px on: pictures, and gradients to latents and to every weight that was used."""
    generator = small_mobile(blocks=6 if head else 4, small_head=head).double().requires_grad_(True)
    for module in generator.modules():
        if isinstance(module, mobile_stylegan.StyledConv):
            module.noise.normal_()
    seen: list[int] = []
    generator.blocks[3].conv1.register_forward_hook(lambda module, given, out: seen.append(len(out)))
    ws = torch.randn(samples, generator.num_ws, generator.w_dim, dtype=torch.double, requires_grad=True)
    found = generator.synthesis(ws, noise_mode, 256 if head else None)
    assert seen == [1] * samples
    weights = [p for n, p in generator.named_parameters() if not n.startswith(("mapping_layers.", "to_img." if head else "small_head."))]
    equal_with_gradients(found, plain_mobile(generator, ws, noise_mode, head), [ws, *weights])


def test_random_noise_of_mobile_stylegan_differs_between_samples_that_part_ways():
    generator = small_mobile(blocks=4)
    ws = torch.randn(1, generator.num_ws, generator.w_dim).expand(2, -1, -1)
    last = generator.blocks[3].conv2
    last.noise.normal_(std=0.5)
    one, other = generator.synthesis(ws, "random")
    assert not torch.allclose(one, other)
    for module in generator.modules():
        if isinstance(module, mobile_stylegan.StyledConv):
            module.noise.zero_()
    torch.testing.assert_close(*generator.synthesis(ws, "random"))


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
        view = run.adam_views[name]
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


@pytest.mark.parametrize("make", [tiny, small_mobile])
def test_the_mapping_is_the_same_under_autocast(make):
    """Truncation mixes the mean latent, of 32 bits, with what the layers give: `lerp` refuses two kinds of numbers."""
    generator = make()
    z = generator.sample_z([0, 1, 2])
    with torch.autocast("cpu", torch.bfloat16):
        ws = generator.mapping(z, 0.7)
    torch.testing.assert_close(ws.float(), generator.mapping(z, 0.7), rtol=0.05, atol=0.05)
