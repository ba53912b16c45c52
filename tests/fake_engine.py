"""A stand-in for nada_core.engine.Engine, without weights: drawn faces that drift towards a colour, same shapes and errors."""

from __future__ import annotations

import colorsys
import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

from nada_core.errors import NoFaceError, OptionsError, PromptError, StyleError
from nada_core.images import decode_photo
from nada_core.ui import Backend

CONCEPTS = [
    "Joker",
    "Joker face",
    "Joker smile",
    "Joker makeup",
    "Joker cosplay",
    "Zombie",
    "Vampire",
    "Clown",
    "Hulk",
    "Na'vi",
    "Robot",
    "Old person",
    "Pencil sketch",
    "Oil painting",
    "Watercolour",
    "Pixel art",
    "Sepia photograph",
    "Bronze statue",
    "Marble statue",
    "Cartoon",
    "Neon",
    "Gold",
    "Black and white",
    "Blue skin",
    "Green skin",
    "Red skin",
    "Green hair",
    "Blue hair",
    "Red hair",
    "Sunburnt",
]


@dataclass(frozen=True)
class FakeOptions:
    steps: int = 60
    lr: float | None = None
    layers: str = "all"
    seed: int = 0
    source: str = "face"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 1000:
            raise OptionsError(f"steps must be between 1 and 1000, got {self.steps}.")


@dataclass(frozen=True)
class FakeCard:
    name: str
    prompt: str
    steps: int = 60


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
    similarity: float = 0.0

    def style(self) -> FakeStyle:
        return FakeStyle(FakeCard(self.prompt, self.prompt, self.index), self.index / self.steps)


@dataclass(frozen=True)
class FakeResult:
    aligned: Image.Image
    inverted: Image.Image
    edited: Image.Image
    identity_inverted: float | None = 0.16
    identity_edited: float | None = 0.52
    faces: int = 1
    face: int = 0
    seconds: float = 1.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FakeProgress:
    stage: str
    fraction: float
    image: Image.Image | None = None
    result: FakeResult | None = None


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
    colour = np.array(colorsys.hsv_to_rgb(hue, 0.75, 1.0))
    values = np.asarray(image, dtype=np.float32) / 255
    painted = values.mean(-1, keepdims=True) ** 0.8 * colour
    return Image.fromarray((255 * np.clip(values * (1 - 0.8 * amount) + painted * 0.8 * amount, 0, 1)).astype(np.uint8))


def tensor(images: list[Image.Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).float() / 127.5 - 1


@dataclass
class FakeEngine:
    """`delay` seconds a step; `fail_at` raises a bug there; `log` records what was opened and closed."""

    delay: float = 0.01
    fail_at: int | None = None
    world: str = "starter"
    world_reason: str = "no GPU here, and the model hub cannot be reached"
    log: list[str] = field(default_factory=list)
    saved: dict[str, FakeStyle] = field(default_factory=lambda: {"joker": FakeStyle(FakeCard("joker", "Joker"))})

    def concepts(self) -> list[str]:
        return list(CONCEPTS)

    def preview_originals(self, options: Any) -> torch.Tensor:
        return tensor([draw_face(seed) for seed in range(4)])

    def adapt(self, prompt: str, steps: int | None = None, *, options: Any = None) -> Iterator[FakeStep]:
        if prompt.lower() not in {name.lower() for name in CONCEPTS}:
            raise PromptError(f"The starter encoder does not know “{prompt}”. Nearest looks it knows: Clown, Joker, Vampire.")
        return self._steps(prompt, options or FakeOptions())

    def _steps(self, prompt: str, options: Any) -> Iterator[FakeStep]:
        self.log.append("open")
        try:
            faces = [draw_face(seed) for seed in range(4)]
            for index in range(1, options.steps + 1):
                time.sleep(self.delay)
                if index == self.fail_at:
                    raise RuntimeError("a bug in /secret/path.py")
                show = index % 3 == 1 or index == options.steps
                done = index / options.steps
                yield FakeStep(
                    index,
                    options.steps,
                    0.15 + 0.85 * 0.96**index + 0.05 * (zlib.crc32(str(index).encode()) % 100 / 100),
                    index * self.delay,
                    (options.steps - index) * self.delay,
                    tensor([tint(face, prompt, done) for face in faces]) if show else None,
                    prompt,
                )
        finally:
            self.log.append("close")

    def styles(self) -> list[FakeCard]:
        return [style.card if style.card.name == name else FakeCard(name, style.card.prompt) for name, style in self.saved.items()]

    def save_style(self, style: FakeStyle, name: str | None = None) -> str:
        self.saved[name or style.card.name] = style
        return name or style.card.name

    def style(self, name: str) -> FakeStyle:
        if name not in self.saved:
            raise StyleError(f"There is no style called {name}.")
        return self.saved[name]

    def edit_steps(
        self, image: Image.Image, model: Any = "joker", *, strength: float = 1.0, face: int = 0, resolution: int = 256
    ) -> Iterator[FakeProgress]:
        style = self.style(model) if isinstance(model, str) else model
        if min(image.size) < 32:
            raise NoFaceError("No face was found in the picture. Crop closer to the face, or use a sharper photo.")
        self.log.append("edit open")
        try:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 3
            aligned = image.crop((left, top, left + side, top + side)).resize((resolution, resolution), Image.Resampling.LANCZOS)
            inverted = aligned.filter(ImageFilter.GaussianBlur(resolution / 200))
            for number, stage in enumerate(
                ("Finding the face", "Rebuilding it with the generator", "Refining the likeness", "Applying the style")
            ):
                time.sleep(20 * self.delay)
                yield FakeProgress(stage, (number + 1) / 5, inverted)
            edited = tint(inverted, style.card.prompt, min(strength, 1.0))
            yield FakeProgress("Done", 1.0, edited, FakeResult(aligned, inverted, edited, faces=2 if image.width > 2 * image.height else 1))
        finally:
            self.log.append("edit close")


def export(style: FakeStyle, path: Path) -> None:
    path.write_text(json.dumps({"prompt": style.card.prompt, "steps": style.card.steps}))


def fake_backend(engine: FakeEngine | None = None) -> Backend:
    shared = engine or FakeEngine()
    return Backend(engine=lambda: shared, options=FakeOptions, export=export, decode=decode_photo)
