"""Published rosinality files of adapted networks, read as styles."""

from __future__ import annotations

import argparse
import copy
import os
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from nada_core.errors import StyleError
from nada_core.generators.formats.ours import to_bytes as own_bytes
from nada_core.generators.formats.rosinality import to_bytes
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.styles.files import resolved_weights, styled
from nada_core.styles.library import StyleLibrary
from nada_core.styles.published import read_published
from tests.helpers.stylegan2_files import nvidia_pickle, nvidia_state, painted, rosinality_state, tiny, write


@pytest.fixture(scope="module")
def base():
    return tiny()


@pytest.mark.parametrize(
    "wrap", [lambda state: {"g_ema": state, "g_optim": {"state": {}}}, lambda state: {"g": state, "args": argparse.Namespace(lr=1)}]
)
def test_a_published_network_becomes_a_style_that_gives_it_back_exactly(tmp_path, base, wrap):
    adapted = styled(base, painted(base))
    with torch.no_grad():
        adapted.get_parameter("blocks.b64.torgb.weight").copy_(base.get_parameter("blocks.b64.torgb.weight"))
    path = write(tmp_path / "Sketch_HQ.pt", wrap(rosinality_state(adapted)))
    style = read_published(path, base)
    assert (style.card.name, style.card.prompt, style.card.storage) == ("sketch-hq", "Sketch HQ", "full")
    assert style.card.base == "stylegan2" and style.card.base_hash == base.content_hash() and len(style.card.options["sha256"]) == 64
    assert set(style.tensors) == set(base.adaptable()) - {"blocks.b64.torgb.weight"}, "what was not adapted is not stored"
    again = styled(base, style).state_dict()
    assert all(torch.equal(again[name], value) for name, value in adapted.state_dict().items())
    z = base.sample_z([3])
    assert torch.equal(styled(base, style)(z), adapted(z)) and not torch.equal(adapted(z), base(z))


@pytest.mark.parametrize("short", [torch.float16, torch.bfloat16])
def test_rounding_is_no_adaptation(tmp_path, base, short):
    def halved(network):
        return {"g_ema": {name: value.to(short) for name, value in rosinality_state(network).items()}}

    with pytest.raises(StyleError, match="is the base itself"):
        read_published(write(tmp_path / "half.pt", halved(base)), base)
    with pytest.raises(StyleError, match="is the base itself"):  # and the other way round
        read_published(write(tmp_path / "whole.pt", {"g_ema": rosinality_state(base)}), copy.deepcopy(base).to(short).float())
    adapted = styled(base, painted(base))
    with torch.no_grad():
        adapted.get_parameter("blocks.b64.torgb.weight").copy_(base.get_parameter("blocks.b64.torgb.weight"))
    style = read_published(write(tmp_path / "half.pt", halved(adapted)), base)
    assert set(style.tensors) == set(base.adaptable()) - {"blocks.b64.torgb.weight"}
    assert all(torch.equal(value, adapted.get_parameter(name).to(short).float()) for name, value in style.tensors.items())


def test_import_of_a_published_network_numbers_taken_names(tmp_path, base):
    library = StyleLibrary(tmp_path / "styles", ready=tmp_path / "ready")
    path = write(tmp_path / "Pixar.pt", {"g_ema": rosinality_state(styled(base, painted(base)))})
    assert [library.import_file(path, base) for _ in range(2)] == ["pixar", "pixar-2"]
    kept = library.load("pixar-2")
    assert kept.card.name == "pixar-2" and kept.card.steps == 0 and resolved_weights(kept, base)
    with pytest.raises(StyleError, match="not a style file"):
        library.import_file(path, base, compact=True)  # as from the web
    with pytest.raises(StyleError, match=r"python -m nada_core styles --import FILE --base BASE"):
        library.import_file(path)


def test_published_networks_that_do_not_fit_are_refused(tmp_path, base):
    zeros = {"input.input": torch.zeros(1), "conv1.conv.weight": torch.zeros(1)}
    cases = {
        "of 32 px; the loaded one has 64 px": {"g_ema": rosinality_state(tiny(channels=(12, 10, 8, 8)))},
        r"'blocks.b16.conv0.bias' has shape \[9\] in 'other.pt', \[8\] in": {"g_ema": rosinality_state(tiny(channels=(12, 10, 9, 8, 6)))},
        "'mapping_layers.2.bias' has shape": {"g_ema": rosinality_state(tiny(mapping_layers=3))},
        r"mapping networks differ \(cosine -?0.0": {"g_ema": rosinality_state(tiny(seed=1))},
        "base itself": {"g_ema": rosinality_state(base)},
        "lacks": {"g_ema": zeros},
        "an encoder": {"state_dict": {"encoder.x": torch.zeros(1)}},
        "nothing of it was run": {"g_ema": _Evil()},
    }
    for words, content in cases.items():
        with pytest.raises(StyleError, match=words) as caught:
            read_published(write(tmp_path / "other.pt", content), base)
        assert str(tmp_path) not in str(caught.value) and "other.pt" in str(caught.value)
    assert not (Path.cwd() / "evil-ran").exists()
    with pytest.raises(StyleError, match="whole StyleGAN2; the loaded generator is mobile"):
        read_published(tmp_path / "other.pt", MobileStyleGAN())


class _Evil:
    def __reduce__(self):
        return os.mkdir, ("evil-ran",)


def test_damaged_and_oversized_published_files(tmp_path, base, monkeypatch):
    whole = to_bytes(styled(base, painted(base)))
    with pytest.raises(StyleError, match="damaged"):
        read_published(write(tmp_path / "cut.pt", whole[: len(whole) // 2]), base)
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(3 << 20))
    monkeypatch.setattr("nada_core.styles.published.MAX_PUBLISHED_BYTES", 2 << 20)
    assert (tmp_path / "bomb.pt").stat().st_size < 1 << 20
    with pytest.raises(StyleError, match=r"bomb.pt' has 0.0 GB; a published style has at most"):
        read_published(tmp_path / "bomb.pt", base)


def flat(state, prefix):
    return {f"{prefix}{name}": value.contiguous() for name, value in state.items()}


CONTAINERS = {
    "rosinality in safetensors": lambda network: ("x.safetensors", save(flat(rosinality_state(network), "g_ema."))),
    "rosinality's g in safetensors": lambda network: ("x.safetensors", save(flat(rosinality_state(network), "g."))),
    "rosinality bare": lambda network: ("x.safetensors", save(flat(rosinality_state(network), ""))),
    "in parallel": lambda network: ("x.safetensors", save(flat(rosinality_state(network), "g_ema.module."))),
    "NVIDIA in safetensors": lambda network: ("x.safetensors", save(flat(nvidia_state(network), "G_ema."))),
    "NVIDIA pickled": lambda network: ("x.pkl", nvidia_pickle(nvidia_state(network))),
    "this project's": lambda network: ("x.safetensors", own_bytes(network)),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_published_network_is_read_from_any_container(tmp_path, base, container):
    adapted = styled(base, painted(base))
    name, content = CONTAINERS[container](adapted)
    path = write(tmp_path / name, content)
    library = StyleLibrary(tmp_path / "styles", ready=tmp_path / "ready")
    with pytest.raises(StyleError, match=r"is a whole network\. Import it beside its base"):
        library.load(path)
    assert library.import_file(path, base) == "x"
    worn = styled(base, library.load("x"))
    assert all(torch.equal(value, dict(adapted.named_parameters())[name]) for name, value in worn.named_parameters())
    assert library.load(path, lambda: base).card.options["origin"] == "published network"


def test_safetensors_of_other_things_are_still_no_styles(tmp_path, base):
    library = StyleLibrary(tmp_path / "styles", ready=tmp_path / "ready")
    for content in ({"a": torch.zeros(2)}, {"g_ema.a": torch.zeros(2)}, {"visual.conv1.weight": torch.zeros(2)}):
        with pytest.raises(StyleError, match="is a safetensors file but not a style"):
            library.import_file(write(tmp_path / "x.safetensors", save(content)), base)
