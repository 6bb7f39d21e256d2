"""Glyphs: which characters the fonts have, how wide text is, and text as a mask."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_FONTS = Path(__file__).parents[1] / "fonts"
_LATIN = _FONTS / "NotoSerifDisplay-SemiBold-subset.ttf"  # with Greek and Cyrillic
_HANZI = _FONTS / "NotoSerifCJKsc-SemiBold-subset.otf"  # with kana and full-width punctuation
_MEASURE_PX = 100


@dataclass(frozen=True, slots=True)
class Run:
    """Characters in a row that one font draws."""

    text: str
    font: Path


def is_hanzi(character: str) -> bool:
    """Return True for characters written without spaces: hanzi, kana, full-width punctuation."""
    return "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"


def drawable(text: str) -> str:
    """Return `text` in one line, without what the fonts lack. A letter may lose an unusual accent."""
    kept = ""
    for character in unicodedata.normalize("NFC", text):
        match unicodedata.category(character)[0]:
            case "Z":
                kept += " "
            case "C":
                # Line breaks and tabs separate words. Other control characters have nothing to draw.
                kept += " " if character.isspace() else ""
            case "M":
                if unicodedata.combining(character) and kept[-1:].isalpha() and _font_of(character):
                    kept += character
            case _:
                kept += _nearest(character)
    return " ".join(kept.split())


def width_of(text: str, size_px: float = 1.0) -> float:
    """Return the width of a line of text in pixels."""
    return _unit_width(text) * size_px


def ink_of(text: str, size_px: int, *, spacing_px: float = 0.0) -> Image.Image:
    """Return one line as a mask with half an em of margin; the baseline is one and a half ems down.

    The mask is two and a half ems high. `spacing_px` is added after each character.
    """
    margin = ceil(size_px / 2)
    runs = (
        _runs(text) if not spacing_px else [Run(part.text, part.font) for one in text for part in _runs(one)]
    )
    width = ceil(width_of(text, size_px) + spacing_px * len(text)) + 2 * margin
    mask = Image.new("L", (width, ceil(1.5 * size_px) + 2 * margin))
    draw = ImageDraw.Draw(mask)
    x = float(margin)
    for run in runs:
        font = _font(run.font, size_px)
        draw.text((x, margin + size_px), run.text, font=font, fill=255, anchor="ls")
        x += font.getlength(run.text) + spacing_px
    # Lifts the half-covered pixels, of which the hairlines of small letters consist.
    return mask.point([round(255 * (value / 255) ** 0.7) for value in range(256)])


def _nearest(character: str) -> str:
    """Return the character, or its plain form, or nothing."""
    if _font_of(character):
        return character
    plain = unicodedata.normalize("NFKD", character)
    return "".join(part for part in plain if _font_of(part) and not unicodedata.combining(part))


@lru_cache(maxsize=4096)
def _font_of(character: str) -> Path | None:
    """Return the font that has the character; `.notdef` is blank, so a blank glyph means it is missing."""
    for font in (_LATIN, _HANZI):
        if _font(font, _MEASURE_PX).getmask(character).getbbox():
            return font
    return None


@lru_cache(maxsize=4096)
def _unit_width(text: str) -> float:
    return sum(_font(run.font, _MEASURE_PX).getlength(run.text) for run in _runs(text)) / _MEASURE_PX


def _runs(text: str) -> list[Run]:
    fonts: list[tuple[str, Path]] = []
    for character in text:
        before = fonts[-1][1] if fonts else _LATIN
        fonts.append((character, before if character == " " else _font_of(character) or before))
    return [
        Run("".join(character for character, _ in group), font)
        for font, group in groupby(fonts, key=lambda pair: pair[1])
    ]


@lru_cache(maxsize=16)
def _font(path: Path, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size_px)
