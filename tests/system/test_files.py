"""What is said of a path that is to be read or written: what is there, and whether the name can be a file's at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nada_core.adaptation.resume import load_training
from nada_core.encoders.load import load_encoder
from nada_core.engine import Engine
from nada_core.errors import NadaError, OptionsError, StyleError
from nada_core.films.reading import Film
from nada_core.films.writing import check_target
from nada_core.generators.load import load_generator
from nada_core.inversion.ir_se50_files import read_file
from nada_core.students.export import check_target as check_export
from nada_core.styles.files import load_card, load_style
from nada_core.styles.library import StyleLibrary
from nada_core.system.files import check_file, check_writable_name, is_file, is_there, sweep_unfinished

URL = "https://example.org/" + "a" * 300
READERS = {
    "generator": load_generator,
    "training": load_training,
    "card": load_card,
    "style": load_style,
    "import": lambda path: StyleLibrary(Path("nowhere")).import_file(path),
    "encoder": lambda path: load_encoder(f"ViT-B-32@{path}"),
    "photo encoder": lambda path: read_file(path, "encoder", "another"),
    "film": Film,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_is_called_a_folder(reader, tmp_path):
    (tmp_path / "some").mkdir()
    with pytest.raises(NadaError, match="'some' is a folder"):
        READERS[reader](tmp_path / "some")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", [URL, "a" * 300, "nobody.pt"])
def test_nothing_is_called_nothing(reader, name):
    with pytest.raises(NadaError, match=r"There is no|There are no"):
        READERS[reader](Path(name))


@pytest.mark.parametrize(
    "refuse",
    [
        lambda path: check_target(path, Path("in.mp4")),
        lambda path: check_export(path, "web"),
        lambda path: check_writable_name(path, OptionsError),
    ],
)
def test_a_target_that_no_file_can_be_called(refuse, tmp_path):
    with pytest.raises(NadaError, match="cannot be written"):
        refuse(tmp_path / ("a" * 300 + ".mp4"))


def test_a_target_beside_which_a_long_name_is_read_may_be_written(tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"")
    assert check_target(tmp_path / "out.mp4", Path("a" * 300), overwrite=True) == tmp_path / "out.mp4"


def test_check_file(tmp_path):
    (tmp_path / "one").write_bytes(b"123")
    os.mkfifo(tmp_path / "pipe")
    assert check_file(tmp_path / "one", "nothing", StyleError) == 3
    for path, words in ((tmp_path / "no", "^nothing$"), (tmp_path / "x\0", "^nothing$"), (tmp_path / "pipe", "'pipe' is no file but")):
        with pytest.raises(StyleError, match=words):
            check_file(path, "nothing", StyleError)


def test_what_is_there(tmp_path):
    (tmp_path / "one").write_bytes(b"")
    assert is_there(tmp_path) and is_there(tmp_path / "one") and is_file(tmp_path / "one") and not is_file(tmp_path)
    for name in ("a" * 300, "x\0", "no"):
        assert not is_there(tmp_path / name) and not is_file(tmp_path / name)


def test_what_a_killed_process_left_half_written_is_swept_and_nothing_else(tmp_path):
    folder = tmp_path / "styles" / "students"
    folder.mkdir(parents=True)
    old, new = ".abc.safetensors.01234567.tmp", ".abc.safetensors.89abcdef.tmp"
    kept = ["abc.safetensors", ".mine.tmp", "notes.01234567.tmp", new]
    for name in (old, *kept):
        (folder / name).write_bytes(b"x")
        age = 0 if name == new else 7200
        os.utime(folder / name, (time.time() - age,) * 2)
    assert Engine("cpu", styles_folder=tmp_path / "styles", world="starter").students.folder == folder
    assert {path.name for path in folder.iterdir()} == set(kept)
    sweep_unfinished(tmp_path / "nowhere")
