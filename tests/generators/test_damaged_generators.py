"""Generator files that can be read to their end and still are not what was saved."""

from __future__ import annotations

import zipfile

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from nada_core.errors import GeneratorError
from nada_core.generators.load import load_generator
from nada_core.styles.convert import convert
from tests.helpers.stylegan2_files import nvidia_state, rosinality_state, same, tiny, write


@pytest.fixture(scope="module")
def generator():
    return tiny()


def flip(path, places):
    """Change the lowest bit of the bytes at ``places``: of a float's mantissa, so that every value stays finite."""
    content = bytearray(path.read_bytes())
    for place in places:
        content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("layout", ["rosinality", "nvidia"])
def test_a_changed_tensor_in_a_file_of_torch_is_noticed(tmp_path, generator, layout):
    content = {"g_ema": rosinality_state(generator)} if layout == "rosinality" else {"G_ema": nvidia_state(generator)}
    path = write(tmp_path / "x.pt", content)
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda part: part.file_size)
    middle = largest.header_offset + largest.file_size // 2 // 4 * 4
    flip(path, range(middle, middle + 400, 4))
    for use in (load_generator, lambda file: convert(file, tmp_path / "out.safetensors")):
        with pytest.raises(GeneratorError, match=r"'x\.pt' is damaged: parts of it are not what was saved\. Download it again\."):
            use(path)
    assert [file.name for file in tmp_path.iterdir()] == ["x.pt"]


def test_files_saved_without_checksums_are_read(tmp_path, generator):
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        path = write(tmp_path / "x.pt", {"g_ema": rosinality_state(generator), "latent_avg": generator.w_avg})
    finally:
        torch.serialization.set_crc32_options(before)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is not None  # torch left them out
    assert same(load_generator(path), generator)


def test_a_changed_tensor_in_our_own_file_is_noticed(tmp_path, generator):
    convert(write(tmp_path / "x.pt", {"g_ema": rosinality_state(generator), "latent_avg": generator.w_avg}), tmp_path / "x.safetensors")
    assert same(load_generator(tmp_path / "x.safetensors"), generator)
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    old = {name: value for name, value in metadata.items() if name != "sha256"}
    save_file(tensors, tmp_path / "old.safetensors", old)
    assert same(load_generator(tmp_path / "old.safetensors"), generator)  # files of before the digest
    size = (tmp_path / "x.safetensors").stat().st_size
    flip(tmp_path / "x.safetensors", range(size - 4000, size - 3600, 4))
    with pytest.raises(GeneratorError, match=r"'x\.safetensors' are not the ones that were saved: it is damaged"):
        load_generator(tmp_path / "x.safetensors")
