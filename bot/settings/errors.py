"""What is wrong with a setting, in one sentence: its value, where it stands, and what would work."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot.network.account_urls import without_account

FILE = ".env"
ENVIRONMENT = "the environment"
_OFF = ("private_port", "backup_hour")
_UNLIMITED = ("daily_", "open_tasks", "submits_")
"""How the names begin of those that are unlimited if there is no figure."""
_LIKE_A_KEY = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w:=+/-]{20,}")
"""A key that stands in the line of another setting is no less secret there."""
_MOST_LETTERS = 60
_LARGE = 1_000_000
"""Such a bound is only there to keep nonsense out: nobody is told of it."""
_NEAR_IN_FILE, _NEAR_IN_ENVIRONMENT = 0.75, 0.87
"""Other programs have names in the environment, and some are like ours."""
OF_COMPOSE = frozenset({"TELEGRAM_API_ID", "TELEGRAM_API_HASH", "POSTGRES_PASSWORD", "BOT_MEMORY"}) | {
    *("DREAMREEL_IMAGE", "DREAMREEL_PORT", "DREAMREEL_PAGE_PORT"),
}
"""What `compose.yaml` reads from `.env` for others than the bot."""


@dataclass(frozen=True, slots=True)
class SettingText:
    """A setting as somebody wrote it."""

    text: str
    source: str
    """`.env` or `the environment`."""


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name that is no setting and was probably meant as one."""

    name: str
    source: str
    meant: str
    """The right name; empty if none is like it."""

    def __str__(self) -> str:
        told = f"{self.name} in {self.source} is no setting"
        return f"{told}: {self.meant} is meant?" if self.meant else f"{told}."


def written_settings(
    environment: Mapping[str, str], file: Mapping[str, str | None]
) -> dict[str, SettingText]:
    """Return what is written, by names in lower case. The environment beats the file."""
    both: dict[str, SettingText] = {}
    for source, texts in ((FILE, file), (ENVIRONMENT, environment)):
        both |= {name.lower(): SettingText(text, source) for name, text in texts.items() if text}
    return both


def none_text(name: str) -> str:
    """Return how people write that a setting has no value: off, unlimited, or nothing at all."""
    if name.lower() in _OFF:
        return "off"
    return "unlimited" if name.lower().startswith(_UNLIMITED) else ""


def wrong_setting(
    problem: ErrorDetails, fields: Mapping[str, FieldInfo], written: Mapping[str, SettingText]
) -> str:
    """Return the sentence for one error of the library."""
    reason = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        named = [name for name in re.findall(r"\b[A-Z][A-Z_]+\b", reason) if name.lower() in written]
        places = [f"{name} stands in {written[name.lower()].source}" for name in dict.fromkeys(named)]
        return "; ".join([reason, *places])
    name = str(problem["loc"][0])
    sentence = f"{name.upper()} should be: {_wanted(name, problem, fields[name], reason)}"
    if name not in written:
        return sentence
    one = written[name]
    if _is_secret(fields[name]) or _LIKE_A_KEY.fullmatch(one.text.strip()):
        return f"{sentence}; it stands in {one.source}"
    return f"{sentence}; {one.source} has {_shown(one.text)}"


def unknown_names(
    known: Collection[str], environment: Iterable[str], file: Iterable[str]
) -> list[UnknownSetting]:
    """Return the names that look like one of `known`, in capitals, and are none of them."""
    found: list[UnknownSetting] = []
    families = {name.partition("_")[0] for name in known if "_" in name}
    for source, names in ((FILE, file), (ENVIRONMENT, environment)):
        for name in sorted({name.upper() for name in names} - {*known} - OF_COMPOSE):
            is_file = source == FILE
            meant = _nearest(name, known, _NEAR_IN_FILE if is_file else _NEAR_IN_ENVIRONMENT)
            if not meant and is_file:
                meant = next((one for one in known if one.endswith(f"_{name}")), "")
            if meant or (is_file and "_" in name and name.partition("_")[0] in families):
                found.append(UnknownSetting(name, source, meant))
    return found


def _nearest(name: str, known: Collection[str], cutoff: float) -> str:
    return next(iter(difflib.get_close_matches(name, known, 1, cutoff)), "")


def _is_secret(field: FieldInfo) -> bool:
    return not field.repr or "SecretStr" in str(field.annotation)


def _shown(text: str) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in without_account(text))
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _wanted(name: str, problem: ErrorDetails, field: FieldInfo, reason: str) -> str:
    match problem["type"]:
        case "value_error":
            return reason
        case "literal_error":
            return str(problem.get("ctx", {})["expected"]).replace("'", "")
        case "too_short":
            return "a comma list with at least one name"
        case _:
            return _figure(name, field) or reason


def _figure(name: str, field: FieldInfo) -> str:
    """Say which numbers a field takes; empty if it takes none."""
    kind: Any = field.annotation
    for bound in field.metadata:
        kind = Annotated[kind, bound]
    schema = TypeAdapter(kind).json_schema()
    schema = next((one for one in schema.get("anyOf", [schema]) if one.get("type") in _KINDS), {})
    if not schema:
        return ""
    none = none_text(name)
    return (schema.get("description") or _bounded(schema)) + (f", or {none}" if none else "")


_KINDS = {"integer": "a whole number", "number": "a number"}


def _bounded(schema: Mapping[str, Any]) -> str:
    kind, least, most = _KINDS[schema["type"]], schema.get("minimum"), schema.get("maximum", _LARGE)
    if "exclusiveMinimum" in schema:
        return f"{kind}, more than {schema['exclusiveMinimum']:g}"
    if least is None:
        return kind
    return f"{kind}, {least:g} or more" if most >= _LARGE else f"{kind} from {least:g} to {most:g}"
