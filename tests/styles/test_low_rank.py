"""Factors of eight and four bits, and which components get the bytes."""

from __future__ import annotations

import pytest
import torch

from nada_core.styles import low_rank
from nada_core.styles.low_rank import Factors, factorise, layer_gains, packed, unpacked
from tests.helpers.fake_laboratory import SIDE, Laboratory


def matrix(rows: int, columns: int, values: list[float], seed: int = 0) -> torch.Tensor:
    """A matrix with these singular values."""
    rng = torch.Generator().manual_seed(seed)
    u, v = (torch.linalg.qr(torch.randn(size, len(values), generator=rng))[0] for size in (rows, columns))
    return (u * torch.tensor(values)) @ v.T


def whole(parts: dict[int, Factors]) -> torch.Tensor:
    """What a matrix is kept as: the sum of its parts."""
    return sum((factors.matrix() for factors in parts.values()), torch.tensor(0.0))


def size(parts: dict[int, Factors]) -> float:
    """Bytes of a matrix's parts in a file."""
    return sum((f.up.numel() + f.down.numel()) * bits / 8 + 4 * f.scale.numel() + 400 for bits, f in parts.items())


@pytest.mark.parametrize(("bits", "error"), [(8, 0.02), (4, 0.2)])
def test_rounded_components_are_close(bits, error):
    exact = matrix(40, 30, [5.0, 2.0, 0.5])
    u, s, v = torch.linalg.svd(exact)
    factors = Factors.from_components(u[:, :3], s[:3], v[:3].T, bits)
    assert factors.up.dtype == factors.down.dtype == torch.int8 and factors.up.shape == (40, 3) and factors.down.shape == (3, 30)
    assert max(factors.up.abs().max(), factors.down.abs().max()) <= 2 ** (bits - 1) - 1
    assert (factors.matrix() - exact).norm() < error * exact.norm()


@pytest.mark.parametrize("rows", [1, 2, 7, 8])
def test_two_values_go_in_a_byte(rows):
    values = torch.randint(-7, 8, (rows, 5), generator=torch.Generator().manual_seed(rows)).to(torch.int8)
    pairs = packed(values)
    assert pairs.dtype == torch.uint8 and pairs.shape == ((rows + 1) // 2, 5)
    assert torch.equal(unpacked(pairs, rows), values)


def test_large_components_get_eight_bits_and_small_ones_four():
    exact = matrix(60, 40, [8.0, *([0.5] * 6)])
    parts = factorise({"a": exact}, {}, 7 * (60 + 40) // 2 + 50 + 8 * 4 + 800)["a"]
    assert parts[8].scale.numel() == 1 and parts[4].scale.numel() == 6
    assert (whole(parts) - exact).norm() < 0.05 * exact.norm()


def test_nothing_is_lost_where_there_is_room():
    exact = matrix(40, 30, [5.0, 2.0, 0.5])
    parts = factorise({"a": exact}, {}, 5000)["a"]
    assert set(parts) == {8} and (whole(parts) - exact).norm() < 0.02 * exact.norm()


@pytest.mark.parametrize(("rows", "columns"), [(60, 200), (200, 60), (50, 50)])
def test_the_largest_components_are_those_of_the_whole_decomposition(rows, columns):
    exact = matrix(rows, columns, [2.0 * 0.8**k for k in range(40)])
    u, s, v = low_rank.largest_components(exact, 30, torch.Generator().manual_seed(3))
    full = torch.linalg.svd(exact)
    assert u.shape == (rows, 30) and v.shape == (columns, 30)
    torch.testing.assert_close(s[:20], full.S[:20], rtol=1e-4, atol=0)
    best = (full.U[:, :20] * full.S[:20]) @ full.Vh[:20]
    assert ((u[:, :20] * s[:20]) @ v[:, :20].T - best).norm() < 1e-3 * best.norm()


def test_the_factors_do_not_depend_on_random_states_and_leave_them_alone(monkeypatch):
    def reseeded(*_):
        pytest.fail("the random state of the whole process was set")

    changes = {name: matrix(300, 200, [2.0**-k for k in range(12)], seed) for seed, name in enumerate("ab")}
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        with monkeypatch.context() as patch:  # seeding also reaches the generators of every GPU
            for owner, name in ((torch, "manual_seed"), (torch.random, "manual_seed"), (torch.cuda, "manual_seed_all")):
                patch.setattr(owner, name, reseeded)
            patch.setattr(torch, "set_rng_state", reseeded)
            found.append(factorise(changes, {}, 9000))
        assert torch.equal(torch.get_rng_state(), before)
    for name, parts in found[0].items():
        assert set(parts) == set(found[1][name])
        for bits, factors in parts.items():
            other = found[1][name][bits]
            assert torch.equal(factors.up, other.up) and torch.equal(factors.scale, other.scale) and torch.equal(factors.down, other.down)


def test_columns_of_zeros_do_no_harm():
    factors = Factors.from_components(torch.zeros(4, 1), torch.zeros(1), torch.zeros(5, 1))
    assert torch.equal(factors.matrix(), torch.zeros(4, 5))


def test_bytes_go_where_the_picture_shows_them():
    changes = {"seen": matrix(20, 20, [1.0] * 8), "hidden": matrix(20, 20, [3.0] * 8, 1)}
    budget = 8 * 24 + 400
    kept = factorise(changes, {"seen": 10.0, "hidden": 1.0}, budget)
    assert kept["seen"][4].scale.numel() == 8 and "hidden" not in kept
    kept = factorise(changes, {"seen": 1.0, "hidden": 1.0}, budget)
    assert kept["hidden"][4].scale.numel() == 8 and "seen" not in kept


@pytest.mark.parametrize("budget", [0, 100, 1000, 5000])
def test_the_budget_is_kept(budget):
    changes = {name: matrix(30, 50, [2.0**-k for k in range(12)], seed) for seed, name in enumerate("abc")}
    kept = factorise(changes, {}, budget)
    assert sum(map(size, kept.values())) <= budget
    assert bool(kept) == (budget >= (30 + 50) // 2 + 4 + 400)


def test_parameters_that_no_picture_shows_count_as_one():
    base = Laboratory().generator
    assert layer_gains(base, ["mapping_layers.0.weight"]) == {"mapping_layers.0.weight": 1.0}


@pytest.mark.heavy
def test_gains_are_the_pictures_change_per_change_of_weight():
    """Two layers' gains, up to their common factor, against pictures drawn with noise on their weights."""
    laboratory = Laboratory()
    base = laboratory.generator
    gains = layer_gains(base, base.adaptable(), probes=24)
    assert set(gains) == set(base.adaptable()) and all(value > 0 for value in gains.values())
    ws = base.mapping(base.sample_z(range(4)), 0.7)
    plain, measured = base.synthesis(ws), {}
    for name in ("conv1.weight", "to_img.weight"):
        parameter, changes = base.get_parameter(name), []
        kept = parameter.clone()
        for seed in range(12):
            noise = torch.randn(kept.shape, generator=torch.Generator().manual_seed(seed))
            parameter.copy_(kept + 1e-3 * noise)
            changes.append((base.synthesis(ws) - plain).pow(2).mean().item())
        parameter.copy_(kept)
        measured[name] = (sum(changes) / len(changes) / kept.numel()) ** 0.5
    assert plain.shape[-1] == SIDE
    expected = measured["conv1.weight"] / measured["to_img.weight"]
    assert gains["conv1.weight"] / gains["to_img.weight"] == pytest.approx(expected, rel=0.5)


def test_gains_leave_the_generator_alone():
    base = Laboratory().generator
    before = base.content_hash()
    layer_gains(base, base.adaptable())
    assert base.content_hash() == before and not any(p.requires_grad or p.grad is not None for p in base.parameters())
