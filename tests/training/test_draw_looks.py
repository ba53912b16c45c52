"""Try the sheet of drawn texts: a text changes its own faces only, what was read is said, and bad input is refused in words."""

from __future__ import annotations

import numpy as np
from PIL import Image

from nada_core.looks.known_faces import portraits
from training.draw_looks import SIDE, TITLE, main, sheet


def test_each_text_is_drawn_in_its_own_place():
    plain, blue = (np.asarray(sheet(["face", text], portraits(1)), np.int16) for text in ("photo", "blue skin"))
    assert plain.shape == (SIDE + TITLE, 2 * (SIDE + 8), 3)
    changed = (np.abs(plain - blue).max(-1) > 30)[TITLE:]
    assert not changed[:, :SIDE].any() and changed[:, SIDE + 8 :].mean() > 0.1


def test_what_was_read_is_printed_and_the_sheet_is_written(tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("red lips\n", encoding="utf-8")
    assert (
        main(["blue hair and fhqwhgads", "--file", str(tmp_path / "texts.txt"), "--faces", "1", "--out", str(tmp_path / "a" / "b.png")])
        == 0
    )
    said = capsys.readouterr().out
    assert "Understood: blue hair. Not known here: fhqwhgads." in said and "red lips: Understood: red lips." in said
    assert Image.open(tmp_path / "a" / "b.png").size == (2 * (SIDE + 8), SIDE + TITLE)


def test_a_text_without_words_is_refused(tmp_path, capsys):
    assert main(["123", "--out", str(tmp_path / "b.png")]) == 1
    assert "no words" in capsys.readouterr().err and not (tmp_path / "b.png").exists()
