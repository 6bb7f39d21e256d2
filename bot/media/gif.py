"""GIFs as Telegram keeps them: silent MP4s."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from PIL import Image, ImageSequence

from bot.errors import MediaError

_CLOCK = 100
"""Ticks a second: what GIFs count in."""
_LEAST_TICKS = 2
_MAX_FRAMES = 1000
_GROUND = (255, 255, 255)


def film_gif(source: Path, target: Path) -> None:
    """Write a GIF to `target` as a silent MP4. Raises `MediaError`: `not_a_video`."""
    try:
        with Image.open(source, formats=("GIF",)) as gif, av.open(target, "w", format="mp4") as movie:
            picture = movie.add_stream("libx264", rate=25, options={"preset": "veryfast"})
            size = (max(gif.width // 2 * 2, 2), max(gif.height // 2 * 2, 2))
            picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
            at, picture.codec_context.time_base = 0, Fraction(1, _CLOCK)
            for number, image in enumerate(ImageSequence.Iterator(gif)):
                if number == _MAX_FRAMES:
                    break
                pixels = _on_ground(image).resize(size).convert("RGBA").tobytes()
                frame = av.VideoFrame.from_bytes(pixels, *size, format="rgba")
                frame.pts, frame.time_base = at, Fraction(1, _CLOCK)
                at += max(round(image.info.get("duration", 0) * _CLOCK / 1000), _LEAST_TICKS)
                movie.mux(picture.encode(frame))
            movie.mux(picture.encode(None))
    except (OSError, ValueError, SyntaxError, EOFError, av.FFmpegError) as error:
        raise MediaError("not_a_video", str(error)) from error


def _on_ground(image: Image.Image) -> Image.Image:
    """Return a picture without transparency."""
    ground = Image.new("RGB", image.size, _GROUND)
    layer = image.convert("RGBA")
    ground.paste(layer, mask=layer)
    return ground
