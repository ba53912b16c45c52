"""What the mirror's pages are sent: the list, networks, codes, the runtime; compressed, small, and nothing else."""

from __future__ import annotations

import gzip
import json
import urllib.request
from urllib.error import HTTPError

import numpy as np
import pytest

from nada_core.errors import AssetError
from nada_core.students.files import StudentCard, StyleStudent, ready_students
from nada_core.ui.tabs.mirror import run
from tests.helpers.fake_engine import FakeEngine, FakeStudents
from tests.helpers.served import serving
from tests.students.test_network import taught

pytestmark = pytest.mark.heavy

NOUGHTS = "0" * 24


@pytest.fixture(scope="module")
def student():
    network, codes = taught()
    return StyleStudent(StudentCard("joker", "Joker", "b" * 64, 3), network, codes[:1])


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """In the place of onnxruntime-web, files of its names; an empty cache."""
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    for file in run.REGISTRY[run.RUNTIME].files:
        (tmp_path / file.name).write_bytes(file.name.encode() * 100)
    monkeypatch.setattr(run, "fetch", lambda name, progress: tmp_path)
    return tmp_path


def ask(url, path, accept="gzip"):
    """Return (status, headers, content as a browser sees it)."""
    request = urllib.request.Request(f"{url}mirror/{path}", headers={"Accept-Encoding": accept})
    try:
        with urllib.request.urlopen(request) as answer:
            status, headers, body = answer.status, answer.headers, answer.read()
    except HTTPError as error:
        status, headers, body = error.code, error.headers, error.read()
    return status, headers, gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


def test_all_that_the_list_names_is_there(student, runtime):
    with serving(FakeEngine(students=FakeStudents(student=student))) as (url, _):
        status, headers, body = ask(url, "styles.json")
        listed = json.loads(body)
        assert status == 200 and headers["Cache-Control"] == "no-cache"
        (style,) = listed["styles"]
        assert (style["name"], style["title"]) == ("joker", "Joker")
        network = listed["networks"][style["network"]]
        for path in (style["code"], network["file"], network["check"], *listed["runtimes"].values()):
            status, headers, body = ask(url, path)
            assert status == 200 and body, path
            assert headers["Content-Encoding"] == "gzip" and "immutable" in headers["Cache-Control"]
        code = np.frombuffer(ask(url, style["code"])[2], "<f4")
        np.testing.assert_array_equal(code, student.code[0].numpy())
        assert len(json.loads(ask(url, network["check"])[2])["values"]) == 128
        assert ask(url, "mirror.js")[1]["Content-Type"].startswith("text/javascript")
        plain = ask(url, "paint.js", accept="identity")
        assert "Content-Encoding" not in plain[1] and b"export function paint" in plain[2]
    (kept,) = (runtime / "cache" / "mirror").iterdir()
    with serving(FakeEngine(students=FakeStudents(student=student))) as (url, _):  # begun anew; an old page asks
        assert ask(url, network["file"])[2] == kept.read_bytes()


def test_nothing_else_is_given_out(student, runtime):
    wrong = ["", "nothing.js", "panel.html", "../app.css", "%2e%2e/network.py"]
    wrong += [f"networks/{NOUGHTS}.onnx", f"codes/{NOUGHTS}.json", "runtime/0/a.mjs"]
    with serving(FakeEngine(students=FakeStudents(student=student))) as (url, _):
        for path in wrong:
            status, _, body = ask(url, path)
            assert status == 404 or b"gradio" in body, path  # a path that leaves the folder is the page's


def test_what_cannot_be_had_is_one_sentence(student, runtime, monkeypatch):
    def offline(name, progress):
        raise AssetError(f"{name} could not be fetched: no connection.")

    with serving(FakeEngine()) as (url, _):
        status, _, body = ask(url, "styles.json")
        assert status == 503 and "can be worn live" in json.loads(body)["error"]
    with serving(FakeEngine(students=FakeStudents(student=student))) as (url, _):
        monkeypatch.setattr(run, "fetch", offline)
        status, _, body = ask(url, "styles.json")
        assert status == 503 and "no connection" in json.loads(body)["error"]
        monkeypatch.setattr(run, "fetch", lambda name, progress: runtime)
        assert ask(url, "styles.json")[0] == 200, "the next press tries again"


@pytest.mark.parametrize("device", ["wasm", "webgpu"])
def test_a_first_visit_takes_less_than_six_megabytes(device):
    from nada_core.assets import fetch
    from nada_core.students.web_page import RUNTIME

    try:
        fetch(RUNTIME, progress=False)
    except AssetError as error:
        pytest.skip(f"onnxruntime-web cannot be fetched: {error}")
    (student, *_) = ready_students().values()
    with serving(FakeEngine(students=FakeStudents(student=student))) as (url, _):
        listed = json.loads(ask(url, "styles.json")[2])
        entry = listed["runtimes"][device]
        beside = {"wasm": "ort-wasm-simd-threaded", "webgpu": "ort-wasm-simd-threaded.jspi"}[device]
        folder = entry.rsplit("/", 1)[0]
        (network,) = listed["networks"].values()
        files = [entry, f"{folder}/{beside}.mjs", f"{folder}/{beside}.wasm", *network.values(), listed["styles"][0]["code"]]
        files += ["styles.json", *run.PAGE_FILES]
        sent = sum(int(ask(url, file)[1]["Content-Length"]) for file in files)
    assert 3e6 < sent < 6e6
