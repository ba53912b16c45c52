"""Read from an AV1 stream what numbers describe its colours: its sequence header says so where an AVIF has no box for them.

After the AV1 Bitstream & Decoding Process Specification, sections 5.3 to 5.5.
"""

from __future__ import annotations

__all__ = ["av1_colours"]

_SEQUENCE_HEADER = 1
_MOST_UNITS = 16  # before the sequence header there is at most a delimiter


class _Bits:
    """Read numbers from bytes, the highest bit first. Raises IndexError behind the end."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise IndexError("the header is cut off")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.take(1))


def av1_colours(stream: bytes) -> tuple[int, int] | None:
    """Return primaries and transfer, of H.273, of a stream's sequence header; None where it says nothing, or cannot be read."""
    try:
        header = _sequence_header(stream)
        return None if header is None else _colours(_Bits(header))
    except IndexError:
        return None


def _sequence_header(stream: bytes) -> bytes | None:
    start = 0
    for _ in range(_MOST_UNITS):
        kind, extended, sized = stream[start] >> 3 & 15, stream[start] >> 2 & 1, stream[start] >> 1 & 1
        start += 1 + extended
        size, shift = (0, 0) if sized else (len(stream) - start, -1)
        while shift >= 0:
            byte = stream[start]
            start, size = start + 1, size | (byte & 127) << shift
            shift = shift + 7 if byte & 128 and shift < 56 else -1
        if kind == _SEQUENCE_HEADER:
            return stream[start : start + min(size, 256)]
        start += size
    return None


def _colours(bits: _Bits) -> tuple[int, int] | None:
    profile = bits.take(3)
    bits.flag()  # one picture only
    reduced = bits.flag()
    if reduced:
        bits.take(5)
    else:
        _pass_operating_points(bits)
    width, height = bits.take(4) + 1, bits.take(4) + 1
    bits.take(width + height)
    if not reduced and bits.flag():
        bits.take(7)  # lengths of frames' numbers
    bits.take(3)
    if not reduced:
        _pass_tools(bits)
    bits.take(3)
    deep = bits.flag()
    if profile == 2 and deep:
        bits.flag()
    if profile != 1:
        bits.flag()  # grey
    return (bits.take(8), bits.take(8)) if bits.flag() else None


def _pass_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.flag():  # times
        bits.take(64)
        if bits.flag():  # a number whose length is written in ones' place
            zeros = 0
            while not bits.flag():
                zeros += 1
            bits.take(zeros)
        if bits.flag():  # model of the decoder
            delay = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    shown_late = bits.flag()
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.flag()
        if delay and bits.flag():
            bits.take(2 * delay + 1)
        if shown_late and bits.flag():
            bits.take(4)


def _pass_tools(bits: _Bits) -> None:
    bits.take(4)
    ordered = bits.flag()
    if ordered:
        bits.take(2)
    screen = 2 if bits.flag() else bits.take(1)
    if screen and not bits.flag():
        bits.flag()
    if ordered:
        bits.take(3)
