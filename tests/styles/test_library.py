"""The library of ready and saved styles."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import replace

import pytest
import torch
from torch import nn

import nada_core.styles.files as files_module
from nada_core.errors import StyleError
from nada_core.generators.base import Generator
from nada_core.styles.files import Style, StyleCard, compact_style, load_card, load_style, save_style
from nada_core.styles.library import MAX_COMPACT_BYTES, READY, StyleLibrary, user_styles_folder
from nada_core.system.files import slug
from tests.helpers.stylegan2_files import painted, tiny


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


# --- rename, delete, import -------------------------------------------------------------------------------------------------------


class Tiny(Generator):
    """As much of a generator as style files need."""

    family = "tiny"

    def __init__(self, seed: int = 0):
        super().__init__()
        self.const = nn.Parameter(torch.randn(2, 2, generator=torch.Generator().manual_seed(seed)))


def made_for(base: Generator, name: str = "Blue Skin", storage: str = "delta") -> Style:
    card = StyleCard(name=name, prompt="blue skin", base=base.family, base_hash=base.content_hash())
    full = Style(card, {"const": base.const.detach() + 0.25})
    return full if storage == "full" else compact_style(full, base)


def files(library):
    return sorted(path.name for path in library.folder.iterdir())


def test_many_savers_of_one_name_all_keep_their_style(library):
    start, names = threading.Barrier(12), []

    def work(value):
        start.wait()
        names.append((library.save(style("Joker", float(value)), "Twin"), float(value)))

    threads = [threading.Thread(target=work, args=(value,)) for value in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert sorted(name for name, _ in names) == sorted(["twin", *(f"twin-{n}" for n in range(2, 13))])
    assert all(library.load(name).tensors["const"].unique().item() == value for name, value in names)
    assert len(files(library)) == 12  # and nothing half written


def test_a_failed_save_leaves_the_name_free(library, monkeypatch):
    def full(*_):
        raise StyleError("the disk is full")

    monkeypatch.setattr("nada_core.styles.library.save_style", full)
    with pytest.raises(StyleError, match="full"):
        library.save(style(), "new")
    monkeypatch.undo()
    assert files(library) == [] and library.save(style(), "new") == "new"


def test_entries_say_what_may_be_changed_and_notice_changes(library):
    library.save(style(), "mine")
    first = {entry.card.name: entry for entry in library.entries()}
    assert {name: entry.ready for name, entry in first.items()} == {"joker": True, "pencil-sketch": True, "mine": False}
    assert first["mine"].size == library.size("mine") == (library.folder / "mine.safetensors").stat().st_size
    library.delete("mine")
    library.save(Style(style().card, {"const": torch.zeros(9)}), "mine")
    assert {entry.card.name: entry for entry in library.entries()}["mine"].stamp != first["mine"].stamp
    with pytest.raises(StyleError, match="not in the library"):
        library.size("nobody")


def test_rename(library):
    library.save(style("zombie", 3.0), "old")
    assert library.rename("old", "Brand New!") == "brand-new"
    assert files(library) == ["brand-new.safetensors"]
    assert library.load("brand-new").card.name == "brand-new" and library.load("brand-new").tensors["const"].unique().item() == 3.0
    assert library.rename("brand-new", "Brand new") == "brand-new"
    assert library.rename("brand-new", "joker") == "joker-2"  # never over another one
    assert load_card(library.ready / "joker.safetensors").prompt == "joker"


@pytest.mark.parametrize("new", ["", "   ", "🤡", "!!!", "../.."])
def test_rename_refuses_names_without_letters(library, new):
    library.save(style(), "old")
    with pytest.raises(StyleError, match="no letter"):
        library.rename("old", new)
    assert files(library) == ["old.safetensors"]


def test_of_two_renames_at_once_one_wins(library):
    for round_ in range(5):
        library.save(style(), f"prize-{round_}")
        start, won, lost = threading.Barrier(4), [], []

        def work(target, name=f"prize-{round_}", start=start, won=won, lost=lost):
            start.wait()
            try:
                won.append(library.rename(name, target))
            except StyleError as error:
                lost.append(str(error))

        threads = [threading.Thread(target=work, args=(f"winner-{round_}-{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        assert len(won) == 1 and len(lost) == 3
        assert library.load(won[0]).card.name == won[0]
    assert len(files(library)) == 5


@pytest.mark.parametrize("moment", ["safetensors_header", "read_safetensors"])
def test_a_style_deleted_while_it_is_read_is_refused_in_one_sentence(library, monkeypatch, moment):
    library.save(style(), "old")
    read = getattr(files_module, moment)

    def too_late(path, *rest):
        path.unlink(missing_ok=True)
        return read(path, *rest)

    monkeypatch.setattr(files_module, moment, too_late)
    with pytest.raises(StyleError, match=r"'old\.safetensors' cannot be read: No such file"):
        library.rename("old", "new")
    assert files(library) == []


def test_a_full_disk_leaves_a_style_that_is_renamed_as_it_was(library, monkeypatch):
    library.save(style("zombie", 3.0), "old")

    def full(*_):
        raise StyleError("The style could not be saved: No space left on device.")

    monkeypatch.setattr("nada_core.styles.library.save_style", full)
    for new in ("new", "Old"):
        with pytest.raises(StyleError, match="No space"):
            library.rename("old", new)
    monkeypatch.undo()
    assert files(library) == ["old.safetensors"] and library.load("old").tensors["const"].unique().item() == 3.0
    assert library.rename("old", "new") == "new"


def test_what_killed_processes_left_is_swept_and_nothing_else(library, tmp_path):
    library.sweep()  # without a folder there is nothing to do
    library.save(style(), "whole")
    old, new = ("claimed-long-ago.safetensors", ".style-old.tmp"), ("claimed-now.safetensors", ".style-new.tmp")
    for name in (*old, *new, "notes.tmp"):
        (library.folder / name).touch()
    (library.folder / ".style-old.tmp").write_bytes(b"half of it")
    (library.folder / "folder.safetensors").mkdir()
    for name in (*old, "whole.safetensors", "folder.safetensors", "notes.tmp"):
        os.utime(library.folder / name, (time.time() - 7200,) * 2)
    library.sweep()
    assert files(library) == sorted([*new, "folder.safetensors", "notes.tmp", "whole.safetensors"])
    assert library.save(style(), "claimed long ago") == "claimed-long-ago"


def test_delete(library):
    library.save(style(), "mine")
    library.delete("mine")
    assert files(library) == []
    for name in ("mine", "nobody", "../ready/joker", str(library.ready / "joker.safetensors"), ""):
        with pytest.raises(StyleError, match="not in the library"):
            library.delete(name)


def test_ready_styles_stay_as_they_are(library):
    save_style(style("impostor"), library.folder / "joker.safetensors")
    for change in (lambda: library.delete("joker"), lambda: library.rename("joker", "mine")):
        with pytest.raises(StyleError, match="comes with the program"):
            change()
    assert load_card(library.ready / "joker.safetensors").prompt == "joker"


def test_import_writes_the_style_anew_under_a_name_of_its_own(library, tmp_path):
    base = Tiny()
    upload = save_style(made_for(base, "../../Blue <Skin>"), tmp_path / "joker.safetensors")
    assert library.import_file(upload, base, compact=True) == "blue-skin"  # not what the upload is called, nor the card as it stands
    assert library.import_file(upload, base) == "blue-skin-2"
    kept = load_style(library.folder / "blue-skin.safetensors")
    assert kept.card.name == "blue-skin" and torch.allclose(kept.tensors["const"].float(), torch.full((2, 2), 0.25), atol=1e-3)
    assert files(library) == ["blue-skin-2.safetensors", "blue-skin.safetensors"] and upload.exists()


def test_import_refuses_what_does_not_fit(library, tmp_path):
    base = Tiny()
    good, eight = made_for(base), torch.full((2, 1), 127, dtype=torch.int8)
    cases = {
        "made for": made_for(Tiny(seed=1)),
        "does not have": Style(good.card, {"other": torch.ones(2, 2)}),
        "shape": Style(good.card, {"const": torch.ones(3, 3)}),
        "no usable weights": Style(good.card, {"const": torch.full((2, 2), float("nan"))}),
        "overflow": Style(
            replace(good.card, storage="delta"), {"const|up": torch.full((2, 1), 3e38), "const|down": torch.full((1, 2), 3e38)}
        ),
        "weights of .* overflow": Style(
            good.card, {"const|up": eight, "const|down": eight.T.clone(), "const|scale": torch.full((1,), 3e38)}
        ),
        "full": made_for(base, storage="full"),
        "stored as": Style(replace(good.card, storage="pickle"), good.tensors),
        "far longer": Style(replace(good.card, prompt="x" * 5000), good.tensors),
        "longer than": Style(replace(good.card, options={"x": "y" * 50_000}), good.tensors),
    }
    for words, bad in cases.items():
        path = save_style(bad, tmp_path / "upload.safetensors")
        with pytest.raises(StyleError, match=words) as refused:
            library.import_file(path, base, compact=True)
        assert str(tmp_path) not in str(refused.value)
    (tmp_path / "text.safetensors").write_text("not a style")
    with pytest.raises(StyleError, match="not a style file"):
        library.import_file(tmp_path / "text.safetensors", base, compact=True)
    with pytest.raises(StyleError, match="There is no style file"):
        library.import_file(tmp_path / "nothing.safetensors", base)
    assert not library.folder.exists()
    full = save_style(made_for(base, "Whole", "full"), tmp_path / "whole.safetensors")
    assert library.import_file(full, base) == "whole"  # the command line takes full ones


def test_a_style_whose_finite_weights_draw_nothing_is_not_imported(library, tmp_path):
    base = tiny()
    sound = painted(base)
    name = next(name for name in sound.tensors if name.endswith("torgb.bias"))
    for more, words in ((1e30, "of the style 'painted' overflow"), (1e5, "'painted' draws nothing: its weights make no sense")):
        huge = Style(sound.card, dict(sound.tensors) | {name: sound.tensors[name] + more})
        with pytest.raises(StyleError, match=words):
            library.import_file(save_style(huge, tmp_path / "huge.safetensors"), base, trial=True)
    assert not library.folder.exists()
    assert library.import_file(save_style(sound, tmp_path / "sound.safetensors"), base, trial=True) == "painted"


def test_import_from_the_web_has_a_size_limit(library, tmp_path):
    base = Tiny()
    padded = Style(made_for(base).card, {"const": torch.zeros(MAX_COMPACT_BYTES // 4)})
    path = save_style(padded, tmp_path / "large.safetensors")
    with pytest.raises(StyleError, match="at most 8 MB"):
        library.import_file(path, base, compact=True)


def test_an_imported_card_is_tidied(library, tmp_path):
    base = Tiny()
    good = made_for(base)
    path = save_style(Style(replace(good.card, prompt="blue\n\x1b[31m  skin\x00"), good.tensors), tmp_path / "x.safetensors")
    assert library.load(library.import_file(path, base)).card.prompt == "blue [31m skin"


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
