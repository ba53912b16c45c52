"""Forged settings of an adaptation over raw HTTP, against the engine's real options and checks: each gets a clear refusal and no job."""

from __future__ import annotations

import pytest

from nada_core.ui.server.backend import check_request, default_backend
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.served import serving
from tests.helpers.visitor import Visitor

pytestmark = pytest.mark.heavy

USUAL = {"steps": 8, "layers": "all", "lr": 0, "source": "face", "seed": 3, "fresh": False, "batch": 2, "truncation": 0.8, "images": None}
SHARED = (False, "", [], "", "", "")
EXPERT = {
    "preset": "own",
    "resolution": "own",
    "mixing": 0,
    "adaptive": 0,
    "pool": 0,
    "crops": "own",
    "direction": "",
    "global": "",
    "manifold": 0,
    "patch": 0,
    "start": "own",
}


@pytest.fixture(scope="module")
def served():
    engine = FakeEngine(delay=0.0)
    with serving(engine, options=default_backend().options, check=check_request) as (url, demo):
        demo.context.open()
        yield url, demo, engine


@pytest.fixture
def visitor(served):
    visitor = Visitor(*served[:2])
    assert visitor.ask("arrive", [])[0]  # or the choices would not be known
    yield visitor
    visitor.web.close()


def sent(**changes) -> list:
    assert not set(changes) - set(USUAL) - set(EXPERT)
    return ["Joker", *({**USUAL, **changes}[key] for key in USUAL), *SHARED, *({**EXPERT, **changes}[key] for key in EXPERT)]


def test_settings_that_are_sound_are_taken(visitor, served):
    success, answer, _ = visitor.ask(
        "adapt", *sent(resolution="1024", layers="no_fine", mixing=0.5, adaptive=4, pool=9, crops="1", manifold=1)
    )
    assert success, answer[-500:]
    options = served[2].options
    assert (options.resolution, options.layers, options.mixing, options.adaptive_layers) == (1024, "no_fine", 0.5, 4)
    assert (options.latent_pool, options.crops, options.manifold_weight, options.global_weight) == (9, 1, 1.0, None)


NUMBERS = ("steps", "batch", "truncation", "lr", "mixing", "adaptive", "pool", "manifold", "patch")


@pytest.mark.parametrize("name", NUMBERS)
def test_forged_numbers(visitor, name):
    jobs = len(visitor.demo.context.jobs.all())
    for value in (float("nan"), float("inf"), float("-inf"), 1e308, 10**300, -1, -1e-9):
        words = visitor.turned_away(*sent(**{name: value}))
        assert any(part in words for part in ("must be a number", "minimum value", "maximum value")), (name, value, words[-300:])
    for value in ("8", "__import__('os')", [1], {"a": 1}, "\u0000"):
        visitor.turned_away(*sent(**{name: value}))
    if name == "pool":
        assert "whole number" in visitor.turned_away(*sent(**{name: 1.5}))
    assert len(visitor.demo.context.jobs.all()) == jobs


@pytest.mark.parametrize("name", ["direction", "global"])
def test_forged_texts_for_a_number(visitor, name):
    jobs = len(visitor.demo.context.jobs.all())
    for value in ("nan", "1e999", "9" * 10_000, "__import__('os')", "<img src=x>", [1], {"a": 1}, True, float("nan"), float("inf")):
        words = visitor.turned_away(*sent(**{name: value}))
        assert "must be a number" in words and "<img" not in words, (value, words[-300:])
    for value in (-1, "-1", 11, "11"):
        assert "between 0 and 10" in visitor.turned_away(*sent(**{name: value}))
    assert len(visitor.demo.context.jobs.all()) == jobs


@pytest.mark.parametrize("name", ["layers", "resolution", "preset", "crops", "start"])
def test_forged_choices(visitor, name):
    jobs = len(visitor.demo.context.jobs.all())
    for value in ("eyes", "__class__", "../../etc", "", "512", 512, float("nan"), True, [], ["all"], {"a": 1}, "x" * 10_000):
        words = visitor.turned_away(*sent(**{name: value}))
        if isinstance(value, str):
            assert "not in the list of choices" in words
    assert len(visitor.demo.context.jobs.all()) == jobs


def test_what_the_world_has_not_is_refused_by_the_engine(visitor):
    """The patch weight is not on the page in this world, and its control takes 1; a preset may come from a page of another world."""
    jobs = len(visitor.demo.context.jobs.all())
    assert "reads sentences" in visitor.turned_away(*sent(patch=1))
    assert "not in the list of choices" in visitor.turned_away(*sent(preset="paper"))
    assert "nothing would be learnt" in visitor.turned_away(*sent(**{"direction": "0", "global": "0"}))
    assert len(visitor.demo.context.jobs.all()) == jobs


def test_too_few_and_too_many_settings(visitor):
    jobs = len(visitor.demo.context.jobs.all())
    for data in (sent()[:-1], sent()[:-10], [], ["Joker"]):
        visitor.turned_away(*data)
    assert len(visitor.demo.context.jobs.all()) == jobs
