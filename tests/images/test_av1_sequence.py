"""Colours that an AVIF says only inside its stream, where it has no box for them."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from nada_core.images.av1_sequence import av1_colours
from nada_core.images.image_io import decode_photo
from nada_core.images.isobmff import read_media

PICTURE = Image.new("RGB", (96, 80), (200, 60, 50))


def without_box(primaries: int = 1, **options: object) -> bytes:
    """An AVIF of Pillow's whose box of colours is renamed, and whose stream says these primaries."""
    buffer = io.BytesIO()
    PICTURE.save(buffer, "AVIF", quality=95, **options)
    data = buffer.getvalue().replace(b"colrnclx", b"freenclx")
    pixels = data.index(b"mdat") + 4
    value, bits = int.from_bytes(data[pixels : pixels + 40], "big"), 320
    for shift in range(bits - 24, -1, -1):  # sRGB's numbers, wherever they begin
        if value >> shift & 0xFFFFFF == 0x010D06:
            value += (primaries - 1) << (shift + 16)
            return data[:pixels] + value.to_bytes(40, "big") + data[pixels + 40 :]
    raise AssertionError("the stream says nothing")


@pytest.mark.parametrize("options", [{}, {"subsampling": "4:4:4"}, {"range": "limited"}, {"speed": 10}])
def test_the_stream_is_asked_where_there_is_no_box(options):
    media = read_media(without_box(12, **options))
    assert media is not None and media.kind == "AVIF" and media.nclx == (12, 13)


def test_wide_colours_are_turned_into_srgb():
    narrow, wide = decode_photo(without_box()), decode_photo(without_box(12))
    assert np.abs(np.asarray(narrow).astype(int)[40, 40] - (200, 60, 50)).max() <= 3
    red, green, blue = wide.getpixel((40, 40))
    assert red >= 210 and green < 50 and blue < 45  # Display P3's red is a stronger one


def test_a_box_goes_before_the_stream():
    data = without_box(12).replace(b"freenclx", b"colrnclx")
    assert read_media(data).nclx == (1, 13)


def test_cut_off_and_random_streams_end():
    whole = without_box()
    stream = whole[whole.index(b"mdat") + 4 :][:64]
    assert av1_colours(stream) == (1, 13)
    for length in range(len(stream)):
        av1_colours(stream[:length])
    rng = random.Random(1)
    for _ in range(2000):
        av1_colours(rng.randbytes(rng.randrange(60)))
        read_media(whole[:40] + rng.randbytes(300) + whole[340:])
