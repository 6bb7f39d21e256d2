"""What stands still, and is passed slowly: ranges of hills and rows of firs, each paler the farther it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import pi, sin

from PIL import Image, ImageDraw

from bot.media.drawing.cutouts import FINE, Cutout, Layer, fade, strip_of
from bot.media.drawing.palettes import Palette, mix
from bot.media.yuv import RGB, Planes, Size

_BLACK = (4, 6, 10)
_SNOWY = (226, 236, 248)
_SPARE = 0.05  # of the width: how far the nearest range moves in ten seconds

_Profile = Callable[[float], float]


def hills(size: Size, palette: Palette, chance: random.Random, *, snowy: bool) -> Layer:
    """Draw four ranges, with mist between them."""
    return _passing(
        size, [_range(size, palette, chance, depth, 4, snowy=snowy, firs=False) for depth in range(4)]
    )


def forest(size: Size, palette: Palette, chance: random.Random, *, snowy: bool) -> Layer:
    """Draw four rows of firs, with mist between them."""
    return _passing(
        size, [_range(size, palette, chance, depth, 4, snowy=snowy, firs=True) for depth in range(4)]
    )


def _passing(size: Size, ranges: list[tuple[Cutout, int]]) -> Layer:
    spare = size[0] * _SPARE

    def draw(planes: Planes, at_s: float) -> None:
        for depth, (cutout, top) in enumerate(ranges):
            share = (depth + 1) / len(ranges)
            cutout.paste(planes, -spare * share**1.5 * at_s / 10, top)

    return draw


def _range(
    size: Size, palette: Palette, chance: random.Random, depth: int, count: int, *, snowy: bool, firs: bool
) -> tuple[Cutout, int]:
    """Draw one range, the farthest at `depth` 0; return it and its top in the frame."""
    width, height = round(size[0] * (1 + _SPARE)) + 4, size[1]
    near = depth / (count - 1)
    unit = min(size)
    base = height * (0.66 + 0.25 * near) if firs else height * (0.62 + 0.27 * near)
    profile = _profile(chance, width, unit * (0.03 + 0.03 * near if firs else 0.1 - 0.05 * near))
    tree = unit * (0.075 + 0.25 * near**1.6) if firs else 0
    top = int(base - unit * 0.15 - tree * 1.3) // 2 * 2
    box = (width, min(height - top, round(unit * 0.42 + tree * 1.3)) if near < 1 else height - top)
    mask = Image.new("L", (box[0] * FINE, box[1] * FINE))
    pen = ImageDraw.Draw(mask)
    ground = [(x * FINE, (base + profile(x) - top) * FINE) for x in range(0, width + 8, 4)]
    pen.polygon([*ground, (width * FINE, mask.height), (0, mask.height)], fill=255)
    if firs:
        _plant(pen, chance, lambda x: base - top + profile(x), width, tree)
    dark, pale = _tones(palette, near, snowy=snowy and not firs)
    colours = fade(box, dark, pale)
    if firs and snowy:
        drift = Image.new("L", mask.size)
        ImageDraw.Draw(drift).polygon([*ground, (width * FINE, mask.height), (0, mask.height)], fill=255)
        snow = mix(palette.bottom, _SNOWY, 0.25 + 0.3 * near)
        colours.paste(
            fade(box, mix(snow, _SNOWY, 0.2), mix(snow, palette.bottom, 0.5)), (0, 0), drift.reduce(FINE)
        )
    return strip_of(colours, mask.reduce(FINE), has_rows=not (firs and snowy)), top


def _tones(palette: Palette, near: float, *, snowy: bool) -> tuple[RGB, RGB]:
    mist = mix(palette.bottom, palette.lights[1], 0.4)
    deep = mix(palette.top, _BLACK, 0.45)
    if snowy:
        return mix(palette.bottom, _SNOWY, 0.22 + 0.45 * near), mix(
            palette.bottom, _SNOWY, 0.02 + 0.18 * near
        )
    return mix(mist, deep, 0.3 + 0.7 * near), mix(mist, deep, max(0.0, 1.3 * near - 0.3))


def _profile(chance: random.Random, width: int, height: float) -> _Profile:
    waves = [
        (chance.uniform(0.7, 1.2) * factor, chance.uniform(0, 2 * pi), share)
        for factor, share in ((1.3, 1.0), (2.9, 0.5), (6.1, 0.2), (13.7, 0.07), (31.0, 0.03))
    ]

    def at(x: float) -> float:
        return height * sum(share * sin(2 * pi * turns * x / width + phase) for turns, phase, share in waves)

    return at


def _plant(
    pen: ImageDraw.ImageDraw, chance: random.Random, ground: _Profile, width: int, tall: float
) -> None:
    x = -tall * 0.2
    while x < width + tall * 0.3:
        height = tall * chance.choice((0.55, 0.75, 0.85, 1.0, 1.15)) * chance.uniform(0.85, 1.15)
        _fir(pen, chance, x, ground(x) + tall * 0.06, height)
        x += height * chance.uniform(0.16, 0.42)


def _fir(pen: ImageDraw.ImageDraw, chance: random.Random, x: float, foot: float, tall: float) -> None:
    """Draw a fir with branches that hang a little, none like another."""
    tiers = 9 if tall > 60 else 6
    half = tall * chance.uniform(0.17, 0.22)
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for tier in range(1, tiers + 1):
        share = tier / tiers
        y = foot - tall * (1 - 0.93 * share)
        for side, points in ((-1, left), (1, right)):
            reach = half * share**0.85 * chance.uniform(0.82, 1.12)
            points.append((x + side * reach, y + tall * 0.022))
            points.append((x + side * reach * 0.5, y - tall * 0.012))
    tip = (x + chance.uniform(-0.01, 0.01) * tall, foot - tall * 1.02)
    outline = [tip, *right, (x, foot), *left[::-1]]
    pen.polygon([(a * FINE, b * FINE) for a, b in outline], fill=255)
    trunk = tall * 0.02
    pen.rectangle(
        ((x - trunk) * FINE, (foot - tall * 0.1) * FINE, (x + trunk) * FINE, (foot + tall * 0.12) * FINE),
        fill=255,
    )
