"""Training of several students together, on a tiny generator."""

from __future__ import annotations

import pytest
import torch

from nada_core.students.distil import HELD, measured
from nada_core.students.files import StudentCard, StyleStudent, load_students
from nada_core.students.network import Student
from tests.students.test_distil import Small, base, style  # noqa: F401 - fixtures
from training.make_students import draw, main, train, write


class TinyEngine:
    def __init__(self, generator) -> None:
        self.generator, self.base_hash = generator, generator.content_hash()


@pytest.mark.heavy
def test_styles_learn_together_in_the_time_they_are_given(base, style, tmp_path):  # noqa: F811
    engine = TinyEngine(base)
    lessons = [draw(engine, style, 2 * HELD, seed, folder) for seed, folder in ((1, None), (2, tmp_path))]
    assert torch.equal(draw(engine, style, 2 * HELD, 3, tmp_path).pairs.after, lessons[1].pairs.after), "drawn once"
    pairs = [lesson.pairs for lesson in lessons]
    torch.manual_seed(0)
    network = Student((8, 8, 8, 8))
    codes = network.neutral(2).requires_grad_()
    before = [measured(network, code, some.split(HELD)[1])["error"] for code, some in zip(codes.detach().split(1), pairs)]
    assert train(Small(), lessons, network, codes, minutes=0.1, rate=4.0) >= 1
    after = [measured(network, code, some.split(HELD)[1]) for code, some in zip(codes.detach().split(1), pairs)]
    assert all(one["error"] != number and one["unchanged"] == number for one, number in zip(after, before))


@pytest.mark.heavy
def test_one_style_can_learn_alone_and_all_else_stays_as_it_is(base, style, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("training.make_students.BATCH", 1)
    lesson = draw(TinyEngine(base), style, 2 * HELD, 1)
    torch.manual_seed(0)
    network = Student((8, 8, 8, 8))
    other = StyleStudent(StudentCard("other", "other", "0" * 64, 7), network, torch.randn(1, network.code_size).half().float())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    codes = network.neutral().requires_grad_()
    assert train(Small(), [lesson], network, codes, minutes=0.003, alone=True) >= 1
    assert codes.abs().max() > 0 and all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    write([lesson], network, codes, 8, tmp_path / "students.safetensors", others=[other])
    found = load_students(tmp_path / "students.safetensors")
    assert set(found) == {"0" * 64, lesson.digest} and found[lesson.digest].card.steps == 8
    assert found["0" * 64].card == other.card and torch.equal(found["0" * 64].code, other.code)


def test_learning_alone_needs_somewhere_to_begin(capsys):
    with pytest.raises(SystemExit):
        main(["--alone", "--styles", "joker"])
    assert "--start" in capsys.readouterr().err
