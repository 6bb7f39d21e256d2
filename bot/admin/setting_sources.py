"""Setting sources: what each setting is, as it could be typed, and where its value comes from."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import SecretStr

from bot.network.account_urls import without_account
from bot.settings import IsolatedSettings, Settings
from bot.settings.errors import none_text

Source = Literal["default", "environment", ".env", "start"]
"""`start`: given by the program that started the bot, such as the sandbox."""


def names(settings: Settings) -> list[str]:
    """Return the names of all settings, in capitals."""
    return [name.upper() for name in type(settings).model_fields]


def source_of(settings: Settings, name: str) -> Source:
    """Return where a setting's value comes from. The environment beats `.env`."""
    if name.lower() not in settings.model_fields_set:
        return "default"
    if isinstance(settings, IsolatedSettings):
        return "start"
    given = any(one.upper() == name and value for one, value in os.environ.items())
    return "environment" if given else ".env"


def shown_value(settings: Settings, name: str) -> str:
    """Return a setting's value as it could be typed; empty if nothing is set. A secret is shown as `set`."""
    value: object = getattr(settings, name.lower())
    match value:
        case None:
            return none_text(name)
        case SecretStr():
            return "set"
        case frozenset():
            return ",".join(str(one) for one in sorted(value))
        case tuple():
            return ",".join(str(one) for one in value)
        case float() if value.is_integer():
            return str(int(value))
        case str() if "://" in value and not value.startswith("sqlite:"):
            shown = without_account(value)
            return shown if shown == value else shown.replace("://", "://…@", 1)
        case _:
            return str(value)
