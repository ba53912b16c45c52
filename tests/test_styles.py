"""The library of ready and saved styles."""

from __future__ import annotations

import os

import pytest
import torch

from nada_core.checkpoints import Style, StyleCard, load_card, save_style
from nada_core.errors import StyleError
from nada_core.styles import READY, StyleLibrary, user_styles_folder


def style(prompt: str = "zombie", value: float = 1.0) -> Style:
    return Style(StyleCard(name=prompt, prompt=prompt, base="mobile_stylegan", base_hash="0" * 64), {"const": torch.full((2, 2), value)})


@pytest.fixture
def library(tmp_path):
    for name in ("joker", "pencil-sketch"):
        save_style(style(name), tmp_path / "ready" / f"{name}.safetensors")
    return StyleLibrary(tmp_path / "mine", ready=tmp_path / "ready")


def test_the_styles_that_ship_are_listed_and_load(tmp_path):
    library = StyleLibrary(tmp_path)
    cards = library.cards()
    assert [card.name for card in cards] == sorted(path.stem for path in READY.glob("*.safetensors"))
    assert "joker" in {card.name for card in cards}
    for card in cards:
        assert library.load(card.name).card.prompt == card.prompt


def test_ready_styles_come_first_then_saved_ones_by_name(library):
    assert [library.save(style(), name) for name in ("Zombie", "Alien")] == ["zombie", "alien"]
    assert [card.name for card in library.cards()] == ["joker", "pencil-sketch", "alien", "zombie"]


def test_empty_library(tmp_path):
    library = StyleLibrary(tmp_path / "no such folder", ready=tmp_path)
    assert library.cards() == []
    with pytest.raises(StyleError, match="None has been saved yet"):
        library.load("joker")


def test_taken_names_get_a_number(library):
    names = [library.save(style("Joker", value), "Joker") for value in (1.0, 2.0, 3.0)]
    assert names == ["joker-2", "joker-3", "joker-4"]
    assert library.load("joker-3").tensors["const"].unique().item() == 2.0
    assert library.load("joker-3").card.name == "joker-3"
    assert load_card(library.ready / "joker.safetensors").name == "joker"


def test_a_saved_file_never_hides_a_ready_style(library):
    save_style(style("impostor"), library.folder / "joker.safetensors")
    assert library.load("joker").card.prompt == "joker"
    assert len([card for card in library.cards() if card.name == "joker"]) == 1


def test_names_are_found_however_they_are_written(library):
    for name in ("pencil-sketch", "Pencil Sketch", "pencil sketch!"):
        assert library.load(name).card.prompt == "pencil-sketch"


def test_damaged_files_are_left_out_of_the_list(library):
    library.save(style(), "good")
    (library.folder / "text.safetensors").write_text("not a style")
    good = library.folder / "good.safetensors"
    (library.folder / "cut.safetensors").write_bytes(good.read_bytes()[:50])
    (library.folder / "folder.safetensors").mkdir()
    (library.folder / "notes.txt").write_text("something else")
    assert [card.name for card in library.cards()] == ["joker", "pencil-sketch", "good"]
    with pytest.raises(StyleError, match="damaged"):
        library.load("cut")


def test_unknown_names_suggest_similar_ones(library):
    with pytest.raises(StyleError, match=r"no style 'jokr'. Similar: joker"):
        library.load("jokr")
    with pytest.raises(StyleError, match="Similar: pencil-sketch"):
        library.load("pencil")


@pytest.mark.parametrize("name", ["", "🤡", "Джокер", "x" * 10_000, "a\nb", "nul\x00byte", "." * 300, "~"])
def test_strange_names(library, name):
    with pytest.raises(StyleError, match="There is no style"):
        library.load(name)


@pytest.mark.parametrize("name", ["../escaped", "../../escaped", "/tmp/escaped", "..", ".", "a/../../b", "con\x00", "C:\\escaped", "~/x"])
def test_no_name_leads_out_of_the_folder(library, name, tmp_path):
    before = {path for path in tmp_path.rglob("*") if path.parent != library.folder}
    saved = library.save(style(), name)
    assert (library.folder / f"{saved}.safetensors").is_file()
    assert {path for path in tmp_path.rglob("*") if path.parent != library.folder} == before | {library.folder}


def test_files_outside_are_read_only_when_named_as_files(library, tmp_path):
    path = save_style(style("elsewhere"), tmp_path / "elsewhere.safetensors")
    assert library.load(path).card.prompt == "elsewhere"
    assert library.load(str(path)).card.prompt == "elsewhere"
    with pytest.raises(StyleError, match="There is no style 'elsewhere'"):
        library.load("elsewhere")
    with pytest.raises(StyleError) as refused:
        library.load(tmp_path / "none.safetensors")
    assert str(tmp_path) not in str(refused.value)
    with pytest.raises(StyleError, match="There is no style file"):
        library.load(f"..{os.sep}" * 3 + "x" * 9000)


def test_where_saved_styles_live(monkeypatch, tmp_path):
    monkeypatch.setenv("NADA_STYLES", str(tmp_path / "mine"))
    assert user_styles_folder() == tmp_path / "mine"
    monkeypatch.delenv("NADA_STYLES")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert user_styles_folder() == tmp_path / "data" / "nada-demo" / "styles"
