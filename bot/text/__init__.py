"""What the bot says: phrases by key, one file per language with the same keys in each."""

from __future__ import annotations

from decimal import Decimal

from bot.text.filling import fill, say_list
from bot.text.languages import LANGUAGES, choose_language, language_of, menu_languages
from bot.text.markup import plain
from bot.text.phrasebook import book, use_phrases

__all__ = [
    "LANGUAGES",
    "choose_language",
    "has_phrase",
    "language_name",
    "menu_languages",
    "phrases",
    "plain",
    "say",
    "say_amount",
    "say_duration",
    "say_list",
    "say_money",
    "use_phrases",
]


def say(language: str, key: str, **values: object) -> str:
    """Return the phrase `key` in `language`, as Telegram's HTML.

    `values` are foreign text and are escaped. Lists, tuples and decimal numbers are written as the language
    writes them. For a phrase with plural forms, the number `count` chooses the form.
    An unknown language is English. Raises KeyError for an unknown key or a missing value, which is a bug that
    a test finds.
    """
    return fill(language, book(language)[key], values)


def say_duration(language: str, duration_s: float) -> str:
    """Return `40 s`, `1 min 40 s`, `12 min`, `2 h 5 min`: seconds only below ten minutes."""
    whole_s = max(round(duration_s), 0)
    minutes, seconds = divmod(whole_s if whole_s < 600 else 60 * round(whole_s / 60), 60)
    hours, minutes_left = divmod(minutes, 60)
    match (hours, minutes_left, seconds):
        case (0, 0, _):
            return say(language, "seconds", seconds=seconds)
        case (0, _, 0):
            return say(language, "age_minutes", minutes=minutes)
        case (0, _, _):
            return say(language, "duration_minutes_seconds", minutes=minutes, seconds=seconds)
        case (_, 0, _):
            return say(language, "age_hours", hours=hours)
        case _:
            return say(language, "duration_hours_minutes", hours=hours, minutes=minutes_left)


def say_amount(language: str, amount: Decimal) -> str:
    """Return `3`, `0.42`, `2,10`, `0.004`: a whole number, or at least two decimals."""
    whole, _, decimals = f"{amount.normalize():f}".partition(".")
    return f"{whole}{language_of(language).decimal_mark}{decimals:0<2}" if decimals else whole


def say_money(language: str, amount: Decimal, currency: str) -> str:
    """Return `0.42 USD`, `¥2.10`, `2,10 €`: a code after the amount, a sign as the language places it."""
    if not currency:
        return say_amount(language, amount)
    key = "money_code" if currency[-1].isalpha() else "money_sign"
    return say(language, key, amount=say_amount(language, amount), currency=currency)


def language_name(language: str) -> str:
    """Return the name that its speakers use."""
    return language_of(language).own_name


def has_phrase(key: str) -> bool:
    return key in book("en")


def phrases(language: str) -> dict[str, str]:
    """Return all phrases of a language by key; for plural forms, the one for most numbers."""
    return {
        key: phrase if isinstance(phrase, str) else phrase["other"] for key, phrase in book(language).items()
    }
