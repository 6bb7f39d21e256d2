"""The words of a title card, which appear line by line in a soft sweep; and the preview mark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, cos, exp, pi

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from bot.media.drawing.glyphs import ink_of, width_of
from bot.media.drawing.palettes import Palette
from bot.media.drawing.typesetting import set_text
from bot.media.yuv import Planes, Size, colour_of

_FIRST_LINE_S = 0.15
_LINE_TAKES_S = 1.3
_REVEALED_BY = 0.4  # of the film: the thumbnail is taken at a third, the rest is for reading
_GROWTH = 0.035  # of the words, in the whole film
_BLACK = 16
_MARK_SEEN = 12  # levels by which the letters of a mark are brighter than what is between them
_SHADE_LEVELS = [min(120, round(value * 0.75)) for value in range(256)]


@dataclass(frozen=True, slots=True)
class Area:
    """Where words may stand: its middle and its sides, as shares of the frame."""

    x: float = 0.5
    y: float = 0.5
    width: float = 0.8
    height: float = 0.64


WHOLE = Area()


@dataclass(frozen=True, slots=True)
class _Line:
    ink: Image.Image
    x: int
    y: int
    begins_s: float


@dataclass(frozen=True, slots=True)
class Title:
    """The words set for one frame size; `x` and `y` are the place of the block in the frame, both even."""

    size: Size
    x: int
    y: int
    lines: tuple[_Line, ...]
    size_px: int
    rule: tuple[int, int, int]
    """The thin line below the words: its middle, its top and its full width, in the block."""
    revealed_s: float


def set_title(prompt: str, size: Size, seconds: float, area: Area = WHOLE) -> Title:
    """Set the prompt in an area of the frame, large if it is short, cut if it is very long.

    A prompt that would be cut takes the whole frame.
    """
    width, height = size
    largest, smallest = 0.155 * min(size), 0.0385 * min(size)
    text = set_text(prompt, width * area.width, height * area.height, largest, smallest)
    if text.is_cut and area != WHOLE:
        return set_title(prompt, size, seconds)
    margin = ceil(text.size_px / 2)
    centred = len(text.lines) <= 5
    longest = max((width_of(line, text.size_px) for line in text.lines), default=0.0)
    rule_y = round(2 * margin + text.height_px + 0.25 * text.size_px + 0.02 * min(size))
    rule_width = round(min(size) * 0.09)
    block = _even(longest + 4 * margin), _even(rule_y + 2 * margin)
    last_begins_s = min(_REVEALED_BY * seconds - _LINE_TAKES_S, _FIRST_LINE_S + 0.35 * (len(text.lines) - 1))
    step_s = max(0.0, last_begins_s - _FIRST_LINE_S) / max(1, len(text.lines) - 1)
    lines = []
    for index, line in enumerate(text.lines):
        ink = ink_of(line, text.size_px)
        indent = (longest - width_of(line, text.size_px)) / 2 if centred else 0
        top = margin + round(index * text.leading_px)
        lines.append(_Line(ink, margin + round(indent), top, _FIRST_LINE_S + index * step_s))
    return Title(
        size=block,
        x=_even(width * area.x - block[0] / 2),
        y=_even(height * area.y - block[1] / 2),
        lines=tuple(lines),
        size_px=text.size_px,
        rule=(block[0] // 2 if centred else 2 * margin + rule_width // 2, rule_y, rule_width),
        revealed_s=_FIRST_LINE_S + step_s * max(0, len(lines) - 1) + _LINE_TAKES_S,
    )


def reveal_title(title: Title, light: Planes, palette: Palette, at_s: float, nearness: float) -> Planes:
    """Draw the words at `at_s` on `light`; larger with a `nearness` of 1 than of 0."""
    if not title.lines:
        return light
    ink = Image.new("L", title.size)
    for line in title.lines:
        _draw_line(ink, line, at_s, 0.22 * title.size_px)
    _draw_rule(ink, title, at_s)
    ink = _grown(ink, _GROWTH * nearness)
    place = (title.x, title.y)
    light.luma.paste(_BLACK, place, _shade(ink, title.size_px))
    _paste_ink(light, ink, place, colour_of(palette.ink))
    return light


def set_mark(size: Size) -> Callable[[Planes], Planes]:
    """Return a function that draws the small words that say that this is a preview."""
    ink, place, size_px = _mark(size)
    shade = ink.filter(ImageFilter.GaussianBlur(size_px * 0.35)).point(lambda value: min(255, value * 2))
    faint_ink = ink.point(lambda value: value * 0.8)
    faint_shade = shade.point(lambda value: value * 0.4)

    def draw(planes: Planes) -> Planes:
        planes.luma.paste(_BLACK, place, faint_shade)
        _paste_ink(planes, faint_ink, place, (235, 128, 128))
        return planes

    return draw


def without_mark(picture: Image.Image, size: Size) -> Image.Image:
    """Return the picture without the mark, if it is a frame of a preview: films show it once.

    The picture's sides are a multiple of those of the frame.
    """
    ink, place, size_px = _mark(size)
    scale = picture.width // size[0]
    box = (place[0], place[1], place[0] + ink.width, place[1] + ink.height)
    seen = picture.convert("L").resize(size, Image.Resampling.BOX).crop(box)
    if _brighter(seen, ink) < _MARK_SEEN or _brighter(ImageChops.offset(seen, size_px // 3, 0), ink) > (
        _brighter(seen, ink) / 2
    ):
        return picture
    # What is there is drawn out from above and below.
    left, top, right, bottom = (side * scale for side in box)
    width, band = right - left, max(2, 2 * scale)
    edges = Image.new("RGB", (width, 2))
    for row, y in enumerate((top, bottom - band)):
        edges.paste(
            picture.crop((left, y, right, y + band)).resize((width, 1), Image.Resampling.BOX), (0, row)
        )
    filled = edges.resize((width, bottom - top), Image.Resampling.BILINEAR)
    feather = Image.new("L", (width, bottom - top))
    inset = size_px * scale // 6
    feather.paste(255, (inset, inset, width - inset, bottom - top - inset))
    whole = picture.copy()
    whole.paste(filled, (left, top), feather.filter(ImageFilter.GaussianBlur(inset / 2)))
    return whole


def _brighter(seen: Image.Image, ink: Image.Image) -> float:
    """Return by how much the ink's letters are brighter than what is close around them."""
    letters = ink.point([255 if value > 200 else 0 for value in range(256)])
    near = letters.filter(ImageFilter.MaxFilter(5))
    clear = ink.point([255 if value < 10 else 0 for value in range(256)])
    around = ImageChops.darker(near, clear)
    return float(ImageStat.Stat(seen, letters).mean[0] - ImageStat.Stat(seen, around).mean[0])


def _mark(size: Size) -> tuple[Image.Image, tuple[int, int], int]:
    """Return the mark's ink, its place in the frame, and the size of its letters."""
    size_px = max(11, round(min(size) * 0.026))
    ink = ink_of("DREAMREEL · PREVIEW", size_px, spacing_px=size_px * 0.16)
    ink = ink.crop((0, 0, _even(ink.width), _even(ink.height)))
    edge = round(min(size) * 0.045)
    x, y = size[0] - edge - ink.width + size_px / 2, size[1] - edge - ink.height + size_px
    return ink, (_even(x), _even(y)), size_px


def _draw_line(ink: Image.Image, line: _Line, at_s: float, rise_px: float) -> None:
    progress = (at_s - line.begins_s) / _LINE_TAKES_S
    if progress <= 0:
        return
    shown = line.ink
    if progress < 1:
        # The words rise into place while the sweep passes over them.
        risen = rise_px * exp(-4.5 * progress) * (1 - progress)
        shown = shown.transform(
            shown.size, Image.Transform.AFFINE, (1, 0, 0, 0, 1, -risen), Image.Resampling.BICUBIC
        )
        shown = ImageChops.multiply(shown, _sweep(shown.size, 0.5 - 0.5 * cos(pi * progress)))
    ink.paste(shown, (line.x, line.y), shown)


def _sweep(size: Size, progress: float) -> Image.Image:
    """Draw the sweep: white behind it, black before it, soft in between."""
    width, height = size
    soft = 0.45 * width + height
    edge = progress * (width + soft)
    values = bytes(_step((edge - x) / soft) for x in range(width))
    return Image.frombytes("L", (width, 1), values).resize(size, Image.Resampling.NEAREST)


def _step(t: float) -> int:
    t = min(1.0, max(0.0, t))
    return round(255 * t * t * (3 - 2 * t))


def _draw_rule(ink: Image.Image, title: Title, at_s: float) -> None:
    middle, top, width = title.rule
    progress = min(1.0, max(0.0, (at_s - title.revealed_s + 0.7) / 1.1))
    reach = width / 2 * (1 - (1 - progress) ** 3)
    if reach >= 1:
        ImageDraw.Draw(ink).rectangle((middle - reach, top, middle + reach, top + 1), fill=170)


def _grown(ink: Image.Image, growth: float) -> Image.Image:
    width, height = ink.size
    x, y = width * growth / 2, height * growth / 2
    return ink.resize(ink.size, Image.Resampling.BICUBIC, box=(x, y, width - x, height - y))


def _shade(ink: Image.Image, size_px: int) -> Image.Image:
    """Draw a soft shadow of the words, so that they are readable on the brightest background."""
    small = ink.reduce(4).filter(ImageFilter.GaussianBlur(size_px / 10))
    return small.point(_SHADE_LEVELS).resize(ink.size, Image.Resampling.BICUBIC)


def _paste_ink(
    planes: Planes, ink: Image.Image, place: tuple[int, int], colour: tuple[float, float, float]
) -> None:
    luma, blue, red = (round(value) for value in colour)
    small, small_place = ink.reduce(2), (place[0] // 2, place[1] // 2)
    planes.luma.paste(luma, place, ink)
    planes.blue.paste(blue, small_place, small)
    planes.red.paste(red, small_place, small)


def _even(value: float) -> int:
    return int(value) // 2 * 2
