"""Encoders of the full world: parity with the reference, ReStyle's loop, what photos they take."""

from __future__ import annotations

import zlib
from argparse import Namespace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.errors import GeneratorError
from nada_core.inversion import InversionStage, PhotoEncoder, load_inverter
from nada_core.inversion.e4e import E4E
from nada_core.inversion.style_heads import offsets_from_first
from tests.helpers.encoder_files import KINDS, NUM_WS, W_DIM, filled, flat, published
from tests.helpers.stylegan2_files import fill, golden_arrays, relative, tiny, write

pytestmark = pytest.mark.heavy


def picture(name: str, channels: int = 3, count: int = 1) -> Tensor:
    rng = torch.Generator().manual_seed(int.from_bytes(name.encode(), "big") % 2**31)
    return 2 * torch.rand(count, channels, 256, 256, generator=rng) - 1


@pytest.fixture(scope="module")
def generator():
    return tiny()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Files of both kinds for the 64 px generator, removed afterwards."""
    folder = tmp_path_factory.mktemp("encoders")
    yield {kind: write(folder / f"{kind}.pt", published(kind, filled(kind, NUM_WS, W_DIM))) for kind in KINDS}
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def e4e(small) -> PhotoEncoder:
    return load_inverter("e4e", weights=small["e4e"])


@pytest.fixture(scope="module")
def restyle(small) -> PhotoEncoder:
    return load_inverter("restyle-e4e", weights=small["restyle-e4e"])


# parity, first in the file: the largest networks are gone before others are made
@pytest.mark.parametrize(("kind", "seed"), [("e4e", "photo"), ("restyle-e4e", "photo6")])
def test_equal_to_the_reference(tmp_path, kind, seed):
    average = 0.2 * fill("latent_avg", 18, 512)
    path = write(tmp_path / "x.pt", published(kind, filled(kind), latent_avg=average))
    try:
        inverter = load_inverter(kind, weights=path)
    finally:
        path.unlink()
    assert (inverter.num_ws, inverter.w_dim) == (18, 512)
    channels = 3 if kind == "e4e" else 6
    photo = 2 * torch.rand(1, channels, 256, 256, generator=torch.Generator().manual_seed(zlib.crc32(seed.encode()))) - 1
    golden = golden_arrays(KINDS[kind][0])["codes"]
    codes = inverter.encode(photo)
    assert codes.shape == (1, 18, 512)
    error = relative(codes, golden)
    print(f"{kind}: relative error {error:.1e}")
    assert error <= 1e-4
    assert relative(inverter.encode(photo.flip(3)), golden) > 1e-2  # the tolerance tells pictures apart
    if kind == "e4e":
        ws = inverter(photo, tiny(channels=(2,) * 9, w_dim=512, z_dim=512), "float32")
        assert relative(ws, golden + average) <= 1e-4


@torch.no_grad()
def test_e4e_adds_the_average_where_its_options_say_so(monkeypatch, tmp_path, generator, e4e):
    photo = picture("face")
    codes, average = e4e.encode(photo), 0.2 * fill("latent_avg", NUM_WS, W_DIM)
    assert torch.equal(e4e(photo, generator, "float32"), codes + average)
    monkeypatch.setattr(E4E, "encode", lambda self, images: codes)  # below, the files differ in what is beside the weights
    state, row = flat("e4e"), average[:1]
    for content, expected in (
        (published("e4e", state), codes + average),
        (published("e4e", state, latent_avg=average[None]), codes + average),
        (published("e4e", state, opts={"start_from_latent_avg": False}), codes),
        (published("e4e", state, opts=Namespace(start_from_latent_avg=True), latent_avg=row[0]), codes + row),
        (published("e4e", state, opts={}, latent_avg=row.half()), codes + row.half().float()),
        (published("e4e", state, latent_avg=None), codes + generator.w_avg),
        (state, codes + generator.w_avg),
    ):
        inverter = load_inverter("e4e", weights=write(tmp_path / "x.pt", content))
        assert torch.equal(inverter(photo, generator, "float32"), expected)


def test_e4e_gives_one_stage_with_its_picture(generator, e4e):
    photos = picture("two", count=2)
    (stage,) = e4e.stages(photos, generator, "float32")
    assert isinstance(stage, InversionStage) and stage.fraction == 1 and stage.name == "encoding"
    assert stage.inversion.ws.shape == (2, NUM_WS, W_DIM) and stage.image.shape == (2, 3, 256, 256)
    rendered = generator.synthesis(stage.inversion.ws)
    torch.testing.assert_close(stage.image, F.adaptive_avg_pool2d(rendered, 256))
    for i in (0, 1):  # a photo's codes do not depend on what stands beside it
        torch.testing.assert_close(e4e(photos[i : i + 1], generator, "float32")[0], stage.inversion.ws[i], rtol=1e-4, atol=1e-4)


def test_photos_of_other_sizes_are_resized(generator, e4e):
    photo = F.interpolate(picture("large"), scale_factor=2)
    small_photo = F.interpolate(photo, size=(256, 256), mode="bilinear", antialias=True)
    torch.testing.assert_close(e4e(photo, generator, "float32"), e4e(small_photo, generator, "float32"))


def test_first_latent_and_differences():
    latents = torch.arange(6.0).reshape(1, 3, 2)
    assert offsets_from_first(latents).tolist() == [[[0, 1], [2, 4], [4, 6]]]


@torch.no_grad()
def test_restyle_corrects_its_own_reconstruction(monkeypatch, generator, restyle):
    photo = picture("person")
    stages = list(restyle.stages(photo, generator, "float32"))
    assert [round(s.fraction, 2) for s in stages] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert [s.name for s in stages] == [f"encoding, look {i} of 5" for i in range(1, 6)]
    ws = (0.2 * fill("latent_avg", NUM_WS, W_DIM))[None]
    for stage in stages:
        shown = F.adaptive_avg_pool2d(generator.synthesis(ws), 256)
        ws = ws + restyle.encode(torch.cat([photo, shown], 1))
        assert relative(stage.inversion.ws, ws) <= 1e-4
        assert relative(stage.image, F.adaptive_avg_pool2d(generator.synthesis(ws), 256)) <= 1e-3
        ws = stage.inversion.ws
    assert ws.shape == (1, NUM_WS, W_DIM) and stages[-1].image.shape == (1, 3, 256, 256)
    assert all(relative(a.inversion.ws, b.inversion.ws) > 1e-3 for a, b in pairwise(stages))
    monkeypatch.setattr(restyle, "steps", 2)  # and again, in a batch
    both = restyle(torch.cat([photo, picture("other")]), generator, "float32")
    # a batch is summed up in another order, and two looks of a random network magnify the rounding
    assert both.shape == (2, NUM_WS, W_DIM) and relative(both[:1], stages[1].inversion.ws) <= 1e-3 < relative(both[1:], both[:1])


@torch.no_grad()
@pytest.mark.parametrize("content", ["no-average", "not-from-average"])
def test_restyle_always_starts_from_an_average(tmp_path, small, generator, restyle, content):
    """As in its authors' code, whatever ``start_from_latent_avg`` says; a file without an average takes the generator's."""
    data = torch.load(small["restyle-e4e"], weights_only=False)
    if content == "no-average":
        del data["latent_avg"]
        start = generator.w_avg.expand(1, NUM_WS, -1)
    else:
        data["opts"].start_from_latent_avg = False
        start = data["latent_avg"][None]
    inverter = load_inverter("restyle-e4e", weights=write(tmp_path / "x.pt", data))
    (tmp_path / "x.pt").unlink()
    first = next(iter(inverter.stages(picture("person"), generator, "float32")))
    shown = F.adaptive_avg_pool2d(generator.synthesis(start), 256)
    expected = start + restyle.encode(torch.cat([picture("person"), shown], 1))
    assert relative(first.inversion.ws, expected) <= 1e-4


def test_encoders_are_frozen_and_leave_the_caller_alone(generator, e4e, restyle):
    photo = picture("face").requires_grad_()
    for inverter in (e4e, restyle):
        assert not inverter.training and not any(p.requires_grad for p in inverter.parameters())
        stages = inverter.stages(photo, generator, "float32")
        stage = next(stages)
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        assert not stage.inversion.ws.requires_grad and not stage.image.requires_grad
        stages.close()
    assert all(m.running_var.dtype == torch.float32 for m in e4e.modules() if isinstance(m, torch.nn.BatchNorm2d))


@pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="bfloat16 is only emulated on this processor: minutes, and never chosen here"
)
def test_bfloat16_is_close(generator, e4e):
    exact, fast = (e4e(picture("face"), generator, precision) for precision in ("float32", "bfloat16"))
    assert fast.dtype == torch.float32 and 0 < relative(fast, exact) < 0.05


def test_wrong_photos_and_latents_are_named(generator, e4e):
    for shape in ((3, 256, 256), (1, 1, 256, 256), (1, 6, 256, 256), (0, 3, 256, 256)):
        with pytest.raises(ValueError, match="expected \\[N, 3, H, W\\]"):
            e4e(torch.zeros(shape), generator)
    with pytest.raises(GeneratorError, match="10 latents of 16 numbers"):
        e4e(torch.zeros(1, 3, 256, 256), tiny(w_dim=8))
