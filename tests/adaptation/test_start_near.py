"""Beginning near the text: shares that add up to it, a file that fits the ready styles, first faces that look like the words."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors import safe_open

from nada_core.adaptation.loop import AdaptOptions, adapt
from nada_core.adaptation.start_near import MOST, find_start, parse_start, shares_of, start_text, style_effects
from nada_core.errors import OptionsError, ResumeError, StyleError
from nada_core.styles.library import READY

QUICK = AdaptOptions(steps=3, batch=1, preview_seeds=(3,), preview_seconds=0.0, crops=1)


def test_shares_add_up_to_the_target():
    rows = torch.randn(30, 200, generator=torch.Generator().manual_seed(1))
    wanted = torch.zeros(30)
    wanted[[2, 7, 19]] = torch.tensor([0.8, 0.3, 0.15])
    torch.testing.assert_close(shares_of(wanted @ rows, rows), wanted, rtol=0, atol=0.01)
    many = shares_of(rows.mean(0) * 10, rows)
    assert 1 <= (many > 0).sum() <= MOST and many.min() >= 0 and many.max() <= 1
    assert shares_of(-rows[0], rows[:1]).tolist() == [0.0]  # what leads away from the target is left out


def test_a_start_is_read_as_it_is_written():
    parts = [("joker-makeup", 0.6), ("my own style", 0.25)]
    assert parse_start(start_text(parts)) == parts and parse_start("") == parse_start(" , ") == []
    for wrong in ("joker", "joker x", "joker 0", "joker -1", "joker 1.6", "0.5", "joker nan", "joker 0.5 vampire"):
        with pytest.raises(OptionsError, match="write styles with their shares"):
            parse_start(wrong)


def test_the_effects_are_those_of_the_ready_styles():
    effects, files = style_effects(), {path.stem: path for path in READY.glob("*.safetensors")}
    assert effects.prompts.keys() == effects.weights.keys() == files.keys() and len(effects.directions) == len(files)
    for name, path in files.items():
        with safe_open(path, "pt") as file:
            assert file.metadata()["sha256"] == effects.weights[name], f"{name} was made anew: run `python -m training.style_effects`"


def test_the_effects_were_measured_with_these_networks(engine):
    assert find_start(engine.encoder, "green zombie", "face", engine.base_hash)
    assert find_start(engine.encoder, "green zombie", "face", "another base") == []


def test_a_start_is_found_without_the_style_itself(engine):
    for prompt, name in (("Joker", "joker"), ("a vampire", "vampire"), ("Hulk", "hulk")):
        found = dict(find_start(engine.encoder, prompt, "face", engine.base_hash))
        assert found and name not in found
    assert "zombie" in dict(find_start(engine.encoder, "green zombie", "face", engine.base_hash))


def test_a_smile_beside_paint_is_begun_with_in_the_share_that_the_words_ask_for(engine):
    start = {
        prompt: dict(find_start(engine.encoder, prompt, "face", engine.base_hash)) for prompt in ("smiling vampire", "vampire", "Grinch")
    }
    assert start["smiling vampire"]["smile"] == 1.0 and start["smiling vampire"]["vampire"] > 0.5
    assert "smile" not in start["vampire"] and start["Grinch"]["smile"] > 0.8
    assert "smile" not in dict(find_start(engine.encoder, "sad vampire", "face", engine.base_hash))


def first_step(engine, prompt: str, **options):
    return next(engine.adapt(prompt, options=replace(QUICK, **options)))


@pytest.mark.parametrize("prompt", ["blue skin and white hair", "green zombie"])
def test_the_first_faces_look_like_the_words(engine, prompt):
    near, plain = first_step(engine, prompt), first_step(engine, prompt, start="")
    assert near.similarity > plain.similarity + 0.3
    assert near.begun.startswith("Begun at a blend of ready styles: ") and plain.begun == near.note == ""
    card = near.style().card
    assert card.options["start"] == start_text(find_start(engine.encoder, prompt, "face", engine.base_hash))
    assert plain.style().card.options["start"] == ""
    skin = (near.previews - engine.preview_originals(QUICK))[0, :, 130:160, 100:156].mean((1, 2))
    assert skin.argmax() == (2 if prompt.startswith("blue") else 1) and skin[0] < -0.1


def test_where_a_run_began_is_part_of_it(engine):
    for whole in engine.adapt("green zombie", options=QUICK):
        if whole.index == 1:
            state = whole.checkpoint()
    *_, again = engine.adapt("green zombie", options=QUICK, resume=state)  # the same options as at first: it began where it began
    for name, value in whole.style().tensors.items():
        assert torch.equal(value, again.style().tensors[name]), name
    with pytest.raises(ResumeError, match="start"):
        engine.adapt("green zombie", options=replace(QUICK, start=""), resume=state)


def test_a_start_of_ones_own(engine):
    step = first_step(engine, "gold", start="joker 0.5")
    hair = (step.previews - engine.preview_originals(QUICK))[0, :, 20:60, 80:176].mean((1, 2))
    assert hair[1] > hair[0] and "joker 50%" in step.begun
    with pytest.raises(StyleError, match="no style 'nobody'"):
        first_step(engine, "gold", start="nobody 0.5")
    with pytest.raises(OptionsError, match="no library"):
        adapt(engine.generator, engine.encoder, "gold", replace(QUICK, start="joker 0.5"))
    assert next(adapt(engine.generator, engine.encoder, "gold", QUICK)).style().card.options["start"] == ""


def test_pictures_and_another_source_begin_at_the_generator(engine):
    assert first_step(engine, "zombie", source="old person").style().card.options["start"] == ""


def test_what_a_run_begins_at_can_be_shown_and_changes_nothing(engine):
    shown = list(engine.adapt("green zombie", options=replace(QUICK, steps=1, preview_start=True)))
    (plain,) = engine.adapt("green zombie", options=replace(QUICK, steps=1))
    begun, step = shown
    assert (begun.index, step.index) == (0, 1) and begun.begun == step.begun and not torch.equal(begun.previews, step.previews)
    skin = (begun.previews - engine.preview_originals(QUICK))[0, :, 130:160, 100:156].mean((1, 2))
    assert skin.argmax() == 1, "the blend is green before anything is trained"
    for name, value in plain.style().tensors.items():
        assert torch.equal(value, step.style().tensors[name]), name
    from_the_generator = engine.adapt("green zombie", options=replace(QUICK, start="", preview_start=True))
    assert next(from_the_generator).index == 1
