"""What lies in the place of weights where a download went wrong is named, at every reader."""

from __future__ import annotations

import pytest

from nada_core.encoders.load import load_encoder
from nada_core.errors import NadaError
from nada_core.generators.load import load_generator
from nada_core.styles.files import load_style
from nada_core.system.wrong_downloads import wrong_download

WRONG = {
    "a web page": b"<!DOCTYPE html><html><head><title>Virus scan warning</title></head><body>Quota exceeded</body></html>" * 30,
    "only a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 381673535\n",
    "text \\(JSON\\)": b'{"message": "Not Found"}',
    "empty": b"",
}


@pytest.mark.parametrize("name", ["network.pkl", "network.pt", "network.safetensors"])
@pytest.mark.parametrize("said", WRONG)
@pytest.mark.parametrize("read", [load_generator, load_style, lambda path: load_encoder("ViT-B-32", weights=path)])
def test_it_is_named_whatever_it_is_called(tmp_path, read, said, name):
    path = tmp_path / name
    path.write_bytes(WRONG[said])
    with pytest.raises(NadaError, match=f"^'{name.replace('.', '[.]')}' is {said}") as refusal:
        read(path)
    assert str(tmp_path) not in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("inside", [b"<!DOCTYPE html><html>", b"<Error><Code>AccessDenied</Code></Error>"])
def test_xml_that_is_a_page_or_an_answer_is_named(tmp_path, inside):
    (tmp_path / "file").write_bytes(b'<?xml version="1.0" encoding="UTF-8"?>\n' + inside)
    assert wrong_download(tmp_path / "file").startswith("a web page")


@pytest.mark.parametrize(
    "content",
    [
        b"{\x01" + bytes(200),
        b"\x80\x02}q\x00.",
        b"PK\x03\x04" + bytes(50),
        b"\xff" * 50,
        b"weights",
        b"<?xml version='1.0'?><net name='m'/>",
    ],
)
def test_what_is_no_text_of_that_kind_is_not_misnamed(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert wrong_download(tmp_path / "file") == ""
    assert wrong_download(tmp_path / "none") == ""
