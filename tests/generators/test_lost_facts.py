"""Facts of a generator that a conversion of its file lost: read where they lie, named, or refused, never guessed in silence."""

from __future__ import annotations

import logging

import pytest
import torch
from safetensors.torch import save_file

from nada_core.errors import GeneratorError
from nada_core.generators.formats import ours
from nada_core.generators.load import load_generator
from nada_core.styles.convert import convert
from tests.helpers.stylegan2_files import nvidia_pickle, nvidia_state, refused, rosinality_state, same, tiny, write


@pytest.fixture(scope="module")
def generator():
    return tiny()


@pytest.mark.parametrize("z_dim", [32, 24])  # z and a label of w's width; z narrower than w and a label
@pytest.mark.parametrize("names", ["rosinality", "nvidia", "safetensors"])
def test_a_conditional_network_whose_labels_were_lost_is_refused(tmp_path, z_dim, names):
    lost = tiny(z_dim=z_dim)
    if names == "safetensors":
        path = tmp_path / "x.safetensors"
        save_file(rosinality_state(lost), path)
    else:
        path = write(tmp_path / "x.pt", {"g_ema": rosinality_state(lost)} if names == "rosinality" else {"G_ema": nvidia_state(lost)})
    refused(path, "conditional", f"takes {z_dim} numbers, the latents have 16", "without class labels")


def test_a_wide_latent_that_the_file_itself_tells_is_read(tmp_path):
    wide = tiny(z_dim=32)
    path = tmp_path / "wide.safetensors"
    path.write_bytes(ours.to_bytes(wide))
    assert same(load_generator(path), wide)
    told = write(tmp_path / "wide.pkl", nvidia_pickle(nvidia_state(wide), only="mapping", plain=True, z_dim=32, c_dim=0))
    assert same(load_generator(told), wide)
    with pytest.raises(GeneratorError, match=r"cannot say that z has 32 numbers and w 16.*\.safetensors"):
        convert(path, tmp_path / "wide.pt")
    assert not (tmp_path / "wide.pt").exists()


def test_a_pickle_that_says_it_takes_labels_is_refused_whatever_became_of_them(tmp_path, generator):
    refused(write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), only="mapping", plain=True, c_dim=10)), "conditional", "10")


def repeated(mean):
    return mean[None].expand(10, -1)


@pytest.mark.parametrize("shape", [lambda m: m, lambda m: m[None], repeated, lambda m: repeated(m)[None], lambda m: repeated(m).clone()])
@pytest.mark.parametrize("place", ["beside", "within", "both"])
@pytest.mark.parametrize("container", ["torch", "safetensors"])
def test_a_mean_latent_is_read_wherever_it_lies(tmp_path, generator, caplog, shape, place, container):
    state, mean = rosinality_state(generator), shape(generator.w_avg)
    inner = state | ({"latent_avg": mean} if place != "beside" else {})
    outer = {"latent_avg": generator.w_avg} if place != "within" else {}
    if place == "beside":
        outer = {"latent_avg": mean}
    if container == "torch":
        path = write(tmp_path / "x.pt", {"g_ema": inner} | outer)
    else:
        path = tmp_path / "x.safetensors"
        flat = {f"g_ema.{name}": value.clone().contiguous() for name, value in inner.items()}
        save_file(flat | {name: value.clone().contiguous() for name, value in outer.items()}, path)
    with caplog.at_level(logging.WARNING):
        assert same(load_generator(path), generator)
    assert not caplog.records


@pytest.mark.parametrize(
    ("inner", "outer", "words"),
    [
        (None, torch.randn(10, 16), ["rows that differ", "[10, 16]"]),
        (torch.zeros(16), torch.ones(16), ["two mean latents"]),
        (torch.zeros(17), None, ["[17]", "16"]),
        (None, [0.0] * 16, ["list"]),
        (None, torch.zeros(0, 16), ["[0, 16]"]),
        (None, torch.zeros(16).to_sparse(), ["dense"]),
    ],
)
def test_other_mean_latents_are_refused(tmp_path, generator, inner, outer, words):
    state = rosinality_state(generator) | ({} if inner is None else {"latent_avg": inner})
    refused(write(tmp_path / "x.pt", {"g_ema": state} | ({} if outer is None else {"latent_avg": outer})), "latent_avg", *words)


def test_what_is_made_up_for_is_said(tmp_path, generator, caplog):
    state = {name: value for name, value in rosinality_state(generator).items() if not name.startswith("noises.")}
    with caplog.at_level(logging.WARNING):
        load_generator(write(tmp_path / "x.pt", {"g_ema": state}))
    assert [record.message for record in caplog.records] == [
        "'x.pt' holds no mean latent (latent_avg); it was estimated from seeded latents.",
        "'x.pt' holds no noise; it was drawn from a fixed seed.",
    ]


def test_other_names_of_a_mean_latent_are_said_to_be_unread(tmp_path, generator, caplog):
    with caplog.at_level(logging.WARNING):
        load_generator(write(tmp_path / "x.pt", {"g_ema": rosinality_state(generator), "mean_latent": generator.w_avg}))
    (record,) = caplog.records
    assert "it was estimated from seeded latents. What it holds under 'mean_latent' was not read." in record.message


@pytest.mark.parametrize("names", ["nvidia", "ours"])
def test_what_a_bare_state_dict_does_not_tell_is_said(tmp_path, generator, caplog, names):
    state = {"G_ema": nvidia_state(generator)} if names == "nvidia" else generator.state_dict()
    with caplog.at_level(logging.WARNING):
        load_generator(write(tmp_path / "x.pt", state))
    (record,) = caplog.records
    assert "does not say at which value the network clamps its activations" in record.message
    caplog.clear()
    inner = state.get("G_ema", state)
    for name in [name for name in inner if name.endswith("w_avg")]:
        del inner[name]
    with caplog.at_level(logging.WARNING):
        load_generator(write(tmp_path / "y.pt", state))
    assert [("mean latent" in r.message, "clamps" in r.message) for r in caplog.records] == [(True, False), (False, True)]
