"""The languages: their names and rules, and which one a person reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from bot.text.plurals import Form, chinese, english, portuguese, russian, spanish

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Language:
    own_name: str
    """The name as its speakers write it, for the list of languages."""
    menu_code: str
    """ISO 639-1, two letters: the only codes under which Telegram keeps command lists."""
    plural: Callable[[Decimal], Form]
    comma: str = ", "
    """Between the items of a list."""
    decimal_mark: str = ","


_KNOWN = {
    "en": Language("English", "en", english, decimal_mark="."),
    "zh": Language("简体中文", "zh", chinese, comma="、", decimal_mark="."),
    "zh-hant": Language("繁體中文", "zh", chinese, comma="、", decimal_mark="."),
    "es": Language("Español", "es", spanish),
    "pt": Language("Português", "pt", portuguese),
    "ru": Language("Русский", "ru", russian),
}

LANGUAGES = tuple(code for code in _KNOWN if (FOLDER / f"{code}.toml").is_file())
"""The codes of the languages that have a file of phrases."""

_TRADITIONAL = {"hant", "tw", "hk", "mo"}
"""The script, and the regions that write Chinese in it."""


def language_of(code: str) -> Language:
    """Return the rules of a language, with or without phrases; English for an unknown code."""
    return _KNOWN.get(code, _KNOWN["en"])


def choose_language(code: str | None, default: str) -> str:
    """Return the language for a person whose Telegram uses `code` (`zh-hans`, `en-GB`, `pt-br`, None)."""
    return next((known for known in _candidates(code or "") if known in LANGUAGES), default)


def menu_languages(default: str) -> dict[str | None, str]:
    """Return the language of each command list by Telegram's code; under None the list for all others.

    If two share a code, as both kinds of Chinese do, the default gets it, or the first of LANGUAGES.
    """
    menus: dict[str | None, str] = {None: default if default in LANGUAGES else "en"}
    for language in sorted(LANGUAGES, key=lambda one: one != default):
        menus.setdefault(language_of(language).menu_code, language)
    return menus


@cache
def small_counts(code: str) -> dict[str, list[int]]:
    """Return each plural form for everyday numbers, with the numbers up to 200 that take it."""
    numbers: dict[str, list[int]] = {"other": []}
    for number in range(201):
        numbers.setdefault(language_of(code).plural(Decimal(number)), []).append(number)
    return numbers


def _candidates(code: str) -> Iterator[str]:
    """Yield our codes that fit, best first."""
    short, *rest = code.lower().replace("_", "-").split("-")
    if short == "zh" and "hans" not in rest and _TRADITIONAL.intersection(rest):
        yield "zh-hant"
    yield short
