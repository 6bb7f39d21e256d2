"""Water: layers of waves that pass each other, glints under the light, rings where drops fall."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import pi, sin

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bot.media.drawing.cutouts import FINE, Cutout, Layer, Sprite, cutout_of, fade, soft_dot, strip_of
from bot.media.drawing.palettes import Palette, mix
from bot.media.yuv import RGB, Planes, Size

_WHITE = (255, 255, 255)
_BLACK = (3, 6, 12)
_STRIPS = 5
_GLINTS = 64
_RING_FRAMES = 34
_RINGS_AT_ONCE = 30


@dataclass(frozen=True, slots=True)
class Swell:
    """One layer of waves; lengths in pixels. Its outline repeats after `period`."""

    top: float
    height: float
    period: float
    speed: float
    bob: float
    turn_s: float
    phase: float
    shape: tuple[tuple[int, float, float], ...]

    def offset(self, at_s: float) -> float:
        return self.speed * at_s % self.period

    def lifted(self, at_s: float) -> float:
        return self.bob * sin(2 * pi * at_s / self.turn_s + self.phase)

    def crest(self, x: float) -> float:
        """Return how far the outline is below its mean, at `x` of the strip."""
        wave = sum(
            share * sin(2 * pi * turns * x / self.period + phase) for turns, phase, share in self.shape
        )
        return self.height * (wave - 0.4 * max(0.0, -wave) ** 2 + 0.1)

    def surface(self, x: float, at_s: float) -> float:
        """Return the y of the water at `x` of the frame."""
        return self.top + self.lifted(at_s) + self.crest(x + self.offset(at_s))


@dataclass(frozen=True, slots=True)
class Sea:
    """The layers from the horizon to the front."""

    horizon: int
    swells: tuple[Swell, ...]
    strips: tuple[Cutout, ...]

    def draw(self, planes: Planes, at_s: float, layers: slice) -> None:
        for swell, strip in zip(self.swells[layers], self.strips[layers], strict=True):
            strip.paste(planes, -swell.offset(at_s), swell.top + swell.lifted(at_s) - 2 * swell.height)


def make_sea(size: Size, horizon: int, palette: Palette, chance: random.Random, *, calm: bool) -> Sea:
    """Draw the layers; `calm` is a lake."""
    width, height = size
    unit = min(size)
    swells, strips = [], []
    far, deep = mix(palette.bottom, palette.lights[1], 0.55), mix(palette.top, _BLACK, 0.25)
    for index in range(_STRIPS):
        near = index / (_STRIPS - 1)
        top = horizon + (height - horizon) * (0.0, 0.1, 0.26, 0.48, 0.74)[index]
        rough = 0.35 if calm else 1.0
        swell = Swell(
            top=top,
            height=0.0 if index == 0 else unit * (0.006 + 0.034 * near) * rough,
            period=round(width * (0.42 + 0.5 * near) / 2) * 2,
            speed=unit * (0.006 + 0.034 * near) * (1 if index % 2 else -1) * (0.6 if calm else 1),
            bob=0.0 if index == 0 else unit * 0.007 * near * rough,
            turn_s=4.2 + 1.1 * index,
            phase=chance.uniform(0, 2 * pi),
            shape=(
                (1, chance.uniform(0, 6), 0.6),
                (2, chance.uniform(0, 6), 0.45),
                (3, chance.uniform(0, 6), 0.3),
                (5, chance.uniform(0, 6), 0.12),
            ),
        )
        following = (
            height if index == _STRIPS - 1 else horizon + (height - horizon) * (0.1, 0.26, 0.48, 0.74)[index]
        )
        depth = round(following - top + 4 * swell.height + unit * 0.05)
        body = mix(far, deep, 0.15 + 0.85 * near**0.8)
        swells.append(swell)
        strips.append(
            _strip(
                swell,
                width,
                depth,
                mix(body, palette.lights[0], 0.36 - 0.12 * near),
                mix(body, deep, 0.7),
                gleam=0.5 - 0.2 * near,
            )
        )
    return Sea(horizon, tuple(swells), tuple(strips))


def glow_below(size: Size, horizon: int, upper: RGB, lower: RGB) -> Layer:
    """Light that rises from a height of the frame: haze over water, or the heat of a fire."""
    tall = round(size[1] * 0.3) // 2 * 2
    ramp = Image.linear_gradient("L").point([round(190 * (value / 255) ** 2.2) for value in range(256)])
    air = fade((size[0], tall), upper, lower)
    cutout = cutout_of(air, ramp.resize((size[0], tall), Image.Resampling.BICUBIC))
    return lambda planes, at_s: cutout.paste(planes, 0, horizon - tall + 2)


def _strip(swell: Swell, width: int, depth: int, light: RGB, dark: RGB, *, gleam: float) -> Cutout:
    long = width + int(swell.period) + 4
    size = (long, depth + round(2 * swell.height))
    outline = [(x * FINE, (2 * swell.height + swell.crest(x)) * FINE) for x in range(0, long + 4, 3)]
    mask = Image.new("L", (long * FINE, size[1] * FINE))
    if swell.height:
        ImageDraw.Draw(mask).polygon([*outline, (long * FINE, mask.height), (0, mask.height)], fill=255)
    else:
        mask.paste(255, (0, 0, *mask.size))
    colours = fade(size, light, dark)
    if swell.height:
        crest = Image.new("L", mask.size)
        pen = ImageDraw.Draw(crest)
        pen.line([(x, y + FINE) for x, y in outline], fill=round(255 * gleam), width=round(FINE * 1.5))
        line = ImageChops.multiply(crest.reduce(FINE), _broken(size, swell))
        below = line.filter(ImageFilter.GaussianBlur(swell.height * 0.35 + 2)).point(
            [min(255, round(value * 2.4)) for value in range(256)]
        )
        colours.paste(mix(light, _WHITE, 0.35), (0, 0), below)
        colours.paste(mix(light, _WHITE, 0.6), (0, 0), line)
        _ruffle(colours, swell, mix(light, _WHITE, 0.3), dark)
    return strip_of(colours, mask.reduce(FINE))


def _broken(size: Size, swell: Swell) -> Image.Image:
    """Return how bright the crest is along the strip: it comes and goes, once round in each period."""
    row = [
        max(
            0,
            min(
                255,
                round(
                    150
                    + 105 * sin(2 * pi * 2 * x / swell.period + swell.phase)
                    + 50 * sin(2 * pi * 7 * x / swell.period)
                ),
            ),
        )
        for x in range(size[0])
    ]
    return Image.frombytes("L", (size[0], 1), bytes(row)).resize(size, Image.Resampling.NEAREST)


def _ruffle(colours: Image.Image, swell: Swell, light: RGB, dark: RGB) -> None:
    """Draw the small ripples of the surface: soft short dashes, the same in each period."""
    chance = random.Random(round(swell.period))  # noqa: S311 - it places ripples
    shine = Image.new("L", colours.size)
    unit = max(2.0, swell.height)
    for _index in range(70):
        long, thick = unit * chance.uniform(1.0, 4.2), unit * chance.uniform(0.05, 0.12) + 0.8
        dash = soft_dot(16, 1.0).resize((round(long * 2), max(3, round(thick * 2))), Image.Resampling.BICUBIC)
        x, y = chance.random() * swell.period, colours.height * (0.12 + 0.85 * chance.random())
        dash = dash.point([round(value * chance.uniform(0.1, 0.34)) for value in range(256)])
        for turn in range(-1, colours.width // int(swell.period) + 1):
            shine.paste(255, (round(x + turn * swell.period), round(y)), dash)
    colours.paste(light, (0, 0), shine)


def glints(size: Size, horizon: int, x: float, colour: RGB, chance: random.Random) -> Layer:
    """Draw short gleams on the water below a light at `x`, more spread the nearer they are."""
    _width, height = size
    unit = min(size)
    sprites = [Sprite(_dash(unit * 0.004 * (1 + step * 0.9), 1.0 + step * 0.35), colour) for step in range(5)]
    spots = []
    for _ in range(_GLINTS):
        near = chance.random() ** 1.25
        spread = unit * (0.02 + 0.16 * near)
        spots.append(
            (
                min(4, int(near * 5)),
                x + chance.gauss(0, 0.55) * spread,
                horizon + 3 + near * (height - horizon) * 0.86,
                chance.uniform(1.6, 4.2),
                chance.uniform(0, 2 * pi),
                0.9 - 0.4 * near,
            )
        )

    def draw(planes: Planes, at_s: float) -> None:
        for kind, at_x, y, turn_s, phase, level in spots:
            turn = 2 * pi * at_s / turn_s + phase
            shown = level * max(0.0, sin(turn)) ** 1.5
            sprites[kind].stamp(planes, at_x + unit * 0.006 * sin(turn * 0.5), y, shown)

    return draw


def _dash(half: float, thick: float) -> Image.Image:
    dot = soft_dot(half, 0.9)
    return dot.resize((dot.width * 2, max(3, round(thick * 2 + 2))), Image.Resampling.BOX)


def rings(size: Size, horizon: int, chance: random.Random, frames_per_s: int) -> Layer:
    """Draw rings that grow and fade where drops meet the water."""
    width, height = size
    unit = min(size)
    kinds = [
        [_ring(unit * reach, age / _RING_FRAMES) for age in range(_RING_FRAMES)]
        for reach in (0.012, 0.022, 0.04)
    ]
    drops = [(chance.random(), chance.random(), chance.random()) for _ in range(_RINGS_AT_ONCE)]

    def draw(planes: Planes, at_s: float) -> None:
        for x, y, start in drops:
            lived = at_s * frames_per_s / _RING_FRAMES + start
            turn, age = int(lived), lived % 1
            near = (y + turn * 0.618) % 1
            place = (x + turn * 0.381) % 1
            sprite = kinds[min(2, int(near * 3))][min(_RING_FRAMES - 1, int(age * _RING_FRAMES))]
            sprite.stamp(planes, place * width, horizon + 4 + (0.05 + 0.9 * near) * (height - horizon), 0.5)

    return draw


def _ring(reach: float, age: float) -> Sprite:
    grown = 1 - (1 - age) ** 2
    across, down = max(2.0, reach * grown), max(1.0, reach * grown * 0.34)
    size = (round(across) * 2 + 6, round(down) * 2 + 6)
    fine = Image.new("L", (size[0] * 4, size[1] * 4))
    middle = (fine.width / 2, fine.height / 2)
    box = (middle[0] - across * 4, middle[1] - down * 4, middle[0] + across * 4, middle[1] + down * 4)
    ImageDraw.Draw(fine).ellipse(box, outline=round(255 * (1 - age) ** 1.3), width=5)
    return Sprite(fine.reduce(4), _WHITE)
