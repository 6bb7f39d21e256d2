"""Show frames as a file's header says: turned, cropped, with square pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import av
from av.buffer import Buffer
from av.filter import Graph
from av.video import VideoStream
from av.video.reformatter import Colorspace
from PIL import Image

from bot.media.boxes import read_boxes
from bot.media.yuv import Size, picture_of

_MAX_SIDE_PX = 4096
_HD_PX = 720
_UNNAMED = 2  # the colour matrix of a stream that does not say; ITU-T H.273, table 4
_INSIDE = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"stsd": 8}
_VISUAL_SAMPLE_ENTRY = 78  # bytes before its boxes: ISO/IEC 14496-12, 12.1.3.2

_Transpose = Image.Transpose
# ISO/IEC 14496-12, 8.2.2.3: the signs of a, b, c, d in x' = ax + cy, y' = bx + dy.
_TURNS = {
    (-1, 0, 0, 1): _Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): _Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): _Transpose.ROTATE_180,
    (0, -1, 1, 0): _Transpose.ROTATE_90,
    (0, 1, -1, 0): _Transpose.ROTATE_270,
    (0, 1, 1, 0): _Transpose.TRANSPOSE,
    (0, -1, -1, 0): _Transpose.TRANSVERSE,
}
SIDEWAYS = frozenset(
    {_Transpose.ROTATE_90, _Transpose.ROTATE_270, _Transpose.TRANSPOSE, _Transpose.TRANSVERSE}
)
"""Turns that make height of width."""


class Aperture(NamedTuple):
    """The part of a frame that is shown, in pixels."""

    width: int
    height: int
    left: int
    top: int


def turn_of(frame: av.VideoFrame) -> Image.Transpose | None:
    """Return the rotation that brings the frame upright; None if it is upright."""
    # Not for every frame: one that was asked for its side data is freed late, by the garbage collector.
    matrix = cast("Buffer | None", frame.side_data.get("DISPLAYMATRIX"))
    if matrix is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    return _TURNS.get((_sign(a), _sign(b), _sign(c), _sign(d)))


def pixel_aspect(picture: VideoStream) -> Fraction:
    """Return how much wider than high a pixel is."""
    return picture.sample_aspect_ratio or Fraction(1)


def shown_size(frame: av.VideoFrame, turn: Image.Transpose | None, aspect: Fraction) -> Size:
    width = frame.width * max(Fraction(1), aspect)
    height = frame.height / min(Fraction(1), aspect)
    scale = min(Fraction(1), _MAX_SIDE_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return (size[1], size[0]) if turn in SIDEWAYS else size


def name_colours(frame: av.VideoFrame) -> None:
    """Set the colour matrix of a frame that names none, by its size, as players do."""
    if frame.colorspace == _UNNAMED:
        hd = min(frame.width, frame.height) >= _HD_PX
        frame.colorspace = Colorspace.ITU709 if hd else Colorspace.ITU601


def upright_picture(frame: av.VideoFrame, aspect: Fraction) -> Image.Image:
    """Return a frame as players show it, at most 4096 pixels a side."""
    name_colours(frame)
    turn = turn_of(frame)
    size = shown_size(frame, turn, aspect)
    picture = picture_of(frame)
    if turn is not None:
        picture = picture.transpose(turn)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def cropped(frames: Iterator[av.VideoFrame], aperture: Aperture | None) -> Iterator[av.VideoFrame]:
    """Return the same frames, without what lies outside of the aperture."""
    if aperture is None:
        yield from frames
        return
    graph: Graph | None = None
    for frame in frames:
        if graph is None:
            graph = _crop_graph(frame, aperture)
        graph.push(frame)
        shown = cast("av.VideoFrame", graph.pull())
        shown.pts = frame.pts
        yield shown


def _crop_graph(frame: av.VideoFrame, aperture: Aperture) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    width, height, left, top = aperture
    crop = graph.add("crop", f"{width}:{height}:{left}:{top}:exact=1")
    sink = graph.add("buffersink")
    source.link_to(crop)
    crop.link_to(sink)
    graph.configure()
    return graph


def clean_aperture(path: Path) -> Aperture | None:
    """Return the part of each frame that an MP4 says is to be shown, None if that is all of it.

    The library does not apply it: ISO/IEC 14496-12, 12.1.4.
    """
    with path.open("rb") as file:
        end = file.seek(0, 2)
        return next(_apertures(file, 0, end, 0), None)


def _apertures(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[Aperture]:
    for box in read_boxes(file, start, end):
        if box.kind in _INSIDE and depth < len(_INSIDE):
            yield from _apertures(file, box.body + _INSIDE[box.kind], box.end, depth + 1)
        elif depth == len(_INSIDE):
            file.seek(box.body)
            yield from _aperture_of(file.read(min(box.end - box.body, 4096)))


def _aperture_of(entry: bytes) -> Iterator[Aperture]:
    """Yield the aperture of a sample entry of a picture, if it has one."""
    if len(entry) < _VISUAL_SAMPLE_ENTRY:
        return
    coded = struct.unpack(">HH", entry[24:28])
    at = _VISUAL_SAMPLE_ENTRY
    while at + 8 <= len(entry):
        size, kind = int.from_bytes(entry[at : at + 4]), entry[at + 4 : at + 8]
        if kind == b"clap" and at + 40 <= len(entry):
            numbers = struct.unpack(">IIIIiIiI", entry[at + 8 : at + 40])
            if not all(numbers[1::2]):
                return
            width, height, across, down = map(Fraction, numbers[::2], numbers[1::2])
            left, top = (coded[0] - width) / 2 + across, (coded[1] - height) / 2 + down
            shown = Aperture(*(round(number) for number in (width, height, left, top)))
            fits = shown.width + shown.left <= coded[0] and shown.height + shown.top <= coded[1]
            if fits and min(shown[:2]) >= 2 and min(shown[2:]) >= 0 and shown[:2] != coded:
                yield shown
            return
        if size < 8:
            return
        at += size


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
