"""MobileStyleGAN: parity with OpenVINO, W+, the 256 px path, loading, and a small random-weights round trip."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from nada_core.errors import GeneratorError
from nada_core.generators.load import load_generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN, inverse_haar
from nada_core.generators.rendering import match_low_band, render
from tests.helpers.folders import DATA


@pytest.fixture(scope="module")
def golden():
    return np.load(DATA / "mobile_stylegan_openvino.npz")


def small_generator() -> MobileStyleGAN:
    torch.manual_seed(0)
    generator = MobileStyleGAN((32, 32, 16), z_dim=16, w_dim=16, mapping_layers=2, small_head=False)
    return generator.eval().requires_grad_(False)


def test_equal_to_openvino(generator, golden):
    """Each network on OpenVINO's own input.

    The float32 rounding of the eight mapping layers (4e-6 in w) is amplified to 2e-4 by the synthesis.
    """
    with torch.no_grad():
        ws = generator.mapping(torch.from_numpy(golden["z"]))
        image = generator.synthesis(torch.from_numpy(golden["w"])[:, None].expand(-1, 23, -1)).numpy()
    assert ws.shape == (1, 23, 512)
    np.testing.assert_allclose(ws[:, 0].numpy(), golden["w"], atol=1e-5)
    np.testing.assert_allclose(image[:, :, ::8, ::8], golden["strided"], atol=1e-4)
    np.testing.assert_allclose(image[:, :, 480:544, 480:544], golden["patch"], atol=1e-4)


def test_small_path_matches_downsampled_full_size(generator):
    """Latents that no training saw: the seeds of ``sample_z`` are a different stream."""
    with torch.no_grad():
        ws = generator.mapping(generator.sample_z([9001, 9002, 9003]), 0.7)
        full = torch.cat([F.interpolate(generator.synthesis(row[None]), size=256, mode="area") for row in ws])
        difference = generator.synthesis(ws, resolution=256) - full
    assert difference.pow(2).mean().sqrt() <= 0.075
    assert F.avg_pool2d(difference, 8).pow(2).mean().sqrt() <= 0.04


def test_every_slot_of_ws_matters(generator):
    with torch.no_grad():
        ws = generator.mapping(generator.sample_z([1]), 0.7).clone()
        other = generator.mapping(generator.sample_z([2]), 0.7)
        before = generator.synthesis(ws)
        for slot, name in enumerate(generator.layer_names):
            if slot % 5 and slot != generator.num_ws - 1:
                continue
            mixed = ws.clone()
            mixed[:, slot] = other[:, slot]
            assert (generator.synthesis(mixed) - before).abs().max() > 1e-3, name


def test_truncation_pulls_towards_the_mean(generator):
    z = generator.sample_z([5])
    full, half = generator.mapping(z), generator.mapping(z, 0.5)
    torch.testing.assert_close(half, (full + generator.w_avg) / 2)


def test_same_seed_same_face_whatever_stands_beside_it(generator):
    torch.testing.assert_close(generator.sample_z([4, 7])[1], generator.sample_z([7])[0])


def test_wrong_ws_and_resolution_are_named(generator):
    with pytest.raises(ValueError, match=r"expected \[N, 23, 512\]"):
        generator.synthesis(torch.zeros(1, 18, 512))
    with pytest.raises(ValueError, match="renders at"):
        generator.synthesis(generator.mapping(generator.sample_z([0])), resolution=512)


def test_inverse_haar_is_orthogonal():
    x = torch.randn(2, 8, 4, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(inverse_haar, x)
    assert inverse_haar(x).pow(2).sum().item() == pytest.approx(x.pow(2).sum().item())


def test_random_weights_round_trip(tmp_path):
    generator = small_generator()
    save_file({name: value.contiguous() for name, value in generator.state_dict().items()}, tmp_path / "small.safetensors")
    with pytest.raises(GeneratorError, match="does not fit"):  # z of another size than the published family
        load_generator(tmp_path / "small.safetensors")
    again = small_generator()
    again.load_state_dict(generator.state_dict())
    assert again.content_hash() == generator.content_hash()
    z = torch.randn(2, 16)
    torch.testing.assert_close(again(z), generator(z), rtol=0, atol=0)
    again.const.data += 1
    assert again.content_hash() != generator.content_hash()


def test_noise_modes_differ_and_random_noise_keeps_its_strength():
    generator = small_generator()
    generator.blocks[1].conv1.noise.normal_()
    ws = generator.mapping(torch.randn(1, 16))
    const, none, random = (generator.synthesis(ws, mode) for mode in ("const", "none", "random"))
    assert not torch.equal(const, none) and not torch.equal(const, random)


@pytest.mark.parametrize(("content", "message"), [(b"hello", "not a safetensors file"), (None, "no generator file")])
def test_foreign_generator_files_are_refused(tmp_path, content, message):
    path = tmp_path / "thing.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GeneratorError, match=message):
        load_generator(path)


def test_layer_groups_cover_what_is_trained(generator):
    names = generator.adaptable()
    groups = [set(generator.adaptable(g)) for g in ("shape", "texture", "colour")]
    assert set(names) == set.union(*groups)
    assert sum(map(len, groups)) == len(names)
    assert not any(n.startswith(("mapping_layers", "small_head")) for n in names)
    with pytest.raises(ValueError, match="expected 'all'"):
        generator.adaptable("hair")


def test_full_size_render_has_the_low_band_of_the_small_one(generator):
    ws = generator.mapping(generator.sample_z([12]), 0.7)
    with torch.no_grad():
        large, small = render(generator, ws), generator.synthesis(ws, resolution=256)
    assert (F.interpolate(large, size=256, mode="area") - small).pow(2).mean().sqrt() < 0.02


def test_match_low_band_keeps_detail():
    torch.manual_seed(0)
    large, small = torch.randn(1, 3, 64, 64) * 0.1, torch.randn(1, 3, 16, 16) * 0.1
    merged = match_low_band(large, small, rounds=4)
    assert (F.interpolate(merged, size=16, mode="area") - small).abs().max() < 0.02
