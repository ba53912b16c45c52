"""Unsaved styles on their shelf: mostly on disk, bounded, private."""

from __future__ import annotations

import pytest

from nada_core.errors import StyleError
from nada_core.ui.shelves.styles import ShelfLabel, ShelvedStyle, StyleShelf
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, export


def test_most_of_the_shelf_lies_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine, written = FakeEngine(), []

    def write(style, path):
        written.append(path)
        export(style, path)

    shelf = StyleShelf(capacity=4, write=write, read=engine.style, at_hand=2)
    styles = {key: FakeStyle(FakeCard(key, key, 7), number / 10) for number, key in enumerate("abcde")}
    for key, style in styles.items():
        shelf.put(key, ShelvedStyle(style, key, 7))

    def files():
        return sorted(path.stem for path in tmp_path.rglob("*.safetensors"))

    assert files() == ["b", "c"] and [path.stem for path in written] == ["a", "b", "c"]  # a had to go
    assert shelf.get("e", ["e"]).style is styles["e"]
    back = shelf.get("b", ["b"])
    assert back.style is not styles["b"] and (back.style.card.prompt, back.style.amount, back.steps) == ("b", 0.1, 7)
    assert shelf.get("b", ["b"]).style is back.style  # at hand now
    assert files() == ["b", "c", "d"] and len(written) == 4
    assert shelf.label("c", ["c"]) == ShelfLabel("c", 7) and [key for key, _ in shelf.listing("bcde")] == ["c", "b", "e", "d"]
    shelf.put("b", ShelvedStyle(styles["a"], "other", 8))  # another step of the same run
    assert files() == ["c", "d", "e"] and shelf.get("b", ["b"]).style is styles["a"]
    shelf.discard(["c", "d"])
    assert files() == ["e"]


def test_styles_that_cannot_be_written_stay_in_memory(tmp_path):
    def full(style, path):
        raise StyleError("The disk is full.")

    shelf = StyleShelf(write=full, read=FakeEngine().style, at_hand=1)
    entries = [ShelvedStyle(object(), key, 1) for key in "abc"]
    for entry in entries:
        shelf.put(entry.prompt, entry)
    assert [shelf.get(entry.prompt, "abc").style for entry in entries] == [entry.style for entry in entries]


def test_the_shelf_is_bounded_and_private():
    shelf = StyleShelf(capacity=3)
    for key in "abcd":
        shelf.put(key, ShelvedStyle(object(), key, 1))
    assert len(shelf) == 3 and "a" not in shelf
    assert [key for key, _ in shelf.listing(["b", "d"])] == ["d", "b"]
    for key, owned in (("a", ["a"]), ("b", []), ("b", ["c"])):
        with pytest.raises(StyleError):
            shelf.get(key, owned)
    shelf.discard(["b", "unknown"])
    assert "b" not in shelf
