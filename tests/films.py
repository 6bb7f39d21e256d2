"""Small real films whose frames tests know again."""

from __future__ import annotations

import io
import random
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from pictures import photo, picture_of
from PIL import Image

GREEN, WHITE = (20, 200, 20), (250, 250, 250)


@cache
def film(first: tuple[int, int, int] = GREEN, size: tuple[int, int] = (640, 360), frames: int = 24) -> bytes:
    """An MP4 of one colour, 24 frames a second. Its last frame is red on the left and blue on the right."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as movie:
        stream = movie.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        pictures = [Image.new("RGB", size, first)] * (frames - 1)
        for picture in [*pictures, Image.open(io.BytesIO(photo(*size)))]:
            frame = av.VideoFrame.from_bytes(picture.convert("RGBA").tobytes(), *size, format="rgba")
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode(None))
    return file.getvalue()


@cache
def noise(seconds: float, megabits_per_s: float = 12.0, size: tuple[int, int] = (640, 360)) -> bytes:
    """An MP4 that is as large as it looks: noise cannot be made smaller without loss."""
    source, file = random.Random(7), io.BytesIO()
    with av.open(file, "w", format="mp4") as movie:
        stream = movie.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = int(megabits_per_s * 1_000_000)
        for _ in range(round(24 * seconds)):
            frame = av.VideoFrame(*size, "yuv420p")
            for plane in frame.planes:
                plane.update(source.randbytes(plane.buffer_size))
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode(None))
    return file.getvalue()


def pictures_of(path: Path) -> list[Image.Image]:
    with av.open(path) as movie:
        return [picture_of(frame) for frame in movie.decode(video=0)]


def is_of(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Whether the middle of a picture is about that colour."""
    seen = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(seen, tuple)
    return all(abs(one - other) < 30 for one, other in zip(seen, colour, strict=True))


@cache
def slow_film(frames: int = 4000, side: int = 4096) -> bytes:
    """An MP4 of a few kilobytes that takes long to decode: one keyframe, then frames that change nothing."""
    file, cycle = io.BytesIO(), 16  # H.264 counts the frames of such a stream modulo 16
    with av.open(file, "w", format="mp4") as movie:
        options = {"preset": "ultrafast", "g": "10000", "tune": "zerolatency"}
        stream = movie.add_stream("libx264", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        picture = av.VideoFrame(side, side, "yuv420p")
        for plane in picture.planes:
            plane.update(bytes([100]) * plane.buffer_size)
        packets = [packet for _ in range(1 + cycle) for packet in stream.encode(picture)]
        for number in range(frames):
            packet = av.Packet(bytes(packets[number if number == 0 else 1 + (number - 1) % cycle]))
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 24), number == 0
            packet.pts = packet.dts = number
            movie.mux(packet)
    return file.getvalue()
