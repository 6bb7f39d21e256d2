"""Every setting, with its type, default and unit. They are read from the environment and from `.env`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.request import getproxies
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from yarl import URL

from bot.errors import SettingsError
from bot.integers import read_integer
from bot.network.account_urls import passwords_in, quote_account
from bot.network.proxies import DIRECT, Proxy, environment_proxy, is_this_machine, read_proxy
from bot.prices import Prices, read_amount, read_prices
from bot.settings.errors import (
    FILE,
    SettingText,
    UnknownSetting,
    unknown_names,
    written_settings,
    wrong_setting,
)

Everyone = Literal["*"]
IdList = Annotated[frozenset[int] | Everyone, NoDecode]
Limit = Annotated[int, Field(ge=0, le=1_000_000_000)] | None
"""None is unlimited, 0 allows nothing."""
Budget = Annotated[Decimal, Field(ge=0)] | None
"""In `currency`; None is unlimited."""
ProxyAddress = Annotated[str | None, Field(repr=False)]
"""May hold a password. `none` uses no proxy; None is what the next wider setting says."""
Slots = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""Jobs that an account may run at once."""
_ADDRESSES = (
    *(
        "telegram_api_url",
        "public_url",
        "private_url",
        "volcengine_base_url",
        "geekai_base_url",
        "jimeng_relay_base_url",
    ),
    *("jiekou_base_url", "unified_relay_base_url", "ark_base_url"),
)

_CHAT_ID = "the id of a chat such as -1001234567890, no @name"
_TELEGRAM = "https://api.telegram.org"


def read_database_url(text: str) -> str:
    """Return the address of a database as drivers read it. Raises ValueError, which says nothing of it."""
    if text.startswith("sqlite:///") and text != "sqlite:///":
        return text
    wanted = "sqlite:///path/to/file.db or postgresql://name:password@host/database"
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError(wanted)
    try:
        return quote_account(text)
    except ValueError:
        raise ValueError(f"{wanted} (in a password write %40 %2F %3A %23 %3F for @ / : # ?)") from None


class Settings(BaseSettings):
    """What an operator can set. An empty value counts as unset."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    telegram_bot_token: SecretStr | None = None
    telegram_api_url: str = _TELEGRAM
    telegram_local_mode: Literal["off", "on"] = "off"
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: SecretStr | None = None
    telegram_proxy: ProxyAddress = None
    """None is the proxy of the environment, if there is one."""

    database_url: Annotated[str, Field(repr=False)] = "sqlite:///data/dreamreel.db"
    data_dir: Path = Path("data")

    admin_users: Annotated[frozenset[int], NoDecode] = frozenset()
    allowed_users: IdList = frozenset()
    allowed_chats: IdList = frozenset()
    daily_videos_per_user: Limit = 20
    daily_videos_per_chat: Limit = 100
    open_tasks_per_user: Limit = 5
    open_tasks_per_chat: Limit = 20
    timezone: str = "UTC"

    model_prices: Annotated[Prices, NoDecode] = Prices()
    currency: str = "USD"
    daily_budget: Budget = None
    daily_budget_per_user: Budget = None
    submits_per_hour: Limit = 100

    default_model: str | None = None
    default_language: Literal["en", "zh", "zh-hant", "es", "pt", "ru"] = "en"
    phrases_dir: Path | None = None
    styles_file: Path | None = None
    old_message_minutes: Annotated[float, Field(gt=0, le=525_600)] = 10
    keep_days: Annotated[int, Field(ge=2, le=36_500)] = 90
    """At least 2: daily limits and budgets read one day back."""
    keep_files_mb: Annotated[int, Field(ge=1, le=1_000_000_000)] = 2000
    backup_hour: Annotated[int, Field(ge=0, le=23)] | None = 4
    """In TIMEZONE; None makes no backups."""
    backup_dir: Path | None = None
    poll_max_seconds: Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)] = 60
    trusted_private_hosts: Annotated[frozenset[str], NoDecode] = frozenset()

    failover: Literal["off", "on"] = "off"

    provider_proxy: ProxyAddress = None
    volcengine_access_key_id: SecretStr | None = None
    volcengine_secret_access_key: SecretStr | None = None
    volcengine_base_url: str = "https://visual.volcengineapi.com"
    volcengine_concurrency: Slots = 1
    volcengine_proxy: ProxyAddress = None
    geekai_api_key: SecretStr | None = None
    geekai_base_url: str = "https://geekai.co/api/v1"
    geekai_concurrency: Slots = 1
    geekai_models: Annotated[tuple[str, ...], NoDecode] = ()
    """Beside Jimeng."""
    geekai_proxy: ProxyAddress = None
    jimeng_relay_api_key: SecretStr | None = None
    jimeng_relay_base_url: str | None = None
    jimeng_relay_concurrency: Slots = 1
    jimeng_relay_proxy: ProxyAddress = None
    jimeng_relay_model: str | None = None
    jiekou_api_key: SecretStr | None = None
    jiekou_base_url: str = "https://api.jiekou.ai"
    jiekou_concurrency: Slots = 1
    jiekou_proxy: ProxyAddress = None
    ark_api_key: SecretStr | None = None
    ark_base_url: str = "https://ark.cn-beijing.volces.com/api/v3"
    ark_concurrency: Slots = 3
    ark_proxy: ProxyAddress = None
    ark_models: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = (
        *("ark-seedance-2.5", "ark-seedance-2.0"),
        *("ark-seedance-2.0-fast", "ark-seedance-2.0-mini"),
    )
    people_allow_all: Literal["off", "on"] = "off"
    jiekou_models: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = (
        *("veo-3", "veo-3.1", "veo-3.1-fast"),
        *("seedance-2.0", "seedance-2.0-fast", "kling-3.0"),
    )
    unified_relay_api_key: SecretStr | None = None
    unified_relay_base_url: str | None = None
    unified_relay_concurrency: Slots = 1
    unified_relay_proxy: ProxyAddress = None
    unified_relay_model: str = "jimeng-video-3.0"
    unified_relay_models: Annotated[tuple[str, ...], NoDecode] = ()
    """Empty is `unified_relay_model` alone."""
    unified_relay_ratios: Annotated[tuple[str, ...], NoDecode] = ("2:3", "3:2", "1:1")
    unified_relay_sizes: Annotated[tuple[str, ...], NoDecode] = ("720P",)

    alert_chat: Annotated[int, Field(ge=-(2**63), lt=2**63, description=_CHAT_ID)] | None = None
    heartbeat_url: SecretStr | None = None
    heartbeat_proxy: ProxyAddress = None

    listen_host: str = "127.0.0.1"
    listen_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    public_url: str | None = None
    private_host: str = "127.0.0.1"
    private_port: Annotated[int, Field(ge=0, le=65535)] | None = 8788
    """0 is any free port, None is no private server."""
    private_url: str | None = None
    secret_key: SecretStr | None = None
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def token(self) -> str:
        """The bot token in clear text. Raises SettingsError if it is not set."""
        if self.telegram_bot_token is None:
            raise SettingsError(
                "TELEGRAM_BOT_TOKEN is not set: get one from @BotFather and put it into .env, "
                "or run `make sandbox`, which needs none."
            )
        return self.telegram_bot_token.get_secret_value()

    @property
    def upload_max_bytes(self) -> int:
        """What Telegram accepts as a video: https://core.telegram.org/bots/api#using-a-local-bot-api-server."""
        return 2_000_000_000 if self.telegram_local_mode == "on" else 50_000_000

    @property
    def download_max_bytes(self) -> int:
        """What Telegram lets a bot fetch: https://core.telegram.org/bots/api#getfile."""
        return 2_000_000_000 if self.telegram_local_mode == "on" else 20_000_000

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def bot_id(self) -> int:
        """The bot's own id at Telegram, which its token begins with."""
        return int(self.token.partition(":")[0])

    @property
    def backups(self) -> Path | None:
        """The folder of the nightly backups; None if none are made."""
        if self.backup_hour is None or not self.database_url.startswith("sqlite:"):
            return None
        return self.backup_dir or self.data_dir / "backups"

    @property
    def sqlite_path(self) -> Path:
        return Path(self.database_url.removeprefix("sqlite:///"))

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, values: Mapping[str, object]) -> Mapping[str, object]:
        """White space around a value is none of it: a key that was copied with a line break is refused."""
        trimmed = {name: one.strip() if isinstance(one, str) else one for name, one in values.items()}
        return {name: one for name, one in trimmed.items() if one != ""}

    @field_validator("admin_users", "allowed_users", "allowed_chats", mode="before")
    @classmethod
    def _ids(cls, value: object, field: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        if value.strip() == "*" and field.field_name != "admin_users":
            return "*"
        parts = [part for part in re.split(r"[,\s]+", value) if part]
        ids = [read_integer(part) for part in parts]
        if None in ids:
            raise ValueError("a comma list of numeric ids such as 1001,1002")
        return frozenset(ids)

    @field_validator("trusted_private_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return frozenset(host.strip().lower() for host in value.split(",") if host.strip())

    @field_validator(
        "daily_videos_per_user",
        "daily_videos_per_chat",
        "open_tasks_per_user",
        "open_tasks_per_chat",
        "submits_per_hour",
        mode="before",
    )
    @classmethod
    def _limit(cls, value: object) -> object:
        return None if isinstance(value, str) and value.strip().lower() == "unlimited" else value

    @field_validator("private_port", "backup_hour", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        return None if isinstance(value, str) and value.strip().lower() == "off" else value

    @field_validator("model_prices", mode="before")
    @classmethod
    def _prices(cls, value: object) -> object:
        return read_prices(value) if isinstance(value, str) else value

    @field_validator("currency")
    @classmethod
    def _currency(cls, value: str) -> str:
        if not re.fullmatch(r"[^\W\d_]{2,10}|[^\w\s]|[A-Z]{1,3}[^\w\s]", value):
            raise ValueError("a code or a sign such as USD, CNY, €, ¥ or R$")
        return value

    @field_validator("daily_budget", "daily_budget_per_user", mode="before")
    @classmethod
    def _budget(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        text = value.strip()
        return None if text.lower() == "unlimited" else read_amount(text)

    @field_validator(
        *("geekai_models", "jiekou_models", "ark_models", "unified_relay_models"),
        *("unified_relay_ratios", "unified_relay_sizes"),
        mode="before",
    )
    @classmethod
    def _words(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))

    @field_validator("unified_relay_ratios")
    @classmethod
    def _ratios(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not all(re.fullmatch(r"[1-9]\d?:[1-9]\d?", ratio) for ratio in value):
            raise ValueError("a comma list of ratios such as 16:9,9:16,1:1")
        return value

    @field_validator("unified_relay_sizes")
    @classmethod
    def _sizes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("a comma list of sizes such as 720P,1080P")
        return value

    @field_validator(*_ADDRESSES)
    @classmethod
    def _address(cls, value: str | None, field: ValidationInfo) -> str | None:
        if value is None:
            return None
        try:
            address = URL(value)
        except ValueError:  # an impossible port
            address = URL()
        if address.scheme not in ("http", "https") or not address.host:
            raise ValueError("an address such as https://example.org")
        if address.user and field.field_name != "public_url":
            # It would appear in errors, and the account has a setting for its key.
            raise ValueError("an address without a name and a password in it")
        if field.field_name == "private_url" and address.path.strip("/"):
            raise ValueError("an address without a path, such as https://bot.example.org")
        return value.rstrip("/")

    @field_validator(
        *("telegram_proxy", "provider_proxy", "volcengine_proxy", "geekai_proxy", "jimeng_relay_proxy"),
        *("jiekou_proxy", "ark_proxy", "unified_relay_proxy", "heartbeat_proxy"),
    )
    @classmethod
    def _proxy(cls, value: str | None) -> str | None:
        return None if value is None else read_proxy(value)

    @field_validator("heartbeat_url")
    @classmethod
    def _heartbeat(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"https?://[^/\s]", value.get_secret_value()):
            raise ValueError("an address such as https://hc-ping.com/your-uuid")
        return value

    @field_validator("telegram_bot_token")
    @classmethod
    def _token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"\d+:[\w-]{10,}", value.get_secret_value()):
            raise ValueError("a token as @BotFather gives it, such as 123456789:AAE…")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        return read_database_url(value)

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", value.get_secret_value()):
            raise ValueError("16 to 256 letters, digits, - and _, which is what Telegram takes")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, such as Europe
            raise ValueError("a time zone name such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if bool(self.volcengine_access_key_id) != bool(self.volcengine_secret_access_key):
            raise ValueError(
                "VOLCENGINE_ACCESS_KEY_ID and VOLCENGINE_SECRET_ACCESS_KEY belong together: set both"
            )
        if self.telegram_local_mode == "on" and self.telegram_api_url == _TELEGRAM:
            raise ValueError("TELEGRAM_LOCAL_MODE needs TELEGRAM_API_URL: a Bot API server of your own")
        if self.public_url and self.listen_port is None:
            raise ValueError("PUBLIC_URL needs LISTEN_PORT: the port on which this bot answers behind it")
        if self.telegram_mode == "webhook" and not self.public_url:
            raise ValueError("TELEGRAM_MODE=webhook needs PUBLIC_URL: the address at which Telegram calls")
        is_theirs = self.telegram_mode == "webhook" and self.telegram_api_url == _TELEGRAM
        if is_theirs and not str(self.public_url).startswith("https://"):
            raise ValueError("TELEGRAM_MODE=webhook needs a PUBLIC_URL with https: Telegram calls no other")
        if self.public_url and self.secret_key is None and not self.database_url.startswith("sqlite:"):
            raise ValueError(
                "PUBLIC_URL with PostgreSQL needs SECRET_KEY, the same for every process: it signs links"
            )
        for name in ("daily_budget", "daily_budget_per_user"):
            if getattr(self, name) is not None and not self.model_prices:
                raise ValueError(f"{name.upper()} needs MODEL_PRICES: without prices nothing can be counted")
        for name in ("jimeng_relay", "unified_relay"):
            if bool(getattr(self, f"{name}_api_key")) != bool(getattr(self, f"{name}_base_url")):
                upper = name.upper()
                raise ValueError(f"{upper}_API_KEY and {upper}_BASE_URL belong together: set both")
        return self


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
