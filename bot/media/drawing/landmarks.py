"""Single things in a scene: a moon or sun, a paper boat, a lighthouse with its beam."""

from __future__ import annotations

from math import atan, cos, exp, pi, sin

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bot.media.drawing.cutouts import Cutout, Layer, Sprite, cutout_of, soft_dot
from bot.media.drawing.palettes import Palette, mix
from bot.media.drawing.water import Swell
from bot.media.yuv import RGB, Planes, Size, colour_of, half

_WHITE = (255, 255, 255)
_FINE = 4
_COARSE = 4
_TURN_S = 9.0
_LAMP = (255, 226, 168)


def orb(size: Size, place: tuple[float, float], palette: Palette, *, is_sun: bool = False) -> Layer:
    """Draw a moon, or a larger low sun, with its glow; it does not move."""
    unit = min(size) * (1.7 if is_sun else 1)
    warm = mix(palette.lights[0], (255, 238, 196), 0.78)
    colour = warm if is_sun else mix(palette.lights[2], (255, 247, 230), 0.88)
    disc = Sprite(soft_dot(unit * 0.042, 0.14 if is_sun else 0.06), colour)
    glow = Sprite(soft_dot(unit * 0.17, 1.0), mix(colour, palette.lights[0], 0.35))
    wide = Sprite(soft_dot(unit * 0.4, 1.0), mix(colour, palette.lights[1], 0.6))

    def draw(planes: Planes, at_s: float) -> None:
        breath = 0.02 * sin(2 * pi * at_s / 7)
        wide.stamp(planes, *place, 0.3 + breath)
        glow.stamp(planes, *place, 0.34)
        disc.stamp(planes, *place, 0.95)

    return draw


def boat(size: Size, x: float, swell: Swell, palette: Palette) -> Layer:
    """Draw a paper boat that rides on `swell`, with its reflection below it."""
    side = round(min(size) * 0.31 / 2) * 2
    paper = _paper_boat(side, palette)
    art, mirror = (
        cutout_of(picture.convert("RGB"), picture.getchannel("A")) for picture in (paper, _mirrored(paper))
    )
    shadow = Sprite(soft_dot(side * 0.5, 1.0).resize((side, max(4, side // 7))), (2, 6, 12))

    def draw(planes: Planes, at_s: float) -> None:
        at_x = x + size[0] * 0.012 * at_s / 5
        y = swell.surface(at_x, at_s)
        slope = swell.surface(at_x + side * 0.3, at_s) - swell.surface(at_x - side * 0.3, at_s)
        lean = 0.75 * atan(slope / (side * 0.6)) + 0.03 * sin(2 * pi * at_s / 3.7)
        shadow.stamp(planes, at_x, y + side * 0.035, 0.5)
        mirror.turned(-lean, (side / 2, side * 0.45)).paste(planes, at_x - side / 2, y - side * 0.42)
        art.turned(lean, (side / 2, side * 0.6)).paste(planes, at_x - side / 2, y - side * 0.62)

    return draw


def _paper_boat(side: int, palette: Palette) -> Image.Image:
    """Fold it: hull with two faces, the sail's two faces, each in its own light."""
    fine = side * _FINE
    picture = Image.new("RGBA", (fine, fine), (*_WHITE, 0))
    pen = ImageDraw.Draw(picture)
    paper, shade = mix(_WHITE, palette.lights[2], 0.1), mix(palette.bottom, palette.lights[1], 0.5)

    def face(points: list[tuple[float, float]], dark: float) -> None:
        pen.polygon([(px * fine, py * fine) for px, py in points], fill=(*mix(paper, shade, dark), 255))

    peak, keel = (0.5, 0.2), (0.5, 0.64)
    face([peak, (0.31, 0.56), keel], 0.06)
    face([peak, keel, (0.69, 0.56)], 0.42)
    face([(0.04, 0.43), (0.24, 0.66), (0.5, 0.66), (0.5, 0.56), (0.31, 0.52)], 0.0)
    face([(0.96, 0.43), (0.76, 0.66), (0.5, 0.66), (0.5, 0.56), (0.69, 0.52)], 0.3)
    face([(0.04, 0.43), (0.31, 0.52), (0.5, 0.56), (0.36, 0.575)], 0.55)
    face([(0.96, 0.43), (0.69, 0.52), (0.5, 0.56), (0.64, 0.575)], 0.7)
    return picture.resize((side * 2, side * 2), Image.Resampling.BOX)


def _mirrored(art: Image.Image) -> Image.Image:
    """Flip it at the water line, squash it, blur it, and let it fade downwards."""
    side = art.width
    flipped = art.transpose(Image.Transpose.FLIP_TOP_BOTTOM).filter(ImageFilter.GaussianBlur(side * 0.008))
    line = round(side * 0.38)  # where 0.62 of the height comes to lie
    squashed = flipped.crop((0, line, side, side)).resize(
        (side, round((side - line) * 0.7)), Image.Resampling.BOX
    )
    picture = Image.new("RGBA", art.size, (*_WHITE, 0))
    picture.paste(squashed, (0, round(side * 0.42)))
    ramp = (
        Image.linear_gradient("L")
        .resize(art.size)
        .point([max(0, round(105 - 0.62 * value)) for value in range(256)])
    )
    picture.putalpha(ImageChops.multiply(picture.getchannel("A"), ramp))
    return picture


def lighthouse(size: Size, x: float, foot: float, tall: float, palette: Palette) -> tuple[Layer, Layer]:
    """Return the beam, which is drawn behind everything on the ground, and the tower on its rock."""
    tower = _tower(round(tall / 2) * 2, palette)
    lamp = (x, foot - 0.845 * tall)
    halo = Sprite(soft_dot(tall * 0.2, 1.0), _LAMP)
    core = Sprite(soft_dot(tall * 0.032, 0.7), (255, 248, 226))
    shine = _beam(size, lamp)

    def draw(planes: Planes, at_s: float) -> None:
        tower.paste(planes, x - tower.size[0] / 2, foot - tower.size[1] * 0.93)
        facing = max(0.0, sin(2 * pi * at_s / _TURN_S + 0.6))
        halo.stamp(planes, *lamp, 0.3 + 0.3 * facing**3)
        core.stamp(planes, *lamp, 0.9)

    return shine, draw


def _beam(size: Size, lamp: tuple[float, float]) -> Layer:
    width, height = size[0] // _COARSE // 2 * 2, size[1] // _COARSE // 2 * 2
    long, wide = 256, 128
    texture = Image.new("L", (long, wide))
    texture.putdata(
        [
            round(
                255
                * (0.25 + 0.75 * exp(-column / 70))
                * max(0.0, 1 - column / long) ** 0.8
                * exp(-(((row - wide / 2) / (1.5 + 0.11 * column)) ** 2))
            )
            for row in range(wide)
            for column in range(long)
        ]
    )
    luma, blue, red = (round(value) for value in colour_of(_LAMP))
    x, y = lamp[0] / _COARSE, lamp[1] / _COARSE
    reach = max(width, height) * 0.95

    def draw(planes: Planes, at_s: float) -> None:
        light = Image.new("L", (width, height))
        for half_turn in (0.0, pi):
            turn = 2 * pi * at_s / _TURN_S + 0.6 + half_turn
            across, towards = cos(turn), sin(turn)
            scale = long / (reach * max(0.06, abs(across)))
            lean = -0.1 - 0.06 * towards
            sign = 1 if across >= 0 else -1
            spread = 0.8 * long / reach / (1 + 0.5 * max(0.0, towards))
            # Backwards: from a place of the frame to one of the texture.
            matrix = (
                sign * scale,
                0.0,
                -sign * scale * x,
                -sign * lean * spread * sign,
                spread,
                wide / 2 - spread * y + lean * spread * x,
            )
            shone = texture.transform(light.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
            level = 0.62 * min(1.0, abs(across) * 2.5) * (0.8 + 0.2 * towards)
            light = ImageChops.add(light, shone.point([round(value * level) for value in range(256)]))
        mask, small = (
            light.resize(planes.luma.size, Image.Resampling.BILINEAR),
            light.resize(half(planes.luma.size), Image.Resampling.BILINEAR),
        )
        planes.luma.paste(luma, (0, 0), mask)
        planes.blue.paste(blue, (0, 0), small)
        planes.red.paste(red, (0, 0), small)

    return draw


def _tower(tall: int, palette: Palette) -> Cutout:
    """Draw the tower: tapering, lit from the left, with bands, gallery, lantern and dome, on its rock."""
    wide = round(tall * 0.9 / 2) * 2
    fine = Image.new("RGBA", (wide * _FINE, tall * _FINE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(fine)
    unit = tall * _FINE
    middle = fine.width / 2
    rock, deep = mix(palette.top, (6, 8, 12), 0.45), mix(palette.top, (2, 3, 6), 0.75)
    pale, dim = mix(palette.ink, palette.lights[1], 0.25), mix(palette.top, palette.lights[1], 0.32)
    band = mix(palette.lights[0], (120, 30, 30), 0.45)

    def box(left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        pen.rectangle(
            (middle + left * unit, top * unit, middle + right * unit, bottom * unit), fill=(*colour, 255)
        )

    columns = 40
    for column in range(columns):
        u = (column + 0.5) / columns * 2 - 1  # across the round wall, lit from the left
        light = 0.12 + 0.75 * max(0.0, cos((u + 0.45) * 1.25)) ** 1.4
        for start, end, base in (
            (0.2, 0.32, pale),
            (0.32, 0.47, band),
            (0.47, 0.62, pale),
            (0.62, 0.77, band),
            (0.77, 0.93, pale),
        ):
            colour = mix(mix(base, deep, 0.75), base, light)
            left, right = column / columns * 2 - 1, (column + 1) / columns * 2 - 1
            shape = [(side, y) for side, y in ((left, start), (right, start), (right, end), (left, end))]
            pen.polygon(
                [(middle + side * _half_width(y) * unit, y * unit) for side, y in shape], fill=(*colour, 255)
            )
    for y in (0.39, 0.545, 0.7):
        box(-0.008, y - 0.018, 0.008, y + 0.012, mix(deep, _LAMP, 0.75))
    box(-0.074, 0.19, 0.074, 0.204, dim)
    for rail in range(-6, 7):
        box(rail * 0.0115 - 0.0012, 0.162, rail * 0.0115 + 0.0012, 0.192, dim)
    box(-0.072, 0.16, 0.072, 0.1635, dim)
    box(-0.036, 0.125, 0.036, 0.19, (255, 232, 176))
    for bar in (-0.036, -0.012, 0.012, 0.036):
        box(bar - 0.002, 0.125, bar + 0.002, 0.19, deep)
    dome = (middle - 0.046 * unit, 0.082 * unit, middle + 0.046 * unit, 0.17 * unit)
    pen.pieslice(dome, 180, 360, fill=(*mix(deep, dim, 0.5), 255))
    box(-0.0025, 0.05, 0.0025, 0.085, dim)
    steps = (
        (-0.45, 1.0),
        (-0.36, 0.955),
        (-0.25, 0.94),
        (-0.17, 0.905),
        (-0.06, 0.895),
        (0.08, 0.9),
        (0.16, 0.925),
        (0.27, 0.935),
        (0.34, 0.97),
        (0.45, 1.0),
    )
    pen.polygon([(middle + px * unit, py * unit) for px, py in steps], fill=(*rock, 255))
    pen.polygon(
        [
            (middle + px * unit, py * unit)
            for px, py in ((0.08, 0.9), (0.16, 0.925), (0.27, 0.935), (0.34, 0.97), (0.45, 1.0), (0.1, 1.0))
        ],
        fill=(*deep, 255),
    )
    small = fine.reduce(_FINE)
    return cutout_of(small.convert("RGB"), small.getchannel("A"))


def _half_width(y: float) -> float:
    return 0.046 + 0.048 * float((y - 0.2) ** 1.2)
