"""The library of ready and saved styles: what it lists, and which name finds which style."""

from __future__ import annotations

import contextlib
import os

import pytest

from nada_core.errors import StyleError
from nada_core.styles.files import load_card, save_style
from nada_core.styles.library import READY, StyleLibrary, user_styles_folder
from nada_core.system.files import slug
from tests.helpers.small_styles import four_numbers as style


@pytest.mark.heavy
def test_the_styles_that_ship_are_listed_and_load(tmp_path):
    library = StyleLibrary(tmp_path)
    cards = library.cards()
    names = [card.name for card in cards]
    assert sorted(names) == sorted(path.stem for path in READY.glob("*.safetensors"))
    five = ["joker", "joker-face", "joker-smile", "joker-makeup", "joker-cosplay"]
    assert names == five + sorted(set(names) - set(five)) and len(names) >= 24
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


NAMES = ["Джокер", "Café", "C++", "C", "C#", "🤡", "!!!", "小丑", "जोकर", "x" * 90, "x" * 91, "Style", "Joker!", "Na'vi"]


def test_every_name_finds_its_own_style_and_no_other(library):
    for value, name in enumerate(NAMES):
        with pytest.raises(StyleError, match="There is no style") if name != "Joker!" else contextlib.nullcontext():
            library.load(name)  # none of those before it
        library.save(style("zombie", float(value)), name)
    for value, name in enumerate(NAMES):
        for spelled in (name, f" {name} ", name.upper()):
            found = library.load(spelled)
            assert found.tensors["const"].unique().item() == value
            assert found.card.title == ("" if slug(name) == name else name)
    for name in ("Зомби", "", "???", "Cafe", "C+", "x" * 92, "小", "😀"):
        with pytest.raises(StyleError, match="There is no style"):
            library.load(name)


def test_a_title_keeps_the_spelling_and_a_number_tells_two_apart(library):
    for expected, title in (("мой-стиль", "Мой Стиль"), ("мой-стиль-2", "Мой Стиль 2")):
        assert library.save(style(), "Мой  Стиль\n") == expected
        assert load_card(library.folder / f"{expected}.safetensors").title == title
    assert library.find("мой стиль 2") == "мой-стиль-2" and library.find("Мой-Стиль") == "мой-стиль"
    assert library.save(style("Joker"), "Joker") == "joker-2" and library.find("Joker") == "joker"  # the ready one
    assert library.rename("мой-стиль-2", "Другой!") == "другой" and library.load("Другой!").card.title == "Другой!"
    assert library.rename("другой", "ДРУГОЙ") == "другой" and library.load("другой").card.title == "ДРУГОЙ"


def test_unknown_names_suggest_similar_ones_in_every_script(library):
    library.save(style(), "Джокер")
    with pytest.raises(StyleError, match=r"no style 'Джоккер'\. Similar: джокер"):
        library.load("Джоккер")


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


def test_only_ready_styles_ship_a_picture(library):
    library.save(style(), "mine")
    for picture in (library.ready / "joker.jpg", library.folder / "mine.jpg"):
        picture.write_bytes(b"a face")
    assert {entry.card.name: entry.thumbnail for entry in library.entries()} == {
        "joker": library.ready / "joker.jpg",
        "pencil-sketch": None,
        "mine": None,  # it could be of a style that was deleted
    }
    assert all(entry.thumbnail for entry in StyleLibrary(library.folder).entries() if entry.ready)


@pytest.mark.parametrize("name", ["./joker", "../joker", "/joker", "joker/", ".\\joker", "no/such/joker"])
def test_a_path_is_not_the_style_that_it_sounds_like(library, name):
    assert library.find(name) is None
    with pytest.raises(StyleError, match="There is no style file"):
        library.load(name)


def test_a_path_is_not_a_saved_style_of_the_same_words(library, tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("secret")
    monkeypatch.chdir(tmp_path)
    library.save(style("etc passwd"))
    assert library.load("Etc Passwd").card.prompt == "etc passwd"
    with pytest.raises(StyleError, match="'passwd' is not a style file"):
        library.load("etc/passwd")


def test_a_path_is_the_file_that_is_there_whatever_titles_there_are(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_style(style("mine"), tmp_path / "joker")
    library.save(style("foreign"), "./joker")  # as an imported card may be titled
    assert library.load("./joker").card.prompt == "mine"


def test_a_title_may_have_a_slash(library):
    name = library.save(style("AC/DC"))
    assert library.find("ac/dc") == name and library.load("AC/DC").card.prompt == "AC/DC"
