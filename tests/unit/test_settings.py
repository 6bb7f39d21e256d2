"""Settings: what an operator can set, and the one sentence that says what is wrong."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bot.errors import SettingsError
from bot.prices import Price, Prices
from bot.settings import IsolatedSettings, Settings, load_settings

TOKEN = "123456789:AAEverySecretTokenOfThisBot_-"
SECRET = "volcengine-secret-key=="
KEYS = (
    *("geekai_api_key", "jiekou_api_key", "ark_api_key", "jimeng_relay_api_key", "unified_relay_api_key"),
    "secret_key",
)
EVERY_NAME = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine, and no `.env` but the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper() in EVERY_NAME:
            monkeypatch.delenv(name)


@pytest.mark.parametrize("name", EVERY_NAME)
def test_an_empty_value_counts_as_unset(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("TELEGRAM_API_URL", "http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
        ("DATABASE_URL", "sqlite:////var/lib/bot.db", "sqlite:////var/lib/bot.db"),
        ("DATA_DIR", "/var/lib/bot", Path("/var/lib/bot")),
        ("ADMIN_USERS", "1001", frozenset({1001})),
        ("ADMIN_USERS", " 1001, 1002 ,", frozenset({1001, 1002})),
        ("ALLOWED_USERS", "*", "*"),
        ("ALLOWED_USERS", "1001 1002", frozenset({1001, 1002})),
        ("ALLOWED_CHATS", "-1001234567890", frozenset({-1001234567890})),
        ("ALLOWED_CHATS", " * ", "*"),
        ("DAILY_VIDEOS_PER_USER", "unlimited", None),
        ("DAILY_VIDEOS_PER_CHAT", "Unlimited", None),
        ("OPEN_TASKS_PER_USER", "0", 0),
        ("OPEN_TASKS_PER_CHAT", "7", 7),
        ("TIMEZONE", "Asia/Shanghai", "Asia/Shanghai"),
        ("MODEL_PRICES", "jimeng-pro=3.5", Prices((Price("jimeng-pro", Decimal("3.5")),))),
        ("CURRENCY", "¥", "¥"),
        ("CURRENCY", "R$", "R$"),
        ("DAILY_BUDGET", "unlimited", None),
        ("SUBMITS_PER_HOUR", "unlimited", None),
        ("SUBMITS_PER_HOUR", "0", 0),
        ("DEFAULT_MODEL", "preview", "preview"),
        ("DEFAULT_LANGUAGE", "zh", "zh"),
        ("OLD_MESSAGE_MINUTES", "2.5", 2.5),
        ("KEEP_FILES_MB", "1", 1),
        ("KEEP_DAYS", "30", 30),
        ("BACKUP_HOUR", "0", 0),
        ("BACKUP_HOUR", "Off", None),
        ("BACKUP_DIR", "/mnt/copies", Path("/mnt/copies")),
        ("POLL_MAX_SECONDS", "0", 0),
        ("PRIVATE_PORT", "off", None),
        ("PRIVATE_PORT", "0", 0),
        ("TRUSTED_PRIVATE_HOSTS", "Localhost, 10.0.0.7", frozenset({"localhost", "10.0.0.7"})),
        ("VOLCENGINE_BASE_URL", "https://example.org/x/", "https://example.org/x"),
        ("VOLCENGINE_CONCURRENCY", "3", 3),
        ("FAILOVER", "on", "on"),
        ("GEEKAI_BASE_URL", "https://geekai.dev/api/v1/", "https://geekai.dev/api/v1"),
        ("UNIFIED_RELAY_RATIOS", "16:9, 9:16 ,16:9", ("16:9", "9:16")),
        ("UNIFIED_RELAY_SIZES", "720P,1280x720", ("720P", "1280x720")),
        ("LISTEN_HOST", "0.0.0.0", "0.0.0.0"),
        ("LISTEN_PORT", "8080", 8080),
        ("LOG_FORMAT", "json", "json"),
        ("LOG_LEVEL", "debug", "debug"),
    ],
)
def test_a_value_is_read_as_its_type(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    assert getattr(load_settings(), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TELEGRAM_BOT_TOKEN", "a-secret-that-is-no-token"),
        ("TELEGRAM_API_URL", "api.telegram.org"),
        ("TELEGRAM_API_URL", "ftp://example.org"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "sqlite:///"),
        ("ADMIN_USERS", "@alice"),
        ("ADMIN_USERS", "*"),
        ("ALLOWED_USERS", "1001,bob"),
        ("ALLOWED_CHATS", "*,1"),
        ("DAILY_VIDEOS_PER_USER", "-1"),
        ("DAILY_VIDEOS_PER_CHAT", "many"),
        ("DAILY_VIDEOS_PER_CHAT", "9" * 300),
        ("ALLOWED_USERS", "9" * 30),
        ("ALERT_CHAT", "9" * 30),
        ("OPEN_TASKS_PER_USER", "1.5"),
        ("OPEN_TASKS_PER_CHAT", "none"),
        ("TIMEZONE", "Nowhere/Atlantis"),
        ("TIMEZONE", "Europe"),
        ("TIMEZONE", "../etc"),
        ("MODEL_PRICES", "jimeng-pro"),
        ("MODEL_PRICES", "jimeng-pro=0,28"),
        ("CURRENCY", "1"),
        ("CURRENCY", "<b>"),
        ("DAILY_BUDGET", "a lot"),
        ("DAILY_BUDGET_PER_USER", "-1"),
        ("SUBMITS_PER_HOUR", "-1"),
        ("DEFAULT_LANGUAGE", "fr"),
        ("OLD_MESSAGE_MINUTES", "0"),
        ("OLD_MESSAGE_MINUTES", "inf"),
        ("OLD_MESSAGE_MINUTES", "nan"),
        ("KEEP_FILES_MB", "0"),
        ("POLL_MAX_SECONDS", "-1"),
        ("POLL_MAX_SECONDS", "inf"),
        ("POLL_MAX_SECONDS", "1e300"),
        ("VOLCENGINE_BASE_URL", "https://"),
        ("GEEKAI_BASE_URL", "https://example.org:99999999"),
        ("GEEKAI_BASE_URL", "https://ada:secret@example.org"),
        ("VOLCENGINE_CONCURRENCY", "0"),
        ("VOLCENGINE_CONCURRENCY", "9" * 30),
        ("FAILOVER", "maybe"),
        ("UNIFIED_RELAY_RATIOS", "wide"),
        ("UNIFIED_RELAY_RATIOS", "0:1"),
        ("UNIFIED_RELAY_RATIOS", ","),
        ("UNIFIED_RELAY_SIZES", ","),
        ("PUBLIC_URL", "bot.example.org"),
        ("LISTEN_PORT", "0"),
        ("LISTEN_PORT", "65536"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_setting_and_not_the_value(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    line = str(caught.value)
    assert line.startswith(f"{name}")
    assert line.count(name) == 1
    assert "\n" not in line
    assert "pydantic" not in line
    assert "Input should" not in line
    assert line.startswith(f"{name} should be: ")
    if len(text) > 10:
        assert text not in line


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PORT", "x")
    monkeypatch.setenv("TIMEZONE", "x")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "LISTEN_PORT" in str(caught.value)
    assert "TIMEZONE" in str(caught.value)


HALVES = {
    "VOLCENGINE_ACCESS_KEY_ID": SECRET,
    "VOLCENGINE_SECRET_ACCESS_KEY": SECRET,
    "JIMENG_RELAY_API_KEY": SECRET,
    "JIMENG_RELAY_BASE_URL": "https://relay.example",
    "UNIFIED_RELAY_API_KEY": SECRET,
    "UNIFIED_RELAY_BASE_URL": "https://relay.example",
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_key_pair_is_refused_without_a_word_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, HALVES[name])
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "belong together" in str(caught.value)
    assert name in str(caught.value)
    assert HALVES[name] not in str(caught.value)


def test_a_public_address_needs_a_port_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://bot.example.org/")
    with pytest.raises(SettingsError, match="PUBLIC_URL needs LISTEN_PORT"):
        load_settings()
    monkeypatch.setenv("LISTEN_PORT", "8080")
    assert load_settings().public_url == "https://bot.example.org"


def test_the_operators_page_stands_at_the_root_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_URL", "https://bot.example.org/reel")
    with pytest.raises(SettingsError, match=r"PRIVATE_URL.*without a path"):
        load_settings()
    monkeypatch.setenv("PRIVATE_URL", "https://bot.example.org/")
    assert load_settings().private_url == "https://bot.example.org"


def test_no_secret_stands_in_a_repr_or_in_an_error_of_the_library() -> None:
    keys: dict[str, Any] = {name: SecretStr(f"sk-{name}") for name in KEYS}
    settings = IsolatedSettings(
        telegram_bot_token=SecretStr(TOKEN),
        volcengine_access_key_id=SecretStr("AKLT-my-id"),
        volcengine_secret_access_key=SecretStr(SECRET),
        **keys,
        jimeng_relay_base_url="https://relay.example",
        unified_relay_base_url="https://relay.example",
    )
    for secret in (TOKEN, "AKLT-my-id", SECRET, *(f"sk-{name}" for name in KEYS)):
        assert secret not in repr(settings)
        assert secret not in str(settings)
    with pytest.raises(ValidationError) as caught:
        IsolatedSettings(telegram_bot_token=SecretStr("secret-but-wrong"), listen_port=0)
    assert "secret-but-wrong" not in str(caught.value)


def test_the_token_is_given_in_clear_or_with_what_to_do() -> None:
    assert IsolatedSettings(telegram_bot_token=SecretStr(TOKEN)).token == TOKEN
    with pytest.raises(SettingsError, match=r"BotFather.*make sandbox"):
        _ = IsolatedSettings().token


def test_the_environment_stands_above_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("LISTEN_PORT=1111\nLOG_LEVEL=debug\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("LISTEN_PORT", "2222")
    settings = load_settings()
    assert (settings.listen_port, settings.log_level) == (2222, "debug")


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"LISTEN_HOST=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"UTF-8"):
        load_settings()


def test_isolated_settings_read_neither_the_environment_nor_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\nLISTEN_PORT=1111\n")
    monkeypatch.setenv("ALLOWED_USERS", "*")
    settings = IsolatedSettings(log_level="warning")
    assert (settings.telegram_bot_token, settings.listen_port) == (None, None)
    assert (settings.allowed_users, settings.log_level) == (frozenset(), "warning")


@pytest.mark.parametrize(
    ("url", "path"), [("sqlite:///data/bot.db", "data/bot.db"), ("sqlite:////srv/bot.db", "/srv/bot.db")]
)
def test_the_database_is_found_relative_or_absolute(url: str, path: str) -> None:
    assert IsolatedSettings(database_url=url).sqlite_path == Path(path)


def test_settings_cannot_be_changed_later() -> None:
    settings: Any = IsolatedSettings()
    with pytest.raises(ValidationError):
        settings.listen_port = 1


@pytest.mark.parametrize("name", ["DAILY_BUDGET", "DAILY_BUDGET_PER_USER"])
def test_a_budget_wants_prices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "20")
    with pytest.raises(SettingsError, match=f"^{name} needs MODEL_PRICES: "):
        load_settings()
    monkeypatch.setenv("MODEL_PRICES", "jimeng-pro=3.50")
    assert getattr(load_settings(), name.lower()) == Decimal(20)


def test_a_wrong_price_is_shown_with_one_that_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_PRICES", "jimeng-pro=3.50, veo-3 0.40/s")
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert str(refusal.value).startswith("MODEL_PRICES should be: a comma list such as jimeng-pro=3.50,")
    assert str(refusal.value).endswith("; this is not: veo-3 0.40/s")


def test_the_real_telegram_calls_only_an_address_with_https() -> None:
    hooked = {"telegram_mode": "webhook", "listen_port": "8080"}
    with pytest.raises(ValidationError, match="a PUBLIC_URL with https"):
        IsolatedSettings.model_validate({**hooked, "public_url": "http://bot.example.org"})
    own = {"public_url": "http://bot.example.org", "telegram_api_url": "http://127.0.0.1:8081"}
    assert IsolatedSettings.model_validate({**hooked, **own}).public_url == "http://bot.example.org"
