"""Adapt a generator to a text: StyleGAN-NADA's training loop as an iterator (Gal et al. 2021, arXiv:2108.00946, section 4).

A frozen generator and a trainable copy render the same latents; the copy is pulled along the text direction. :func:`adapt` yields one
:class:`AdaptationStep` a step; whoever iterates it shows previews, stops when they like and asks a step for its style.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from nada_core.adaptation.drawn_targets import look_options
from nada_core.adaptation.options import FAMILY_DEFAULTS, MAX_STEPS, MAX_TARGETS, AdaptOptions, resolve_options
from nada_core.adaptation.resume import TrainingState, check_resumable, encoder_hash, targets_hash
from nada_core.adaptation.start_near import find_start, parse_start, start_changes, start_text, start_words
from nada_core.adaptation.target_pictures import check_content
from nada_core.adaptation.training_run import TrainingRun, drawable
from nada_core.encoders.base import ImageTextEncoder, ReadsLooks
from nada_core.encoders.templates import PARTS
from nada_core.encoders.text_length import check_length
from nada_core.errors import OptionsError, ResumeError
from nada_core.generators.base import Generator, rendered_side
from nada_core.images.image_io import to_pil
from nada_core.inversion.base import Inversion
from nada_core.looks.prompts import check_prompt
from nada_core.losses import check_patches
from nada_core.styles.files import Style
from nada_core.styles.mixing import Delta, apply_mix
from nada_core.system.device import precision_context

__all__ = [
    "FAMILY_DEFAULTS",
    "MAX_STEPS",
    "MAX_TARGETS",
    "AdaptOptions",
    "AdaptationStep",
    "adapt",
    "check_options",
    "check_texts",
    "next_previews",
    "preview_images",
    "resolve_options",
]

#: Most time that previews take, against that of training between them: four faces take longer than half a step of two.
PREVIEW_SHARE = 0.2


@dataclass(frozen=True)
class AdaptationStep:
    """Hold the state after one optimisation step.

    Attributes:
        index: 1 for the first step; 0 only with ``preview_start``, for what training begins at: no loss, similarity or rest is known then.
        similarity: mean cosine to the text direction.
        seconds, eta: spent so far, a resumed run's earlier ones included, and expected still to come.
        previews: ``[P, 3, R, R]``, or None where it is too soon for new ones.
        begun: of the first step: where the run began, in words; empty where that was the generator itself.
        layers: with adaptive layers, the names of the slots whose layers this step trained; empty where all trained.
    """

    index: int
    steps: int
    loss: float
    similarity: float
    seconds: float
    eta: float
    lr: float
    previews: Tensor | None = None
    note: str = ""
    begun: str = ""
    layers: tuple[str, ...] = ()
    _run: Any = field(default=None, repr=False, compare=False)

    def style(self, name: str | None = None) -> Style:
        """Return a copy of the weights at this moment. Ask before advancing the iterator."""
        return self._run.style(name, self.index, self.loss, self.similarity)

    def checkpoint(self, *, copied: bool = True) -> TrainingState:
        """Return all that the next step depends on, for ``adapt(..., resume=...)``. Ask before advancing the iterator.

        Args:
            copied: else it shares its memory with the run, and is only true until the iterator is advanced.

        Raises:
            ResumeError: the iterator has moved on, or was interrupted while it changed the weights.
        """
        if self._run.index != self.index:
            raise ResumeError(f"The run is at step {self._run.index} already, past step {self.index}. Ask the latest step.")
        return self._run.state(self.seconds, copied=copied)


@torch.no_grad()
def preview_images(generator: Generator, options: AdaptOptions, person: Inversion | None = None) -> Tensor:
    """Return the fixed preview faces ``[P, 3, R, R]`` as ``generator`` draws them; a ``person`` takes the first one's place."""
    seeds = options.preview_seeds[1:] if person is not None else options.preview_seeds
    pictures, side = [], options.resolution or generator.resolutions[0]  # for looking at: never larger than need be
    ws = generator.mapping(generator.sample_z(seeds), options.preview_truncation) if seeds else None
    with precision_context(generator.device, options.precision):
        if person is not None:
            # on a copy: what an inversion adds to the weights must not stay in them
            own = apply_mix(copy.deepcopy(generator), generator, (), offsets=person.offsets)
            pictures.append(own.synthesis(person.ws, resolution=side).float())
        if ws is not None:
            pictures.append(generator.synthesis(ws, resolution=side).float())
    return torch.cat(pictures)


def check_options(base: Generator, encoder: ImageTextEncoder, options: AdaptOptions, *, pictures: bool = False) -> AdaptOptions:
    """Return ``options`` with the family's defaults, checked against what they are used with. Computes nothing.

    Args:
        pictures: pictures are the target, not a text.

    Raises:
        OptionsError: an option is out of range, or does not suit the generator, the encoder or pictures as a target.
    """
    options = resolve_options(options, base.family, looks=isinstance(encoder, ReadsLooks))
    rendered_side(base.resolutions, options.resolution)
    if options.adaptive_layers is not None and options.adaptive_layers > base.num_ws:
        raise OptionsError(f"adaptive_layers is {options.adaptive_layers}; this generator has {base.num_ws}.")
    if not base.layer_set(options.layers):
        raise OptionsError(f"layers is '{options.layers}'; this generator is too small to have any of them. Choose others.")
    if pictures and (options.manifold_weight or options.patch_weight):
        raise OptionsError("manifold_weight and patch_weight compare pictures with texts; leave them out where pictures are the target.")
    if options.patch_weight:
        check_patches(encoder)
    return options


def check_texts(encoder: ImageTextEncoder, prompt: str, options: AdaptOptions) -> None:
    """Refuse a prompt or a source that the encoder cannot read whole, in any sentence it is put into. Computes nothing.

    Raises:
        PromptError: with the person's own words.
    """
    check_prompt(options.source, "source")
    for text in (prompt, options.source):
        check_length(encoder, text, parts=PARTS[options.patch_parts] if options.patch_weight else ())


def adapt(
    base: Generator,
    encoder: ImageTextEncoder,
    prompt: str,
    options: AdaptOptions | None = None,
    images: Sequence[Tensor] | None = None,
    person: Inversion | None = None,
    resume: TrainingState | None = None,
    styles: Callable[[str], Style] | None = None,
    base_hash: str | None = None,
) -> Iterator[AdaptationStep]:
    """Adapt a copy of ``base`` to ``prompt``. Prompt and options are checked at once; the work happens as the result is iterated.

    Args:
        options: a resumed run's own by default.
        images: 1 to 16 pictures ``[1, 3, H, W]`` in [-1, 1] that show the target instead of the text, which is then only a name.
        person: an inverted photo to show in the previews, in place of the first face. It takes no part in the adaptation.
        resume: go on after this state, of :meth:`AdaptationStep.checkpoint` or :func:`nada_core.adaptation.resume.load_training`: on a
            CPU bit by bit as if the run had never stopped. ``options.steps`` counts from the start. It may be raised; where the rate
            falls towards the end of a run (MobileStyleGAN), it then follows the new length.
        styles: gives a ready style by its name, for ``options.start``; without it training begins at ``base``.
        base_hash: saves hashing a base whose hash is known.

    Raises:
        PromptError: the prompt is empty, too long, or outside what the encoder knows.
        PhotoError: a target picture shows nothing but one colour.
        OptionsError: an option is out of range, or does not suit the generator, the encoder or pictures as a target.
        StyleError: one that ``options.start`` names is missing, damaged, or of another generator.
        ResumeError: ``resume`` is of another base, prompt, encoder or setting, or has all its steps.
    """
    if images is not None and not 1 <= len(images) <= MAX_TARGETS:
        raise OptionsError(f"{len(images)} target pictures; between 1 and {MAX_TARGETS} are possible.")
    for number, image in enumerate(images or (), 1):
        check_content(to_pil(image), f"Target picture {number}")
    chosen = options or (resume.options if resume else AdaptOptions())
    if resume is not None and chosen.start is None:  # it began where it began
        chosen = replace(chosen, start=resume.options.start)
    options = check_options(base, encoder, chosen, pictures=bool(images))
    prompt = check_prompt(prompt)
    if not images:  # with them it is only a name
        check_texts(encoder, prompt, options)
    options = _suited(options, chosen, base.family, encoder, prompt, pictures=bool(images))
    base_hash = base_hash or base.content_hash()
    if resume is None:
        options, changes = _beginning(base, base_hash, encoder, prompt, options, styles, pictures=bool(images))
        run = TrainingRun(base, encoder, prompt, options, images, changes)
        run.base_hash = base_hash
        return _iterate(run, person, 0.0)
    check_resumable(  # before the run is prepared: to read the texts of all its losses can take half a minute
        resume,
        prompt=prompt,
        base=base.family,
        base_hash=base_hash,
        encoder=encoder.name,
        options=options,
        targets=targets_hash(images, None if images else drawable(encoder, prompt, options)),
        encoder_hash=(weights := encoder_hash(encoder)),
    )
    run = TrainingRun(base, encoder, prompt, options, images)
    run.base_hash, run.encoder_hash = base_hash, weights
    run.restore(resume)
    return _iterate(run, person, resume.seconds)


def _beginning(
    base: Generator,
    base_hash: str,
    encoder: ImageTextEncoder,
    prompt: str,
    options: AdaptOptions,
    styles: Callable[[str], Style] | None,
    *,
    pictures: bool,
) -> tuple[AdaptOptions, Delta]:
    """Return options that say where training begins, and what this changes in the weights of ``base``."""
    parts = parse_start(options.start or "")
    if styles is None:
        if parts:
            raise OptionsError("start names styles, and there is no library to take them from. Adapt with an Engine, or give `styles`.")
        return replace(options, start=""), {}
    near = options.start is None and not pictures and isinstance(encoder, ReadsLooks) and drawable(encoder, prompt, options) is not None
    if not near and not parts:
        return replace(options, start=""), {}
    if near:
        parts = find_start(encoder, prompt, options.source, base_hash)
    return replace(options, start=start_text(parts)), start_changes(parts, base, base_hash, styles)


def _suited(
    options: AdaptOptions, chosen: AdaptOptions, family: str, encoder: ImageTextEncoder, prompt: str, *, pictures: bool
) -> AdaptOptions:
    """Return ``options`` with the step sizes that suit the look, where the person chose none."""
    if chosen.preset is not None or not isinstance(encoder, ReadsLooks):
        return options
    # pictures may show anything: they get the rate of a look that changes every pixel
    factor, layers = (2.0, None) if pictures else look_options(encoder.look(prompt), family)
    if chosen.lr is None and options.lr is not None:
        options = replace(options, lr=options.lr * factor)
    if chosen.layer_rates is None and layers is not None:
        options = replace(options, layer_rates=layers)
    return options


def next_previews(pause: float, began: float, done: float) -> float:
    """Return the time from which previews are due again: after the pause, and not before others had their share. 0 is no pause at all."""
    return done + max(pause, (done - began) / PREVIEW_SHARE) if pause > 0 else done


def _begun(options: AdaptOptions) -> str:
    return f"Begun at a blend of ready styles: {start_words(options.start or '')}."


def _iterate(run: TrainingRun, person: Inversion | None, earlier: float) -> Iterator[AdaptationStep]:
    options, start, due = run.options, time.monotonic() - earlier, -math.inf
    if options.preview_start and options.start and run.index == 0:
        now = time.monotonic()
        begun_at = preview_images(run.averaged, options, person)
        due = next_previews(options.preview_seconds, now, time.monotonic())
        yield AdaptationStep(0, options.steps, math.nan, math.nan, now - start, math.nan, 0.0, begun_at, begun=_begun(options), _run=run)
    while run.index < options.steps:
        progress = run.advance()
        index = run.index
        previews = None
        begun = _begun(options) if index == 1 and options.start else ""
        now = time.monotonic()
        if now >= due or index == options.steps:
            previews = preview_images(run.averaged, options, person)
            due = next_previews(options.preview_seconds, now, time.monotonic())
        seconds = time.monotonic() - start
        eta = seconds / index * (options.steps - index)
        loss, similarity, rate, note, layers = progress
        yield AdaptationStep(index, options.steps, loss, similarity, seconds, eta, rate, previews, note, begun, layers, run)
