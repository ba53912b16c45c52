"""Sweep in a second: an engine of a few thousand weights that really adapts, and wears styles on photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from nada_core.adaptation.loop import preview_images
from nada_core.adaptation.options import resolve_options
from nada_core.editing.editor import PhotoEditor
from nada_core.editing.portrait import render_portrait
from nada_core.errors import OptionsError, PromptError
from nada_core.images.image_io import to_pil
from nada_core.rows.run import InProcess
from nada_core.styles.files import compact_style, load_style, save_style
from nada_core.styles.library import StyleLibrary
from nada_core.sweep.plan import read_plan
from nada_core.sweep.run import SweepStep, do_sweep
from nada_core.sweep.work import SweepWork
from tests.helpers.fake_laboratory import ColourEncoder, Laboratory, LaboratoryEditor
from tests.helpers.small_reports import selfie
from tests.helpers.small_styles import smooth_style

__all__ = ["SmallEngine", "plan_folder", "sweep", "sweep_steps"]


class Reader(ColourEncoder):
    """Reads all but one word."""

    def encode_text(self, texts):
        if any("gibberish" in text for text in texts):
            raise PromptError("Nothing in 'gibberish' is known here as a look.")
        return super().encode_text(texts)

    def look(self, text):
        self.encode_text([text])
        return text

    def regions(self, images):  # with look: it reads looks, as nada_core.encoders.base.ReadsLooks asks
        raise NotImplementedError

    maps = regions


class SmallEditor(LaboratoryEditor):
    """Photos below 100 px have no face."""

    identity = PhotoEditor.identity
    finish = PhotoEditor.finish

    def render(self, portrait, fitted=(), strengths=(None,), resolution=None):
        wanted = [strength for strength in strengths if strength is not None]
        pictures = render_portrait(self.generator, portrait.inversion, fitted, *([wanted] if wanted else []), resolution=resolution)
        return [to_pil(picture) for picture in pictures]


@dataclass
class SmallEngine(Laboratory):
    """``log`` has the texts of adaptations, ``editor.log`` what was done with photos; styles called "no student" have none."""

    worn: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.editor = SmallEditor(self.generator)
        self.students = SimpleNamespace(of=self._students)

    def preview_originals(self, options):
        return preview_images(self.generator, resolve_options(options, self.generator.family))

    def resolve_styles(self, model: Sequence[tuple[Path, float]]):
        return [(load_style(Path(path)), share) for path, share in model]

    def _students(self, styles):
        raise OptionsError("There is no instant version of these yet.")


def plan_folder(folder: Path, text: str) -> Path:
    """Write a plan, a photo with a face (face.png), one without (small.png), and a style (blue.safetensors); returns the plan."""
    folder.mkdir(exist_ok=True)
    selfie(folder / "face.png")
    selfie(folder / "other.png")
    base = SmallEngine().generator
    if not (folder / "blue.safetensors").exists():
        save_style(compact_style(smooth_style(base, name="blue", prompt="blue"), base), folder / "blue.safetensors")
    (folder / "plan.toml").write_text(text, "utf-8")
    return folder / "plan.toml"


def sweep_steps(plan: Path, out: Path, engine: SmallEngine):
    """The steps of one start."""
    return do_sweep(read_plan(plan), out, lambda: SweepWork(engine), InProcess(), StyleLibrary(out.parent / "styles"))


def sweep(plan: Path, out: Path, engine: SmallEngine) -> SweepStep:
    """The last of them."""
    for step in sweep_steps(plan, out, engine):  # noqa: B007 (the last one is used)
        pass
    return step
