"""The settings, read from the environment and from `.env`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.request import getproxies

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource
from yarl import URL

from bot.errors import SettingsError
from bot.network.account_urls import passwords_in
from bot.network.proxies import DIRECT, Proxy, environment_proxy, is_this_machine
from bot.settings.errors import (
    FILE,
    SettingText,
    UnknownSetting,
    unknown_names,
    written_settings,
    wrong_setting,
)
from bot.settings.fields import Settings
from bot.settings.values import Everyone, read_database_url

__all__ = [
    "Everyone",
    "IsolatedSettings",
    "Settings",
    "check_again",
    "find_unknown_names",
    "load_settings",
    "proxy_for_heartbeat",
    "proxy_for_provider",
    "proxy_for_telegram",
    "read_database_url",
    "read_log_format",
    "secrets_of",
]


def proxy_for_telegram(settings: Settings) -> Proxy | None:
    """Return the proxy for calls to Telegram. Raises SettingsError if the environment's cannot be used."""
    return _proxy_for(settings.telegram_api_url, settings.telegram_proxy, "TELEGRAM_PROXY")


def proxy_for_heartbeat(settings: Settings) -> Proxy | None:
    """Return the proxy for HEARTBEAT_URL. Raises SettingsError if the environment's cannot be used."""
    if settings.heartbeat_url is None:
        return None
    return _proxy_for(settings.heartbeat_url.get_secret_value(), settings.heartbeat_proxy, "HEARTBEAT_PROXY")


def _proxy_for(url: str, proxy: str | None, setting: str) -> Proxy | None:
    if proxy is None:
        return environment_proxy(url)
    return None if proxy == DIRECT or is_this_machine(URL(url).host or "") else Proxy(proxy, setting)


def proxy_for_provider(settings: Settings, provider: str) -> Proxy | None:
    """Return the proxy for calls to a provider and for its videos. The environment's counts for none."""
    for name in (f"{provider}_proxy", "provider_proxy"):
        if address := getattr(settings, name, None):
            return None if address == DIRECT else Proxy(address, name.upper())
    return None


def secrets_of(settings: Settings) -> list[str]:
    """Return what must never appear in a log."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    addresses = [value for value in (*values, *getproxies().values()) if isinstance(value, str)]
    return [*secrets, *(password for url in addresses if "://" in url for password in passwords_in(url))]


class IsolatedSettings(Settings):
    """The same settings, only from the values given: neither the environment nor `.env` is read."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings. Raises SettingsError, one line that names each wrong setting."""
    file = Path(FILE)
    if file.exists() and not file.is_file():
        raise SettingsError(f"{FILE} is a folder and should be a file: remove it, and make one.")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        written = written_settings(os.environ, _in_file())
        raise _wrong(error, written) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{FILE} is not a text file in UTF-8.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"{FILE} cannot be read: {reason}. Look at its permissions.") from None


def find_unknown_names() -> list[UnknownSetting]:
    """Return the names in the environment and in `.env` that were probably meant as settings."""
    return unknown_names([name.upper() for name in Settings.model_fields], os.environ, _in_file())


def _in_file() -> Mapping[str, str | None]:
    """Return what `.env` has; nothing if it cannot be read, which `load_settings` reports."""
    try:
        return DotEnvSettingsSource(Settings).env_vars
    except (OSError, UnicodeDecodeError):
        return {}


def _wrong(error: ValidationError, written: Mapping[str, SettingText]) -> SettingsError:
    problems = [wrong_setting(problem, Settings.model_fields, written) for problem in error.errors()]
    return SettingsError("; ".join(problems))


class _LogFormat(BaseSettings):
    model_config = Settings.model_config

    log_format: Literal["text", "json"] = "text"


def read_log_format() -> Literal["text", "json"]:
    """Return how to write what is wrong with the other settings."""
    try:
        return _LogFormat().log_format
    except (ValidationError, UnicodeDecodeError, OSError):
        return "text"


def check_again(settings: Settings, texts: Mapping[str, str]) -> Settings:
    """Return `settings` with other values, texts by names in capitals. Raises SettingsError."""
    changed = {name.lower(): text for name, text in texts.items()}
    try:
        checked = IsolatedSettings.model_validate({**dict(settings), **changed})
        return settings.model_copy(update={name: getattr(checked, name) for name in changed})
    except ValidationError as error:
        raise _wrong(error, {}) from None
