"""Training of several students together, on a tiny generator."""

from __future__ import annotations

import pytest
import torch

from nada_core.students.distil import HELD, measured
from nada_core.students.network import Student
from tests.students.test_distil import Small, base, style  # noqa: F401 - fixtures
from training.make_students import draw, train


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
