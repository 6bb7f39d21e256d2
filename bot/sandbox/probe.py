"""Read kind, dimensions, length and sound from the header of a picture or video, without decoding."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# JPEG: the start-of-frame markers hold the dimensions; C4, C8 and CC are other markers.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_CONTAINERS = (b"moov", b"trak", b"mdia")


@dataclass(frozen=True)
class Probe:
    mime: str = "application/octet-stream"
    width: int = 0
    height: int = 0
    duration_s: int = 0
    has_sound: bool | None = None  # None: not a video that can be read


def probe(path: Path) -> Probe:
    """Return what the header says; zeros and `application/octet-stream` if unknown. Never raises."""
    with path.open("rb") as file:
        head = file.read(32)
        try:
            if head.startswith(b"\xff\xd8"):
                return Probe("image/jpeg", *_jpeg_size(file))
            if head.startswith(b"\x89PNG\r\n\x1a\n"):
                return Probe("image/png", *struct.unpack(">II", head[16:24]))
            if head[4:8] == b"ftyp":
                return _probe_mp4(file, path.stat().st_size)
        except struct.error:
            pass
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Probe("image/webp")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return Probe("video/webm")
    return Probe()


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    file.seek(2)
    while True:
        start, marker, length = struct.unpack(">BBH", file.read(4))
        if start != 0xFF:
            return 0, 0
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)


def _probe_mp4(file: BinaryIO, size: int) -> Probe:
    found = _Mp4()
    _walk(file, 0, size, found)
    if not found.tracks:
        return Probe("video/mp4")
    return Probe("video/mp4", found.width, found.height, found.duration_s, "soun" in found.tracks)


class _Mp4:
    def __init__(self) -> None:
        self.width = self.height = self.duration_s = 0
        self.tracks: set[str] = set()


def _walk(file: BinaryIO, at: int, end: int, found: _Mp4) -> None:
    """Read the boxes between two offsets: each has a length, a name and content."""
    while at + 8 <= end:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        content = at + 8
        if length == 1:  # the length did not fit 32 bits and follows in 64
            (length,) = struct.unpack(">Q", file.read(8))
            content += 8
        if length < content - at:
            return
        if name in _CONTAINERS:
            _walk(file, content, min(at + length, end), found)
        elif name == b"mvhd":
            long = file.read(1) == b"\x01"
            file.seek(content + (20 if long else 12))
            scale, duration = struct.unpack(">IQ" if long else ">II", file.read(12 if long else 8))
            found.duration_s = round(duration / scale) if scale else 0
        elif name == b"tkhd":
            long = file.read(1) == b"\x01"
            file.seek(content + (88 if long else 76))
            width, height = (side >> 16 for side in struct.unpack(">II", file.read(8)))
            if width:
                found.width, found.height = width, height
        elif name == b"hdlr":
            file.seek(content + 8)
            found.tracks.add(file.read(4).decode("latin-1"))
        at += length
