"""Read photos that are a little wrong, while every viewer shows them.

Pillow refuses a PNG for a note of more than a megabyte, or for a wrong checksum in one, and a JPEG for its
last two bytes.
"""

from __future__ import annotations

import zlib

from PIL import Image, ImageFile, PngImagePlugin

_PNG = b"\x89PNG\r\n\x1a\n"
_NOTES = frozenset({b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs", b"hIST", b"sPLT"})
_PROFILE = b"iCCP"
_LARGEST_PROFILE = 16_000_000
"""Inflated. Those of printers have some megabytes; more is made to use up the memory."""
_MISSING_SHARE = 0.05
"""Of a photo's height that may be missing."""
_LIGHTEST_MISSING = 130
"""What is missing is black or grey; a sheet of paper is white."""

PngImagePlugin.MAX_TEXT_CHUNK = (
    _LARGEST_PROFILE  # Pillow's limit for notes, which are gone, is that for profiles
)


def without_notes(data: bytes) -> bytes:
    """Return a PNG without notes and oversized profiles; anything else as it is."""
    if not data.startswith(_PNG):
        return data
    kept, at = [_PNG], len(_PNG)
    while at + 8 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4])
        if kind not in _NOTES and not (kind == _PROFILE and _is_too_large(data[at + 8 : end - 4])):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def load_cut_off(picture: Image.Image) -> bool:
    """Decode a picture whose end is missing. Return False if more is missing than viewers would hide.

    What is missing is one grey, from side to side. Raises what Pillow raises.
    """
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        picture.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    band = max(round(picture.height * _MISSING_SHARE), 2)
    bottom = picture.convert("RGB").crop((0, picture.height - band, picture.width, picture.height))
    shades = set(bottom.tobytes())
    return len(shades) > 1 or max(shades) > _LIGHTEST_MISSING


def _is_too_large(body: bytes) -> bool:
    """Return True if a profile inflates to more than any real one has."""
    _, _, packed = body.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed[1:], _LARGEST_PROFILE)
    except zlib.error:
        return True
    return bool(unpacker.unconsumed_tail)
