"""Begin an adaptation near its text: at a blend of ready styles whose changes add up to about what the text asks for.

A style is a direction in weight space, and what it does to a picture is, roughly, a direction in the encoder's space. The direction of a
new text is written as a sum of the ready styles' directions, no share negative (Lawson and Hanson 1974), and the same sum of their changes
of the weights is where training begins. Blends of fine-tuned networks: Wortsman et al. 2022, arXiv:2203.05482.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from nada_core.adaptation.resume import encoder_hash
from nada_core.assets.shipped import CHECKPOINTS
from nada_core.encoders.base import ImageTextEncoder, ReadsLooks
from nada_core.errors import GeneratorError, OptionsError, PromptError, shown
from nada_core.generators.base import Generator
from nada_core.looks.look import Look
from nada_core.styles.files import Style
from nada_core.styles.mixing import Delta, style_delta, sum_deltas

__all__ = [
    "EFFECTS",
    "MOST",
    "StyleEffects",
    "find_start",
    "parse_start",
    "shares_of",
    "start_changes",
    "start_text",
    "start_words",
    "style_effects",
]

EFFECTS = CHECKPOINTS / "style-effects.safetensors"
#: Styles that a start is made of at most, and the least share of one.
MOST, LEAST = 6, 0.05
_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class StyleEffects:
    """Say what the ready styles do to a picture.

    Attributes:
        base_hash, encoder_hash: the generator and the encoder that this was measured with.
        prompts: what the styles were made from, by their names.
        directions: ``[N, D]``, the mean change of the embeddings of a few faces, a row a style.
        weights: SHA-256 of each style's tensors.
    """

    base_hash: str
    encoder_hash: str
    prompts: dict[str, str]
    directions: Tensor
    weights: dict[str, str]


@functools.cache
def style_effects(path: Path = EFFECTS) -> StyleEffects:
    """Read what is shipped.

    Raises:
        GeneratorError: the file is missing or damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            card = json.loads((file.metadata() or {})["card"])
            directions = file.get_tensor("directions").float()
        return StyleEffects(card["base_hash"], card["encoder_hash"], card["prompts"], directions, card["weights"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise GeneratorError(
            f"checkpoints/{path.name} is missing or damaged: it is part of the repository. Restore it with `git checkout checkpoints`."
        ) from error


@torch.no_grad()
def find_start(encoder: ImageTextEncoder, prompt: str, source: str, base_hash: str) -> list[tuple[str, float]]:
    """Return ready styles to begin with, and their shares, the largest first; none where none are known or none would help.

    A style that was made from the same look is left out: it is there already, and who adapts to its words wants to see it come about.
    A style that is a shape alone, as a smile is, has the share that the words ask for: beside paint the encoder hardly sees it.
    """
    assert isinstance(encoder, ReadsLooks)
    effects = style_effects()
    if effects.base_hash != base_hash or effects.encoder_hash != encoder_hash(encoder):
        return []
    look = encoder.look(prompt)
    looks = {name: _look(encoder, text) for name, text in effects.prompts.items()}
    directions = {name: row for name, row in zip(effects.prompts, effects.directions, strict=True) if looks[name].key != look.key}
    target = (encoder.encode_text([prompt])[0] - encoder.encode_text([source])[0]).float().cpu()
    shapes = {name: shape for name in directions if (shape := _mere_shape(looks[name])) and look.shape.get(shape[0], 0.0) * shape[1] > 0}
    for name, (part, own) in shapes.items():
        target = target - min(look.shape[part] / own, 1.0) * directions[name]
    others = [name for name in directions if _mere_shape(looks[name]) is None]
    shares = shares_of(target, torch.stack([directions[name] for name in others]))
    found = {name: share for name, share in zip(others, shares.tolist(), strict=True) if share}
    for name, (part, own) in shapes.items():
        theirs = sum(share * looks[other].shape.get(part, 0.0) for other, share in found.items())  # need not be added
        if (share := min((look.shape[part] - theirs) / own, 1.0)) >= LEAST:
            found[name] = share
    return sorted(((name, round(share, 2)) for name, share in found.items()), key=lambda part: -part[1])


def _look(encoder: ReadsLooks, prompt: str) -> Look:
    try:
        return encoder.look(prompt)
    except PromptError:  # a style of words that are read otherwise by now
        return Look()


def _mere_shape(look: Look) -> tuple[str, float] | None:
    """Return name and amount of the one shape that is all of a look; None where there is more, or nothing."""
    return next(iter(look.shape.items())) if len(look.shape) == 1 and look == Look(shape=look.shape) else None


def shares_of(target: Tensor, directions: Tensor) -> Tensor:
    """Return shares ``[N]`` from 0 to 1, few of them above 0, with which ``directions`` ``[N, D]`` add up to about ``target`` ``[D]``."""
    rows = directions.double().numpy()
    gram, wanted = rows @ rows.T, rows @ target.double().numpy()
    shares = _descend(gram, wanted, range(len(wanted)))
    largest = np.argsort(-shares)[:MOST]
    shares = _descend(gram, wanted, [number for number in largest if shares[number] >= LEAST])
    return torch.from_numpy(np.where(shares >= LEAST, shares, 0.0)).float()


def _descend(gram: np.ndarray, wanted: np.ndarray, allowed: Iterable[int]) -> np.ndarray:
    """Solve least squares with shares in [0, 1], of the allowed ones only: one coordinate at a time, over and over."""
    shares, chosen = np.zeros_like(wanted), list(allowed)
    for _ in range(_ROUNDS):
        for number in chosen:
            own = gram[number, number]
            rest = wanted[number] - gram[number] @ shares + own * shares[number]
            shares[number] = min(max(rest / max(own, 1e-12), 0.0), 1.0)
    return shares


def start_text(parts: Iterable[tuple[str, float]]) -> str:
    """Write names and shares as :func:`parse_start` reads them."""
    return ", ".join(f"{name} {share:g}" for name, share in parts)


def start_words(start: str) -> str:
    """Write what :func:`start_text` wrote for people: "joker-makeup 60%, vampire 20%"."""
    return ", ".join(f"{name} {share:.0%}" for name, share in parse_start(start))


def parse_start(text: str) -> list[tuple[str, float]]:
    """Read "joker-makeup 0.60, vampire 0.20" as names and shares.

    Raises:
        OptionsError: it is written otherwise, or a share is out of range.
    """
    parts = []
    for piece in filter(None, map(str.strip, text.split(","))):
        name, _, share = piece.rpartition(" ")
        try:
            value = float(share)
        except ValueError:
            value = math.nan
        if not name.strip() or not 0 < value <= 1.5:
            raise OptionsError(f"start is '{shown(text)}'; write styles with their shares, as in \"joker-makeup 0.6, vampire 0.2\".")
        parts.append((name.strip(), value))
    return parts


def start_changes(parts: Iterable[tuple[str, float]], base: Generator, base_hash: str, styles: Callable[[str], Style]) -> Delta:
    """Return the changes of the weights that a start consists of. Raises StyleError."""
    deltas = [{n: share * change for n, change in style_delta(styles(name), base, base_hash).items()} for name, share in parts]
    return sum_deltas(*deltas)
