"""What the bot says: phrases by key, one file per language with the same keys in each."""

from __future__ import annotations

import html
import re
import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")
_FOLDER = Path(__file__).parent


def say(language: str, key: str, **values: object) -> str:
    """The phrase `key` in `language`, as Telegram's HTML. `values` are foreign text and are escaped.

    A language we do not speak is answered in English. KeyError for an unknown key or a missing value: a
    defect of ours, which a test finds.
    """
    phrase = phrases(language)[key]
    return phrase.format_map({name: html.escape(str(value), quote=False) for name, value in values.items()})


def plain(text: str) -> str:
    """A phrase for places that know no HTML, such as the answer to a tap."""
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def has_phrase(key: str) -> bool:
    return key in phrases("en")


@cache
def phrases(language: str) -> dict[str, str]:
    """All phrases of a language, key to template."""
    known = language if language in LANGUAGES else "en"
    with (_FOLDER / f"{known}.toml").open("rb") as file:
        return {key: str(value).strip() for key, value in tomllib.load(file).items()}


def choose_language(code: str | None, default: str) -> str:
    """The language for somebody whose Telegram speaks `code` (`zh-hans`, `en-GB`, None)."""
    short = (code or "").lower().partition("-")[0]
    return short if short in LANGUAGES else default
