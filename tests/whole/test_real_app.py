"""The whole way of a person through the app, in headless Chromium, on the starter's real networks: the pictures are measured."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.folders import ROOT
from tests.helpers.served import chromium, expect, in_chromium, open_app, typed

pytestmark = pytest.mark.heavy

STEPS = 2
#: `python app.py`, whose edits take a few steps: how good an edit is, tests/editing says, and waiting for one is half of this test.
BRIEF = """
import runpy, sys
import pytest
from tests.helpers.brief_edits import brief_edits

brief_edits(pytest.MonkeyPatch())
sys.argv[0] = "app.py"
runpy.run_path("app.py", run_name="__main__")
"""
LONG = 600_000  # ms that real networks may take for anything, on a slow machine with other work


@pytest.fixture
def app(tmp_path):
    """The address of `python app.py` with a library of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        "NADA_STYLES": str(tmp_path / "styles"),
        "TMPDIR": str(tmp_path),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "NADA_WORLD": "starter",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", BRIEF, "--port", str(port)], cwd=ROOT, env=os.environ | variables, stdout=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + LONG / 1000
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).read(1)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "the app did not come up"
                time.sleep(0.3)
        assert process.stdout is not None
        while "World: starter" not in process.stdout.readline():  # the networks are loaded
            assert process.poll() is None
        yield url
    finally:
        process.terminate()
        process.wait(300)
    assert not list(tmp_path.glob("nada-demo-*")), "temporary files were left"


def picture(page, place: str) -> np.ndarray:
    """The pixels that the page shows there, [H, W, 3] in 0..255."""
    address = page.evaluate("place => document.querySelector(place).src", place)
    return np.asarray(Image.open(io.BytesIO(page.request.get(address).body())).convert("RGB"), float)


def greenness(face: np.ndarray) -> float:
    """How much greener than red and blue the upper edge of a face picture is: hair, in a centred portrait."""
    top = face[: face.shape[0] // 5].reshape(-1, 3)
    return float((top[:, 1] - (top[:, 0] + top[:, 2]) / 2).mean())


@in_chromium
@pytest.mark.slow
def test_a_person_types_joker_and_becomes_it(app, tmp_path):
    with chromium() as browser:
        person = browser.new_context(accept_downloads=True)
        person.set_default_timeout(LONG)
        page = person.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        open_app(page, app)
        expect(page.locator("#world")).to_contain_text("Starter world.")
        before = [picture(page, f"#after-{number} img") for number in range(4)]

        page.locator("#prompt input, #prompt textarea").first.fill("Joker")
        page.locator("#settings").get_by_text("Settings", exact=True).click()
        typed(page, page.get_by_label("number input for Steps"), "120")  # more than the test waits for
        source = page.locator("#after-0 img").get_attribute("src")
        page.locator("#adapt").click()
        expect(page.locator("#after-0 img")).not_to_have_attribute("src", source, timeout=LONG)
        progress = page.locator("#adapt-progress")
        expect(progress).to_contain_text("of 120", timeout=LONG)
        expect(progress).to_contain_text("Begun at a blend of ready styles: ", timeout=LONG)

        page.reload()  # in the middle: the run goes on and is found again
        expect(progress).to_contain_text("of 120", timeout=LONG)
        second = person.new_page()  # a page beside it stays quick
        open_app(second, app)
        second.close()
        step = "number => Number((document.querySelector('#adapt-progress').innerText.match(/Step (\\d+) of/) || [])[1]) >= number"
        page.wait_for_function(step, arg=STEPS)
        page.locator("#stop").click()
        page.get_by_text("Stopped at step").wait_for()
        after = [picture(page, f"#after-{number} img") for number in range(4)]
        assert all(now.shape == then.shape for now, then in zip(after, before, strict=True))
        assert min(np.abs(now - then).mean() for now, then in zip(after, before, strict=True)) > 8  # of 255: every face has changed
        rise = [greenness(now) - greenness(then) for now, then in zip(after, before, strict=True)]
        assert np.median(rise) > 3, f"hair does not turn green: {rise}"

        page.locator("#keep").get_by_label("Name").fill("my-joker")
        page.locator("#save").click()
        page.locator("#kept").get_by_text("Saved as").wait_for()
        assert (tmp_path / "styles" / "my-joker.safetensors").exists()
        with page.expect_download() as download:
            page.locator("#fetch-style").click()
        assert Path(download.value.path()).stat().st_size < 1.5e6

        page.locator("#wear").click()
        page.locator("#examples .thumbnail-item").first.click()
        page.locator("#mode").get_by_text("Fast", exact=False).first.click()
        page.locator("#stylise").click()  # once it is enabled
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        with page.expect_download() as download:
            page.locator("#take-picture").click()
        joker = Image.open(download.value.path())
        assert joker.size == (1024, 1024) and "AI-generated" in joker.info["Comment"] and joker.info["Style"]
        rebuilt = picture(page, "#inverted img")
        worn = np.asarray(joker.convert("RGB").resize(rebuilt.shape[1::-1]), float)
        assert np.abs(worn - rebuilt).mean() > 6 and greenness(worn) > greenness(rebuilt)
        assert not errors, json.dumps(errors)
