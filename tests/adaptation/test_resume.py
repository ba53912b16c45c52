"""Resuming: a run that was cut in two is the same run bit for bit, and a state of another run is refused by name."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from nada_core.adaptation import training_run
from nada_core.adaptation.loop import AdaptationStep, AdaptOptions, adapt
from nada_core.adaptation.resume import SCHEMA, encoder_hash, load_training, save_training, training_bytes, training_parts
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.errors import NadaError, OptionsError, ResumeError
from tests.helpers.small_adaptations import SMALL, ReadingEncoder, StandInEncoder, last_of, small_mobile, small_options, small_stylegan2

pytestmark = pytest.mark.heavy

#: Settings that keep state of different kinds.
SETTINGS = {
    "plain": {},
    "averaged": {"average": 0.9, "warmup": 4, "global_weight": 0.2, "crops": 2},
    "mixed pool": {"mixing": 0.5, "latent_pool": 3, "layers": "default"},
    "adaptive": {"adaptive_layers": 2, "adaptive_batch": 2, "adaptive_steps": 2, "betas": (0.5, 0.99)},
    "all losses": {"manifold_weight": 0.5, "patch_weight": 0.5, "global_weight": 0.1},
    "fresh noise": {"noise": "random", "mixing": 0.5, "crops": 1},
    "half precision": {"precision": "bfloat16", "average": 0.9},
    "unlimited": {"max_gradient": math.inf, "average": 0.0},
}


@pytest.fixture(scope="module")
def encoder():
    return ReadingEncoder()


def facts(step: AdaptationStep) -> tuple:
    return (step.index, step.steps, step.loss, step.similarity, step.lr, step.note, step.layers)


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def run_until(index: int, steps) -> AdaptationStep:
    return next(step for step in steps if step.index == index)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_run_cut_in_two_is_the_same_run(base, encoder, setting, tmp_path):
    options = small_options(base, **SETTINGS[setting])
    whole = list(adapt(base, encoder, "Joker", options))
    whole_state, whole_style = whole[-1].checkpoint(), whole[-1].style()
    first = run_until(3, adapt(base, encoder, "Joker", options))
    state = load_training(save_training(tmp_path / "training.safetensors", first.checkpoint()))
    torch.manual_seed(99)  # nothing may hang on the global random numbers
    rest = list(adapt(base, encoder, "Joker", options, resume=state))
    assert [facts(step) for step in rest] == [facts(step) for step in whole[3:]]
    assert all(torch.equal(one.previews, other.previews) for one, other in zip(rest, whole[3:], strict=True))
    assert same(rest[-1].style().tensors, whole_style.tensors)
    last = rest[-1].checkpoint()
    assert same(last.tensors, whole_state.tensors)
    assert replace(last, seconds=0, tensors={}) == replace(whole_state, seconds=0, tensors={})
    assert not same(whole_style.tensors, first.style().tensors), "steps four to six must change something, or nothing is shown"


class Failing(StandInEncoder):
    """Gives no numbers in some steps of a run, which then goes back to the weights kept at step ten."""

    def __init__(self, steps: set[int], first: int = 1) -> None:
        super().__init__()
        self.steps, self.step = steps, first

    def encode_image(self, images):
        embeddings = super().encode_image(images)
        if images.requires_grad:
            embeddings = embeddings * (math.nan if self.step in self.steps else 1.0)
            self.step += 1
        return embeddings


def test_kept_weights_and_the_halved_rate_come_back(base, tmp_path):
    """A run that diverges before the cut and after it, when it needs weights that were kept before the cut."""
    options, failing = small_options(base, steps=18, preview_seconds=math.inf), {6, 14, 15}
    whole = list(adapt(base, Failing(failing), "Joker", options))
    assert {step.index for step in whole if step.note} == failing
    first = run_until(12, adapt(base, Failing(failing), "Joker", options))
    state = load_training(save_training(tmp_path / "training.safetensors", first.checkpoint()))
    assert not torch.equal(state.of_kind("good")[name := base.adaptable()[0]], base.get_parameter(name))
    rest = list(adapt(base, Failing(failing, 13), "Joker", options, resume=state))
    assert [repr(facts(step)) for step in rest] == [repr(facts(step)) for step in whole[12:]]  # as texts: NaN equals nothing
    assert same(rest[-1].checkpoint().tensors, whole[-1].checkpoint().tensors)
    assert rest[-1].checkpoint().lr == whole[-1].checkpoint().lr == state.lr / 4


def test_an_ensemble_and_target_pictures_resume(base, tmp_path):
    encoder = EncoderEnsemble([StandInEncoder("one"), StandInEncoder("two", 7)], [1.0, 0.5])
    pictures = [torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(i)) * 2 - 1 for i in range(2)]
    options = small_options(base, steps=4)
    whole = list(adapt(base, encoder, "mine", options, pictures))
    state = run_until(2, adapt(base, encoder, "mine", options, pictures)).checkpoint()
    rest = list(adapt(base, encoder, "mine", options, pictures, resume=state))
    assert [facts(step) for step in rest] == [facts(step) for step in whole[2:]]
    for others in (None, pictures[::-1], pictures[:1]):
        with pytest.raises(ResumeError, match="other target pictures"):
            adapt(base, encoder, "mine", options, others, resume=state)


def test_a_finished_run_goes_on_with_more_steps_and_its_own_options():
    base, encoder = SMALL["stylegan2"](), StandInEncoder()
    options = small_options(base, steps=3, seed=8)
    whole = last_of(adapt(base, encoder, "Joker", replace(options, steps=6)))
    state = last_of(adapt(base, encoder, "Joker", options)).checkpoint()
    longer = last_of(adapt(base, encoder, "Joker", replace(state.options, steps=6), resume=state))
    assert facts(longer) == facts(whole) and same(longer.style().tensors, whole.style().tensors)
    with pytest.raises(ResumeError, match="has 3 steps already; 3 are asked for"):
        adapt(base, encoder, "Joker", resume=state)
    earlier = run_until(2, adapt(base, encoder, "Joker", options)).checkpoint()
    assert last_of(adapt(base, encoder, "Joker", resume=earlier)).steps == 3


def test_time_spent_counts_on(base, encoder):
    state = replace(next(adapt(base, encoder, "Joker", small_options(base))).checkpoint(), seconds=500.0)
    step = next(adapt(base, encoder, "Joker", small_options(base), resume=state))
    assert 500 < step.seconds < 560 and step.index == 2 and step.eta == pytest.approx(step.seconds / 2 * 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "had seed 0, not 1"),
        ({"lr": 1e-3}, "had lr"),
        ({"layers": "no_fine"}, "had layers all, not no_fine"),
        ({"mixing": 0.5}, "had mixing 0.0, not 0.5"),
        ({"truncation_psi": 0.5}, r"had truncation_psi (1.0|0.8), not 0.5"),
        ({"noise": "random"}, "had noise const, not random"),
        ({"patch_weight": 0.5, "patch_parts": "animal"}, "had patch_weight 0.0, not 0.5"),
        ({"adaptive_layers": 3}, "had adaptive_layers None, not 3"),
        ({"source": "dog"}, "had source face, not dog"),
        ({"steps": 2}, "has 2 steps already"),
    ],
)
def test_other_options_are_refused_by_name(base, encoder, changes, message):
    options = small_options(base)
    state = run_until(2, adapt(base, encoder, "Joker", options)).checkpoint()
    with pytest.raises(ResumeError, match=message):
        adapt(base, encoder, "Joker", replace(options, **changes), resume=state)
    adapt(base, encoder, "Joker", replace(options, steps=9, preview_seeds=(5,), preview_seconds=9.0), resume=state)


def test_another_base_prompt_or_encoder_is_refused(base, encoder):
    options = small_options(base)
    state = next(adapt(base, encoder, "Joker", options)).checkpoint()
    other = SMALL[base.family](seed=1)
    with pytest.raises(ResumeError, match=rf"{base.content_hash()[:8]}; this generator is {base.family} {other.content_hash()[:8]}"):
        adapt(other, encoder, "Joker", options, resume=state)
    with pytest.raises(ResumeError, match="was for 'Joker', not for 'zombie'"):
        adapt(base, encoder, "zombie", options, resume=state)
    with pytest.raises(ResumeError, match="encoder stand-in, not other"):
        adapt(base, ReadingEncoder("other"), "Joker", options, resume=state)
    with pytest.raises(OptionsError, match="mixing is 2"):
        adapt(base, encoder, "Joker", replace(options, mixing=2.0), resume=state)


class Activated(ReadingEncoder):
    """One with an activation, which has no weights."""

    def __init__(self, name: str = "stand-in", seed: int | None = None, activation: nn.Module | None = None) -> None:
        super().__init__(name)
        if seed is not None:
            self.matrix.copy_(torch.randn(self.matrix.shape, generator=torch.Generator().manual_seed(seed)))
        self.activation = activation or nn.GELU()


def test_an_encoder_is_known_by_its_weights_not_by_its_file(base, tmp_path):
    options = small_options(base)
    first = next(adapt(base, Activated("ViT@a.pt", 1), "Joker", options))
    state = load_training(save_training(tmp_path / "t.safetensors", first.checkpoint()))
    for other in (Activated("ViT@a.pt", 2), Activated("ViT@a.pt", 1, nn.SiLU())):
        with pytest.raises(ResumeError, match=r"used other weights of the encoder ViT@a\.pt than these"):
            adapt(base, other, "Joker", options, resume=state)
    with pytest.raises(ResumeError, match=r"used the encoder ViT@a\.pt, not ViT@b\.pt"):
        adapt(base, Activated("ViT@b.pt", 2), "Joker", options, resume=state)
    whole = last_of(adapt(base, Activated("ViT@a.pt", 1), "Joker", options))
    renamed = last_of(adapt(base, Activated("ViT@b.pt", 1), "Joker", options, resume=state))
    assert facts(renamed) == facts(whole) and same(renamed.style().tensors, whole.style().tensors)


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


def test_what_an_encoder_is_decides_its_hash():
    one, two = StandInEncoder("one"), StandInEncoder("two")
    renamed = StandInEncoder("one")
    renamed.name = "a copy"
    assert encoder_hash(one) == encoder_hash(renamed) != encoder_hash(two)
    last = one.matrix[-1, -1].clone()
    one.matrix[-1, -1] = torch.nextafter(last, last + 1)
    assert encoder_hash(one) != encoder_hash(renamed), "not a sample of the weights: all of them"
    ensembles = [EncoderEnsemble([renamed, two], weights) for weights in ([1, 1], [1, 0.5], [1, 1])]
    assert encoder_hash(ensembles[0]) == encoder_hash(ensembles[2]) != encoder_hash(ensembles[1])
    assert encoder_hash(EncoderEnsemble([two, renamed])) != encoder_hash(ensembles[0])
    assert encoder_hash(nn.Identity()) == ""
    half = nn.Linear(3, 2).bfloat16()
    assert len(encoder_hash(half)) == 64


def test_a_wrong_continuation_is_refused_before_any_text_is_read(base, encoder, monkeypatch):
    options = small_options(base, patch_weight=0.5)
    state = run_until(2, adapt(base, encoder, "Joker", options)).checkpoint()
    read: list[str] = []
    monkeypatch.setattr(ReadingEncoder, "encode_text", lambda self, texts: read.extend(texts))
    picture = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    wrong = [
        lambda: adapt(SMALL[base.family](seed=1), encoder, "Joker", options, resume=state),
        lambda: adapt(base, encoder, "zombie", options, resume=state),
        lambda: adapt(base, ReadingEncoder("other"), "Joker", options, resume=state),
        lambda: adapt(base, encoder, "Joker", replace(options, patch_parts="animal"), resume=state),
        lambda: adapt(base, encoder, "Joker", replace(options, steps=2), resume=state),
        lambda: adapt(base, encoder, "Joker", replace(options, patch_weight=0.0), [picture], resume=state),
    ]
    for start in wrong:
        with pytest.raises(ResumeError):
            start()
    assert read == []
    with pytest.raises(TypeError):  # the right one does read, and gets nothing from this encoder
        adapt(base, encoder, "Joker", options, resume=state)
    assert read


def test_what_leaves_uncopied_is_the_same_file_and_the_run_s_own_memory(base, encoder):
    steps = adapt(base, encoder, "Joker", small_options(base))
    next(steps)
    step = next(steps)
    whole, parts = training_bytes(step.checkpoint()), training_parts(step.checkpoint(copied=False))
    assert b"".join(parts) == whole
    next(steps)
    assert b"".join(parts) != whole  # the next step writes over it


def test_only_the_latest_step_has_a_checkpoint(base, encoder):
    run = adapt(base, encoder, "Joker", small_options(base))
    early = next(run)
    next(run)
    with pytest.raises(ResumeError, match="is at step 2 already, past step 1"):
        early.checkpoint()


@pytest.mark.parametrize("where", ["encoder", "losses"])
def test_an_interruption_before_the_weights_change_loses_nothing(base, encoder, monkeypatch, where):
    """The step's random numbers were drawn already; the resumed run must draw them again."""
    options = small_options(base, crops=1, mixing=0.5)
    whole = list(adapt(base, encoder, "Joker", options))

    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    run = adapt(base, encoder, "Joker", options)
    step = run_until(3, run)
    with monkeypatch.context() as patch:
        patch.setattr(*((type(encoder), "encode_image") if where == "encoder" else (torch.Tensor, "backward")), interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(run)
    rest = list(adapt(base, encoder, "Joker", options, resume=step.checkpoint()))
    assert [facts(s) for s in rest] == [facts(s) for s in whole[3:]]


def test_an_interruption_while_the_weights_change_is_refused(base, encoder, monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    run = adapt(base, encoder, "Joker", small_options(base))
    step = next(run)
    monkeypatch.setattr(training_run.TrainingRun, "track", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(run)
    with pytest.raises(ResumeError, match="while the weights were being changed"):
        step.checkpoint()


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
    assert same(last_of(adapt(base, encoder, "Joker", resume=state)).style().tensors, whole.style().tensors)


def test_options_survive_the_file(saved, encoder):
    base = small_mobile()
    options = AdaptOptions(resolution=32, max_gradient=math.inf, preview_seconds=math.inf, betas=(0.25, 1 / 3), preview_seeds=(1, 2))
    state = next(adapt(base, encoder, "Joker", options)).checkpoint()
    assert load_training(save_training(saved, state)).options == state.options
