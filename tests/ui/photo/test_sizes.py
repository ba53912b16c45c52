"""Sizes of pictures are the generator's: what the page offers, what is rendered unless somebody chooses, and what is refused."""

from __future__ import annotations

import io
import zipfile

import gradio as gr
import numpy as np
import pytest
from PIL import Image, ImageSequence

from nada_core.errors import OptionsError
from nada_core.ui import build_app
from nada_core.ui.photo.controls import size_choices
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import CompareRequest, EditRequest, chosen_side
from nada_core.ui.style_menu.pictures import run_style_pictures
from nada_core.ui.tabs.compare.downloads import write_comparison
from nada_core.ui.tabs.compare.run import run_compare_strength, run_compare_styles
from nada_core.ui.tabs.gallery.run import run_compare
from nada_core.ui.tabs.stylise.downloads import write_download
from nada_core.ui.tabs.stylise.run import run_edit, run_rerender
from tests.helpers.apps import components, context, handlers, named
from tests.helpers.edits import done, pressed
from tests.helpers.fake_engine import FakeEngine, FakeGenerator, fake_backend

pytestmark = pytest.mark.heavy

SIZES = ((64,), (256, 1024), (1024,))


def small(sizes, *names):
    return context(*names, generator=FakeGenerator("stylegan2", sizes))


def members(path, suffix=".png"):
    """Sides of the pictures in a zip."""
    with zipfile.ZipFile(path) as archive:
        return {name: Image.open(io.BytesIO(archive.read(name))).size for name in archive.namelist() if name.endswith(suffix)}


def test_the_smallest_unless_one_is_chosen():
    assert size_choices((64,)) == [("64 px", 64)] and size_choices((256, 1024)) == [("256 px", 256), ("1024 px", 1024)]
    assert chosen_side((256, 1024), None) == 256 and chosen_side((256, 1024), 1024) == 1024 and chosen_side((64,), None) == 64
    for sizes, wanted, words in (((256, 1024), 512, "256 or 1024"), ((64,), 256, "renders at 64"), ((64,), 0, "0 px"), ((64,), -64, "-64")):
        with pytest.raises(OptionsError, match=words):
            chosen_side(sizes, wanted)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_page_offers_what_the_generator_renders(sizes):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0, generator=FakeGenerator("stylegan2", sizes))))
    parts = components(demo)
    assert parts["size"].choices == parts["compare-size"].choices == []  # nobody knows yet
    (arrived,) = map(named, handlers(demo)["arrive"]([]))
    offered = gr.update(choices=[(f"{side} px", side) for side in sizes], value=sizes[0])
    assert arrived["compare-size"] == offered
    assert arrived["size"] == offered | {"value": sizes[-1]}  # one result is as large as can be, many are small


@pytest.mark.parametrize("sizes", SIZES)
def test_edits_and_their_downloads(sizes, photo, tmp_path):
    app, _ = small(sizes)
    request = EditRequest(find_faces(app, photo).photo, "joker")
    view, (before, after, rebuilt) = done(run_edit(app, request))
    assert view.phase == "done" and before.shape == after.shape == rebuilt.shape == (sizes[0], sizes[0], 3), view.error
    for side in sizes:
        chosen = EditRequest(request.photo, "joker", 0.5, resolution=side)
        view, (_, weak, _) = done(run_rerender(app, chosen))
        assert weak.shape == (side, side, 3) and Image.open(write_download(app, chosen, "picture", tmp_path)).size == (side, side)
        film = Image.open(write_download(app, chosen, "film", tmp_path))
        assert film.size == (sizes[0], sizes[0]) and len(list(ImageSequence.Iterator(film))) > 2
    assert Image.open(write_download(app, request, "picture", tmp_path)).size == (sizes[0], sizes[0])
    assert Image.open(write_download(app, request, "sheet", tmp_path)).width > 3 * min(sizes[0], 512)
    assert Image.open(write_download(app, request, "photo", tmp_path)).size == (400, 400)


@pytest.mark.parametrize("sizes", SIZES)
def test_comparisons_and_their_downloads(sizes, photo, tmp_path):
    app, _ = small(sizes, "zombie")
    request = CompareRequest(find_faces(app, photo).photo, ["joker", "zombie"])
    *_, last = run_compare_styles(app, request)
    assert last.phase == "done" and last.made == 2, last.error
    *_, last = run_compare_strength(app, CompareRequest(request.photo, request.styles, 0.5))
    assert last.phase == "done" and last.made == 2
    assert set(members(write_comparison(app, request, "pictures", tmp_path)).values()) == {(sizes[0], sizes[0])}
    for side in sizes:
        pictures = members(write_comparison(app, request, "pictures", tmp_path, side))
        assert len(pictures) == 4 and set(pictures.values()) == {(side, side)}


@pytest.mark.parametrize("sizes", SIZES)
def test_the_gallery_and_the_pictures_of_styles(sizes, tmp_path):
    app, engine = small(sizes)
    app.open()
    for view in run_compare(app, ["joker"], "3, 11"):
        archive = members(view.archive) if view.archive else {}
    assert view.phase == "done" and {size for name, size in archive.items() if "seed" in name} == {(sizes[0], sizes[0])}, view.error
    *_, shown = run_style_pictures(app, ())
    picture = Image.open(shown.pictures[0][0])
    side = min(sizes[0], 256)
    assert picture.size == (side, side) and "sample joker" in engine.log  # a picture on the page is no larger than its place
    assert np.asarray(picture).std() > 10


@pytest.mark.parametrize("forged", [256, 999, 0, -1, 10**9])
def test_a_size_of_another_world_is_refused_in_words(forged, photo, tmp_path):
    app, engine = small((64,))
    key = find_faces(app, photo).photo
    view, _ = done(run_edit(app, EditRequest(key, "joker", resolution=forged)))
    assert view.phase == "failed" and "renders at 64" in view.error and "Reload the page" in view.error
    assert engine.editor.log == []  # before the work
    done(run_edit(app, EditRequest(key, "joker")))
    view, _ = done(run_rerender(app, EditRequest(key, "joker", resolution=forged)))
    assert view.phase == "failed" and "renders at 64" in view.error
    with pytest.raises(OptionsError, match="renders at 64"):
        write_download(app, EditRequest(key, "joker", resolution=forged), "picture", tmp_path)
    list(run_compare_styles(app, CompareRequest(key, ["joker"])))
    with pytest.raises(OptionsError, match="renders at 64"):
        write_comparison(app, CompareRequest(key, ["joker"]), "pictures", tmp_path, forged)
    assert len(app.line) == 0


def test_a_page_that_has_no_sizes_yet_gets_the_smallest(photo):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0, generator=FakeGenerator("stylegan2", (64,)))))
    key = find_faces(demo.context, photo).photo
    for update in handlers(demo)["edit"]("", **pressed(key, resolution=None)):
        pair = named(update).get("pair")
        if pair:
            assert Image.open(pair[1]).size == (64, 64)
            break
    else:
        pytest.fail("no picture")
