"""The moving background of a title card: drifting soft colours and blurred discs of light."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import exp, pi, sin

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bot.media.drawing.cutouts import Layer
from bot.media.drawing.palettes import Palette
from bot.media.yuv import Planes, Size, colour_of, half

_CELL_PX = 56  # the colour field is computed this coarsely; it has no detail to lose
_COARSE = 4  # the discs are drawn at a quarter of the size, and are blurred anyway
_DISCS = 22
_GRAINS = 5
_GRAIN = 1.4  # steps of brightness, up and down: more is seen first by the encoder, then by the eye

_KEY_FRAMES = 8  # a third of a second, in which no glow goes far

_Colour = tuple[float, float, float]
_Plane = list[float]


@dataclass(frozen=True, slots=True)
class _Glow:
    """A soft patch of colour on a slow ellipse. Places and sizes are fractions of the frame."""

    colour: _Colour
    x: float
    y: float
    width: float
    height: float
    reach: float
    phase: float
    turn_s: float
    strength: float


@dataclass(frozen=True, slots=True)
class _Disc:
    """A point of light out of focus; a nearer one is larger, fainter and faster."""

    tile: Image.Image
    colour: _Colour
    x: float
    y: float
    speed_x: float
    speed_y: float
    brightness: float
    phase: float
    twinkle_s: float


class Ground:
    """The dark ground with its vignette, and the glows that drift over it."""

    def __init__(self, size: Size, palette: Palette, chance: random.Random, frames_per_s: int) -> None:
        self._size = size
        self._frames_per_s = frames_per_s
        self._glows = _scatter_glows(palette, chance)
        self._keys: dict[int, Planes] = {}
        self._cells = (max(8, size[0] // _CELL_PX), max(8, size[1] // _CELL_PX))
        columns, rows = self._cells
        self._across = [(column + 0.5) / columns for column in range(columns)]
        self._down = [(row + 0.5) / rows for row in range(rows)]
        top, bottom = colour_of(palette.top), colour_of(palette.bottom)
        self._start = [
            [start + (end - start) * y for y in self._down for _ in self._across]
            for start, end in zip(top, bottom, strict=True)
        ]
        self._vignette = [
            1 - 0.42 * min(1.0, ((x - 0.5) ** 2 + (y - 0.5) ** 2) * 2) ** 1.4
            for y in self._down
            for x in self._across
        ]

    def frame(self, index: int) -> Planes:
        """Return the ground at a frame, as its own pictures: between two that are computed it is mixed."""
        key, rest = divmod(index, _KEY_FRAMES)
        for wanted in (key, key + 1):
            if wanted not in self._keys:
                self._keys[wanted] = self._lit(wanted * _KEY_FRAMES / self._frames_per_s)
        self._keys.pop(key - 1, None)
        pairs = zip(self._keys[key].all(), self._keys[key + 1].all(), strict=True)
        return Planes(*(Image.blend(one, other, rest / _KEY_FRAMES) for one, other in pairs))

    def _lit(self, at_s: float) -> Planes:
        luma, blue, red = (list(plane) for plane in self._start)
        for glow in self._glows:
            weights = self._weights(glow, at_s)
            y, u, v = glow.colour
            luma = [a + (y - a) * w for a, w in zip(luma, weights, strict=True)]
            blue = [a + (u - a) * w for a, w in zip(blue, weights, strict=True)]
            red = [a + (v - a) * w for a, w in zip(red, weights, strict=True)]
        # Dimming a colour dims its differences too, or dark corners would look dyed.
        luma = [16 + (a - 16) * k for a, k in zip(luma, self._vignette, strict=True)]
        blue = [128 + (a - 128) * k for a, k in zip(blue, self._vignette, strict=True)]
        red = [128 + (a - 128) * k for a, k in zip(red, self._vignette, strict=True)]
        small = half(self._size)
        return Planes(self._spread(luma, self._size), self._spread(blue, small), self._spread(red, small))

    def _weights(self, glow: _Glow, at_s: float) -> _Plane:
        turn = 2 * pi * at_s / glow.turn_s + glow.phase
        centre_x = glow.x + glow.reach * sin(turn)
        centre_y = glow.y + glow.reach * 0.7 * sin(turn * 0.8 + 1.3)
        across = [exp(-(((x - centre_x) / glow.width) ** 2)) for x in self._across]
        down = [glow.strength * exp(-(((y - centre_y) / glow.height) ** 2)) for y in self._down]
        return [row * column for row in down for column in across]

    def _spread(self, values: _Plane, size: Size) -> Image.Image:
        # In floating point until the last step: a gradient enlarged in whole numbers shows bands.
        cells = Image.new("F", self._cells)
        cells.putdata([value + 0.5 for value in values])
        return cells.resize(size, Image.Resampling.BICUBIC).convert("L")


def _scatter_glows(palette: Palette, chance: random.Random) -> list[_Glow]:
    corners = [(0.15, 0.2), (0.85, 0.25), (0.8, 0.85), (0.2, 0.8)]
    chance.shuffle(corners)
    return [
        _Glow(
            colour=colour_of(rgb),
            x=x + chance.uniform(-0.08, 0.08),
            y=y + chance.uniform(-0.08, 0.08),
            width=chance.uniform(0.3, 0.46),
            height=chance.uniform(0.34, 0.52),
            reach=chance.uniform(0.1, 0.18),
            phase=chance.uniform(0, 2 * pi),
            turn_s=chance.uniform(9, 15),
            strength=strength,
        )
        for rgb, (x, y), strength in zip(palette.lights, corners, (0.62, 0.7, 0.5, 0.8), strict=True)
    ]


def light_discs(size: Size, palette: Palette, chance: random.Random) -> Layer:
    """Draw discs of light out of focus, slowly rising."""
    discs = _scatter_discs(size, palette, chance)

    def draw(planes: Planes, at_s: float) -> None:
        for plane, lit in zip(planes.all(), _add_discs(planes, discs, at_s).all(), strict=True):
            plane.paste(lit)

    return draw


def _scatter_discs(size: Size, palette: Palette, chance: random.Random) -> list[_Disc]:
    unit = min(size) / _COARSE
    discs = []
    for index in range(_DISCS):
        nearness = (index + chance.random()) / _DISCS
        radius = unit * (0.008 + 0.085 * nearness**2.2)
        discs.append(
            _Disc(
                tile=_disc_tile(radius, blur=0.6 + radius * 0.1),
                colour=colour_of(palette.lights[index % 3]),
                x=chance.random(),
                y=chance.random(),
                speed_x=(0.006 + 0.03 * nearness) * chance.uniform(0.7, 1.2),
                speed_y=-(0.004 + 0.016 * nearness) * chance.uniform(0.4, 1.2),
                brightness=chance.uniform(0.5, 1.0) * (0.62 - 0.4 * nearness),
                phase=chance.uniform(0, 2 * pi),
                twinkle_s=chance.uniform(3, 7),
            )
        )
    return discs


def _disc_tile(radius: float, blur: float) -> Image.Image:
    """Draw a disc, a little brighter at its rim as a lens makes it, four times as large, and shrink it."""
    side = 2 * round(radius + 3 * blur + 2)
    large = Image.new("L", (side * 4, side * 4))
    draw = ImageDraw.Draw(large)
    middle, reach = side * 2, radius * 4
    draw.ellipse((middle - reach, middle - reach, middle + reach, middle + reach), fill=255)
    inner = reach * 0.9
    draw.ellipse((middle - inner, middle - inner, middle + inner, middle + inner), fill=190)
    return large.resize((side, side), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(blur))


def _add_discs(planes: Planes, discs: list[_Disc], at_s: float) -> Planes:
    width, height = planes.luma.size[0] // _COARSE, planes.luma.size[1] // _COARSE
    light, blue, red = (Image.new("L", (width, height), value) for value in (0, 128, 128))
    for disc in discs:
        side = disc.tile.width
        # They leave at one edge and return at the other, out of sight.
        x = (disc.x + disc.speed_x * at_s) % 1 * (width + side) - side
        y = (disc.y + disc.speed_y * at_s) % 1 * (height + side) - side
        tile = disc.tile.transform(
            disc.tile.size,
            Image.Transform.AFFINE,
            (1, 0, -(x % 1), 0, 1, -(y % 1)),
            Image.Resampling.BILINEAR,
        )
        level = disc.brightness * (0.75 + 0.25 * sin(2 * pi * at_s / disc.twinkle_s + disc.phase))
        tile = Image.blend(Image.new("L", tile.size), tile, level)
        box = (int(x // 1), int(y // 1))
        light.paste(min(255, round(disc.colour[0] * 1.1)), box, tile)
        blue.paste(round(disc.colour[1]), box, tile)
        red.paste(round(disc.colour[2]), box, tile)
    small = half(planes.luma.size)
    enlarge = Image.Resampling.BICUBIC
    return Planes(
        ImageChops.screen(planes.luma, light.resize(planes.luma.size, enlarge)),
        ImageChops.add(planes.blue, blue.resize(small, enlarge), 1, -128),
        ImageChops.add(planes.red, red.resize(small, enlarge), 1, -128),
    )


def make_grains(size: Size, chance: random.Random) -> list[Image.Image]:
    """Make a few pictures of fine noise around 128: it hides banding, and looks like film."""
    return [
        Image.frombytes("L", size, chance.randbytes(size[0] * size[1])).point(
            [128 + round(_GRAIN * (value / 127.5 - 1)) for value in range(256)]
        )
        for _ in range(_GRAINS)
    ]
