"""The web interface as visitors meet it: over HTTP with gradio_client, and in headless Chromium."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from PIL import Image

from nada_core.ui.style_menu.choices import OWN
from tests.helpers.adapting import wait_for
from tests.helpers.fake_engine import FakeEngine, FakeOptions
from tests.helpers.folders import ROOT
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, none_found, open_app, serving, settled, until, watch_shifts

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def server():
    engine = FakeEngine(delay=0.05)
    engine.editor.delay = 0.01
    with serving(engine) as (url, demo):
        yield url, demo, engine


def test_the_public_endpoints_are_these_three_and_say_what_they_take(server):
    from gradio_client import Client

    client = Client(server[0], verbose=False)
    listed = client.view_api(return_format="dict")
    assert set(listed["named_endpoints"]) == {"/adapt", "/edit", "/styles"} and not listed["unnamed_endpoints"]
    names = {key: [one["parameter_name"] for one in listed["named_endpoints"][key]["parameters"]] for key in listed["named_endpoints"]}
    assert names == {"/adapt": ["prompt", "steps", "seed"], "/edit": ["photo", "style", "strength", "face", "mode", "paste"], "/styles": []}
    assert all(endpoint["description"] and endpoint["returns"] for endpoint in listed["named_endpoints"].values())
    assert all(one["label"] for endpoint in listed["named_endpoints"].values() for one in endpoint["parameters"])


@pytest.mark.slow
def test_other_programs_adapt_and_edit(server, photo):
    from gradio_client import Client, handle_file

    url, demo, _ = server
    client = Client(url, verbose=False)
    job = client.submit("Joker", 12, 3, api_name="/adapt")
    summary, file = job.result(timeout=300)
    assert (summary["phase"], summary["step"], summary["prompt"], summary["seed"]) == ("done", 12, "Joker", 3)
    assert any(seen["phase"] == "run" and seen["left"] for seen, _ in job.outputs()) and '"steps": 12' in Path(file).read_text()
    (joker,) = client.predict(api_name="/styles")
    assert joker["name"] == "joker" and joker["ready"] is True
    for style in ("joker", summary["style"]):
        picture, scores = client.predict(photo=handle_file(photo), style=style, strength=0.8, api_name="/edit")
        shown = Image.open(picture)
        assert shown.size == (256, 256) and "AI-generated" in shown.info["Comment"] and shown.info["Strength"] == "0.80"
        assert scores["phase"] == "done" and scores["identity_edited"] == 0.52 and scores["faces"] == 1
    picture, _ = client.predict(handle_file(photo), "JOKER ", 1.0, 0, "fast", True, api_name="/edit")
    assert Image.open(picture).size == (400, 400)  # the whole photo
    assert len(demo.context.photos) == 0 and len(demo.context.line) == 0


def test_a_style_is_worn_at_once(server, photo, monkeypatch):
    from gradio_client import Client, handle_file

    url, demo, engine = server
    monkeypatch.setattr(engine.students, "colour", "#208040")
    engine.editor.log.clear()
    client = Client(url, verbose=False)
    for paste, size in ((False, (1024, 1024)), (True, (400, 400))):
        picture, scores = client.predict(handle_file(photo), "joker", 1.0, 0, "instant", paste, api_name="/edit")
        assert Image.open(picture).size == size and scores["phase"] == "done" and scores["identity_edited"] == 0.52
    assert engine.editor.log == [] and len(demo.context.photos) == 0  # nothing was rebuilt


def test_the_example_in_the_documentation_works(server, photo, tmp_path, monkeypatch, capsys):
    text = (ROOT / "docs" / "api.md").read_text()
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "gradio_client" in block]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(Path(photo).read_bytes())
    scope: dict = {}
    exec(code.replace("http://127.0.0.1:7860", server[0]), scope)
    assert scope["summary"]["prompt"] == "Zombie" and Image.open(scope["picture"]).size == (256, 256)
    assert "run 1" in capsys.readouterr().out


def test_other_programs_are_refused_in_words(server, photo):
    from gradio_client import Client, handle_file

    url, demo, _ = server
    client = Client(url, verbose=False)
    for words, arguments in (
        ("does not know", ("<b>nobody</b>", 8, 3)),
        ("empty", ("", 8, 3)),
        ("10,000 characters", ("x" * 10_000, 8, 3)),
        ("maximum value", ("Joker", 10**6, 3)),
        ("minimum value", ("Joker", -1, 3)),
    ):
        with pytest.raises(Exception, match=words):
            client.predict(*arguments, api_name="/adapt")
    for words, arguments in (
        ("The style “nobody” is not in the library", ("nobody", 1.0, 0)),
        ("name of the style is empty", ("", 1.0, 0)),
        ("no longer kept", (OWN + "forged", 1.0, 0)),
        ("maximum value", ("joker", 5.0, 0)),
        ("does not exist", ("joker", 1.0, 7)),
        ("no instant version", ("joker", 1.0, 0, "instant")),
    ):
        with pytest.raises(Exception, match=words):
            client.predict(handle_file(photo), *arguments, api_name="/edit")
    assert len(demo.context.photos) == 0 and len(demo.context.line) == 0


def test_a_client_that_goes_away_ends_its_job(server, monkeypatch):
    from gradio_client import Client

    url, demo, engine = server
    monkeypatch.setattr(engine, "hold_at", 5)
    client = Client(url, verbose=False)
    job = client.submit("Joker", 300, 3, api_name="/adapt")
    wait_for(job.outputs)
    assert len(demo.context.line) == 1
    job.cancel()
    wait_for(lambda: len(demo.context.line) == 0)
    assert engine.log[-1] == "close"


@pytest.mark.slow
@in_chromium
def test_in_a_browser(server, photo, monkeypatch):
    url, _, engine = server
    monkeypatch.setattr(engine, "hold_at", 3)
    with chromium() as browser:
        page = open_app(browser.new_page(viewport=PHONE), url)
        fits(page)

        page.locator("button.chip", has_text="Zombie").click()
        expect(page.locator("#prompt input, #prompt textarea").first).to_have_value("Zombie")
        face = page.locator("#after-0 img")
        start = face.get_attribute("src")
        page.evaluate("window.face = document.querySelector('#after-0 img')")
        page.locator("#adapt").click()
        page.get_by_text("of 30", exact=False).first.wait_for()
        page.wait_for_function("window.scrollY > 300")  # on a phone the faces come into view by themselves
        expect(face).not_to_have_attribute("src", start)
        settled(page)
        watch_shifts(page)
        now = face.get_attribute("src")
        tops = page.evaluate("['#faces', '#loss', '#keep'].map(s => document.querySelector(s).offsetTop)")
        engine.hold_at = 12
        expect(face).not_to_have_attribute("src", now)
        page.locator("#adapt-progress").get_by_text("Step 12 of 30").wait_for()
        settled(page)
        expect(page.locator("#adapt-progress").get_by_text("left")).to_have_count(1)  # still streaming
        assert page.evaluate("window.shift || 0") == 0
        page.locator("#stop").click()
        page.get_by_text("Stopped at step").wait_for()
        settled(page)
        assert page.evaluate("['#faces', '#loss', '#keep'].map(s => document.querySelector(s).offsetTop)") == tops  # nothing moved
        assert page.evaluate("window.face === document.querySelector('#after-0 img')")  # the same element: swapped, not rebuilt

        with page.expect_download() as download:
            page.locator("#fetch-style").click()
        assert download.value.suggested_filename == "zombie.safetensors"

        page.locator("#wear").click()
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#photo img").wait_for()
        page.locator("#stylise").click()  # as soon as the face is found
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        for kind, name in (("picture", ".png"), ("photo", "-photo.png"), ("sheet", "-sheet.png"), ("film", ".gif")):
            with page.expect_download() as download:
                page.locator(f"#take-{kind}").click()
            assert download.value.suggested_filename.endswith(name)
        fits(page)

        page.get_by_role("tab", name="Adapt").click()
        page.locator("#prompt input, #prompt textarea").first.fill("<img src=x onerror=window.hacked=1>")
        page.locator("#adapt").click()
        page.locator("#adapt-notice").get_by_text("does not know").wait_for()
        settled(page)
        assert page.evaluate("window.hacked") is None


@in_chromium
def test_settings_for_experts_fit_a_phone_and_can_be_reset(server, monkeypatch):
    url, _, engine = server
    monkeypatch.setattr(engine, "hold_at", 5)
    with chromium() as browser:
        page = open_app(browser.new_page(viewport=PHONE), url)
        expect(page.locator("#mixing")).to_be_hidden()
        page.locator("#settings").get_by_text("Settings", exact=True).click()
        page.locator("#experts").get_by_text("For experts").click()
        page.locator("#mixing").wait_for()
        fits(page)
        settled(page)
        beyond = "[...document.querySelectorAll('#settings *')].filter(e => e.getBoundingClientRect().right > 375).map(e => e.outerHTML)"
        none_found(page, beyond)
        for name in ("loss-resolution", "crops", "manifold-weight"):
            expect(page.locator(f"#{name}")).to_be_visible()
        for name in ("preset", "patch-weight"):
            expect(page.locator(f"#{name}")).to_be_hidden()
        expect(page.locator("#global-weight input")).to_have_attribute("placeholder", "own: 0.2")

        numbers = {
            "#mixing input[type=number]": "0",
            "#adaptive-layers input[type=number]": "0",
            "#latent-pool input": "0",
            "#direction-weight input": "",
            "#manifold-weight input": "0",
        }

        def as_at_first():
            for place, value in numbers.items():
                expect(page.locator(place)).to_have_value(value)

        def adapt_a_little():
            engine.options = None
            page.locator("#adapt").click()
            page.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
            page.locator("#stop").click()
            page.get_by_text("Stopped at step").wait_for()
            assert engine.options == FakeOptions(steps=30, seed=engine.options.seed, preview_start=True)  # it takes no other options

        as_at_first()
        adapt_a_little()
        for place in numbers:
            page.locator(place).fill("1")
            page.locator(place).press("Tab")
        page.locator("#loss-resolution input").click()
        page.get_by_role("option", name="1024 px", exact=True).click()
        expect(page.locator("#loss-resolution input")).to_have_value("1024 px")
        page.locator("#reset-settings").click()
        page.wait_for_function("document.querySelector('#loss-resolution input').value.startsWith('Own')")
        as_at_first()
        settled(page)
        adapt_a_little()


@pytest.mark.slow
@in_chromium
def test_a_reloaded_and_a_closed_page_find_their_run_again(server, monkeypatch):
    url, demo, engine = server
    monkeypatch.setattr(engine, "hold_at", 3)
    with chromium() as browser:
        person = browser.new_context()
        page = open_app(person.new_page(), url)
        prompt = "#prompt input, #prompt textarea"
        page.locator(prompt).first.fill("Oil painting")
        page.locator("#advice .read-chip").get_by_text("oil painting").wait_for()
        page.locator("#adapt").click()
        bar = page.locator("#adapt-progress")
        bar.get_by_text("of 30", exact=False).wait_for()
        begun = engine.log.count("open")

        page.reload()
        bar.get_by_text("of 30", exact=False).wait_for()
        expect(page.locator(prompt).first).to_have_value("Oil painting")
        expect(page.locator("#stop")).to_be_enabled()
        expect(page.locator("#adapt")).to_be_disabled()
        settled(page)  # what moves once, when a page is filled, has moved
        watch_shifts(page)
        engine.hold_at = math.inf
        bar.get_by_text("Done: 30 steps").wait_for()
        assert engine.log.count("open") == begun  # the same run, not another one
        expect(page.locator("#save")).to_be_enabled()
        expect(page.locator("#suggested")).to_be_enabled()
        settled(page)
        assert page.evaluate("window.shift || 0") < 0.01

        last = page.locator("#after-0 img").get_attribute("src")
        page.locator("#step input[type=number]").fill("9")
        page.locator("#step input[type=number]").press("Enter")
        words = page.locator("#scrub-words").get_by_text("Saving, downloading")
        expect(words).to_have_text(re.compile(r"^\s*Step ([6-9]|1[0-4]):"))  # the saved step nearest to 9
        shown = int(words.inner_text().strip().split(":")[0].removeprefix("Step "))
        expect(page.locator("#after-0 img")).not_to_have_attribute("src", last)
        with page.expect_download() as download:
            page.locator("#fetch-style").click()
        assert f'"steps": {shown},' in Path(download.value.path()).read_text()
        page.locator("#save").click()
        page.locator("#kept").get_by_text("Saved as").wait_for()
        expect(page.locator("#save")).to_be_disabled()
        page.locator("#keep").get_by_label("Name").press_sequentially("-2")  # another name: to be saved under this one too
        expect(page.locator("#save")).to_be_enabled()
        page.locator("#suggested").click()
        page.wait_for_function("step => document.querySelector('#step input[type=number]').value > step", arg=shown)

        page.locator(prompt).first.fill("Gold")
        engine.hold_at = 8
        page.locator("#adapt").click()
        bar.get_by_text("of 30", exact=False).wait_for()
        page.close()  # in the middle
        stranger = browser.new_context().new_page()
        open_app(stranger, url)
        settled(stranger)
        expect(stranger.locator("#adapt-progress").get_by_text("Ready when you are")).to_have_count(1)  # nobody else sees it
        page = person.new_page()
        page.goto(url)
        page.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
        expect(page.locator(prompt).first).to_have_value("Gold")
        page.locator("#stop").click()
        page.get_by_text("Stopped at step").wait_for()
        page.locator("#wear").click()
        expect(page.locator("#style input").first).to_have_value(re.compile(r"Gold \(just made"))
        until(page, lambda: len(demo.context.line) == 0)
        # pictures of styles may be drawn after a run
        assert [event for event in engine.log if not event.startswith("sample")][-1] == "close"
