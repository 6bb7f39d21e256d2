"""A stacked bar chart as a picture for a chat: a bar for each day, readable on a phone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw

from bot.media.drawing.glyphs import drawable, ink_of, width_of
from bot.media.media_info import ChartSeries

_WIDTH, _HEIGHT = 1080, 760  # a phone shows a third of the pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 96, 40, 150, 84
_TEXT_PX = 34
_GROUND, _INK, _SOFT, _LINE = (250, 250, 248), (32, 38, 45), (92, 102, 112), (221, 225, 224)
_GAP = 0.26
_LABELS = 7
COLOURS = {
    "made": (47, 143, 131),
    "failed": (200, 85, 61),
    "cancelled": (163, 171, 178),
    "open": (95, 143, 208),
}
"""The same as those of the operator's page."""


def draw_chart(days: Sequence[str], parts: Sequence[ChartSeries]) -> bytes:
    """Draw a PNG of 1080 x 760 pixels. The first part is at the bottom of each bar."""
    picture = Image.new("RGB", (_WIDTH, _HEIGHT), _GROUND)
    pen = ImageDraw.Draw(picture)
    _draw_key(picture, pen, parts)
    tops = [sum(part.counts[day] for part in parts) for day in range(len(days))]
    axis = _axis(max(tops, default=0))
    for count in axis:
        y = _y(count, axis[-1])
        pen.line((_LEFT, y, _WIDTH - _RIGHT, y), fill=_LINE, width=2)
        _write(picture, _short(count), _LEFT - 18, y, anchor="right")
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(days), 1)
    every = math.ceil(len(days) / _LABELS)
    for day, name in enumerate(days):
        left, below = _LEFT + day * step + _GAP / 2 * step, 0
        for part in parts:
            count = part.counts[day]
            if count:
                box = (left, _y(below + count, axis[-1]), left + (1 - _GAP) * step, _y(below, axis[-1]))
                pen.rectangle(box, fill=COLOURS[part.colour])
                below += count
        if (len(days) - 1 - day) % every == 0:  # today is always named
            _write(picture, name, _LEFT + (day + 0.5) * step, _HEIGHT - _BOTTOM / 2, anchor="middle")
    encoded = BytesIO()
    picture.save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def _draw_key(picture: Image.Image, pen: ImageDraw.ImageDraw, parts: Sequence[ChartSeries]) -> None:
    """Draw each colour with its name and the sum of its numbers, in one line or two."""
    x, y = _LEFT - 48.0, 46.0
    for part in parts:
        text = drawable(f"{part.name} {sum(part.counts)}")
        width = 44 + width_of(text, _TEXT_PX) + 36
        if x + width > _WIDTH and x > _LEFT:
            x, y = _LEFT - 48.0, y + 52
        pen.rounded_rectangle((x, y - 14, x + 28, y + 14), 7, fill=COLOURS[part.colour])
        _write(picture, text, x + 44, y, anchor="left", colour=_INK)
        x += width


def _write(
    picture: Image.Image,
    text: str,
    x: float,
    y: float,
    *,
    anchor: str,
    colour: tuple[int, int, int] = _SOFT,
) -> None:
    """Draw one line of text; `y` is the middle of its digits."""
    mask, width, margin = ink_of(text, _TEXT_PX), width_of(text, _TEXT_PX), math.ceil(_TEXT_PX / 2)
    left = x - margin - {"left": 0.0, "middle": width / 2, "right": width}[anchor]
    baseline = y + 0.36 * _TEXT_PX
    picture.paste(colour, (round(left), round(baseline - margin - _TEXT_PX)), mask)


def _y(count: float, most: int) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * count / most


def _short(count: int) -> str:
    return f"{count // 1000}k" if count >= 10_000 else str(count)


def _axis(most: int) -> list[int]:
    """Return the values of the axis: from 0 to `most` or above, in about five whole steps."""
    rough = max(most, 1) / 5
    size = 10 ** max(math.floor(math.log10(rough)), 0)
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [step * count for count in range(math.ceil(max(most, 1) / step) + 1)]
