"""What tests of commands share."""

from __future__ import annotations

import pytest

from nada_core.cli import adapt_work, sample, selfcheck
from nada_core.cli.main import main


@pytest.fixture(autouse=True)
def own_styles(monkeypatch, tmp_path):
    monkeypatch.setenv("NADA_STYLES", str(tmp_path / "my styles"))


@pytest.fixture
def cli(monkeypatch, capfd, engine):
    """``main`` in this process, on the real networks, loaded once: exit code, stdout, stderr."""
    for command in (adapt_work, sample, selfcheck):
        monkeypatch.setattr(command, "Engine", lambda device="auto", **parts: engine)

    def call(*argv: object) -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            code = main([str(word) for word in argv])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return call
