"""Adaptive layer selection: which layers a slot stands for, how slots are scored, and that only the chosen ones train."""

from __future__ import annotations

import copy

import pytest
import torch

from nada_core.adaptation.layer_selection import slot_scores, slot_table, top_slots
from nada_core.adaptation.loop import adapt
from nada_core.errors import OptionsError
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from tests.helpers.small_adaptations import (
    CONVS,
    SMALL,
    ReadingEncoder,
    owners,
    small_mobile,
    small_options,
    small_stylegan2,
)


@pytest.fixture(scope="module")
def encoder():
    return ReadingEncoder()


@pytest.mark.parametrize("family", list(SMALL))
def test_a_slot_stands_for_the_layers_that_see_it(family):
    """Each slot gets a latent of its own; what reaches a layer's modulation tells which one it was."""
    base = SMALL[family]()
    ws = torch.arange(base.num_ws).float()[None, :, None].expand(1, -1, base.w_dim)
    seen: dict[int, set[str]] = {}
    for name, module in base.named_modules():
        if name.rpartition(".")[2] in ("affine", "modulation", "up"):
            module.register_forward_pre_hook(
                lambda _, given, name=name: seen.setdefault(int(given[0][0, 0]), set()).add(
                    name.removesuffix(".affine").removesuffix(".modulation")
                )
            )
    with torch.no_grad():
        base.synthesis(ws)
    for slot in range(base.num_ws):
        parameters = set(base.slot_parameters(slot))
        assert parameters == {name for name in base.adaptable() for owner in seen[slot] if name.startswith(f"{owner}.")}, slot
    together = [name for slot in range(base.num_ws) for name in base.slot_parameters(slot)]
    assert sorted(together) == sorted(name for name in base.adaptable() if not name.endswith("const"))


def test_the_official_mapping_is_the_published_table(published):
    table = ["blocks.b4.conv1", "blocks.b4.torgb", *CONVS]
    assert [owners(published.slot_parameters(slot, official=True)) for slot in range(18)] == [{layer} for layer in table]
    corrected = [owners(published.slot_parameters(slot)) for slot in range(18)]
    assert corrected[0] == {"blocks.b4.conv1"} and corrected[17] == {"blocks.b1024.torgb"}
    assert all(CONVS[slot - 1] in corrected[slot] for slot in range(1, 17))
    with pytest.raises(ValueError, match="StyleGAN2 only"):
        small_mobile().slot_parameters(1, official=True)


def test_slots_without_trained_layers_are_no_candidates(published):
    table = slot_table(published, published.layer_set("default"))
    assert list(table) == list(range(17))  # the last slot drives only a torgb
    assert not any("torgb" in name for names in table.values() for name in names)
    assert set(slot_table(published, published.layer_set("shape"))) == {0, 1, 2}


def test_layers_beyond_a_small_rendering_are_no_candidates():
    torch.manual_seed(0)
    base = MobileStyleGAN((8,) * 7, z_dim=8, w_dim=8, mapping_layers=1).eval()
    base.synthesis(base.mapping(torch.randn(1, 8)), resolution=256).sum().backward()
    without = {name for name in base.adaptable() if base.get_parameter(name).grad is None}
    assert without == set(base.unused_at(256)) and base.unused_at(None) == base.unused_at(1024) == []
    assert set(slot_table(base, base.adaptable(), 256)) == set(range(1 + 3 * 6))
    assert set(slot_table(base, base.adaptable())) == set(range(base.num_ws))


def test_slot_scores_are_sgd_on_the_latents(base):
    """Against torch's own SGD, in double precision."""
    generator = copy.deepcopy(base).double()
    goal = torch.randn(3, base.img_resolution, base.img_resolution, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def loss(images):
        return (images - goal).pow(2).mean() * 100

    ws = generator.mapping(generator.sample_z([1, 2, 3]).double(), 1.0)
    codes = ws.clone().requires_grad_(True)
    descent = torch.optim.SGD([codes], lr=0.05)
    for _ in range(3):
        descent.zero_grad()
        loss(generator.synthesis(codes).float()).backward()
        descent.step()
    expected = (codes - ws).detach().abs().mean((0, 2))
    assert expected.min() > 0
    torch.testing.assert_close(slot_scores(generator, loss, ws, steps=3, lr=0.05), expected, rtol=1e-4, atol=0)
    assert all(parameter.grad is None for parameter in generator.parameters())


def test_scores_of_tiny_moves_are_not_rounded_away(base):
    ws = base.mapping(base.sample_z([1, 2]))
    one, small = (slot_scores(base, lambda images: images.mean(), ws, lr=lr) for lr in (1.0, 1e-9))
    torch.testing.assert_close(small * 1e9, one, rtol=1e-4, atol=0)


def test_the_best_slots_are_taken():
    table = {0: ("a",), 2: ("b",), 3: ("c",)}
    scores = torch.tensor([1.0, 9.0, 3.0, 2.0])
    assert top_slots(scores, table, 1) == (2,) and top_slots(scores, table, 2) == (2, 3) and top_slots(scores, table, 9) == (0, 2, 3)


@pytest.mark.heavy
def test_only_the_chosen_layers_train_in_a_step(base, encoder):
    """Weights, and both of Adam's moments with their counts, of all others stay bit for bit."""
    run = adapt(base, encoder, "Joker", small_options(base, steps=8, adaptive_layers=2, adaptive_batch=2, lr=0.02))
    slots = {name: slot for slot, name in enumerate(base.layer_names)}
    before, taken = None, []
    for step in run:
        state = step.checkpoint()
        chosen = {name for layer in step.layers for name in base.slot_parameters(slots[layer])}
        assert len(step.layers) == 2 and chosen
        if before is not None:
            for key, value in before.tensors.items():
                kind, _, name = key.partition("|")
                if kind in ("weights", "adam_mean", "adam_square", "adam_step"):
                    same = torch.equal(state.tensors[key], value)
                    assert same is (name not in chosen), key
        assert state.of_kind("adam_step").keys() == {
            name for layers in [*taken, step.layers] for layer in layers for name in base.slot_parameters(slots[layer])
        }
        taken.append(step.layers)
        before = state
    assert not any(name.endswith("const") for name in step.style().tensors), "the constant input belongs to no slot"


def test_selection_takes_the_highest_scores_of_the_global_loss(base, encoder):
    options = small_options(base, adaptive_layers=3, adaptive_batch=4, steps=1)
    step = next(adapt(base, encoder, "Joker", options))
    ws = base.mapping(torch.randn(4, base.z_dim, generator=torch.Generator().manual_seed(0)), step.checkpoint().options.truncation_psi)
    text = encoder.encode_text(["Joker"])[0]  # bare, without "a"
    scores = slot_scores(base, lambda images: (1 - encoder.encode_image(images.clamp(-1.15, 1.15)) @ text).mean(), ws)
    assert {base.layer_names[int(i)] for i in scores.topk(3).indices} == set(step.layers)


def test_all_layers_at_most(base, encoder):
    step = next(adapt(base, encoder, "Joker", small_options(base, adaptive_layers=base.num_ws)))
    assert step.layers == base.layer_names
    with pytest.raises(OptionsError, match=f"adaptive_layers is {base.num_ws + 1}; this generator has {base.num_ws}"):
        adapt(base, encoder, "Joker", small_options(base, adaptive_layers=base.num_ws + 1))


def test_the_official_mapping_trains_other_layers(encoder):
    base = small_stylegan2()
    chosen = {}
    for official in (False, True):
        options = small_options(base, adaptive_layers=1, steps=1, official_mapping=official, layers="default")
        step = next(adapt(base, encoder, "Joker", options))
        weights, style = dict(base.named_parameters()), step.style().tensors
        chosen[official] = owners(name for name, value in style.items() if not torch.equal(value, weights[name]))
        (slot,) = (base.layer_names.index(layer) for layer in step.layers)
        expected = owners(set(base.slot_parameters(slot, official=official)) & set(base.layer_set("default")))
        assert chosen[official] == expected
    assert chosen[False] != chosen[True]
