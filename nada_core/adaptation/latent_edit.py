"""Move one face's latent towards a text and leave the generator as it is: StyleCLIP's latent optimisation, the baseline.

Patashnik et al. 2021 ("StyleCLIP", arXiv:2103.17249), section 4: from the codes of an inverted photo, minimise

    D(G(ws), text) + l2_weight * ||ws - start||^2 + identity_weight * (1 - <R(G(start)), R(G(ws))>)

where D is the distance of the picture to the text and R a face recogniser. Whatever it finds is a picture that the generator could draw
before; what lies outside its domain has no latent.

Where this differs from the published code: the text is read as :class:`~nada_core.losses.GlobalLoss` reads it ("a Joker", not a
description in full), by any encoder or ensemble of them; pixels far outside the range are cut off before the encoder sees them, as in an
adaptation; the squared distance is a sum over ``num_ws * w_dim`` codes as theirs, but other generators than 1024 px StyleGAN2 have another
number of them; an inversion's changes of the weights stay on the generator; and there is no identity term unless a recogniser is given
(:meth:`nada_core.engine.Engine.latent_edit_steps` gives theirs, ArcFace, where its weights are on this machine).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.adam import adam
from nada_core.adaptation.options import FAMILY_DEFAULTS
from nada_core.adaptation.training_inputs import random_crops, view
from nada_core.adaptation.training_run import WIDEST_PIXEL
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.text_length import check_length
from nada_core.errors import OptionsError, shown
from nada_core.generators.base import Generator, rendered_side
from nada_core.inversion.base import Inversion
from nada_core.looks.prompts import check_prompt
from nada_core.losses import GlobalLoss
from nada_core.styles.mixing import apply_mix
from nada_core.system.device import Precision, precision_context

__all__ = ["LatentOptions", "LatentStep", "edit_latent", "ramp"]

#: Range of each number; the bounds themselves are allowed.
_RANGES: dict[str, tuple[float, float]] = {
    "steps": (2, 2000),
    "lr": (1e-6, 1.0),
    "l2_weight": (0, 100),
    "identity_weight": (0, 100),
    "rampup": (0, 1),
    "rampdown": (0, 1),
    "crops": (0, 8),
    "seed": (0, 2**63 - 1),
}
_WHOLE = frozenset({"steps", "crops", "seed"})


@dataclass(frozen=True)
class LatentOptions:
    """Hold how far and how fast a latent is moved; the defaults are StyleCLIP's.

    Raises:
        OptionsError: a value is out of range.
    """

    steps: int = 300  # the paper takes 200 to 300
    lr: float = 0.1  # Adam's, at the top of the ramp
    l2_weight: float = 0.008  # of the squared distance to the start
    identity_weight: float = 0.005  # of the identity term, where a recogniser is given
    rampup: float = 0.05  # share of the steps over which the rate rises
    rampdown: float = 0.25  # share over which it falls
    crops: int = 0  # random crops per picture that the encoder reads; 0: the plain picture, as StyleCLIP
    seed: int = 0  # of the crops; nothing else is random
    resolution: int | None = None  # side of the pictures the loss sees; None: as in an adaptation of this family
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise OptionsError(f"{name} is {shown(value, 40)}; it must be between {low:g} and {high:g}.")
            if name in _WHOLE and not isinstance(value, int):
                raise OptionsError(f"{name} is {shown(value, 40)}; it must be a whole number.")


@dataclass(frozen=True, eq=False)
class LatentStep:
    """Hold the state after ``index`` updates; every number and the picture belong to this state's ``ws``.

    Attributes:
        loss: the whole, ``text`` + weighted ``moved`` + weighted ``identity``.
        text: the distance to the text, unweighted.
        moved: squared distance of ``ws`` to the start, a sum.
        identity: 1 - cosine to the face at the start, by the recogniser that was given; None without one.
        lr: the rate of the update that follows; the first one's is 0, as in StyleCLIP.
        image: ``[1, 3, R, R]`` in about [-1, 1].
        ws: ``[1, num_ws, w_dim]``, a copy.
    """

    index: int
    steps: int
    loss: float
    text: float
    moved: float
    identity: float | None
    lr: float
    image: Tensor
    ws: Tensor


def ramp(done: float, up: float = 0.05, down: float = 0.25) -> float:
    """Return the factor on the rate after the share ``done`` of all steps: linear rise, cosine fall.

    As in Karras et al. 2020, "Analyzing and Improving", section 5, the projector.
    """
    fall = min(1.0, (1 - done) / down) if down else 1.0
    rise = min(1.0, done / up) if up else 1.0
    return rise * 0.5 * (1 - math.cos(math.pi * fall))


def edit_latent(
    base: Generator,
    encoder: ImageTextEncoder,
    prompt: str,
    inversion: Inversion,
    options: LatentOptions | None = None,
    identity: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[LatentStep]:
    """Move an inversion's latent towards a text. Arguments are checked at once; the work happens as the result is iterated.

    Args:
        base: not changed.
        inversion: where to start; its codes are not changed, its offsets stay on the generator throughout.
        identity: embeddings ``[1, D]`` of pictures ``[1, 3, R, R]`` in about [-1, 1], by a network that gradients flow through
            (:class:`nada_core.recognition.arcface.ArcFace` in StyleCLIP). A recogniser that later judges the result must not guide it.

    Yields:
        ``options.steps + 1`` states: the untouched start first, the result last.

    Raises:
        PromptError: an empty prompt, or one that the encoder does not know.
        OptionsError: codes of another generator, a resolution that this one does not render, an ``identity`` without gradients, or (while
            iterating) a loss that is no number.
    """
    o = options or LatentOptions()
    if o.resolution is None:
        o = replace(o, resolution=FAMILY_DEFAULTS.get(base.family, {}).get("resolution"))
    rendered_side(base.resolutions, o.resolution)
    expected = [1, base.num_ws, base.w_dim]
    if list(inversion.ws.shape) != expected:
        raise OptionsError(f"The latent codes are {list(inversion.ws.shape)}; this generator takes {expected}. Invert the photo with it.")
    prompt = check_prompt(prompt)
    check_length(encoder, prompt)
    target = GlobalLoss(encoder, prompt)
    return _steps(base, target, inversion, o, identity)


def _steps(
    base: Generator, target: GlobalLoss, inversion: Inversion, o: LatentOptions, identity: Callable[[Tensor], Tensor] | None
) -> Iterator[LatentStep]:
    person = apply_mix(copy.deepcopy(base).requires_grad_(False), base, (), offsets=inversion.offsets)
    start = inversion.ws.detach().to(base.device, torch.float32)
    ws = start.clone().requires_grad_(True)
    optimiser = adam([ws], lr=o.lr)
    rng = torch.Generator().manual_seed(o.seed)
    face: Tensor | None = None
    for index in range(o.steps + 1):
        crops = random_crops(o.crops, rng, base.device) if o.crops else None
        unlike: Tensor | None = None
        with precision_context(base.device, o.precision):
            image = person.synthesis(ws, resolution=o.resolution).float()
            text = target(view(image.clamp(-WIDEST_PIXEL, WIDEST_PIXEL), crops))
            if identity is not None:
                described = F.normalize(_guide(identity, image).float(), dim=-1)
                face = described.detach() if face is None else face
                unlike = (1 - (described * face).sum(-1)).mean()
        moved = (ws - start).pow(2).sum()
        loss = text + o.l2_weight * moved
        if unlike is not None:
            loss = loss + o.identity_weight * unlike
        if not torch.isfinite(loss):
            raise OptionsError(f"The loss is no longer a number at step {index}. Choose a lower lr than {o.lr:g}.")
        rate = o.lr * ramp(index / o.steps, o.rampup, o.rampdown)
        score = None if unlike is None else unlike.item()
        yield LatentStep(index, o.steps, loss.item(), text.item(), moved.item(), score, rate, image.detach(), ws.detach().clone())
        if index == o.steps:
            return
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _guide(identity: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Return the recogniser's embedding; refuse one that no gradient flows through, which would silently guide nothing."""
    described = identity(image)
    if not isinstance(described, Tensor) or not described.requires_grad:
        raise OptionsError("This identity recogniser gives no gradients, so it cannot guide. Leave it out, or give one written in PyTorch.")
    return described
