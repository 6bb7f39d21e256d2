"""How wide a button's label is on a phone, and how many buttons fit in a row. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

# A keyboard is as wide as the message above it, on a phone of 390 pixels 290 at least: below a video that
# stands upright, or in a group. Between two buttons are 4. Telegram cuts a label wider than its button.
_KEYBOARD_PX = 290
_GAP_PX = 4
_PADDING_PX = 16
"""On both sides of a button together."""
_FONT_PX = 15
# As a share of the font's size, for the fonts of phones (Roboto, San Francisco), medium weight, rounded up.
_WIDE, _CAPITAL, _CYRILLIC, _LETTER, _NARROW = 1.0, 0.75, 0.62, 0.6, 0.37
_EMOJI = 1.35
_NARROW_LETTERS = frozenset("iljtfrI1.,:;·'’|()! ‹›í\u00a0")
_WIDE_LETTERS = frozenset("mwMW@%—…✓↺↻▶№шщжюфыШЩЖЮФЫМ")


def label_width(text: str) -> float:
    """Return the width of a label in pixels, as a phone shows it; rather too wide than too narrow."""
    return _FONT_PX * sum(map(_part, text))


def fitting_columns(labels: Sequence[str]) -> int:
    """Return how many of these buttons, from the first on, stand in a row with no label cut; at least one."""
    widths = [label_width(label) for label in labels]
    return next((count for count in range(len(labels), 1, -1) if max(widths[:count]) <= label_room(count)), 1)


def label_room(columns: int) -> float:
    """Return how many pixels a label may be wide if so many buttons stand in a row."""
    return (_KEYBOARD_PX - _GAP_PX * (columns - 1)) / columns - _PADDING_PX


def _part(letter: str) -> float:
    if letter == "\ufe0f" or unicodedata.combining(letter):
        return 0
    if ord(letter) > 0x1F000 or letter in "⏸⏱✂":
        return _EMOJI
    if unicodedata.east_asian_width(letter) in "WF" or letter in _WIDE_LETTERS:
        return _WIDE
    if letter in _NARROW_LETTERS:
        return _NARROW
    if "\u0400" <= letter <= "\u04ff":
        return _CAPITAL if letter.isupper() else _CYRILLIC
    return _CAPITAL if letter.isupper() else _LETTER
