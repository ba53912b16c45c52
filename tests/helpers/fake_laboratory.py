"""Stand in for the engine but really adapt: a generator of a few thousand weights, and an encoder that sees mean colours."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from nada_core.adaptation.latent_edit import LatentOptions, edit_latent
from nada_core.adaptation.loop import adapt
from nada_core.alignment.ffhq import Face
from nada_core.editing.base import EditProgress
from nada_core.editing.editor import PhotoEditor
from nada_core.editing.portrait import AlignedPhoto, FittedStyle, Portrait, Scores, render_portrait
from nada_core.errors import NoFaceError
from nada_core.generators.mobile_stylegan import MobileStyleGAN, Modulation, StyledConv
from nada_core.images.image_io import decode_photo, to_pil
from nada_core.inversion.base import Inversion
from nada_core.styles.mixing import style_delta
from tests.helpers.made_once import made_once

SIDE = 128


def face_landmarks(side: float = 256.0) -> np.ndarray:
    """68 points in dlib's order where an FFHQ crop of ``side`` pixels has them, roughly."""
    t = np.linspace(0, np.pi, 17)
    jaw = np.stack([128 - 80 * np.cos(t), 120 + 95 * np.sin(t)], 1)
    brows = np.concatenate([np.stack([np.linspace(a, a + 40, 5), np.full(5, 100.0)], 1) for a in (68, 148)])
    nose = np.concatenate(
        [np.stack([np.full(4, 128.0), np.linspace(118, 150, 4)], 1), np.stack([np.linspace(114, 142, 5), [158.0] * 5], 1)]
    )
    eye = np.array([[-13, 0], [-5, -5], [5, -5], [13, 0], [5, 5], [-5, 5]], dtype=float)
    outer = np.array([[-26, 0], [-16, -7], [-6, -9], [0, -8], [6, -9], [16, -7], [26, 0], [16, 9], [6, 11], [0, 12], [-6, 11], [-16, 9]])
    inner = np.array([[-20, 0], [-8, -2], [0, -2], [8, -2], [20, 0], [8, 2], [0, 2], [-8, 2]])
    places = [(eye, (96, 118)), (eye, (160, 118)), (outer, (128, 184)), (inner, (128, 184))]
    parts = [jaw, brows, nose, *(np.add(shape, place) for shape, place in places)]
    return np.concatenate(parts).astype(np.float64) * side / 256


@torch.no_grad()
def set_contrast(generator: MobileStyleGAN) -> None:
    """Random weights of the size that lets pictures differ from face to face, in the range that can be shown."""
    for module in generator.modules():
        if isinstance(module, Modulation):
            module.weight.mul_(0.5 / module.gain / module.weight.shape[1] ** 0.5)
            module.bias.fill_(1 / module.gain)
        elif isinstance(module, StyledConv):
            module.weight.div_(module.weight[0].numel() ** 0.5)
            if module.depthwise is not None:
                module.depthwise.div_(3)
    ws = generator.mapping(generator.sample_z(range(8)))
    generator.to_img.weight.mul_(0.4 / generator.synthesis(ws).std())


@made_once
def contrasting_generator() -> MobileStyleGAN:
    torch.manual_seed(0)
    generator = MobileStyleGAN((8, 8, 8, 8), z_dim=16, w_dim=16, mapping_layers=2, small_head=False).eval().requires_grad_(False)
    set_contrast(generator)
    return generator


class ColourEncoder:
    """A picture is its mean colour in four quarters, a text twelve numbers made from its letters."""

    name = "colours"
    embedding_dim = 12

    def encode_image(self, images):
        return F.normalize(F.adaptive_avg_pool2d(images.float(), 2).flatten(1) + 0.4, dim=-1)

    def encode_text(self, texts):
        rows = [torch.randn(12, generator=torch.Generator().manual_seed(zlib.crc32(text.lower().encode()))) for text in texts]
        return F.normalize(torch.stack(rows), dim=-1)


class PixelDistance:
    """Small pictures as features."""

    def features(self, images):
        return [F.adaptive_avg_pool2d(images.float(), 8)]


class PixelRecogniser:
    """A person is the picture, small."""

    def embed(self, image, landmarks):
        return np.asarray(image.convert("L").resize((16, 8)), dtype=np.float64).ravel() / 255 / 5


class OneFace:
    """Every picture has one face, where FFHQ crops have it."""

    def detect(self, image, everyone=False):
        return [Face(tuple(float(v) for v in (0, 0, *image.size)), face_landmarks(image.width), 1.0)]


class LaboratoryEditor:
    for_faces = True
    notes = PhotoEditor.notes

    def __init__(self, generator) -> None:
        self.generator = generator
        self.detector, self.recogniser, self.perceptual = OneFace(), PixelRecogniser(), PixelDistance()
        self.log: list[str] = []

    def align(self, image):
        photo = decode_photo(image)
        if min(photo.size) < 100:
            raise NoFaceError("No face was found. Crop closer to the face.")
        marks = face_landmarks(photo.width)
        return AlignedPhoto(photo, photo.resize((256, 256)), (), -1, marks, face_landmarks())

    def invert_steps(self, aligned, mode="balanced") -> Iterator[EditProgress]:
        self.log.append("invert")
        ws = self.generator.mapping(self.generator.sample_z([5]), 0.7)
        yield EditProgress("half way", 0.5)
        yield EditProgress(
            "person found", 1.0, portrait=Portrait(aligned, Inversion(ws), aligned.crop, np.zeros(128), 0.12, 0.1, mode, 0.1)
        )

    def fit_steps(self, portrait, style) -> Iterator[EditProgress]:
        self.log.append("wear")
        yield EditProgress("painted", 1.0, fitted=FittedStyle(style.card.name, style.card.prompt, style_delta(style, self.generator)))

    def render(self, portrait, fitted=()):
        return [to_pil(p) for p in render_portrait(self.generator, portrait.inversion, fitted, resolution=SIDE)]

    def scores(self, portrait, image: Image.Image) -> Scores:
        value = float(np.asarray(image.convert("L")).mean() / 255)
        return Scores(value, 1 - value)


@dataclass
class Laboratory:
    """``log`` has the texts of adaptations, ``moved`` text and start of each moved latent; ``stop_at`` and ``stop_moving_at`` interrupt the
    one of that number."""

    world: str = "starter"
    world_reason: str = "no hub"
    stop_at: int | None = None
    stop_moving_at: int | None = None
    log: list[str] = field(default_factory=list)
    moved: list[tuple[str, torch.Tensor]] = field(default_factory=list)
    guide: torch.nn.Module | None = None  # of latents: the recogniser that is on this machine
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def base_hash(self) -> str:
        return self.generator.content_hash()

    def __post_init__(self) -> None:
        self.generator = contrasting_generator()
        self.encoder = ColourEncoder()
        self.editor = LaboratoryEditor(self.generator)

    def adapt(self, prompt, options):
        self.log.append(prompt)
        if len(self.log) == self.stop_at:
            raise KeyboardInterrupt
        return adapt(self.generator, self.encoder, prompt, replace(options, resolution=SIDE, crops=0, precision="float32"))

    def identity_guide(self, wanted=None):
        return None if wanted is False else self.guide

    def latent_edit_steps(self, prompt, inversion, options=None, identity=None):
        self.moved.append((prompt, inversion.ws))
        if len(self.moved) == self.stop_moving_at:
            raise KeyboardInterrupt
        options = replace(options or LatentOptions(), resolution=SIDE, precision="float32")
        guide = self.identity_guide(identity) if identity is None or isinstance(identity, bool) else identity
        return edit_latent(self.generator, self.encoder, prompt, inversion, options, guide)
