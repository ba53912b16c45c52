"""Every command: a value that is there and empty, as an empty variable of a shell gives, is refused before anything is done."""

from __future__ import annotations

import argparse
from functools import cache

import pytest

from nada_core.cli.main import _parser, main


@cache
def _commands() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(commands.choices)


def _values(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.nargs != 0]


def _words(action: argparse.Action, value: str) -> list[str]:
    count = action.nargs if isinstance(action.nargs, int) else 1
    return [*action.option_strings[-1:], *([value] * count)]


CASES = [(name, action.dest) for name, parser in _commands().items() for action in _values(parser)]


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize(("command", "dest"), CASES)
def test_an_empty_value_is_refused(command, dest, value, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    parser = _commands()[command]
    argv: list[str] = []
    for action in _values(parser):
        if action.dest == dest:
            argv += _words(action, value)
        elif action.required:
            sound = next(iter(action.choices)) if action.choices else "1" if action.type in (int, float) else "joker"
            argv += _words(action, str(sound))
    try:
        code = main([command, *argv])
    except SystemExit as end:  # argparse's own
        code = end.code
    said = capsys.readouterr().err
    assert code == 2 and said.count("\n") == 1 and not list(tmp_path.iterdir())
    wanted = (" is empty", "invalid choice", "invalid int value", "invalid float value", "--seeds is ''", "prompt is empty")
    assert any(words in said for words in wanted), said


def test_several_pictures_are_looked_at_one_by_one(capsys):
    assert main(["report", "--photo", "one.jpg", "", "--out", "out"]) == 2
    assert capsys.readouterr().err == "error: The name of a picture is empty. Give the name of a file.\n"
