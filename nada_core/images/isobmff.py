"""Look into HEIC and AVIF files (ISO base media): which of the two a file is, and what numbers describe its colours.

Both come under the same first brands (mif1, msf1, miaf), and other programs write others still: what a file holds decides.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from nada_core.images.av1_sequence import av1_colours

__all__ = ["MediaFile", "read_media", "with_still_brands"]

_AVIF_BRANDS = frozenset({b"avif", b"avis", b"avio"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_STILL_BRANDS = frozenset({b"mif1", b"mif2", b"msf1", b"miaf", b"1pic", b"MiHE", b"MiHB", b"MiHA", b"MA1A", b"MA1B"})
#: Kinds of items that hold pixels in a HEIF and that decoders of HEVC and AV1 do not read (registered with mp4ra.org), and their names.
_CODINGS = {
    b"jpeg": "JPEG",
    b"j2k1": "JPEG 2000",
    b"unci": "uncompressed pixels",
    b"avc1": "H.264",
    b"vvc1": "H.266",
    b"evc1": "EVC",
    b"lhv1": "layered H.265",
    b"hvt1": "tiled H.265",
    b"mjpg": "Motion JPEG",
}
_WRITTEN = {"AVIF": (b"avif", b"mif1", b"avif", b"miaf"), "HEIF": (b"heic", b"mif1", b"heic", b"miaf")}
_MOST_BOXES = 10_000  # in one box: grids of phones have some hundreds of items


@dataclass(frozen=True)
class MediaFile:
    """Hold what a file of this family is: ``kind`` is "AVIF" or "HEIF"; ``nclx`` are its primaries and transfer, of H.273, if it says.

    ``still`` is False for a film that holds no picture besides. ``coding`` names how the pixels are coded where that is neither HEVC nor
    AV1: not every installation's decoder reads it.
    """

    kind: str
    still: bool
    nclx: tuple[int, int] | None = None
    coding: str = ""


def read_media(data: bytes) -> MediaFile | None:
    """Return what a file holds; None where it is no picture of this family. Damaged insides are for the decoder to find."""
    if data[4:8] != b"ftyp":
        return None
    boxes = dict(reversed(list(_boxes(memoryview(data)))))  # the first of each kind
    kinds = bytes(boxes.get(b"ftyp", b""))
    brands = {kinds[:4], *(kinds[start : start + 4] for start in range(8, len(kinds) - 3, 4))}
    types: dict[int, bytes] = {}
    nclx = None
    try:
        parts = dict(reversed(list(_boxes(boxes.get(b"meta", memoryview(b""))[4:]))))
        types = _item_types(parts.get(b"iinf", memoryview(b"")))
        nclx = _primary_nclx(parts, types)
        if nclx is None and b"av01" in types.values() and not _has_profile(parts):
            nclx = av1_colours(_first_coded(data, parts, types))
    except (struct.error, IndexError):
        pass
    coded = set(types.values())
    others = [] if coded & {b"av01", b"hvc1"} else sorted(_CODINGS[kind] for kind in coded & _CODINGS.keys())
    if others:
        return MediaFile("HEIF", True, nclx, others[0])
    if b"av01" in coded or (b"hvc1" not in coded and brands & _AVIF_BRANDS):
        return MediaFile("AVIF", bool(coded), nclx)
    if b"hvc1" in coded or brands & (_HEIF_BRANDS | _STILL_BRANDS):
        return MediaFile("HEIF", bool(coded), nclx)
    return None


def with_still_brands(data: bytes, media: MediaFile) -> bytes:
    """Return a file that names what it holds: decoders go by the brands. Nothing in it moves."""
    size = int.from_bytes(data[:4], "big")
    if not media.still or size < 16 or size > len(data):
        return data
    first, *others = _WRITTEN[media.kind]
    listed = b"".join(others[number % len(others)] for number in range((size - 16) // 4))
    return data[:8] + first + data[12:16] + listed + data[16 + len(listed) :]


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the kind and the content of each box; the last one may be cut off."""
    start = 0
    for _ in range(_MOST_BOXES):
        if start + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and start + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif size == 0:
            size = len(data) - start
        if size < head:
            return
        yield kind, data[start + head : start + size]
        start += size


def _item_types(items: memoryview) -> dict[int, bytes]:
    """Return the kind of each item by its number: hvc1, av01, grid, Exif ..."""
    found = {}
    for kind, box in _boxes(items[8 if items[:1] != b"\0" else 6 :]) if len(items) else ():
        if kind == b"infe" and box[0] >= 2:
            number, name = struct.unpack_from(">H2x4s" if box[0] == 2 else ">I2x4s", box, 4)
            found[number] = name
    return found


def _primary_nclx(parts: dict[bytes, memoryview], types: dict[int, bytes]) -> tuple[int, int] | None:
    """Return the code points of the item that is shown; those of its tiles where a grid has none of its own."""
    place, properties = parts.get(b"pitm"), dict(_boxes(parts.get(b"iprp", memoryview(b""))))
    listed = [_nclx(kind, box) for kind, box in _boxes(properties.get(b"ipco", memoryview(b"")))]
    if place is None:
        return None
    (primary,) = struct.unpack_from(">H" if place[0] == 0 else ">I", place, 4)
    used = _associations(properties.get(b"ipma", memoryview(b""))).get(primary, [])
    own = [listed[index - 1] for index in used if 0 < index <= len(listed) and listed[index - 1] is not None]
    if not own and types.get(primary) == b"grid":
        own = [code for code in listed if code is not None]
    return own[0] if own else None


def _has_profile(parts: dict[bytes, memoryview]) -> bool:
    properties = dict(_boxes(parts.get(b"iprp", memoryview(b""))))
    return any(kind == b"colr" for kind, _ in _boxes(properties.get(b"ipco", memoryview(b""))))


def _first_coded(data: bytes, parts: dict[bytes, memoryview], types: dict[int, bytes]) -> bytes:
    """Return the beginning of the first item of AV1: its pixels begin with what describes them all. Raises struct.error, IndexError."""
    box, place = parts.get(b"iloc", memoryview(b"")), parts.get(b"pitm", memoryview(b""))
    primary = struct.unpack_from(">H" if place[0] == 0 else ">I", place, 4)[0]
    wanted = primary if types.get(primary) == b"av01" else next(number for number, kind in types.items() if kind == b"av01")
    version, sizes = box[0], struct.unpack_from(">BB", box, 4)
    offset_size, length_size, base_size, index_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15 if version else 0
    start = 6

    def number(size: int) -> int:
        nonlocal start
        start += size
        if start > len(box):
            raise IndexError("iloc is cut off")
        return int.from_bytes(box[start - size : start], "big")

    for _ in range(min(number(2 if version < 2 else 4), _MOST_BOXES)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_size)
        for part in range(number(2)):
            number(index_size)
            at, length = base + number(offset_size), number(length_size)
            if item == wanted and part == 0:
                inside = parts.get(b"idat", memoryview(b"")) if method == 1 else memoryview(data)
                return bytes(inside[at : at + min(length, 4096)])
    raise IndexError("the picture is nowhere")


def _nclx(kind: bytes, box: memoryview) -> tuple[int, int] | None:
    if kind != b"colr" or box[:4] != b"nclx":
        return None
    primaries, transfer = struct.unpack_from(">HH", box, 4)
    return primaries, transfer


def _associations(box: memoryview) -> dict[int, list[int]]:
    """Return the numbers of each item's properties, counted from 1."""
    if not len(box):
        return {}
    version, wide = box[0], bool(box[3] & 1)
    (entries,) = struct.unpack_from(">I", box, 4)
    start, found = 8, {}
    for _ in range(min(entries, _MOST_BOXES)):
        item, count = struct.unpack_from(">HB" if version < 1 else ">IB", box, start)
        start += 3 if version < 1 else 5
        indexes = struct.unpack_from(f">{count}{'H' if wide else 'B'}", box, start)
        start += count * (2 if wide else 1)
        found[item] = [index & (0x7FFF if wide else 0x7F) for index in indexes]
    return found
