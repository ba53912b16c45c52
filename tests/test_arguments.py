"""What Python programs may hand to the engine, and what is refused in words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nada_core import engine as engine_module
from nada_core.arguments import blend_parts, check_text, check_truncation, file_path, target_pictures
from nada_core.engine import Engine
from nada_core.errors import NadaError, OptionsError, StyleError
from nada_core.generators.load import load_generator
from tests.helpers.small_styles import small_generator, smooth_style


@pytest.fixture
def small(tmp_path, monkeypatch) -> Engine:
    """An engine whose generator is small, with one saved style of it; nothing is loaded or fetched."""
    engine = Engine("cpu", base="small.pt", styles_folder=tmp_path / "styles", world="starter")
    monkeypatch.setattr(engine_module, "load_generator", lambda *_: small_generator())
    engine.save_style(smooth_style(engine.generator), "painted")
    return engine


BLENDS = [
    ["joker", "zombie"],
    ["ab", "cd"],
    {"joker": 0.6, "zombie": 0.4},
    [("joker",)],
    [("joker", 1, 2)],
    [("joker", "0.6")],
    [("joker", None)],
    [("joker", True)],
    None,
    5,
    b"joker",
    [],
    [("joker", 1)] * 5,
    [("joker", float("nan"))],
    [("joker", 0.0)],
]


@pytest.mark.parametrize("model", BLENDS, ids=repr)
def test_what_is_no_blend_is_refused(model, small) -> None:
    for refuse in (blend_parts, small.resolve_styles, lambda model: small.edit("photo.jpg", model)):
        with pytest.raises(OptionsError, match=r"^[^\n]{10,200}\.$"):
            refuse(model)


def test_blends() -> None:
    assert blend_parts("joker") == [("joker", 1.0)] and blend_parts(Path("a.safetensors")) == [(Path("a.safetensors"), 1.0)]
    wanted = [("joker", 0.75), ("zombie", 0.25)]
    assert blend_parts([("joker", 3), ["zombie", np.float32(1)]]) == wanted == blend_parts((("joker", 0.75), ("zombie", 0.25)))


@pytest.mark.parametrize("picture", ["/path/x.png", Path("x.png"), b"bytes", io.BytesIO(), Image.new("L", (9, 9)), np.zeros((70, 80, 3))])
def test_a_lone_picture_is_one(picture) -> None:
    assert [found is picture for found in target_pictures(picture)] == [True]
    assert [found is picture for found in target_pictures([picture] * 3)] == [True] * 3


def test_many_pictures_and_none(small) -> None:
    assert len(target_pictures(np.zeros((4, 70, 80, 3)))) == 4 and target_pictures(iter("abc")) == ["a", "b", "c"]
    for wrong, words in ((5, "are 5; give a list"), (["x.png"] * 17, "17 target pictures; between 1 and 16")):
        with pytest.raises(OptionsError, match=words):
            small.adapt("Joker", 1, images=wrong)


@pytest.mark.parametrize("seeds", [None, 5, "12", ["a"], [1.5], [None], [2**70], [-(2**64)], [torch.tensor(0.5)], []], ids=repr)
def test_what_are_no_seeds_is_refused(seeds, small) -> None:
    with pytest.raises(OptionsError, match=r"[Ss]eed"):
        small.sample(seeds)
    with pytest.raises(OptionsError, match=r"[Ss]eed|two faces"):
        next(small.walk(seeds, "painted"))


def test_seeds_of_every_kind_of_whole_number(small) -> None:
    faces = [small.sample(seeds) for seeds in ([7], (7,), range(7, 8), np.array([7]), torch.tensor([7]))]
    assert all(torch.equal(face, faces[0]) for face in faces)
    assert small.sample([2**64 - 1, -1], truncation_psi=0).shape == (2, 3, 32, 32)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 2.1, "x", None, True, 1j], ids=repr)
def test_truncation_out_of_range(value, small) -> None:
    for refuse in (check_truncation, lambda value: small.sample([0], truncation_psi=value)):
        with pytest.raises(OptionsError, match="must be between 0 and 2"):
            refuse(value)
    check_truncation(0)
    check_truncation(np.float32(2))


@pytest.mark.parametrize("options", [{"face": "0"}, {"face": None}, {"face": 1.5}, {"mode": ["fast"]}, {"mode": None}], ids=repr)
def test_options_of_an_edit_are_refused_before_the_photo_is_looked_at(options, small) -> None:
    (name,) = options
    with pytest.raises(OptionsError, match=rf"^{name} is "):
        small.edit_steps("there is no such photo.jpg", "painted", **options)


@pytest.mark.parametrize("device", [None, 5, b"cpu"], ids=repr)
def test_what_is_no_device_is_refused(device) -> None:
    with pytest.raises(OptionsError, match=r"^device is .*'auto'"):
        Engine(device=device)


def test_paths_may_be_texts(small, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("nada_core.styles.library.check_draws", lambda *_: None)  # a network of random numbers draws one colour
    for number, path in enumerate((str(tmp_path / "one.safetensors"), tmp_path / "two.safetensors")):
        small.export_style("painted", path)
        assert small.import_style(path) == f"painted-{number + 2}"


@pytest.mark.parametrize("path", [None, 5, "a\0.safetensors", b"a.safetensors", "", " "], ids=repr)
def test_what_is_no_path_is_refused(path, small) -> None:
    for refuse in (small.import_style, lambda path: small.export_style("painted", path), lambda path: file_path(path, "The file")):
        with pytest.raises(OptionsError, match="give the path of a file"):
            refuse(path)


def test_a_style_of_an_impossible_name_is_refused(small) -> None:
    with pytest.raises(StyleError, match=r"^'a \.safetensors' is no name that a file can have"):
        small.style("a\0.safetensors")


def test_names_are_texts(small) -> None:
    for refuse in (lambda: small.save_style(small.style("painted"), 5), lambda: small.rename_style("painted", None)):
        with pytest.raises(OptionsError, match="give a text"):
            refuse()
    check_text("painted", "The name")


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_what_has_an_empty_name_is_called_that(empty, small) -> None:
    refusals = {
        r"name of a picture is empty": lambda: small.edit(empty, "painted"),
        r"name of a picture is empty. ": lambda: small.adapt("Joker", images=empty),
        r"There is no style '': the name is empty": lambda: small.edit("there is no such photo.jpg", empty),
        r"There is no style '': the name is empty. ": lambda: small.sample([0], empty),
        r"The film is empty": lambda: small.film_steps(empty, "painted", "out.mp4"),
        r"The film to write is empty": lambda: small.film_steps("in.mp4", "painted", empty),
        r"name of the generator's file is empty": lambda: load_generator(empty),
        r"There is no world ''": lambda: Engine("cpu", world=empty),
    }
    for words, refuse in refusals.items():
        with pytest.raises(NadaError, match=words):
            refuse()
