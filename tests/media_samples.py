"""Small photos and videos for the media tests, made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from math import cos, pi
from pathlib import Path
from typing import cast

import av
from av.audio import AudioStream
from av.video import VideoStream
from PIL import Image


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


@dataclass(frozen=True)
class Clip:
    """A video to make; `sound` is the name of an encoder, or none."""

    kind: str = "mp4"
    codec: str = "libx264"
    sound: str | None = None
    seconds: float = 1.0
    size: tuple[int, int] = (160, 96)
    flags: str = ""
    bits_per_s: int = 0
    options: tuple[tuple[str, str], ...] = (("g", "12"),)

    def write(self, path: Path) -> Path:
        with av.open(
            path, "w", format=self.kind, options={"movflags": self.flags} if self.flags else {}
        ) as movie:
            picture = cast(VideoStream, movie.add_stream(self.codec, rate=24, options=dict(self.options)))
            picture.width, picture.height = self.size
            picture.pix_fmt = "yuv420p"
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


def frames_of(path: Path) -> list[Image.Image]:
    """Every frame's light (grey)."""
    with av.open(path) as movie:
        frames = [frame.reformat(format="gray").planes[0] for frame in movie.decode(video=0)]
        return [
            Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size)
            for plane in frames
        ]


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
