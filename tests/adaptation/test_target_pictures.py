"""Target pictures that show nothing are refused before anything is trained; faint ones are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from nada_core.adaptation.loop import adapt
from nada_core.adaptation.target_pictures import check_content
from nada_core.errors import PhotoError
from nada_core.images.image_io import to_tensor
from tests.helpers.small_adaptations import StandInEncoder, small_options, small_stylegan2


def flat(colour, size: int = 256) -> Image.Image:
    return Image.new("RGB", (size, size), colour)


def noisy(colour, kind: str, amount: float, size: int = 256) -> Image.Image:
    rng = np.random.default_rng(7)
    shape = (size, size, 1 if kind == "grey" else 3)
    noise = rng.integers(-amount, amount + 1, shape, np.int16) if kind == "uniform" else amount * rng.standard_normal(shape, np.float32)
    return Image.fromarray(np.clip(np.rint(np.asarray(flat(colour, size)) + noise), 0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def drawing(line, paper, width: int = 2, size: int = 256) -> Image.Image:
    picture = flat(paper, size)
    pen, unit = ImageDraw.Draw(picture), size / 256
    pen.ellipse([round(unit * value) for value in (60, 40, 200, 210)], outline=line, width=width)
    pen.arc([round(unit * value) for value in (100, 130, 160, 180)], 20, 160, fill=line, width=width)
    return picture


@pytest.mark.parametrize("colour", ["white", "black", (128, 128, 128), (200, 30, 40), (0, 90, 160)])
def test_one_flat_colour_is_refused(colour):
    with pytest.raises(PhotoError, match=r"^x\.png is one flat colour \(.*Use a picture that shows"):
        check_content(flat(colour), "x.png")
    for quality in (95, 75, 40):
        with pytest.raises(PhotoError, match=r"one flat colour"):
            check_content(jpeg(flat(colour, 300), quality), "x.jpg")


@pytest.mark.parametrize("colour", ["white", (128, 128, 128), (200, 30, 40)])
@pytest.mark.parametrize(("kind", "amount"), [("uniform", 1), ("uniform", 2), ("colour", 1), ("colour", 2), ("grey", 1), ("grey", 2)])
def test_noise_of_two_grey_levels_is_no_content(colour, kind, amount):
    picture = noisy(colour, kind, amount)
    for seen in (picture, jpeg(picture, 95), jpeg(picture, 75), jpeg(picture, 50), noisy(colour, kind, amount, 1000)):
        with pytest.raises(PhotoError, match=r"is (nearly )?one flat colour"):
            check_content(seen, "x.png")


def test_noise_in_the_smallest_pictures_that_are_read():
    for size in (64, 100):
        with pytest.raises(PhotoError, match="nearly one flat colour"):
            check_content(noisy("white", "uniform", 2, size), "x.png")


@pytest.mark.parametrize(
    "picture",
    [
        drawing((244, 244, 244), (250, 250, 250)),
        drawing((225, 225, 225), (245, 245, 245), width=1),
        drawing((122, 122, 122), (128, 128, 128), width=3),
        drawing((225, 225, 225), (250, 250, 250), width=8, size=2000),
        drawing((128, 136, 128), (128, 128, 128), width=4),
        drawing("black", "white", width=1),
        Image.linear_gradient("L").point(lambda value: 120 + value // 16).convert("RGB"),
    ],
    ids=["pencil", "thin", "grey-on-grey", "large", "coloured", "ink", "gradient"],
)
def test_faint_drawings_are_content(picture):
    check_content(picture, "x.png")
    check_content(jpeg(picture, 85), "x.jpg")


def test_the_message_tells_what_was_found():
    with pytest.raises(PhotoError, match=r"\(white\), as empty and wholly transparent pictures are"):
        check_content(flat("white"), "x.png")
    with pytest.raises(PhotoError, match=r"nearly one flat colour \(RGB 200, 30, 40\)"):
        check_content(noisy((200, 30, 40), "uniform", 1), "x.png")


def test_an_adaptation_names_the_picture_by_its_number():
    base, good = small_stylegan2(), to_tensor(drawing("black", "white"))
    start = lambda images: adapt(base, StandInEncoder(), "wall", small_options(base), images)  # noqa: E731
    with pytest.raises(PhotoError, match="Target picture 2 is one flat colour"):
        start([good, torch.ones(1, 3, 64, 64)])  # at the call, not at the first step
    with pytest.raises(PhotoError, match="Target picture 1 is nearly"):
        start([0.01 * torch.rand(1, 3, 90, 70)])
    next(start([good]))


def test_files_are_named_and_other_sources_numbered(engine, tmp_path):
    flat("white", 300).save(tmp_path / "white.png")
    Image.new("RGBA", (300, 200), (9, 200, 9, 0)).save(tmp_path / "clear.png")
    for name in ("white.png", "clear.png"):
        with pytest.raises(PhotoError, match=rf"^{name} is one flat colour \(white\)"):
            engine.adapt("wall", 1, images=[tmp_path / name])
    with pytest.raises(PhotoError, match=r"^Target picture 2 is one flat colour"):
        engine.adapt("wall", 1, images=[drawing("black", "white"), np.zeros((200, 200, 3), np.uint8)])
