"""The kinds of values that settings have: how each is read from text, and what is refused."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode
from yarl import URL

from bot.integers import read_integer
from bot.network.account_urls import quote_account
from bot.network.proxies import read_proxy
from bot.prices import Prices, read_amount, read_prices


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


def _ids(value: object) -> object:
    if not isinstance(value, str):
        return value
    ids = [read_integer(part) for part in re.split(r"[,\s]+", value) if part]
    if None in ids:
        raise ValueError("a comma list of numeric ids such as 1001,1002")
    return frozenset(ids)


def _ids_or_everyone(value: object) -> object:
    return "*" if isinstance(value, str) and value.strip() == "*" else _ids(value)


def _hosts(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(host.strip().lower() for host in value.split(",") if host.strip())


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def _ratios(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not all(re.fullmatch(r"[1-9]\d?:[1-9]\d?", ratio) for ratio in value):
        raise ValueError("a comma list of ratios such as 16:9,9:16,1:1")
    return value


def _sizes(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("a comma list of sizes such as 720P,1080P")
    return value


def _unlimited(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "unlimited" else value


def _off(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "off" else value


def _amount(value: object) -> object:
    return read_amount(value.strip()) if isinstance(value, str) else value


def _prices(value: object) -> object:
    return read_prices(value) if isinstance(value, str) else value


def _like(pattern: str, wanted: str) -> AfterValidator:
    """Return the check that a text, or a secret, is like the pattern as a whole; else it says what is."""

    def check(value: str | SecretStr) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not re.fullmatch(pattern, text):
            raise ValueError(wanted)
        return value

    return AfterValidator(check)


def _public_address(value: str) -> str:
    try:
        address = URL(value)
    except ValueError:  # an impossible port
        address = URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError("an address such as https://example.org")
    return value.rstrip("/")


def _address(value: str) -> str:
    address = _public_address(value)
    if URL(address).user:
        # It would appear in errors, and the account has a setting for its key.
        raise ValueError("an address without a name and a password in it")
    return address


def _origin(value: str) -> str:
    address = _address(value)
    if URL(address).path.strip("/"):
        raise ValueError("an address without a path, such as https://bot.example.org")
    return address


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, such as Europe
        raise ValueError("a time zone name such as Europe/Berlin") from None
    return value


Everyone = Literal["*"]
Ids = Annotated[frozenset[int], NoDecode, BeforeValidator(_ids)]
IdsOrEveryone = Annotated[frozenset[int] | Everyone, NoDecode, BeforeValidator(_ids_or_everyone)]
Hosts = Annotated[frozenset[str], NoDecode, BeforeValidator(_hosts)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Ratios = Annotated[Names, AfterValidator(_ratios)]
Sizes = Annotated[Names, AfterValidator(_sizes)]
Limit = Annotated[Annotated[int, Field(ge=0, le=1_000_000_000)] | None, BeforeValidator(_unlimited)]
"""None is unlimited, 0 allows nothing."""
Budget = Annotated[
    Annotated[Decimal, Field(ge=0)] | None, BeforeValidator(_amount), BeforeValidator(_unlimited)
]
"""In `currency`; None is unlimited."""
PriceList = Annotated[Prices, NoDecode, BeforeValidator(_prices)]
Currency = Annotated[
    str,
    _like(r"[^\W\d_]{2,10}|[^\w\s]|[A-Z]{1,3}[^\w\s]", "a code or a sign such as USD, CNY, €, ¥ or R$"),
]
Slots = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""Jobs that an account may run at once."""
Hour = Annotated[Annotated[int, Field(ge=0, le=23)] | None, BeforeValidator(_off)]
OptionalPort = Annotated[Annotated[int, Field(ge=0, le=65535)] | None, BeforeValidator(_off)]
Address = Annotated[str, AfterValidator(_address)]
PublicAddress = Annotated[str, AfterValidator(_public_address)]
Origin = Annotated[str, AfterValidator(_origin)]
ProxyAddress = Annotated[Annotated[str, AfterValidator(read_proxy)] | None, Field(repr=False)]
"""May hold a password. `none` uses no proxy; None is what the next wider setting says."""
DatabaseAddress = Annotated[str, Field(repr=False), AfterValidator(read_database_url)]
Heartbeat = Annotated[
    SecretStr, _like(r"https?://[^/\s](?s:.*)", "an address such as https://hc-ping.com/your-uuid")
]
Token = Annotated[
    SecretStr, _like(r"\d+:[\w-]{10,}", "a token as @BotFather gives it, such as 123456789:AAE…")
]
WebhookSecret = Annotated[
    SecretStr,
    _like(r"[A-Za-z0-9_-]{16,256}", "16 to 256 letters, digits, - and _, which is what Telegram takes"),
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
