"""What a prompt is about: the colours and the motifs that its words name, in the bot's six languages."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.media.drawing.glyphs import is_hanzi
from bot.media.drawing.palettes import Palette, blend_palettes, palette_named


class Motif(StrEnum):
    """Something drawn that moves."""

    RAIN = "rain"
    SNOW = "snow"
    STARS = "stars"
    EMBERS = "embers"
    LEAVES = "leaves"
    WAVES = "waves"
    BOAT = "boat"
    LIGHTHOUSE = "lighthouse"
    FOREST = "forest"
    HILLS = "hills"


@dataclass(frozen=True, slots=True)
class SceneWords:
    """What the words name; the palette is None if they name no colours."""

    palette: Palette | None
    motifs: frozenset[Motif]


_TABLES: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("scene_words.toml").read_text(encoding="utf-8")
)
_WORD = re.compile(r"\w+")


def read_scene_words(words: str) -> SceneWords:
    """Return the colours and motifs that the words name: first colour names, then a time, then a place."""
    text = words.lower()
    named = set(_WORD.findall(text))
    colours = sorted(_found("colours", text, named), key=lambda name: _place(_TABLES["colours"][name], text))
    other = [*_found("times", text, named), *_found("places", text, named)]
    palette: Palette | None = None
    if colours:
        palette = blend_palettes(palette_named(colours[0]), palette_named(colours[-1]))
    elif other:
        palette = palette_named(other[0])
    return SceneWords(palette, frozenset(map(Motif, _found("motifs", text, named))))


def _found(table: str, text: str, named: set[str]) -> list[str]:
    return [
        name
        for name, stems in _TABLES[table].items()
        if any(_names(stem, text, named) for stem in stems.split())
    ]


def _names(stem: str, text: str, named: set[str]) -> bool:
    if not stem[0].isalpha() or is_hanzi(stem[0]):
        return stem in text
    if stem.endswith("*"):
        return any(word.startswith(stem[:-1]) for word in named)
    return stem in named


def _place(stems: str, text: str) -> int:
    """Return where in the text the first of the words stands."""
    return min(found for stem in stems.split() if (found := text.find(stem.rstrip("*"))) >= 0)
