"""A style of another generator is refused before any work on the photo."""

from __future__ import annotations

import pytest

from nada_core.cli.main import main
from tests.helpers.stylegan2_files import rosinality_state, tiny, write


@pytest.mark.parametrize("style", ["joker", "joker:0.5,zombie:0.5"])
@pytest.mark.parametrize("command", ["edit", "latent"])
def test_before_the_photo_is_looked_at(tmp_path, capsys, monkeypatch, command, style):
    generator = tiny()
    base = write(tmp_path / "own.pt", {"g_ema": rosinality_state(generator), "latent_avg": generator.w_avg})
    monkeypatch.setattr("nada_core.engine.Engine.editor", property(lambda engine: pytest.fail("the photo's networks were loaded")))
    words = [command, str(tmp_path / "no photo.jpg"), *(["Joker"] if command == "latent" else []), "--style", style]
    out = tmp_path / "out"
    assert main([*words, "--base", str(base), "--encoder", "starter", "--device", "cpu", "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert "The style 'joker' was made for mobile_stylegan" in told and "make the style again on this one" in told
    assert "photo" not in told and not out.exists()
