"""Small photos and videos for the media tests, made on the spot."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from io import BytesIO
from math import cos, pi
from pathlib import Path
from typing import cast

import av
import pillow_heif
from av.audio import AudioStream
from av.video import VideoStream
from PIL import Image

from bot.media.provenance import Provenance

MADE = Provenance("kling-3", datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
pillow_heif.register_heif_opener()  # for writing; the bot has its own way to learn this format


def waves_photo(width: int = 640, height: int = 360, waves: int = 6) -> Image.Image:
    """Smooth waves both ways: every patch looks different from its neighbours, and nothing is sharp."""
    across = [127 * cos(2 * pi * waves * x / width + 5 * (x / width) ** 2) for x in range(width)]
    down = [cos(2 * pi * (waves / 2) * y / height + 3 * (y / height) ** 2) for y in range(height)]
    rows = b"".join(bytes(round(127.5 + a * d) for a in across) for d in down)
    grey = Image.frombytes("L", (width, height), rows)
    return Image.merge(
        "RGB", (grey, grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT), grey.point(lambda v: 255 - v))
    )


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    data = BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def exif_bytes(orientation: int = 1, make: str = "A camera") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = make
    return exif.tobytes()


def stored_turned(upright: Image.Image, orientation: int) -> Image.Image:
    """The pixels that a camera stores beside this EXIF orientation."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return upright.transpose(undo[orientation]) if orientation in undo else upright


def display_p3() -> bytes:
    """A colour profile as phones use: wider primaries than sRGB, the same curve. ICC.1:2010."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65_536))

    def xyz(*parts: float) -> bytes:
        return b"XYZ " + bytes(4) + b"".join(map(number, parts))

    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
    curve += b"".join(map(number, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    name = b"Display P3\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78 + 1),
        b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    at = 128 + 4 + 12 * len(tags)
    index, body = struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        index += tag + struct.pack(">II", at + len(body), len(value))
        body += padded
    header = struct.pack(">I4sI", at + len(body), bytes(4), 0x02400000) + b"mntrRGB XYZ " + bytes(12)
    header += b"acsp" + bytes(28) + number(0.9642) + number(1.0) + number(0.8249)
    return header.ljust(128, b"\0") + index + body


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def many_scans(side: int, scans: int) -> bytes:
    """A small JPEG that is slow to decode: each of its scans goes over all of its pixels again."""
    data = encoded(Image.new("L", (side, side), 90), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


def shared_metadata(pictures: int, size: int) -> bytes:
    """A HEIC whose pictures all refer to one block of metadata: a copy for each needs gigabytes."""
    first, *others = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in range(pictures)]
    first.info["exif"] = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + bytes(size)
    data = bytearray(encoded(first, "HEIF", save_all=True, append_images=others, quality=10))
    _, meta, meta_end = next(box for box in _parts(data, 0, len(data)) if box[0] == b"meta")
    parts = {kind: (start, end) for kind, start, end in _parts(data, meta + 12, meta_end)}

    entries = _parts(data, parts[b"iinf"][0] + 14, parts[b"iinf"][1])
    items = [data[at + 12 : at + 14] for _, at, _ in entries if data[at + 16 : at + 20] == b"hvc1"]
    start, end = parts[b"iref"]
    metadata_item = data[start + 20 : start + 22]
    reference = b"cdsc" + metadata_item + struct.pack(">H", len(items)) + b"".join(items)
    references = bytes(4) + struct.pack(">I", len(reference) + 4) + reference
    grown = len(references) + 8 - (end - start)

    # Where the items' bytes lie is counted from the start of the file. An entry: item, source, base, count of
    # extents (one), offset, length.
    for at in range(parts[b"iloc"][0] + 16, parts[b"iloc"][1], 18):
        offset = int.from_bytes(data[at + 10 : at + 14]) + grown
        data[at + 10 : at + 14] = struct.pack(">I", offset)
    data[start:end] = struct.pack(">I", len(references) + 8) + b"iref" + references
    data[meta : meta + 4] = struct.pack(">I", meta_end - meta + grown)
    return bytes(data)


@dataclass(frozen=True)
class Clip:
    """A video to make; `sound` is the name of an encoder, or none."""

    kind: str = "mp4"
    codec: str = "libx264"
    pixels: str = "yuv420p"
    sound: str | None = None
    seconds: float = 1.0
    size: tuple[int, int] = (160, 96)
    flags: str = ""
    bits_per_s: int = 0
    tag: str = ""
    options: tuple[tuple[str, str], ...] = (("g", "12"),)

    def write(self, path: Path) -> Path:
        with av.open(
            path, "w", format=self.kind, options={"movflags": self.flags} if self.flags else {}
        ) as movie:
            picture = cast(VideoStream, movie.add_stream(self.codec, rate=24, options=dict(self.options)))
            picture.width, picture.height = self.size
            picture.pix_fmt = self.pixels
            if self.bits_per_s:
                picture.bit_rate = self.bits_per_s
            track = None
            if self.sound:
                track = cast(AudioStream, movie.add_stream(self.sound, rate=48_000, layout="stereo"))
            for index in range(round(24 * self.seconds)):
                movie.mux(picture.encode(_moving_frame(self.size, index)))
                if track is not None:
                    movie.mux(track.encode(_hum(track.format.name, index)))
            movie.mux(picture.encode(None))
            if track is not None:
                movie.mux(track.encode(None))
        if self.tag:
            path.write_bytes(path.read_bytes().replace(b"hev1", self.tag.encode()))
        return path


def boxes(path: Path) -> list[str]:
    """The names of an MP4's outermost boxes, in order."""
    names = []
    with path.open("rb") as file:
        while header := file.read(8):
            length = int.from_bytes(header[:4])
            names.append(header[4:].decode("latin-1"))
            if length == 1:
                length = int.from_bytes(file.read(8)) - 8
            file.seek(length - 8, 1)
    return names


def hollow_movie(
    *, samples: int = 24, ticks: int = 2, tracks: int = 1, edits: int = 0, size: tuple[int, int] = (160, 96)
) -> bytes:
    """An MP4 of a few kilobytes whose tracks promise this many samples, and hold none of them. ISO/IEC
    14496-12; a table of samples that are all alike takes a few bytes, whatever it promises. One lasts `ticks`
    of 1/24000 s.
    """
    header = full_box(b"mvhd", struct.pack(">4I", 0, 0, 1000, 1000) + bytes(80))
    return box(b"ftyp", b"isom" + bytes(4) + b"isommp41") + box(
        b"moov", header, *(_hollow_track(samples, ticks, edits, size) for _ in range(tracks))
    )


def _hollow_track(samples: int, ticks: int, edits: int, size: tuple[int, int]) -> bytes:
    entry = bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">2H", *size) + bytes(14)
    entry += bytes(32) + struct.pack(">2H", 24, 0xFFFF)
    tables = box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1) + box(b"avc1", entry)),
        full_box(b"stts", struct.pack(">3I", 1, samples, ticks)),
        full_box(b"stsc", struct.pack(">4I", 1, 1, samples, 1)),
        full_box(b"stsz", struct.pack(">2I", 1, samples)),
        full_box(b"stco", struct.pack(">2I", 1, 48)),
    )
    handler = full_box(b"hdlr", bytes(4) + b"vide" + bytes(13))
    clock = full_box(b"mdhd", struct.pack(">4I", 0, 0, 24_000, samples * ticks) + bytes(4))
    media = box(b"mdia", clock, handler, box(b"minf", full_box(b"vmhd", bytes(8)), tables))
    head = full_box(b"tkhd", struct.pack(">3I", 0, 0, 1) + bytes(72))
    edit_list = full_box(b"elst", struct.pack(">I", edits) + struct.pack(">IiI", 1000, 0, 1 << 16) * edits)
    return box(b"trak", head, *([box(b"edts", edit_list)] if edits else []), media)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, body: bytes) -> bytes:
    """A box with a version and flags."""
    return box(kind, bytes(4), body)


def frames_of(path: Path) -> list[Image.Image]:
    """Every frame's light (grey)."""
    with av.open(path) as movie:
        frames = [frame.reformat(format="gray").planes[0] for frame in movie.decode(video=0)]
        return [
            Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size)
            for plane in frames
        ]


def _parts(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes that lie side by side: kind, start and end."""
    while start < end:
        length = int.from_bytes(data[start : start + 4])
        yield bytes(data[start + 4 : start + 8]), start, start + length
        start += length


def _moving_frame(size: tuple[int, int], index: int) -> av.VideoFrame:
    picture = Image.linear_gradient("L").resize(size).rotate(index * 3).convert("RGB")
    frame = av.VideoFrame.from_bytes(picture.tobytes("raw", "RGBX"), *size, format="rgba").reformat(
        format="yuv420p"
    )
    frame.pts, frame.time_base = index, Fraction(1, 24)
    return frame


def _hum(sample_format: str, index: int) -> av.AudioFrame:
    frame = av.AudioFrame(sample_format, "stereo", samples=2000)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate, frame.pts, frame.time_base = 48_000, index * 2000, Fraction(1, 48_000)
    return frame
