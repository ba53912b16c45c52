"""Bad input to any command costs one line and exit code 2, and nothing is written before it is known to be good."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from nada_core.cli.main import main
from nada_core.errors import OptionsError
from nada_core.styles.library import READY
from tests.helpers.command_line import process, refused


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["dance"],
        ["adapt"],
        ["adapt", "Joker"],
        ["adapt", "Joker", "--steps", "many", "--out", "x"],
        ["adapt", "Joker", "--steps", "2.5", "--out", "x"],
        ["adapt", "Joker", "--out", "x", "--bogus\nline"],
        ["edit", "a.jpg", "--strength", "strong", "--out", "x"],
        ["sample"],
        ["styles", "everything"],
    ],
)
def test_unknown_words_and_options(cli, argv):
    assert "--help" in refused(cli(*argv))


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "prompt is empty"),
        (" \t\n ", "prompt is empty"),
        ("x" * 10_000, "10,000 characters; at most 200"),
        ("🤡" * 5, "no words"),
        ("1234 !?", "no words"),
        ("<script>alert('x')</script>", "is known here as a look"),
        ("Джокер", "is known here as a look"),
        ("小丑", "is known here as a look"),
        ("tractor\nhills", "Known are, for example, "),
        ("not a clown", "should not be"),
        ("face", "nothing to adapt"),
    ],
)
def test_prompts_that_cannot_be_used(cli, tmp_path, prompt, message):
    assert message in refused(cli("adapt", prompt, "--out", tmp_path / "out"))
    assert not (tmp_path / "out").exists(), "nothing is written before the input is known to be good"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", 0], "steps is 0; it must be between 1 and 2000"),
        (["--steps", -1], "steps is -1"),
        (["--steps", 10**6], "steps is 1000000"),
        (["--batch", 0], "batch is 0"),
        (["--batch", 10_000], "batch is 10000"),
        (["--lr", "nan"], "lr is nan"),
        (["--lr", "inf"], "lr is inf"),
        (["--lr", -1], "lr is -1"),
        (["--seed", -1], "seed is -1"),
        (["--seed", 10**30], "seed is 1000"),
        (["--layers", "hair"], "layers is 'hair'; it must be all, shape, texture, colour"),
        (["--resolution", 300], "resolution is 300; this generator renders at 256 or 1024"),
        (["--source", ""], "'source' is empty"),
        (["--source", "x" * 300], "The source has 300 characters"),
        (["--layers", "a\n\x1b[31m" * 400], "layers is 'a [31ma"),
        (["--noise", "a" * 7000], "noise is 'aaaa"),
        (["--preset", "a" * 7000], "preset is 'aaaa"),
        (["--patch-parts", "a" * 7000], "patch_parts is 'aaaa"),
        (["--source", "Joker"], "nothing to adapt"),
    ],
)
def test_options_of_adapt_out_of_range(cli, tmp_path, options, message):
    assert message in refused(cli("adapt", "Joker", "--out", tmp_path / "out", *options))
    assert not (tmp_path / "out").exists()


@pytest.mark.weights
def test_whole_process_on_bad_input(tmp_path):
    """Through the interpreter, real engine and all: code, one line, no traceback."""
    assert "prompt is empty" in refused(process("adapt", "", "--out", tmp_path))
    refused(process("sample", "--base", READY / "joker.safetensors", "--out", tmp_path / "s.png"))


@pytest.mark.weights
def test_what_a_real_engine_cannot_be_made_of(capfd, tmp_path):
    def call(*argv: object) -> str:
        code = main([str(word) for word in argv])
        return refused((code, *capfd.readouterr()))

    capfd.readouterr()
    assert "Device 'toaster' is not available" in call("adapt", "Joker", "--device", "toaster", "--out", tmp_path)
    (tmp_path / "base.safetensors").write_text("no weights")
    for base in ("none.safetensors", tmp_path / "base.safetensors"):
        call("sample", "--base", base, "--out", tmp_path / "s.png")
    assert "no encoder 'clip'" in call("adapt", "Joker", "--encoder", "clip", "--out", tmp_path)


@pytest.fixture
def bad_styles(tmp_path):
    content = (READY / "joker.safetensors").read_bytes()
    (tmp_path / "truncated.safetensors").write_bytes(content[: len(content) // 2])
    corrupt = bytearray(content)
    corrupt[40:4000] = bytes(3960)
    (tmp_path / "corrupt.safetensors").write_bytes(corrupt)
    (tmp_path / "text.safetensors").write_text("hello")
    return {
        "nothing like it": "There is no style 'nothing like it'",
        "jokr": "Similar: joker",
        "x" * 10_000: "There is no style",
        "/" + "x" * 10_000: "There is no style file",
        str(tmp_path / "none.safetensors"): "There is no style file",
        str(tmp_path): "is a folder",
        str(tmp_path / "truncated.safetensors"): "damaged",
        str(tmp_path / "corrupt.safetensors"): "damaged",
        str(tmp_path / "text.safetensors"): "not a style file",
        str(READY.parent / "starter-encoder.safetensors"): "not a style",
    }


def test_styles_that_cannot_be_used(cli, tmp_path, bad_styles):
    for style, message in bad_styles.items():
        for command in (["sample", "--out", tmp_path / "out.png"], ["edit", "photo.jpg", "--out", tmp_path / "out"]):
            line = refused(cli(*command, "--style", style))
            assert message in line, (command[0], line)
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.png").exists()


def test_photos_that_cannot_be_used(cli, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("this is no picture")
    empty = tmp_path / "empty.png"
    empty.touch()
    blank = tmp_path / "blank.png"
    Image.new("RGB", (300, 300), "white").save(blank)
    for photo in (text, empty, tmp_path / "none.jpg", tmp_path, "x" * 5000):
        refused(cli("edit", photo, "--out", tmp_path / "out"))
    assert "No face was found" in refused(cli("edit", blank, "--out", tmp_path / "out"))
    for option in (["--strength", "nan"], ["--strength", 9], ["--resolution", 512]):
        assert "must be between" in (line := refused(cli("edit", blank, "--out", tmp_path / "out", *option))) or "renders at" in line


def test_folders_that_cannot_be_written(cli, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    for out in (taken, taken / "below", "/proc/nowhere", tmp_path / ("x" * 300)):
        assert "cannot be written" in refused(cli("adapt", "Joker", "--steps", 1, "--out", out))
    assert "folder is a file" in refused(cli("sample", "--seeds", 1, "--out", taken / "strip.png"))
    assert "folder of that name" in refused(cli("sample", "--seeds", 1, "--out", tmp_path))


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write into read-only folders")
def test_read_only_folder(cli, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    assert "cannot be written: Permission denied" in refused(cli("adapt", "Joker", "--steps", 1, "--out", folder))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("argv", [["edit", ""], ["edit", "  "], ["latent", "", "Joker"], ["adapt", "Joker", "--images", ""]])
def test_a_picture_without_a_name_is_refused_as_that(cli, tmp_path, argv):
    assert "The name of a picture is empty" in refused(cli(*argv, "--out", tmp_path / "out"))


def test_an_unknown_mode_is_told_all_that_there_are(engine):
    for mode in ("slow", ["fast"], "x\n" * 500):
        with pytest.raises(OptionsError, match="it must be fast, balanced, faithful, instant") as refusal:
            engine.edit_steps("photo.jpg", mode=mode)
        assert len(str(refusal.value)) < 100
