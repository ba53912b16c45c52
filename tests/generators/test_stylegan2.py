"""StyleGAN2: parity with both reference implementations, gradients, W+, layer groups, precision."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.stylegan2_step import grouped_synthesis
from nada_core.generators import stylegan2_ops as ops
from nada_core.generators.formats import nvidia, ours, rosinality
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config, published_channels
from nada_core.styles.files import compact_style, resolved_weights, styled
from tests.helpers.stylegan2_files import fill, golden_arrays, golden_state, painted, relative, tiny


@pytest.mark.heavy
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


@pytest.mark.heavy
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


@pytest.mark.heavy
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
    plain, copied = base.synthesis(ws), styled(base, style)
    assert all(torch.equal(copied.get_parameter(n), v) for n, v in style.tensors.items())
    assert relative(copied.synthesis(ws), plain) > 0.01
    assert torch.equal(base.synthesis(ws), plain)
    assert resolved_weights(compact_style(style, base), base).keys() == style.tensors.keys()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_whole_network_on_cuda():
    generator = tiny()
    ws = torch.randn(2, generator.num_ws, 16)
    expected = generator.synthesis(ws)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        assert relative(copy.deepcopy(generator).cuda().synthesis(ws.cuda()).cpu(), expected) <= 1e-4
