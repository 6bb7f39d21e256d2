"""The phrases of each language, some of them replaced by an operator's own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from bot.errors import SettingsError
from bot.text.checks import Phrase, is_phrase, problems_of
from bot.text.languages import FOLDER, LANGUAGES

_books: dict[str, dict[str, Phrase]] = {}
"""Read when first needed: a bot for one country never reads the other languages."""


def book(code: str) -> dict[str, Phrase]:
    """Return all phrases of a language by key. A language without a file is English."""
    known = code if code in LANGUAGES else "en"
    if known not in _books:
        _books[known] = shipped(known)
    return _books[known]


def shipped(code: str) -> dict[str, Phrase]:
    """Return the built-in phrases of one of LANGUAGES."""
    return _phrases(read_phrases(FOLDER / f"{code}.toml"))


def use_phrases(folder: Path | None) -> None:
    """Use the phrases in an operator's folder: `en.toml` and so on, with only the phrases that differ. None:
    the built-in ones.

    Raises SettingsError, one sentence with file and key, if a phrase is wrong; then nothing changes.
    """
    own = {} if folder is None else _read_own(folder)
    _books.clear()
    _books.update(own)


def read_phrases(path: Path) -> dict[str, object]:
    """Return the content of a file of phrases, with spaces around each text removed.

    Raises OSError, or ValueError if it is not TOML in UTF-8.
    """
    text = path.read_bytes().decode("utf-8-sig")  # editors on Windows write a byte order mark
    return {key: _stripped(value) for key, value in tomllib.loads(text).items()}


def _read_own(folder: Path) -> dict[str, dict[str, Phrase]]:
    if not folder.is_dir():
        raise SettingsError(f"PHRASES_DIR: there is no folder {folder}.")
    english = shipped("en")
    books = {}
    for path in sorted(folder.glob("*.toml")):
        if path.stem not in LANGUAGES:
            files = ", ".join(f"{code}.toml" for code in LANGUAGES)
            raise SettingsError(f"PHRASES_DIR: {path.name} is no language of this bot; there are {files}.")
        own = _read(path)
        if problems := problems_of(path.stem, own, english, partial=True):
            others = f" (and {len(problems) - 1} more)" if problems[1:] else ""
            raise SettingsError(f"PHRASES_DIR: in {path.name}, {problems[0]}{others}.")
        books[path.stem] = shipped(path.stem) | _phrases(own)
    return books


def _read(path: Path) -> dict[str, object]:
    try:
        return read_phrases(path)
    except OSError:
        raise SettingsError(f"PHRASES_DIR: {path.name} cannot be read.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"PHRASES_DIR: {path.name} is not a text file in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at (line \d+|end of document)", str(error))
        where = f" near {place[1].replace('end', 'the end')}" if place else ""
        raise SettingsError(f"PHRASES_DIR: {path.name} is not written as TOML{where}.") from None


def _phrases(read: dict[str, object]) -> dict[str, Phrase]:
    return {key: value for key, value in read.items() if is_phrase(value)}


def _stripped(value: object) -> object:
    if isinstance(value, dict):
        return {form: _stripped(text) for form, text in value.items()}
    return value.strip() if isinstance(value, str) else value
