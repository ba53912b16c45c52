"""Files of students: what comes back, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from nada_core.errors import OptionsError, StyleError
from nada_core.students.files import StudentCard, StyleStudent, load_students, ready_students, save_students, style_digest
from nada_core.students.library import StudentLibrary
from nada_core.students.network import with_grain
from tests.helpers.small_styles import small_generator, smooth_style
from tests.students.test_network import faces, taught


@pytest.fixture
def students():
    network, codes = taught()
    cards = [StudentCard(f"style-{n}", f"Style {n}", f"{n}" * 64, 10 * n, {"error": 0.05}) for n in range(3)]
    return [StyleStudent(card, network, code[None]) for card, code in zip(cards, codes)]


def test_students_come_back_as_they_were(students, tmp_path):
    found = load_students(save_students(students, tmp_path / "a" / "students.safetensors"))
    assert [one.card for one in found.values()] == [one.card for one in students]
    assert len({id(one.network) for one in found.values()}) == 1
    for before, after in zip(students, found.values()):
        with torch.no_grad():
            torch.testing.assert_close(after.network(faces(1), after.code), before.network(faces(1), before.code), rtol=0, atol=0.02)
    assert (tmp_path / "a" / "students.safetensors").stat().st_size < 60_000


def test_one_file_has_one_network(students, tmp_path):
    other, codes = taught(1)
    with pytest.raises(ValueError, match="one network"):
        save_students([students[0], StyleStudent(students[1].card, other, codes[:1])], tmp_path / "x.safetensors")


def test_what_is_no_file_of_students_is_refused(students, tmp_path):
    path = save_students(students, tmp_path / "s.safetensors")
    tensors = load_file(path)
    metadata = {"format": "nada-students-1", "widths": "[8, 8, 8, 8]", "cards": "[]", "sha256": "0" * 64}
    broken = {
        "cut": path.read_bytes()[:-40],
        "empty": b"",
        "text": b"not at all",
        "changed": path.read_bytes()[:-2] + b"\x11\x22",
    }
    for name, content in broken.items():
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    save_file(tensors, tmp_path / "other.safetensors", metadata)
    save_file(tensors, tmp_path / "bare.safetensors")
    for name in [*broken, "other", "bare", "none"]:
        with pytest.raises(StyleError) as refused:
            load_students(tmp_path / f"{name}.safetensors")
        assert len(str(refused.value)) < 300 and str(tmp_path) not in str(refused.value)


def test_a_file_whose_cards_do_not_fit_is_refused(students, tmp_path):
    path = save_students(students, tmp_path / "s.safetensors")
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    for change in (
        {"cards": json.dumps(json.loads(metadata["cards"])[:2])},
        {"cards": "[{}]"},
        {"widths": "[]"},
        {"widths": "[8, 8, 8, 9]"},
    ):
        save_file(load_file(path), tmp_path / "x.safetensors", metadata | change)
        with pytest.raises(StyleError, match="is no file of students"):
            load_students(tmp_path / "x.safetensors")


def test_the_library_knows_styles_by_their_weights(students, tmp_path):
    base = small_generator()
    style, renamed, other = smooth_style(base), smooth_style(base, name="renamed"), smooth_style(base, size=0.2)
    library = StudentLibrary(tmp_path)
    assert library.find(style) is None
    with pytest.raises(OptionsError, match="There is no instant version of 'painted' yet"):
        library.of([(style, 1.0)])
    card = StudentCard("painted", "painted", style_digest(style), 5)
    library.keep(StyleStudent(card, students[0].network, students[0].code))
    for asked in (library, StudentLibrary(tmp_path)):  # in this process and in the next one
        found = asked.find(renamed)
        assert found is not None and found.card == card and asked.find(other) is None
    ((student, share),) = library.of([(style, 0.4)])
    assert student.card == card and share == 0.4


def test_a_damaged_student_of_ones_own_is_as_none(students, tmp_path):
    style = smooth_style(small_generator())
    library = StudentLibrary(tmp_path)
    path = library.keep(StyleStudent(StudentCard("a", "a", style_digest(style), 5), students[0].network, students[0].code))
    path.write_bytes(path.read_bytes()[:100])
    assert StudentLibrary(tmp_path).find(style) is None


def test_a_network_with_grain_comes_back_beside_one_without(students, tmp_path):
    plain = {student.card.style: student for student in students}
    network = with_grain(students[0].network)
    grown = {digest: replace(student, network=network) for digest, student in plain.items()}
    for digest, student in grown.items():
        assert student.network.textured and student.card == plain[digest].card
        with torch.no_grad():
            made, before = student.network(faces(1), student.code), plain[digest].network(faces(1), student.code)
        assert 0 < (made - before).abs().mean() < 0.1 * (before - faces(1)).abs().mean()
    (last,) = list(grown.values())[2:]
    one = save_students(students[:2], tmp_path / "plain.safetensors")
    two = save_students([last], tmp_path / "textured.safetensors")
    found = ready_students(one, two)
    assert [student.network.textured for student in found.values()] == [False, False, True]
    assert torch.equal(found[last.card.style].network.grain, last.network.grain)


def test_where_no_students_are_shipped_there_are_none(tmp_path):
    assert ready_students(tmp_path / "none.safetensors") == {}
