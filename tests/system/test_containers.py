"""Containers of weights that are damaged, hostile, or claim more than they hold: every reader answers with the project's own errors."""

from __future__ import annotations

import json
import struct
import zipfile
from collections import OrderedDict
from functools import partial

import pytest
import torch
from safetensors.torch import save_file

from nada_core.adaptation.resume import load_training
from nada_core.encoders.clip_weights import read_weights
from nada_core.errors import EncoderError, GeneratorError, NadaError, StyleError
from nada_core.generators.formats import mobile, rosinality
from nada_core.generators.load import load_generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from nada_core.inversion.formats import read_encoder
from nada_core.recognition.load import load_arcface
from nada_core.styles.convert import convert
from nada_core.styles.files import load_card, load_style
from nada_core.styles.library import StyleLibrary
from nada_core.styles.published import read_published
from nada_core.system.containers import reading
from tests.helpers.stylegan2_files import nvidia_pickle, nvidia_state, rosinality_state, tiny, write


@pytest.fixture(scope="module")
def generator():
    return tiny()


@pytest.fixture
def readers(generator, tmp_path):
    """Everything that opens a stranger's file of weights."""
    return {
        "generator": load_generator,
        "published": partial(read_published, base=generator),
        "style": load_style,
        "card": load_card,
        "import": lambda path: StyleLibrary(tmp_path / "library").import_file(path, generator),
        "training": load_training,
        "clip": read_weights,
        "encoder": read_encoder,
        "recogniser": load_arcface,
    }


def check_message(error: NadaError, path) -> None:
    message = str(error)
    assert len(message) <= 900 and "\n" not in message and message.isprintable() and str(path.parent) not in message


# what archives can be


def zipped(path, name=b"archive/data.pkl", flags=0, method=0, needs=20, content=b"x" * 20, cut=None):
    """A zip written by hand, so that every field can be wrong; the lists of contents of zip programs are checked less than one thinks."""
    local = (
        struct.pack("<4s5H3I2H", b"PK\x03\x04", needs, flags, method, 0, 0, 0, len(content), len(content), len(name), 0) + name + content
    )
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", needs, needs, flags, method, 0, 0, 0, len(content), len(content), len(name), 0, 0, 0, 0, 0, 0
    )
    entry += name
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local), 0)
    path.write_bytes((local + entry + end)[:cut])
    return path


ZIPS = {
    "names-that-are-no-text": {"name": b"archive/\xff\xfe\xc3", "flags": 0x800},
    "another-compression": {"method": 99},
    "of-a-newer-program": {"needs": 250},
    "locked": {"flags": 1},
    "cut-off": {"cut": 60},
    "deflated-rubbish": {"method": 8},
    "long-name": {"name": b"a/" * 3000},
    "no-name": {"name": b""},
}


@pytest.mark.parametrize("case", ZIPS)
def test_damaged_archives(tmp_path, readers, case):
    for kind, read in readers.items():
        path = zipped(tmp_path / "bad.pt", **ZIPS[case])
        with pytest.raises(NadaError) as caught:
            read(path)
        check_message(caught.value, path)
        assert "bad.pt" in str(caught.value), kind


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"{}",
        b'{"a": 3}',
        b'{"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}',
        b'{"__metadata__": {"format": 1}}',
        b"[" * 900,
    ],
)
def test_damaged_safetensors(tmp_path, readers, header):
    for read in readers.values():
        path = tmp_path / "bad.safetensors"
        path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
        with pytest.raises(NadaError) as caught:
            read(path)
        check_message(caught.value, path)


def test_names_of_files_are_quoted_printable(tmp_path, readers):
    for name in ("two\nlines.pt", "\x1b[31mred.safetensors", "x" * 200 + ".pt"):
        path = tmp_path / name
        path.write_bytes(b"PK\x03\x04 nothing")
        for read in readers.values():
            with pytest.raises(NadaError) as caught:
                read(path)
            check_message(caught.value, path)


HOSTILE = "conv\n9\x1b[31m" + "long" * 100


def test_names_of_tensors_are_quoted_printable(tmp_path, generator):
    contents = [
        rosinality_state(generator) | {HOSTILE: torch.zeros(1)},
        nvidia_state(generator) | {HOSTILE: torch.zeros(1)},
        nvidia_state(generator) | {f"synthesis.b8.{HOSTILE}.resample_filter": torch.zeros(1)},
        generator.state_dict() | {HOSTILE: torch.zeros(1)},
        {HOSTILE: torch.zeros(1)},
        {"g_ema": {HOSTILE: torch.zeros(1)}},
        {(HOSTILE, HOSTILE): 1},
        {"state_dict": {f"encoder.input_layer.{HOSTILE}": torch.zeros(1)}},
    ]
    for content in contents:
        path = write(tmp_path / "x.pt", content)
        with pytest.raises(GeneratorError) as caught:
            load_generator(path)
        check_message(caught.value, path)


@pytest.mark.parametrize(
    "card",
    [
        {"name": HOSTILE, "prompt": HOSTILE, "base": HOSTILE, "base_hash": HOSTILE},
        {"name": "x", "prompt": "x", "base": "stylegan2", "storage": HOSTILE},
        {"name": "x", "prompt": "x", "schema": HOSTILE},
        {"name": "x", "prompt": "x", "steps": 10**30},
        {"name": "x", "prompt": "x", "steps": -(10**30)},
    ],
)
def test_texts_of_cards_are_quoted_printable(tmp_path, readers, generator, card):
    tensors = {HOSTILE: torch.zeros(1), "const": torch.zeros(1)}
    card = {"schema": 1, "base_hash": generator.content_hash()} | card
    save_file(tensors, tmp_path / "x.safetensors", {"format": "nada-style", "card": json.dumps(card)})
    with pytest.raises(StyleError) as caught:
        readers["import"](tmp_path / "x.safetensors")
    check_message(caught.value, tmp_path / "x.safetensors")


def test_a_card_that_is_nested_without_end(tmp_path, readers):
    for depth in (300, 900, 20_000):
        options = '{"a":' * depth + "1" + "}" * depth
        card = f'{{"schema": 1, "name": "x", "prompt": "x", "options": {options}}}'
        save_file({"const": torch.zeros(1)}, tmp_path / "x.safetensors", {"format": "nada-style", "card": card})
        with pytest.raises(StyleError) as caught:
            readers["import"](tmp_path / "x.safetensors")
        check_message(caught.value, tmp_path / "x.safetensors")


# claims of size


def swollen(state, sides):
    """The same names, each tensor one stored number repeated, ``sides`` times as long in every direction."""
    return {name: torch.zeros(()).expand([side * sides if side > 4 else side for side in value.shape]) for name, value in state.items()}


@pytest.mark.parametrize("zipped_file", [True, False])
def test_tensors_may_not_be_larger_than_their_file(tmp_path, generator, zipped_file):
    torch.manual_seed(0)
    small = MobileStyleGAN((8, 8), mapping_layers=1, small_head=False)
    contents = {
        "rosinality": {"g_ema": swollen(rosinality_state(generator), 2000)},
        "g": {"g": swollen(rosinality_state(generator), 2000)},
        "nvidia": {"G_ema": swollen(nvidia_state(generator), 2000)},
        "ours": swollen(generator.state_dict(), 2000),
        "mobile": swollen(small.state_dict(), 2000),
        "mean": {"g_ema": rosinality_state(generator), "latent_avg": torch.zeros(1).expand(1 << 36, 16)},
    }
    for kind, content in contents.items():
        path = write(tmp_path / "big.pt", content, _use_new_zipfile_serialization=zipped_file)
        assert path.stat().st_size < 1 << 20, kind
        with pytest.raises(GeneratorError, match="made to fill the memory") as caught:
            load_generator(path)
        check_message(caught.value, path)
    path = write(tmp_path / "clip.pt", {"state_dict": {"visual.conv1.weight": torch.zeros(1).expand(1 << 40)}})
    with pytest.raises(EncoderError, match="made to fill the memory"):
        read_weights(path)


def test_the_same_in_pickles(tmp_path, generator):
    path = write(tmp_path / "big.pkl", nvidia_pickle(swollen(nvidia_state(generator), 2000)))
    assert path.stat().st_size < 2 << 20
    with pytest.raises(GeneratorError, match=r"made to fill the memory|damaged") as caught:
        load_generator(path)
    check_message(caught.value, path)


class _View:
    """Pickles as a tensor of any size over a storage of one number, with the strides of an honest one."""

    def __init__(self, *size: int) -> None:
        self.size = size

    def __reduce__(self):
        stride = torch.empty(self.size, device="meta").stride()
        return torch._utils._rebuild_tensor_v2, (torch.zeros(1)._typed_storage(), 0, self.size, stride, False, OrderedDict())


@pytest.mark.parametrize("zipped_file", [True, False])
def test_a_view_beyond_its_storage_is_not_filled_up(tmp_path, generator, zipped_file):
    """Torch enlarges such a storage while it reads: by what the file says, not by what it holds."""
    state = rosinality_state(generator) | {"conv1.conv.weight": _View(1, 12, 12, 1000, 1000)}
    path = write(tmp_path / "big.pt", {"g_ema": state}, _use_new_zipfile_serialization=zipped_file)
    with pytest.raises(GeneratorError) as caught:
        load_generator(path)
    check_message(caught.value, path)


def test_sizes_that_no_network_has_are_refused_before_memory_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("nada_core.system.containers.SLACK", 1 << 60)  # as if the file were that large
    cases = {
        "channels": {"channels": tuple([8192] * 5)},
        "numbers in z": {"z_dim": 5000, "w_dim": 5000},
        "mapping layers": {"mapping_layers": 65},
        "GB": {"channels": (4096,) * 8},
    }
    for words, options in cases.items():
        sizes = {"channels": (12, 10, 8, 8, 6), "z_dim": 16, "w_dim": 16, "mapping_layers": 2} | options
        with torch.device("meta"):
            shapes = {name: value.shape for name, value in StyleGAN2(StyleGAN2Config(**sizes)).state_dict().items()}
        claimed = {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}
        path = write(tmp_path / "big.pt", claimed)
        with pytest.raises(GeneratorError, match=words) as caught:
            load_generator(path)
        check_message(caught.value, path)


def test_more_resolutions_than_any_network_has(tmp_path):
    """The noise that old files lack is drawn at the size of each resolution."""
    state = {ours_: torch.zeros(1) for ours_, _, kind in rosinality.names(60, 1) if kind != "noise"}
    path = write(tmp_path / "x.pt", {"g_ema": state})
    with pytest.raises(GeneratorError, match="60 resolutions"):
        load_generator(path)


def test_files_larger_than_any_network_are_not_opened(tmp_path, monkeypatch, generator):
    path = write(tmp_path / "x.pt", {"g_ema": rosinality_state(generator)})
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(3 << 20))
    monkeypatch.setattr("nada_core.system.containers.MOST_BYTES", 100_000)
    for bad in (path, tmp_path / "bomb.pt"):
        with pytest.raises(GeneratorError, match="are read"):
            load_generator(bad)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_out_of_memory_is_an_error_of_the_projects_own(tmp_path, monkeypatch, generator, error):
    path = write(tmp_path / "x.pt", {"g_ema": rosinality_state(generator)})

    def raising(*_, **__):
        raise error

    monkeypatch.setattr("torch.load", raising)
    for read, kind in (
        (load_generator, GeneratorError),
        (read_weights, EncoderError),
        (partial(read_published, base=generator), StyleError),
    ):
        with pytest.raises(kind, match=r"'x\.pt' needs more memory than this machine has free"):
            read(path)


def test_what_is_not_an_error_of_reading_passes(tmp_path):
    with pytest.raises(KeyboardInterrupt), reading(tmp_path / "x", "damaged"):
        raise KeyboardInterrupt
    with pytest.raises(StyleError, match="mine"), reading(tmp_path / "x", "damaged"):
        raise StyleError("mine")
    panic = type("PanicException", (BaseException,), {})  # what Rust's libraries raise where their own checks fail
    with pytest.raises(StyleError, match=r"^damaged$"), reading(tmp_path / "x", "damaged", StyleError):
        raise panic


# weights that make no sense


@pytest.mark.parametrize("name", ["to_img.bias", "const", "blocks.1.conv2.noise", "mapping_layers.0.weight"])
def test_mobile_stylegan_is_checked_as_the_others_are(tmp_path, name):
    small = MobileStyleGAN((8, 8), mapping_layers=1, small_head=False)
    path = tmp_path / "m.safetensors"
    for bad in (float("nan"), float("inf")):
        state = {key: value.clone().contiguous() for key, value in small.state_dict().items()}
        state[name].view(-1)[-1] = bad
        save_file(state, path)
        with pytest.raises(GeneratorError, match=f"'{name}' in 'm.safetensors' holds NaN or infinity"):
            load_generator(path)
    content = bytearray(mobile.to_bytes(small))
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(GeneratorError, match="not the ones that were saved"):
        load_generator(path)


def test_finite_weights_that_draw_nothing_are_refused(tmp_path, generator):
    cases = {
        "of one colour": {name: value * 0 for name, value in generator.state_dict().items()},
        r"values up to|NaN or infinity": {
            name: value * 1e18 if "torgb.weight" in name else value for name, value in generator.state_dict().items()
        },
        "values up to": {name: value + 1e5 if name.endswith("torgb.bias") else value for name, value in generator.state_dict().items()},
    }
    for words, state in cases.items():
        save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "x.safetensors")
        with pytest.raises(GeneratorError, match=words) as caught:
            load_generator(tmp_path / "x.safetensors")
        check_message(caught.value, tmp_path / "x.safetensors")
        with pytest.raises(GeneratorError, match=words):
            convert(tmp_path / "x.safetensors", tmp_path / "y.pt")
    flat = MobileStyleGAN((8, 8), mapping_layers=1, small_head=False)
    (tmp_path / "m.safetensors").write_bytes(mobile.to_bytes(flat))
    with pytest.raises(GeneratorError, match="of one colour"):
        load_generator(tmp_path / "m.safetensors")
