"""A page that is loaded again, or whose phone was asleep: its photo, its choices and its work come back."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

import gradio as gr
import pytest
from apps import handlers, named, picture
from fake_engine import FakeCard, FakeEngine, FakeStyle, fake_backend
from PIL import Image
from served import chromium, in_chromium, serving

from nada_core.errors import NadaError
from nada_core.ui import build_app
from nada_core.ui.detached import Detached, DetachedWork, complete, news
from nada_core.ui.pages import LeftPage, PageMemory, read_page_words
from nada_core.ui.photo_faces import find_faces
from nada_core.ui.scripts import PAGE_WORDS

KEY = "0123456789abcdef" * 2


@dataclass(frozen=True)
class View:
    phase: str
    number: int = 0
    picture: str | None = None


def counted(count: int, gate: threading.Semaphore, log: list[str]):
    """Makes work of so many steps, each of which waits for the gate."""

    def work(stop: threading.Event):
        try:
            for number in range(count):
                gate.acquire(timeout=10)
                if stop.is_set():
                    yield View("stopped", number)
                    return
                yield View("run", number, f"picture {number}" if number % 2 == 0 else None)
            yield View("done", count)
        finally:
            log.append("closed")

    return work


def fresh(views) -> View:
    """The next view; ticks bring none."""
    return next(view for view in views if view is not None)


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_work_goes_on_while_nobody_watches_and_is_found_again():
    gate, log = threading.Semaphore(0), []
    works: Detached[View] = Detached()
    first = works.start("photo", counted(5, gate, log)).watch()
    gate.release()
    assert fresh(first) == View("run", 0, "picture 0")
    assert next(first) is None  # a tick
    gate.release()
    assert fresh(first) == View("run", 1)
    first.close()  # the page is gone
    assert "photo" in works and log == []
    again = works.find("photo").watch()
    assert fresh(again) == View("run", 1, "picture 0")  # whole: this page knows nothing yet
    gate.release(10)
    seen = [view for view in again if view is not None]
    assert seen[-1].phase == "done" and seen[-1].number == 5
    until(lambda: log == ["closed"])
    assert works.find("photo") is None and "photo" not in works and not works.ask("photo")


def test_the_last_view_stays_until_those_who_watch_have_it():
    gate, log = threading.Semaphore(9), []
    work = DetachedWork(counted(1, gate, log))
    views = work.watch()
    while fresh(views).phase != "done":
        pass
    time.sleep(0.1)
    assert log == [] and work.over  # its files are still there
    assert next(views, None) is None
    until(lambda: log == ["closed"])
    assert list(work.watch()) == []  # too late: the files are gone


def test_work_that_nobody_comes_back_to_is_ended():
    gate, log = threading.Semaphore(1), []
    work = DetachedWork(counted(50, gate, log), idle=0.05)
    fresh(work.watch())  # collected, and so closed
    time.sleep(0.1)
    gate.release(2)
    until(lambda: log == ["closed"])
    assert work.stop.is_set()


def test_a_crash_ends_the_watching():
    def work(stop):
        yield View("run", 1)
        raise RuntimeError("a bug")

    assert {view.phase for view in DetachedWork(work).watch() if view is not None} <= {"run"}

    def unmade(stop):
        raise RuntimeError("a bug")

    assert [view for view in DetachedWork(unmade).watch() if view is not None] == []


def test_once_the_end_is_asked_for_only_the_last_view_counts():
    """The page says "Stopping", or shows another photo already."""
    gate, log = threading.Semaphore(1), []
    works: Detached[View] = Detached()
    views = works.start("photo", counted(9, gate, log)).watch()
    fresh(views)
    assert works.ask("photo")
    assert next(views) is None  # a tick
    gate.release(5)
    assert [view for view in views if view is not None] == [View("stopped", 1)]


def test_no_picture_is_kept_when_work_is_over():
    gate, log = threading.Semaphore(9), []
    works: Detached[View] = Detached()
    work = works.start("photo", counted(1, gate, log))
    assert [view for view in work.watch() if view is not None][-1].phase == "done"
    until(lambda: log == ["closed"] and not works._works and not works._alive)
    assert work._view is None


def test_no_more_than_so_many_at_a_time_and_one_a_photo():
    gate, log = threading.Semaphore(0), []
    works: Detached[View] = Detached(most=2)
    first = works.start("a", counted(3, gate, log))
    other = works.start("b", counted(3, gate, log))
    with pytest.raises(NadaError, match="2 photos are being worked on"):
        works.start("c", counted(3, gate, log))
    with pytest.raises(NadaError, match="2 photos are being worked on"):
        works.start("a", counted(3, gate, log))
    assert not first.stop.is_set() and works.ask("a") and works.ask("b") and not works.ask("c")
    list(first.watch())
    until(lambda: len(works._alive) == 1)
    second = works.start("c", counted(3, gate, log))
    with pytest.raises(NadaError):  # what was asked to end and has not counts still
        works.start("d", counted(3, gate, log))
    gate.release(20)
    for work in (second, other):
        list(work.watch())
    until(lambda: not works._works)


def test_work_on_the_same_photo_takes_the_place_of_the_one_before():
    gate, log = threading.Semaphore(0), []
    works: Detached[View] = Detached()
    first = works.start("a", counted(3, gate, log))
    second = works.start("a", counted(3, gate, log), about="the second")
    assert first.stop.is_set() and not second.stop.is_set() and works.find("a") is second and second.about == "the second"
    gate.release(9)
    list(first.watch())
    assert works.find("a") in (second, None)  # the end of the first takes nothing away
    list(second.watch())


def test_unchanged_fields_are_left_out_and_filled_in():
    old, new = View("run", 1, "a"), View("run", 2)
    assert complete(new, old) == View("run", 2, "a") and complete(new, None) == new
    assert news(View("run", 2, "a"), old) == new and news(View("run", 2, "b"), old) == View("run", 2, "b")


# --- what is remembered -----------------------------------------------------------------------------------------------------------


def test_pages_are_remembered_by_their_key_and_for_a_while():
    now = [0.0]
    pages = PageMemory(capacity=2, seconds=100, clock=lambda: now[0])
    for forged in ("", "x", KEY[:-1], KEY.upper(), KEY + "0", "../" + KEY):
        pages.remember(forged, photo="mine")
        assert pages.recall(forged) is None
    pages.remember(KEY, photo="mine", face=2)
    pages.remember(KEY, points=((1.0, 2.0),))
    assert pages.recall(KEY) == LeftPage("mine", 2, ((1.0, 2.0),))
    now[0] = 50
    pages.remember(KEY, photo="another")
    assert pages.recall(KEY) == LeftPage("another", when=50)  # nothing of the first photo is left
    now[0] = 149
    assert pages.recall(KEY) is not None
    now[0] = 150
    pages.tidy()
    assert not pages._pages and pages.recall(KEY) is None
    for letter in "abc":
        pages.remember(letter * 32, photo=letter)
    assert pages.recall("a" * 32) is None and pages.recall("c" * 32) == LeftPage("c", when=150)


def test_what_a_page_says_of_itself_may_be_anything():
    assert read_page_words(f"{KEY} stylise") == (KEY, "stylise")
    for strange in (None, 3, ["x"], "", "../../etc passwd", f"{KEY}x nowhere"):
        assert read_page_words(strange) == ("", "")
    assert "sessionStorage" in PAGE_WORDS and "localStorage" not in PAGE_WORDS  # not for the next person at the same machine


def page(**engine):
    fake = FakeEngine(delay=0.0, **engine)
    fake.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    demo = build_app(backend=fake_backend(fake))
    demo.context.open()
    return demo, handlers(demo)


def values_of(key, style="joker", strength=1.0):
    return [key, style, strength, 1.0, 0.5, 1.0, None, 0.5, 0, [], "fast", 256, False, [], False]


def test_a_page_without_a_past_stays_as_it_is():
    _, functions = page()
    for words in ("", f"{KEY} adapt", "forged"):
        (update,) = functions["return_page"](words)
        assert named(update) == {}
    (update,) = functions["return_page"](f"{KEY} gallery")
    assert named(update)["tabs"].selected == "gallery"
    for name in ("resume_edit", "resume_comparison"):
        assert all(value == gr.skip() for update in functions[name](KEY) for value in update.values())


def test_a_finished_look_comes_back_with_its_photo(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, *values_of(key)))
    list(functions["rerender"](KEY, *values_of(key, strength=0.4)))
    demo.context.open()[0].editor.log.clear()
    returned = functions["return_page"](f"{KEY} stylise")
    update = named(next(returned))
    with Image.open(update["photo"]) as shown:
        assert shown.format == "JPEG" and shown.size == demo.context.photos.get(key).photo.size
    assert update["tabs"].selected == "stylise" and update["style"]["value"] == "joker" and update["strength"] == 0.4
    assert update["mode"] == "fast" and update["stylise"]["interactive"] and update["compare-photo"] == update["photo"]
    (quiet,) = functions["arrived"](update["photo"], key, key)  # the box tells of what it was given: nothing is searched again
    assert all(value == gr.skip() for value in quiet.values())
    assert list(returned) == []
    _, last = map(named, functions["resume_edit"](KEY))
    assert "Done" in last["edit-progress"] and last["take-picture"]["interactive"]
    assert demo.context.open()[0].editor.log == ["render 256"]  # nothing was made again


def test_what_was_chosen_since_does_not_hide_the_look_on_show(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, *values_of(key)))
    list(functions["rerender"](KEY, *values_of(key, style="zombie")))  # not made
    update = named(next(functions["return_page"](f"{KEY} stylise")))
    assert update["style"]["value"] == "zombie"
    seen = [named(update) for update in functions["resume_edit"](KEY)]
    assert any("pair" in update for update in seen) and "Press Stylise to see this look" in seen[-1]["edit-progress"]


def test_whom_the_photo_is_about_comes_back(tmp_path):
    demo, functions = page()
    key = find_faces(demo.context, picture(tmp_path, 900, 400)).photo
    together = values_of(key)
    together[-1] = True
    list(functions["edit"](KEY, *together))
    assert named(next(functions["return_page"](f"{KEY} stylise")))["everyone"]["value"] is True
    functions["remember_person"](KEY, key, 1, [], False)  # one of them was chosen since
    update = named(next(functions["return_page"](f"{KEY} stylise")))
    assert update["everyone"]["value"] is False and update["faces-found"]["selected_index"] == 1

    alone = find_faces(demo.context, picture(tmp_path, 400, 90, "low.jpg"), key).photo
    functions["remember_person"](KEY, alone, 0, [[150.0, 40.0], [250.0, 40.0], [200.0, 80.0]], False)
    update = named(next(functions["return_page"](f"{KEY} stylise")))
    assert update["stylise"]["interactive"] and "are set" in update["photo-hint"] and update["pointing"]["visible"]


def test_sizes_of_another_world_are_not_chosen_again(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, *values_of(key)))
    app = demo.context
    app._world = replace(app.open()[1], sizes=(64,))
    app.photos.forget_portraits()
    assert "size" not in named(next(functions["return_page"](f"{KEY} stylise")))
    assert all(value == gr.skip() for update in functions["resume_edit"](KEY) for value in update.values())  # and no complaint


def test_work_in_hand_is_watched_again(photo):
    demo, functions = page()
    editor = demo.context.open()[0].editor
    editor.pause = 0.3
    key = find_faces(demo.context, photo).photo
    work = functions["edit"](KEY, *values_of(key))
    while "Rebuilding" not in named(next(work))["edit-progress"]:
        pass
    work.close()  # the page is gone
    list(functions["return_page"](f"{KEY} stylise"))
    _, *seen = map(named, functions["resume_edit"](KEY))
    assert "<img" in seen[0]["edit-working"] and not seen[0]["stylise"]["interactive"] and seen[0]["edit-stop"]["interactive"]
    assert "Done" in seen[-1]["edit-progress"] and seen[-1]["stylise"]["interactive"]
    assert editor.log.count("invert fast") == 1


def test_a_comparison_comes_back_too(photo):
    demo, functions = page()
    editor = demo.context.open()[0].editor
    editor.pause = 0.2
    key = find_faces(demo.context, photo).photo
    work = functions["compare_styles"](KEY, key, ["joker", "zombie"], 0.8, 0, [], "fast", [])
    while "Joker" not in named(next(work))["compare-progress"]:
        pass
    work.close()
    update = named(next(functions["return_page"](f"{KEY} compare")))
    assert update["compare-styles"]["value"] == ["joker", "zombie"] and update["compare-strength"] == 0.8
    _, *seen = map(named, functions["resume_comparison"](KEY))
    assert seen[0]["compare-sheet"].count("<img") >= 2 and "Done" in seen[-1]["compare-progress"]
    _, *again = map(named, functions["resume_comparison"](KEY))
    assert again[-1]["compare-sheet"].count("<img") == 4 and editor.log.count("invert fast") == 1


def test_a_photo_that_is_gone_does_not_come_back(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, *values_of(key)))
    demo.context.photos.discard(key)
    (update,) = functions["return_page"](f"{KEY} stylise")
    assert "photo" not in named(update) and named(update)["mode"] == "fast"
    (nothing,) = functions["resume_edit"](KEY)
    assert all(value == gr.skip() for value in nothing.values())


def in_the_middle_of_an_edit(page, url, photo):
    page.goto(url)
    page.get_by_text("Starter world").wait_for(timeout=30_000)
    page.get_by_role("tab", name="Stylise").click()
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.wait_for_function("!document.querySelector('#stylise').disabled", timeout=20_000)
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for(timeout=20_000)


@in_chromium
def test_reloading_in_the_middle_of_an_edit(tmp_path):
    engine = FakeEngine(delay=0.05)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with serving(engine) as (url, demo), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        in_the_middle_of_an_edit(page, url, picture(tmp_path))
        page.reload()
        page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=30_000)
        page.locator("#pair img").first.wait_for(timeout=10_000)
        assert page.get_by_role("tab", name="Stylise").get_attribute("aria-selected") == "true"
        assert page.locator("#photo img").count() == 1 and page.locator("#stylise").is_enabled()
        assert engine.editor.log.count("invert balanced") == 1
        page.reload()
        page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=30_000)
        page.get_by_role("tab", name="Compare").click()
        page.wait_for_function("!document.querySelector('#compare').disabled", timeout=20_000)
        assert page.locator("#compare-photo img").count() == 1
        assert engine.editor.log.count("invert balanced") == 1 and len(demo.context.photos) == 1
        with page.expect_popup() as opened:  # has the same storage, as a duplicated tab
            page.evaluate("window.open(location.href)")
        twin = opened.value
        twin.get_by_text("Starter world").wait_for(timeout=30_000)
        twin.wait_for_function("window.nadaKnown", timeout=20_000)
        assert twin.evaluate("sessionStorage['nada-page']") != page.evaluate("sessionStorage['nada-page']")
        other = browser.new_page()  # another tab of the same browser knows nothing of it
        other.goto(url)
        other.get_by_text("Starter world").wait_for(timeout=30_000)
        other.get_by_role("tab", name="Stylise").click()
        assert other.locator("#photo img").count() == 0 and other.locator("#stylise").is_disabled()


@in_chromium
def test_another_photo_during_an_edit_leaves_the_page_ready(tmp_path):
    engine = FakeEngine(delay=0.0)
    engine.editor.pause = 2.0
    with serving(engine) as (url, demo), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        in_the_middle_of_an_edit(page, url, picture(tmp_path))
        page.locator("#edit-stop").click()
        page.locator("#edit-progress").get_by_text("Stopping").wait_for(timeout=10_000)
        page.locator("#edit-progress").get_by_text("Stopped").wait_for(timeout=20_000)  # and "Stopping" until then
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for(timeout=20_000)
        page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
        page.locator("#photo input[type=file]").set_input_files(picture(tmp_path, 500, 500, "other.jpg"))
        page.wait_for_function("!document.querySelector('#stylise').disabled", timeout=20_000)
        page.wait_for_timeout(4000)
        assert page.locator("#stylise").inner_text() == "Stylise" and page.locator("#stylise").is_enabled()
        assert page.locator("#edit-progress").get_by_text("Ready").count() == 1 and page.locator("#edit-stop").is_disabled()
        assert len(demo.context.line) == 0
