"""Copy from a PNG file only what its pixels need, so that a decoder meets no text, however long.

Pillow refuses a file with more than 1 MB of compressed text, and raising that limit would raise it for the whole process.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["PngFile", "clear_places", "read_png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
#: Bits of grey pictures whose pixels Pillow (12.3) widens to 8 bits, but not the value in tRNS, which it then finds nowhere.
_WIDENED = (b"\x02", b"\x04")
_MOST_PROFILE = 16 << 20  # bytes; the largest known have about 3 MB


@dataclass(frozen=True)
class PngFile:
    """Hold a PNG with its pixels and little else, its ICC profile, and the four bytes of its cICP chunk.

    ``clear`` is the colour that stands for a transparent place where the file has 16 bits a channel; it is not in ``data`` then: Pillow
    (12.3) compares it with 8 bits, and finds it nowhere.
    """

    data: bytes
    profile: bytes | None
    cicp: bytes | None
    clear: tuple[int, int, int] | None = None


def read_png(data: bytes) -> PngFile:
    """Return what shows the picture. A missing end is put there; whether all pixels are there is for the decoder to find.

    Raises:
        ValueError: what shows the picture is damaged.
    """
    parts: list[bytes | memoryview] = [SIGNATURE]
    profile = cicp = clear = None
    deep = data[24:26] == b"\x10\x02"  # bits a channel, and colours without alpha
    for kind, body, sound in _chunks(memoryview(data)):
        critical = kind[:1].isupper()
        if critical and not sound:
            raise ValueError(f"damaged chunk {kind!r}")
        if kind == b"iCCP" and sound:
            profile = _profile(bytes(body))
        elif kind == b"cICP" and sound and len(body) == 4:
            cicp = bytes(body)
        elif kind == b"tRNS" and deep:
            clear = struct.unpack(">3H", body) if sound and len(body) == 6 else None
        elif kind == b"tRNS" and data[25:26] == b"\0" and data[24:25] in _WIDENED and sound and len(body) == 2:
            parts += _chunk(kind, _widened(body, data[24]))
        elif critical or (sound and kind in _KEPT):
            parts += _chunk(kind, body)
        if kind == b"IEND":
            break
    else:
        parts += [bytes(4), b"IEND", struct.pack(">I", zlib.crc32(b"IEND"))]
    return PngFile(b"".join(parts), profile, cicp, clear)


def clear_places(file: PngFile) -> Image.Image:
    """Return where a file of 16 bits a channel is transparent: a grey picture, 0 there and 255 elsewhere.

    Raises:
        ValueError: the pixels cannot be read.
    """
    import cv2  # reads all 16 bits

    pixels = cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 or file.clear is None:
        raise ValueError("the pixels cannot be read")
    return Image.fromarray(np.where((pixels == file.clear[::-1]).all(-1), 0, 255).astype(np.uint8))


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview, bool]]:
    """Yield each chunk's kind and content, and whether its check sum is right. The last one's may be cut off with the file's end."""
    start = len(SIGNATURE)
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        body = data[start + 8 : start + 8 + length]
        stored = bytes(data[start + 8 + length : start + 12 + length])
        whole = len(body) == length and len(stored) == 4
        yield kind, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))) == stored if whole else kind in (b"IDAT", b"IEND")
        start += 12 + length


def _chunk(kind: bytes, body: bytes | memoryview) -> tuple[bytes | memoryview, ...]:
    return struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _widened(body: memoryview, bits: int) -> bytes:
    """Return the grey value that stands for a transparent place as it is in 8 bits."""
    most = (1 << bits) - 1
    return struct.pack(">H", (body[1] & most) * (255 // most))


def _profile(body: bytes) -> bytes | None:
    """Return a chunk's ICC profile; None where it cannot be unpacked."""
    name_end = body.find(b"\0")
    if name_end < 0:
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(body[name_end + 2 :], _MOST_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof else None
