"""Settings of the Adapt tab: what each becomes in the engine's options, what is offered in which world, what is refused at once."""

from __future__ import annotations

import dataclasses
import math
import types

import pytest

from nada_core.adaptation.loop import AdaptOptions
from nada_core.errors import NadaError, OptionsError
from nada_core.ui import build_app
from nada_core.ui.requests import AdaptExtras
from nada_core.ui.server.backend import check_request, default_backend
from nada_core.ui.server.training_facts import training_facts
from nada_core.ui.tabs.adapt.read_settings import read_extras, read_number, read_whole
from nada_core.ui.tabs.adapt.run import AdaptRequest, start_adaptation
from tests.helpers.adapting import LEFT_ALONE, pressed
from tests.helpers.apps import components, handlers, named
from tests.helpers.fake_engine import FakeEngine, FakeGenerator, FakeReader, fake_backend
from tests.helpers.small_adaptations import ReadingEncoder, StandInEncoder, small_mobile, small_stylegan2

pytestmark = pytest.mark.heavy

STYLEGAN2 = FakeGenerator("stylegan2", (256, 1024), 18)


def page(engine: FakeEngine, tmp_path):
    """The page over the engine's real options and checks."""
    backend = fake_backend(engine, tmp_path / "jobs")
    return build_app(backend=dataclasses.replace(backend, options=default_backend().options, check=check_request))


def inside(block, elem_id: str) -> bool:
    """Whether a block stands in the one with this id, however deep."""
    while block.parent is not None and block.parent.elem_id != elem_id:
        block = block.parent
    return block.parent is not None


def settings(demo, elem_id: str = "settings") -> dict:
    """The settings that stand there, by their labels."""
    named_ones = [block for block in demo.blocks.values() if hasattr(block, "value") and block.label]
    return {block.label: block for block in named_ones if inside(block, elem_id)}


def press_adapt(demo, prompt="Joker", **values) -> None:
    """Press Adapt and wait for the end. `values` by label, with `_` for a space; what is not named stays as the page has it at first."""
    (event,) = [one for one in demo.fns.values() if getattr(one.fn, "__name__", "") == "adapt"]
    given = {"Turn faces into": prompt, "Seed": 5, "New seed each run": False, **{key.replace("_", " "): v for key, v in values.items()}}
    assert event.input_keyword_names == list(pressed())
    data = [given.get(getattr(one, "label", None), getattr(one, "value", None)) for one in event.inputs]
    list(event.fn(None, **dict(zip(event.input_keyword_names, data, strict=True))))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A page where every setting means something, and its engine."""
    engine = FakeEngine(delay=0.0, generator=STYLEGAN2, encoder=FakeReader())
    demo = page(engine, tmp_path_factory.mktemp("full"))
    demo.context.open()
    yield engine, demo
    demo.context.shutdown()


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    """A page in the starter world, and its engine."""
    engine = FakeEngine(delay=0.0)
    demo = page(engine, tmp_path_factory.mktemp("starter"))
    demo.context.open()
    yield engine, demo
    demo.context.shutdown()


@pytest.mark.parametrize("generator", [FakeGenerator(), STYLEGAN2])
def test_settings_left_alone_are_the_options_of_always(tmp_path, generator):
    engine = FakeEngine(delay=0.0, generator=generator)
    demo = page(engine, tmp_path)
    demo.context.open()
    press_adapt(demo, Steps=6)
    assert engine.options == AdaptOptions(steps=6, layers="all", seed=5, source="face", batch=2, truncation_psi=0.8, preview_start=True)
    (job,) = demo.context.jobs.all()
    assert (
        job.request == AdaptRequest("Joker", 6, seed=5, truncation=0.8)
        and job.request.extra == AdaptExtras()
        and not job.request.extra.given()
    )
    demo.context.shutdown()


@pytest.mark.parametrize(
    ("label", "value", "option", "expected"),
    [
        ("Resolution the loss sees", "1024", "resolution", 1024),
        ("Resolution the loss sees", "256", "resolution", 256),
        ("Layers that learn", "no_fine", "layers", "no_fine"),
        ("Optimiser", "source", "preset", "source"),
        ("Style mixing", 0.9, "mixing", 0.9),
        ("Adaptive layers", 12, "adaptive_layers", 12),
        ("Latent pool", 4, "latent_pool", 4),
        ("Crops a picture", "3", "crops", 3),
        ("Crops a picture", "0", "crops", 0),
        ("Direction weight", "0.5", "direction_weight", 0.5),
        ("Direction weight", "2", "direction_weight", 2.0),
        ("Global weight", "0", "global_weight", 0.0),
        ("Global weight", " 0,3", "global_weight", 0.3),
        ("Manifold weight", 2, "manifold_weight", 2.0),
        ("Patch weight", 1.5, "patch_weight", 1.5),
        ("Begins at", "plain", "start", ""),
    ],
)
def test_each_setting_changes_one_option(full, label, value, option, expected):
    engine, demo = full
    press_adapt(demo, Steps=2, **{label: value})
    assert engine.options == dataclasses.replace(
        AdaptOptions(steps=2, seed=5, truncation_psi=0.8, preview_start=True), **{option: expected}
    )
    assert type(getattr(engine.options, option)) is type(expected)


def offered(engine: FakeEngine, tmp_path) -> tuple[dict, dict]:
    """The components by id and what a visitor's page is told to do with them."""
    demo = page(engine, tmp_path)
    (update,) = handlers(demo)["arrive"]([])
    (layers,) = [block for block in update if getattr(block, "label", "") == "Layers that learn"]
    return components(demo), {**named(update), "layers": update[layers]}


def test_a_page_offers_what_the_starter_has(tmp_path):
    at_first, told = offered(FakeEngine(), tmp_path)
    assert not at_first["preset"].visible and told["preset"]["visible"] is False
    assert told["start"]["visible"] is False  # the fake generator is none that the ready styles are of
    assert not at_first["patch-weight"].visible and told["patch-weight"]["visible"] is False
    assert told["loss-resolution"]["choices"] == [("Own (256 px)", "own"), ("256 px", "256"), ("1024 px", "1024")]
    assert told["adaptive-layers"]["maximum"] == 23
    assert [value for _, value in told["layers"]["choices"]] == ["all", "shape", "texture", "colour", "default", "no_fine"]
    assert told["crops"]["choices"][0] == ("Own (2)", "own")
    assert [value for _, value in told["crops"]["choices"][1:]] == list("012345678")
    assert told["global-weight"]["placeholder"] == "own: 0.2" and told["direction-weight"]["placeholder"] == "own: 1"
    changed = ("layers", "preset", "patch-weight", "loss-resolution", "adaptive-layers", "crops", "global-weight", "direction-weight")
    assert not [key for key in changed if "value" in told[key]]  # what was set while the engine was loading stays


def test_a_page_offers_what_stylegan2_and_clip_have(tmp_path):
    small = FakeGenerator("stylegan2", (64,), 10, lacks=("colour",))
    _, told = offered(FakeEngine(generator=small, encoder=FakeReader()), tmp_path)
    assert told["preset"]["visible"] and [value for _, value in told["preset"]["choices"]] == ["own", "paper", "source"]
    assert told["patch-weight"]["visible"] and told["adaptive-layers"]["maximum"] == 10
    assert told["loss-resolution"]["choices"] == [("Own (64 px)", "own"), ("64 px", "64")]
    assert "colour" not in [value for _, value in told["layers"]["choices"]]
    assert told["crops"]["choices"][0] == ("Own (0)", "own") and told["global-weight"]["placeholder"] == "own: 0"


@pytest.mark.parametrize("generator", [small_mobile(), small_stylegan2()])
@pytest.mark.parametrize("encoder", [StandInEncoder(), ReadingEncoder()])
def test_the_engines_own_check_takes_exactly_what_is_offered(generator, encoder):
    parts = types.SimpleNamespace(encoder=encoder.name)
    engine = types.SimpleNamespace(generator=generator, encoder=encoder, concepts=list, parts=parts)
    facts = training_facts(engine)

    def taken(**options) -> bool:
        try:
            # the family's own resolution is one of the published generator, which this small one has not
            check_request(engine, "Joker", AdaptOptions(**{"resolution": generator.img_resolution, **options}))
        except OptionsError:
            return False
        return True

    assert {name for name in ("all", "shape", "texture", "colour", "default", "no_fine") if taken(layers=name)} == set(facts.layer_sets)
    assert {side for side in (8, 16, 32, 64, 128, 256, 1024) if taken(resolution=side)} == set(facts.resolutions)
    assert {name for name in ("paper", "source") if taken(preset=name)} == set(facts.presets)
    assert taken(adaptive_layers=facts.layers) and not taken(adaptive_layers=facts.layers + 1)
    assert taken(patch_weight=1.0) == facts.patches and taken(manifold_weight=1.0)


IMPOSSIBLE = [
    ({"patch_weight": 1.0}, "reads sentences"),
    ({"adaptive_layers": 24}, "this generator has 23"),
    ({"adaptive_layers": -1}, "adaptive_layers is -1"),
    ({"resolution": 512}, "256 or 1024"),
    ({"preset": "paper"}, "StyleGAN2"),
    ({"preset": "mine"}, "paper or source"),
    ({"mixing": 1.5}, "between 0 and 1"),
    ({"latent_pool": 10**6}, "latent_pool"),
    ({"crops": 9}, "between 0 and 8"),
    ({"crops": -1}, "between 0 and 8"),
    ({"direction_weight": math.nan}, "direction_weight"),
    ({"manifold_weight": -1.0}, "manifold_weight"),
    ({"global_weight": 1e9}, "global_weight"),
    ({"direction_weight": 0.0, "global_weight": 0.0}, "nothing would be learnt"),
]


@pytest.mark.parametrize(("extra", "words"), IMPOSSIBLE)
def test_what_is_impossible_is_refused_before_the_line(starter, extra, words):
    engine, app = starter[0], starter[1].context
    with pytest.raises(OptionsError, match=words):
        start_adaptation(app, AdaptRequest("Joker", extra=AdaptExtras(**extra)))
    assert not app.jobs.all() and "open" not in engine.log and len(app.line) == 0


def test_layers_that_a_small_generator_lacks_are_refused_before_the_line(tmp_path):
    app = page(FakeEngine(generator=FakeGenerator(lacks=("default",))), tmp_path).context
    app.open()
    for layers, words in (("default", "too small"), ("eyes", "layers is 'eyes'"), (None, "layers is 'None'")):
        with pytest.raises(OptionsError, match=words):
            start_adaptation(app, AdaptRequest("Joker", layers=layers))
    assert not app.jobs.all()


def test_losses_about_texts_are_refused_for_pictures(tmp_path):
    app = page(FakeEngine(encoder=FakeReader()), tmp_path).context
    app.open()
    for weight in ("manifold_weight", "patch_weight"):
        with pytest.raises(OptionsError, match="leave them out where pictures are the target"):
            start_adaptation(app, AdaptRequest("Mine", images=("a.jpg",), extra=AdaptExtras(**{weight: 1.0})))
    assert not app.jobs.all()


def test_what_is_refused_stands_beside_the_prompt(starter):
    _, demo = starter
    (event,) = [one for one in demo.fns.values() if getattr(one.fn, "__name__", "") == "adapt"]
    data = [getattr(one, "value", None) for one in event.inputs]
    bad = {"Steps": math.nan, "Faces a step": 1.5, "Variety of the faces": True, "Learning rate": math.inf, "Global weight": "much"}
    for label, value in bad.items():
        sent = [value if getattr(one, "label", None) == label else usual for one, usual in zip(event.inputs, data)]
        answers = event.fn(None, **dict(zip(event.input_keyword_names, sent, strict=True)))
        told = named(next(answers))
        assert "must be a" in told["adapt-notice"] and "Not started" in told["adapt-progress"]
        assert list(answers) == []  # said once
    assert not demo.context.jobs.all()


def test_the_settings_say_which_encoder_judges():
    for public in (False, True):
        demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)), public=public)
        demo.context.open()
        *_, update = handlers(demo)["arrive"]([])
        words = named(update)["encoder-in-use"]
        assert "Starter: reads looks" in words and ("Change the world" in words) is not public


def test_reset_gives_every_setting_its_first_value(starter):
    _, demo = starter
    (event,) = [one for one in demo.fns.values() if getattr(one.fn, "__name__", "") == "reset_settings"]
    found = settings(demo)
    assert {one.label for one in event.outputs} == set(found) and len(event.outputs) == len(found) == 20
    assert {one.label: value for one, value in event.fn().items()} == {
        "Steps": 30,
        "Layers that learn": "all",
        "Learning rate": 0,
        "Starting from": "face",
        "Seed": 0,
        "New seed each run": True,
        "Faces a step": 2,
        "Variety of the faces": 0.8,
        "Pictures to aim at instead of words (up to 16)": None,
        "Optimiser": "own",
        "Resolution the loss sees": "own",
        "Style mixing": 0,
        "Adaptive layers": 0,
        "Latent pool": 0,
        "Crops a picture": "own",
        "Direction weight": "",
        "Global weight": "",
        "Manifold weight": 0,
        "Patch weight": 0,
        "Begins at": "own",
    }


def test_every_setting_for_experts_has_one_sentence_of_help_and_is_folded_away(starter):
    _, demo = starter
    experts = settings(demo, "experts")
    assert components(demo)["experts"].open is False and inside(components(demo)["experts"], "settings")
    assert len(experts) == 11 and all(block.info.endswith(".") and len(block.info) < 80 for block in experts.values())


def test_values_from_a_browser_are_read_strictly():
    assert read_extras(dict.fromkeys(LEFT_ALONE)) == read_extras(LEFT_ALONE) == AdaptExtras()
    assert read_whole("steps", 60.0) == 60 and type(read_whole("steps", 60.0)) is int and read_number("lr", 1) == 1.0
    for value in (math.nan, math.inf, -math.inf, 1e300, 10**400, True, "5", None, [5], {"a": 1}):
        for read in (read_number, read_whole):
            with pytest.raises(OptionsError, match="must be a number") as caught:
                read("steps", value)
            assert len(str(caught.value)) < 80
    with pytest.raises(OptionsError, match="whole number"):
        read_whole("steps", 1.5)
    assert list(LEFT_ALONE) == [one.name for one in dataclasses.fields(AdaptExtras)]
    for name in LEFT_ALONE:
        for value in (math.nan, [1], {"a": 1}, True, "x" * 10_000) if name != "preset" else (math.nan, [1], {"a": 1}, True):
            with pytest.raises(NadaError) as caught:
                read_extras({**LEFT_ALONE, name: value})
            assert len(str(caught.value)) < 100
    for text in ("", "²56", "-1", "1e3", "256; rm", "999999999"):
        for name in ("resolution", "crops"):
            with pytest.raises(OptionsError, match=name):
                read_extras({**LEFT_ALONE, name: text})
    for text in ("nan", "-inf", "1e999", "9" * 5000, "0x1", "1 2", "1.2.3", "0.5; rm", "½"):
        for name in ("direction_weight", "global_weight"):
            with pytest.raises(OptionsError, match=rf"{name} is .* must be a number"):
                read_extras({**LEFT_ALONE, name: text})


def test_what_is_left_open_is_the_generators_own(make_app):
    app, _ = make_app()
    seen = []
    app.backend = dataclasses.replace(app.backend, options=lambda **values: seen.append(values) or fake_backend().options(**values))
    app.open()
    start_adaptation(app, AdaptRequest("Joker", steps=2))
    start_adaptation(app, AdaptRequest("Joker", steps=3, truncation=0.9, lr=0.001))
    left_open, given = (next(values for values in seen if values.get("steps") == steps) for steps in (2, 3))
    assert not {"truncation_psi", "lr"} & set(left_open) and (given["truncation_psi"], given["lr"]) == (0.9, 0.001)
