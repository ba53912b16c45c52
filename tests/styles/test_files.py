"""Style files: nothing lost between saving and loading, and every bad file refused with a message that helps."""

from __future__ import annotations

import errno
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from nada_core.errors import StyleError
from nada_core.styles import files as checkpoints
from nada_core.styles.files import (
    COMPACT_BYTES,
    SCHEMA,
    Style,
    compact_style,
    load_card,
    load_style,
    resolved_weights,
    save_style,
    styled,
)
from tests.helpers.small_styles import small_generator, smooth_style


@pytest.fixture(scope="module")
def small():
    return small_generator()


@pytest.fixture
def saved(small, tmp_path) -> Path:
    return save_style(smooth_style(small), tmp_path / "painted.safetensors")


def rewrite(path: Path, card: dict | None = None, tensors: dict | None = None, metadata: dict | None = None) -> Path:
    """The file at ``path`` with entries of its card, its tensors or all its metadata replaced."""
    style = load_style(path)
    facts = {**vars(style.card), **(card or {})}
    save_file(tensors or dict(style.tensors), path, metadata or {"format": "nada-style", "card": json.dumps(facts)})
    return path


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return 10 * math.log10(4 / (a.clamp(-1, 1) - b.clamp(-1, 1)).pow(2).mean().item())


def draw(generator) -> torch.Tensor:
    with torch.no_grad():
        return generator.synthesis(generator.mapping(generator.sample_z([3]), 0.7), resolution=generator.resolutions[0])


def test_round_trip_is_exact_to_the_pixel(generator, tmp_path):
    style = smooth_style(generator, options={"lr": 3e-4, "layers": "all"}, seed=7, similarity=-0.5)
    loaded = load_style(save_style(style, tmp_path / "new folder" / "painted.safetensors"))
    assert loaded.card == style.card
    assert loaded.tensors.keys() == style.tensors.keys()
    assert all(torch.equal(loaded.tensors[name], value) for name, value in style.tensors.items())
    plain = draw(generator)
    before = draw(styled(generator, style))
    assert not torch.equal(before, plain)
    assert torch.equal(draw(styled(generator, loaded)), before)
    assert torch.equal(draw(generator), plain), "the base stays as it is"


def test_compact_styles_are_small_and_look_the_same(generator, tmp_path):
    style = smooth_style(generator)
    small = save_style(compact_style(style, generator), tmp_path / "compact.safetensors")
    assert 0.9 * COMPACT_BYTES < small.stat().st_size <= COMPACT_BYTES
    loaded = load_style(small)
    assert loaded.card == replace(style.card, storage="delta4")
    exact = draw(styled(generator, style))
    close = draw(styled(generator, loaded))
    assert psnr(exact, draw(generator)) < 25, "the style must change the picture, or closeness says nothing"
    assert psnr(exact, close) > 35


def test_compact_styles_are_the_same_each_time_and_change_no_random_numbers(small):
    style = smooth_style(small)
    torch.manual_seed(3)
    first, following = compact_style(style, small), torch.rand(1)
    torch.manual_seed(4)
    second = compact_style(style, small)
    torch.manual_seed(3)
    assert torch.equal(following, torch.rand(1))
    assert first.tensors.keys() == second.tensors.keys()
    assert all(torch.equal(first.tensors[name], second.tensors[name]) for name in first.tensors)


def test_more_bytes_come_closer(small, tmp_path):
    style, errors = smooth_style(small), []
    for most in (12_000, 16_000, 1_000_000):
        compact = load_style(save_style(compact_style(style, small, most), tmp_path / f"{most}.safetensors"))
        assert (tmp_path / f"{most}.safetensors").stat().st_size <= most
        weights = resolved_weights(compact, small)
        lost = [weights.get(name, small.get_parameter(name)) - value for name, value in style.tensors.items()]
        errors.append(sum(part.pow(2).sum().item() for part in lost))
    assert errors[0] > 1.5 * errors[1] > 1.5**2 * errors[2]
    with pytest.raises(StyleError, match="its vectors alone take"):
        compact_style(style, small, 1_000)


def test_a_compact_style_leaves_out_what_did_not_change(small, tmp_path):
    style = smooth_style(small)
    same = {name: value if name.startswith("blocks.1") else small.get_parameter(name).clone() for name, value in style.tensors.items()}
    compact = compact_style(Style(style.card, same), small)
    assert {name.split("|")[0] for name in compact.tensors} <= {name for name in same if name.startswith("blocks.1")}
    nothing = {name: small.get_parameter(name).clone() for name in style.tensors}
    empty = load_style(save_style(compact_style(Style(style.card, nothing), small), tmp_path / "empty.safetensors"))
    assert torch.equal(draw(styled(small, empty)), draw(small))


def test_older_delta_files_are_still_read(small, tmp_path):
    """Half-precision factors, as styles were shipped before."""
    change = torch.randn(32, 3, generator=torch.Generator().manual_seed(1)), torch.randn(3, 288, generator=torch.Generator().manual_seed(2))
    up, down = (0.05 * part.half() for part in change)
    tensors = {"conv1.weight|up": up, "conv1.weight|down": down, "conv1.bias": torch.full((32,), 0.25).half()}
    style = Style(replace(smooth_style(small).card, storage="delta"), tensors)
    weights = resolved_weights(load_style(save_style(style, tmp_path / "old.safetensors")), small)
    expected = small.get_parameter("conv1.weight") + (up.float() @ down.float()).reshape(32, 32, 3, 3)
    torch.testing.assert_close(weights["conv1.weight"], expected)
    torch.testing.assert_close(weights["conv1.bias"], small.get_parameter("conv1.bias") + 0.25)


def test_eight_bit_factors_of_a_wrong_kind_are_refused(saved, small):
    eight = torch.ones(32, 4, dtype=torch.int8)
    good = {"conv1.weight|up": eight, "conv1.weight|scale": torch.ones(4), "conv1.weight|down": torch.ones(4, 288, dtype=torch.int8)}
    style = load_style(rewrite(saved, {"storage": "delta8"}, good))
    assert torch.equal(resolved_weights(style, small)["conv1.weight"], small.get_parameter("conv1.weight") + 4)
    nan = torch.full((4,), float("nan"))
    wrong = [
        good | {"conv1.weight|up": torch.ones(32, 4)},
        good | {"conv1.weight|up": eight.int()},
        good | {"conv1.weight|scale": nan},
        good | {"conv1.weight|scale": torch.ones(4, dtype=torch.int8)},
        good | {"conv1.bias": torch.ones(32, dtype=torch.int8)},
    ]
    for tensors in wrong:
        with pytest.raises(StyleError, match="no usable weights"):
            load_style(rewrite(saved, tensors=tensors))
    with pytest.raises(StyleError, match="no usable weights"):
        load_style(rewrite(saved, {"storage": "delta"}, good))


def test_four_bits_beside_eight_add_up(saved, small):
    """Bytes of 0x99 hold two ones, of 0x77 two minus ones."""
    fine = {
        "conv1.weight|up": torch.ones(32, 1, dtype=torch.int8),
        "conv1.weight|scale": torch.ones(1),
        "conv1.weight|down": torch.ones(1, 288, dtype=torch.int8),
    }
    rough = {
        "conv1.weight|up4": torch.full((16, 2), 0x99, dtype=torch.uint8),
        "conv1.weight|scale4": torch.tensor([2.0, 3.0]),
        "conv1.weight|down4": torch.full((2, 144), 0x77, dtype=torch.uint8),
    }
    before = small.get_parameter("conv1.weight")
    for tensors, change in ((rough, -5), (fine | rough, -4)):
        style = load_style(rewrite(saved, {"storage": "delta4"}, tensors))
        assert torch.equal(resolved_weights(style, small)["conv1.weight"], before + change)
    for wrong in (rough | {"conv1.weight|up4": torch.ones(16, 2)}, rough | {"conv1.weight|down4": torch.ones(2, 144, dtype=torch.int8)}):
        with pytest.raises(StyleError, match="no usable weights"):
            load_style(rewrite(saved, {"storage": "delta4"}, wrong))


def test_another_base_is_refused_by_name(small, saved):
    other = small_generator(1)
    style = load_style(saved)
    with pytest.raises(StyleError, match=r"made for mobile_stylegan .*matching base") as refused:
        styled(other, style)
    message = str(refused.value)
    assert "painted" in message and small.content_hash()[:8] in message and other.content_hash()[:8] in message
    with pytest.raises(StyleError, match="made for stylegan2"):
        resolved_weights(Style(replace(style.card, base="stylegan2"), style.tensors), small)
    with pytest.raises(StyleError, match="unknown base"):
        resolved_weights(Style(replace(style.card, base="", base_hash=""), style.tensors), small)


def test_missing_file(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path / ("x" * 5000)):
        with pytest.raises(StyleError, match=r"There is no style file .*styles"):
            load_style(path)


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.3, 0.999])
def test_truncated_file(saved, keep):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(StyleError, match=r"painted\.safetensors.* damaged.*(Save|download)" if keep else r"painted\.safetensors.* empty"):
        load_style(saved)


@pytest.mark.parametrize("compact", [False, True])
def test_damaged_weights_are_noticed_though_they_are_finite(small, tmp_path, compact):
    style = smooth_style(small)
    path = save_style(compact_style(style, small) if compact else style, tmp_path / "painted.safetensors")
    assert load_style(path).tensors
    content = bytearray(path.read_bytes())
    for place in range(len(content) - 40, len(content)):
        content[place] ^= 1  # everything stays finite
    path.write_bytes(content)
    with pytest.raises(StyleError, match=r"not the ones that were saved.*damaged.*(Export|download)"):
        load_style(path)


def test_files_without_a_checksum_are_read(small, tmp_path):
    path = save_style(smooth_style(small), tmp_path / "painted.safetensors")
    assert torch.equal(*(next(iter(style.tensors.values())) for style in (load_style(path), load_style(rewrite(path)))))


@pytest.mark.parametrize("content", [b"just some text\n" * 50, b"\x89PNG\r\n\x1a\n" + bytes(200), bytes(100), b"\xff" * 100])
def test_files_of_other_kinds(tmp_path, content):
    path = tmp_path / "notes.safetensors"
    path.write_bytes(content)
    with pytest.raises(StyleError, match="not a style file, or it is damaged"):
        load_style(path)


def test_an_answer_in_place_of_a_file_is_named(tmp_path):
    (tmp_path / "notes.safetensors").write_bytes(b"{}")
    with pytest.raises(StyleError, match=r"text \(JSON\)"):
        load_style(tmp_path / "notes.safetensors")


@pytest.mark.parametrize(
    ("name", "what"), [("lora_unet_mid_block.lora_up.weight", "is a LoRA .* in words"), ("g_ema.b4.const", "base model")]
)
def test_weights_of_another_kind_are_told_what_to_do_with(tmp_path, name, what):
    path = tmp_path / "brought.safetensors"
    save_file({name: torch.zeros(2, 2)}, path)
    with pytest.raises(StyleError, match=what):
        load_card(path)


def test_foreign_safetensors(tmp_path):
    path = tmp_path / "lora.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(StyleError, match="not a style"):
        load_style(path)
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})
    with pytest.raises(StyleError, match="not a style"):
        load_style(path)


def test_future_schema(saved):
    with pytest.raises(StyleError, match=f"schema {SCHEMA + 1}; this version reads {SCHEMA}. Update"):
        load_style(rewrite(saved, {"schema": SCHEMA + 1}))


def test_cards_may_hold_more_than_is_known(saved):
    assert load_card(rewrite(saved, {"mood": "cheerful"})).name == "painted"


@pytest.mark.parametrize(
    "card",
    ["not json", "[]", "3", "null", "[" * 50_000, json.dumps({"schema": SCHEMA}), json.dumps({"schema": SCHEMA, "name": "a", "prompt": 3})],
)
def test_damaged_cards(saved, card):
    with pytest.raises(StyleError, match="damaged"):
        load_card(rewrite(saved, metadata={"format": "nada-style", "card": card}))


def test_no_card_at_all(saved):
    with pytest.raises(StyleError, match="damaged"):
        load_card(rewrite(saved, metadata={"format": "nada-style"}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers(saved, value):
    tensors = dict(load_style(saved).tensors)
    tensors["const"] = tensors["const"].clone()
    tensors["const"].view(-1)[17] = value
    with pytest.raises(StyleError, match=r"no usable weights \(const\).*make the style again"):
        load_style(rewrite(saved, tensors=tensors))


def test_weights_of_integers_and_none_at_all(small, tmp_path):
    style = smooth_style(small)
    for tensors in ({"const": torch.zeros(3, dtype=torch.int64)}, {}):
        path = save_style(Style(style.card, tensors), tmp_path / "style.safetensors")
        with pytest.raises(StyleError, match="no usable weights"):
            load_style(path)


def test_weights_that_do_not_fit(small):
    style = smooth_style(small)
    bias = style.tensors["conv1.bias"]
    eight, wide = torch.ones(32, 4, dtype=torch.int8), torch.ones(4, 288, dtype=torch.int8)
    half = torch.zeros(16, 4, dtype=torch.uint8)
    small_numbers = {
        "conv1.weight|up4": half,
        "conv1.weight|scale4": torch.ones(4),
        "conv1.weight|down4": torch.zeros(4, 144, dtype=torch.uint8),
    }
    unfitting = {
        "full": [
            ({"nothing.like.it": bias}, "does not have"),
            ({"conv1.bias": bias[:-1]}, "has shape"),
            ({"conv1.bias": bias[:1]}, "has shape"),  # would broadcast
            ({"conv1.bias|up": bias[:, None]}, "do not fit"),
        ],
        "delta": [
            ({"conv1.bias": bias[:1]}, "has shape"),
            ({"conv1.weight|up": torch.zeros(32, 4)}, "do not fit"),
            ({"conv1.weight|up": torch.zeros(32, 4), "conv1.weight|down": torch.zeros(3, 288)}, "do not fit"),
            ({"conv1.weight|up": torch.zeros(288, 4), "conv1.weight|down": torch.zeros(4, 32)}, "do not fit"),
            ({"conv1.weight|up": torch.zeros(32), "conv1.weight|down": torch.zeros(288)}, "do not fit"),
        ],
        "delta8": [
            ({"conv1.bias": bias[:1]}, "has shape"),
            ({"conv1.weight|up": eight, "conv1.weight|down": wide}, "do not fit"),
            ({"conv1.weight|up": eight, "conv1.weight|down": wide, "conv1.weight|scale": torch.ones(3)}, "do not fit"),
            ({"conv1.weight|up": eight, "conv1.weight|down": wide, "conv1.weight|scale": torch.ones(1)}, "do not fit"),
            ({"conv1.weight|up": eight, "conv1.weight|down": wide[:3], "conv1.weight|scale": torch.ones(4)}, "do not fit"),
            ({"conv1.weight|scale": torch.ones(4)}, "do not fit"),
            ({"nothing.like.it|up": eight}, "does not have"),
        ],
        "delta4": [
            ({"conv1.weight|up4": half, "conv1.weight|down4": torch.zeros(4, 144, dtype=torch.uint8)}, "do not fit"),
            (small_numbers | {"conv1.weight|up4": half[:-1]}, "do not fit"),
            (small_numbers | {"conv1.weight|scale4": torch.ones(3)}, "do not fit"),
            (small_numbers | {"conv1.weight|up": eight}, "do not fit"),
            ({"conv1.bias|up4": torch.zeros(16, 1, dtype=torch.uint8)}, "do not fit"),
        ],
        "zipped": [({"conv1.bias": bias}, "reads full, delta, delta8, delta4")],
    }
    for storage, cases in unfitting.items():
        for tensors, message in cases:
            with pytest.raises(StyleError, match=message):
                resolved_weights(Style(replace(style.card, storage=storage), tensors), small)


def test_files_far_too_large(saved, monkeypatch):
    monkeypatch.setattr(checkpoints, "MAX_BYTES", 1 << 10)
    with pytest.raises(StyleError, match="not a style file"):
        load_card(saved)


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), SafetensorError("I/O error")])
def test_a_write_that_fails_midway_leaves_nothing(small, tmp_path, monkeypatch, failure):
    def half(tensors, filename, metadata):
        Path(filename).write_bytes(b"half of it")
        raise failure

    monkeypatch.setattr(checkpoints, "save_file", half)
    with pytest.raises(StyleError, match=r"could not be saved as 'new\.safetensors'.*(space|full)"):
        save_style(smooth_style(small), tmp_path / "new.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_older_file(small, saved, monkeypatch):
    before = saved.read_bytes()

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(checkpoints.os, "replace", refuse)
    with pytest.raises(StyleError, match=r"Permission denied\. Choose another folder"):
        save_style(smooth_style(small, size=1.0), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_interrupted_while_saving(small, tmp_path, monkeypatch):
    def interrupted(tensors, filename, metadata):
        Path(filename).write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_style(smooth_style(small), tmp_path / "new.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file(small, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StyleError, match="Choose another folder"):
        save_style(smooth_style(small), tmp_path / "taken" / "new.safetensors")
    assert (tmp_path / "taken").read_text() == "a file"


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write into read-only folders")
def test_read_only_folder(small, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StyleError, match="Choose another folder"):
            save_style(smooth_style(small), tmp_path / "new.safetensors")
        assert list(tmp_path.iterdir()) == []
    finally:
        tmp_path.chmod(0o700)
