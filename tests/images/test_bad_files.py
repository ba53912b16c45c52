"""What is no usable photo is refused in words: no picture, damaged, too large, too small."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from PIL import Image

from nada_core.errors import PhotoError
from nada_core.images.image_io import MAX_BYTES, decode_photo
from tests.images.test_image_io import _encoded, _gradient, _png_header


@functools.cache
def _bad_files() -> dict[str, tuple[bytes, str]]:
    photo = _gradient(400, 300)
    jpeg, png, webp = _encoded(photo, "JPEG"), _encoded(photo, "PNG"), _encoded(photo, "WEBP")
    return {
        "text.jpg": (b"this is a letter, not a picture", "not a picture"),
        "empty.jpg": (b"", "empty"),
        "page.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an svg drawing"),
        "moving.jpg": (_encoded(photo.quantize(16), "GIF"), "a gif picture"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "damaged"),
        "cut.png": (png[: len(png) // 2], "damaged"),
        "cut.webp": (webp[: len(webp) // 2], "damaged"),
        "stub.jpg": (jpeg[:20], "damaged"),
        "zeros.png": (png[:60] + bytes(len(png) - 60), "damaged"),
        "bomb.png": (_png_header(30000, 30000), "megapixels"),
        "large.png": (_png_header(10001, 10000), "megapixels"),
        "dot.png": (_encoded(Image.new("RGB", (1, 1)), "PNG"), "1 x 1"),
        "strip.png": (_encoded(Image.new("RGB", (500, 63)), "PNG"), "at least 64"),
        "heavy.jpg": (jpeg + bytes(MAX_BYTES), "larger than 25 mb"),
        "phone.heic": (b"\0\0\0\x18ftypheic" + bytes(200), "damaged"),
    }


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", list(_bad_files()))
def test_bad_files_are_refused_in_words(tmp_path: Path, name: str) -> None:
    content, words = _bad_files()[name]
    path = tmp_path / name
    path.write_bytes(content)
    for source in (path, content):
        with pytest.raises(PhotoError) as refusal:
            decode_photo(source)
        assert words in str(refusal.value).lower()
        assert str(tmp_path) not in str(refusal.value) and "/" not in str(refusal.value)
        assert len(str(refusal.value)) < 250
