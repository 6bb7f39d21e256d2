"""Pictures with a mask, laid on a frame at any fraction of a pixel, so that slow things do not jerk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, cos, floor, sin

from PIL import Image, ImageChops

from bot.media.yuv import RGB, Planes, Size, colour_of, half, planes_of

Layer = Callable[[Planes, float], None]
"""Draws one part of a scene on a frame, at a time in seconds."""

FINE = 3
"""Things are drawn this much larger, and reduced: their edges become smooth."""
_MARGIN = 2
_OVERLAP = 4
_STEPS = 8  # places of a sprite in a pixel
_LEVELS = 24
_FADED = [[round(value * step / _LEVELS) for value in range(256)] for step in range(_LEVELS + 1)]


@dataclass(frozen=True, slots=True)
class Cutout:
    """Planes and their masks, with a transparent margin of two pixels. `size` is without it, and even.

    Without masks everything is shown.
    """

    size: Size
    planes: Planes
    mask: Image.Image | None
    small_mask: Image.Image | None
    has_rows: bool = False
    """Whether each row has one colour: then the colours need not move with the outline."""
    body: Cutout | None = None
    """What is below the rows that need masks; it begins `_OVERLAP` rows higher."""

    def paste(self, onto: Planes, x: float, y: float) -> None:
        """Lay it with its top left corner at (x, y); what is outside of the frame is not computed."""
        if self.body:
            self.body.paste(onto, x, y + self.size[1] - _OVERLAP)
        width, height = onto.luma.size
        left, top = max(0, 2 * floor(x / 2)), max(0, 2 * floor(y / 2))
        right = min(width, 2 * ceil((x + self.size[0]) / 2))
        bottom = min(height, 2 * ceil((y + self.size[1]) / 2))
        if left >= right or top >= bottom:
            return
        size = (right - left, bottom - top)
        box = (left - x + _MARGIN, top - y + _MARGIN, right - x + _MARGIN, bottom - y + _MARGIN)
        luma = (_nearest if self.has_rows else _part)(self.planes.luma, size, box)
        onto.luma.paste(luma, (left, top), self.mask and _part(self.mask, size, box))
        small, place = half(size), (left // 2, top // 2)
        small_box = (box[0] / 2, box[1] / 2, box[2] / 2, box[3] / 2)
        mask = self.small_mask and _part(self.small_mask, small, small_box)
        onto.blue.paste(_nearest(self.planes.blue, small, small_box), place, mask)
        onto.red.paste(_nearest(self.planes.red, small, small_box), place, mask)

    def turned(self, angle: float, middle: tuple[float, float]) -> Cutout:
        """Return it at half its size, turned around `middle`, a place in the result."""
        size = half(self.size)
        a, b = 2 * cos(angle), 2 * sin(angle)

        def turn(picture: Image.Image, share: float) -> Image.Image:
            # In the picture everything is twice as far from its margin as in the result.
            x, y = (middle[0] + _MARGIN) * share, (middle[1] + _MARGIN) * share
            from_x, from_y = (2 * middle[0] + _MARGIN) * share, (2 * middle[1] + _MARGIN) * share
            matrix = (a, b, from_x - a * x - b * y, -b, a, from_y + b * x - a * y)
            sides = (round((size[0] + 2 * _MARGIN) * share), round((size[1] + 2 * _MARGIN) * share))
            return picture.transform(sides, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)

        luma, blue, red = self.planes.all()
        mask = self.mask and turn(self.mask, 1)
        planes = Planes(turn(luma, 1), turn(blue, 0.5), turn(red, 0.5))
        return Cutout(size, planes, mask, mask and mask.reduce(2))


def cutout_of(colours: Image.Image, mask: Image.Image, *, has_rows: bool = False) -> Cutout:
    """Return the part of an RGB picture that `mask` shows; the masks' size is taken, made even."""
    size = (mask.width // 2 * 2, mask.height // 2 * 2)
    whole = (size[0] + 2 * _MARGIN, size[1] + 2 * _MARGIN)
    # The colours go on in the margin, or the edges would darken when they are moved by half a pixel.
    spread = colours.crop((0, 0, *size)).resize(whole, Image.Resampling.BILINEAR)
    spread.paste(colours.crop((0, 0, *size)), (_MARGIN, _MARGIN))
    shown = Image.new("L", whole)
    shown.paste(mask.crop((0, 0, *size)), (_MARGIN, _MARGIN))
    return Cutout(size, planes_of(spread), shown, shown.reduce(2), has_rows)


def strip_of(colours: Image.Image, mask: Image.Image, *, has_rows: bool = False) -> Cutout:
    """Return a cutout whose lower part, where the mask is full, is laid on without it."""
    edge = (ImageChops.invert(mask).getbbox() or (0, 0, 0, 0))[3] // 2 * 2 + 4 + _OVERLAP
    if edge >= mask.height - _OVERLAP:
        return cutout_of(colours, mask, has_rows=has_rows)
    upper = cutout_of(
        colours.crop((0, 0, colours.width, edge)), mask.crop((0, 0, mask.width, edge)), has_rows=has_rows
    )
    rest = (0, edge - _OVERLAP, mask.width, mask.height)
    body = replace(
        cutout_of(colours.crop(rest), mask.crop(rest), has_rows=has_rows), mask=None, small_mask=None
    )
    return replace(upper, body=body)


def fade(size: Size, top: RGB, bottom: RGB) -> Image.Image:
    """Return a picture that goes from one colour to another downwards."""
    ramp = Image.merge(
        "RGB", [Image.linear_gradient("L").point(_ramp(*ends)) for ends in zip(top, bottom, strict=True)]
    )
    return ramp.resize(size, Image.Resampling.BICUBIC)


def _ramp(start: int, end: int) -> list[int]:
    return [round(start + (end - start) * value / 255) for value in range(256)]


def _part(picture: Image.Image, size: Size, box: tuple[float, float, float, float]) -> Image.Image:
    if all(side == int(side) for side in box):
        return _nearest(picture, size, box)
    return picture.resize(size, Image.Resampling.BILINEAR, box=box)


def _nearest(picture: Image.Image, size: Size, box: tuple[float, float, float, float]) -> Image.Image:
    left, top = round(box[0]), round(box[1])
    return picture.crop((left, top, left + size[0], top + size[1]))


class Sprite:
    """A small light of one colour, drawn often: its places in a pixel and its levels are kept."""

    def __init__(self, mask: Image.Image, colour: RGB) -> None:
        self.mask = mask
        self._values = tuple(round(value) for value in colour_of(colour))
        self._faded = [mask.point(levels) for levels in _FADED]
        self._variant = lru_cache(maxsize=4096)(self._draw)

    def stamp(self, onto: Planes, x: float, y: float, level: float = 1.0) -> None:
        """Draw it with its middle at (x, y); `level` from 0 to 1 is how much of it is seen."""
        step = round(level * _LEVELS)
        if step <= 0:
            return
        x, y = x - self.mask.width / 2 - _MARGIN, y - self.mask.height / 2 - _MARGIN
        left, top = 2 * floor(x / 2), 2 * floor(y / 2)
        luma, small = self._variant(round((x - left) * _STEPS), round((y - top) * _STEPS), step)
        onto.luma.paste(self._values[0], (left, top), luma)
        onto.blue.paste(self._values[1], (left // 2, top // 2), small)
        onto.red.paste(self._values[2], (left // 2, top // 2), small)

    def _draw(self, step_x: int, step_y: int, step: int) -> tuple[Image.Image, Image.Image]:
        size = (ceil(self.mask.width / 2) * 2 + 4 + _MARGIN, ceil(self.mask.height / 2) * 2 + 4 + _MARGIN)
        shift = (1, 0, -_MARGIN - step_x / _STEPS, 0, 1, -_MARGIN - step_y / _STEPS)
        moved = self._faded[step].transform(size, Image.Transform.AFFINE, shift, Image.Resampling.BILINEAR)
        return moved, moved.reduce(2)


def soft_dot(radius: float, softness: float = 0.5) -> Image.Image:
    """Return a round mask: full in the middle, falling off over `softness` of its radius."""
    side = 2 * ceil(radius + 1)
    start = 1 - softness

    def level(value: int) -> int:
        distance = value / 255 * (side / 2) * 2**0.5 / radius
        t = min(1.0, max(0.0, (1 - distance) / (1 - start)))
        return round(255 * t * t * (3 - 2 * t))

    # Pillow's gradient goes from 0 in the middle to 255 in the corners' distance.
    gradient = Image.radial_gradient("L").resize((side * 4, side * 4), Image.Resampling.BICUBIC)
    return gradient.point([level(value) for value in range(256)]).reduce(4)
