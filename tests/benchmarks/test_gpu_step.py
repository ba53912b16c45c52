"""The measurement for graphics cards, as far as it runs without one."""

from __future__ import annotations

import torch

from benchmarks import gpu_step
from tests.helpers.small_adaptations import StandInEncoder, small_stylegan2


def test_without_a_card_one_sentence_says_so(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_step.main([]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.strip() == gpu_step.NO_CARD


def test_a_card_that_cannot_be_used_is_told(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu_step, "card_problem", lambda: "The graphics card cannot be used (too old); the CPU is used instead.")
    assert gpu_step.main([]) == 2
    assert capsys.readouterr().err.strip() == "The graphics card cannot be used (too old)."


def test_errors_of_the_plain_operation_are_within_the_limits():
    found = dict(gpu_step.kernel_errors(torch.device("cpu")))
    assert found.keys() == gpu_step.LARGEST.keys()
    assert all(0 <= error < gpu_step.LARGEST[kind] for kind, error in found.items())


def test_ways_take_turns_and_one_that_fails_is_told(monkeypatch):
    plain = gpu_step.works

    def impossible():
        raise RuntimeError("no graphs\nat all")

    def works(base, encoder, batch):
        yield from plain(base, encoder, batch)
        yield "one CUDA graph", impossible

    monkeypatch.setattr(gpu_step, "works", works)
    medians, failed = gpu_step.steps_by_turns(small_stylegan2(), StandInEncoder(), batch=1, steps=1, rounds=1)
    assert list(medians) == ["usual", "ours in float32", "ours in bfloat16"] and min(medians.values()) > 0
    assert failed == ["one CUDA graph: not possible here (no graphs)"]
