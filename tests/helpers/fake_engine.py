"""Stand in for nada_core.engine.Engine, without weights: drawn faces that drift towards a colour, same shapes and errors."""

from __future__ import annotations

import colorsys
import json
import math
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

from nada_core.errors import OptionsError, PromptError, StyleError
from nada_core.images.image_io import decode_photo
from nada_core.styles.library import StyleEntry
from nada_core.ui import Backend
from nada_core.worlds import STARTER, World
from tests.helpers.fake_editor import FakeEditor, FakeResult, rest
from tests.helpers.fake_films import fake_film
from tests.helpers.fake_students import FakeStudents

CONCEPTS = [
    "Joker", "Joker face", "Joker smile", "Joker makeup", "Joker cosplay", "Zombie", "Vampire", "Clown", "Hulk",
    "Na'vi", "Robot", "Old person", "Pencil sketch", "Oil painting", "Watercolour", "Pixel art", "Sepia photograph",
    "Bronze statue", "Marble statue", "Cartoon", "Neon", "Gold", "Black and white", "Blue skin", "Green skin",
    "Red skin", "Green hair", "Blue hair", "Red hair", "Sunburnt",
]  # fmt: skip


@dataclass(frozen=True)
class FakeOptions:
    steps: int = 60
    lr: float | None = None
    layers: str = "all"
    seed: int = 0
    source: str = "face"
    start: str | None = None
    preview_start: bool = False
    batch: int = 2
    truncation_psi: float = 0.8
    preview_seeds: tuple[int, ...] = (0, 1, 2, 3)
    preview_truncation: float = 0.7

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 1000:
            raise OptionsError(f"steps must be between 1 and 1000, got {self.steps}.")


@dataclass(frozen=True)
class FakeCard:
    name: str
    prompt: str
    steps: int = 60
    source: str = "face"
    base: str = "mobile_stylegan"
    loss: float | None = 0.21
    similarity: float | None = 0.8
    seed: int = 0
    options: dict[str, Any] = field(default_factory=lambda: {"layers": "all", "lr": 0.0002, "batch": 2})
    storage: str = "delta"
    created: str = "2026-11-22T15:57:53+00:00"
    title: str = ""


@dataclass(frozen=True)
class FakeStyle:
    card: FakeCard
    amount: float = 1.0


@dataclass(frozen=True)
class FakeStep:
    index: int
    steps: int
    loss: float
    seconds: float
    eta: float
    previews: torch.Tensor | None
    prompt: str
    note: str = ""
    begun: str = ""
    similarity: float = 0.0

    def style(self) -> FakeStyle:
        return FakeStyle(FakeCard(self.prompt, self.prompt, self.index), self.index / self.steps)


@lru_cache(maxsize=64)
def draw_face(seed: int, size: int = 256) -> Image.Image:
    """A simple portrait, different for every seed."""
    random = np.random.default_rng(seed)
    tone = np.array([(236, 200, 178), (198, 150, 118), (120, 82, 62), (224, 182, 150)][seed % 4])
    hair = tuple(int(v) for v in np.array([(60, 40, 30), (30, 26, 28), (20, 16, 16), (150, 100, 50)][seed % 4]) + random.integers(0, 20, 3))
    back = tuple(int(v) for v in random.integers(90, 190, 3))
    big, skin = 512, tuple(int(v) for v in tone)
    image = Image.new("RGB", (big, big), back)
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 60, 412, 420), fill=hair)
    draw.rectangle((205, 380, 307, 512), fill=skin)
    draw.ellipse((60, 440, 452, 700), fill=tuple(int(v) for v in random.integers(30, 120, 3)))
    draw.ellipse((135, 100, 377, 440), fill=skin)
    for x in (200, 312):
        draw.ellipse((x - 26, 240, x + 26, 268), fill=(248, 248, 248))
        draw.ellipse((x - 12, 241, x + 12, 267), fill=(50, 60, 70))
        draw.line((x - 34, 218, x + 34, 214), fill=hair, width=9)
    draw.arc((236, 250, 276, 330), 20, 160, fill=tuple(int(v) for v in tone * 0.75), width=6)
    draw.chord((206, 330, 306, 390), 0, 180, fill=(176, 70, 72))
    return image.filter(ImageFilter.GaussianBlur(2.2)).resize((size, size), Image.Resampling.LANCZOS)


def tint(image: Image.Image, prompt: str, amount: float) -> Image.Image:
    """The same picture pulled towards the prompt's colour."""
    hue = zlib.crc32(prompt.lower().encode()) % 360 / 360
    grey = image.convert("L", (1 / 3, 1 / 3, 1 / 3, 0))
    painted = [
        grey.point([round(255 * (level / 255) ** 0.8 * share) for level in range(256)]) for share in colorsys.hsv_to_rgb(hue, 0.75, 1.0)
    ]
    return Image.blend(image, Image.merge("RGB", painted), 0.8 * amount)


def tensor(images: list[Image.Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).float() / 127.5 - 1


@dataclass(frozen=True)
class FakeGenerator:
    """The facts of a generator that the page asks for; `lacks` are the sets of layers that it is too small to have."""

    family: str = "mobile_stylegan"
    resolutions: tuple[int, ...] = (256, 1024)
    num_ws: int = 23
    lacks: tuple[str, ...] = ()

    @property
    def img_resolution(self) -> int:
        return self.resolutions[-1]

    def layer_set(self, layers: str = "all") -> list[str]:
        return [] if layers in self.lacks else [f"{layers}.weight"]


@dataclass(frozen=True)
class FakeEncoder:
    name: str = "fake"


@dataclass(frozen=True)
class FakeReader(FakeEncoder):
    """An encoder that reads sentences."""

    templates: tuple[str, ...] = ("a photo of a {}.",)


@dataclass
class FakeEngine:
    """`delay` seconds a step; `fail_at` raises a bug there; `log` records what was opened and closed.

    An adaptation stays at step `hold_at` until that is raised or the run is stopped, however slow those are who look at it.
    """

    delay: float = 0.01
    fail_at: int | None = None
    hold_at: float = math.inf
    base_hash: str = "0" * 16
    world: str = "starter"
    world_reason: str = "no GPU here, and the model hub cannot be reached"
    base: str | Path = STARTER
    reads: str = STARTER  # the text encoder's name
    log: list[str] = field(default_factory=list)
    saved: dict[str, FakeStyle] = field(default_factory=lambda: {"joker": FakeStyle(FakeCard("joker", "Joker"))})
    ready: tuple[str, ...] = ("joker",)
    generator: FakeGenerator = FakeGenerator()
    encoder: FakeEncoder = FakeEncoder()
    options: Any = None  # of the newest adaptation
    students: FakeStudents = field(default_factory=FakeStudents)
    explained: float = 0.9  # by a student, of a style's change
    begins_near: bool = False  # at a blend of ready styles
    lacking: tuple[str, ...] = ()  # what would have to be fetched from the Hub
    sent: Any = None  # students of the newest film, where they came with it

    def __post_init__(self) -> None:
        self.editor = FakeEditor(tint, self.delay, resolutions=self.generator.resolutions)

    @property
    def parts(self) -> World:
        return World(self.world, self.world_reason, self.base, self.reads, STARTER)

    def on(self, device: str) -> FakeEngine:
        self.log.append(f"on {device}")
        return self

    def missing(self) -> list[str]:
        return list(self.lacking)

    def concepts(self) -> list[str]:
        return list(CONCEPTS)

    def preview_originals(self, options: Any, person: Any = None) -> torch.Tensor:
        return tensor([draw_face(seed) if seed or person is None else person for seed in range(4)])

    def adapt(
        self,
        prompt: str,
        steps: int | None = None,
        *,
        options: Any = None,
        images: Sequence[str] | None = None,
        person: Any = None,
        resume: int = 0,
    ) -> Iterator[FakeStep]:
        if images is None:
            check(self, prompt, options)
        else:
            self.log.append("images " + " ".join("x".join(map(str, Image.open(image).size)) for image in images))
        self.options = options or FakeOptions()
        return self._steps(prompt, self.options, person, resume or 0)

    def _steps(self, prompt: str, options: Any, person: Any = None, done: int = 0) -> Iterator[FakeStep]:
        self.log.append("open")
        try:
            faces = [draw_face(seed) if seed or person is None else person for seed in range(4)]
            if self.begins_near and options.preview_start and not done:
                blend = tensor([tint(face, prompt, 0.3) for face in faces])
                yield FakeStep(0, options.steps, math.nan, 0.0, math.nan, blend, prompt, begun="Begun at a blend: zombie 60%.")
            for index in range(done + 1, options.steps + 1):
                rest(lambda: self.delay)
                if index == self.fail_at:
                    raise RuntimeError("a bug in /secret/path.py")
                show = index % 3 == 1 or index == options.steps
                done = index / options.steps
                step = FakeStep(
                    index,
                    options.steps,
                    0.15 + 0.85 * 0.96**index + 0.05 * (zlib.crc32(str(index).encode()) % 100 / 100),
                    index * self.delay,
                    (options.steps - index) * self.delay,
                    tensor([tint(face, prompt, done) for face in faces]) if show else None,
                    prompt,
                    similarity=0.9 - 0.85 * 0.96**index,
                )
                yield step
                while index >= self.hold_at:
                    time.sleep(0.1)
                    yield replace(step, previews=None)
        finally:
            self.log.append("close")

    def wear_at_once(self, people: Sequence[Any], styles: Sequence[Any], strength: float = 1.0) -> tuple[FakeResult, ...] | None:
        return self.students.faces(people, styles, strength)

    def film_steps(
        self, source: Any, style: FakeStyle, out: Path, strength: float, *, limits: Any = None, students: Any = None
    ) -> Iterator[SimpleNamespace]:
        self.sent = students
        return fake_film(self, Path(source), style, Path(out))

    def distil(self, style: FakeStyle) -> Iterator[SimpleNamespace]:
        """Four faces, then steps; stays at `hold_at` until it is stopped. ``explained`` is the student's."""
        self.log.append(f"distil {style.card.prompt}")
        try:
            for index in range(1, 13):
                rest(lambda: self.delay)
                figures = {"explained": self.explained} if index == 12 else {}
                student = SimpleNamespace(card=SimpleNamespace(figures=figures, prompt=style.card.prompt))
                step = SimpleNamespace(stage="drawing faces" if index < 5 else "learning", fraction=index / 12, left=12.0 - index)
                step.student = None if index < 5 else student
                yield step
                while index >= self.hold_at:
                    time.sleep(0.2)
                    yield step
        finally:
            self.log.append("distil close")

    def styles(self) -> list[FakeCard]:
        return [replace(style.card, name=name) for name, style in self.saved.items()]

    def save_style(self, style: FakeStyle, name: str | None = None) -> str:
        self.saved[name or style.card.name] = style
        return name or style.card.name

    def style(self, name: str | Path) -> FakeStyle:
        if isinstance(name, Path):
            raw = json.loads(name.read_text())
            return FakeStyle(FakeCard(raw["prompt"], raw["prompt"], raw["steps"]), raw.get("amount", 1.0))
        if name not in self.saved:
            raise StyleError(f"There is no style called {name}.")
        return self.saved[name]

    def style_entries(self) -> list[StyleEntry]:
        return [
            StyleEntry(card, 3_000_000, card.name in self.ready, f"{card.name}-{card.prompt}-{self.saved[card.name].amount}")
            for card in self.styles()
        ]

    def sample(self, seeds: Sequence[int], style: Any = None, resolution: int | None = None, truncation_psi: float = 0.7) -> torch.Tensor:
        chosen = style if style is None or isinstance(style, FakeStyle) else self.style(style)
        self.log.append(f"sample {style}")
        rest(lambda: self.delay)
        sides = self.generator.resolutions
        if resolution is not None and resolution not in sides:
            raise OptionsError(f"resolution is {resolution}; this generator renders at {sides}.")
        faces = [draw_face(seed, resolution or sides[0]) for seed in seeds]
        return tensor([face if chosen is None else tint(face, chosen.card.prompt, 0.9 * chosen.amount) for face in faces])

    def walk(self, seeds: Sequence[int], style: str, frames_between: int = 8) -> Iterator[Image.Image]:
        faces = [tint(draw_face(seed), self.style(style).card.prompt, 0.9) for seed in seeds]
        return self._walk(faces, frames_between)

    def _walk(self, faces: list[Image.Image], frames_between: int) -> Iterator[Image.Image]:
        self.log.append("walk open")
        try:
            for here, there in zip(faces, faces[1:] + faces[:1]):
                for step in range(frames_between + 1):
                    rest(lambda: self.delay / 4)
                    yield Image.blend(here, there, step / (frames_between + 1))
        finally:
            self.log.append("walk close")

    def rename_style(self, name: str, new: str) -> str:
        self._own(name)
        if not new:
            raise StyleError("The new name is empty.")
        self.saved[new] = self.saved.pop(name)
        return new

    def delete_style(self, name: str) -> None:
        self._own(name)
        del self.saved[name]

    def _own(self, name: str) -> None:
        if name in self.ready:
            raise StyleError(f"The style '{name}' comes with the program and stays as it is.")

    def scaled(self, style: FakeStyle, strength: float) -> FakeStyle:
        return replace(style, amount=strength * style.amount)

    def export_style(self, style: str | FakeStyle, path: Path) -> None:
        export(style if isinstance(style, FakeStyle) else self.style(style), path)

    def import_style(self, path: Path) -> str:
        try:
            raw = json.loads(path.read_text())
        except ValueError:
            raise StyleError("This is not a style file, or it is damaged. Save or download it again.") from None
        return self.save_style(FakeStyle(FakeCard("imported", raw["prompt"], raw["steps"])), "imported")


def packed(style: FakeStyle) -> list[bytes]:
    return [json.dumps({"prompt": style.card.prompt, "steps": style.card.steps, "amount": style.amount}).encode()]


def export(style: FakeStyle, path: Path) -> None:
    path.write_bytes(*packed(style))


def check(engine: FakeEngine, prompt: str | None, options: Any) -> None:
    if prompt is not None and prompt.lower() not in {name.lower() for name in CONCEPTS}:
        raise PromptError(f"The starter encoder does not know “{prompt}”. Nearest looks it knows: Clown, Joker, Vampire.")


def fake_backend(engine: FakeEngine | None = None, jobs_folder: Path | None = None) -> Backend:
    """`jobs_folder`: a folder of its own for every backend unless one is given."""
    shared = engine or FakeEngine()
    own = tempfile.TemporaryDirectory(prefix="nada-test-jobs-", ignore_cleanup_errors=True)  # goes with the backend
    return Backend(
        engine=lambda **wish: shared,
        options=FakeOptions,
        export=export,
        decode=partial(decode_photo, alpha=True),
        check=check,
        keep_training=lambda step, path: path.write_text(str(step.index)),
        take_training=lambda step: [str(step.index).encode()],
        pack_style=packed,
        read_training=lambda path: int(path.read_text()),
        jobs_folder=lambda: jobs_folder or Path(own.name),
    )
