"""Walk the boxes of an MP4, and the head of a WebM, without reading what they hold: ISO/IEC 14496-12, 4.2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_MOST = 1000
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


class Box(NamedTuple):
    """Positions in the file, in bytes."""

    kind: bytes
    body: int
    end: int
    is_open: bool
    """It goes on to the end of its file, however long that becomes."""


def read_boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes from `start` to `end`, up to the first that does not fit; a thousand at most."""
    for _ in range(_MOST):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4]), head[4:8]
        header = 16 if size == 1 else 8
        is_open = size == 0
        size = int.from_bytes(head[8:16]) if size == 1 else size or end - start
        if size < header or start + size > end:
            return
        yield Box(kind, start + header, start + size, is_open)
        start += size


def is_indexed_first(path: Path) -> bool:
    """Return True if this is an MP4 that plays while it loads, and more may follow at its end.

    Not fragmented, no QuickTime file, nothing beside its boxes, and none of them that is open at its end.
    """
    with path.open("rb") as file:
        end = file.seek(0, 2)
        boxes = list(read_boxes(file, 0, end))
        kinds = [box.kind for box in boxes]
        if kinds[:1] != [b"ftyp"] or kinds.count(b"moov") != 1 or b"mdat" not in kinds or b"moof" in kinds:
            return False
        file.seek(boxes[0].body)
        is_quicktime = file.read(4) == b"qt  "
        is_whole = boxes[-1].end == end and not boxes[-1].is_open
        return is_whole and not is_quicktime and kinds.index(b"moov") < kinds.index(b"mdat")


def is_cut_short(path: Path) -> bool:
    """Return True if this is a WebM or MKV that ends before it says: RFC 8794, 4 to 8.

    The library reads on to the last frame that is there.
    """
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(0)
        head = file.read(64)
    if not head.startswith(_EBML):
        return False
    size, at = _vint(head, len(_EBML))
    segment = at + size
    if not head.startswith(_SEGMENT, segment):
        return False
    size, at = _vint(head, segment + len(_SEGMENT))
    is_open = size == (1 << 7 * (at - segment - len(_SEGMENT))) - 1
    return not is_open and at + size > end


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    length = 9 - data[at].bit_length() if at < len(data) and data[at] else 1
    value = int.from_bytes(data[at : at + length]) & ((1 << 7 * length) - 1)
    return value, at + length
