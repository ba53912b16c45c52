"""The command `sample`: seeds, the strip, truncation."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from nada_core.cli import sample
from nada_core.cli.arguments import parse_seeds
from nada_core.errors import OptionsError
from tests.helpers.command_line import png_text, refused


@pytest.mark.parametrize(("text", "seeds"), [("0-3", [0, 1, 2, 3]), ("5", [5]), ("1,5,9", [1, 5, 9]), ("0-63", list(range(64)))])
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3-1", "0-64", "1-2-3", "-4", "1,-2", "1,,2", "1.5", "9" * 30, f"{2**63}", "0-" + "9" * 6000])
def test_seeds_that_are_none(text):
    with pytest.raises(OptionsError, match=r"--seeds is .*such as 0-7"):
        parse_seeds(text)


def test_sample_writes_a_strip(cli, tmp_path):
    plain, styled, single = (tmp_path / f"{name}.png" for name in ("plain", "styled", "single"))
    assert cli("sample", "--seeds", "3-5", "--out", plain)[0] == 0
    with Image.open(plain) as strip:
        assert strip.size == (3 * 256, 256) and strip.format == "PNG"
        pixels = strip.tobytes()
    assert png_text(plain)["seeds"] == "3-5"
    code, out, _ = cli("sample", "--seeds", 4, "--out", single)
    assert code == 0 and out.strip() == str(single)
    with Image.open(plain) as strip, Image.open(single) as face:
        middle = strip.crop((256, 0, 512, 256))
        assert max(abs(a - b) for a, b in zip(middle.tobytes(), face.tobytes())) <= 1, "a seed is the same face in any company"
    assert cli("sample", "--seeds", "3-5", "--truncation", 0, "--out", styled)[0] == 0
    with Image.open(styled) as strip:
        assert strip.tobytes() != pixels


@pytest.mark.parametrize("value", ["nan", "-0.1", "1.6"])
def test_truncation_out_of_range(cli, tmp_path, value):
    assert "between 0 and 1.5" in refused(cli("sample", f"--truncation={value}", "--out", tmp_path / "x.png"))


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."), RuntimeError("CUDA error: out of memory\nlong log")]
)
def test_a_full_gpu_costs_one_line(cli, monkeypatch, tmp_path, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(sample.Engine("cpu"), "sample", full)
    line = refused(cli("sample", "--out", tmp_path / "x.png"))
    assert all(word in line for word in ("GPU", "--batch", "--resolution", "--device cpu"))
    error.args = ("another mistake",)
    if type(error) is RuntimeError:
        with pytest.raises(RuntimeError, match="another mistake"):
            cli("sample", "--out", tmp_path / "x.png")


@pytest.mark.parametrize("ending", [".jpg", ".JPEG", ".webp", ".tiff", ".pdf"])
def test_a_strip_is_not_written_under_the_name_of_another_kind(cli, tmp_path, ending):
    assert f"'s{ending}' is not named as a PNG" in refused(cli("sample", "--seeds", 1, "--out", tmp_path / f"s{ending}"))
    assert not [*tmp_path.iterdir()]
