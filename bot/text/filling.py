"""Fill values into a phrase by the rules of its language. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from decimal import Decimal

from bot.text.checks import Phrase
from bot.text.languages import language_of

_LONGEST = 1000
"""Of a value, in characters. With three of them a phrase still fits into a message."""


def fill(language: str, phrase: Phrase, values: Mapping[str, object]) -> str:
    """Return the phrase with its values, as Telegram's HTML; for plural forms, the one for `count`.

    Raises KeyError if a value is missing.
    """
    template = phrase if isinstance(phrase, str) else _form(language, phrase, values["count"])
    return template.format_map({name: _shown(language, value) for name, value in values.items()})


def say_list(language: str, items: Sequence[object]) -> str:
    """Return `a, b, c`; in Chinese `a、b、c`. Text, not yet HTML."""
    return language_of(language).comma.join(map(str, items))


def _form(language: str, forms: Mapping[str, str], count: object) -> str:
    form = language_of(language).plural(Decimal(str(count)))
    return forms.get(form, forms["other"])


def _shown(language: str, value: object) -> str:
    match value:
        case str():
            text = value
        case list() | tuple():
            text = say_list(language, value)
        case float() | Decimal():
            text = str(value).replace(".", language_of(language).decimal_mark)
        case _:
            text = str(value)
    return html.escape(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…", quote=False)
