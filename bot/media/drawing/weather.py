"""What falls, rises and twinkles: rain, snow, stars, embers, leaves. Nearer things are larger and faster."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import cos, pi, sin

from PIL import Image, ImageDraw, ImageFilter

from bot.media.drawing.cutouts import FINE, Layer, Sprite, soft_dot
from bot.media.drawing.palettes import Palette, mix
from bot.media.yuv import RGB, Planes, Size, colour_of

_WHITE = (255, 255, 255)
_SLANT = 0.1  # of rain: sideways for each pixel down
_RAIN = ((80, 0.55, 0.24), (46, 0.8, 0.34), (16, 1.25, 0.3))  # drops, heights of the frame a second, level
_FLAKES = ((150, 0.0024, 0.035, 0.8), (90, 0.0046, 0.06, 0.9), (34, 0.0095, 0.1, 0.7), (9, 0.024, 0.17, 0.3))
_STARS = 230
_EMBERS = 110
_LEAVES = 30
_LEAF_PX = 96


@dataclass(frozen=True, slots=True)
class _Mote:
    """One of many. Places are fractions of the frame, `phase` is in radians."""

    sprite: Sprite
    x: float
    y: float
    speed: float
    sway: float
    phase: float
    period_s: float
    level: float


def rain(size: Size, palette: Palette, chance: random.Random) -> Layer:
    """Draw thin slanted lines in three depths."""
    drops = [
        _Mote(sprite, chance.random(), chance.random(), speed * chance.uniform(0.92, 1.08), 0, 0, 1, level)
        for count, speed, level in _RAIN
        for sprite in [_streak(size, speed, mix(_WHITE, palette.lights[1], 0.2))]
        for _ in range(round(count * _crowd(size)))
    ]
    width, height = size

    def draw(planes: Planes, at_s: float) -> None:
        for drop in drops:
            reach = height + drop.sprite.mask.height
            fallen = drop.y * reach + drop.speed * height * at_s
            # Each time round it falls elsewhere: the eye finds no drop twice.
            turn = fallen // reach
            y = fallen % reach - drop.sprite.mask.height / 2
            x = (drop.x + turn * 0.381) % 1 * (width * 1.1) - _SLANT * y
            drop.sprite.stamp(planes, x, y, drop.level)

    return draw


def _streak(size: Size, speed: float, colour: RGB) -> Sprite:
    length = round(speed * size[1] * 0.085)
    thick = max(1.1, min(size) * 0.0013 * (0.7 + speed))
    width = length * _SLANT + thick * 2 + 4
    fine = Image.new("L", (round(width * FINE), length * FINE))
    ends = ((width - thick * 1.5) * FINE, 0, thick * 1.5 * FINE, length * FINE)
    ImageDraw.Draw(fine).line(ends, fill=255, width=round(thick * FINE))
    ramp = Image.linear_gradient("L").point(
        [round(255 * sin(pi * (value / 255) ** 1.6) ** 0.8) for value in range(256)]
    )
    faded = Image.new("L", fine.size)
    faded.paste(ramp.resize(fine.size), (0, 0), fine)
    return Sprite(
        faded.reduce(FINE).filter(ImageFilter.GaussianBlur(0.4 + 0.5 * max(0.0, speed - 0.8))), colour
    )


def snow(size: Size, palette: Palette, chance: random.Random) -> Layer:
    """Draw flakes in four depths; the nearest are out of focus."""
    flakes = []
    for count, radius, speed, level in _FLAKES:
        sprite = Sprite(soft_dot(max(1.2, radius * min(size)), 0.75), mix(_WHITE, palette.lights[2], 0.12))
        for _ in range(round(count * _crowd(size))):
            falls = speed * chance.uniform(0.75, 1.25)
            shown = level * chance.uniform(0.6, 1.0)
            sway = chance.uniform(0.004, 0.012) + radius * 0.6
            flakes.append(
                _Mote(
                    sprite,
                    chance.random(),
                    chance.random(),
                    falls,
                    sway,
                    chance.uniform(0, 2 * pi),
                    chance.uniform(4, 8),
                    shown,
                )
            )
    width, height = size

    def draw(planes: Planes, at_s: float) -> None:
        for flake in flakes:
            side = flake.sprite.mask.height
            y = (flake.y + flake.speed * at_s) % 1 * (height + side) - side / 2
            drift = flake.sway * sin(2 * pi * at_s / flake.period_s + flake.phase) + 0.12 * flake.speed * at_s
            x = (flake.x + drift) % 1 * (width + side) - side / 2
            flake.sprite.stamp(planes, x, y, flake.level)

    return draw


def stars(size: Size, palette: Palette, chance: random.Random) -> Layer:
    """Draw a sky that turns very slowly, with stars that twinkle and one that falls."""
    unit = min(size)
    sprites = [
        Sprite(soft_dot(max(1.9, share * unit), 0.9), mix(_WHITE, tint, 0.3))
        for share, tint in _star_kinds(palette)
    ]
    glow = Sprite(soft_dot(0.012 * unit, 1.0), mix(_WHITE, palette.lights[0], 0.4))
    width, height = size
    reach = (width**2 + height**2) ** 0.5
    motes = []
    for index in range(round(_STARS * _crowd(size) * 3)):
        bright = chance.random() ** 3
        kind = 2 if bright > 0.8 else 1 if bright > 0.3 else 0
        motes.append(
            _Mote(
                sprites[kind],
                chance.uniform(0, 2 * pi),
                chance.random() ** 0.5 * reach,
                0,
                float(kind == 2 and index % 2 == 0),
                chance.uniform(0, 2 * pi),
                chance.uniform(2.5, 6),
                0.5 + 0.5 * bright,
            )
        )
    pole = (width * 0.3, height * 0.9)
    falls_at_s, falls_x = chance.uniform(1.8, 3.2), chance.uniform(0.15, 0.55)
    spark = Sprite(soft_dot(max(1.0, 0.0022 * unit), 0.9), _WHITE)

    def draw(planes: Planes, at_s: float) -> None:
        for mote in motes:
            turn = mote.x + 0.006 * at_s
            x, y = pole[0] + mote.y * cos(turn), pole[1] + mote.y * sin(turn)
            if not (0 <= x < width and 0 <= y < height):
                continue
            level = mote.level * (0.72 + 0.28 * sin(2 * pi * at_s / mote.period_s + mote.phase))
            if mote.sway:
                glow.stamp(planes, x, y, 0.3 * level)
            mote.sprite.stamp(planes, x, y, level)
        t = (at_s - falls_at_s) / 0.9
        if 0 < t < 1.25:
            for step in range(40):
                back = step / 40 * 0.16 * min(1.0, t * 2)
                x, y = width * (falls_x + 0.34 * t - back), height * (0.1 + 0.16 * t - back * 0.47)
                level = (1 - step / 40) ** 2 * max(0.0, sin(pi * min(1.0, t / 1.25))) * 0.8
                spark.stamp(planes, x, y, level)

    return draw


def _star_kinds(palette: Palette) -> list[tuple[float, RGB]]:
    return [(0.0028, palette.lights[1]), (0.0038, palette.lights[2]), (0.0054, palette.lights[0])]


def embers(size: Size, palette: Palette, chance: random.Random) -> Layer:
    """Draw sparks that rise from below the frame, sway, and go out."""
    unit = min(size)
    hot = [(255, 226, 160), (255, 170, 80), (255, 120, 50)]
    cores = [
        Sprite(soft_dot(max(1.0, radius * unit), 0.8), hot[index % 3])
        for index, radius in enumerate((0.0022, 0.0032, 0.0046))
    ]
    halos = [Sprite(soft_dot(radius * unit, 1.0), (255, 110, 40)) for radius in (0.011, 0.018, 0.03)]
    blur = Sprite(soft_dot(0.02 * unit, 0.4), (255, 140, 60))
    motes = []
    for index in range(round(_EMBERS * _crowd(size))):
        kind = index % 3
        motes.append(
            _Mote(
                cores[kind],
                chance.random(),
                chance.random(),
                (0.07 + 0.05 * kind) * chance.uniform(0.7, 1.3),
                chance.uniform(0.008, 0.03),
                chance.uniform(0, 2 * pi),
                chance.uniform(2.5, 5),
                float(kind),
            )
        )
    width, height = size

    def draw(planes: Planes, at_s: float) -> None:
        for index, mote in enumerate(motes):
            risen = mote.y + mote.speed * at_s
            life = risen % 1
            turn = 2 * pi * at_s / mote.period_s + mote.phase
            x = (mote.x + (risen // 1) * 0.618) % 1 + mote.sway * sin(turn) * (0.4 + life) + 0.05 * life
            y = 1.04 - 1.1 * life
            level = min(1.0, (1 - life) * 1.6) * (0.75 + 0.25 * sin(3.1 * turn))
            kind = int(mote.level)
            if index % 11 == 5:
                blur.stamp(planes, x * width, y * height, 0.3 * level)
                continue
            halos[kind].stamp(planes, x * width, y * height, 0.5 * level)
            mote.sprite.stamp(planes, x * width, y * height, level)

    return draw


def leaves(size: Size, palette: Palette, chance: random.Random) -> Layer:
    """Draw leaves that tumble as they fall."""
    mask, vein = _leaf()
    far, near = mask.filter(ImageFilter.GaussianBlur(1)), mask.filter(ImageFilter.GaussianBlur(5))
    colours = [(230, 140, 52), (206, 84, 36), (240, 192, 96), palette.lights[0], palette.lights[2]]
    width, height = size
    fallen = []
    for index in range(round(_LEAVES * _crowd(size))):
        nearness = (index + chance.random()) / _LEAVES
        side = min(size) * (0.03 + 0.1 * nearness**2.4)
        fallen.append(
            _Leaf(
                near if nearness > 0.86 else far,
                vein,
                colours[chance.randrange(len(colours))],
                side,
                chance.random(),
                chance.random(),
                0.05 + 0.1 * nearness,
                chance.uniform(0, 2 * pi),
                chance.uniform(3.2, 5.5),
                chance.choice((-1, 1)) * chance.uniform(0.5, 1.1),
                0.8 if nearness > 0.86 else 0.55 + 0.4 * nearness,
            )
        )

    def draw(planes: Planes, at_s: float) -> None:
        for leaf in fallen:
            leaf.stamp(planes, at_s, width, height)

    return draw


@dataclass(frozen=True, slots=True)
class _Leaf:
    mask: Image.Image
    vein: Image.Image
    colour: RGB
    side: float
    x: float
    y: float
    speed: float
    phase: float
    period_s: float
    spin: float
    level: float

    def stamp(self, onto: Planes, at_s: float, width: int, height: int) -> None:
        swing = 2 * pi * at_s / self.period_s + self.phase
        y = (self.y + self.speed * (at_s + 0.25 * sin(2 * swing))) % 1 * (height + 2 * self.side) - self.side
        x = (self.x + 0.022 * at_s + 0.03 * sin(swing)) % 1 * (width + 2 * self.side) - self.side
        turn = self.phase + 0.7 * sin(swing) + self.spin * at_s
        flat = 0.3 + 0.7 * abs(cos(swing * 0.8 + self.phase))  # how much of its face is turned to us
        grow = _LEAF_PX / self.side
        reach = 2 * (int(self.side) // 2 + 2)
        left, top = 2 * int((x - reach / 2) // 2), 2 * int((y - reach / 2) // 2)
        across, down = left - x, top - y
        a, b = cos(turn) * grow, sin(turn) * grow
        c, d = -sin(turn) * grow / flat, cos(turn) * grow / flat
        middle = _LEAF_PX / 2
        matrix = (a, b, a * across + b * down + middle, c, d, c * across + d * down + middle)
        shape = self.mask.transform((reach, reach), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
        mask = shape.point([round(value * self.level) for value in range(256)])
        luma, blue, red = colour_of(mix(self.colour, (255, 244, 214), 0.25 * flat))
        lit = self.vein.transform((reach, reach), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
        shade = lit.point([round(luma * (0.62 + 0.38 * value / 255)) for value in range(256)])
        small = mask.reduce(2)
        onto.luma.paste(shade, (left, top), mask)
        onto.blue.paste(round(blue), (left // 2, top // 2), small)
        onto.red.paste(round(red), (left // 2, top // 2), small)


def _leaf() -> tuple[Image.Image, Image.Image]:
    """Draw a leaf's outline, and how light its face is: lighter on one side of the vein."""
    fine = _LEAF_PX * 4
    mask, face = Image.new("L", (fine, fine)), Image.new("L", (fine, fine), 150)
    middle = fine / 2
    upper, lower = [], []
    for step in range(61):
        t = step / 60
        x = fine * (0.12 + 0.74 * t)
        swell = fine * 0.21 * sin(pi * t**0.8) * (1 - 0.25 * t) + fine * 0.006 * sin(22 * pi * t) * sin(
            pi * t
        )
        bend = fine * 0.05 * sin(pi * t)
        upper.append((x, middle - swell - bend))
        lower.append((x, middle + swell - bend))
    draw, shade = ImageDraw.Draw(mask), ImageDraw.Draw(face)
    draw.polygon([*upper, *lower[::-1]], fill=255)
    spine = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in zip(upper, lower, strict=True)]
    draw.line([(fine * 0.03, middle + fine * 0.03), *spine[:4]], fill=255, width=round(fine * 0.022))
    shade.polygon([*upper, *spine[::-1]], fill=225)
    for share in (0.25, 0.42, 0.58, 0.74):
        start = spine[round(share * 60)]
        for sign in (-1, 1):
            end = (start[0] + fine * 0.1, start[1] + sign * fine * 0.14)
            shade.line([start, end], fill=110, width=round(fine * 0.009))
    shade.line(spine, fill=90, width=round(fine * 0.014))
    return mask.reduce(4), face.reduce(4)


def _crowd(size: Size) -> float:
    """Return how many times as many things a frame of this shape holds as one of 16:9."""
    return 1.0 if size[0] >= size[1] else 0.9
