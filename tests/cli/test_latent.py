"""``python -m nada_core latent`` on a small generator that really moves: its files, what it says of itself, Ctrl-C, bad input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from nada_core.adaptation.loop import AdaptOptions
from nada_core.assets.store import state
from nada_core.cli import latent as latent_command
from nada_core.cli.main import main
from nada_core.editing.notes import ONLY_FACES
from nada_core.editing.portrait import AlignedPhoto, render_portrait
from nada_core.errors import AssetError, OptionsError, StyleError
from nada_core.images.image_io import to_pil, to_tensor
from nada_core.losses import GlobalLoss
from nada_core.styles.mixing import Strength
from tests.helpers.fake_laboratory import SIDE, Laboratory, LaboratoryEditor
from tests.helpers.folders import ROOT
from tests.helpers.small_adaptations import last_of

PLAIN = Strength()
NO_FETCH = "arcface-ir-se50 could not be fetched: working offline."


class Eyes(torch.nn.Module):
    """A recogniser that gradients flow through."""

    def forward(self, images):
        return F.adaptive_avg_pool2d(images, 4).flatten(1) + 0.1


class Editor(LaboratoryEditor):
    def align(self, image, face=0, points=None) -> AlignedPhoto:
        if face:
            raise OptionsError(f"There is no face {face}; 1 was found.")
        return super().align(image)

    def render(self, portrait, fitted=(), strengths=(PLAIN,), resolution=None):
        assert resolution == SIDE
        return [to_pil(p) for p in render_portrait(self.generator, portrait.inversion, fitted, strengths, resolution)]


class Small(Laboratory):
    """``presses``: steps at which Ctrl-C is pressed."""

    presses: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.editor = Editor(self.generator)
        self.asked: list[bool | None] = []

    def resolve_styles(self, model):
        if model == "jokr":
            raise StyleError("There is no style 'jokr'. Similar: joker.")
        prompts = [model] if isinstance(model, str) else [name for name, _ in model]
        made = [last_of(self.adapt(prompt, AdaptOptions(steps=2, batch=1, lr=0.02))).style(prompt) for prompt in prompts]
        return [(style, 1 / len(made)) for style in made]

    def identity_guide(self, wanted=None):
        self.asked.append(wanted)
        if wanted and self.guide is None:
            raise AssetError(NO_FETCH)
        return super().identity_guide(wanted)

    def latent_edit_steps(self, *args, **options):
        for step in super().latent_edit_steps(*args, **options):
            for _ in range(self.presses.count(step.index)):
                signal.raise_signal(signal.SIGINT)
            yield step


@pytest.fixture
def engine(monkeypatch) -> Small:
    small = Small()
    monkeypatch.setattr(latent_command, "Engine", lambda *args, **parts: small)
    return small


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "me.jpg"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (160, 160, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def call(capfd, photo, tmp_path):
    def run(*words: object, prompt: str = "Joker") -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            code = main(["latent", str(photo), prompt, "--out", str(tmp_path / "out"), *map(str, words)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return run


def picture(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
    return image


@pytest.mark.heavy
def test_it_writes_pictures_numbers_and_a_sheet(engine, call, tmp_path):
    code, stdout, stderr = call("--steps", 20, "--l2-weight", 0, "--style", "vampire", "--style", "joker:0.6,clown:0.4")
    out = tmp_path / "out"
    assert code == 0, stderr
    names = {"aligned.png", "inverted.png", "moved.png", "styled.png", "styled_2.png", "sheet.png", "steps.jsonl", "summary.json"}
    assert {path.name for path in out.iterdir()} == names
    summary = json.loads((out / "summary.json").read_text())
    assert "step 20/20" in stderr and str(out / "moved.png") in stdout
    assert summary["prompt"] == "Joker" and summary["steps"] == 20 and summary["interrupted"] is False and summary["world"] == "starter"
    assert summary["l2_weight"] == 0 and summary["moved"] > 0
    target = GlobalLoss(engine.encoder, "Joker")
    for name, found in (("inverted", summary["similarity_before"]), ("moved", summary["similarity_after"])):
        assert found == pytest.approx(1 - target(to_tensor(picture(out / f"{name}.png"))).item(), abs=1e-4)
    assert summary["similarity_after"] > summary["similarity_before"] + 0.01
    assert [entry["style"] for entry in summary["styles"]] == ["vampire", "joker:0.6,clown:0.4"]
    for number, entry in zip(("", "_2"), summary["styles"], strict=True):
        shown = picture(out / f"styled{number}.png")
        assert entry["identity"] == pytest.approx(np.asarray(shown.convert("L")).mean() / 255)
    assert summary["identity_inverted"] == 0.12 and summary["identity_moved"] > 0
    steps = [json.loads(line) for line in (out / "steps.jsonl").read_text().splitlines()]
    assert [step["index"] for step in steps] == list(range(21)) and steps[-1]["moved"] == pytest.approx(summary["moved"], abs=1e-4)


def test_pictures_say_that_they_are_made_by_ai_and_stand_side_by_side(engine, call, tmp_path):
    assert call("--steps", 3, "--style", "vampire")[0] == 0
    out = tmp_path / "out"
    for name, style in (("moved", "latent moved towards: Joker"), ("styled", "vampire"), ("sheet", "latent moved towards: Joker")):
        text = picture(out / f"{name}.png").text
        assert text["Comment"].startswith("AI-generated") and text["Style"] == style
    assert picture(out / "aligned.png").text == {}
    sheet = picture(out / "sheet.png")
    columns = [np.asarray(picture(out / f"{name}.png")) for name in ("aligned", "inverted", "moved", "styled")]
    gap, head = max(4, SIDE // 48), max(18, SIDE // 10)
    for column, pixels in enumerate(columns):
        x = gap + column * (SIDE + gap)
        assert np.array_equal(np.asarray(sheet.crop((x, head, x + SIDE, head + SIDE))), pixels)
    assert not np.array_equal(columns[1], columns[2]) and not np.array_equal(columns[1], columns[3])


@pytest.mark.heavy
def test_it_says_whether_an_identity_term_guided(engine, call, tmp_path):
    def summary():
        return json.loads((tmp_path / "out" / "summary.json").read_text())

    _, stdout, _ = call("--steps", 3)
    assert "no identity term: ArcFace is not on this machine; `python -m nada_core fetch arcface-ir-se50`" in stdout
    assert summary()["identity_term"] is False and summary()["identity_weight"] is None and summary()["identity_loss"] is None
    code, stdout, stderr = call("--steps", 3, "--identity", "on")
    assert (code, stdout, stderr) == (2, "", f"error: {NO_FETCH}\n")
    engine.guide = Eyes()
    _, stdout, _ = call("--steps", 12, "--identity-weight", 0.5)
    assert "identity term: ArcFace, weight 0.5" in stdout
    guided = summary()
    assert guided["identity_term"] is True and guided["identity_weight"] == 0.5 and guided["identity_loss"] > 0
    _, stdout, _ = call("--steps", 12, "--identity", "off")
    assert "no identity term, as asked" in stdout and summary()["identity_term"] is False
    assert summary()["moved"] != guided["moved"]
    assert [asked for asked in engine.asked if asked is not False] == [None, True, None], "nothing is fetched unless it is asked for"
    _, stdout, _ = call("--steps", 3, "--identity-weight", 0)
    assert "no identity term, as asked" in stdout


def test_a_damaged_recogniser_is_not_called_missing(engine, call, monkeypatch):
    damaged = replace(state("arcface-ir-se50"), status="corrupt", detail="model_ir_se50.pth has 3 bytes, not 175367323; fetch it again")
    monkeypatch.setattr(latent_command, "state", lambda name: damaged)
    _, stdout, _ = call("--steps", 3)
    assert (
        "no identity term: ArcFace's file cannot be used: model_ir_se50.pth has 3 bytes" in stdout and "not on this machine" not in stdout
    )


def test_it_says_that_a_generator_draws_no_faces(engine, call, monkeypatch, tmp_path):
    monkeypatch.setattr(Editor, "for_faces", False)
    code, stdout, _ = call("--steps", 3)
    assert code == 0 and ONLY_FACES in stdout
    assert ONLY_FACES in json.loads((tmp_path / "out" / "summary.json").read_text())["notes"]


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a Windows process otherwise")
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_keeps_the_latent_so_far(engine, call, tmp_path, presses):
    """The first one finishes the step, the second ends it at once: the state before it is then the last one."""
    engine.presses = (4,) * presses
    code, stdout, stderr = call("--steps", 300, "--style", "vampire")
    assert code == 130 and "keeping the latent so far" in stderr and "Traceback" not in stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["interrupted"] is True and summary["steps"] == (4 if presses == 1 else 3)
    assert len((tmp_path / "out" / "steps.jsonl").read_text().splitlines()) == summary["steps"] + 1
    assert (tmp_path / "out" / "styled.png").is_file() and "moved.png" in stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", 1], "steps is 1; it must be between 2 and 2000"),
        (["--l2-weight", -1], "l2_weight is -1"),
        (["--lr", "nan"], "lr is nan"),
        (["--seed", -1], "seed is -1"),
        (["--resolution", 300], "resolution is 300; this generator renders at"),
        (["--mode", "slow"], "fast, balanced"),
        (["--face", 3], "There is no face 3"),
        (["--points", "1,2"], "--points takes six numbers"),
        (["--style", "jokr"], "Similar: joker"),
        (["--style", "a,b:x"], "a blend looks like"),
        (["--style", "joker"] * 7, "7 styles; at most 6"),
        (["--identity", "on", "--identity-weight", 0], "contradict each other"),
        (["--identity", "maybe"], "--help"),
    ],
)
def test_bad_options_cost_one_line(engine, call, tmp_path, words, message):
    code, out, err = call(*words)
    assert code == 2 and out == "" and len(err.splitlines()) == 1 and message in err
    assert not (tmp_path / "out").exists(), "nothing is written before the input is known to be good"


def test_bad_photos_and_prompts_cost_one_line(engine, call, photo, tmp_path):
    code, _, err = call(prompt=" ")
    assert code == 2 and "prompt is empty" in err
    Image.new("RGB", (80, 80)).save(photo)
    code, _, err = call()
    assert code == 2 and err == "error: No face was found. Crop closer to the face.\n"
    assert not (tmp_path / "out").exists()


def test_help_does_not_wait_for_torch():
    script = "import sys; from nada_core.cli.main import main\ntry: main(['latent', '--help'])\nfinally: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, timeout=300)
    assert done.stdout.splitlines()[-1] == "False" and "--identity-weight" in done.stdout
