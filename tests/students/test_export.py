"""Exported students: onnxruntime and TorchScript draw what the student draws, and what cannot be written leaves nothing."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import torch

from nada_core.errors import NadaError, OptionsError
from nada_core.students import export_web
from nada_core.students.export import FORMATS, check_target, export_student
from nada_core.students.export_web import check_json, code_bytes, network_name
from nada_core.students.files import StudentCard, StyleStudent, ready_students
from nada_core.system.files import write_folder
from tests.students.test_network import faces, taught

RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


@pytest.fixture(scope="module")
def student():
    """A small one, its numbers as a file keeps them."""
    network, codes = taught()
    network.half().float()
    return StyleStudent(StudentCard("joker", "Joker", "b" * 64, 3), network, codes[:1].half().float())


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """In the place of onnxruntime-web, files of its names."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    for name in RUNTIME:
        (folder / name).write_bytes(name.encode())
    monkeypatch.setattr(export_web, "fetch", lambda _: folder)


def levels(a, b):
    """Return the largest difference in grey levels."""
    return np.abs(np.asarray(a) - np.asarray(b)).max() * 127.5


def session(data):
    ort = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    return ort.InferenceSession(data, providers=["CPUExecutionProvider"])


def wanted(student, face, strength):
    with torch.no_grad():
        return (face + strength * (student.network(face, student.code) - face)).clamp(-1, 1)


@pytest.mark.heavy
@pytest.mark.parametrize("strength", [0.0, 1.0, 1.3])
def test_onnxruntime_draws_what_the_student_draws(student, tmp_path, strength):
    made = session(export_student(student, tmp_path / "joker.onnx", "onnx").read_bytes())
    face = faces(1)
    (changed,) = made.run(["changed"], {"face": face.numpy(), "strength": np.array([strength], np.float32)})
    assert levels(changed, wanted(student, face, strength)) < 2
    told = made.get_modelmeta().custom_metadata_map
    assert "strength" in told["README.md"] and "Joker" in told["README.md"] and "NON-COMMERCIAL" in told["LICENCE.txt"]


@pytest.mark.heavy
def test_an_onnx_file_can_be_made_of_8_bits(student, tmp_path):
    """As docs/mirror.md says: the casts of its weights are folded first."""
    quantization = pytest.importorskip("onnxruntime.quantization", reason="needs onnxruntime")
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source = export_student(student, tmp_path / "joker.onnx", "onnx")
    prepared, small = str(tmp_path / "prepared.onnx"), tmp_path / "small.onnx"
    quant_pre_process(str(source), prepared)
    quantization.quantize_dynamic(prepared, str(small))
    face = faces(1)
    (changed,) = session(small.read_bytes()).run(["changed"], {"face": face.numpy(), "strength": np.ones(1, np.float32)})
    apart = np.abs(changed - wanted(student, face, 1.0).numpy()) * 127.5
    assert 0 < apart.mean() < 2 and apart.max() < 20


@pytest.mark.heavy
@pytest.mark.parametrize("textured", [False, True], ids=["paint", "texture"])
def test_a_shipped_student_is_the_same_in_onnxruntime(tmp_path, textured):
    student = next(one for one in ready_students().values() if one.network.textured == textured)
    made = session(export_student(student, tmp_path / "style.onnx", "onnx").read_bytes())
    face = faces(1)
    (changed,) = made.run(["changed"], {"face": face.numpy(), "strength": np.ones(1, np.float32)})
    assert levels(changed, wanted(student, face, 1.0)) < 2
    assert (tmp_path / "style.onnx").stat().st_size < 1_700_000


@pytest.mark.heavy
def test_torchscript_draws_what_the_student_draws(student, tmp_path):
    path = export_student(student, tmp_path / "joker.pt", "torchscript")
    texts = {"README.md": "", "LICENCE.txt": ""}
    made = torch.jit.load(io.BytesIO(path.read_bytes()), _extra_files=texts)
    face = faces(1)
    with torch.no_grad():
        changed = made(face, torch.tensor([0.7]))
    assert levels(changed, wanted(student, face, 0.7)) < 2
    assert b"face" in texts["README.md"] and b"Apache" in texts["LICENCE.txt"]


@pytest.mark.heavy
def test_the_web_folder_has_all_that_its_page_asks_for(student, tmp_path, runtime):
    folder = export_student(student, tmp_path / "page", "web")
    listed = json.loads((folder / "styles.json").read_text())
    (style,) = listed["styles"]
    assert (style["name"], style["title"], listed["runtimes"]["webgpu"]) == ("joker", "Joker", None)
    network = listed["networks"][style["network"]]
    for file in (network["file"], network["check"], style["code"], listed["runtimes"]["wasm"], "index.html", "README.md", "LICENCE.txt"):
        assert (folder / file).stat().st_size > 0
    page = (folder / "index.html").read_text()
    assert "mirror-start" in page and "<title>Joker, live</title>" in page and "http" not in page.replace("http-equiv", "")
    for file in folder.glob("*.js"):
        for imported in [line.split("'")[1] for line in file.read_text().splitlines() if line.startswith("import ")]:
            assert (folder / imported).is_file(), f"{file.name} imports {imported}"
    code = np.frombuffer((folder / style["code"]).read_bytes(), "<f4")
    np.testing.assert_array_equal(code, student.code[0].numpy())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page", "runtime"], "nothing is left beside it"

    made, face = session((folder / network["file"]).read_bytes()), faces(1)
    gain, offset = made.run(["gain", "offset"], {"faces": face.numpy(), "codes": code[None]})
    assert levels(face.numpy() * (1 + gain) + offset, student.network(face, student.code).detach()) < 2


@pytest.mark.heavy
def test_the_numbers_to_compare_are_those_of_the_network(student):
    """As worker.js makes and reads them."""
    check = json.loads(check_json(student.network))
    made = session(export_web.network_onnx(student.network))
    face = np.array([(i * 7) % 511 for i in range(3 * 256 * 256)], np.float32).reshape(1, 3, 256, 256) / 255 - 1
    codes = np.array([(i * 37) % 101 for i in range(check["codes"])], np.float32)[None] / 500 - np.float32(0.1)
    planes = [plane.ravel() for plane in made.run(["gain", "offset"], {"faces": face, "codes": codes})]
    values = [plane[place] for plane in planes for place in check["places"]]
    assert np.abs(np.subtract(values, check["values"])).max() < 0.01 * max(1, np.abs(check["values"]).max())
    assert np.abs(check["values"]).max() > 0.01


def test_names_tell_the_weights_and_codes_are_numbers(student):
    other, _ = taught(seed=5)
    assert network_name(student.network) == network_name(student.network) != network_name(other)
    assert len(code_bytes(student)) == 4 * student.network.code_size


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("a.pt", "onnx", "does not end in .onnx"),
        ("a", "torchscript", "does not end in .pt"),
        ("full", "web", "is there already"),
        ("file.onnx", "web", "is there already"),
        ("folder.onnx", "onnx", "is a folder"),
        ("a.onnx", "tflite", "There is no format"),
    ],
)
def test_a_target_that_cannot_be_is_refused_at_once(tmp_path, name, kind, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "file.onnx").write_bytes(b"")
    with pytest.raises(OptionsError, match=said):
        check_target(tmp_path / name, kind)
    assert set(FORMATS) == {"onnx", "torchscript", "web"}


def test_a_folder_is_complete_or_absent(tmp_path):
    def files():
        yield "a/b.txt", b"one"
        raise NadaError("no more")

    with pytest.raises(NadaError, match="no more"):
        write_folder(tmp_path / "new", files())
    assert not list(tmp_path.iterdir())
    write_folder(tmp_path / "new", iter([("a/b.txt", b"one")]))
    assert (tmp_path / "new" / "a" / "b.txt").read_bytes() == b"one"
    with pytest.raises(NadaError, match="Cannot write new"):
        write_folder(tmp_path / "new", iter([("c.txt", b"two")]))
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
