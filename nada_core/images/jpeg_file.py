"""Complete a JPEG file whose end is missing, measure how much of the picture is missing with it, and name a process not read here."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["completed", "other_process"]

_MOST_MISSING = 0.05  # of the picture
_FAINT = 0.005  # of the file
_END = b"\xff\xd9"
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE})  # ITU-T T.81, table B.1
_LOSSLESS = frozenset({0xC3, 0xCB})
_LS = 0xF7
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


def completed(data: bytes) -> bytes | None:
    """Return a JPEG whose end is missing with an end; None where more than a small part of the picture is missing.

    A decoder fills what is missing with grey. Where that begins is found by decoding the file once more with noise in its place.
    """
    data = data.rstrip(b"\xff")  # half a marker
    seen = _scans(data)
    if seen.missing:
        return None
    data = data[: seen.end]
    return _ended(data, seen.progressive) or (_ended(data[: seen.faint], True) if seen.faint else None)


def _ended(data: bytes, progressive: bool) -> bytes | None:
    """Return a file that has all its scans with an end, if nearly nothing of them is missing."""
    noise = bytes(1 + value * 37 % 253 for value in range(256))
    # also beyond a marker: in a file that has such, the end may be missing right before one
    tail = noise + b"".join(bytes([0xFF, 0xD0 + number % 8]) + noise for number in range(16))
    # an eighth of the size takes least memory, but shows nothing of the fine detail that a progressive file brings last
    shrink = 2 if progressive else 8
    ended, other = (_preview(data + part + _END, shrink) for part in (b"", tail))
    return data + _END if _lost(np.any(ended != other, axis=-1), 16 // shrink) <= _MOST_MISSING else None


def other_process(data: bytes) -> str:
    """Return what kind of JPEG a file is, with its article, where it is none that everybody's decoder reads; empty for those that are."""
    if not data.startswith(b"\xff\xd8"):
        return ""
    for marker, body, _, _ in _segments(data):
        if marker == _LS:
            return "a JPEG-LS picture"
        if marker in _HIERARCHICAL:
            return "a hierarchical JPEG"
        if marker in _LOSSLESS:
            return "a lossless JPEG"
        if marker in _FRAMES:
            return f"a JPEG of {body[0]} bits a channel" if body and body[0] in range(9, 17) else ""
    return ""


def _preview(data: bytes, shrink: int) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    image.draft(None, (max(image.width // shrink, 1), max(image.height // shrink, 1)))
    return np.atleast_3d(np.asarray(image))


def _lost(changed: NDArray[np.bool_], band: int) -> float:
    """Return the share of the picture after the first place that changed; pixels come in bands of rows, from left to right."""
    rows = np.flatnonzero(changed.any(1))
    if not len(rows):
        return 0.0
    height, width = changed.shape
    left = int(changed[rows[0] : rows[0] + band].any(0).argmax())
    return float((max(height - rows[0] - band, 0) * width + min(band, height) * (width - left)) / (height * width))


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int, int]]:
    """Yield the marker, the content, the beginning and the end of each segment; coded pixels are passed over.

    The last one may be cut off, or the mark of the picture's end: its end is then beyond the file's.
    """
    start = 2
    while start + 2 <= len(data):
        if data[start] != 0xFF or data[start + 1] in (0x00, 0xFF) or data[start + 1] in _STANDALONE:
            start = data.find(b"\xff", start + 1)
            if start < 0:
                return
            continue
        if start + 4 > len(data) or data[start + 1] == _END[1]:
            yield data[start + 1], b"", start, len(data) + 1
            return
        (length,) = struct.unpack_from(">H", data, start + 2)
        end = start + 2 + length
        yield data[start + 1], data[start + 4 : end], start, end
        start = end


@dataclass(frozen=True)
class _Scans:
    """Hold whether a file is refined scan by scan, whether a whole scan is missing, and where its last whole segment or scan ends.

    ``faint`` is where the last scan begins if it refines what the scans before hardly have, else 0: a component that shows next to nothing.
    """

    progressive: bool
    missing: bool
    end: int
    faint: int


def _scans(data: bytes) -> _Scans:
    """Look for the beginning of every scan: every component has one, and a progressive file's are refined to the last bit.

    The last bit of a component without any detail, such as the black of a photo that was turned into CMYK, may be missing.
    """
    progressive, wanted, end = False, {(-1, 0)}, len(data)  # a file without a frame has nothing
    details: dict[int, int] = {}  # bytes of each component's scans of detail up to the last
    last = before = 0
    detailed: int | None = None
    faint = 0
    for marker, body, start, stop in _segments(data):
        if detailed is not None:
            details[detailed] = details.get(detailed, 0) + start - before
        detailed, faint = None, 0
        if stop > len(data):
            end = start
        elif marker in _FRAMES and len(body) > 5:
            progressive = marker in _PROGRESSIVE
            wanted = {(number, last) for number in body[6 : 6 + 3 * body[5] : 3] for last in ((0, 63) if progressive else (0,))}
        elif marker == 0xDA and body and len(body) >= 4 + 2 * body[0]:
            first, last, bits = body[1 + 2 * body[0] :][:3]
            ends = ({first, last} if bits & 15 == 0 else set()) if progressive else {0}
            wanted -= {(number, place) for number in body[1 : 1 + 2 * body[0] : 2] for place in ends}
            if progressive and first and body[0] == 1:
                detailed, before = body[1], stop
                faint = start if details.get(detailed, len(data)) <= _FAINT * len(data) else 0
    hardly = {number for number, size in details.items() if size <= _FAINT * len(data)}
    return _Scans(progressive, any(place == 0 or number not in hardly for number, place in wanted), end, faint)
