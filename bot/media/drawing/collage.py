"""Pictures side by side, as prints on a table, each drifting a little for itself."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import ceil, pi, sin

from PIL import Image, ImageFilter, ImageOps

from bot.media.drawing.cutouts import Cutout, Layer, cutout_of
from bot.media.yuv import Planes, Size

_PAPER = (246, 244, 238)
_SHADOW = 0.4
_SHARE = 0.66  # of the frame's height: the words are below
_FINE = 2


def lay_out(pictures: Sequence[Image.Image], size: Size, chance: random.Random) -> Layer:
    """Return what draws the pictures, in their order, in as many rows as leave them largest."""
    width, height = size[0], size[1] * _SHARE
    rows = min(range(1, len(pictures) + 1), key=lambda count: -_side(len(pictures), count, width, height))
    columns = ceil(len(pictures) / rows)
    side = 0.9 * _side(len(pictures), rows, width, height)
    prints = []
    for index, picture in enumerate(pictures):
        row = index // columns
        in_row = min(columns, len(pictures) - row * columns)
        x = width / 2 + (index % columns - (in_row - 1) / 2) * side * 1.3
        y = size[1] * 0.06 + height / 2 + (row - (rows - 1) / 2) * side * 1.1
        prints.append((_print(picture, side, chance.uniform(-3.5, 3.5)), x, y, chance.uniform(0, 2 * pi)))

    def draw(planes: Planes, at_s: float) -> None:
        for cutout, x, y, phase in prints:
            across = 0.008 * min(size) * sin(2 * pi * at_s / 7.3 + phase)
            down = 0.006 * min(size) * sin(2 * pi * at_s / 5.9 + 1.7 * phase)
            cutout.paste(planes, x - cutout.size[0] / 2 + across, y - cutout.size[1] / 2 + down)

    return draw


def _side(count: int, rows: int, width: float, height: float) -> float:
    return min(width * 0.86 / ceil(count / rows) / 1.2, height * 0.96 / rows)


def _print(picture: Image.Image, side: float, angle: float) -> Cutout:
    """Return the picture with a paper border and a soft shadow, turned by `angle` degrees."""
    long, short = max(picture.size), min(picture.size)
    shrink = side * _FINE / (long * short) ** 0.5 * (0.97 if long < 1.2 * short else 0.94)
    inner = ImageOps.fit(
        picture.convert("RGB"),
        (round(picture.width * shrink * 0.9), round(picture.height * shrink * 0.9))
        if long < 1.9 * short
        else (round(side * _FINE * 0.9),) * 2,
        Image.Resampling.LANCZOS,
    )
    sheet = Image.new("RGBA", (round(side * _FINE * 1.6),) * 2, (0, 0, 0, 0))
    border = round(side * _FINE * 0.04)
    box = ((sheet.width - inner.width) // 2 - border, (sheet.height - inner.height) // 2 - border)
    card = Image.new("RGBA", (inner.width + 2 * border, inner.height + 2 * border), (*_PAPER, 255))
    card.paste(inner, (border, border))
    sheet.paste(card, box)
    sheet = sheet.rotate(angle, Image.Resampling.BICUBIC)
    cast = sheet.getchannel("A").filter(ImageFilter.GaussianBlur(side * _FINE * 0.03))
    below = Image.new("RGBA", sheet.size, (0, 0, 0, 0))
    below.putalpha(cast.point([round(value * _SHADOW) for value in range(256)]))
    whole = Image.new("RGBA", sheet.size, (0, 0, 0, 0))
    whole.alpha_composite(below, (0, round(side * _FINE * 0.02)))
    whole.alpha_composite(sheet)
    small = whole.reduce(_FINE)
    return cutout_of(small.convert("RGB"), small.getchannel("A"))
