"""The gates' adaptations as rows, on a tiny engine: kept, gone on with, and a failure told at the end."""

from __future__ import annotations

import pytest
import torch

from nada_core.adaptation.options import AdaptOptions
from nada_core.errors import NadaError, PromptError
from nada_core.rows.run import InProcess
from nada_core.styles.files import load_style
from tests.helpers.fake_laboratory import Laboratory
from tests.whole.gates.__main__ import jobs, parse

pytestmark = pytest.mark.heavy


class Engine(Laboratory):
    """Takes steps, as the gates give them."""

    unknown = ""

    def adapt(self, prompt, steps):
        if prompt == self.unknown:
            raise PromptError("Not known.")
        return super().adapt(prompt, AdaptOptions(steps=steps))


def options(tmp_path):
    return parse(["--prompts", "Joker, gold,wood", "--steps", "1", "--out", str(tmp_path)])


def test_adaptations_are_kept_bit_for_bit_and_not_made_again(tmp_path):
    first, again = Engine(stop_at=2), Engine()
    with pytest.raises(KeyboardInterrupt):
        list(jobs(first, options(tmp_path), InProcess()))
    found = list(jobs(again, options(tmp_path), InProcess()))
    assert again.log == ["gold", "wood"] and [prompt for _, prompt, *_ in found] == ["Joker", "gold", "wood"]
    assert all(seconds > 0 and notes == [] for *_, seconds, notes in found)
    kept = load_style(found[1][2])
    *_, last = Engine().adapt("gold", 1)
    style = last.style()
    assert kept.card.storage == "full" and kept.card.prompt == "gold" and kept.tensors.keys() == style.tensors.keys()
    assert all(torch.equal(kept.tensors[name], style.tensors[name]) for name in style.tensors)


def test_a_prompt_that_cannot_be_adapted_to_is_told_when_the_others_are_done(tmp_path, capsys):
    engine, found = Engine(), []
    engine.unknown = "gold"
    with pytest.raises(NadaError, match=r"^1 of 3 prompts could not be adapted to\."):
        found.extend(prompt for _, prompt, *_ in jobs(engine, options(tmp_path), InProcess()))
    assert engine.log == ["Joker", "wood"] and capsys.readouterr().err == "gold: Not known.\n"
