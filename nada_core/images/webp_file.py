"""Tell a WebP file, and complete one that lacks a little of its end."""

from __future__ import annotations

import struct

__all__ = ["completed", "is_webp"]

_MOST_MISSING = 0.05  # of the file
_SPARE = 64  # bytes; the decoder reads ahead, and gives up where it comes to an end


def is_webp(data: bytes) -> bool:
    """Tell whether a file begins as a WebP does: films and sounds are RIFF files too. One that ends before it says so counts."""
    return data[:4] == b"RIFF" and b"WEBP".startswith(data[8:12])


def completed(data: bytes) -> bytes:
    """Return a WebP file with zeros for the last part where a small one is missing: they decode to flat colour. Others as they are."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return data
    size = int.from_bytes(data[4:8], "little") + 8
    if not len(data) < size <= len(data) * (1 + _MOST_MISSING):
        return data
    start, length = 12, 0
    while start + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, start + 4)
        end = start + 8 + length + length % 2
        if end > len(data):
            break
        start = end
    filled = bytearray(data + bytes(size - len(data)))
    if filled[start : start + 4] in (b"VP8 ", b"VP8L"):
        filled[start + 8 + length :] = bytes(length % 2 + _SPARE)
        struct.pack_into("<I", filled, start + 4, length + length % 2 + _SPARE)
        struct.pack_into("<I", filled, 4, len(filled) - 8)
    return bytes(filled)
