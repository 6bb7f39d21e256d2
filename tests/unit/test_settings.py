"""Settings: what an operator can set, and the one sentence that says what is wrong."""

from __future__ import annotations

import os
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bot.admin.setting_sources import shown_value
from bot.errors import SettingsError
from bot.log import redactor
from bot.prices import Price, Prices
from bot.settings import (
    IsolatedSettings,
    Settings,
    find_unknown_names,
    load_settings,
    read_log_format,
    secrets_of,
)
from bot.settings.errors import OF_COMPOSE
from bot.stores.open import shown_url

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
def test_a_wrong_value_is_one_line_that_names_the_setting_and_where_it_stands(
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
    if name in ("TELEGRAM_BOT_TOKEN", "DATABASE_URL"):
        assert line.endswith("; it stands in the environment")
        assert text not in line.removeprefix(f"{name} should be: sqlite:///")
    else:
        shown = text.replace("ada:secret@", "")
        assert line.endswith(f"; the environment has {shown if len(shown) <= 60 else f'{shown[:59]}…'}")


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("BACKUP_HOUR", "25", "a whole number from 0 to 23, or off"),
        ("ALERT_CHAT", "@name", "the id of a chat such as -1001234567890, no @name"),
        ("STORAGE_CHAT", "1001", "the id of a group or channel such as -1001234567890, no @name"),
        ("PRIVATE_PORT", "on", "a whole number from 0 to 65535, or off"),
        ("LISTEN_PORT", "0", "a whole number from 1 to 65535"),
        ("OPEN_TASKS_PER_USER", "many", "a whole number, 0 or more, or unlimited"),
        ("KEEP_DAYS", "1", "a whole number from 2 to 36500"),
        ("OLD_MESSAGE_MINUTES", "0", "a number, more than 0"),
        ("LOG_LEVEL", "loud", "debug, info, warning or error"),
    ],
)
def test_the_sentence_says_what_would_work_and_where_the_value_stands(
    name: str, text: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(f"{name}={text}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == f"{name} should be: {wanted}; .env has {text}"
    monkeypatch.setenv(name.lower(), "-")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == f"{name} should be: {wanted}; the environment has -"


def test_settings_that_do_not_fit_together_say_where_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("TELEGRAM_MODE=webhook\n")
    with pytest.raises(SettingsError, match=r"needs PUBLIC_URL.*; TELEGRAM_MODE stands in \.env$"):
        load_settings()


@pytest.mark.parametrize("key", [TOKEN, "sk-7f3a9c1e5b7f3a9c1e5b7f"])
def test_a_key_in_the_line_of_another_setting_is_not_told(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", key)
    with pytest.raises(
        SettingsError, match=r"^TELEGRAM_API_URL should be: an address.*; it stands in the"
    ) as no:
        load_settings()
    assert key not in str(no.value)


def test_white_space_around_a_value_is_none_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEEKAI_API_KEY", " sk-1234\r\n")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", f"\u00a0{TOKEN}\t")
    monkeypatch.setenv("GEEKAI_BASE_URL", " https://geekai.example/v1/ ")
    monkeypatch.setenv("PUBLIC_URL", "  ")
    settings = load_settings()
    assert settings.geekai_api_key == SecretStr("sk-1234")
    assert settings.token == TOKEN
    assert settings.geekai_base_url == "https://geekai.example/v1"
    assert settings.public_url is None


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("postgresql://ada:s3cret/q@db.example/reel", "postgresql://ada:s3cret%2Fq@db.example/reel"),
        ("postgresql://ada:s3cret q@db.example/reel", "postgresql://ada:s3cret%20q@db.example/reel"),
        ("postgresql://ada:s3cret@q@db.example:5/reel", "postgresql://ada:s3cret%40q@db.example:5/reel"),
        ("postgresql://ada:s3cret[q]@[::1]:5/reel", "postgresql://ada:s3cret%5Bq%5D@[::1]:5/reel"),
        ("postgresql://ada:s3cret?q#r@db.example/reel", "postgresql://ada:s3cret%3Fq%23r@db.example/reel"),
        ("postgresql://ada:12/s3cret@db.example/reel", "postgresql://ada:12%2Fs3cret@db.example/reel"),
        ("postgresql://ada:s3cret%40q@one:1,two:2/reel?ssl=require", None),
        ("postgresql://db.example/reel?user=ada&password=s3cret@q", None),
        ("postgresql:///reel?host=/run/postgresql", None),
    ],
)
def test_a_password_in_the_database_address_may_hold_any_sign_and_is_a_secret(
    url: str, read: str | None
) -> None:
    settings = IsolatedSettings(database_url=url)
    assert settings.database_url == (read or url)
    told = redactor(secrets_of(settings))(f"{settings.database_url} {url}")
    for shown in (told, shown_value(settings, "DATABASE_URL"), shown_url(settings.database_url)):
        assert "s3cret" not in shown
    assert "s3cret" not in repr(settings)
    assert shown_url(settings.database_url).endswith("/reel")


@pytest.mark.parametrize(
    "url", ["postgresql://ada:s3cret@", "postgresql://ada:s3cret@[db/x", "postgresql://ada:s3cret@db /x"]
)
def test_a_database_address_that_cannot_be_read_is_one_sentence_without_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(
        SettingsError, match=r"in a password write %40.*; it stands in the environment$"
    ) as no:
        load_settings()
    assert "s3cret" not in str(no.value)


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


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("/proc/self/mem")  # root may read all the rest
    with pytest.raises(SettingsError, match=r"^\.env cannot be read: Input/output error\."):
        load_settings()
    assert read_log_format() == "text"


def test_a_folder_in_the_place_of_the_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"^\.env is a folder"):
        load_settings()


def test_a_name_that_is_nearly_right_is_found_in_the_file_and_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["BOT_TOKEN=1", "TELEGRAM_APIURL=1", "JIEKOU_COLOUR=1", "EDITOR=vi", "listen_port=80"]
    (tmp_path / ".env").write_text("\n".join([*lines, *(f"{name}=1" for name in OF_COMPOSE)]))
    for name in ("ALOWED_USERS", "LISTEN_FDS", "LISTEN_PID", "XDG_DATA_DIRS", "BOT_TOKEN", "LOG_LEVELS"):
        monkeypatch.setenv(name, "1")
    assert [(one.name, one.source, one.meant) for one in find_unknown_names()] == [
        ("BOT_TOKEN", ".env", "TELEGRAM_BOT_TOKEN"),
        ("JIEKOU_COLOUR", ".env", ""),
        ("TELEGRAM_APIURL", ".env", "TELEGRAM_API_URL"),
        ("ALOWED_USERS", "the environment", "ALLOWED_USERS"),
        ("LOG_LEVELS", "the environment", "LOG_LEVEL"),
    ]


def test_what_the_compose_file_reads_is_no_misspelt_name() -> None:
    text = (Path(__file__).parents[2] / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) <= {*EVERY_NAME, *OF_COMPOSE}


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
    assert "; this is not: veo-3 0.40/s; the environment has jimeng-pro=3.50, " in str(refusal.value)


def test_the_real_telegram_calls_only_an_address_with_https() -> None:
    hooked = {"telegram_mode": "webhook", "listen_port": "8080"}
    with pytest.raises(ValidationError, match="a PUBLIC_URL with https"):
        IsolatedSettings.model_validate({**hooked, "public_url": "http://bot.example.org"})
    own = {"public_url": "http://bot.example.org", "telegram_api_url": "http://127.0.0.1:8081"}
    assert IsolatedSettings.model_validate({**hooked, **own}).public_url == "http://bot.example.org"
