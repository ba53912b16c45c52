"""Every door by which a picture comes in lets the server decide, by what the file holds."""

from __future__ import annotations

import base64
import io

import pillow_heif
import pytest

from tests.helpers.fake_engine import FakeEngine, draw_face
from tests.helpers.served import app_page, expect, in_chromium

_DROP = """([place, name, type, content]) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type }));
  const target = document.querySelector(place);
  for (const kind of ['dragenter', 'dragover', 'drop'])
    target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
}"""


def heic() -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(draw_face(3, 300)).save(buffer)
    return buffer.getvalue()


def avif() -> bytes:
    buffer = io.BytesIO()
    draw_face(3, 300).save(buffer, "AVIF")
    return buffer.getvalue()


@pytest.mark.slow
@in_chromium
def test_files_are_taken_dropped_and_chosen(tmp_path):
    with app_page(FakeEngine(delay=0.003)) as (page, _):
        page.get_by_text("Settings", exact=True).click()
        page.locator("#targets input[type=file]").wait_for(state="attached")
        drop(page, "#targets button", "IMG_1.HEIC", "", heic())
        expect(page.locator("#targets")).to_contain_text("IMG_1")
        page.get_by_role("tab", name="Stylise").click()
        box = page.locator("#photo input[type=file]")
        for name, kind, content in (
            ("IMG_1.HEIC", "", heic()),
            ("photo", "", heic()),
            ("photo.hif", "application/octet-stream", heic()),
            ("a.avif", "", avif()),
        ):
            box.wait_for(state="attached")
            drop(page, "#photo button", name, kind, content)
            page.locator("#edit-progress").get_by_text("Ready: press Stylise").wait_for()
            page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
            page.locator("#edit-progress").get_by_text("Ready for a photo").wait_for()
            (tmp_path / name).write_bytes(content)
            box.set_input_files(str(tmp_path / name))
            page.locator("#edit-progress").get_by_text("Ready: press Stylise").wait_for()
            page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
            page.locator("#edit-progress").get_by_text("Ready for a photo").wait_for()
        drop(page, "#photo button", "letter.txt", "text/plain", b"dear all")
        page.locator("#photo-hint").get_by_text("not a picture").wait_for()
        expect(page.get_by_text("Invalid file type")).to_have_count(0)


def drop(page, place: str, name: str, kind: str, content: bytes) -> None:
    page.evaluate(_DROP, [place, name, kind, base64.b64encode(content).decode()])
