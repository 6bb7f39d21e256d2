"""Facts about pictures and films that need no codecs: their sides, limits and types."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from bot.errors import MediaError

if TYPE_CHECKING:  # pydantic takes half as long to load as the codecs, in each worker process
    from bot.request import PhotoRules

Size = tuple[int, int]

MAX_BYTES = 20 << 20
"""Of a photo: what Telegram lets a bot download; core.telegram.org/bots/api#getfile."""
# Of the preview's films: about 720p each; sides divide by 16, the codec's block.
SIZES: dict[str, Size] = {
    "16:9": (1280, 720),
    "4:3": (1104, 832),
    "1:1": (960, 960),
    "3:4": (832, 1104),
    "9:16": (720, 1280),
    "21:9": (1472, 640),
}


@dataclass(frozen=True, slots=True)
class FitPhoto:
    """A photo as a provider accepts it; sides in pixels."""

    data: bytes
    width: int
    height: int
    content_type: str
    """`image/jpeg` or `image/png`."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    width: int
    height: int
    duration_s: float
    has_audio: bool
    video_codec: str
    pix_fmt: str
    bytes: int
    is_shrunk: bool = False
    """Encoded again by us, because it was too large to send."""
    needs_encoding: bool = False
    """Some phones do not show it as it is meant. The file is the one that came."""


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One colour of a chart: its name, with a number for each day."""

    name: str
    colour: str
    """A key of `chart.COLOURS`."""
    counts: tuple[int, ...]


def fit_size(width: int, height: int, rules: PhotoRules) -> Size:
    """Return the sides to which a picture is resized. Raises `photo_too_small`, `photo_too_long`."""
    short, long = sorted((width, height))
    values = {"width": width, "height": height}
    if short < rules.enlarged_from * rules.min_side:
        raise MediaError("photo_too_small", f"{width} x {height}", min_side=rules.min_side, **values)
    if long > rules.max_long_to_short * short:
        raise MediaError("photo_too_long", f"{width} x {height}", times=rules.max_long_to_short, **values)
    scale = min(max(1.0, rules.min_side / short), rules.max_side / long)
    new_long = round(long * scale)
    # Rounded down, the short side of a picture that is just within the shape would leave it.
    new_short = max(round(short * scale), ceil(new_long / rules.max_long_to_short))
    return (new_long, new_short) if width > height else (new_short, new_long)
