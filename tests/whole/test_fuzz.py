"""The fuzzing of readers, with as many inputs as a minute holds: ``python -m tests.whole.fuzz`` reads more."""

from __future__ import annotations

import random

import pytest
import torch

from nada_core.errors import GeneratorError
from tests.whole import fuzz
from tests.whole.fuzz_inputs import KINDS, Maker


@pytest.mark.heavy
@pytest.mark.slow
def test_damaged_files_of_every_kind_are_answered_in_a_sentence():
    outcome = fuzz.run(list(KINDS), 300)
    assert outcome.findings == ()
    assert set(outcome.refused) == set(KINDS) and sum(outcome.read.values()) > 100  # both endings are met


class Stub:
    """Reads as it is told."""

    def __init__(self, what):
        self.what = what

    def read(self, kind, path):
        if isinstance(self.what, BaseException):
            raise self.what
        return self.what


@pytest.mark.parametrize(
    ("what", "finding"),
    [
        (torch.zeros(1), ""),
        (torch.tensor([float("nan")]), "not finite"),
        (ValueError("x"), "builtins.ValueError"),
        (RecursionError(), "RecursionError"),
        (GeneratorError("'x.pt' is damaged. Download it again."), ""),
        (GeneratorError("x" * 901), "901 characters"),
        (GeneratorError("two\nlines"), "line breaks"),
        (GeneratorError("see /home/somebody/x.pt"), "a path"),
        (GeneratorError("see FOLDER/x.pt"), "a path"),
        (GeneratorError("a red \x1b[31m word"), "printed"),
    ],
)
def test_what_is_a_finding(tmp_path, what, finding):
    assert finding in fuzz._try(Stub(what), "ours", tmp_path, "FOLDER")[1] or not finding
    assert bool(fuzz._try(Stub(what), "ours", tmp_path, "FOLDER")[1]) == bool(finding)


def test_an_input_is_made_again_by_its_number(tmp_path):
    maker = Maker(tmp_path)
    for kind in KINDS:
        first, again, other = (maker.write(kind, random.Random(f"0 {kind} {number}")).read_bytes() for number in (3, 3, 4))
        assert first == again and first != other
