"""Pictures and films that tests send, and know again in what comes of them."""

from __future__ import annotations

import io
import os
from functools import cache

import av
from PIL import Image


def photo(width: int = 640, height: int = 480, kind: str = "JPEG") -> bytes:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), (220, 20, 20))
    picture.paste((20, 20, 220), (width // 2, 0, width, height))
    data = io.BytesIO()
    picture.save(data, kind, quality=95)
    return data.getvalue()


def is_red_and_blue(picture: Image.Image) -> bool:
    """Whether a picture shows `photo`: red at the left, blue at the right."""
    small = picture.convert("RGB").resize((8, 8))
    left, right = small.getpixel((1, 4)), small.getpixel((6, 4))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    return left[0] > 2 * left[2] and right[2] > 2 * right[0]


@cache
def noise_mp4(megabytes: int) -> bytes:
    """A real video of about that size: noise that no encoder can make smaller."""
    width, height = 1280, 720
    size = width * height * 3 // 2
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as movie:
        options = {"preset": "ultrafast", "qp": "0", "g": "1"}
        stream = movie.add_stream("libx264", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        while file.tell() < (megabytes - 1) * 1_000_000:
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane, data in zip(frame.planes, (size * 2 // 3, size // 6, size // 6), strict=True):
                plane.update(os.urandom(data))
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode(None))
    return file.getvalue()


def picture_of(frame: av.VideoFrame) -> Image.Image:
    """A frame of a film, to look at."""
    rgb = frame.reformat(format="rgb24").planes[0]
    return Image.frombytes("RGB", (frame.width, frame.height), bytes(rgb), "raw", "RGB", rgb.line_size)
