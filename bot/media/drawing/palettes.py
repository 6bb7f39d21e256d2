"""The colours of a title card: curated sets, one of which the prompt picks."""

from __future__ import annotations

import random
from dataclasses import dataclass

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
)
