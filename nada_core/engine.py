"""The engine: everything the interfaces need, over the modules below. Networks load on first use and stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from nada_core.adaptation import MAX_TARGETS, AdaptationStep, AdaptOptions, adapt, preview_images, resolve_options
from nada_core.assets import REGISTRY, fetch, state
from nada_core.checkpoints import COMPACT_STORAGES, Style, StyleCard, check_base, compact_style, resolved_weights, save_style, styled
from nada_core.device import choose_device, tune_cpu_allocator
from nada_core.editing import EditProgress, EditResult, PhotoEditor
from nada_core.encoders.load import load_backbone, load_encoder
from nada_core.encoders.starter import StarterEncoder
from nada_core.errors import OptionsError
from nada_core.generators.base import Generator, rendered_side
from nada_core.generators.load import load_generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.images import to_tensor
from nada_core.inversion.base import Inversion
from nada_core.inversion.load import load_inverter, load_starter_inverter
from nada_core.inversion.optimisation import invert_options
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.inversion.photo_encoder import PhotoEncoder
from nada_core.inversion.starter import StarterInverter
from nada_core.latent_edit import LatentOptions, LatentStep, edit_latent
from nada_core.mixing import Strength, scaled_style
from nada_core.portrait import check_shares
from nada_core.prompts import CONCEPTS
from nada_core.recognition.arcface import ArcFace
from nada_core.recognition.load import ARCFACE, load_arcface
from nada_core.rendering import render
from nada_core.resume import TrainingState
from nada_core.styles import StyleEntry, StyleLibrary
from nada_core.walk import walk
from nada_core.worlds import STARTER, World, check_world, choose_world, missing_for

__all__ = ["Engine", "Model"]

MAX_BLEND = 4
#: What an edit takes for a style.
Model = str | Path | Style | Sequence[tuple[str | Path | Style, float]]


class Engine:
    """``adapt(prompt, steps)`` and ``edit(image, model)`` on one device.

    Args:
        device: ``auto`` (CUDA where there is one), ``cpu``, ``cuda``, ``cuda:1``, ``mps`` (untested).
        base: the generator: ``starter``, an asset's name (``stylegan2-ffhq``), or a file; by default the world's.
        encoder: the image-text encoder's name, as :func:`nada_core.encoders.load.load_encoder` takes it; by default the world's.
        styles_folder: where styles are saved; the user's data folder by default.
        world: ``starter`` or ``full``; by default what :func:`nada_core.worlds.choose_world` finds.
        inverter: ``starter``, ``e4e``, ``restyle-e4e`` or ``none``; by default the one that knows the generator.

    Raises:
        OptionsError: no such device or world.
    """

    def __init__(
        self,
        device: str = "auto",
        base: str | Path | None = None,
        encoder: str | None = None,
        styles_folder: Path | None = None,
        *,
        world: str | None = None,
        inverter: str | None = None,
    ) -> None:
        self.device = choose_device(device)
        self.library = StyleLibrary(styles_folder)
        check_world(world)
        self._wishes: dict[str, Any] = {"base": base, "encoder": encoder, "world": world, "inverter": inverter}
        self._choose = partial(choose_world, self.device.type, **self._wishes)
        self._arcface: ArcFace | None = None
        if self.device.type == "cpu":
            tune_cpu_allocator()

    def on(self, device: str) -> Engine:
        """The same networks on another device, loaded anew; the library of styles is shared.

        Raises:
            OptionsError: there is no such device.
        """
        moved = Engine(device, **self._wishes)
        moved.library, moved.parts = self.library, self.parts
        return moved

    @cached_property
    def parts(self) -> World:
        """The networks this engine works with; chosen on first use, since that may mean to download them."""
        return self._choose(download=True)

    @property
    def world(self) -> str:
        """``starter``, ``full`` or ``mixed``."""
        return self.parts.name

    @property
    def world_reason(self) -> str:
        """Why this world, in words for people."""
        return self.parts.reason

    def missing(self) -> list[str]:
        """What this engine would fetch from the Hub on first use, by name: see :func:`nada_core.worlds.missing_for`.

        Where that is nothing, the parts are those chosen here: a Hub that can be reached a moment later changes them no more.

        Raises:
            EncoderError: there is no such encoder.
        """
        parts = self._choose(download=False)
        if not (missing := missing_for(parts)):
            self.parts = parts
        return missing

    @cached_property
    def generator(self) -> Generator:
        """The frozen base generator."""
        base = self.parts.base
        if base == STARTER:
            return load_generator(None, self.device)
        return load_generator(fetch(str(base)) if str(base) in REGISTRY else base, self.device)

    @cached_property
    def base_hash(self) -> str:
        """The generator's :meth:`Generator.content_hash`, computed once: the base never changes."""
        return self.generator.content_hash()

    @cached_property
    def encoder(self) -> Any:
        """The image-text encoder."""
        return load_encoder(self.parts.encoder, self.device)

    @cached_property
    def editor(self) -> PhotoEditor:
        """Photo editing: detector, inversion, rendering, scores."""
        name = self.parts.inverter
        inverter: StarterInverter | PhotoEncoder | None = None
        if name == STARTER and self.generator.family != MobileStyleGAN.family:
            raise OptionsError(f"The starter's photo encoder does not know {self.generator.family}: use e4e, restyle-e4e or none.")
        if name == STARTER:
            inverter = load_starter_inverter(self.device)
        elif name != "none":
            inverter = load_inverter(name, device=self.device)
        backbone = inverter.backbone if isinstance(inverter, StarterInverter) else load_backbone().to(self.device)
        return PhotoEditor(self.generator, inverter, PerceptualLoss(backbone), self.encoder, self.base_hash)

    def concepts(self) -> list[str]:
        """Titles of the prompts that the starter encoder knows, the source project's five first; empty where any text is understood."""
        if not isinstance(self.encoder, StarterEncoder):
            return []
        return [CONCEPTS[key].title for key in self.encoder.concepts if key != "photo"]

    def preview_originals(self, options: AdaptOptions | None = None, person: Inversion | None = None) -> Tensor:
        """The preview faces before adaptation, ``[P, 3, R, R]`` in about [-1, 1]; a ``person`` takes the first one's place."""
        return preview_images(self.generator, resolve_options(options or AdaptOptions(), self.generator.family), person)

    def adapt(
        self,
        prompt: str,
        steps: int | None = None,
        *,
        options: AdaptOptions | None = None,
        images: Sequence[Any] | None = None,
        person: Inversion | None = None,
        resume: TrainingState | None = None,
    ) -> Iterator[AdaptationStep]:
        """Adapt the generator to ``prompt``; yields one :class:`AdaptationStep` a step. Checks its arguments before returning.

        Args:
            images: 1 to 16 pictures of the target instead of a text; faces in them are aligned, others are taken whole. ``prompt`` names
                them.
            person: an inverted photo (``EditResult.inversion``) to show in the previews, in place of the first face.
            resume: go on after this state (``AdaptationStep.checkpoint()``); its options are the default.

        Raises:
            PromptError, OptionsError, ResumeError, PhotoError: see :func:`nada_core.adaptation.adapt`.
        """
        options = options or (resume.options if resume else AdaptOptions())
        if steps is not None:
            options = replace(options, steps=steps)
        if options.resolution is not None:
            rendered_side(self.generator.resolutions, options.resolution)
        if images is not None and len(images) > MAX_TARGETS:  # before any of them is decoded and searched for a face
            raise OptionsError(f"{len(images)} target pictures; between 1 and {MAX_TARGETS} are possible.")
        targets = None if images is None else [to_tensor(self.editor.target(image)).to(self.device) for image in images]
        return adapt(self.generator, self.encoder, prompt, options, targets, person, resume)

    def styles(self) -> list[StyleCard]:
        """Cards of the styles made for this generator, ready ones first; ``card.name`` is what :meth:`style` and :meth:`edit` take."""
        return [entry.card for entry in self.style_entries()]

    def style(self, style: str | Path | Style) -> Style:
        """Load a style: a name, a file, or ``hf:user/repo`` (:mod:`nada_core.hub_styles`); one that is loaded is given back.

        Pass only listed names on from a web page.

        Raises:
            StyleError: missing or damaged.
        """
        return style if isinstance(style, Style) else self.library.load(style, lambda: self.generator)

    def save_style(self, style: Style, name: str | None = None) -> str:
        """Save into the user's folder; returns the name it got.

        Raises:
            StyleError: the folder cannot be written.
        """
        return self.library.save(style, name)

    def look(self, model: Model) -> list[tuple[Style, float]]:
        """Styles and shares that ``model`` stands for: a style, its name, its file, or a sequence of ``(one of these, share)``.

        Raises:
            StyleError: missing, damaged, or made for another generator; OptionsError: no style at all, or shares that make no blend.
        """
        if isinstance(model, (str, Path, Style)):
            return [(self._own(model), 1.0)]
        parts = list(model)
        if not 1 <= len(parts) <= MAX_BLEND:
            raise OptionsError(f"{len(parts)} styles to blend; between 1 and {MAX_BLEND} are possible.")
        shares = check_shares([share for _, share in parts], len(parts))
        return [(self._own(part), share) for (part, _), share in zip(parts, shares, strict=True)]

    def _own(self, style: str | Path | Style) -> Style:
        """A style that this generator can wear: a photo is not looked at for another's. Raises StyleError."""
        loaded = self.style(style)
        check_base(loaded.card, self.generator, self.base_hash)
        return loaded

    def style_entries(self) -> list[StyleEntry]:
        """Cards with file size, whether they are ready ones, and a stamp that changes with the file; of this generator's styles."""
        return [entry for entry in self.library.entries() if entry.card.base_hash == self.base_hash]

    def rename_style(self, name: str, new: str) -> str:
        """See :meth:`StyleLibrary.rename`."""
        return self.library.rename(name, new)

    def delete_style(self, name: str) -> None:
        """See :meth:`StyleLibrary.delete`."""
        self.library.delete(name)

    def import_style(self, path: Path, *, compact: bool = True) -> str:
        """Take a style file for this generator into the library; ``compact``: only small delta files, as from the web."""
        return self.library.import_file(path, self.generator, compact=compact)

    def scaled(self, style: str | Path | Style, strength: float) -> Style:
        """A style that does ``strength`` times as much, 0 to 1.5.

        Raises:
            StyleError: missing, damaged, or made for another base; OptionsError: a strength out of range.
        """
        chosen = self.style(style)
        return chosen if strength == 1 else scaled_style(chosen, self.generator, strength, self.base_hash)

    def export_style(self, style: str | Path | Style, path: Path, *, full: bool = False) -> None:
        """Write a style's compact file, or with ``full`` all values bit for bit.

        Raises:
            StyleError: missing, damaged, made for another base, or the file cannot be written.
        """
        style = self.style(style)
        if full:
            weights = resolved_weights(style, self.generator, self.base_hash)
            style = Style(replace(style.card, storage="full"), weights)
        elif style.card.storage not in COMPACT_STORAGES:
            style = compact_style(style, self.generator)
        save_style(style, path)

    def walk(self, seeds: Sequence[int], style: str | Path | Style, frames_between: int = 8) -> Iterator[Image.Image]:
        """Frames of a closed walk between the seeds' faces in a style."""
        return walk(styled(self.generator, self.style(style), self.base_hash), seeds, frames_between)

    def edit_steps(
        self,
        image: Any,
        model: Model = "joker",
        *,
        strength: float | Strength = 1.0,
        face: int = 0,
        resolution: int | None = None,
        mode: str = "balanced",
        points: Sequence[Sequence[float]] | None = None,
    ) -> Iterator[EditProgress]:
        """Stylise a photo, stage by stage; the last item carries the :class:`EditResult`.

        Args:
            image: path, bytes, PIL image or uint8 array.
            model: a style, its name, or its file; or a blend, a sequence of ``(style, share)``.
            strength: 0 (the inverted photo) to 1.5; a :class:`Strength` sets it by layer group.
            face: which face, 0 being the largest.
            resolution: one of the generator's resolutions; by default its smallest.
            mode: ``fast``, ``balanced`` or ``faithful``: how long the likeness is worked on.
            points: both eyes and the mouth, ``(x, y)`` each in the upright photo, where no detector finds the face.

        Raises:
            PhotoError, NoFaceError, StyleError, OptionsError.
        """
        invert_options(mode)  # an unknown one is refused now, not when the first stage is asked for
        even = strength if isinstance(strength, Strength) else Strength.even(strength)
        resolution = rendered_side(self.generator.resolutions, resolution)
        styles = self.look(model)
        return self.editor.edit_steps(image, styles, strength=even, face=face, points=points, resolution=resolution, mode=mode)

    def edit(self, image: Any, model: Model = "joker", **options: Any) -> EditResult:
        """:meth:`edit_steps`, with the same options, run to its end."""
        result = None
        for progress in self.edit_steps(image, model, **options):
            result = progress.result or result
        assert result is not None
        return result

    def identity_guide(self, wanted: bool | None = None) -> ArcFace | None:
        """The face recogniser that may guide a latent edit; dlib's, which judges here, never does.

        Args:
            wanted: None: ArcFace where its file is on this machine, nothing is downloaded; True: ArcFace, fetched if need be; False: none.

        Raises:
            AssetError: it is wanted and could not be fetched; GeneratorError: its file cannot be used.
        """
        if wanted is False:
            return None
        if self._arcface is None:
            found = state(ARCFACE, verify=True)
            if found.absent and not wanted:
                return None
            self._arcface = load_arcface(None if found.absent else found.path, self.device)
        return self._arcface

    def latent_edit_steps(
        self,
        prompt: str,
        inversion: Inversion,
        options: LatentOptions | None = None,
        identity: Callable[[Tensor], Tensor] | bool | None = None,
    ) -> Iterator[LatentStep]:
        """Move an inversion's latent towards ``prompt`` and leave the generator as it is: :func:`nada_core.latent_edit.edit_latent`.

        Args:
            identity: whose identity term: a recogniser of the caller's; None, True or False: as :meth:`identity_guide`. Without a weight
                for it in the options there is none unless a recogniser is given.

        Raises:
            PromptError, OptionsError, AssetError, GeneratorError.
        """
        options = options or LatentOptions()
        if identity is True and not options.identity_weight:
            raise OptionsError("An identity term is asked for and identity_weight is 0; give it a weight, 0.005 as in StyleCLIP, or none.")
        guide: Callable[[Tensor], Tensor] | None
        if identity is None or isinstance(identity, bool):
            guide = self.identity_guide(identity) if options.identity_weight else None
        else:
            guide = identity
        return edit_latent(self.generator, self.encoder, prompt, inversion, options, guide)

    def sample(
        self, seeds: Sequence[int], style: str | Path | Style | None = None, resolution: int | None = None, truncation_psi: float = 0.7
    ) -> Tensor:
        """Faces of the given seeds, in a style or plain: ``[len(seeds), 3, R, R]`` in about [-1, 1].

        Raises:
            StyleError, OptionsError.
        """
        resolution = rendered_side(self.generator.resolutions, resolution)
        if not len(seeds):
            raise OptionsError("No seeds were given; at least one is needed.")
        generator = self.generator
        if style is not None:
            generator = styled(self.generator, self.style(style), self.base_hash)
        with torch.no_grad():
            ws = generator.mapping(generator.sample_z(seeds), truncation_psi)
        # one at a time: a 1024 px batch needs gigabytes
        return torch.cat([render(generator, row[None], resolution) for row in ws])
