"""Recognise networks that cannot be read here by their tensors' names, so that a foreign file is first called what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nada_core.errors import GeneratorError, shown

__all__ = ["check_kind", "kind_of"]

#: What a name of a tensor tells, and the way out where there is one. The first that fits is said.
_KINDS: tuple[tuple[str, str, str], ...] = (
    (
        r"(.+\.)?(conv\d?\.weight_dw|layers\.\d+\.up\.modulation\.(weight|bias))",
        "a checkpoint of MobileStyleGAN's own project",
        "Its network for faces is read from the published OpenVINO files: give `--base starter`",
    ),
    (r"synthesis\.(input\.|L\d+_)", "a StyleGAN3 network", ""),
    (r"synthesis\.blocks\.\d+\.|g_synthesis\.|g_mapping\.|progression\.\d+\.", "a StyleGAN1 or Progressive GAN network", ""),
    (r"(.+\.)?to_rgbs\.\d+\.(iwt|dwt)\.|(.+\.)?iwt\.ll", "a SWAGAN network, which draws wavelets,", ""),
    (r"(.+\.)?(b\d+\.fromrgb\.|final_linear\.\d|from_rgbs?\.)", "a discriminator", "Save the generator (g_ema or G_ema) instead"),
    (r"stylegan_decoder\.|condition_scale\.", "a GFPGAN network", ""),
    (r"(model\.diffusion_model|down_blocks)\.", "a diffusion model", ""),
    (r"(visual\.|text_model\.|transformer\.resblocks\.)", "a CLIP model", ""),
    (r"encoder\.(input_layer|body)\.", "an encoder of photos, as of e4e or ReStyle", ""),
)


def kind_of(names: Iterable[object]) -> tuple[str, str, str] | None:
    """Return what a file of these names is: a name that tells it, the kind, and the way out, empty where there is none."""
    texts = [name for name in names if isinstance(name, str)]
    for pattern, kind, way_out in _KINDS:
        if told := next((name for name in texts if re.match(pattern, name[:200])), None):
            return told, kind, way_out
    return None


def check_kind(names: Iterable[object], file: str, expected: str) -> None:
    """Refuse a network of another kind by its name.

    Args:
        expected: what the file should have been.

    Raises:
        GeneratorError: the kind is known, and not what is read here.
    """
    if found := kind_of(names):
        told, kind, way_out = found
        raise GeneratorError(f"'{file}' is {kind} (it has '{shown(told)}'); expected {expected}.{f' {way_out}.' if way_out else ''}")
