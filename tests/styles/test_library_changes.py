"""The library changes: many savers at once, renaming, deleting, what killed processes left."""

from __future__ import annotations

import os
import threading
import time

import pytest
import torch

import nada_core.styles.files as files_module
from nada_core.errors import StyleError
from nada_core.styles.files import Style, load_card, save_style
from tests.helpers.small_styles import four_numbers as style


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
