"""The command `fetch`: nothing is downloaded before all names are known."""

from __future__ import annotations

import pytest

from nada_core.cli import fetch as command
from nada_core.cli.main import main
from nada_core.errors import AssetError


@pytest.fixture
def fetched(monkeypatch):
    names: list[str] = []
    monkeypatch.setattr(command, "fetch_asset", lambda name: names.append(name) or "a file")
    return names


def test_an_unknown_name_is_refused_before_anything_is_fetched(fetched, capsys):
    assert main(["fetch", "starter", "full", "nosuch", "none"]) == 2
    said = capsys.readouterr()
    assert fetched == [] and said.out == ""
    first, second = said.err.splitlines()
    assert "No asset is called 'nosuch'" in first and "No asset is called 'none'" in second


def test_a_strange_name_is_quoted_on_one_short_line(fetched, capsys):
    assert main(["fetch", "x\n\x1b[31m" * 400]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable() and "No asset is called 'x" in line


def test_one_that_fails_does_not_keep_the_others(monkeypatch, capsys):
    def fetch(name):
        if name == "arcface-ir-se50":
            raise AssetError("no connection")
        return "a file"

    monkeypatch.setattr(command, "fetch_asset", fetch)
    assert main(["fetch", "arcface-ir-se50", "efficientnet-lite0"]) == 2
    said = capsys.readouterr()
    assert "efficientnet-lite0: a file" in said.out and "error: no connection" in said.err
