"""Hostile requests over raw HTTP: what the page would never send. Each gets a clean refusal: no traceback, no path of the server."""

from __future__ import annotations

import base64
import io
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nada_core.ui.page.patches.unopened_image import MAX_UPLOAD
from nada_core.ui.style_menu.choices import OWN
from nada_core.ui.tabs.mirror.film_work import MAX_FILM
from tests.helpers.fake_engine import FakeEngine, draw_face
from tests.helpers.served import serving
from tests.helpers.visitor import LEAKS, ROOT, Visitor, clean

pytestmark = pytest.mark.heavy

#: The settings for experts as a page sends them that leaves them alone.
LEFT_ALONE = ("own", "own", 0, 0, 0, "own", "", "", 0, 0, "own")


def jpeg(size: int = 300) -> bytes:
    target = io.BytesIO()
    draw_face(5, size).save(target, "JPEG")
    return target.getvalue()


def data_url(content: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def file_data(path: str | None = None, url: str | None = None, **more) -> dict:
    return {"path": path, "url": url, "meta": {"_type": "gradio.FileData"}, **more}


@pytest.fixture(scope="module")
def served():
    engine = FakeEngine(delay=0.0)
    with serving(engine) as (url, demo):
        demo.context.open()
        yield url, demo, engine


@pytest.fixture
def visitor(served):
    url, demo, _ = served
    visitor = Visitor(url, demo)
    yield visitor
    assert len(demo.context.line) == 0
    visitor.web.close()


def edit(visitor: Visitor, photo, style="joker", strength=1.0, face=0, mode="balanced", paste=False):
    return ("api_edit", photo, style, strength, face, mode, paste)


# --- files ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "....//....//etc/passwd",
        "/proc/self/environ",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "\\\\server\\share",
        str(ROOT / "app.py"),
        str(ROOT / "nada_core" / "engine.py"),
        "app.py",
        ".git/config",
    ],
)
def test_no_file_of_the_server_is_served(visitor, path):
    for prefix in ("/gradio_api/file=", "/file=", "/gradio_api/file/", "/static/", "/gradio_api/stream/"):
        answer = visitor.web.get(prefix + path)
        # what was asked for may be repeated; nothing else of the server may be said
        assert answer.status_code in (400, 403, 404, 405, 422) or answer.headers["content-type"].startswith("text/html"), answer.text[:200]
        assert (
            "root:" not in answer.text and "Traceback" not in answer.text and "build_app" not in answer.text and "PATH=" not in answer.text
        )


def test_styles_of_running_jobs_are_not_served(visitor):
    success, _, (summary, _) = visitor.ask("api_adapt", "Joker", 8, 1)
    assert success
    (job,) = [job for job in visitor.demo.context.jobs.all() if OWN + job.id == summary["style"]]
    for file in job.folder.styles.glob("*"):
        assert visitor.web.get(f"/gradio_api/file={file}").status_code == 403
    library = visitor.web.get(f"/gradio_api/file={ROOT}/checkpoints/styles/joker.safetensors")
    assert library.status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/etc/hostname", str(ROOT / "docs" / "pictures" / "concepts.jpg"), "../../etc/passwd", "/proc/self/environ", "/"],
)
def test_a_path_of_the_server_is_no_photo(visitor, path):
    """For every handler that takes a file: the photo box, the public endpoint, the target pictures, the gallery's import."""
    for number, block in visitor.demo.fns.items():
        places = [place for place, one in enumerate(block.inputs) if type(one).__name__ in ("Image", "File", "UploadButton")]
        if not places or block.fn is None:
            continue
        for place in places:
            data = [getattr(one, "value", None) for one in block.inputs]
            many = getattr(block.inputs[place], "file_count", "") == "multiple"
            data[place] = [file_data(path)] if many else file_data(path)
            visitor.refused(number, *data)
    assert len(visitor.demo.context.photos) == 0


def test_a_photo_by_address_is_not_fetched(visitor):
    """Neither from this machine nor from elsewhere: nobody shall use the server to reach what it can reach."""
    with socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen()
        trap.settimeout(1)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/photo.jpg"
        for data in (file_data(address), file_data(None, address), file_data("x.jpg", address), file_data(address, address)):
            visitor.refused(*edit(visitor, data))
        with pytest.raises(TimeoutError):
            trap.accept()


def test_uploads_are_limited(visitor):
    answer = visitor.upload(bytes(MAX_FILM + 2**20))
    assert answer.status_code in (400, 413) and "exceeded" in clean(answer.text)
    good = visitor.upload(jpeg())
    assert good.status_code == 200
    (path,) = good.json()
    success, answer, (picture, scores) = visitor.ask(*edit(visitor, file_data(path)))
    assert success and scores["phase"] == "done" and picture["path"].endswith(".png")


@pytest.mark.parametrize("name", ["../../evil.jpg", "/etc/cron.d/evil", "..\\evil.jpg", "a\x00b.jpg", "x" * 5000, "<img src=x>.jpg", ""])
def test_names_of_uploads_stay_in_their_folder(visitor, name):
    answer = visitor.upload(b"text", name)
    assert "Traceback" not in answer.text
    if answer.status_code == 200:
        (path,) = answer.json()
        folder = Path(os.environ.get("GRADIO_TEMP_DIR") or visitor.demo.GRADIO_CACHE).resolve()
        assert Path(path).resolve().is_relative_to(folder)
        words = visitor.ask(*edit(visitor, file_data(path)))[1]
        assert "not a picture" in words and str(folder) not in words and "<img" not in words


def test_data_urls(visitor):
    success, answer, (_, scores) = visitor.ask(*edit(visitor, file_data(None, data_url(jpeg()))))
    assert success and scores["faces"] == 1, answer
    noise = np.random.default_rng(0).integers(0, 256, MAX_UPLOAD + 2**20, np.uint8).tobytes()
    assert "25 MB" in visitor.refused(*edit(visitor, file_data(None, data_url(noise))))
    for url in ("data:image/png,abc", "data:image/png;base64,***", "data:", "data:text/html;base64,PGI+", "data:image/jpeg;base64,"):
        visitor.refused(*edit(visitor, file_data(None, url)))
    target = io.BytesIO()
    Image.new("RGB", (1, 1)).save(target, "PNG")
    assert "1 x 1" in visitor.refused(*edit(visitor, file_data(None, data_url(target.getvalue(), "image/png"))))


def test_the_photo_box_stays_careful_after_it_was_updated(visitor):
    """Gradio makes a session's components anew when a handler updates them; the second photo must not be opened by Gradio itself."""
    (letter,) = visitor.upload(b"dear all", "letter.jpg").json()
    for act in (1, 3, 5):
        success, answer, _ = visitor.ask("arrived", file_data(None, data_url(jpeg())), "", "", act, 0)
        assert success and "Ready: press Stylise" in answer
        success, answer, _ = visitor.ask("arrived", file_data(letter), "", "", act + 1, 0)
        assert success and "not a picture" in answer
    written = [path for path in visitor.demo.upload_file_set if path.endswith("/photo")]
    assert len(written) >= 3 and all(Path(path).exists() for path in written)  # Gradio knows them, so that it deletes them
    photo = next(iter(visitor.demo.context.photos.keys()), None)
    visitor.demo.context.photos.discard(photo)


def test_what_only_claims_to_be_a_photo(visitor):
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    for name, content in (("letter.jpg", b"dear all"), ("x.png", svg), ("bomb.png", bomb), ("cut.jpg", jpeg()[:2000]), ("e.jpg", b"")):
        (path,) = visitor.upload(content, name).json()
        words = visitor.refused(*edit(visitor, file_data(path)))
        assert any(sentence in words for sentence in ("not a picture", "damaged", "empty", "megapixels", "SVG drawing")), words[-300:]


# --- ids and names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["nobody", "../../etc/passwd", OWN, OWN + "forged", "joker.safetensors", "x" * 100_000, "", "\x00"])
def test_forged_styles(visitor, style):
    (path,) = visitor.upload(jpeg()).json()
    words = visitor.refused(*edit(visitor, file_data(path), style=style))
    assert "style" in words and len(visitor.demo.context.photos) == 0


def test_ids_cannot_be_sent_to_the_page_handlers(visitor):
    """Photos, faces, owned styles and jobs are state of the session: what a request says about them is not looked at."""
    _, _, (summary, _) = visitor.ask("api_adapt", "Gold", 5, 1)
    key = summary["style"].removeprefix(OWN)
    stranger = Visitor(str(visitor.web.base_url), visitor.demo)
    photo = visitor.demo.context.photos.put(draw_face(5, 300), ())
    values = ["", photo, "joker", 1.0, 1.0, 1.0, 1.0, None, 0.5, 0, [[1, 1]] * 3, "balanced", 256, False, [key], False]
    assert stranger.ask("arrive", [])[0]  # or the list of styles would still be empty
    assert "no photo yet" in stranger.refused("edit", *values)
    stranger.ask("rerender", *values)
    assert "no longer kept" in stranger.refused("export", key, [key], 1.0)
    assert "no longer kept" in stranger.refused("store", key, [key], "mine", 1.0)
    success, answer, _ = stranger.ask("restrength", 0.5, key, [key])
    assert success and "strength-" not in answer and "Strength 0.50" not in answer
    for name, value in (("restrength", "x"), ("restrength", None), ("restrength", 9), ("snap", "x"), ("snap", None)):
        stranger.ask(name, value, key, None)  # whatever it says, nothing leaks
    stranger.ask("wear", key, [key])
    success, answer, _ = stranger.ask("halt", key)
    assert success and "Stopping" not in answer
    for forged in ({"browser": "x", "jobs": ["forged", "../../x", 5]}, {"jobs": {"a": 1}}, "text", [1], None):
        success, answer, _ = stranger.ask("resume", forged)
        assert "adapt-progress" not in answer or not success
        clean(answer)
    assert "gold" not in visitor.demo.context.open()[0].saved
    visitor.demo.context.photos.discard(photo)


def test_the_simple_endpoints_reach_the_public_ones_only_through_the_queue(visitor):
    for name in ("edit", "arrived", "store", "export", "on_delete", "nobody", "../x"):
        for route in ("/gradio_api/run/", "/gradio_api/api/", "/run/"):
            answer = visitor.web.post(route + name, json={"data": []})
            assert answer.status_code >= 400 and "Traceback" not in answer.text
    for number in (-1, 10**6, "x", None):
        answer = visitor.web.post("/gradio_api/queue/join", json={"fn_index": number, "data": [], "session_hash": "a"})
        assert answer.status_code >= 400 and clean(answer.text)
    for body in (b"", b"{", b"[]", b'{"fn_index": 0}', b'{"data": 5, "fn_index": 0}'):
        answer = visitor.web.post("/gradio_api/queue/join", content=body, headers={"content-type": "application/json"})
        assert "Traceback" not in answer.text


def test_every_handler_survives_no_arguments_and_wrong_ones(visitor):
    def send(value) -> int:
        other, asked = Visitor(str(visitor.web.base_url), visitor.demo), 0
        for number, block in visitor.demo.fns.items():
            if block.fn is not None:
                _, answer, _ = other.ask(number, *[value] * len(block.inputs))
                clean(answer.replace(str(visitor.demo.GRADIO_CACHE), ""))  # addresses of pictures made for this page
                asked += 1
        return asked

    wrong = (None, "x", -(10**9), ["/etc/passwd"], {"a": 1})
    with ThreadPoolExecutor(len(wrong)) as visitors:  # an answer is mostly waited for
        assert min(visitors.map(send, wrong)) > 50
    for job in visitor.demo.context.jobs.all():
        visitor.demo.context.jobs.cancel(job.id)


# --- values -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("x" * 10_000, "10,000 characters"),
        ("<img src=x onerror=alert(1)>", "does not know"),
        ("<script>alert(1)</script>", "does not know"),
        ("", "empty"),
        (None, "empty"),
        ("\x00\x07", "empty"),
        ("{{7*7}} ${7*7}", "no words in it"),
    ],
)
def test_strange_prompts(visitor, prompt, words):
    for answer in (
        visitor.refused("api_adapt", prompt, 8, 1),
        visitor.turned_away(prompt, 8, "all", 0, "face", 3, False, 2, 0.8, None, False, "", [], "", "", "", *LEFT_ALONE),
    ):
        assert words in answer and "<img" not in answer and "<script" not in answer


@pytest.mark.parametrize("steps", [10**6, -1, 0, 1.0e308, "many", None, [5]])
def test_strange_steps(visitor, steps):
    visitor.refused("api_adapt", "Joker", steps, 1)
    visitor.turned_away("Joker", steps, "all", 0, "face", 3, False, 2, 0.8, None, False, "", [], "", "", "", *LEFT_ALONE)


@pytest.mark.parametrize("change", [{"strength": 9}, {"strength": -1}, {"face": 99}, {"face": -1}, {"mode": "endless"}, {"strength": "x"}])
def test_strange_options_of_an_edit(visitor, change):
    (path,) = visitor.upload(jpeg()).json()
    visitor.refused(*edit(visitor, file_data(path), **change))
    assert len(visitor.demo.context.photos) == 0


def test_the_pages_of_the_framework_say_nothing_of_the_server(visitor):
    for path in (
        "/",
        "/config",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/docs",
        "/monitoring",
        "/gradio_api/nothing",
        "/theme.css",
    ):
        answer = visitor.web.get(path)
        assert not [leak for leak in LEAKS if leak in answer.text and leak != "/tmp"], path
    assert visitor.web.get("/monitoring").status_code in (403, 404)
