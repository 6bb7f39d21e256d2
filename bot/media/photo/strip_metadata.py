"""Strip a JPEG or PNG file to its picture, without decoding it: no pixel changes."""

from __future__ import annotations

import re

_JPEG = b"\xff\xd8"
_PNG = b"\x89PNG\r\n\x1a\n"

# ITU-T T.81, table B.1. What decoding needs: frame headers, tables, restart intervals, scans, line counts.
_DECODING = {*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD}
_ASIDE = {*range(0xE0, 0xF0), 0xFE}  # what applications and people add: EXIF, places, previews, comments
_SCAN, _END = 0xDA, 0xD9
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)

_RGB_8_BIT = b"\x08\x02"
_PNG_PARTS = {b"IHDR", b"IDAT", b"IEND"}


def strip_metadata(data: bytes) -> bytes | None:
    """Return the file with nothing but its picture: no metadata, no previews, nothing appended.

    Return None for anything but a JPEG or an RGB PNG of 8 bits, and if the file's structure is broken.
    """
    if data.startswith(_JPEG):
        return _strip_jpeg(data)
    if data.startswith(_PNG):
        return _strip_png(data)
    return None


def _strip_jpeg(data: bytes) -> bytes | None:
    kept = [_JPEG]
    at = len(_JPEG)
    while data[at : at + 1] == b"\xff":
        marker = int.from_bytes(data[at + 1 : at + 2])
        if marker == _END:
            return b"".join([*kept, b"\xff\xd9"])
        if marker not in _DECODING | _ASIDE:
            return None
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == _SCAN:
            following = _AFTER_SCAN.search(data, end)
            if following is None:
                return None
            end = following.start()
        segment = data[at:end]
        if marker in _DECODING or _describes_colours(segment):
            kept.append(segment)
        at = end
    return None


def _describes_colours(segment: bytes) -> bool:
    """Return True for JFIF without a preview, and for the Adobe segment that names the colour transform."""
    if len(segment) == 18:
        return segment[:2] == b"\xff\xe0" and segment[4:9] == b"JFIF\0"
    return len(segment) == 16 and segment[:2] == b"\xff\xee" and segment[4:9] == b"Adobe"


def _strip_png(data: bytes) -> bytes | None:
    if data[24:26] != _RGB_8_BIT:
        return None
    kept = [_PNG]
    at = len(_PNG)
    while at < len(data):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4])
        if kind in _PNG_PARTS:
            kept.append(data[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end
    return None
