"""The command line: what it writes, and that bad input costs one line and exit code 2."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from nada_core.cli import adapt, sample, selfcheck
from nada_core.cli.arguments import parse_seeds
from nada_core.cli.main import main
from nada_core.errors import OptionsError
from nada_core.styles.files import load_style
from nada_core.styles.library import READY
from tests.helpers.folders import ROOT

COMMAND = [sys.executable, "-m", "nada_core"]


@pytest.fixture(autouse=True)
def own_styles(monkeypatch, tmp_path):
    monkeypatch.setenv("NADA_STYLES", str(tmp_path / "my styles"))


@pytest.fixture
def cli(monkeypatch, capfd, engine):
    """``main`` in this process, on networks loaded once: exit code, stdout, stderr."""
    for command in (adapt, sample, selfcheck):
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


def process(*argv: object, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, argv)], cwd=ROOT, text=True, capture_output=True, timeout=300, **options)


def refused(result: tuple[int, str, str] | subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error of a call that was refused."""
    code, out, err = result if isinstance(result, tuple) else (result.returncode, result.stdout, result.stderr)
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1 and err.endswith("\n"), err
    assert "Traceback" not in err
    return err


def png_text(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        image.load()
        return dict(image.text)


def test_help_does_not_wait_for_torch():
    script = "import sys; from nada_core.cli.main import main\ntry: main(sys.argv[1:])\nfinally: print('torch' in sys.modules)"
    for arguments in (["--help"], ["adapt", "--help"], ["adapt"]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, text=True, capture_output=True, timeout=300)
        assert done.stdout.splitlines()[-1] == "False"
        if "--help" in arguments:
            assert done.returncode == 0 and "usage: python -m nada_core" in done.stdout


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
        (["--source", ""], "source is empty"),
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


@pytest.mark.parametrize(("text", "seeds"), [("0-3", [0, 1, 2, 3]), ("5", [5]), ("1,5,9", [1, 5, 9]), ("0-63", list(range(64)))])
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3-1", "0-64", "1-2-3", "-4", "1,-2", "1,,2", "1.5", "9" * 30, f"{2**63}", "0-" + "9" * 6000])
def test_seeds_that_are_none(text):
    with pytest.raises(OptionsError, match=r"--seeds is .*such as 0-7"):
        parse_seeds(text)


def test_sample_writes_a_strip(cli, tmp_path):
    plain, styled, single = (tmp_path / f"{name}.png" for name in ("plain", "styled", "single"))
    assert cli("sample", "--seeds", "3-5", "--out", plain)[0] == 0
    with Image.open(plain) as strip:
        assert strip.size == (3 * 256, 256) and strip.format == "PNG"
        pixels = strip.tobytes()
    assert png_text(plain)["seeds"] == "3-5"
    code, out, _ = cli("sample", "--seeds", 4, "--out", single)
    assert code == 0 and out.strip() == str(single)
    with Image.open(plain) as strip, Image.open(single) as face:
        middle = strip.crop((256, 0, 512, 256))
        assert max(abs(a - b) for a, b in zip(middle.tobytes(), face.tobytes())) <= 1, "a seed is the same face in any company"
    assert cli("sample", "--seeds", "3-5", "--truncation", 0, "--out", styled)[0] == 0
    with Image.open(styled) as strip:
        assert strip.tobytes() != pixels


@pytest.mark.parametrize("value", ["nan", "-0.1", "1.6"])
def test_truncation_out_of_range(cli, tmp_path, value):
    assert "between 0 and 1.5" in refused(cli("sample", f"--truncation={value}", "--out", tmp_path / "x.png"))


def test_adapt_writes_all_its_files_and_the_style_can_be_used(cli, tmp_path):
    out = tmp_path / "new" / "joker"
    code, stdout, stderr = cli("adapt", "Joker", "--steps", 2, "--batch", 1, "--seed", 5, "--out", out)
    assert code == 0
    assert "step 2/2" in stderr and "'Joker' after 2 steps" in stdout
    assert {"style.safetensors", "steps.jsonl", "before_after.png", "summary.json", "preview_0002.png"} <= {p.name for p in out.iterdir()}
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    steps = [json.loads(line) for line in (out / "steps.jsonl").read_text().splitlines()]
    assert [step["index"] for step in steps] == [1, 2]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["card"]["prompt"] == "Joker" and summary["card"]["steps"] == 2 and summary["card"]["seed"] == 5
    assert summary["interrupted"] is False
    assert load_style(out / "style.safetensors").card.loss == steps[-1]["loss"]
    with Image.open(out / "before_after.png") as pair:
        assert pair.size == (4 * 256, 2 * 256)
    assert png_text(out / "before_after.png") == {"prompt": "Joker", "steps": "2", "seed": "5"}
    assert cli("sample", "--style", out / "style.safetensors", "--seeds", 1, "--out", tmp_path / "face.png")[0] == 0


@pytest.mark.slow
def test_pictures_as_the_target(cli, tmp_path):
    """The prompt is then a name, so any will do; the pictures decide, so another one gives another loss."""
    losses = []
    for colour in ("darkgreen", "orange"):
        picture, out = tmp_path / f"{colour}.png", tmp_path / colour
        wall = Image.new("RGB", (200, 160), colour)
        wall.paste("white", (0, 60, 200, 80))
        wall.save(picture)
        code, _, stderr = cli("adapt", "our wall", "--images", picture, "--steps", 1, "--batch", 1, "--out", out)
        assert code == 0, stderr
        card = load_style(out / "style.safetensors").card
        assert card.prompt == "our wall"
        losses.append(card.loss)
    assert losses[0] != losses[1]
    (tmp_path / "text.jpg").write_text("this is no picture")
    refused(cli("adapt", "our wall", "--images", tmp_path / "text.jpg", "--out", tmp_path / "none"))
    assert "17 target pictures" in refused(cli("adapt", "our wall", "--images", *[picture] * 17, "--out", tmp_path / "none"))
    flat = tmp_path / "blank.png"
    Image.new("RGBA", (256, 256), (200, 20, 20, 0)).save(flat)
    line = refused(cli("adapt", "our wall", "--images", picture, flat, "--out", tmp_path / "none"))
    assert line.startswith("error: blank.png is one flat colour (white)") and str(tmp_path) not in line
    assert not (tmp_path / "none").exists()


def test_styles_lists_the_ready_and_the_saved_ones(cli, engine, monkeypatch, tmp_path):
    code, out, _ = cli("styles", "--json")
    assert code == 0
    ready = [card["name"] for card in json.loads(out)]
    assert ready[0] == "joker" and sorted(ready) == sorted(path.stem for path in READY.glob("*.safetensors"))
    mine = tmp_path / "my styles"
    mine.mkdir()
    (mine / "copy.safetensors").write_bytes((READY / "joker.safetensors").read_bytes())
    (mine / "damaged.safetensors").write_text("nothing")
    assert [card["name"] for card in json.loads(cli("styles", "--json")[1])] == [*ready, "copy"]
    code, out, _ = cli("styles")
    assert code == 0 and len(out.splitlines()) == len(ready) + 1 and out.splitlines()[-1].startswith("copy ")


def test_doctor_speaks_json(cli):
    code, out, err = cli("doctor", "--json")
    assert code == 0 and err == ""
    assert {"versions", "device", "world", "assets"} <= json.loads(out).keys()
    code, out, _ = cli("doctor")
    assert code == 0 and "world: " in out


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="pipes close differently on Windows")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_read_enough(unbuffered):
    """Written at once, or only as Python flushes at its end."""
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    writer = subprocess.Popen([*COMMAND, "styles"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    writer.stdout.close()
    assert writer.wait(300) == 0
    assert writer.stderr.read() == b""


@pytest.mark.weights
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_keeps_the_style_so_far(tmp_path):
    out = tmp_path / "out"
    running = subprocess.Popen(
        [*COMMAND, "adapt", "Joker", "--batch", "1", "--steps", "500", "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # a test run in the background ignores SIGINT, and its children would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        seen = b""
        while b"step 1/500" not in seen:
            part = os.read(running.stderr.fileno(), 4096)
            assert part, seen.decode()
            seen += part
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        _, rest = running.communicate(timeout=300)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 130
    assert b"keeping the style so far" in rest and b"Traceback" not in rest
    style = load_style(out / "style.safetensors")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["interrupted"] is True
    assert 1 <= style.card.steps == summary["card"]["steps"] < 500
    assert len((out / "steps.jsonl").read_text().splitlines()) == style.card.steps
    with safe_open(out / "style.safetensors", "pt") as file:
        assert len(list(file.keys())) == len(style.tensors) > 10


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."), RuntimeError("CUDA error: out of memory\nlong log")]
)
def test_a_full_gpu_costs_one_line(cli, monkeypatch, tmp_path, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(sample.Engine("cpu"), "sample", full)
    line = refused(cli("sample", "--out", tmp_path / "x.png"))
    assert all(word in line for word in ("GPU", "--batch", "--resolution", "--device cpu"))
    error.args = ("another mistake",)
    if type(error) is RuntimeError:
        with pytest.raises(RuntimeError, match="another mistake"):
            cli("sample", "--out", tmp_path / "x.png")


def test_fetch_brings_a_whole_world_or_says_what_it_could_not(cli, monkeypatch, tmp_path):
    code, out, _ = cli("fetch", "starter", "dlib-recognition")
    assert code == 0 and out.count("dlib-recognition:") == 1 and "mobile-stylegan-ffhq:" in out
    monkeypatch.setenv("NADA_CACHE", str(tmp_path))
    monkeypatch.setenv("NADA_OFFLINE", "1")
    code, out, err = cli("fetch", "full")
    assert code == 2 and "working offline" in err and out == ""
    for line, name in zip(err.splitlines(), ("stylegan2-ffhq", "restyle-e4e-ffhq", "clip-vit-b-32"), strict=True):
        assert line.startswith(f"error: {name} (")
    code, out, err = cli("fetch", "e4e-ffhq", "dlib-recognition")  # what follows a failure is tried all the same
    assert code == 2 and "dlib-recognition:" in out and "error: e4e-ffhq" in refused((code, "", err))
    assert "did you mean clip-vit-b-32" in refused(cli("fetch", "clip-vit-b-23"))


@pytest.mark.parametrize("ending", [".jpg", ".JPEG", ".webp", ".tiff", ".pdf"])
def test_a_strip_is_not_written_under_the_name_of_another_kind(cli, tmp_path, ending):
    assert f"'s{ending}' is not named as a PNG" in refused(cli("sample", "--seeds", 1, "--out", tmp_path / f"s{ending}"))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("argv", [["edit", ""], ["edit", "  "], ["latent", "", "Joker"], ["adapt", "Joker", "--images", ""]])
def test_a_picture_without_a_name_is_refused_as_that(cli, tmp_path, argv):
    assert "The name of a picture is empty" in refused(cli(*argv, "--out", tmp_path / "out"))


def test_an_unknown_mode_is_told_all_that_there_are(engine):
    for mode in ("slow", ["fast"], "x\n" * 500):
        with pytest.raises(OptionsError, match="it must be fast, balanced, faithful, instant") as refusal:
            engine.edit_steps("photo.jpg", mode=mode)
        assert len(str(refusal.value)) < 100
