"""The file of a training: what it says of itself, what older ones said, and what is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from nada_core.adaptation.loop import AdaptOptions, adapt
from nada_core.adaptation.resume import SCHEMA, load_training, save_training
from nada_core.errors import NadaError, ResumeError
from tests.helpers.small_adaptations import (
    ReadingEncoder,
    last_of,
    run_until,
    same_tensors,
    small_mobile,
    small_options,
    small_stylegan2,
)

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def encoder():
    return ReadingEncoder()


def test_files_of_before_encoders_had_a_hash_go_by_the_name(saved):
    base, options = small_mobile(), small_options(small_mobile())
    with safe_open(saved, "pt") as file:
        stored, tensors = json.loads(file.metadata()["run"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert len(stored.pop("encoder_hash")) == 64
    save_file(tensors, saved, {"format": "nada-training", "run": json.dumps(stored)})
    state = load_training(saved)
    assert state.encoder_hash == ""
    assert next(adapt(base, ReadingEncoder(), "Joker", options, resume=state)).index == 2
    with pytest.raises(ResumeError, match=r"The training used the encoder stand-in, not other\. Choose the same one\."):
        adapt(base, ReadingEncoder("other"), "Joker", options, resume=state)


@pytest.fixture
def saved(encoder, tmp_path):
    base = small_mobile()
    return save_training(tmp_path / "training.safetensors", next(adapt(base, encoder, "Joker", small_options(base))).checkpoint())


def rewrite(path, tensors=None, **changes):
    with safe_open(path, "pt") as file:
        metadata, kept = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    facts = json.loads(metadata["run"]) | changes
    save_file(kept if tensors is None else tensors(kept), path, {"format": metadata["format"], "run": json.dumps(facts)})
    return path


def test_the_file_says_what_it_is_and_is_written_whole(saved, monkeypatch):
    with safe_open(saved, "pt") as file:
        run = json.loads(file.metadata()["run"], parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert run["schema"] == SCHEMA and run["prompt"] == "Joker" and run["base_hash"] == small_mobile().content_hash()
    assert run["options"]["resolution"] == 32 and [path.name for path in saved.parent.iterdir()] == [saved.name]
    before, state = saved.read_bytes(), load_training(saved)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("nada_core.system.files.os.replace", refuse)
    with pytest.raises(NadaError, match="Cannot write"):
        save_training(saved, state)
    assert saved.read_bytes() == before and len(list(saved.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.unlink(), "There is no training file"),
        (lambda p: p.write_bytes(p.read_bytes()[:2000]), "damaged"),
        (lambda p: p.write_text("hello"), "not a training file"),
        (lambda p: save_file({"a": torch.zeros(2)}, p), "holds no training"),
        (lambda p: rewrite(p, schema=SCHEMA + 1), f"schema {SCHEMA + 1}; this version reads {SCHEMA}"),
        (lambda p: rewrite(p, schema=str(SCHEMA)), "not a training file, or it is damaged"),
        (lambda p: rewrite(p, schema=True), "not a training file, or it is damaged"),
        (lambda p: rewrite(p, step=10**4000), "damaged"),
        (lambda p: rewrite(p, lr=10**400), "damaged"),
        (lambda p: rewrite(p, step="3"), "damaged"),
        (lambda p: rewrite(p, lr=0), "damaged"),
        (lambda p: rewrite(p, options={"hair": 1}), "damaged"),
        (lambda p: rewrite(p, options=None), "damaged"),
        (lambda p: rewrite(p, lambda t: {n: v for n, v in t.items() if n != "rng"}), "damaged"),
    ],
)
def test_bad_files_are_refused(saved, change, message):
    change(saved)
    with pytest.raises(ResumeError, match=message):
        load_training(saved)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (lambda t: {n: v for n, v in t.items() if n != "good|const"}, "lacks good"),
        (lambda t: t | {"weights|const": t["weights|const"][:, :3].clone()}, "does not fit"),
        (lambda t: t | {"weights|const": t["weights|const"].double()}, "does not fit"),
        (lambda t: {n: v for n, v in t.items() if n != "adam_mean|const"}, "does not fit"),
        (lambda t: t | {"rng": torch.zeros(7, dtype=torch.uint8)}, "does not fit"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(saved, encoder, tensors, message):
    base = small_mobile()
    with pytest.raises(ResumeError, match=message):
        adapt(base, encoder, "Joker", small_options(base), resume=load_training(rewrite(saved, tensors)))


@pytest.mark.parametrize("kind", ["weights", "good", "average", "adam_mean", "adam_square", "adam_step"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_no_training_makes_are_refused(saved, encoder, kind, number):
    def spoilt(tensors):
        name = next(name for name in tensors if name.startswith(f"{kind}|"))
        values = tensors[name].clone()
        values.view(-1)[0] = number
        return tensors | {name: values}

    with pytest.raises(ResumeError, match=f"numbers under '{kind}' that no training makes"):
        adapt(small_mobile(), encoder, "Joker", resume=load_training(rewrite(saved, spoilt)))


@pytest.mark.parametrize("dtype", [torch.bool, torch.int32, torch.float8_e4m3fn])
@pytest.mark.parametrize("name", ["weights|const", "average|const", "adam_square|const", "adam_step|const"])
def test_numbers_of_another_type_are_called_that(saved, encoder, dtype, name):
    state = load_training(rewrite(saved, lambda tensors: tensors | {name: tensors[name].to(dtype)}))
    with pytest.raises(ResumeError, match=f"is stored as {str(dtype)[6:]}; expected float32"):
        adapt(small_mobile(), encoder, "Joker", resume=state)


def test_negative_squares_and_huge_weights_are_refused(saved, encoder):
    for name, number in (("adam_square|const", -1.0), ("average|const", 1e30)):
        state = load_training(saved)
        state = replace(state, tensors={**state.tensors, name: torch.full_like(state.tensors[name], number)})
        with pytest.raises(ResumeError, match="that no training makes"):
            adapt(small_mobile(), encoder, "Joker", resume=state)


@pytest.mark.parametrize("fact", ["base", "base_hash", "encoder", "prompt"])
def test_what_a_file_says_of_itself_is_quoted_on_one_short_line(saved, encoder, fact):
    state = load_training(rewrite(saved, encoder_hash="", **{fact: "x\n/etc/passwd\x1b[31m" * 400}))
    with pytest.raises(ResumeError) as refusal:
        adapt(small_mobile(), encoder, "Joker", resume=state)
    assert len(said := str(refusal.value)) < 250 and said.isprintable()


def test_a_file_of_before_there_was_a_choice_goes_on_as_it_was(encoder, tmp_path):
    """Its preset said nothing of noise and truncation then; the run had constant noise, and wrote its truncation."""
    base = small_stylegan2()
    options = small_options(base, preset="paper", truncation_psi=0.8, noise="const")
    whole = last_of(adapt(base, encoder, "Joker", options))
    file = save_training(tmp_path / "t.safetensors", run_until(3, adapt(base, encoder, "Joker", options)).checkpoint())
    with safe_open(file, "pt") as opened:
        stored = json.loads(opened.metadata()["run"])["options"]
    assert stored.pop("noise") == "const" and stored.pop("patch_parts") == "face"
    state = load_training(rewrite(file, options=stored))
    assert (state.options.noise, state.options.patch_parts, state.options.truncation_psi) == ("const", "face", 0.8)
    assert same_tensors(last_of(adapt(base, encoder, "Joker", resume=state)).style().tensors, whole.style().tensors)


def test_options_survive_the_file(saved, encoder):
    base = small_mobile()
    options = AdaptOptions(resolution=32, max_gradient=math.inf, preview_seconds=math.inf, betas=(0.25, 1 / 3), preview_seeds=(1, 2))
    state = next(adapt(base, encoder, "Joker", options)).checkpoint()
    assert load_training(save_training(saved, state)).options == state.options
