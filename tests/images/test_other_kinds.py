"""Files that are no pictures which can be read here are named as what they are, whatever they are called."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from nada_core.errors import PhotoError
from nada_core.images.image_io import decode_photo

PICTURE = Image.new("RGB", (80, 80), (200, 120, 90))


def saved(kind: str) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved("GIF"), "a GIF picture.* as JPEG or PNG"),
        (saved("BMP"), "a BMP picture"),
        (saved("TIFF"), "a TIFF picture or a camera's RAW photo.* Export it as JPEG"),
        (saved("JPEG2000"), "a JPEG 2000 picture"),
        (saved("ICO"), "an icon"),
        (saved("PDF"), "a PDF document.* screenshot"),
        (saved("PPM"), "a PNM picture"),
        (saved("QOI"), "a QOI picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60), "a JPEG XL picture"),
        (b"\xff\x0a" + bytes(60), "a JPEG XL picture"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(50), "a film.* screenshot"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(50), "a film"),
        (b"\x1aE\xdf\xa3" + bytes(60), "a film"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(50), "a camera's RAW photo"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(50), "a camera's RAW photo"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(60), "a camera's RAW photo"),
        (b"RIFF\x10\0\0\0AVI LIST" + bytes(300), "a film.* screenshot"),
        (b"RIFF\x10\0\0\0WAVEfmt " + bytes(300), "a sound.* picture instead"),
        (b"RIFF\x10\0\0\0RMIDdata" + bytes(300), "a piece of music"),
        (b"RIFF\x10\0\0\0ACONLIST" + bytes(300), "an animated mouse pointer"),
        (b"8BPS\0\1" + bytes(60), "a Photoshop file"),
        (b"PK\3\4" + bytes(60), "a zip file.* Unpack it"),
        (b"\n<!DOCTYPE html><html>404</html>", "a web page.* Open the picture itself"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    ],
)
def test_a_file_is_named_as_what_it_is(data, words, tmp_path):
    (tmp_path / "selfie.jpg").write_bytes(data)
    with pytest.raises(PhotoError, match=rf"^selfie\.jpg is {words}"):
        decode_photo(tmp_path / "selfie.jpg")


def jpeg_of(marker: int, bits: int = 8) -> bytes:
    """A JPEG whose frame says that it was coded in another way."""
    data = bytearray(saved("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 1], data[frame + 4] = marker, bits
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (jpeg_of(0xC1, 12), "a JPEG of 12 bits a channel"),
        (jpeg_of(0xC2, 12), "a JPEG of 12 bits a channel"),
        (jpeg_of(0xC9, 12), "a JPEG of 12 bits a channel"),
        (jpeg_of(0xC3), "a lossless JPEG"),
        (jpeg_of(0xC3, 16), "a lossless JPEG"),
        (jpeg_of(0xC7), "a hierarchical JPEG"),
        (jpeg_of(0xCB), "a lossless JPEG"),
        (jpeg_of(0xC5), "a hierarchical JPEG"),
        (jpeg_of(0xCE), "a hierarchical JPEG"),
        (jpeg_of(0xDE), "a hierarchical JPEG"),
        (jpeg_of(0xF7), "a JPEG-LS picture"),
    ],
)
def test_a_sound_jpeg_of_another_process_is_named(data, words):
    for source in (data, data[:-2]):
        with pytest.raises(PhotoError, match=rf"^The picture is {words}, which is not read here\. Save it as an ordinary JPEG of 8 bits"):
            decode_photo(source)


@pytest.mark.parametrize("data", [saved("JPEG")[:60], saved("JPEG")[:300], b"\xff\xd8\xff"])
def test_an_ordinary_jpeg_that_is_cut_off_is_a_damaged_one(data):
    with pytest.raises(PhotoError, match=r"^The picture is damaged or incomplete"):
        decode_photo(data)


@pytest.mark.parametrize("data", [b"RIFF", b"RIFF\x10\0\0\0WEB", saved("WEBP")[:40], saved("AVIF")[:200]])
def test_the_beginning_of_a_picture_is_a_damaged_one(data):
    with pytest.raises(PhotoError, match=r"^The picture is damaged or incomplete"):
        decode_photo(data)


@pytest.mark.parametrize(
    "data", [b"RIFF\x10\0\0\0CDR8" + bytes(300), b"hello world" * 20, bytes(100), b"P7" + bytes(50), b"<?xml?><note/>"]
)
def test_what_says_nothing_of_itself_is_told_what_is_read(data):
    with pytest.raises(PhotoError, match=r"not a picture that can be read here\. Use a JPEG, PNG, WebP, HEIC or AVIF"):
        decode_photo(data)
