"""Styles: presets that put words before and after a prompt, and choose options. The operator may add some."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import SettingsError

_BUILT_IN = Path(__file__).with_name("styles.toml")
_MOST = 12
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_Words = Annotated[str, Field(max_length=300)]
_Title = Annotated[str, Field(min_length=1, max_length=30)]
Language = Literal["en", "zh", "zh-hant", "es", "pt", "ru"]


class StyleOptions(BaseModel):
    """Options that a style chooses, if the model offers them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ratio: str | None = None
    seconds: int | None = None
    resolution: str | None = None
    audio: bool | None = None


class Style(BaseModel):
    """A preset. A request holds it whole, so that it stays what it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    titles: dict[Language, _Title] = Field(min_length=1)
    before: _Words = ""
    after: _Words = ""
    options: StyleOptions = StyleOptions()

    def title(self, language: str) -> str:
        """Return what people read, in their language or else in the first that there is."""
        return self.titles.get(language) or next(iter(self.titles.values()))  # type: ignore[call-overload]

    def words(self, prompt: str) -> str:
        """Return the prompt as a model gets it."""
        return " ".join(part for part in (self.before, prompt, self.after) if part)

    def __str__(self) -> str:
        return self.name


_styles: dict[str, Style] = {}


def use_styles(path: Path | None) -> None:
    """Offer the built-in styles, and those in an operator's file; of the same name the operator's.

    Raises SettingsError, one sentence; then nothing changes.
    """
    found = _read(_BUILT_IN) | (_read(path) if path is not None else {})
    if len(found) > _MOST:
        raise SettingsError(f"STYLES_FILE: there is room for {_MOST} styles, the built-in ones included.")
    _styles.clear()
    _styles.update(found)


def styles() -> Mapping[str, Style]:
    """Return the styles that are offered, by name."""
    if not _styles:
        use_styles(None)
    return MappingProxyType(_styles)


def _read(path: Path) -> dict[str, Style]:
    try:
        tables = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError:
        raise SettingsError(f"STYLES_FILE: {path} cannot be read.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"STYLES_FILE: {path.name} is not a text file in UTF-8.") from None
    except tomllib.TOMLDecodeError:
        raise SettingsError(f"STYLES_FILE: {path.name} is not written as TOML.") from None
    return {name: _style(name, table) for name, table in tables.items()}


def _style(name: str, table: object) -> Style:
    if not _NAME.fullmatch(name):
        raise SettingsError("STYLES_FILE: a style is named with small letters, digits and hyphens.")
    if not isinstance(table, dict):
        raise SettingsError(f"STYLES_FILE: the style {name} is no table: begin it with [{name}].")
    try:
        return Style(**{**table, "name": name})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise SettingsError(f"STYLES_FILE: in the style {name}, {place}: {first['msg']}.") from None
