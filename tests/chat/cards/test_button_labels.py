"""Labels of buttons on a phone of 390 pixels: none is cut, in any language, measured in a real font."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from PIL import ImageFont
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

import bot.media
from bot.chat.cards.label_width import fitting_columns, label_room
from bot.chat.cards.layout import keyboard
from bot.text import LANGUAGES, phrases
from bot.text.checks import values_in

FONTS = Path(bot.media.__file__).parent / "fonts"
LATIN = ImageFont.truetype(FONTS / "NotoSerifDisplay-SemiBold-subset.ttf", 14)
"""As wide as Roboto Medium at 15 pixels, which phones use; this font is here on every machine."""
EMOJI_PX = 15 * 1.3
VALUES = {"model": "jimeng-3.0-1080p", "price": "¥13.50", "number": "10"}
LABELS = ("button_", "option_", "camera_move_")


@cache
def letter_px(letter: str) -> float:
    if ord(letter) > 0x1F000 or letter in "⏸⏱✂":
        return EMOJI_PX
    if "\u2e80" <= letter <= "\uffef":
        return 15
    return LATIN.getlength(letter)


def measured(text: str) -> float:
    return sum(letter_px(letter) for letter in text if letter != "\ufe0f")


def labels_of(language: str) -> Iterator[tuple[str, str]]:
    for key, phrase in phrases(language).items():
        if key.startswith(LABELS):
            yield key, phrase.format_map({name: VALUES.get(name, "99") for name in values_in(phrase)})


def cut(markup: InlineKeyboardMarkup) -> list[str]:
    """Return the labels that a phone would cut."""
    room = {len(row): label_room(len(row)) for row in markup.inline_keyboard}
    return [one.text for row in markup.inline_keyboard for one in row if measured(one.text) > room[len(row)]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_fits_a_row_of_its_own(language: str) -> None:
    assert [key for key, label in labels_of(language) if measured(label) > label_room(1)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_of_any_labels_becomes_as_many_rows_as_show_them_whole(language: str) -> None:
    labels = [label for _, label in labels_of(language)]
    for size, start in product((2, 3, 4, 5), range(0, len(labels), 3)):
        row = [InlineKeyboardButton(label, callback_data="x") for label in labels[start : start + size]]
        markup = keyboard([row])
        assert cut(markup) == []
        assert [one for line in markup.inline_keyboard for one in line] == row


def test_a_row_holds_as_many_buttons_as_show_their_labels_whole() -> None:
    assert fitting_columns(["16:9", "5 s", "720p", "🔊 on"]) == 4
    assert fitting_columns(["9", "10", "11", "12", "13"]) == 5
    assert fitting_columns(["5 s", "10 s", "a label of some length"]) == 2
    assert fitting_columns(["Stop waiting (maybe already paid)", "5 s"]) == 1
