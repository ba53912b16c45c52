"""Another world for a running app: what is asked of the engine's maker, what stays when it fails, and who may ask at all."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from nada_core.errors import AssetError, GeneratorError, OptionsError
from nada_core.ui.app import make_context
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import CompareRequest, EditRequest, Person
from nada_core.ui.server.change_world import WorldRefused, change_world, read_wish
from nada_core.ui.server.context import Wish, WorldChanged
from nada_core.ui.style_menu.pictures import run_style_pictures
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from nada_core.ui.tabs.compare.run import run_compare_styles
from nada_core.ui.tabs.stylise.downloads import write_download
from nada_core.ui.tabs.stylise.run import run_edit, run_rerender
from tests.helpers.adapting import start, wait_for
from tests.helpers.edits import done, edited
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.other_worlds import Maker, app_with, full

pytestmark = pytest.mark.heavy

# --- the change -------------------------------------------------------------------------------------------------------------------


def test_the_new_world_takes_the_old_ones_place(photo):
    new = full()
    app, maker = app_with(new)
    _, before = app.open()
    key = find_faces(app, photo).photo
    done(run_edit(app, EditRequest(key, "joker")))
    list(run_style_pictures(app, ()))
    assert app.photos.get(key).portraits and app.thumbnails.file("joker-Joker-1.0")
    world = change_world(app, Wish("full", None, "ViT-B-32"))
    assert maker.wishes == [{}, {"world": "full", "base": None, "encoder": "ViT-B-32"}]
    assert app.open() == (new, world) and (world.name, world.sizes) == ("full", (64,)) and world.originals != before.originals
    assert all(Path(path).exists() for path in (*world.originals, *before.originals))  # finished jobs show the former faces
    assert app.photos.get(key).held == 0 and app.thumbnails.file("joker-Joker-1.0") is None  # made by the old generator
    view, (first, *_) = done(run_edit(app, EditRequest(key, "pixar")))  # the photo itself is still there
    assert view.phase == "done" and first.shape == (64, 64, 3) and "invert balanced" in new.editor.log and len(app.line) == 0
    view, _ = done(run_edit(app, EditRequest(key, "joker")))  # of the page that was loaded before
    assert view.phase == "failed" and "not in the library" in view.error


@pytest.mark.parametrize(
    ("engine", "error", "words"),
    [
        (GeneratorError("'mine.pkl' is damaged. Download it again."), GeneratorError, "damaged"),
        (RuntimeError("/secret/weights.bin"), WorldRefused, "could not be loaded"),
        (FakeEngine(lacking=("stylegan2-ffhq",)), AssetError, r"fetch stylegan2-ffhq` on the server and press Apply"),
        (FakeEngine(lacking=("stylegan2-ffhq", "restyle-e4e-ffhq", "clip-vit-b-32")), AssetError, r"python -m nada_core fetch full`"),
        (FakeEngine(lacking=("the weights 'laion' of RN50",)), AssetError, r"start the app with `--encoder 'RN50@laion'`"),
    ],
)
def test_a_world_that_cannot_be_had_leaves_the_old_one(engine, error, words, photo, monkeypatch):
    monkeypatch.setattr("nada_core.worlds.missing_for_full", lambda: ["stylegan2-ffhq", "restyle-e4e-ffhq", "clip-vit-b-32"])
    app, _ = app_with(engine)
    before = app.open()
    view, _ = edited(app, photo)
    with pytest.raises(error, match=words) as caught:
        change_world(app, Wish(encoder="RN50@laion"))
    assert "/secret" not in str(caught.value)
    assert app.open() == before and len(app.line) == 0 and app.photos.get(app.photos.keys()[0]).held
    assert edited(app, photo)[0].phase == view.phase == "done"
    assert list(run_adaptation(app, AdaptRequest("Joker", steps=3)))[-1].phase == "done"
    if isinstance(engine, FakeEngine):
        assert not engine.log  # nothing was loaded


def test_what_fails_late_leaves_the_old_world(photo):
    class Blind(FakeEngine):
        def preview_originals(self, options, person=None):
            raise RuntimeError("CUDA out of memory")

    app, _ = app_with(Blind())
    before = app.open()
    with pytest.raises(WorldRefused, match="world stays as it was"):
        change_world(app, Wish("full"))
    assert app.open() == before and edited(app, photo)[0].phase == "done"


def test_a_world_that_failed_at_the_start_can_be_left():
    new = full()
    maker = Maker(AssetError("no weights"), new)
    app = make_context(replace(fake_backend(), engine=maker))
    with pytest.raises(AssetError):
        app.open()
    change_world(app, Wish("starter"))
    assert app.is_open and app.open()[0] is new


def test_an_adaptation_is_not_disturbed(make_app):
    app, engine = make_app(delay=0.02)
    app.open()
    job, waiting = start(app, steps=300), start(app, browser="other", steps=300)
    wait_for(lambda: "open" in engine.log)
    for running in (job, waiting):  # one that runs, then one that takes its place
        with pytest.raises(WorldRefused, match="Stop it or wait for it"):
            change_world(app, Wish("starter"))
        assert not running.over and app.jobs.cancel(running.id)
        wait_for(lambda running=running: running.over)
    assert change_world(app, Wish("starter")).name == "starter"


def test_a_run_that_was_asked_for_while_the_networks_were_loaded_keeps_its_world(make_app):
    app, old = make_app(delay=0.01)
    app.open()
    jobs = []

    class Slow(FakeEngine):
        def preview_originals(self, options, person=None):
            jobs.append(start(app, steps=5))
            return super().preview_originals(options, person)

    app.backend = replace(app.backend, engine=lambda **wish: Slow())
    with pytest.raises(WorldRefused, match="Stop it or wait for it"):
        change_world(app, Wish("full"))
    wait_for(lambda: jobs[0].over)
    assert app.open()[0] is old and jobs[0].view.phase == "done" and "open" in old.log


def test_a_photo_that_is_being_worked_on_is_waited_for_and_not_for_ever(photo, monkeypatch):
    app, _ = app_with(full())
    key = find_faces(app, photo).photo
    views = run_edit(app, EditRequest(key, "joker"))
    while next(views).phase != "run":
        pass
    monkeypatch.setattr("nada_core.ui.server.change_world._PATIENCE", 0.1)
    with pytest.raises(WorldRefused, match="busy with other work"):
        change_world(app, Wish("full"))
    monkeypatch.undo()
    change = threading.Thread(target=change_world, args=(app, Wish("full")))
    change.start()
    wait_for(lambda: len(app.line) == 2)
    *_, last = views
    change.join(300)
    assert last.phase == "done" and app.open()[1].name == "full" and len(app.line) == 0


def test_what_waited_through_the_change_is_told_to_reload(photo, tmp_path):
    """It was checked against the old generator, and what it would keep would be taken for the new one's."""
    app, _ = app_with(full())
    key = find_faces(app, photo).photo
    done(run_edit(app, EditRequest(key, "joker")))
    request = EditRequest(key, "joker", mode="fast")
    works = {
        "edit": lambda: done(run_edit(app, request))[0].error,
        "compare": lambda: list(run_compare_styles(app, CompareRequest(key, ["joker"], person=Person(mode="fast"))))[-1].error,
        "rerender": lambda: done(run_rerender(app, EditRequest(key, "joker", 0.5)))[0].error,
        "download": lambda: write_download(app, EditRequest(key, "joker", 0.7), "picture", tmp_path),
    }
    said: dict[str, str] = {}

    def work(name):
        try:
            said[name] = works[name]()
        except WorldChanged as error:
            said[name] = str(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in works]
    with app.line.join():
        change = threading.Thread(target=change_world, args=(app, Wish("full")))
        change.start()
        wait_for(lambda: len(app.line) == 2)
        for thread in threads:
            thread.start()
        wait_for(lambda: len(app.line) == 6)
    for thread in (change, *threads):
        thread.join(300)
    assert set(said) == set(works) and all("Reload the page" in words for words in said.values()), said
    assert app.photos.get(key).held == 0 and len(app.line) == 0


# --- what was asked for -----------------------------------------------------------------------------------------------------------


def test_the_form_in_the_engines_words(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert read_wish("", "", "", "") == read_wish(None, None, None, None) == Wish(None, None, None)
    assert read_wish("full", "starter", "/left/over.pt", " ViT-L-14 ") == Wish("full", "starter", "ViT-L-14")
    assert read_wish("", "file", " ~/mine.pt ", "").base == "/home/me/mine.pt"
    assert read_wish("", "file", "mobile-stylegan-ffhq", "").base == str(Path("mobile-stylegan-ffhq").absolute())  # no name of an asset
    for world, base, file, encoder in (
        ("", "file", "  ", ""),
        ("paradise", "", "", ""),
        ("", "/etc/passwd", "", ""),
        ("", "", "", "x" * 2000),
    ):
        with pytest.raises(OptionsError):
            read_wish(world, base, file, encoder)


def test_the_command_lines_wishes_give_way_to_the_pages(monkeypatch):
    import app as program

    made, built = [], []
    monkeypatch.setattr("nada_core.engine.Engine", lambda **wish: made.append(wish))
    monkeypatch.setattr(program, "serve", lambda *_, **__: 0)
    monkeypatch.setattr(program, "build_app", lambda engine, public, crew: built.append((engine, public, crew)))
    program.main(["--world", "full", "--encoder", "ViT-B-16"])
    ((engine, public, crew),) = built
    assert crew is None
    engine()
    engine(world=None, base="/mine.pt", encoder=None)
    assert (
        made == [{"world": "full", "base": None, "encoder": "ViT-B-16"}, {"world": None, "base": "/mine.pt", "encoder": None}]
        and not public
    )
