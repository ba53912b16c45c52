"""StyleGAN2: parity with both reference implementations, operations against naive ones, gradients, W+, precision."""

from __future__ import annotations

import copy
import sys
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.stylegan2_step import grouped_conv2d, grouped_synthesis
from nada_core.checkpoints import apply_style, compact_style, resolved_weights
from nada_core.generators import stylegan2_cuda
from nada_core.generators import stylegan2_ops as ops
from nada_core.generators.formats import nvidia, ours, rosinality
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config, published_channels
from tests.stylegan2_files import fill, golden_arrays, golden_state, painted, tiny


def relative(a: Tensor, b: Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max()).item()


@torch.no_grad()
def test_equal_to_rosinality():
    golden = golden_arrays("rosinality_64")
    average = fill("latent_avg", 1, 512) * 0.2
    generator = ours.build(rosinality.to_ours({"g_ema": golden_state("rosinality_64"), "latent_avg": average}, "golden.pt"), "golden.pt")
    assert (generator.num_ws, generator.img_resolution, generator.config.channels) == (10, 64, (512,) * 5)
    z, z2 = fill("z", 2, 512), fill("z2", 2, 512)
    ws = generator.mapping(z)
    mixed = torch.cat([ws[:, :3], generator.mapping(z2)[:, 3:]], 1)
    assert relative(ws[:, 0], golden["w"].reshape(2, 512)) <= 1e-5
    for name, codes in {
        "img": ws,
        "img_trunc07": generator.mapping(z, 0.7),
        "img_wplus": fill("wplus", 2, 10, 512),
        "img_mix3": mixed,
    }.items():
        assert relative(generator.synthesis(codes), golden[name]) <= 1e-4, name


@torch.no_grad()
def test_equal_to_nvidia():
    golden = golden_arrays("nvidia_64")
    generator = ours.build(nvidia.to_ours(golden_state("nvidia_64"), "golden.pkl"), "golden.pkl")
    z = fill("z", 2, 512)
    ws = generator.mapping(z)
    assert relative(ws, golden["ws"]) <= 1e-5
    assert relative(generator.synthesis(ws), golden["img"]) <= 1e-4
    assert relative(generator.synthesis(generator.mapping(z, truncation_psi=0.7)), golden["img_trunc07"]) <= 1e-4
    assert relative(generator.synthesis(ws, noise_mode="none"), golden["img_none"]) <= 1e-4
    assert relative(generator.synthesis(ws, noise_mode="none"), golden["img"]) > 1e-2  # the tolerance tells them apart


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
    torch.testing.assert_close(ops.downsample2(x), naive_upfirdn(x, fir, 1, 2, (1, 1)))
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


def test_gradients_of_the_whole_synthesis():
    """Against finite differences in double, for the latents and for every kind of parameter."""
    generator = tiny(channels=(3, 2, 2), z_dim=4, w_dim=3).double()
    ws = torch.randn(1, generator.num_ws, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(generator.synthesis, ws)
    names = generator.adaptable()
    values = [generator.get_parameter(name).detach().clone().requires_grad_() for name in names]

    def picture(*parameters):
        weights = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(generator, weights, (z,))[:, :, ::3, ::3]

    z = torch.randn(1, 4, dtype=torch.double)
    assert torch.autograd.gradcheck(picture, values)


@pytest.mark.parametrize("arranged", [False, True])
def test_whole_step_equals_the_grouped_network(arranged):
    generator = tiny().double().requires_grad_(True)
    same = copy.deepcopy(generator).laid_out_for_cpu() if arranged else generator
    ws = torch.randn(2, generator.num_ws, 16, dtype=torch.double)
    mine, theirs = same.synthesis(ws), grouped_synthesis(generator, ws)
    torch.testing.assert_close(mine, theirs)
    gradients = []
    for network, pictures in ((same, mine), (generator, theirs)):
        gradients.append(torch.autograd.grad(pictures.square().mean(), [network.get_parameter(name) for name in network.adaptable()]))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("resolution", [8, 64, 256, 1024])
def test_slots_and_names_for_every_size(resolution):
    with torch.device("meta"):
        generator = StyleGAN2(StyleGAN2Config(published_channels(resolution)))
    levels = resolution.bit_length() - 1
    assert generator.num_ws == len(generator.layer_names) == 2 * levels - 2
    assert generator.img_resolution == resolution and generator.resolutions == ((256, 1024) if resolution == 1024 else (resolution,))
    modules = dict(generator.named_modules())
    assert all(name in modules for name in generator.layer_names)
    assert generator.layer_names[0] == "blocks.b4.conv1" and generator.layer_names[-1] == f"blocks.b{resolution}.torgb"


def test_published_channels():
    assert published_channels(1024) == (512, 512, 512, 512, 512, 256, 128, 64, 32)
    assert published_channels(256, 1) == (512, 512, 512, 512, 256, 128, 64)


@torch.no_grad()
def test_every_slot_drives_its_own_layers():
    """Slot j changes the layer it is named after, and nothing before it."""
    generator = tiny()
    ws = torch.randn(1, generator.num_ws, 16)
    seen: dict[str, Tensor] = {}
    hooks = [
        generator.get_submodule(n).register_forward_hook(lambda m, i, out, n=n: seen.update({n: out.clone()}))
        for n in generator.layer_names
    ]
    generator.synthesis(ws)
    before = dict(seen)
    for slot, name in enumerate(generator.layer_names):
        other = ws.clone()
        other[:, slot] += 1
        generator.synthesis(other)
        changed = [n for n in generator.layer_names if not torch.equal(seen[n], before[n])]
        assert changed == list(generator.layer_names[slot:]), name
    for hook in hooks:
        hook.remove()


@torch.no_grad()
def test_noise_modes():
    generator = tiny()
    ws = torch.randn(1, generator.num_ws, 16)
    images = {mode: generator.synthesis(ws, mode) for mode in ("const", "random", "none")}
    assert torch.equal(images["const"], generator.synthesis(ws))
    assert not torch.equal(images["random"], generator.synthesis(ws, noise_mode="random"))
    spread = [relative(images[a], images[b]) for a, b in (("const", "none"), ("random", "none"), ("const", "random"))]
    assert min(spread) > 1e-3
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.zero_()
    torch.testing.assert_close(generator.synthesis(ws, "random"), images["none"])


def test_wrong_arguments_are_named():
    generator = tiny()
    ws = generator.mapping(generator.sample_z([0]))
    for call, message in [
        (lambda: generator.synthesis(ws[:, 1:]), r"expected \[N, 10, 16\]"),
        (lambda: generator.synthesis(ws, noise_mode="loud"), "expected 'const', 'random' or 'none'"),
        (lambda: generator.synthesis(ws, resolution=256), "renders at 64 only"),
        (lambda: generator.mapping(torch.zeros(1, 15)), r"expected \[N, 16\]"),
        (lambda: generator.adaptable("hair"), "expected 'all'"),
        (lambda: StyleGAN2(StyleGAN2Config((4,))), "too small"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


@torch.no_grad()
def test_truncation_and_the_estimated_mean():
    generator = tiny()
    z = generator.sample_z([5, 6])
    torch.testing.assert_close(generator.mapping(z, 0.5), (generator.mapping(z) + generator.w_avg) / 2)
    torch.testing.assert_close(generator.mapping(z, 0), generator.w_avg.expand(2, 10, 16))
    mean = generator.estimate_w_avg(seed=1, count=20_000)
    torch.testing.assert_close(mean, generator.mapping(torch.randn(20_000, 16))[:, 0].mean(0), atol=0.05, rtol=0)
    assert torch.equal(generator.estimate_w_avg(), generator.estimate_w_avg())


@pytest.mark.parametrize(
    ("resolution", "shape", "texture", "colour"),
    [
        (1024, (4, 8, 16, 32), (64, 128), (256, 512, 1024)),
        (256, (4, 8, 16, 32), (64, 128), (256,)),
        (128, (4, 8, 16), (32, 64), (128,)),
        (64, (4, 8), (16, 32), (64,)),
    ],
)
def test_layer_groups(resolution, shape, texture, colour):
    with torch.device("meta"):
        generator = StyleGAN2(StyleGAN2Config((4,) * (resolution.bit_length() - 2)))
    everything = generator.adaptable()
    assert not any(name.startswith("mapping") for name in everything)
    assert len(everything) == sum(1 for n, _ in generator.named_parameters() if n.startswith("blocks."))
    found = {group: generator.adaptable(group) for group in ("shape", "texture", "colour")}
    assert sorted(name for group in found.values() for name in group) == sorted(everything)
    for group, sides in (("shape", shape), ("texture", texture), ("colour", colour)):
        assert {int(name.split(".")[1][1:]) for name in found[group]} == set(sides)


def test_content_hash_is_of_the_weights():
    generator, same, other = tiny(), tiny(), tiny(seed=1)
    same.w_avg.zero_()  # estimated where a file lacks it
    assert generator.content_hash() == same.content_hash() != other.content_hash()
    same.blocks["b64"].conv1.noise_strength += 1e-3
    assert generator.content_hash() != same.content_hash()


@torch.no_grad()
def test_clamp_limits_activations():
    limited = tiny(conv_clamp=0.25)
    ws = torch.randn(1, limited.num_ws, 16)
    highest = []
    for name in limited.layer_names:
        limited.get_submodule(name).register_forward_hook(lambda m, i, out: highest.append(out.abs().max().item()))
    picture = limited.synthesis(ws)
    assert max(highest) <= 0.25 and len(highest) == limited.num_ws
    assert relative(picture, tiny().synthesis(ws)) > 0.1


def test_bfloat16_autocast_stays_near_float32():
    generator = tiny(channels=(32, 32, 32, 32, 16)).requires_grad_(True)
    generator.mapping_layers.requires_grad_(False)
    ws = generator.mapping(generator.sample_z([0, 1]))
    exact = generator.synthesis(ws)
    wide_styles = []
    hook = generator.blocks["b64"].conv1.affine.register_forward_hook(lambda m, i, out: wide_styles.append(out.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(generator.mapping(generator.sample_z([0, 1])), ws)
        demodulated = ops.demodulation(generator.blocks["b8"].conv0.weight, torch.ones(1, 32))
        half = generator.synthesis(ws)
    hook.remove()
    assert demodulated.dtype == half.dtype == torch.float32 and set(wide_styles) == {torch.float32}
    assert ((half - exact).square().mean() / exact.square().mean()).sqrt() < 0.02
    parameters = [generator.get_parameter(n) for n in generator.adaptable()]
    wanted = torch.cat([g.flatten() for g in torch.autograd.grad(exact.square().mean(), parameters)])
    found = torch.cat([g.flatten() for g in torch.autograd.grad(half.square().mean(), parameters)])
    assert F.cosine_similarity(wanted, found, dim=0) > 0.995


@torch.no_grad()
def test_styles_work_on_this_family():
    base = tiny()
    style = painted(base)
    ws = base.mapping(base.sample_z([1]))
    copied = apply_style(copy.deepcopy(base), base, style)
    assert all(torch.equal(copied.get_parameter(n), v) for n, v in style.tensors.items())
    assert relative(copied.synthesis(ws), base.synthesis(ws)) > 0.01
    assert torch.equal(apply_style(copied, base, None).synthesis(ws), base.synthesis(ws))
    assert resolved_weights(compact_style(style, base), base).keys() == style.tensors.keys()


def test_without_a_compiler_the_plain_path_remains(monkeypatch):
    """One line of explanation, no exception; asked again, no second attempt."""
    attempts = []

    def fail(*args, **kwargs):
        attempts.append(1)
        raise RuntimeError("no compiler\nand a long log")

    # in its place, not in it: importing the real one fails where an older setuptools meets a loaded distutils
    stub = types.ModuleType("torch.utils.cpp_extension")
    stub.load_inline = fail
    monkeypatch.setitem(sys.modules, stub.__name__, stub)
    stylegan2_cuda.compiled_kernels.cache_clear()
    with pytest.warns(RuntimeWarning, match="plain PyTorch") as caught:
        assert stylegan2_cuda.compiled_kernels() is None
    (line,) = [str(warning.message) for warning in caught if "plain PyTorch" in str(warning.message)]
    assert "\n" not in line and "no compiler" in line
    assert stylegan2_cuda.compiled_kernels() is None and len(attempts) == 1
    x = torch.randn(1, 2, 3, 3)
    assert stylegan2_cuda.fused_bias_act(x, torch.zeros(2), torch.ones(1, 2), None, None) is None
    stylegan2_cuda.compiled_kernels.cache_clear()


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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_whole_network_on_cuda():
    generator = tiny()
    ws = torch.randn(2, generator.num_ws, 16)
    expected = generator.synthesis(ws)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        assert relative(copy.deepcopy(generator).cuda().synthesis(ws.cuda()).cpu(), expected) <= 1e-4
