"""Read styles that others published as whole networks: files of a StyleGAN2 that was adapted from a base.

StyleGAN-NADA (https://github.com/rinongal/StyleGAN-nada) saves rosinality's ``{g_ema, g_optim}``, JoJoGAN ``{g}``; the same names in
safetensors, NVIDIA's ``.pkl`` and this project's own generator files are read as well: all that :func:`load_generator` reads. Such a file
does not name its base, so its shapes are compared, and its mapping network: the methods leave that as it was.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from nada_core.assets.checksums import sha256_of
from nada_core.errors import GeneratorError, StyleError, shown
from nada_core.generators.base import Generator
from nada_core.generators.formats.ours import FORMAT
from nada_core.generators.load import load_generator, names_stylegan2
from nada_core.generators.stylegan2 import StyleGAN2
from nada_core.styles.files import Style, StyleCard
from nada_core.system.containers import held_bytes, is_torch_file, read_start, safetensors_header
from nada_core.system.files import slug

__all__ = ["MAX_PUBLISHED_BYTES", "NETWORK_SUFFIXES", "PUBLISHED_SUFFIXES", "is_published", "read_published"]

PUBLISHED_SUFFIXES = (".pt", ".pth")
#: Of files on this machine; on the Hub, a ``.pkl`` beside a style is its base.
NETWORK_SUFFIXES = (*PUBLISHED_SUFFIXES, ".pkl")
MAX_PUBLISHED_BYTES = 2 << 30  # a StyleGAN2 of 1024 px has 130 MB; its discriminator and optimiser may lie beside it
#: Least cosine between two mapping networks of one origin. Those of one base give 1, those of two trainings about 0.
_SAME_MAPPING = 0.5


def is_published(path: Path) -> bool:
    """Tell whether a file is of torch, a pickle, or safetensors with the names of a StyleGAN2; one that cannot be read is none of them."""
    try:
        start = read_start(path)
        if start[8:9] == b"{":
            names, metadata = safetensors_header(path, "damaged")
            return metadata.get("format", FORMAT) == FORMAT and names_stylegan2(names)  # a style has a format of its own
        return start[:1] == b"\x80" or is_torch_file(path)
    except GeneratorError:
        return False


def read_published(path: Path, base: Generator, base_hash: str | None = None) -> Style:
    """Return the style that turns ``base`` into the file's network: values of every parameter an adaptation can train that differ.

    Nothing in the file is run. Its noise and its mapping network are left aside: a style is worn by latents of the base. The card's
    prompt is the file's name, since such files hold no text; ``options`` keep that name and the file's SHA-256.

    Args:
        base_hash: saves hashing a base whose hash is known.

    Raises:
        StyleError: too large, damaged, no such network, of other sizes than the base, of another origin, or the base itself.
    """
    name = shown(path.name, 60)
    if not isinstance(base, StyleGAN2):
        raise StyleError(
            f"'{name}' is a whole StyleGAN2; the loaded generator is {base.family}. Name the StyleGAN2 it was adapted from: --base FILE."
        )
    _check_size(path)
    try:
        network = load_generator(path)
    except GeneratorError as error:
        raise StyleError(str(error)) from error
    if not isinstance(network, StyleGAN2):
        raise StyleError(f"'{name}' is a {network.family} network; published styles are StyleGAN2 networks.")
    _check_sizes(network, base, name)
    _check_origin(network, base, name)
    wanted, own = set(base.adaptable()), dict(network.named_parameters())
    tensors = {
        key: own[key].detach().clone()
        for key, value in base.named_parameters()
        if key in wanted and not _same(own[key].detach(), value.detach().cpu())
    }
    if not tensors:
        raise StyleError(f"'{name}' is the base itself: none of its layers was adapted. Choose another file.")
    card = StyleCard(
        name=slug(path.stem),
        prompt=" ".join(re.sub(r"[_-]+", " ", path.stem).split())[:200] or "imported",
        base=base.family,
        base_hash=base_hash or base.content_hash(),
        options={"origin": "published network", "file": path.name[:200], "sha256": sha256_of(path)},
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    return Style(card, tensors)


def _same(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors differ in nothing but that one of them was once kept in half the bits: rounding is no adaptation."""
    if torch.equal(one, other):
        return True
    for kept, whole in ((one, other), (other, one)):
        if any(torch.equal(kept, whole.to(short).to(whole)) for short in (torch.float16, torch.bfloat16)):
            return True
    return False


def _check_size(path: Path) -> None:
    """Refuse a file that is too large before anything is unpacked: torch would also read a compressed archive, of any size."""
    size = held_bytes(path, StyleError)
    if size > MAX_PUBLISHED_BYTES:
        raise StyleError(
            f"'{shown(path.name, 60)}' has {size / 2**30:.1f} GB; a published style has at most {MAX_PUBLISHED_BYTES >> 30} GB. "
            "Save its generator (g_ema or G_ema) alone and take that file."
        )


def _check_sizes(network: StyleGAN2, base: StyleGAN2, name: str) -> None:
    theirs, ours = network.img_resolution, base.img_resolution
    if theirs != ours:
        raise StyleError(f"'{name}' is a StyleGAN2 of {theirs} px; the loaded one has {ours} px. Name the one it was adapted from: --base.")
    shapes, expected = ({key: list(p.shape) for key, p in part.named_parameters()} for part in (network, base))
    for key in sorted(shapes.keys() | expected.keys()):
        if shapes.get(key) != expected.get(key):
            raise StyleError(
                f"'{key}' has shape {shapes.get(key, 'none')} in '{name}', {expected.get(key, 'none')} in the loaded StyleGAN2. "
                "Name the one it was adapted from: --base."
            )


def _check_origin(network: StyleGAN2, base: StyleGAN2, name: str) -> None:
    def mapping(generator: StyleGAN2) -> Tensor:
        weights = [p.detach().flatten().cpu() for key, p in generator.named_parameters() if key.startswith("mapping_layers.")]
        return torch.cat(weights)

    likeness = F.cosine_similarity(mapping(network), mapping(base), dim=0).item()
    if likeness < _SAME_MAPPING:
        raise StyleError(
            f"'{name}' has the sizes of the loaded StyleGAN2, but was not adapted from it: their mapping networks differ "
            f"(cosine {likeness:.2f}; 1 is the same). Name the one it was adapted from: --base."
        )
