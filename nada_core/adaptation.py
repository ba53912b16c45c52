"""Text-driven adaptation of a generator: StyleGAN-NADA's training loop as an iterator (Gal et al. 2021).

A frozen generator and a trainable copy render the same latents; the copy is pulled along the text direction. :func:`adapt` yields one
:class:`AdaptationStep` a step; whoever iterates it shows previews, stops when they like and asks a step for its style.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from importlib import metadata
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.checkpoints import Style, StyleCard
from nada_core.device import precision_context
from nada_core.encoders.base import ImageTextEncoder, KnowsRegions
from nada_core.errors import OptionsError
from nada_core.generators.base import LAYER_GROUPS, Generator
from nada_core.inversion.base import Inversion
from nada_core.losses import DirectionalLoss, GlobalLoss, kept_distance, mean_embedding
from nada_core.mixing import apply_mix
from nada_core.options import FAMILY_DEFAULTS, MAX_STEPS, MAX_TARGETS, AdaptOptions, resolve_options
from nada_core.prompts import check_prompt

__all__ = [
    "FAMILY_DEFAULTS",
    "MAX_STEPS",
    "MAX_TARGETS",
    "AdaptOptions",
    "AdaptationStep",
    "adapt",
    "preview_images",
    "resolve_options",
    "training_pool",
]


@dataclass(frozen=True)
class AdaptationStep:
    """State after one optimisation step. ``similarity`` is the mean cosine to the text direction; ``previews`` is [P, 3, R, R] or None."""

    index: int
    steps: int
    loss: float
    similarity: float
    seconds: float
    eta: float
    lr: float
    previews: Tensor | None = None
    note: str = ""
    _run: Any = field(default=None, repr=False, compare=False)

    def style(self, name: str | None = None) -> Style:
        """A copy of the weights at this moment. Ask before advancing the iterator."""
        return self._run.style(self, name)


@torch.no_grad()
def preview_images(generator: Generator, options: AdaptOptions, person: Inversion | None = None) -> Tensor:
    """The fixed preview faces ``[P, 3, R, R]`` as ``generator`` draws them; a ``person`` takes the first one's place."""
    seeds = options.preview_seeds[1:] if person is not None else options.preview_seeds
    pictures = []
    ws = generator.mapping(generator.sample_z(seeds), options.preview_truncation) if seeds else None
    with precision_context(generator.device, options.precision):
        if person is not None:
            # on a copy: what an inversion adds to the weights must not stay in them
            own = apply_mix(copy.deepcopy(generator), generator, (), offsets=person.offsets)
            pictures.append(own.synthesis(person.ws, resolution=options.resolution).float())
        if ws is not None:
            pictures.append(generator.synthesis(ws, resolution=options.resolution).float())
    return torch.cat(pictures)


def training_pool(options: AdaptOptions, z_dim: int) -> Tensor | None:
    """The latents ``[latent_pool, z_dim]`` that a run with a fixed pool trains on, a function of its seed; None where they are fresh."""
    if options.latent_pool is None:
        return None
    return torch.randn(options.latent_pool, z_dim, generator=torch.Generator().manual_seed(options.seed))


def random_crops(count: int, rng: torch.Generator, device: torch.device) -> Tensor:
    """Affine maps ``[count, 2, 3]`` of slightly zoomed, shifted and mirrored views: the loss must hold for all, not for one pixel grid."""
    scale = 0.75 + 0.3 * torch.rand(count, generator=rng)
    shift = 0.25 * (torch.rand(2, count, generator=rng) - 0.5)
    mirror = torch.randint(0, 2, (count,), generator=rng) * 2.0 - 1
    zero = torch.zeros(count)
    rows = [torch.stack([scale * mirror, zero, shift[0]], 1), torch.stack([zero, scale, shift[1]], 1)]
    return torch.stack(rows, 1).to(device)


def view(images: Tensor, crops: Tensor | None, side: int = 160) -> Tensor:
    """Crops ``[N * k, 3, side, side]`` of images ``[N, 3, R, R]``, or the images themselves."""
    if crops is None:
        return images
    k = len(crops) // len(images)
    small = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True).repeat_interleave(k, 0)
    grid = F.affine_grid(crops, list(small.shape), align_corners=False)
    return F.grid_sample(small, grid, padding_mode="reflection", align_corners=False)


def rate_groups(generator: Generator, parameters: Mapping[str, Tensor], layer_rates: Sequence[float]) -> list[dict[str, Any]]:
    """Optimiser groups for named ``parameters``: one a layer group, with its ``factor`` on the step size; empty ones are left out."""
    groups = []
    for layer_group, factor in zip(LAYER_GROUPS, layer_rates, strict=True):
        members = [p for name, p in parameters.items() if generator.layer_group(name) == layer_group]
        if members:
            groups.append({"params": members, "factor": factor})
    return groups


class _Run:
    """The mutable state of one adaptation."""

    def __init__(
        self,
        base: Generator,
        encoder: ImageTextEncoder,
        prompt: str,
        options: AdaptOptions,
        images: Sequence[Tensor] | None = None,
        person: Inversion | None = None,
    ) -> None:
        self.base, self.encoder, self.prompt, self.options, self.person = base, encoder, prompt, options, person
        if images:
            target, start = mean_embedding(encoder, images), mean_embedding(encoder, self.samples())
            self.direction = DirectionalLoss(encoder, options.source, prompt, direction=target - start)
            self.target = GlobalLoss(encoder, prompt, embedding=target)
        else:
            self.direction = DirectionalLoss(encoder, options.source, prompt)
            self.target = GlobalLoss(encoder, prompt)
        self.keeper = encoder if options.keep_weight and not images and isinstance(encoder, KnowsRegions) else None
        self.generator = copy.deepcopy(base).requires_grad_(False)
        self.averaged = copy.deepcopy(base).requires_grad_(False) if options.average else self.generator
        trained = set(base.adaptable(options.layers))
        self.parameters = {n: p.requires_grad_(True) for n, p in self.generator.named_parameters() if n in trained}
        self.shadow = {n: p for n, p in self.averaged.named_parameters() if n in trained}
        assert options.lr is not None and options.betas is not None and options.layer_rates is not None
        self.lr = options.lr
        groups = rate_groups(base, self.parameters, options.layer_rates)
        self.optimiser = torch.optim.Adam(groups, lr=self.lr, betas=options.betas)
        self.rng = torch.Generator().manual_seed(options.seed)
        self.pool = training_pool(options, base.z_dim)
        self.good = {n: p.detach().clone() for n, p in self.parameters.items()}
        self.index = 0

    @cached_property
    def base_hash(self) -> str:
        """Computed when a style is first asked for, not before the first step."""
        return self.base.content_hash()

    def samples(self, count: int = 16) -> Iterator[Tensor]:
        """Faces of the unchanged generator, one by one: where the direction to image targets starts (the count is NADA's)."""
        for z in self.base.sample_z(range(count)):
            yield self.base.synthesis(self.base.mapping(z[None], self.options.truncation_psi), resolution=self.options.resolution)

    def rate(self) -> float:
        """Linear warm-up, then a cosine down to a fifth: large moves first, settling at the end."""
        o = self.options
        warm = min(1.0, (self.index + 1) / (o.warmup + 1)) if o.warmup else 1.0
        if o.average:
            return self.lr * warm * (0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * self.index / o.steps)))
        return self.lr * warm

    def losses(self) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, mean similarity and mean absolute pixel of one batch: near 0.5 for faces, above 1 when they blow up."""
        o = self.options
        if self.pool is None:
            z = torch.randn(o.batch, self.base.z_dim, generator=self.rng)
        else:
            z = self.pool[torch.randint(len(self.pool), (o.batch,), generator=self.rng)]
        ws = self.base.mapping(z.to(self.base.device), o.truncation_psi)
        crops = random_crops(o.batch * o.crops, self.rng, self.base.device) if o.crops else None
        with precision_context(self.base.device, o.precision):
            with torch.no_grad():
                originals = self.base.synthesis(ws, resolution=o.resolution).float()
                source = self.encoder.encode_image(view(originals, crops))
            images = self.generator.synthesis(ws, resolution=o.resolution).float()
            target = self.encoder.encode_image(view(images.clamp(-1.15, 1.15), crops))
        similarity = self.direction.similarity(source, target).mean()
        loss = o.direction_weight * (1 - similarity)
        if o.global_weight:
            loss = loss + o.global_weight * self.target.distance(target).mean()
        if self.keeper:
            mask = self.keeper.untouched(originals, o.source, self.prompt).to(images)
            loss = loss + (o.keep_weight or 0.0) * kept_distance(originals, images, mask)
        # pixels outside the range look clipped: a soft wall instead of a hard one
        loss = loss + 0.5 * F.relu(images.abs() - 1.0).pow(2).mean() * bool(o.average)
        return loss, similarity.detach(), images.detach().abs().mean()

    def advance(self) -> tuple[float, float, float, str]:
        """One step: loss, similarity, the rate used, a note. On divergence the last good weights return with half the rate."""
        lr = self.rate()
        for group in self.optimiser.param_groups:
            group["lr"] = lr * group["factor"]
        loss, similarity, size = self.losses()
        self.optimiser.zero_grad(set_to_none=True)
        note = ""
        if torch.isfinite(loss):
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.options.max_gradient or math.inf)
        if not torch.isfinite(loss) or not torch.isfinite(norm) or size > 1.5:
            self.back_off()
            note = f"The pictures diverged: went back to the last good weights and halved the rate to {self.lr:.2g}."
        else:
            self.optimiser.step()
            self.track()
        self.index += 1
        return loss.item(), similarity.item(), lr, note

    @torch.no_grad()
    def track(self) -> None:
        if self.options.average:
            decay = min(self.options.average, (1 + self.index) / (6 + self.index))
            for name, parameter in self.parameters.items():
                self.shadow[name].lerp_(parameter, 1 - decay)
        if self.index % 10 == 9:
            for name, parameter in self.parameters.items():
                self.good[name].copy_(parameter)

    @torch.no_grad()
    def back_off(self) -> None:
        self.lr *= 0.5
        for name, parameter in self.parameters.items():
            parameter.copy_(self.good[name])
        self.optimiser.state.clear()

    def style(self, step: AdaptationStep, name: str | None) -> Style:
        # infinity is no JSON: an unlimited gradient is written as null
        options = {key: None if value == math.inf else value for key, value in asdict(self.options).items()}
        versions = {p: metadata.version(p) for p in ("torch", "numpy")}
        card = StyleCard(
            name=name or self.prompt,
            prompt=self.prompt,
            source=self.options.source,
            base=self.base.family,
            base_hash=self.base_hash,
            encoder=self.encoder.name,
            steps=step.index,
            loss=step.loss if math.isfinite(step.loss) else None,
            similarity=step.similarity if math.isfinite(step.similarity) else None,
            seed=self.options.seed,
            options=options,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            versions=versions,
        )
        return Style(card, {n: p.detach().clone() for n, p in self.shadow.items()})


def adapt(
    base: Generator,
    encoder: ImageTextEncoder,
    prompt: str,
    options: AdaptOptions | None = None,
    images: Sequence[Tensor] | None = None,
    person: Inversion | None = None,
) -> Iterator[AdaptationStep]:
    """Adapt a copy of ``base`` to ``prompt``. Prompt and options are checked at once; the work happens as the result is iterated.

    Args:
        images: 1 to 16 pictures ``[1, 3, H, W]`` in [-1, 1] that show the target instead of the text, which is then only a name.
        person: an inverted photo to show in the previews, in place of the first face. It takes no part in the adaptation.

    Raises:
        PromptError: the prompt is empty, too long, or outside what the encoder knows.
        OptionsError: an option is out of range.
    """
    if images is not None and not 1 <= len(images) <= MAX_TARGETS:
        raise OptionsError(f"{len(images)} target pictures; between 1 and {MAX_TARGETS} are possible.")
    chosen = options or AdaptOptions()
    options = resolve_options(chosen, base.family)
    if chosen.lr is None and options.lr is not None and isinstance(encoder, KnowsRegions):
        # pictures may show anything: they get a rate between those of make-up and of a medium
        options = replace(options, lr=options.lr * (2.0 if images else encoder.rate_factor(check_prompt(prompt))))
    if options.resolution is not None and options.resolution not in base.resolutions:
        raise OptionsError(f"resolution is {options.resolution}; this generator renders at {' or '.join(map(str, base.resolutions))}.")
    run = _Run(base, encoder, check_prompt(prompt), options, images, person)
    return _iterate(run)


def _iterate(run: _Run) -> Iterator[AdaptationStep]:
    options, start, last = run.options, time.monotonic(), -math.inf
    for index in range(1, options.steps + 1):
        loss, similarity, rate, note = run.advance()
        previews = None
        if time.monotonic() - last >= options.preview_seconds or index == options.steps:
            previews = preview_images(run.averaged, options, run.person)
            last = time.monotonic()
        seconds = time.monotonic() - start
        eta = seconds / index * (options.steps - index)
        yield AdaptationStep(index, options.steps, loss, similarity, seconds, eta, rate, previews, note, run)
