"""The engine: everything the interfaces need, over the modules below. Networks load on first use and stay."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nada_core.adaptation import MAX_TARGETS, AdaptationStep, AdaptOptions, adapt, preview_images, resolve_options
from nada_core.checkpoints import Style, StyleCard, apply_style
from nada_core.device import choose_device, tune_cpu_allocator
from nada_core.editing import EditProgress, EditResult, PhotoEditor
from nada_core.encoders.load import load_encoder
from nada_core.encoders.starter import StarterEncoder
from nada_core.errors import OptionsError
from nada_core.generators.base import Generator
from nada_core.generators.load import load_generator
from nada_core.images import to_tensor
from nada_core.inversion.load import load_starter_inverter
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.prompts import CONCEPTS
from nada_core.rendering import render
from nada_core.styles import StyleLibrary

__all__ = ["Engine"]


class Engine:
    """``adapt(prompt, steps)`` and ``edit(image, model)`` on one device.

    Args:
        device: ``auto`` (CUDA where there is one), ``cpu``, ``cuda``, ``cuda:1``, ``mps`` (untested).
        base: the generator: ``None`` for the starter world's, or a file.
        encoder: the image-text encoder's name.
        styles_folder: where styles are saved; the user's data folder by default.
    """

    world = "starter"
    world_reason = (
        "the weights that need no hub: MobileStyleGAN-FFHQ and this project's text-image encoder. The full world is not built yet"
    )

    def __init__(
        self, device: str = "auto", base: str | Path | None = None, encoder: str = "starter", styles_folder: Path | None = None
    ) -> None:
        self.device = choose_device(device)
        self.library = StyleLibrary(styles_folder)
        self._base, self._encoder = base, encoder
        if self.device.type == "cpu":
            tune_cpu_allocator()

    @cached_property
    def generator(self) -> Generator:
        """The frozen base generator."""
        return load_generator(self._base, self.device)

    @cached_property
    def encoder(self) -> Any:
        """The image-text encoder."""
        return load_encoder(self._encoder, self.device)

    @cached_property
    def editor(self) -> PhotoEditor:
        """Photo editing: detector, inversion, rendering, scores."""
        inverter = load_starter_inverter(self.device)
        return PhotoEditor(self.generator, inverter, PerceptualLoss(inverter.backbone), self.encoder)

    def concepts(self) -> list[str]:
        """Titles of the prompts that the starter encoder knows, the source project's five first; empty where any text is understood."""
        if not isinstance(self.encoder, StarterEncoder):
            return []
        return [CONCEPTS[key].title for key in self.encoder.concepts if key != "photo"]

    def preview_originals(self, options: AdaptOptions | None = None) -> Tensor:
        """The preview faces before adaptation, ``[P, 3, 256, 256]`` in about [-1, 1]."""
        return preview_images(self.generator, resolve_options(options or AdaptOptions(), self.generator.family))

    def adapt(
        self, prompt: str, steps: int | None = None, *, options: AdaptOptions | None = None, images: Sequence[Any] | None = None
    ) -> Iterator[AdaptationStep]:
        """Adapt the generator to ``prompt``; yields one :class:`AdaptationStep` a step. Checks its arguments before returning.

        Args:
            images: 1 to 16 pictures of the target instead of a text; faces in them are aligned, others are taken whole. ``prompt`` names
                them.

        Raises:
            PromptError, OptionsError: see :func:`nada_core.adaptation.adapt`.
        """
        options = options or AdaptOptions()
        if steps is not None:
            options = replace(options, steps=steps)
        if options.resolution is not None:
            self._check_resolution(options.resolution)
        if images is not None and len(images) > MAX_TARGETS:  # before any of them is decoded and searched for a face
            raise OptionsError(f"{len(images)} target pictures; between 1 and {MAX_TARGETS} are possible.")
        targets = None if images is None else [to_tensor(self.editor.target(image)).to(self.device) for image in images]
        return adapt(self.generator, self.encoder, prompt, options, targets)

    def _check_resolution(self, resolution: int) -> None:
        possible = self.generator.resolutions
        if resolution not in possible:
            raise OptionsError(f"resolution is {resolution}; this generator renders at {' or '.join(map(str, possible))}.")

    def styles(self) -> list[StyleCard]:
        """Cards of all styles, ready ones first; ``card.name`` is what :meth:`style` and :meth:`edit` take."""
        return self.library.cards()

    def style(self, name_or_path: str | Path) -> Style:
        """Load a style.

        Raises:
            StyleError: missing or damaged.
        """
        return self.library.load(name_or_path)

    def save_style(self, style: Style, name: str | None = None) -> str:
        """Save into the user's folder; returns the name it got.

        Raises:
            StyleError: the folder cannot be written.
        """
        return self.library.save(style, name)

    def edit_steps(
        self, image: Any, model: str | Path | Style = "joker", *, strength: float = 1.0, face: int = 0, resolution: int = 256
    ) -> Iterator[EditProgress]:
        """Stylise a photo, stage by stage; the last item carries the :class:`EditResult`.

        Args:
            image: path, bytes, PIL image or uint8 array.
            model: a style, its name, or its file.
            strength: 0 (the inverted photo) to 1.3.
            face: which face, 0 being the largest.
            resolution: one of the generator's resolutions.

        Raises:
            PhotoError, NoFaceError, StyleError, OptionsError.
        """
        if not 0 <= strength <= 1.5:
            raise OptionsError(f"strength is {strength}; it must be between 0 and 1.5.")
        self._check_resolution(resolution)
        style = model if isinstance(model, Style) else self.style(model)
        return self.editor.edit_steps(image, style, strength=strength, face=face, resolution=resolution)

    def edit(
        self, image: Any, model: str | Path | Style = "joker", *, strength: float = 1.0, face: int = 0, resolution: int = 256
    ) -> EditResult:
        """:meth:`edit_steps` run to its end."""
        result = None
        for progress in self.edit_steps(image, model, strength=strength, face=face, resolution=resolution):
            result = progress.result or result
        assert result is not None
        return result

    def sample(
        self, seeds: Sequence[int], style: str | Path | Style | None = None, resolution: int = 256, truncation_psi: float = 0.7
    ) -> Tensor:
        """Faces of the given seeds, in a style or plain: ``[len(seeds), 3, R, R]`` in about [-1, 1].

        Raises:
            StyleError, OptionsError.
        """
        self._check_resolution(resolution)
        if not len(seeds):
            raise OptionsError("No seeds were given; at least one is needed.")
        generator = self.generator
        if style is not None:
            chosen = style if isinstance(style, Style) else self.style(style)
            generator = apply_style(copy.deepcopy(self.generator), self.generator, chosen)
        with torch.no_grad():
            ws = generator.mapping(generator.sample_z(seeds), truncation_psi)
        # one at a time: a 1024 px batch needs gigabytes
        return torch.cat([render(generator, row[None], resolution) for row in ws])
