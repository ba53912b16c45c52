"""Train a student for one style: draw pairs of faces with the generator, and let the student learn what happens between them.

The network that all ready styles share is the start. First only the style's own numbers learn, then the network as well.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.errors import OptionsError
from nada_core.generators.base import Generator
from nada_core.students.files import StudentCard, StyleStudent, ready_students, style_digest
from nada_core.students.lines import gradients, is_paint, lightness
from nada_core.students.network import Student, fit_output
from nada_core.students.pairs import Pairs, draw_pairs, seen
from nada_core.students.textures import Features, apart, feature_pairs, fineness, lacks_texture, texture_distance
from nada_core.styles.files import Style, styled
from nada_core.system.device import Precision, precision_context

__all__ = ["FITTED", "HELD", "DistilOptions", "DistilStep", "distil", "measured", "student_loss"]

#: Pairs that are never learnt from: what the card says was measured on them.
HELD = 8
#: Pairs that a new style's output layer is fitted to before the first step.
FITTED = 24
#: Sides of the squares whose mean colours are compared, with their weights: single pixels, and larger ones, which keep paint strong. Where
#: a texture counts, those that a stroke or a stripe would fill are held to less.
_SIDES = {1: 1.0, 4: 1.0, 8: 1.0}
_TEXTURED_SIDES = {1: 0.25, 4: 0.5, 8: 1.0, 16: 0.5}
#: Weights of the distance of features, which keeps paint sharp, of differences between neighbours, which keep the person's lines, and of
#: small things.
_FEATURES, _LINES, _SMALL = 0.1, 1.0, 15.0
_FEATURE_SIDE = 144


@dataclass(frozen=True)
class DistilOptions:
    """Options of a student's training.

    Attributes:
        steps, batch: of the training.
        pairs: faces to draw with the generator.
        rate: learning rate of the network; the style's own numbers learn ``own`` times as fast.
        alone: share of the steps in which only the style's own numbers learn.
        seed: of everything that is random.
    """

    steps: int = 160
    batch: int = 6
    pairs: int = 96
    rate: float = 1e-3
    own: float = 6.0
    alone: float = 0.25
    seed: int = 0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        """Check the numbers. Raises OptionsError."""
        for name, low, high in (("steps", 1, 100_000), ("batch", 1, 64), ("pairs", 2 * HELD, 20_000)):
            if not low <= getattr(self, name) <= high:
                raise OptionsError(f"{name} is {getattr(self, name)}; it must be {low} to {high}.")


@dataclass(frozen=True, eq=False)
class DistilStep:
    """Describe one step: share done, seconds left, the loss (None while faces are drawn), and a student that can be used already."""

    stage: str
    fraction: float
    left: float
    loss: float | None = None
    student: StyleStudent | None = field(default=None, repr=False)


def distil(
    base: Generator,
    style: Style,
    features: Features,
    options: DistilOptions | None = None,
    start: StyleStudent | None = None,
) -> Iterator[DistilStep]:
    """Yield the steps of training a student; whoever stops early keeps the student of the last step.

    Args:
        base: the generator the style was made for.
        features: ``[N, 3, H, W]`` in [-1, 1] to a list of feature maps; frozen.
        options: see :class:`DistilOptions`.
        start: begin with this student's network; by default the one that the ready styles share, or a new one.

    Raises:
        StyleError: the style was made for another generator.
    """
    options = options or DistilOptions()
    adapted = styled(base, style)
    return _steps(base, adapted, style, features, options, start)


def _steps(
    base: Generator,
    adapted: Generator,
    style: Style,
    features: Features,
    options: DistilOptions,
    start: StyleStudent | None,
) -> Iterator[DistilStep]:
    begun, drawn = time.monotonic(), list[Pairs]()
    share_drawing = options.pairs / (options.pairs + 4.0 * options.steps)  # a step takes about as long as four pairs
    for some in draw_pairs(base, adapted, options.pairs, options.seed):
        drawn.append(some)
        fraction = share_drawing * sum(map(len, drawn)) / options.pairs
        yield DistilStep("drawing faces", fraction, _left(begun, fraction))
    pairs, held = Pairs(torch.cat([p.before for p in drawn]), torch.cat([p.after for p in drawn])).split(HELD)
    painted = [is_paint(pairs.before[:FITTED], pairs.after[:FITTED])] * options.batch
    network, code = _beginning(start, pairs)
    card = StudentCard(style.card.name, style.card.prompt, style_digest(style), 0)
    optimiser = torch.optim.AdamW(
        [{"params": list(network.parameters()), "lr": 0.0}, {"params": [code], "lr": 0.0, "weight_decay": 0.0}],
        weight_decay=1e-4,
        betas=(0.9, 0.98),
    )
    rng = torch.Generator().manual_seed(options.seed)
    for step in range(options.steps):
        rate = options.rate * min(1.0, (step + 1) / 20) * (0.02 + 0.49 * (1 + math.cos(math.pi * step / options.steps)))
        shared, own = optimiser.param_groups
        shared["lr"], own["lr"] = rate * (step >= options.alone * options.steps), rate * options.own
        rows = torch.randint(len(pairs), (options.batch,), generator=rng)
        face, wanted = seen(pairs.before[rows], pairs.after[rows], rng, painted)
        with torch.enable_grad():
            loss = student_loss(network, code, features, face, wanted, rng, options.precision)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        fraction = share_drawing + (1 - share_drawing) * (step + 1) / options.steps
        card = replace(card, steps=step + 1)
        if step + 1 == options.steps:
            card = replace(card, figures=measured(network, code, held))
        yield DistilStep("learning", fraction, _left(begun, fraction), loss.item(), _frozen(card, network, code))


def _beginning(start: StyleStudent | None, pairs: Pairs) -> tuple[Student, Tensor]:
    """Return the network to begin with and a style's numbers to begin with.

    They are those of ``start``; or the mean of those that the shared network knows, with the output layer that fits the pairs best. Where
    the style has a texture that the network of paints has no means for, it is the network of textures.
    """
    if start is not None:
        return deepcopy(start.network).requires_grad_(True), start.code.clone().requires_grad_()
    before, after = (x[:FITTED].float() / 127.5 - 1 for x in (pairs.before, pairs.after))
    ready = ready_students().values()
    paints, textured = ([student for student in ready if student.network.textured == kind] for kind in (False, True))
    network, code = _fitted(paints or textured, before, after)
    if paints and textured:
        with torch.no_grad():
            made = network(before[:HELD], code)
        if lacks_texture(made, after[:HELD]):
            network, code = _fitted(textured, before, after)
    return deepcopy(network).requires_grad_(True), code.clone().requires_grad_()


def _fitted(known: Sequence[StyleStudent], before: Tensor, after: Tensor) -> tuple[Student, Tensor]:
    """Return the network of known students, and the mean of their numbers with the output layer that fits; a new network where none is."""
    if not known:
        return (network := Student()), network.neutral()
    mean = torch.cat([student.code for student in known]).mean(0, keepdim=True)
    return known[0].network, fit_output(known[0].network, mean, before, after)


def student_loss(
    network: Student,
    code: Tensor,
    features: Features,
    face: Tensor,
    wanted: Tensor,
    rng: torch.Generator,
    precision: Precision = "auto",
) -> Tensor:
    """Return how far a student is from what is wanted, a scalar: pixels, colours of some pixels together, lines, and features.

    A network of textures (one with grain) is held less to single pixels and lines, and to the texture instead.

    Args:
        face, wanted: ``[N, 3, 256, 256]`` in [-1, 1]; code: ``[1, code_size]`` or one a face.
        features: ``[N, 3, H, W]`` to a list of feature maps; frozen.
        rng: of the part of the picture whose texture is compared.
    """
    with precision_context(face.device, precision):
        made = network(face, code)
    made, weights = made.float(), _weights(wanted - face)
    missed = made - wanted
    sides = _TEXTURED_SIDES if network.textured else _SIDES
    pixels = torch.stack([w * (F.avg_pool2d(weights, side) * F.avg_pool2d(missed, side).abs()).mean() for side, w in sides.items()]).sum()
    if network.textured:
        return pixels + texture_distance(features, made, wanted, rng, precision)
    lines = sum((difference.abs().mean() for difference in gradients(lightness(missed))), torch.zeros(()))
    small, goal = (F.interpolate(x, size=_FEATURE_SIDE, mode="bilinear", antialias=True) for x in (made, wanted))
    distance = sum((apart(a, b) for a, b in feature_pairs(features, small, goal, precision)), torch.zeros(()))
    return pixels + _LINES * lines + _FEATURES * distance


def _weights(change: Tensor) -> Tensor:
    """Return how much each pixel counts, ``[N, 1, 256, 256]`` with a mean of 1: lips and eyes are small, but people look at them.

    What changes otherwise than its wider surroundings counts more.
    """
    around = F.interpolate(F.avg_pool2d(change, 32, 16, padding=8), size=change.shape[-2:], mode="bilinear")
    apart = F.avg_pool2d((change - around).abs().mean(1, keepdim=True), 5, 1, padding=2)
    weights = 1 + _SMALL * apart
    return weights / weights.mean((2, 3), keepdim=True)


@torch.no_grad()
def measured(network: Student, code: Tensor, held: Pairs) -> dict[str, float]:
    """Return how a student does on faces it never saw.

    ``error`` and ``unchanged``, in [0, 2], are means over pixels of its distance from the generator's pictures and of doing nothing's; the
    generator redraws every hair, which a student leaves alone. ``explained`` is the share of the change of colours, averaged over 8 x 8
    pixels and squared, that it makes: 1 is all of it, below 0 is worse than nothing. ``texture`` is how much fine structure its pictures
    have (:func:`~nada_core.students.textures.fineness`), as a share of the generator's.
    """
    before, after = (x.float() / 127.5 - 1 for x in (held.before, held.after))
    made = network(before, code).clamp(-1, 1)
    missed, change = (F.avg_pool2d(x - after, 8).pow(2).sum().item() for x in (made, before))
    figures = {"error": (made - after).abs().mean().item(), "unchanged": (before - after).abs().mean().item()}
    figures["texture"] = (fineness(made) / fineness(after)).item()
    return {name: round(value, 4) for name, value in {**figures, "explained": 1 - missed / max(change, 1e-9)}.items()}


def _frozen(card: StudentCard, network: Student, code: Tensor) -> StyleStudent:
    """Return a student whose values later steps do not change."""
    return StyleStudent(card, deepcopy(network).eval().requires_grad_(False), code.detach().clone())


def _left(begun: float, fraction: float) -> float:
    return (time.monotonic() - begun) * (1 - fraction) / max(fraction, 1e-6)
