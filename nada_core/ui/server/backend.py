"""Name the functions of the engine that the interface calls; tests put a fake engine in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.store import default_jobs_folder

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from PIL import Image

    from nada_core.adaptation.loop import AdaptationStep
    from nada_core.adaptation.options import AdaptOptions
    from nada_core.adaptation.resume import TrainingState
    from nada_core.styles.files import Style

__all__ = ["Backend", "check_request", "check_target", "default_backend", "keep_training", "pack_style", "read_training", "take_training"]


def check_request(engine: AppEngine, prompt: str | None, options: AdaptOptions) -> None:
    """Check a prompt (None: pictures are aimed at) and options without computing anything on the device.

    Raises:
        PromptError, OptionsError.
    """
    from nada_core.adaptation.loop import check_options, check_texts
    from nada_core.encoders.base import ReadsLooks
    from nada_core.looks.prompts import check_prompt

    options = check_options(engine.generator, engine.encoder, options, pictures=prompt is None)
    if prompt is None:
        return
    check_texts(engine.encoder, check_prompt(prompt), options)
    if isinstance(engine.encoder, ReadsLooks):
        engine.encoder.look(prompt)


def check_target(picture: Image.Image, name: str) -> None:
    """Refuse a picture to aim at that shows nothing. Raises PhotoError."""
    from nada_core.adaptation.target_pictures import check_content

    check_content(picture, name)


def keep_training(step: AdaptationStep, path: Path) -> None:
    """Write all that a run's next step depends on. Raises NadaError."""
    from nada_core.adaptation.resume import save_training

    save_training(path, step.checkpoint())


def take_training(step: AdaptationStep) -> Sequence[bytes | memoryview]:
    """Return what :func:`keep_training` would write, in parts that are the run's own memory: to be read before its next step."""
    from nada_core.adaptation.resume import training_parts

    return training_parts(step.checkpoint(copied=False))


def pack_style(style: Style) -> Sequence[bytes | memoryview]:
    """Return what ``Backend.export`` would write, in parts that are the style's own memory."""
    from nada_core.styles.files import style_parts

    return style_parts(style)


def read_training(path: Path) -> TrainingState:
    """Read what :func:`keep_training` wrote. Raises NadaError."""
    from nada_core.adaptation.resume import load_training

    return load_training(path)


@dataclass(frozen=True)
class Backend:
    """Hold the functions the interface calls; tests put a fake engine in their place."""

    engine: Callable[..., AppEngine]  # world=, base=, encoder= where the page asks for another one, None standing for no wish
    options: Callable[..., AdaptOptions]  # from its keywords
    export: Callable[[Style, Path], Any]  # writes one style file: complete or absent
    decode: Callable[[Any], Image.Image]  # of a path: RGB, or RGBA where there are transparent places; raises PhotoError
    target: Callable[[Image.Image, str], None] = check_target  # (picture to aim at, its name) raises PhotoError
    check: Callable[[AppEngine, str | None, AdaptOptions], None] = check_request  # of a prompt; raises NadaError
    keep_training: Callable[[AdaptationStep, Path], Any] = keep_training  # of a run that is stopped, to go on later
    take_training: Callable[[AdaptationStep], Sequence[bytes | memoryview]] = take_training  # for another machine to go on from
    pack_style: Callable[[Style], Sequence[bytes | memoryview]] = pack_style  # for another machine to write
    read_training: Callable[[Path], TrainingState] = read_training  # raises NadaError
    jobs_folder: Callable[[], Path] = default_jobs_folder  # where running styles are saved against crashes


def default_backend(engine_factory: Callable[..., AppEngine] | None = None) -> Backend:
    """Return the backend of the real engine. Imports wait for the first call, so that the page is up before torch is."""

    def engine(world: str | None = None, base: str | None = None, encoder: str | None = None) -> AppEngine:
        from nada_core.engine import Engine

        return Engine(world=world, base=base, encoder=encoder)

    def options(**values: Any) -> AdaptOptions:
        from nada_core.adaptation.loop import AdaptOptions

        return AdaptOptions(**values)

    def export(style: Style, path: Path) -> Path:
        from nada_core.styles.files import save_style

        return save_style(style, path)

    def decode(path: Any) -> Image.Image:
        from nada_core.images.image_io import decode_photo

        return decode_photo(path, alpha=True)

    return Backend(engine=engine_factory or engine, options=options, export=export, decode=decode)
