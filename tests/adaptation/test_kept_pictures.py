"""Pictures of the known faces are drawn once a machine, and are bit by bit those that would be drawn."""

from __future__ import annotations

import pytest
import torch

from nada_core.adaptation import kept_pictures
from nada_core.adaptation.drawn_targets import DrawnTargets
from nada_core.adaptation.kept_pictures import MOST_SETS, kept_picture, picture_set
from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.looks.look import Look, Paint


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def counted(value=0.25):
    drawn = []

    def draw():
        drawn.append(value)
        return torch.full((1, 3, 4, 4), value)

    return draw, drawn


def test_a_picture_is_drawn_once(cache):
    draw, drawn = counted()
    folder = picture_set("a" * 64, 0.8, 256)
    first = kept_picture(folder, 3, draw)
    again = kept_picture(folder, 3, draw)
    assert len(drawn) == 1 and torch.equal(first, again) and again.dtype == torch.float32
    kept_picture(folder, 4, draw)
    assert len(drawn) == 2


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x93NUMPY"])
def test_a_damaged_file_is_drawn_again(cache, content):
    draw, drawn = counted()
    folder = picture_set("a" * 64, 0.8, 256)
    kept_picture(folder, 0, draw)
    (folder / "0.npy").write_bytes(content)
    assert kept_picture(folder, 0, draw).mean() == 0.25 and len(drawn) == 2
    assert kept_picture(folder, 0, draw).mean() == 0.25 and len(drawn) == 2, "and kept again"


def test_pictures_that_are_not_finite_are_drawn_again(cache):
    folder = picture_set("a" * 64, 0.8, 256)
    kept_picture(folder, 0, counted(float("nan"))[0])
    assert kept_picture(folder, 0, counted()[0]).mean() == 0.25


def test_where_nothing_can_be_written_it_is_drawn_each_time(cache):
    cache.write_text("a file where the folder should be")
    draw, drawn = counted()
    folder = picture_set("a" * 64, 0.8, 256)
    assert kept_picture(folder, 0, draw).mean() == 0.25
    assert kept_picture(folder, 0, draw).mean() == 0.25 and len(drawn) == 2


def test_what_is_drawn_otherwise_is_another_set(monkeypatch):
    sets = {
        picture_set("a" * 64, 0.8, 256),
        picture_set("b" * 64, 0.8, 256),
        picture_set("a" * 64, 1.0, 256),
        picture_set("a" * 64, 0.8, 1024),
    }
    with torch.autocast("cpu", torch.bfloat16):
        sets.add(picture_set("a" * 64, 0.8, 256))
    monkeypatch.setattr(kept_pictures, "machine", lambda: "another processor, or another torch")
    sets.add(picture_set("a" * 64, 0.8, 256))
    assert len(sets) == 6


def test_sets_of_old_versions_make_room(cache):
    for number in range(MOST_SETS + 2):
        kept_picture(picture_set(f"{number}" * 64, 0.8, 256), 0, counted()[0])
    assert len(list((cache / "faces").iterdir())) == MOST_SETS
    assert (picture_set(f"{MOST_SETS + 1}" * 64, 0.8, 256) / "0.npy").is_file(), "the new one is there"


def test_training_faces_are_the_same_with_and_without_it(cache, generator, encoder, monkeypatch):
    look = Look(paints={"hair": Paint((60, -40, 30))})
    options = resolve_options(AdaptOptions(), generator.family)
    drawn = DrawnTargets(generator, encoder, look, options).pair(5)
    kept = DrawnTargets(generator, encoder, look, options)
    assert list((cache / "faces").glob("*/5.npy"))
    monkeypatch.setattr(generator, "synthesis", None)
    again = kept.pair(5)
    assert torch.equal(drawn.before, again.before) and torch.equal(drawn.after, again.after)
