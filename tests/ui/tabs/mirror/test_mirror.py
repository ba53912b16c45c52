"""The mirror in headless Chromium, whose camera shows a portrait: what is seen, taken away, and said where there is no camera."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nada_core.assets import fetch
from nada_core.errors import AssetError
from nada_core.images.image_io import to_tensor
from nada_core.students.export_web import check_json
from nada_core.students.files import ready_students
from nada_core.students.network import SIDE, with_grain
from nada_core.students.web_page import RUNTIME
from tests.helpers.camera import ALLOWED, camera_film, portrait, showing
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStudents, FakeStyle
from tests.helpers.served import chromium, expect, fits, in_chromium, open_app, serving, until

_BROKEN = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', '%s'); }"


@pytest.fixture(scope="module")
def student():
    """The Joker's, or whichever is shipped first."""
    students = list(ready_students().values())
    return next((one for one in students if one.card.name == "joker"), students[0])


@pytest.fixture(scope="module")
def textured(student):
    """One of another network."""
    card = replace(student.card, name="pencil", style="f" * 64)
    return replace(student, card=card, network=with_grain(student.network), code=0.7 * student.code)


@dataclass
class TwoNetworks(FakeStudents):
    """The style "pencil" has a network of its own."""

    textured: Any = None

    def find(self, style):
        return self.textured if style.card.name == "pencil" else self.student


@pytest.fixture(scope="module")
def server(student, textured):
    engine = FakeEngine(delay=0.01, students=TwoNetworks(student=student, textured=textured))
    for name in ("gold", "pencil"):
        engine.saved[name] = FakeStyle(FakeCard(name, name.title()))
    with serving(engine) as (url, _):
        yield url


@pytest.fixture(scope="module")
def runtime():
    """Skip where the network cannot be run."""
    try:
        return fetch(RUNTIME, progress=False)
    except AssetError as error:
        pytest.skip(f"onnxruntime-web cannot be fetched: {error}")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return camera_film(portrait(), tmp_path_factory.mktemp("camera") / "portrait.y4m")


def open_mirror(browser, url, width=1280, script=""):
    """Return a page that shows the Mirror tab."""
    page = browser.new_page(viewport={"width": width, "height": 900}, accept_downloads=True)
    if script:
        page.add_init_script(script)
    open_app(page, url, "Mirror")
    page.get_by_role("button", name="Start the mirror").wait_for()
    return page


def live(page):
    """Press the button and wait until a changed picture is shown."""
    page.get_by_role("button", name="Start the mirror").click()
    page.locator(".mirror[data-state=live], .mirror[data-said=bad]").wait_for()
    expect(page.locator(".mirror")).to_have_attribute("data-state", "live")
    pictures(page, 2)


def pictures(page, more):
    """Wait until so many more changed pictures were shown."""
    shown = "Number(document.querySelector('.mirror').dataset.pictures || 0)"
    page.wait_for_function(f"{shown} >= {page.evaluate(shown) + more}")


def take(page, folder):
    """Press "Take a picture"; return (name, picture)."""
    with page.expect_download() as asked:
        page.get_by_role("button", name="Take a picture").click()
    path = folder / asked.value.suggested_filename
    asked.value.save_as(path)
    return path.name, Image.open(path)


def without(page, folder):
    """Press "Show me without", then "Take a picture"; return (name, picture)."""
    page.get_by_role("button", name="Show me without").click()
    expect(page.get_by_role("button", name="Show the style")).to_have_attribute("aria-pressed", "true")
    return take(page, folder)


def painted(plain, student, strength=1.0):
    """Return [512, 512, 3]: what the student makes of a picture of the camera."""
    pixels = np.asarray(plain.convert("RGB"), np.float32)
    small = torch.from_numpy(pixels.reshape(SIDE, 2, SIDE, 2, 3).mean((1, 3)).transpose(2, 0, 1)[None]) / 127.5 - 1
    with torch.no_grad():
        gain, offset = student.network.change(small, student.code)
    gain, offset = (torch.nn.functional.interpolate(x * strength, scale_factor=2.0, mode="bilinear") for x in (gain, offset))
    return ((to_tensor(plain.convert("RGB")) * (1 + gain) + offset + 1) * 127.5).clamp(0, 255)[0].permute(1, 2, 0).numpy()


@in_chromium
def test_the_mirror_shows_what_the_student_draws(server, runtime, film, student, tmp_path):
    with chromium(*showing(film)) as browser:
        page, asked = open_mirror(browser, server), []
        page.on("request", lambda request: asked.append(request.url))
        live(page)
        expect(page.locator(".mirror-status")).to_contain_text("Joker, on WebAssembly")
        name, changed = take(page, tmp_path)
        assert name == "mirror-joker.png" and changed.size == (512, 512)
        assert "AI-generated" in changed.text["Comment"] and changed.text["Style"] == "Joker"

        name, plain = without(page, tmp_path)
        assert name == "mirror-without.png" and not plain.text.get("Comment")
        assert np.abs(np.asarray(changed.convert("RGB"), float) - np.asarray(plain.convert("RGB"), float)).mean() > 5
        off = np.abs(np.asarray(changed.convert("RGB"), float) - painted(plain, student))
        assert off.max() <= 2, "in grey levels"

        page.get_by_role("button", name="Show the style").click()
        page.locator(".mirror-strength").fill("0.5")
        pictures(page, 3)
        half = np.abs(np.asarray(take(page, tmp_path)[1].convert("RGB"), float) - painted(plain, student, 0.5))
        assert half.max() <= 2

        page.locator(".mirror-styles label", has_text="Gold").click()
        expect(page.locator(".mirror-status")).to_contain_text("Gold, on WebAssembly")
        pictures(page, 2)  # one may have been under way
        assert take(page, tmp_path)[0] == "mirror-gold.png"

        page.get_by_role("tab", name="Gallery").click()
        page.get_by_role("tab", name="Mirror").click()
        expect(page.locator(".mirror-status")).to_have_text("The camera is off.")
        assert page.evaluate("document.querySelector('.mirror').mirror.video") is None
        page.locator("#go-mirror").click()
        pictures(page, 2)
        page.locator(".mirror-stop").click()
        live(page)  # and once more: what is here is not fetched again
        host = server.rstrip("/")
        assert asked and all(url.startswith((host, "blob:", "data:")) for url in asked)
        assert sum(url.endswith(".onnx") for url in asked) <= 1


@in_chromium
def test_styles_of_two_networks_are_worn_in_turn(server, runtime, film, textured, tmp_path):
    with chromium(*showing(film)) as browser:
        page, asked = open_mirror(browser, server), []
        page.on("request", lambda request: asked.append(request.url))
        live(page)
        for title in ("Pencil", "Gold", "Pencil"):
            page.locator(".mirror-styles label", has_text=title).click()
            expect(page.locator(".mirror-status")).to_contain_text(f"{title}, on WebAssembly")
            pictures(page, 2)
        _, changed = take(page, tmp_path)
        plain = without(page, tmp_path)[1]
        assert np.abs(np.asarray(changed.convert("RGB"), float) - painted(plain, textured)).max() <= 2, "in grey levels"
        assert sum(url.endswith(".onnx") for url in asked) == 2, "each is fetched once"

        page.get_by_role("button", name="Show the style").click()
        for title in ("Gold", "Pencil", "Gold"):  # in a hurry: the last one counts
            page.locator(".mirror-styles label", has_text=title).click()
        expect(page.locator(".mirror-status")).to_contain_text("Gold, on WebAssembly")
        pictures(page, 2)
        assert take(page, tmp_path)[0] == "mirror-gold.png"


@in_chromium
def test_a_film_is_taken_away_and_a_phone_has_room(server, runtime, film, tmp_path):
    with chromium(*showing(film)) as browser:
        page = open_mirror(browser, server, width=375)
        fits(page)
        live(page)
        fits(page)
        for button in page.locator(".mirror-row button").all():
            assert button.bounding_box()["height"] >= 44
        page.get_by_role("button", name="Record a film").click()
        expect(page.locator(".mirror-film")).to_contain_text("Stop (")
        pictures(page, 4)
        with page.expect_download() as asked:
            page.locator(".mirror-film").click()
        path = tmp_path / asked.value.suggested_filename
        asked.value.save_as(path)
        assert path.suffix in (".mp4", ".webm") and path.name.startswith("mirror-joker.")
        head = path.read_bytes()[:64]
        assert b"ftyp" in head or b"webm" in head
        expect(page.locator(".mirror-film")).to_have_text("Record a film")
        page.locator(".mirror-stop").click()
        expect(page.locator(".mirror-status")).to_have_text("The camera is off.")


@in_chromium
def test_nothing_is_fetched_before_the_button_and_a_refusal_is_one_sentence(server):
    with chromium(ALLOWED[0]) as browser:  # a camera that nobody allows
        page, asked = browser.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        open_app(page, server, "Mirror")
        expect(page.locator(".mirror-private")).to_contain_text("No picture leaves your browser")
        assert not [url for url in asked if "/mirror/" in url]
        page.get_by_role("button", name="Start the mirror").click()
        expect(page.locator(".mirror-status")).to_contain_text("The camera was refused. Allow it")
        expect(page.get_by_role("button", name="Start the mirror")).to_be_visible()


@in_chromium
@pytest.mark.parametrize(
    ("script", "said"),
    [
        (_BROKEN % "NotFoundError", "No camera was found."),
        (_BROKEN % "NotReadableError", "in use by another program"),
        ("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })", "only to pages with https"),
        ("delete window.WebAssembly", "neither WebGPU nor WebAssembly"),
    ],
    ids=["no camera", "in use", "plain http", "no WebAssembly"],
)
def test_what_is_missing_is_one_sentence(server, runtime, script, said):
    with chromium(*ALLOWED) as browser:
        page = open_mirror(browser, server, script=script)
        page.get_by_role("button", name="Start the mirror").click()
        expect(page.locator(".mirror-status")).to_contain_text(said)
        expect(page.locator(".mirror")).to_have_attribute("data-state", "idle")


@in_chromium
def test_what_the_server_lacks_or_has_changed_is_told_before_a_face_is_shown(server, runtime, student):
    other = json.loads(check_json(student.network))
    other["values"] = [value + 0.5 for value in other["values"]]
    with chromium(*ALLOWED) as browser:
        page = open_mirror(browser, server)
        page.context.route("**/mirror/styles.json", lambda route: route.fulfill(status=503, json={"error": "There is no runtime here."}))
        page.get_by_role("button", name="Start the mirror").click()
        expect(page.locator(".mirror-status")).to_have_text("There is no runtime here.")
        page.context.unroute("**/mirror/styles.json")
        page.context.route("**/networks/*.json", lambda route: route.fulfill(json=other))
        page.get_by_role("button", name="Start the mirror").click()
        expect(page.locator(".mirror-status")).to_contain_text("network is damaged")
        until(page, lambda: page.evaluate("document.querySelector('.mirror').mirror.video") is None)
