"""Run one adaptation: hold everything that changes from step to step, and compute a step.

Where a step is not that of StyleGAN-NADA's published code, on purpose:

- Pixels beyond 1.15 are cut off before an encoder sees them. Pictures are shown cut at 1, and without the limit a loss can be lowered by
  colours that nobody will see; the 0.15 keep a gradient for pixels that are nearly white or black.
- The noise of the generator is its own, constant one, the same for both generators: what differs between two pictures is then what was
  learnt. The published code draws fresh noise for each picture, and so does ``noise="random"``, part of the preset ``paper``; choosing
  adaptive layers, the faces that image targets are compared with, and previews keep the constant one.
- Below a length of 0.05 the image direction is not normalised: see :class:`nada_core.losses.DirectionalLoss`.
- Adaptive layers are those that a slot really modulates, unless ``official_mapping`` asks for the published table.
- A loss or gradient that is not finite, or pictures that blow up, take the run back to its last good weights with half the rate.
- Where the encoder reads the text as a look, each training face has the direction of its own drawing: see `drawn_targets.py`.
- Averaged weights, warm-up, crops, a limit on gradients and the soft wall at 1 are additions, off for StyleGAN2 by default.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cached_property
from importlib import metadata
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.adam import adam
from nada_core.adaptation.drawn_targets import WIDEST_PIXEL, DrawnTargets
from nada_core.adaptation.layer_selection import slot_scores, slot_table, top_slots
from nada_core.adaptation.options import AdaptOptions
from nada_core.adaptation.resume import TrainingState, check_numbers, encoder_hash, targets_hash
from nada_core.adaptation.training_inputs import draw_ws, random_crops, seeded_noise, training_pool, training_ws, view
from nada_core.encoders.base import ImageTextEncoder, ReadsLooks
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.encoders.templates import PARTS
from nada_core.errors import PromptError, ResumeError, shown
from nada_core.generators.base import LAYER_GROUPS, Generator, NoiseMode
from nada_core.looks.look import Look
from nada_core.looks.reading import read
from nada_core.losses import DirectionalLoss, GlobalLoss, ManifoldLoss, PatchLoss, mean_embedding
from nada_core.styles.files import Style, StyleCard
from nada_core.styles.mixing import Delta, add_changes
from nada_core.system.device import precision_context

__all__ = ["Progress", "TrainingRun", "drawable", "rate_groups"]

#: Names of Adam's state in torch, by the kind of tensor in a :class:`TrainingState`.
ADAM = {"adam_mean": "exp_avg", "adam_square": "exp_avg_sq", "adam_step": "step"}


class Progress(NamedTuple):
    """Hold what one step came to; ``layers`` are the names of the slots it trained, empty where it trained all."""

    loss: float
    similarity: float
    lr: float
    note: str
    layers: tuple[str, ...] = ()


def rate_groups(generator: Generator, parameters: Mapping[str, Tensor], layer_rates: Sequence[float]) -> list[dict[str, Any]]:
    """Return optimiser groups for named ``parameters``: one a layer group, ``factor`` on its step size; empty ones are left out."""
    groups = []
    for layer_group, factor in zip(LAYER_GROUPS, layer_rates, strict=True):
        members = [p for name, p in parameters.items() if generator.layer_group(name) == layer_group]
        if members:
            groups.append({"params": members, "factor": factor})
    return groups


class TrainingRun:
    """Hold the mutable state of one adaptation. ``options`` have the family's defaults filled in.

    Raises:
        PromptError: the prompt means the same as the source, or the encoder does not know it.
        OptionsError: a loss that the encoder cannot compute.
    """

    def __init__(
        self,
        base: Generator,
        encoder: ImageTextEncoder,
        prompt: str,
        options: AdaptOptions,
        images: Sequence[Tensor] | None = None,
        start: Delta | None = None,
    ) -> None:
        self.base, self.encoder, self.prompt, self.options = base, encoder, prompt, options
        assert options.truncation_psi is not None and options.noise is not None
        self.truncation_psi: float = options.truncation_psi
        self.noise: NoiseMode = options.noise
        self.from_pictures = bool(images)
        self.look = None if images else drawable(encoder, prompt, options)
        self.targets_hash = targets_hash(images, self.look)
        self.drawn = None if self.look is None else DrawnTargets(base, encoder, self.look, options)  # type: ignore[arg-type]
        if images:
            target, faces = mean_embedding(encoder, images), mean_embedding(encoder, self.samples())
            self.direction = DirectionalLoss(encoder, options.source, prompt, direction=target - faces)
            self.target = GlobalLoss(encoder, prompt, embedding=target)
        elif self.drawn is None:
            self.direction = DirectionalLoss(encoder, options.source, prompt)
            self.target = GlobalLoss(encoder, prompt)
        self.manifold = ManifoldLoss(encoder, options.source, prompt) if options.manifold_weight else None
        parts = PARTS[options.patch_parts]
        self.patch = PatchLoss(encoder, options.source, prompt, parts=parts) if options.patch_weight else None
        self.generator = copy.deepcopy(base).requires_grad_(False)
        self.averaged = copy.deepcopy(base).requires_grad_(False) if options.average else self.generator
        trained = set(base.layer_set(options.layers))
        if options.adaptive_layers:
            self.slots = slot_table(base, trained, options.resolution, official=options.official_mapping)
            # the constant input belongs to no slot: it would never train
            trained = {name for names in self.slots.values() for name in names}
            # by the bare text, as the official code scores layers
            self.scorer = self.target if images else GlobalLoss(encoder, prompt, embedding=encoder.encode_text([prompt])[0])
        for network in {self.generator, self.averaged}:  # may be one
            add_changes(network, start or {}, trained)
        self.parameters = {n: p.requires_grad_(True) for n, p in self.generator.named_parameters() if n in trained}
        self.averaged_parameters = {n: p for n, p in self.averaged.named_parameters() if n in trained}
        assert options.lr is not None and options.betas is not None and options.layer_rates is not None
        self.lr = options.lr
        # views with dimensions in memory order: anything else fused Adam copies, there and back
        self.adam_views = {n: p.detach().permute(_memory_order(p)) for n, p in self.parameters.items()}
        groups = rate_groups(base, self.adam_views, options.layer_rates)
        self.optimiser = adam(groups, lr=self.lr, betas=options.betas)
        self.rng = torch.Generator().manual_seed(options.seed)
        self.pool = training_pool(options, base.z_dim)
        self.last_good = {n: p.detach().clone() for n, p in self.parameters.items()}
        self.index = 0
        # an interrupted step has drawn numbers that its repetition must draw again
        self.rng_state = self.rng.get_state()
        self.updating = False

    @cached_property
    def base_hash(self) -> str:
        """Return the base's hash, computed when a style is first asked for."""
        return self.base.content_hash()

    @cached_property
    def encoder_hash(self) -> str:
        """Return the encoder's hash, computed when first needed."""
        return encoder_hash(self.encoder)

    def samples(self, count: int = 16) -> Iterator[Tensor]:
        """Yield faces of the unchanged generator: where the direction to image targets starts (the count is NADA's)."""
        for z in self.base.sample_z(range(count)):
            yield self.base.synthesis(self.base.mapping(z[None], self.truncation_psi), resolution=self.options.resolution)

    def rate(self) -> float:
        """Return this step's rate: linear warm-up, then a cosine down to a fifth, to settle at the end."""
        o = self.options
        warm = min(1.0, (self.index + 1) / (o.warmup + 1)) if o.warmup else 1.0
        if o.average:
            return self.lr * warm * (0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * self.index / o.steps)))
        return self.lr * warm

    def select(self) -> tuple[str, ...]:
        """Leave only the layers trainable that matter most now; return their slots' names. Adam passes by the others, without gradient."""
        o = self.options
        if o.adaptive_layers is None:
            return ()
        for parameter in self.parameters.values():
            parameter.requires_grad_(False)
        ws = draw_ws(self.base, o, o.adaptive_batch, self.rng)
        with precision_context(self.base.device, o.precision):
            scores = slot_scores(
                self.generator,
                lambda images: self.scorer(images.clamp(-WIDEST_PIXEL, WIDEST_PIXEL)),
                ws,
                steps=o.adaptive_steps,
                lr=o.adaptive_lr,
                resolution=o.resolution,
            )
        chosen = top_slots(scores, self.slots, o.adaptive_layers)
        for slot in chosen:
            for name in self.slots[slot]:
                self.parameters[name].requires_grad_(True)
        return tuple(self.base.layer_names[slot] for slot in chosen)

    def losses(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return loss, mean similarity and mean absolute pixel of one batch: near 0.5 for faces, above 1 when they blow up."""
        if self.drawn is not None:
            return self.drawn.losses(self.generator, self.rng)
        o = self.options
        ws = training_ws(self.base, o, self.rng, self.pool)
        crops = random_crops(o.batch * o.crops, self.rng, self.base.device) if o.crops else None
        with precision_context(self.base.device, o.precision), seeded_noise(o, self.rng, self.base.device):
            with torch.no_grad():
                originals = self.base.synthesis(ws, self.noise, o.resolution).float()
                source = self.encoder.encode_image(view(originals, crops))
            images = self.generator.synthesis(ws, self.noise, o.resolution).float()
            shown = images.clamp(-WIDEST_PIXEL, WIDEST_PIXEL)
            target = self.encoder.encode_image(view(shown, crops))
            patches = self.patch(originals, shown, self.rng) if self.patch else None
        similarity = self.direction.similarity(source, target).mean()
        single = not isinstance(self.encoder, EncoderEnsemble)
        loss = o.direction_weight * (1 - similarity if single else self.direction.distance(source, target).mean())
        if o.global_weight:
            loss = loss + o.global_weight * self.target.distance(target).mean()
        if self.manifold:
            loss = loss + o.manifold_weight * self.manifold.distance(source, target).mean()
        if patches is not None:
            loss = loss + o.patch_weight * patches
        if o.average:  # pixels outside the range look clipped: a soft wall instead of a hard one
            loss = loss + 0.5 * F.relu(images.abs() - 1.0).pow(2).mean()
        return loss, similarity.detach(), images.detach().abs().mean()

    def advance(self) -> Progress:
        """Train one step. On divergence the last good weights return with half the rate."""
        lr = self.rate()
        for group in self.optimiser.param_groups:
            group["lr"] = lr * group["factor"]
        layers = self.select()
        loss, similarity, size = self.losses()
        for tensor in (*self.parameters.values(), *self.adam_views.values()):
            tensor.grad = None
        note = ""
        if torch.isfinite(loss):
            loss.backward()
            norm = self.limit_gradient()
        diverged = not torch.isfinite(loss) or not torch.isfinite(norm) or bool(size > 1.5)
        self.updating = True
        if diverged:
            self.back_off()
            note = f"The pictures diverged: went back to the last good weights and halved the rate to {self.lr:.2g}."
        else:
            for name, parameter in self.parameters.items():
                if parameter.grad is not None:
                    self.adam_views[name].grad = parameter.grad.permute(_memory_order(parameter))
            self.optimiser.step()
            self.track()
        self.index += 1
        self.rng_state = self.rng.get_state()
        self.updating = False
        return Progress(loss.item(), similarity.item(), lr, note, layers)

    def limit_gradient(self) -> Tensor:
        """Shorten the gradient where it is above the limit, and return its norm before."""
        limit = self.options.max_gradient or math.inf
        if limit < math.inf:
            return torch.nn.utils.clip_grad_norm_(self.parameters.values(), limit)
        return torch.nn.utils.get_total_norm([p.grad for p in self.parameters.values() if p.grad is not None])

    @torch.no_grad()
    def track(self) -> None:
        """Follow the weights with their running mean, and keep them every ten steps."""
        if self.options.average:
            decay = min(self.options.average, (1 + self.index) / (6 + self.index))
            for name, parameter in self.parameters.items():
                self.averaged_parameters[name].lerp_(parameter, 1 - decay)
        if self.index % 10 == 9:
            for name, parameter in self.parameters.items():
                self.last_good[name].copy_(parameter)

    @torch.no_grad()
    def back_off(self) -> None:
        """Return to the last good weights, with half the rate and no memory of gradients."""
        self.lr *= 0.5
        for name, parameter in self.parameters.items():
            parameter.copy_(self.last_good[name])
        self.optimiser.state.clear()

    def state(self, seconds: float, *, copied: bool = True) -> TrainingState:
        """Return everything that the next step depends on: a copy, or else what shares its memory with this run.

        Raises:
            ResumeError: an interruption hit the run while it was changing the weights.
        """
        if self.updating:
            raise ResumeError("The interruption came while the weights were being changed: this training cannot be continued.")
        kinds: dict[str, Mapping[str, Tensor]] = {"weights": self.parameters, "good": self.last_good}
        if self.options.average:
            kinds["average"] = self.averaged_parameters
        for kind, key in ADAM.items():
            kept = {n: self.optimiser.state[p][key] for n, p in self.adam_views.items() if p in self.optimiser.state}
            kinds[kind] = {n: t if key == "step" else _undo_memory_order(self.parameters[n], t) for n, t in kept.items()}
        tensors = {f"{kind}|{name}": t.detach().to("cpu", copy=copied) for kind, values in kinds.items() for name, t in values.items()}
        return TrainingState(
            prompt=self.prompt,
            base=self.base.family,
            base_hash=self.base_hash,
            encoder=self.encoder.name,
            options=self.options,
            step=self.index,
            lr=self.lr,
            seconds=seconds,
            targets=self.targets_hash,
            tensors=tensors | {"rng": self.rng_state.clone()},
            encoder_hash=self.encoder_hash,
        )

    @torch.no_grad()
    def restore(self, state: TrainingState) -> None:
        """Continue from ``state``, which :func:`nada_core.adaptation.resume.check_resumable` found to be of this run.

        Raises:
            ResumeError: its tensors do not fit, or hold numbers that no training comes to.
        """
        check_numbers(state)
        wanted: dict[str, Mapping[str, Tensor]] = {"weights": self.parameters, "good": self.last_good}
        if self.options.average:
            wanted["average"] = self.averaged_parameters
        moments = {kind: state.of_kind(kind) for kind in ADAM}
        try:
            for kind, values in wanted.items():
                stored = state.of_kind(kind)
                if stored.keys() != values.keys():
                    raise ResumeError(f"The training file lacks {kind} of some layers, or has others. Start the adaptation again.")
                for name, value in values.items():
                    _fill(value, stored[name])
            for name in moments["adam_step"]:
                parameter = self.parameters[name]
                memory = {key: _fill(torch.empty_like(parameter), moments[kind][name]) for kind, key in ADAM.items() if key != "step"}
                self.optimiser.state[self.adam_views[name]] = {
                    "step": _fill(torch.zeros(()), moments["adam_step"][name]),
                    **{key: moment.permute(_memory_order(parameter)) for key, moment in memory.items()},
                }
            self.rng.set_state(state.tensors["rng"])
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise ResumeError("The training file does not fit this generator, or is damaged. Start the adaptation again.") from error
        self.rng_state = self.rng.get_state()
        self.index, self.lr = state.step, state.lr

    def style(self, name: str | None, steps: int, loss: float, similarity: float) -> Style:
        """Return the weights of this moment, averaged where the options say so, as a style after ``steps`` steps."""
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
            steps=steps,
            loss=loss if math.isfinite(loss) else None,
            similarity=similarity if math.isfinite(similarity) else None,
            seed=self.options.seed,
            options=options,
            made_from="pictures" if self.from_pictures else "text",
            reading=reading_of(self.prompt, self.look),
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            versions=versions,
        )
        return Style(card, {n: p.detach().clone() for n, p in self.averaged_parameters.items()})


def reading_of(prompt: str, look: Look | None) -> dict[str, Any]:
    """Return what a style's card keeps of how its prompt was understood; nothing where it was not read as a look."""
    if look is None:
        return {}
    reading = read(prompt)
    return {"look": look.to_json(), "understood": [piece.title for piece in reading.understood], "unknown": list(reading.unknown)}


def drawable(encoder: ImageTextEncoder, prompt: str, options: AdaptOptions) -> Look | None:
    """Return the look that training faces are drawn in; None where the encoder reads texts as they are, or the options need texts.

    Raises:
        PromptError: nothing in the prompt is known, or it asks for a face as it is.
    """
    if not isinstance(encoder, ReadsLooks):
        return None
    look = encoder.look(prompt)
    if not look:
        raise PromptError(
            f"'{shown(prompt)}' means the same as the source '{shown(options.source)}': there is nothing to adapt. Choose another target."
        )
    published = options.preset is not None or options.adaptive_layers is not None or options.mixing or options.noise == "random"
    texts = options.manifold_weight or options.patch_weight
    return None if published or texts or encoder.look(options.source) else look


def _memory_order(tensor: Tensor) -> list[int]:
    """Return the dimensions of ``tensor`` from the one with the largest steps in memory to that with the smallest."""
    return sorted(range(tensor.ndim), key=tensor.stride, reverse=True)


def _undo_memory_order(parameter: Tensor, permuted: Tensor) -> Tensor:
    """Return a tensor permuted by ``parameter``'s memory order in its shape again."""
    order = _memory_order(parameter)
    return permuted.permute([order.index(dim) for dim in range(len(order))])


def _fill(tensor: Tensor, stored: Tensor) -> Tensor:
    """Return ``tensor``, in its own memory layout and on its device, with the values of ``stored``; nothing is broadcast or cast."""
    if stored.shape != tensor.shape or stored.dtype != tensor.dtype:
        raise ValueError(f"{tuple(stored.shape)} {stored.dtype} instead of {tuple(tensor.shape)} {tensor.dtype}")
    return tensor.copy_(stored)
