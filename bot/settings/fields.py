"""Every setting, with its type, default and unit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsError
from bot.prices import Prices
from bot.settings.values import (
    Address,
    Budget,
    Currency,
    DatabaseAddress,
    Heartbeat,
    Hosts,
    Hour,
    Ids,
    IdsOrEveryone,
    Limit,
    Names,
    OptionalPort,
    Origin,
    PriceList,
    ProxyAddress,
    PublicAddress,
    Ratios,
    Sizes,
    Slots,
    TimeZone,
    Token,
    WebhookSecret,
)

_GROUP_ID = "the id of a group or channel such as -1001234567890, no @name"
_CHAT_ID = "the id of a chat such as -1001234567890, no @name"
_TELEGRAM = "https://api.telegram.org"


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

    telegram_bot_token: Token | None = None
    telegram_api_url: Address = _TELEGRAM
    telegram_local_mode: Literal["off", "on"] = "off"
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: WebhookSecret | None = None
    telegram_proxy: ProxyAddress = None
    """None is the proxy of the environment, if there is one."""

    database_url: DatabaseAddress = "sqlite:///data/dreamreel.db"
    data_dir: Path = Path("data")

    admin_users: Ids = frozenset()
    allowed_users: IdsOrEveryone = frozenset()
    allowed_chats: IdsOrEveryone = frozenset()
    daily_videos_per_user: Limit = 20
    daily_videos_per_chat: Limit = 100
    open_tasks_per_user: Limit = 5
    open_tasks_per_chat: Limit = 20
    timezone: TimeZone = "UTC"

    model_prices: PriceList = Prices()
    currency: Currency = "USD"
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
    backup_hour: Hour = 4
    """In TIMEZONE; None makes no backups."""
    backup_dir: Path | None = None
    poll_max_seconds: Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)] = 60
    trusted_private_hosts: Hosts = frozenset()

    failover: Literal["off", "on"] = "off"

    provider_proxy: ProxyAddress = None
    volcengine_access_key_id: SecretStr | None = None
    volcengine_secret_access_key: SecretStr | None = None
    volcengine_base_url: Address = "https://visual.volcengineapi.com"
    volcengine_concurrency: Slots = 1
    volcengine_proxy: ProxyAddress = None
    geekai_api_key: SecretStr | None = None
    geekai_base_url: Address = "https://geekai.co/api/v1"
    geekai_concurrency: Slots = 1
    geekai_models: Names = ()
    """Beside Jimeng."""
    geekai_proxy: ProxyAddress = None
    jimeng_relay_api_key: SecretStr | None = None
    jimeng_relay_base_url: Address | None = None
    jimeng_relay_concurrency: Slots = 1
    jimeng_relay_proxy: ProxyAddress = None
    jimeng_relay_model: str | None = None
    jiekou_api_key: SecretStr | None = None
    jiekou_base_url: Address = "https://api.jiekou.ai"
    jiekou_concurrency: Slots = 1
    jiekou_proxy: ProxyAddress = None
    ark_api_key: SecretStr | None = None
    ark_base_url: Address = "https://ark.cn-beijing.volces.com/api/v3"
    ark_concurrency: Slots = 3
    ark_proxy: ProxyAddress = None
    ark_models: Annotated[Names, Field(min_length=1)] = (
        *("ark-seedance-2.5", "ark-seedance-2.0"),
        *("ark-seedance-2.0-fast", "ark-seedance-2.0-mini"),
    )
    people_allow_all: Literal["off", "on"] = "off"
    jiekou_models: Annotated[Names, Field(min_length=1)] = (
        *("veo-3", "veo-3.1", "veo-3.1-fast"),
        *("seedance-2.0", "seedance-2.0-fast", "kling-3.0"),
    )
    unified_relay_api_key: SecretStr | None = None
    unified_relay_base_url: Address | None = None
    unified_relay_concurrency: Slots = 1
    unified_relay_proxy: ProxyAddress = None
    unified_relay_model: str = "jimeng-video-3.0"
    unified_relay_models: Names = ()
    """Empty is `unified_relay_model` alone."""
    unified_relay_ratios: Ratios = ("2:3", "3:2", "1:1")
    unified_relay_sizes: Sizes = ("720P",)

    alert_chat: Annotated[int, Field(ge=-(2**63), lt=2**63, description=_CHAT_ID)] | None = None
    storage_chat: Annotated[int, Field(ge=-(2**63), lt=0, description=_GROUP_ID)] | None = None
    heartbeat_url: Heartbeat | None = None
    heartbeat_proxy: ProxyAddress = None

    listen_host: str = "127.0.0.1"
    listen_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    public_url: PublicAddress | None = None
    private_host: str = "127.0.0.1"
    private_port: OptionalPort = 8788
    """0 is any free port, None is no private server."""
    private_url: Origin | None = None
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
