"""Adapt, edit and keep styles for every interface, over the modules below. Networks load on first use and stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from nada_core.adaptation.latent_edit import LatentOptions, LatentStep, edit_latent
from nada_core.adaptation.loop import AdaptationStep, AdaptOptions, preview_images, resolve_options
from nada_core.adaptation.loop import adapt as run_adaptation
from nada_core.adaptation.resume import TrainingState
from nada_core.alignment.faces import check_face_number
from nada_core.arguments import Model, blend_parts, check_text, check_truncation, file_path, target_pictures
from nada_core.assets.store import REGISTRY, fetch
from nada_core.editing.base import EditResult, EditStages
from nada_core.editing.editor import PhotoEditor
from nada_core.editing.instant import edit_instantly, one_strength
from nada_core.editing.load import load_editor
from nada_core.editing.portrait import AlignedPhoto
from nada_core.editing.session import edit_aligned
from nada_core.encoders.base import ReadsLooks
from nada_core.encoders.load import load_encoder
from nada_core.errors import OptionsError
from nada_core.films.restyle import FilmSteps, restyle_film
from nada_core.generators.base import Generator, check_seeds, rendered_side
from nada_core.generators.latent_walk import walk
from nada_core.generators.load import load_generator
from nada_core.generators.rendering import render
from nada_core.images.image_io import to_tensor
from nada_core.images.sheets import download_metadata
from nada_core.inversion.base import Inversion
from nada_core.inversion.optimisation import invert_options
from nada_core.looks.prompts import SUGGESTED_PROMPTS
from nada_core.recognition.arcface import ArcFace
from nada_core.recognition.load import find_arcface
from nada_core.students.distil import DistilOptions, DistilStep, distil
from nada_core.students.library import INSTANT, StudentLibrary
from nada_core.students.textures import STAGES
from nada_core.styles.files import COMPACT_STORAGES, Style, StyleCard, check_base, compact_style, resolved_weights, save_style, styled
from nada_core.styles.library import StyleEntry, StyleLibrary
from nada_core.styles.mixing import Strength, scaled_style
from nada_core.system.device import choose_device, tune_cpu_allocator
from nada_core.worlds import STARTER, World, check_world, choose_world, missing_for

__all__ = ["Engine", "Model"]


class Engine:
    """Run ``adapt(prompt, steps)`` and ``edit(image, model)`` on one device.

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
        self.library.sweep()
        check_world(world)
        self._wishes: dict[str, Any] = {"base": base, "encoder": encoder, "world": world, "inverter": inverter}
        self._choose = partial(choose_world, self.device.type, **self._wishes)
        self._arcface: ArcFace | None = None
        if self.device.type == "cpu":
            tune_cpu_allocator()

    def on(self, device: str) -> Engine:
        """Return an engine with the same networks on another device, loaded anew; styles are shared. Raises OptionsError."""
        moved = Engine(device, **self._wishes)
        moved.library, moved.parts = self.library, self.parts
        return moved

    @cached_property
    def parts(self) -> World:
        """Return the names of this engine's networks; chosen on first use, since that may mean to download them."""
        return self._choose(download=True)

    @property
    def world(self) -> str:
        """Return ``starter``, ``full`` or ``mixed``."""
        return self.parts.name

    @property
    def world_reason(self) -> str:
        """Say why this world, in words for people."""
        return self.parts.reason

    def missing(self) -> list[str]:
        """Return names of what this engine would fetch from the Hub on first use (:func:`nada_core.worlds.missing_for`).

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
        """Return the frozen base generator."""
        base = self.parts.base
        if base == STARTER:
            return load_generator(None, self.device)
        return load_generator(fetch(str(base)) if str(base) in REGISTRY else base, self.device)

    @cached_property
    def base_hash(self) -> str:
        """Return the generator's :meth:`Generator.content_hash`, computed once: the base never changes."""
        return self.generator.content_hash()

    @cached_property
    def encoder(self) -> Any:
        """Return the image-text encoder."""
        return load_encoder(self.parts.encoder, self.device)

    @cached_property
    def editor(self) -> PhotoEditor:
        """Return the photo editor: detector, inversion, rendering, scores."""
        return load_editor(self.parts.inverter, self.generator, self.encoder, self.base_hash)

    def concepts(self) -> list[str]:
        """Return prompts worth a try where texts are read as looks, the source project's five first; empty where CLIP reads them."""
        return list(SUGGESTED_PROMPTS) if isinstance(self.encoder, ReadsLooks) else []

    def preview_originals(self, options: AdaptOptions | None = None, person: Inversion | None = None) -> Tensor:
        """Return preview faces before adaptation, ``[P, 3, R, R]`` in about [-1, 1]; a ``person`` takes the first one's place."""
        return preview_images(self.generator, resolve_options(options or AdaptOptions(), self.generator.family), person)

    def adapt(
        self,
        prompt: str,
        steps: int | None = None,
        *,
        options: AdaptOptions | None = None,
        images: Any | None = None,
        person: Inversion | None = None,
        resume: TrainingState | None = None,
    ) -> Iterator[AdaptationStep]:
        """Adapt the generator to ``prompt``; yield one :class:`AdaptationStep` a step. Arguments are checked before it returns.

        Args:
            images: 1 to 16 pictures of the target instead of a text, or one without a list; faces in them are aligned where the
                generator draws faces, and all else is taken whole. ``prompt`` names them.
            person: an inverted photo (``EditResult.inversion``) to show in the previews, in place of the first face.
            resume: go on after this state (``AdaptationStep.checkpoint()``); its options are the default.

        Raises:
            PromptError, OptionsError, ResumeError, PhotoError: see :func:`nada_core.adaptation.loop.adapt`.
        """
        options = options or (resume.options if resume else AdaptOptions())
        if steps is not None:
            options = replace(options, steps=steps)
        if options.resolution is not None:
            rendered_side(self.generator.resolutions, options.resolution)
        pictures = None if images is None else target_pictures(images)
        targets = None if pictures is None else [to_tensor(self.editor.target(picture)).to(self.device) for picture in pictures]
        return run_adaptation(self.generator, self.encoder, prompt, options, targets, person, resume, self.library.load, self.base_hash)

    def styles(self) -> list[StyleCard]:
        """Return cards of the styles made for this generator, ready ones first; :meth:`style` and :meth:`edit` take ``card.name``."""
        return [entry.card for entry in self.style_entries()]

    def style(self, style: str | Path | Style) -> Style:
        """Load a style: a name, a file, or ``hf:user/repo`` (:mod:`nada_core.styles.hub`); one that is loaded is given back.

        Pass only listed names on from a web page.

        Raises:
            StyleError: missing or damaged.
        """
        return style if isinstance(style, Style) else self.library.load(style, lambda: self.generator)

    def save_style(self, style: Style, name: str | None = None) -> str:
        """Save a style into the user's folder and return the name it got.

        Raises:
            StyleError: the folder cannot be written; OptionsError: a name that is no text.
        """
        if name is not None:
            check_text(name, "The style's name")
        return self.library.save(style, name)

    def resolve_styles(self, model: Model) -> list[tuple[Style, float]]:
        """Return styles and shares that ``model`` stands for: a style, its name, its file, or a sequence of ``(one of these, share)``.

        Raises:
            StyleError: missing, damaged, or made for another generator; OptionsError: no style at all, or shares that make no blend.
        """
        return [(self._own(part), share) for part, share in blend_parts(model)]

    def _own(self, style: str | Path | Style) -> Style:
        """Return a style that this generator can wear: no photo is looked at for another's. Raises StyleError."""
        loaded = self.style(style)
        check_base(loaded.card, self.generator, self.base_hash)
        return loaded

    def style_entries(self) -> list[StyleEntry]:
        """Return cards with file size, whether ready ones, and a stamp that changes with the file; of this generator's styles."""
        return [entry for entry in self.library.entries() if entry.card.base_hash == self.base_hash]

    def rename_style(self, name: str, new: str) -> str:
        """Rename a saved style: :meth:`StyleLibrary.rename`."""
        check_text(new, "The new name")
        return self.library.rename(name, new)

    def delete_style(self, name: str) -> None:
        """Delete a saved style: :meth:`StyleLibrary.delete`."""
        self.library.delete(name)

    def import_style(self, path: str | Path, *, compact: bool = True) -> str:
        """Take a style file for this generator into the library; ``compact``: only small delta files, as from the web."""
        return self.library.import_file(file_path(path, "The style file"), self.generator, compact=compact, trial=True)

    def scaled(self, style: str | Path | Style, strength: float) -> Style:
        """Return a style that does ``strength`` times as much, 0 to 1.5.

        Raises:
            StyleError: missing, damaged, or made for another base; OptionsError: a strength out of range.
        """
        chosen = self.style(style)
        return chosen if strength == 1 else scaled_style(chosen, self.generator, strength, self.base_hash)

    def export_style(self, style: str | Path | Style, path: str | Path, *, full: bool = False) -> None:
        """Write a style's compact file, or with ``full`` all values bit for bit.

        Raises:
            StyleError: missing, damaged, made for another base, or the file cannot be written; OptionsError: no path.
        """
        target = file_path(path, "The file to write")
        style = self.style(style)
        if full:
            weights = resolved_weights(style, self.generator, self.base_hash)
            style = Style(replace(style.card, storage="full"), weights)
        elif style.card.storage not in COMPACT_STORAGES:
            style = compact_style(style, self.generator)
        save_style(style, target)

    def walk(self, seeds: Sequence[int], style: str | Path | Style, frames_between: int = 8) -> Iterator[Image.Image]:
        """Yield frames of a closed walk between the seeds' faces in a style."""
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
        everyone: bool = False,
    ) -> EditStages:
        """Stylise a photo, stage by stage; the last item carries the :class:`EditResult`.

        Args:
            image: path, bytes, PIL image or uint8 array.
            model: a style, its name, or its file; or a blend, a sequence of ``(style, share)``.
            strength: 0 (the inverted photo) to 1.5; a :class:`Strength` sets it by layer group.
            face: which face, 0 being the largest.
            resolution: one of the generator's resolutions; by default its smallest, or 1024 px where the mode is instant.
            mode: ``fast``, ``balanced`` or ``faithful``: how long the likeness is worked on; ``instant``: not at all, a student does it.
            points: both eyes and the mouth, ``(x, y)`` each in the upright photo, where no detector finds the face.
            everyone: all faces that are found, the largest first; the last item's ``results`` has one for each.

        Raises:
            PhotoError, NoFaceError, StyleError, OptionsError.
        """
        check_face_number(face)
        if mode != INSTANT:
            invert_options(mode, (INSTANT,))  # an unknown one is refused now, not when the first stage is asked for
        even = strength if isinstance(strength, Strength) else Strength.even(strength)
        styles = self.resolve_styles(model)
        align = partial(self.editor.align_people, image, face, points, everyone)
        if mode == INSTANT:
            return edit_instantly(self.editor, align, self.students.of(styles), strength=even, resolution=resolution)
        resolution = rendered_side(self.generator.resolutions, resolution)
        return edit_aligned(self.editor, align, styles, strength=even, resolution=resolution, mode=mode)

    def wear_at_once(
        self, people: Sequence[AlignedPhoto], styles: Sequence[tuple[Style, float]], strength: float = 1.0
    ) -> tuple[EditResult, ...] | None:
        """Put a blend of styles on aligned faces by their students; None where a style has none. Raises OptionsError."""
        if not (students := self.students.all_of(styles)):
            return None
        *_, last = edit_instantly(self.editor, lambda: people, students, strength=Strength.even(strength))
        return last.results

    def edit(self, image: Any, model: Model = "joker", **options: Any) -> EditResult:
        """Stylise a photo: :meth:`edit_steps`, with the same options, run to its end."""
        for progress in self.edit_steps(image, model, **options):
            result = progress.result
        assert result is not None
        return result

    def film_steps(self, source: str | Path, model: Model, out: str | Path, strength: float | Strength = 1.0, **options: Any) -> FilmSteps:
        """Put a style on everybody in a film: :func:`nada_core.films.restyle.restyle_film`, with its options (limits, overwrite, students).

        Raises:
            FilmError, StyleError, OptionsError (a style has no student).
        """
        film, target = file_path(source, "The film"), file_path(out, "The film to write")
        even = one_strength(strength if isinstance(strength, Strength) else Strength.even(strength))
        styles = self.resolve_styles(model)
        students = options.pop("students", None) or self.students.of(styles, "or choose another style")
        options["labels"] = download_metadata(", ".join(style.card.name for style, _ in styles), f"{even:g}", self.world)
        return restyle_film(film, target, students, self.editor.detector, partial(self.editor.head, size=256), strength=even, **options)

    @cached_property
    def students(self) -> StudentLibrary:
        """Return the students of styles: small networks that wear them in milliseconds."""
        return StudentLibrary(self.library.folder / "students")

    def distil(self, style: str | Path | Style, options: DistilOptions | None = None) -> Iterator[DistilStep]:
        """Train the student of a style: :func:`nada_core.students.distil.distil`; ``engine.students.keep(step.student)`` keeps it."""
        return distil(self.generator, self._own(style), partial(self.editor.perceptual.backbone, stages=STAGES), options)

    def identity_guide(self, wanted: bool | None = None) -> ArcFace | None:
        """Return ArcFace, which may guide a latent edit; dlib's recogniser, which judges here, never does.

        Args:
            wanted: None: where its file is on this machine; True: fetched if need be; False: none.

        Raises:
            AssetError: it could not be fetched; GeneratorError: its file cannot be used.
        """
        if wanted is False:
            return None
        if self._arcface is None:
            self._arcface = find_arcface(self.device, fetch=bool(wanted))
        return self._arcface

    def latent_edit_steps(
        self,
        prompt: str,
        inversion: Inversion,
        options: LatentOptions | None = None,
        identity: Callable[[Tensor], Tensor] | bool | None = None,
    ) -> Iterator[LatentStep]:
        """Move an inversion's latent towards ``prompt``, not the generator (:func:`nada_core.adaptation.latent_edit.edit_latent`).

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
        """Return faces of seeds, in a style or plain: ``[len(seeds), 3, R, R]`` in about [-1, 1]. Raises StyleError, OptionsError."""
        resolution = rendered_side(self.generator.resolutions, resolution)
        check_truncation(truncation_psi)
        seeds = check_seeds(seeds)
        if not seeds:
            raise OptionsError("No seeds were given; at least one is needed.")
        generator = self.generator
        if style is not None:
            generator = styled(self.generator, self.style(style), self.base_hash)
        with torch.no_grad():
            ws = generator.mapping(generator.sample_z(seeds), truncation_psi)
        # one at a time: a 1024 px batch needs gigabytes
        return torch.cat([render(generator, row[None], resolution) for row in ws])
