"""Conversion between rosinality's format and ours: exact round trips, styles, complete or absent files, the command."""

from __future__ import annotations

import stat

import pytest
import torch
from safetensors.torch import load_file, save_file

from nada_core.cli.main import main
from nada_core.errors import GeneratorError, OptionsError, StyleError
from nada_core.generators.formats import rosinality
from nada_core.generators.load import load_generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config, published_channels
from nada_core.styles.convert import convert
from nada_core.styles.files import save_style
from tests.helpers.stylegan2_files import nvidia_pickle, nvidia_state, painted, rosinality_state, same, tiny, write


@pytest.fixture
def generator() -> StyleGAN2:
    return tiny()


def test_round_trips_are_exact(tmp_path, generator):
    first = write(tmp_path / "a.pt", {"g_ema": rosinality_state(generator), "latent_avg": generator.w_avg})
    convert(first, tmp_path / "b.safetensors")
    convert(tmp_path / "b.safetensors", tmp_path / "c.pt")
    convert(tmp_path / "c.pt", tmp_path / "d.safetensors")
    assert same(load_generator(tmp_path / "b.safetensors"), generator)
    before, after = (torch.load(tmp_path / name, weights_only=True) for name in ("a.pt", "c.pt"))
    assert before["g_ema"].keys() == after["g_ema"].keys() and torch.equal(before["latent_avg"], after["latent_avg"])
    assert all(torch.equal(value, after["g_ema"][name]) for name, value in before["g_ema"].items())
    assert same(load_generator(tmp_path / "d.safetensors"), generator)


def test_what_is_written_lies_in_memory_as_other_programs_expect(tmp_path, generator):
    """On a CPU our own weights lie channels last, or input channels first."""
    source = write(tmp_path / "a.pt", {"g_ema": rosinality_state(generator), "latent_avg": generator.w_avg})
    assert not all(value.is_contiguous() for value in load_generator(source).state_dict().values())
    convert(source, tmp_path / "b.pt")
    written = torch.load(tmp_path / "b.pt", weights_only=True)
    for name, value in {**written["g_ema"], "latent_avg": written["latent_avg"]}.items():
        assert value.stride() == torch.empty(value.shape).stride(), name
        assert value.untyped_storage().nbytes() == value.nbytes, name


def test_all_sources_are_the_same_base(tmp_path, generator):
    hashes = {
        load_generator(write(tmp_path / "a.pt", {"g_ema": rosinality_state(generator)})).content_hash(),
        load_generator(write(tmp_path / "b.pt", {"G_ema": nvidia_state(generator)})).content_hash(),
        load_generator(write(tmp_path / "c.pkl", nvidia_pickle(nvidia_state(generator)))).content_hash(),
    }
    assert hashes == {generator.content_hash()}


def test_a_style_travels_into_a_rosinality_file(tmp_path, generator):
    base = write(tmp_path / "base.pt", {"g_ema": rosinality_state(generator), "latent_avg": generator.w_avg})
    style = painted(load_generator(base))
    done = convert(base, tmp_path / "styled.pt", style=style)
    assert done.style == "painted"
    written = torch.load(tmp_path / "styled.pt", weights_only=True)["g_ema"]
    assert torch.equal(written["convs.3.conv.weight"][0], style.tensors["blocks.b16.conv1.weight"])
    assert torch.equal(written["style.1.weight"], generator.mapping_layers[0].weight)
    styled = load_generator(tmp_path / "styled.pt")
    ws = generator.mapping(generator.sample_z([0]))
    assert not torch.allclose(styled.synthesis(ws), generator.synthesis(ws), atol=1e-2)
    with pytest.raises(StyleError, match="made for stylegan2"):
        convert(tmp_path / "styled.pt", tmp_path / "twice.pt", style=style)
    assert not (tmp_path / "twice.pt").exists()


def test_notes_for_sizes_that_rosinality_does_not_build(tmp_path, generator):
    path = write(tmp_path / "a.pt", {"g_ema": rosinality_state(generator)})
    assert "channel counts" in convert(path, tmp_path / "b.pt").notes[0]
    assert convert(path, tmp_path / "b.safetensors").notes == ()
    with torch.device("meta"):
        usual = StyleGAN2(StyleGAN2Config(published_channels(64, 1)))
    assert rosinality.compatibility_notes(usual) == []


def test_what_is_there_survives_a_failure(tmp_path, generator, monkeypatch):
    path = write(tmp_path / "a.pt", {"g_ema": rosinality_state(generator)})
    out = write(tmp_path / "b.pt", b"the older file")
    monkeypatch.setattr("os.replace", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Exception, match="disk is full"):
        convert(path, out)
    assert out.read_bytes() == b"the older file"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pt", "b.pt"]


def test_a_file_can_be_converted_in_place(tmp_path, generator):
    path = write(tmp_path / "a.safetensors", b"")
    convert(write(tmp_path / "a.pt", {"g_ema": rosinality_state(generator)}), path)
    convert(path, path)
    assert load_generator(path).content_hash() == generator.content_hash()
    assert stat.S_ISREG(path.stat().st_mode)


def test_ours_has_metadata_and_survives_lies_about_it(tmp_path, generator):
    path = tmp_path / "a.safetensors"
    convert(write(tmp_path / "a.pt", {"g_ema": rosinality_state(generator)}), path)
    state = load_file(path)
    for config, message in (("{", "damaged"), ('{"conv_clamp": "x"}', "damaged"), ('{"conv_clamp": -1}', "positive"), ("[]", "damaged")):
        save_file(state, tmp_path / "b.safetensors", {"format": "nada-generator", "config": config})
        with pytest.raises(GeneratorError, match=message):
            load_generator(tmp_path / "b.safetensors")
    save_file(state, tmp_path / "b.safetensors")  # without any, the shapes tell all
    assert same(load_generator(tmp_path / "b.safetensors"), load_generator(path))


@pytest.mark.parametrize(
    ("out", "to", "message"),
    [
        ("x.bin", None, "does not tell the format"),
        ("x.pt", "safetensors", "--to says safetensors"),
        ("x.safetensors", "rosinality", "--to"),
    ],
)
def test_formats_that_are_not_clear(tmp_path, out, to, message):
    with pytest.raises(OptionsError, match=message):
        convert(tmp_path / "none.pt", tmp_path / out, to)


def test_other_families_are_not_converted(tmp_path):
    small = MobileStyleGAN((32, 32), small_head=False)
    save_file({name: value.contiguous() for name, value in small.state_dict().items()}, tmp_path / "m.safetensors")
    with pytest.raises(GeneratorError, match=r"mobile_stylegan.*only StyleGAN2"):
        convert(tmp_path / "m.safetensors", tmp_path / "x.pt")


def test_command_line(tmp_path, capsys, generator):
    write(tmp_path / "a.pkl", nvidia_pickle(nvidia_state(generator)))
    assert main(["convert", str(tmp_path / "a.pkl"), str(tmp_path / "b.pt")]) == 0
    out, err = capsys.readouterr()
    assert "b.pt: rosinality, 64 px" in out and "channel counts" in err
    assert main(["convert", str(tmp_path / "b.pt"), str(tmp_path / "c.model"), "--to", "safetensors"]) == 0
    assert load_generator(tmp_path / "c.model").content_hash() == generator.content_hash()
    save_style(painted(generator), tmp_path / "style.safetensors")
    assert main(["convert", str(tmp_path / "a.pkl"), str(tmp_path / "d.pt"), "--style", str(tmp_path / "style.safetensors")]) == 0
    assert "painted" in capsys.readouterr().out
    for arguments in (["none.pt", "x.pt"], [str(tmp_path / "b.pt"), "x.bin"]):
        assert main(["convert", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == "" and len(err.splitlines()) == 1
    with pytest.raises(SystemExit):
        main(["convert", "a", "b", "--to", "onnx"])
