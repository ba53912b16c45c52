"""Make adaptations that take milliseconds a step: random generators of both families with sane pictures, and a stand-in encoder."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.adaptation.loop import AdaptationStep
from nada_core.adaptation.options import AdaptOptions
from nada_core.generators.base import Generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from tests.helpers.made_once import made_once
from tests.helpers.stylegan2_files import tiny

#: For both families; the fake ones have one resolution.
QUICK = {"steps": 6, "preview_seeds": (3, 11), "preview_seconds": 0.0, "precision": "float32"}

#: The published code's names, in its order.
CONVS = [f"blocks.b{8 << i}.conv{j}" for i in range(8) for j in (0, 1)]
FIRST = ["blocks.b4.const", "blocks.b4.conv1"]


class StandInEncoder(nn.Module):
    """Satisfies ``ImageTextEncoder``: pictures are seen at 8 x 8 through a random layer, texts are random unit vectors, one a text."""

    def __init__(self, name: str = "stand-in", dim: int = 12) -> None:
        super().__init__()
        self.name, self.embedding_dim = name, dim
        rng = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        self.register_buffer("matrix", torch.randn(3 * 8 * 8, dim, generator=rng) / 14)

    def encode_image(self, images: Tensor) -> Tensor:
        small = F.interpolate(images, size=(8, 8), mode="bilinear", antialias=True)
        return F.normalize(torch.tanh(small.flatten(1) @ self.matrix) + 0.1, dim=-1)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        rows = [torch.randn(self.embedding_dim, generator=torch.Generator().manual_seed(zlib.crc32(text.encode()))) for text in texts]
        return F.normalize(torch.stack(rows), dim=-1)


class ReadingEncoder(StandInEncoder):
    """One that reads sentences, so that it has the patch loss."""

    templates = ("a photo of a {}.", "a drawing of a {}.")


@made_once
@torch.no_grad()
def small_mobile(seed: int = 0, blocks: int = 2, *, small_head: bool = False) -> MobileStyleGAN:
    """32 px with two blocks; with seven and the head, 256 and 1024 px."""
    torch.manual_seed(seed)
    generator = MobileStyleGAN((16,) * blocks, z_dim=16, w_dim=16, mapping_layers=2, small_head=small_head)
    for name, parameter in generator.named_parameters():
        # the published weights have their demodulation folded in; random ones need it to keep the pictures' size
        if name.endswith("modulation.bias"):
            parameter.fill_(12.0)
        elif name.endswith(("up.bias", "tone.bias")):
            parameter.fill_(1.0)
        elif name.endswith("weight") and parameter.ndim == 4:
            parameter.div_(parameter[0].numel() ** 0.5)
        elif name.endswith("depthwise"):
            parameter.div_(3)
    with_ws = generator.mapping(generator.sample_z(range(8)))
    size = generator.synthesis(with_ws).abs().mean()
    generator.to_img.weight.mul_(0.4 / size)
    generator.to_img.bias.zero_()
    return generator.eval().requires_grad_(False)


@made_once
@torch.no_grad()
def small_stylegan2(seed: int = 0) -> Generator:
    """64 px."""
    generator = tiny(seed)
    size = generator.synthesis(generator.mapping(generator.sample_z(range(8)))).abs().mean()
    for block in generator.blocks.values():
        block.torgb.weight.mul_(0.4 / size)
        block.torgb.bias.mul_(0.4 / size)
    return generator


SMALL = {"mobile_stylegan": small_mobile, "stylegan2": small_stylegan2}


def small_options(base: Generator, **changes: object) -> AdaptOptions:
    return AdaptOptions(**{**QUICK, "resolution": base.img_resolution, **changes})


def last_of(steps: Iterable[AdaptationStep]) -> AdaptationStep:
    step = None
    for step in steps:  # noqa: B007 (the last one is wanted)
        pass
    assert step is not None
    return step


def owners(names) -> set[str]:
    """The layers that parameters belong to."""
    return {name.removesuffix(".weight").removesuffix(".bias").removesuffix(".noise_strength").removesuffix(".affine") for name in names}


def facts(step: AdaptationStep) -> tuple:
    """What a step says, its pictures left out."""
    return (step.index, step.steps, step.loss, step.similarity, step.lr, step.note, step.layers)


def same_tensors(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def run_until(index: int, steps: Iterable[AdaptationStep]) -> AdaptationStep:
    return next(step for step in steps if step.index == index)
