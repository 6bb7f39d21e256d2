"""The colours of a title card: curated sets, one of which the prompt picks."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from PIL import Image

from bot.media.yuv import RGB


@dataclass(frozen=True, slots=True)
class Palette:
    """Dark ground from top to bottom, four lights that drift over it, and the ink of the words."""

    name: str
    top: RGB
    bottom: RGB
    lights: tuple[RGB, RGB, RGB, RGB]
    ink: RGB


def pick_palette(chance: random.Random) -> Palette:
    return chance.choice(PALETTES)


def palette_named(name: str) -> Palette:
    return next(palette for palette in PALETTES if palette.name == name)


def blend_palettes(first: Palette, second: Palette) -> Palette:
    """Return the first palette with one light of the second."""
    if first.name == second.name:
        return first
    lights = (first.lights[0], second.lights[0], *first.lights[2:])
    return replace(first, name=f"{first.name} and {second.name}", lights=lights)


def palette_of(picture: Image.Image) -> Palette:
    """Return the colours of a picture: its own lights over its own ground, darkened."""
    small = picture.convert("RGB").resize((2, 2), Image.Resampling.BOX)
    lights = [_pixel(small, x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]
    top, bottom = (mix(mix(one, other, 0.5), (4, 6, 10), 0.5) for one, other in (lights[:2], lights[2:]))
    first, second, third, fourth = (mix(light, (4, 6, 10), 0.1) for light in lights)
    return Palette("picture", top, bottom, (first, second, third, fourth), (250, 248, 242))


def _pixel(picture: Image.Image, x: int, y: int) -> RGB:
    red, green, blue = picture.crop((x, y, x + 1, y + 1)).tobytes()
    return red, green, blue


def mix(one: RGB, other: RGB, share: float) -> RGB:
    """Return the colour at `share` of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _rgb(code: str) -> RGB:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def _palette(name: str, ground: str, lights: str, ink: str) -> Palette:
    top, bottom = (_rgb(code) for code in ground.split())
    first, second, third, fourth = (_rgb(code) for code in lights.split())
    return Palette(name, top, bottom, (first, second, third, fourth), _rgb(ink))


PALETTES = (
    _palette("dusk", "171232 3b1c4e", "f2785c b8407f 5a3eb0 f0ad62", "fff4e4"),
    _palette("lagoon", "051d29 0b3a46", "1c9d9a 2c67ad 72d3b6 0e4f78", "f0fbf6"),
    _palette("ember", "1f0b0f 4a1619", "f06330 a92430 f2ae5c 6b1a31", "fff0de"),
    _palette("moss", "0b1b14 1f3d2b", "4a9665 c2cf72 2a6c74 1b4a33", "f7f6e4"),
    _palette("rose", "27101f 4d203e", "f5869a bf528f f8c3a8 6b3a80", "fff2ee"),
    _palette("night", "080d22 15224e", "3a68f0 7656f0 2ac0d4 1a2c80", "eef3ff"),
    _palette("dawn", "23150f 57311d", "eb9a3c d9653a f7cf8c 7d3c22", "fff5e6"),
    _palette("mist", "0e1a26 22384a", "3f86b8 8fbad6 e8b07a 2a5c90", "f6f8f7"),
    _palette("aurora", "06141b 0f2f3b", "34c481 2599bd 8059ec 0e5c58", "effaf4"),
    _palette("crimson", "1c070f 4a0f22", "d8344a 8f1c48 f08a6a 5e1430", "fff0ec"),
    _palette("azure", "081a33 123c6b", "2f86e0 3f5fd0 7cc4f0 164a8c", "f0f7ff"),
    _palette("violet", "160d2e 3a2063", "8f5ae0 5a48c8 d08af0 40207a", "f8f0ff"),
    _palette("pearl", "1b222c 3f4a58", "9fb2c6 c6ccd6 e0d8cc 5a6878", "fbfaf6"),
    _palette("ink", "0a0c10 23272e", "5a6470 3c4652 8c949c 1c2128", "f4f5f6"),
    _palette("autumn", "1f120c 46240f", "e0862c b84a20 f0bc5c 6e3214", "fff4e2"),
    _palette("frost", "0e1c2e 2d4a68", "8cb8e0 6d8ccc c8def0 3a6494", "f6faff"),
)
