"""The command line's commands on the real networks: what they write and say, Ctrl-C, pipes that close."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image
from safetensors import safe_open

from nada_core.adaptation.training_run import TrainingRun
from nada_core.styles.files import load_style
from nada_core.styles.library import READY
from tests.helpers.command_line import COMMAND, png_text, refused
from tests.helpers.folders import ROOT


def test_help_does_not_wait_for_torch():
    script = "import sys; from nada_core.cli.main import main\ntry: main(sys.argv[1:])\nfinally: print('torch' in sys.modules)"
    for arguments in (["--help"], ["adapt", "--help"], ["adapt"]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, text=True, capture_output=True, timeout=300)
        assert done.stdout.splitlines()[-1] == "False"
        if "--help" in arguments:
            assert done.returncode == 0 and "usage: python -m nada_core" in done.stdout


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


def test_pictures_as_the_target(cli, tmp_path, engine, monkeypatch):
    """The prompt is then a name, so any will do; the pictures decide, so another one gives another loss. They are walls, in which nobody
    is looked for here, since that takes longest; and two faces instead of sixteen are where the way to them begins."""
    monkeypatch.setattr(engine.editor.detector, "detect", lambda picture: [])
    sixteen = TrainingRun.samples
    monkeypatch.setattr(TrainingRun, "samples", lambda run: sixteen(run, 2))
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
