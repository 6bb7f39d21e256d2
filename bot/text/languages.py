"""Languages: what is known of each that is no phrase, and which one somebody is spoken to in."""

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
    """As its speakers write it, for a list to choose from."""
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
"""The codes of those that have a file of phrases, which may come later than what is known of a language."""

_TRADITIONAL = {"hant", "tw", "hk", "mo"}
"""The script, and the places where Chinese is written in it."""


def language_of(code: str) -> Language:
    """What is known of a language, whether it has a file or not; English for a code that we do not know."""
    return _KNOWN.get(code, _KNOWN["en"])


def choose_language(code: str | None, default: str) -> str:
    """The language for somebody whose Telegram speaks `code` (`zh-hans`, `en-GB`, `pt-br`, None)."""
    return next((known for known in _candidates(code or "") if known in LANGUAGES), default)


def menu_languages(default: str) -> dict[str | None, str]:
    """Telegram's code to the language of its command list; under None the list for everybody else.

    Where two share a code, as both kinds of Chinese do, the default has it, else the first of LANGUAGES.
    """
    menus: dict[str | None, str] = {None: default if default in LANGUAGES else "en"}
    for language in sorted(LANGUAGES, key=lambda one: one != default):
        menus.setdefault(language_of(language).menu_code, language)
    return menus


@cache
def small_counts(code: str) -> dict[str, list[int]]:
    """Each plural form that a language uses in everyday life, and the numbers up to 200 that take it."""
    numbers: dict[str, list[int]] = {"other": []}
    for number in range(201):
        numbers.setdefault(language_of(code).plural(Decimal(number)), []).append(number)
    return numbers


def _candidates(code: str) -> Iterator[str]:
    """Ours that would do, best first."""
    short, *rest = code.lower().replace("_", "-").split("-")
    if short == "zh" and "hans" not in rest and _TRADITIONAL.intersection(rest):
        yield "zh-hant"
    yield short
