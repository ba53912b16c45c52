"""The web interface as visitors meet it: over HTTP with gradio_client, and in headless Chromium."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from fake_engine import FakeEngine, FakeOptions
from PIL import Image
from served import chromium, in_chromium, serving

from nada_core.ui.edit_run import OWN


@pytest.fixture(scope="module")
def server():
    engine = FakeEngine(delay=0.1)
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
    summary, file = job.result(timeout=60)
    assert (summary["phase"], summary["step"], summary["prompt"], summary["seed"]) == ("done", 12, "Joker", 3)
    assert any(seen["phase"] == "run" and seen["left"] for seen, _ in job.outputs()) and '"steps": 12' in Path(file).read_text()
    (joker,) = client.predict(api_name="/styles")
    assert joker["name"] == "joker" and joker["ready"] is True
    for style in ("joker", summary["style"]):
        picture, scores = client.predict(photo=handle_file(photo), style=style, strength=0.8, api_name="/edit")
        shown = Image.open(picture)
        assert shown.size == (256, 256) and "AI-generated" in shown.info["Comment"] and shown.info["Strength"] == "0.80"
        assert scores["phase"] == "done" and scores["identity_edited"] == 0.52 and scores["faces"] == 1
    picture, _ = client.predict(handle_file(photo), "joker", 1.0, 0, "fast", True, api_name="/edit")
    assert Image.open(picture).size == (400, 400)  # the whole photo
    assert len(demo.context.photos) == 0 and len(demo.context.line) == 0


def test_the_example_in_the_readme_works(server, photo, tmp_path, monkeypatch, capsys):
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text()
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
        ("not in the library", ("nobody", 1.0, 0)),
        ("no longer kept", (OWN + "forged", 1.0, 0)),
        ("maximum value", ("joker", 5.0, 0)),
        ("does not exist", ("joker", 1.0, 7)),
    ):
        with pytest.raises(Exception, match=words):
            client.predict(handle_file(photo), *arguments, api_name="/edit")
    assert len(demo.context.photos) == 0 and len(demo.context.line) == 0


def test_a_client_that_goes_away_ends_its_job(server):
    from gradio_client import Client

    url, demo, engine = server
    client = Client(url, verbose=False)
    job = client.submit("Joker", 300, 3, api_name="/adapt")
    deadline = time.monotonic() + 20
    while not job.outputs() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(demo.context.line) == 1
    job.cancel()
    while len(demo.context.line) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(demo.context.line) == 0 and engine.log[-1] == "close"


@pytest.mark.slow
@in_chromium
def test_in_a_browser(server, photo):
    url, _, _ = server
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 375, "height": 812})
        page.goto(url)
        page.get_by_text("Starter world").wait_for(timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375

        page.locator("button.chip", has_text="Zombie").click()
        assert page.locator("#prompt input, #prompt textarea").first.input_value() == "Zombie"
        start = page.locator("#after-0 img").get_attribute("src")
        page.evaluate("window.face = document.querySelector('#after-0 img')")
        page.locator("#adapt").click()
        page.get_by_text("of 60", exact=False).first.wait_for(timeout=20_000)
        page.wait_for_function("window.scrollY > 300", timeout=10_000)  # on a phone the faces come into view by themselves
        page.wait_for_timeout(800)
        page.evaluate(
            "new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift = (window.shift || 0) + e.value })"
            ".observe({ type: 'layout-shift', buffered: false })"
        )
        tops = page.evaluate("['#faces', '#loss', '#keep'].map(s => document.querySelector(s).offsetTop)")
        page.wait_for_function("src => document.querySelector('#after-0 img').getAttribute('src') !== src", arg=start, timeout=20_000)
        page.wait_for_timeout(1200)
        assert page.locator("#adapt-progress").get_by_text("left").count() == 1  # still streaming
        assert page.evaluate("window.shift || 0") == 0
        page.locator("#stop").click()
        page.get_by_text("Stopped at step").wait_for(timeout=20_000)
        assert page.evaluate("['#faces', '#loss', '#keep'].map(s => document.querySelector(s).offsetTop)") == tops  # nothing moved
        assert page.evaluate("window.face === document.querySelector('#after-0 img')")  # the same element: swapped, not rebuilt

        with page.expect_download(timeout=20_000) as download:
            page.locator("#fetch-style").click()
        assert download.value.suggested_filename == "zombie.safetensors"

        page.locator("#wear").click()
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#photo img").wait_for(timeout=20_000)
        page.locator("#stylise").click()  # as soon as the face is found
        page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=30_000)
        for kind, name in (("picture", ".png"), ("photo", "-photo.png"), ("sheet", "-sheet.png"), ("film", ".gif")):
            with page.expect_download(timeout=20_000) as download:
                page.locator(f"#take-{kind}").click()
            assert download.value.suggested_filename.endswith(name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375

        page.get_by_role("tab", name="Adapt").click()
        page.locator("#prompt input, #prompt textarea").first.fill("<img src=x onerror=window.hacked=1>")
        page.locator("#adapt").click()
        page.locator("#adapt-notice").get_by_text("does not know").wait_for(timeout=20_000)
        page.wait_for_timeout(500)
        assert page.evaluate("window.hacked") is None


@in_chromium
def test_settings_for_experts_fit_a_phone_and_can_be_reset(server):
    url, _, engine = server
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 375, "height": 812})
        page.goto(url)
        page.get_by_text("Starter world").wait_for(timeout=30_000)
        assert not page.locator("#mixing").is_visible()
        page.locator("#settings").get_by_text("Settings", exact=True).click()
        page.locator("#experts").get_by_text("For experts").click()
        page.locator("#mixing").wait_for(timeout=10_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        beyond = "[...document.querySelectorAll('#settings *')].filter(e => e.getBoundingClientRect().right > 375).map(e => e.outerHTML)"
        assert page.evaluate(beyond) == []
        shown = [
            page.locator(f"#{name}").is_visible() for name in ("loss-resolution", "crops", "manifold-weight", "preset", "patch-weight")
        ]
        assert shown == [True, True, True, False, False]
        assert page.locator("#global-weight input").get_attribute("placeholder") == "own: 0.2"

        numbers = {
            "#mixing input[type=number]": "0",
            "#adaptive-layers input[type=number]": "0",
            "#latent-pool input": "0",
            "#direction-weight input": "",
            "#manifold-weight input": "0",
        }
        assert {place: page.locator(place).input_value() for place in numbers} == numbers

        def adapt_a_little():
            engine.options = None
            page.locator("#adapt").click()
            page.locator("#adapt-progress").get_by_text("of 60", exact=False).wait_for(timeout=20_000)
            page.locator("#stop").click()
            page.get_by_text("Stopped at step").wait_for(timeout=20_000)
            assert engine.options == FakeOptions(seed=engine.options.seed)  # it takes no other options

        adapt_a_little()
        for place in numbers:
            page.locator(place).fill("1")
            page.locator(place).press("Tab")
        page.locator("#loss-resolution input").click()
        page.get_by_role("option", name="1024 px", exact=True).click()
        assert page.locator("#loss-resolution input").input_value() == "1024 px"
        page.locator("#reset-settings").click()
        page.wait_for_function("document.querySelector('#loss-resolution input').value.startsWith('Own')", timeout=10_000)
        page.wait_for_timeout(300)
        assert {place: page.locator(place).input_value() for place in numbers} == numbers

        adapt_a_little()


@pytest.mark.slow
@in_chromium
def test_a_reloaded_and_a_closed_page_find_their_run_again(server):
    url, demo, engine = server
    with chromium() as browser:
        person = browser.new_context(viewport={"width": 1280, "height": 900})
        page = person.new_page()
        page.goto(url)
        page.get_by_text("Starter world").wait_for(timeout=30_000)
        prompt = "#prompt input, #prompt textarea"
        page.locator(prompt).first.fill("Oil painting")
        page.locator("#advice").get_by_text("all layers").wait_for(timeout=10_000)
        page.locator("#adapt").click()
        bar = page.locator("#adapt-progress")
        bar.get_by_text("of 60", exact=False).wait_for(timeout=20_000)
        begun = engine.log.count("open")

        page.reload()
        bar.get_by_text("of 60", exact=False).wait_for(timeout=20_000)
        assert page.locator(prompt).first.input_value() == "Oil painting"
        assert page.locator("#stop").is_enabled() and page.locator("#adapt").is_disabled()
        page.wait_for_timeout(600)  # what moves once, when a page is filled, has moved
        page.evaluate(
            "new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift = (window.shift || 0) + e.value })"
            ".observe({ type: 'layout-shift', buffered: false })"
        )
        bar.get_by_text("Done: 60 steps").wait_for(timeout=30_000)
        assert engine.log.count("open") == begun  # the same run, not another one
        page.wait_for_timeout(500)
        assert page.evaluate("window.shift || 0") < 0.01
        page.locator("#save").wait_for()
        assert page.locator("#save").is_enabled() and page.locator("#suggested").is_enabled()

        last = page.locator("#after-0 img").get_attribute("src")
        page.locator("#step input[type=number]").fill("9")
        page.locator("#step input[type=number]").press("Enter")
        words = page.locator("#scrub-words").get_by_text("Saving, downloading")
        words.wait_for(timeout=10_000)
        shown = int(words.inner_text().split(":")[0].removeprefix("Step "))
        page.wait_for_function("src => document.querySelector('#after-0 img').getAttribute('src') !== src", arg=last, timeout=10_000)
        with page.expect_download(timeout=20_000) as download:
            page.locator("#fetch-style").click()
        assert 5 < shown < 15  # the saved step nearest to 9
        assert f'"steps": {shown},' in Path(download.value.path()).read_text()
        page.locator("#save").click()
        page.locator("#kept").get_by_text("Saved as").wait_for(timeout=10_000)
        assert page.locator("#save").is_disabled()
        page.locator("#keep").get_by_label("Name").press_sequentially("-2")  # another name: to be saved under this one too
        page.wait_for_function("!document.querySelector('#save').disabled", timeout=10_000)
        page.locator("#suggested").click()
        page.wait_for_function("step => document.querySelector('#step input[type=number]').value > step", arg=shown, timeout=10_000)

        page.locator(prompt).first.fill("Gold")
        page.locator("#adapt").click()
        engine.delay = 0.4
        bar.get_by_text("of 60", exact=False).wait_for(timeout=20_000)
        page.close()  # in the middle
        time.sleep(2)
        stranger = browser.new_context().new_page()
        stranger.goto(url)
        stranger.get_by_text("Starter world").wait_for(timeout=30_000)
        stranger.wait_for_timeout(1000)
        assert stranger.locator("#adapt-progress").get_by_text("Ready when you are").count() == 1  # nobody else sees it
        page = person.new_page()
        page.goto(url)
        page.locator("#adapt-progress").get_by_text("of 60", exact=False).wait_for(timeout=20_000)
        assert page.locator(prompt).first.input_value() == "Gold"
        page.locator("#stop").click()
        page.get_by_text("Stopped at step").wait_for(timeout=20_000)
        engine.delay = 0.1
        page.locator("#wear").click()
        page.locator("#style input").first.wait_for(timeout=10_000)
        assert "Gold (just made" in page.locator("#style input").first.input_value()
        deadline = time.monotonic() + 10
        while len(demo.context.line) and time.monotonic() < deadline:
            time.sleep(0.1)
        # pictures of styles may be drawn after a run
        assert len(demo.context.line) == 0 and [event for event in engine.log if not event.startswith("sample")][-1] == "close"
