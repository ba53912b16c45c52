"""Archives that were not unpacked, and programs in the place of weights, are called what they are; files of torch are not."""

from __future__ import annotations

import gzip
import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nada_core.encoders.load import load_encoder
from nada_core.errors import NadaError
from nada_core.generators.load import load_generator
from nada_core.inversion.ir_se50_files import read_file
from nada_core.styles.files import load_style
from nada_core.styles.library import StyleLibrary
from nada_core.system.archives import foreign_archive
from tests.helpers.small_adaptations import small_mobile

READERS = {
    "generator": load_generator,
    "style file": load_style,
    "style": lambda path: StyleLibrary(Path("nowhere")).load(path, small_mobile),
    "style without a base": lambda path: StyleLibrary(Path("nowhere")).load(path),
    "photo encoder": lambda path: read_file(path, "encoder", "another"),
    "encoder": lambda path: load_encoder("ViT-B-32", weights=path),
}


def zipped(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def program() -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), buffer)
    return buffer.getvalue()


def arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, faces=np.zeros(3))
    return buffer.getvalue()


ARCHIVES = {
    "zip": (lambda: zipped({"models/joker.pt": b"weights"}), "is a zip archive with 'models/joker.pt' in it. Unpack it"),
    "empty": (lambda: zipped({}), "is an empty zip archive"),
    "npz": (arrays, "is an archive of NumPy's .* with 'faces.npy' in it"),
    "gzip": (lambda: gzip.compress(b"weights"), "is a gzip archive. Unpack it"),
    "program": (program, "TorchScript"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_is_named(tmp_path, reader, kind):
    make, words = ARCHIVES[kind]
    path = tmp_path / "weights.pt"
    path.write_bytes(make())
    with warnings.catch_warnings(record=True) as said, pytest.raises(NadaError, match=words) as refusal:
        warnings.simplefilter("always")
        READERS[reader](path)
    assert "damaged" not in str(refusal.value) and "\n" not in str(refusal.value) and not said


def test_files_of_torch_and_damaged_ones_are_no_foreign_archives(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.zeros(3)}, path)
    whole = path.read_bytes()
    for content in (whole, whole[: len(whole) // 2], b"PK\x03\x04" + bytes(50), b"", b"weights"):
        path.write_bytes(content)
        assert foreign_archive(path) == ""
    assert foreign_archive(tmp_path / "none") == "" and foreign_archive(tmp_path) == ""
