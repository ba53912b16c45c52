"""Making ready styles, on a tiny engine: what is written, and what is refused."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch
from PIL import Image

from nada_core.adaptation.options import AdaptOptions
from nada_core.errors import StyleError
from nada_core.looks.prompts import SOURCE_PROMPTS
from nada_core.looks.reading import read
from nada_core.styles.files import Style, load_style, save_style
from tests.helpers.fake_laboratory import Laboratory
from training import make_styles


@pytest.fixture
def engine(monkeypatch):
    laboratory = Laboratory()
    monkeypatch.setattr(make_styles, "Engine", lambda: laboratory)
    return laboratory


def full(engine, prompt: str = "Joker", steps: int = 1) -> Style:
    for step in engine.adapt(prompt, options=AdaptOptions(steps=steps)):  # noqa: B007 (the last one is used)
        pass
    engine.log.clear()
    return step.style("full")


def test_the_list_starts_with_the_sources_prompts_and_the_starter_knows_all():
    prompts = make_styles.PROMPTS
    assert prompts[:5] == SOURCE_PROMPTS and len(prompts) >= 24
    readings = [read(prompt) for prompt in prompts]
    assert len({reading.look.key for reading in readings}) == len(prompts)
    assert all(reading.look and not reading.unknown for reading in readings)


@pytest.mark.heavy
def test_a_style_its_file_and_its_thumbnail(engine, tmp_path, capsys):
    assert make_styles.main(["--prompts", "Joker", "Na'vi", "--steps", "1", "--out", str(tmp_path)]) == 0
    assert engine.log == ["Joker", "Na'vi"] and len(capsys.readouterr().out.splitlines()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["joker.jpg", "joker.safetensors", "na-vi.jpg", "na-vi.safetensors"]
    style = load_style(tmp_path / "na-vi.safetensors")
    assert (style.card.name, style.card.prompt, style.card.storage, style.card.steps) == ("na-vi", "Na'vi", "delta4", 1)
    assert (tmp_path / "na-vi.safetensors").stat().st_size <= make_styles.READY_BYTES
    picture = (tmp_path / "na-vi.jpg").read_bytes()
    assert len(picture) <= make_styles.THUMBNAIL_BYTES
    with Image.open(io.BytesIO(picture)) as image:
        assert image.format == "JPEG" and image.size == (256, 256) and b"AI-generated" in image.info["comment"]


@pytest.mark.heavy
def test_full_files_are_used_where_there_are_any(engine, tmp_path, capsys):
    for name, prompt in (("joker", "Joker"), ("navi", "Na'vi")):
        save_style(full(engine, prompt), tmp_path / "full" / f"{name}.safetensors")
    words = ["--from", str(tmp_path / "full"), "--prompts", "Joker", "Na'vi", "gold", "--steps", "1", "--out", str(tmp_path / "out")]
    assert make_styles.main(words) == 0
    assert engine.log == ["gold"]
    assert load_style(tmp_path / "out" / "na-vi.safetensors").card.name == "na-vi"


def test_a_full_file_of_another_prompt_is_refused(engine, tmp_path):
    save_style(full(engine, "gold"), tmp_path / "joker.safetensors")
    with pytest.raises(StyleError, match=r"'joker\.safetensors' was made for 'gold', not for 'Joker'"):
        make_styles.full_style(engine, "Joker", 1, tmp_path)


def test_a_folder_that_is_not_there(engine, tmp_path, capsys):
    with pytest.raises(SystemExit):
        make_styles.main(["--from", str(tmp_path / "none")])
    assert "no folder" in capsys.readouterr().err and engine.log == []


@pytest.mark.heavy
def test_fidelity_is_measured_and_asked_for(engine, tmp_path, monkeypatch):
    base, style = engine.generator, full(engine)
    assert make_styles.fidelity(base, style, style) == float("inf")
    torch.manual_seed(0)
    other = Style(style.card, {name: value + 0.3 * torch.randn_like(value) for name, value in style.tensors.items()})
    assert make_styles.fidelity(base, style, other) < 60
    monkeypatch.setattr(make_styles, "full_style", lambda *_, **__: style)
    monkeypatch.setattr(make_styles, "compact_style", lambda *_: replace(other, card=replace(other.card, storage="full")))
    monkeypatch.setattr(make_styles, "LEAST_PSNR", 60.0)
    with pytest.raises(StyleError, match=r"dB from the full one; at least 60"):
        make_styles.make(engine, "Joker", 1, None, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_only_thumbnails_are_made_anew(engine, tmp_path, capsys):
    words = ["--prompts", "Joker", "gold", "--steps", "1", "--out", str(tmp_path)]
    assert make_styles.main(words) == 0
    picture, style = ((tmp_path / f"joker{suffix}").read_bytes() for suffix in (".jpg", ".safetensors"))
    for name in ("joker", "gold"):
        (tmp_path / f"{name}.jpg").write_bytes(b"of another face")
    engine.log.clear()
    assert make_styles.main([*words, "--thumbnails"]) == 0
    assert engine.log == [] and (tmp_path / "joker.jpg").read_bytes() == picture != (tmp_path / "gold.jpg").read_bytes()
    assert (tmp_path / "joker.safetensors").read_bytes() == style
    with pytest.raises(StyleError):
        make_styles.main(["--prompts", "zombie", "--out", str(tmp_path), "--thumbnails"])


@pytest.mark.heavy
def test_what_was_made_is_not_made_again_after_a_stop(monkeypatch, tmp_path, capsys):
    words = ["--prompts", "Joker", "gold", "wood", "--steps", "1", "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    first, again = Laboratory(stop_at=2), Laboratory()
    engines = iter([first, again])
    monkeypatch.setattr(make_styles, "Engine", lambda: next(engines))
    with pytest.raises(KeyboardInterrupt):
        make_styles.main(words)
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["joker.jpg", "joker.safetensors"]
    assert make_styles.main(words) == 0
    assert again.log == ["gold", "wood"] and len(list((tmp_path / "out").iterdir())) == 6


def test_a_style_that_fails_is_named_and_the_others_are_made(engine, monkeypatch, tmp_path, capsys):
    real = make_styles.fidelity
    monkeypatch.setattr(
        make_styles, "fidelity", lambda base, full, compact, *more: 1.0 if full.card.prompt == "gold" else real(base, full, compact)
    )
    monkeypatch.setattr(make_styles, "polished", lambda generator, full, compact: compact)
    assert make_styles.main(["--prompts", "gold", "Joker", "--steps", "1", "--out", str(tmp_path)]) == 1
    assert "gold: The compact style 'gold' is 1.0 dB" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["joker.jpg", "joker.safetensors"]


def test_going_on_needs_a_ready_style_and_knows_when_it_is_another(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(make_styles, "READY", tmp_path)
    with pytest.raises(SystemExit):
        make_styles.main(["--prompts", "Joker", "--more", "3"])
    assert "no ready style of 'Joker'" in capsys.readouterr().err
    keys = []
    for content in (b"one", b"other"):
        (tmp_path / "joker.safetensors").write_bytes(content)
        keys += [row.key for row in make_styles.style_rows(["Joker"], 3, None, "hash", more=True)]
    assert len(set(keys)) == 2
