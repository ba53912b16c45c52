"""Modes of the training loop: layer sets, style mixing, presets, the optional losses; and that without them nothing changed."""

from __future__ import annotations

import copy
import math
from dataclasses import fields

import pytest
import torch
import torch.nn.functional as F

from nada_core.adaptation.drawn_targets import RATE
from nada_core.adaptation.loop import FAMILY_DEFAULTS, AdaptOptions, adapt, resolve_options
from nada_core.adaptation.start_near import parse_start
from nada_core.adaptation.training_inputs import training_pool, training_ws
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.errors import NadaError, OptionsError
from nada_core.generators.base import LAYER_SETS
from nada_core.generators.mobile_stylegan import FFHQ_CHANNELS, MobileStyleGAN
from nada_core.looks.look import Look
from nada_core.looks.prompts import check_prompt
from nada_core.losses import DirectionalLoss, GlobalLoss
from tests.helpers.small_adaptations import (
    CONVS,
    FIRST,
    SMALL,
    ReadingEncoder,
    StandInEncoder,
    last_of,
    owners,
    small_options,
    small_stylegan2,
)
from tests.helpers.stylegan2_files import tiny


@pytest.fixture(scope="module")
def encoder():
    return ReadingEncoder()


# --- unchanged defaults


def plain_loop(base, encoder, options):
    """The default step written out in one piece, as it was before there were modes: losses of a run without crops, regions or averages."""
    options = resolve_options(options, base.family, looks=False)
    generator = copy.deepcopy(base).requires_grad_(False)
    parameters = {n: p.requires_grad_(True) for n, p in generator.named_parameters() if n in base.adaptable(options.layers)}
    optimiser = torch.optim.Adam(list(parameters.values()), lr=options.lr, betas=options.betas, fused=True)
    direction, target = DirectionalLoss(encoder, options.source, "Joker"), GlobalLoss(encoder, "Joker")
    rng = torch.Generator().manual_seed(options.seed)
    for _ in range(options.steps):
        ws = base.mapping(torch.randn(options.batch, base.z_dim, generator=rng), options.truncation_psi)
        with torch.no_grad():
            before = encoder.encode_image(base.synthesis(ws))
        images = generator.synthesis(ws)
        after = encoder.encode_image(images.clamp(-1.15, 1.15))
        loss = 1 - direction.similarity(before, after).mean()
        if options.global_weight:
            loss = loss + options.global_weight * target.distance(after).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        yield loss.item(), {n: p.detach().clone() for n, p in parameters.items()}


@pytest.mark.heavy
@pytest.mark.parametrize("layers", ["all", "colour"])
def test_without_modes_a_run_is_the_plain_loop_to_the_last_bit(base, layers):
    encoder = StandInEncoder()
    plain = {"average": 0.0, "crops": 0, "warmup": 0, "layer_rates": (1.0, 1.0, 1.0), "max_gradient": math.inf}
    options = small_options(base, layers=layers, **plain)
    expected = list(plain_loop(base, encoder, options))
    steps = list(adapt(base, encoder, "Joker", options))
    assert [step.loss for step in steps] == [loss for loss, _ in expected]
    style = steps[-1].style().tensors
    assert style.keys() == expected[-1][1].keys()
    assert all(torch.equal(style[name], value) for name, value in expected[-1][1].items())


#: Losses of six default steps of the code before, on the same small networks; both families then trained at truncation 0.8.
RECORDED = {
    "mobile_stylegan": [1.745238, 1.559470, 1.694250, 1.546254, 1.646614, 1.367798],
    "stylegan2": [1.081506, 1.021309, 0.986077, 0.994028, 0.989570, 0.747050],
}


@pytest.mark.parametrize("family", list(SMALL))
def test_default_losses_are_those_recorded_before_there_were_modes(family):
    base = SMALL[family]()
    then = {name: FAMILY_DEFAULTS[family][name] for name in ("lr", "layer_rates")}  # sentences had no rates of their own
    losses = [step.loss for step in adapt(base, StandInEncoder(), "Joker", small_options(base, truncation_psi=0.8, **then))]
    assert losses == pytest.approx(RECORDED[family], rel=1e-3)  # other processors round differently


# --- layer sets


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("default", [*FIRST, *CONVS]),
        ("no_fine", [*FIRST, *CONVS[:10]]),
        ("shape", [*FIRST, *CONVS[0:2]]),
        ("texture", [*FIRST, *CONVS[2:10]]),
    ],
)
def test_layer_sets_of_stylegan2_are_the_published_ones(published, layers, expected):
    names = published.layer_set(layers)
    assert owners(names) == set(expected)
    if layers == "default":
        for part in ("affine.weight", "affine.bias", "bias", "noise_strength", "weight"):
            assert all(f"{conv}.{part}" in names for conv in CONVS)
    assert published.layer_set("all") == published.adaptable()
    assert published.layer_set("colour") == published.adaptable("colour")


def test_layer_sets_of_a_smaller_stylegan2_end_where_it_ends():
    assert owners(tiny().layer_set("texture")) == {*FIRST, *(c for c in CONVS if c.split(".")[1] in ("b16", "b32", "b64"))}


def test_layer_sets_of_mobile_stylegan():
    with torch.device("meta"):
        generator = MobileStyleGAN(FFHQ_CHANNELS)
    for group in ("all", "shape", "texture", "colour"):  # what styles and settings made before mean
        assert generator.layer_set(group) == generator.adaptable(group)
    assert set(generator.layer_set("no_fine")) == {*generator.adaptable("shape"), *generator.adaptable("texture")}
    assert set(generator.adaptable()) - set(generator.layer_set("default")) == {
        "to_img.modulation.weight",
        "to_img.modulation.bias",
        "to_img.weight",
        "to_img.bias",
    }


def test_unknown_layers_are_named(base):
    with pytest.raises(ValueError, match="hair"):
        base.layer_set("hair")


@pytest.mark.parametrize("layers", LAYER_SETS)
def test_a_run_changes_every_layer_of_its_set_and_no_other(base, encoder, layers):
    if not base.layer_set(layers):
        with pytest.raises(OptionsError, match=f"layers is '{layers}'; this generator is too small"):
            adapt(base, encoder, "Joker", small_options(base, layers=layers))
        return
    run = adapt(base, encoder, "Joker", small_options(base, layers=layers, steps=2, average=0.0))
    style = last_of(run).style()
    wanted = set(base.layer_set(layers))
    assert style.tensors.keys() == wanted and not any(name.startswith("mapping") for name in wanted)
    assert all(not torch.equal(value, base.get_parameter(name)) for name, value in style.tensors.items()), "no gradient reached a layer"
    assert style.card.options["layers"] == layers


# --- style mixing


def test_mixing_takes_two_latents_from_a_random_slot_on(base):
    options, rng = AdaptOptions(mixing=1.0, truncation_psi=0.8), torch.Generator().manual_seed(4)
    starts = set()
    for _ in range(60):
        ws = training_ws(base, options, rng)
        changes = (ws[:, 1:] != ws[:, :-1]).any(-1)  # [batch, num_ws - 1]
        assert torch.equal(changes[0], changes[1]) and changes[0].sum() == 1
        starts.add(1 + int(changes[0].nonzero()))
    assert starts == set(range(1, base.num_ws))


def test_mixing_happens_with_its_probability_and_from_the_given_numbers(base):
    def mixed(probability, times):
        rng = torch.Generator().manual_seed(0)
        return [training_ws(base, AdaptOptions(mixing=probability, truncation_psi=0.8), rng) for _ in range(times)]

    some = mixed(0.3, 300)
    share = sum(not torch.equal(ws[:, 0], ws[:, -1]) for ws in some) / 300
    assert 0.2 < share < 0.4
    assert all(torch.equal(a, b) for a, b in zip(some, mixed(0.3, 300), strict=True))
    rng = torch.Generator().manual_seed(0)
    plain = base.mapping(torch.randn(2, base.z_dim, generator=rng), 0.8)
    assert torch.equal(mixed(0.0, 1)[0], plain), "without mixing no number is drawn for it"


def test_mixing_with_a_pool_draws_both_latents_from_it(base):
    options = AdaptOptions(mixing=1.0, latent_pool=3, truncation_psi=0.8)
    pool = training_pool(options, base.z_dim)
    known = base.mapping(pool, 0.8)[:, 0]
    ws = torch.cat([training_ws(base, options, torch.Generator().manual_seed(i), pool) for i in range(10)]).flatten(0, 1)
    assert (ws[:, None] - known).abs().amax(-1).min(1).values.max() < 1e-5


# --- presets and ranges


def test_presets_are_the_published_settings_of_adam(encoder):
    base = small_stylegan2()
    for preset, lr, betas in (("paper", 0.0016, (0, 0.99**0.8)), ("source", 0.002, (0.9, 0.999))):
        step = next(adapt(base, encoder, "Joker", small_options(base, preset=preset)))
        state = step.checkpoint()
        assert (step.lr, state.options.betas) == (lr, betas)
        assert resolve_options(AdaptOptions(preset=preset, lr=0.01), "stylegan2").lr == 0.01


def test_a_preset_is_not_scaled_by_the_kind_of_prompt(monkeypatch):
    class Reading(StandInEncoder):
        def look(self, text):
            return Look() if text == "face" else Look(material="gold")

        def regions(self, images):
            raise AssertionError

        def maps(self, images):
            raise AssertionError

    monkeypatch.setitem(RATE, "stylegan2", 3.0)
    base = small_stylegan2()
    # with layers chosen anew each step, texts are trained on and nothing is drawn
    options = [small_options(base, preset=preset, adaptive_layers=2) for preset in (None, "source")]
    rates = [next(adapt(base, Reading(), "Joker", o)).lr for o in options]
    assert rates == [pytest.approx(0.006), 0.002]


def test_stylegan2_runs_with_its_defaults(encoder):
    """keep_weight had no default for this family, so that every run was refused."""
    step = next(adapt(small_stylegan2(), encoder, "Joker", AdaptOptions(steps=1)))
    assert math.isfinite(step.loss) and step.lr == 0.002


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        ("mobile_stylegan", {"preset": "paper"}, "presets are for StyleGAN2, and this is mobile_stylegan"),
        ("stylegan2", {"preset": "mine"}, "preset is 'mine'; it must be paper or source"),
        ("stylegan2", {"layers": "hair"}, "all, shape, texture, colour, default or no_fine"),
        ("stylegan2", {"mixing": 1.5}, "mixing is 1.5; it must be between 0 and 1"),
        ("stylegan2", {"mixing": float("nan")}, "mixing is nan"),
        ("stylegan2", {"adaptive_layers": 0}, "adaptive_layers is 0"),
        ("stylegan2", {"adaptive_layers": True}, "adaptive_layers is True"),
        ("stylegan2", {"adaptive_layers": 2.5}, "adaptive_layers is 2.5"),
        ("stylegan2", {"adaptive_batch": 0}, "adaptive_batch is 0"),
        ("stylegan2", {"adaptive_steps": 1.5}, "adaptive_steps is 1.5; it must be a whole number"),
        ("stylegan2", {"official_mapping": True}, "official_mapping is about adaptive_layers"),
        ("mobile_stylegan", {"official_mapping": True, "adaptive_layers": 2}, "of StyleGAN2 only"),
        ("stylegan2", {"manifold_weight": -1.0}, "manifold_weight is -1"),
        ("stylegan2", {"patch_weight": 11.0}, "patch_weight is 11"),
        ("stylegan2", {"precision": "fp16"}, "precision is 'fp16'; it must be auto, float32 or bfloat16"),
        ("stylegan2", {"precision": None}, "precision is 'None'"),
        ("stylegan2", {"precision": ["auto"]}, "precision is .* it must be auto"),
        ("stylegan2", {"betas": "ab"}, "betas is ab; it must be two numbers"),
        ("stylegan2", {"betas": (0.1, "x")}, "betas is"),
        ("stylegan2", {"betas": 5}, "betas is 5"),
        ("stylegan2", {"layer_rates": (1, True, 1)}, "layer_rates is"),
        ("stylegan2", {"layer_rates": {"a": 1, "b": 1, "c": 1}}, "layer_rates is"),
        ("stylegan2", {"preview_seconds": "x"}, "preview_seconds is x"),
        ("stylegan2", {"preview_seconds": -1}, "preview_seconds is -1"),
        ("stylegan2", {"preview_seeds": "ab"}, "preview_seeds is ab; it must be a list of whole numbers"),
        ("stylegan2", {"preview_seeds": (1.5,)}, "preview_seeds is"),
        ("stylegan2", {"preview_seeds": (2**70,)}, "preview_seeds is"),
        ("stylegan2", {"preview_seeds": 3}, "preview_seeds is 3"),
        ("stylegan2", {"source": 5}, "source is 5; it must be a text"),
        ("stylegan2", {"source": None}, "source is None; it must be a text"),
        ("stylegan2", {"start": ("joker", 1)}, "start is .* it must be a text"),
        ("stylegan2", {"resolution": 64.0}, "resolution is 64.0; it must be a whole number"),
        ("stylegan2", {"official_mapping": "no"}, "official_mapping is no; it must be true or false"),
        ("stylegan2", {"preset": {"paper": 1}}, "preset is"),
        ("stylegan2", {"patch_parts": {"face": 1}}, "patch_parts is"),
        ("stylegan2", {"max_gradient": 10**400}, "max_gradient is 1000"),
    ],
)
def test_modes_out_of_range(family, options, message):
    with pytest.raises(OptionsError, match=message):
        resolve_options(AdaptOptions(**options), family)


@pytest.mark.parametrize("field", [field.name for field in fields(AdaptOptions)])
def test_messages_about_options_are_short_lines(field):
    """A training file may hold any text in the place of any option."""
    for stranger in ("x\n/etc/passwd\x1b[31m" * 400, ["y\n" * 5000] * 100, 10**4000):
        with pytest.raises(NadaError) as refusal:
            check_prompt(resolve_options(AdaptOptions(**{field: stranger}), "stylegan2").source, "source")
            parse_start(str(stranger))  # for start, a text, which is read later
        assert len(said := str(refusal.value)) < 250 and said.isprintable()


# --- the optional losses


@pytest.fixture(scope="module")
def faint():
    """Pictures so faint that nothing is clipped: at the first step both generators draw exactly the same."""
    base = small_stylegan2()
    with torch.no_grad():
        for block in base.blocks.values():
            block.torgb.weight.mul_(0.1)
            block.torgb.bias.mul_(0.1)
    return base


def first_loss(base, encoder, **options):
    return next(adapt(base, encoder, "Joker", small_options(base, **options))).loss


def test_optional_losses_have_their_value_at_the_first_step(faint, encoder):
    """Nothing has moved yet: cos 0 with the direction, picture with picture 1, and of parts whatever the softmax weighs, 0."""
    assert first_loss(faint, encoder) == pytest.approx(1, abs=1e-5)
    source, target = (
        F.normalize(encoder.encode_text([t.replace("{}", text) for t in encoder.templates]).mean(0), dim=0) for text in ("face", "Joker")
    )
    assert first_loss(faint, encoder, manifold_weight=0.5) == pytest.approx(1 + 0.5 * (1 - float(source @ target)), abs=1e-5)
    assert first_loss(faint, encoder, patch_weight=0.25) == pytest.approx(1.25, abs=1e-5)


def test_an_ensemble_sums_its_members(faint):
    members = [StandInEncoder("one"), StandInEncoder("two", 7)]
    assert first_loss(faint, EncoderEnsemble(members, [1.0, 0.5])) == pytest.approx(1.5, abs=1e-5)
    both = last_of(adapt(faint, EncoderEnsemble(members, [1.0, 0.5]), "Joker", small_options(faint, adaptive_layers=2, adaptive_batch=2)))
    assert math.isfinite(both.loss) and -1 <= both.similarity <= 1


def test_losses_that_cannot_be_computed_are_refused_at_once(faint, encoder):
    with pytest.raises(OptionsError, match="reads sentences"):
        adapt(faint, StandInEncoder(), "Joker", small_options(faint, patch_weight=1.0))
    for weight in ("manifold_weight", "patch_weight"):
        with pytest.raises(OptionsError, match="leave them out where pictures are the target"):
            adapt(faint, encoder, "mine", small_options(faint, **{weight: 1.0}), [torch.rand(1, 3, 32, 32) * 2 - 1])


def test_a_loss_of_nothing_is_refused(faint, encoder):
    with pytest.raises(OptionsError, match="nothing would be learnt"):
        adapt(faint, encoder, "Joker", small_options(faint, direction_weight=0.0))
    for weight in ("global_weight", "manifold_weight", "patch_weight"):
        assert math.isfinite(first_loss(faint, encoder, direction_weight=0.0, **{weight: 0.5}))


def test_sixteen_target_pictures_still_work(faint, encoder):
    pictures = [torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(i)) * 2 - 1 for i in range(17)]
    assert math.isfinite(next(adapt(faint, encoder, "mine", small_options(faint), pictures[:16])).loss)
    with pytest.raises(OptionsError, match="17 target pictures"):
        adapt(faint, encoder, "mine", small_options(faint), pictures)
