"""Name by its first bytes what a file is from which no picture can be read here, and say what to do instead."""

from __future__ import annotations

from nada_core.images import jpeg_file
from nada_core.images.isobmff import read_media

__all__ = ["other_kind"]

_PICTURE = "Save or export it as JPEG or PNG and try again."
_JPEG = "Save it as an ordinary JPEG of 8 bits a channel, or as PNG, and try again."
_FILM = "Pause it where the face is seen well, take a screenshot, and use that."
_RAW = "Export it as JPEG, with the camera's own program or any photo program."

#: (offset, first bytes, what it is, what to do); the first that fits counts.
_KINDS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"GIF87a", "a GIF picture", _PICTURE),
    (0, b"GIF89a", "a GIF picture", _PICTURE),
    (0, b"BM", "a BMP picture", _PICTURE),
    (0, b"FUJIFILMCCD-RAW", "a camera's RAW photo", _RAW),
    (8, b"CR\x02\x00", "a camera's RAW photo", _RAW),
    (4, b"ftypcrx ", "a camera's RAW photo", _RAW),
    (0, b"IIRO", "a camera's RAW photo", _RAW),
    (0, b"IIU\x00", "a camera's RAW photo", _RAW),
    (0, b"\x00MRM", "a camera's RAW photo", _RAW),
    (0, b"II*\x00", "a TIFF picture or a camera's RAW photo", _RAW),
    (0, b"MM\x00*", "a TIFF picture or a camera's RAW photo", _RAW),
    (0, b"\xff\x0a", "a JPEG XL picture", _PICTURE),
    (4, b"JXL \r\n\x87\n", "a JPEG XL picture", _PICTURE),
    (4, b"jP  \r\n\x87\n", "a JPEG 2000 picture", _PICTURE),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _PICTURE),
    (0, b"8BPS", "a Photoshop file", _PICTURE),
    (0, b"\x00\x00\x01\x00", "an icon", _PICTURE),
    (0, b"qoif", "a QOI picture", _PICTURE),
    (0, b"DDS ", "a DDS picture", _PICTURE),
    (0, b"%PDF", "a PDF document", "Take a screenshot of the picture in it, and use that."),
    (4, b"ftyp", "a film", _FILM),
    (4, b"moov", "a film", _FILM),
    (0, b"\x1aE\xdf\xa3", "a film", _FILM),
    (8, b"AVI ", "a film", _FILM),
    (8, b"WAVE", "a sound", "Choose a picture instead."),
    (8, b"RMID", "a piece of music", "Choose a picture instead."),
    (8, b"ACON", "an animated mouse pointer", _PICTURE),
    (0, b"PK\x03\x04", "a zip file or an office document", "Unpack it, or save the picture in it, and choose that."),
    (0, b"Rar!", "a rar file", "Unpack it and choose the picture in it."),
    (0, b"7z\xbc\xaf", "a 7z file", "Unpack it and choose the picture in it."),
)
_WEB = (b"<!doctype html", b"<html", b"<head", b"<body")


def other_kind(data: bytes) -> tuple[str, str]:
    """Return what a file is, with its article, and what to do about it; both empty where its first bytes say nothing."""
    if (media := read_media(data)) is not None:  # no film, whose first bytes are alike
        return (f"an HEIF picture with {media.coding} inside", _PICTURE) if media.coding else ("", "")
    if process := jpeg_file.other_process(data):
        return process, _JPEG
    for offset, signature, kind, remedy in _KINDS:
        if data[offset : offset + len(signature)] == signature:
            return kind, remedy
    text = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_WEB):
        return "a web page", "Open the picture itself, save that, and try again."
    if text.startswith((b"<svg", b"<?xml")) and b"<svg" in text:
        return "an SVG drawing", _PICTURE
    if text[:2] in (b"p1", b"p2", b"p3", b"p4", b"p5", b"p6") and text[2:3].isspace():
        return "a PNM picture", _PICTURE
    return "", ""
