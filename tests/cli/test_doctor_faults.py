"""Faults as operators make them, planted one by one: the doctor finds each of them, and only that."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import Clock
from postgres_server import PostgresServer
from proxy_servers import proxy_server
from running import BotHarness, BotProcess, stage

from bot.cli.doctor import Finding, check_file_of_settings, check_up, read_settings
from bot.photo_links import key_mark
from bot.settings import IsolatedSettings, Settings
from bot.stores.postgres import PostgresStore
from bot.stores.sqlite import SQLiteStore

NOBODY = "http://127.0.0.1:9"
WRONG_TOKEN = "123456789:AAFreallyNobodysTokenFreallyNobodysTok"

Changes = dict[str, str]
Plant = Callable[[BotHarness], Changes | Awaitable[Changes]]


@pytest.fixture
async def live_bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BotHarness]:
    """With a file of settings that only its owner can read, and nothing of this machine's environment."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper() in {field.upper() for field in Settings.model_fields}:
            monkeypatch.delenv(name)
    (tmp_path / ".env").write_text("LOG_LEVEL=info\n")
    (tmp_path / ".env").chmod(0o600)
    async with stage(tmp_path) as made:
        yield made


async def diagnose(live_bot: BotHarness, changes: Changes) -> list[Finding]:
    """What is not well, by the settings of the harness with `changes`."""
    values = {name: text for name, text in live_bot.values(admin_users="1001", **changes).items() if text}
    settings, finding = read_settings()
    found = [finding, *check_file_of_settings()]
    if settings is not None:
        found += await check_up(IsolatedSettings.model_validate(values), lambda: datetime.now(UTC))
    return [one for one in found if one.state != "ok"]


def write_env(text: str, mode: int = 0o600) -> Plant:
    def plant(live_bot: BotHarness) -> Changes:
        (live_bot.folder / ".env").write_text(text)
        (live_bot.folder / ".env").chmod(mode)
        return {}

    return plant


def unreadable_env(live_bot: BotHarness) -> Changes:
    (live_bot.folder / ".env").unlink()
    (live_bot.folder / ".env").symlink_to("/proc/self/mem")
    return {}


def folder_for_env(live_bot: BotHarness) -> Changes:
    (live_bot.folder / ".env").unlink()
    (live_bot.folder / ".env").mkdir()
    return {}


def with_file(setting: str) -> Plant:
    """A file stands where a folder should be: nothing can be written into it, not even by root."""

    def plant(live_bot: BotHarness) -> Changes:
        (live_bot.folder / "a file").touch()
        return {setting: str(live_bot.folder / "a file")}

    return plant


def foreign_database(version: int) -> Plant:
    def plant(live_bot: BotHarness) -> Changes:
        with closing(sqlite3.connect(live_bot.folder / "bot.db")) as database:
            database.execute("CREATE TABLE moz_bookmarks (id INTEGER)")
            database.execute(f"PRAGMA user_version = {version}")
        return {}

    return plant


async def damaged_database(live_bot: BotHarness) -> Changes:
    file = live_bot.folder / "bot.db"
    await (await SQLiteStore.open(file, Clock())).close()
    file.write_bytes(file.read_bytes()[:-4096] + b"\xff" * 4096)
    return {}


async def newer_database(live_bot: BotHarness) -> Changes:
    await (await SQLiteStore.open(live_bot.folder / "bot.db", Clock())).close()
    with closing(sqlite3.connect(live_bot.folder / "bot.db")) as database:
        database.execute("PRAGMA user_version = 999")
    return {}


async def database_of_another_bot(live_bot: BotHarness) -> Changes:
    store = await SQLiteStore.open(live_bot.folder / "bot.db", Clock())
    await store.maintenance.claim_for_bot(42)
    await store.close()
    return {}


def taken_port(setting: str) -> Plant:
    def plant(live_bot: BotHarness) -> Changes:
        return {setting: live_bot.server.url.rpartition(":")[2]}

    return plant


def given(**changes: str) -> Plant:
    return lambda _: changes


@dataclass(frozen=True)
class FaultSeen:
    plant: Plant
    what: str
    state: str
    words: str


FAULTS = {
    "the token is unknown": FaultSeen(
        given(telegram_bot_token=WRONG_TOKEN), "token", "wrong", "does not know this token"
    ),
    "the token is missing": FaultSeen(given(telegram_bot_token=""), "token", "wrong", "is not set"),
    "Telegram is out of reach": FaultSeen(
        given(telegram_api_url="http://nobody.invalid"), "telegram", "wrong", "its name is unknown"
    ),
    "a web server stands in Telegram's place": FaultSeen(
        lambda live_bot: {"telegram_api_url": live_bot.provider.base_url},
        *("telegram", "wrong", "is not a Bot API"),
    ),
    "the proxy is dead": FaultSeen(
        given(telegram_api_url="http://telegram.invalid", telegram_proxy=NOBODY),
        *("telegram", "wrong", "the proxy http://127.0.0.1:9 (TELEGRAM_PROXY) does not let it through"),
    ),
    "a port is taken": FaultSeen(taken_port("listen_port"), "ports", "wrong", "LISTEN_PORT"),
    "the private port is taken": FaultSeen(taken_port("private_port"), "ports", "wrong", "PRIVATE_PORT"),
    "two ports are the same": FaultSeen(
        given(listen_port="8123", private_port="8123"), "ports", "wrong", "are both 8123"
    ),
    "an address is not this machine's": FaultSeen(
        given(listen_port="8123", listen_host="192.0.2.1"), "ports", "wrong", "LISTEN_PORT 8123 on 192.0.2.1"
    ),
    "a name in .env is misspelt": FaultSeen(
        write_env("ALOWED_USERS=*\n"), "names", "warning", "ALOWED_USERS in .env"
    ),
    "others can read .env": FaultSeen(write_env("", 0o644), ".env", "warning", "can read .env"),
    ".env has a wrong value": FaultSeen(
        write_env("BACKUP_HOUR=25\n"), "settings", "wrong", "from 0 to 23, or off; .env has 25"
    ),
    ".env cannot be read": FaultSeen(unreadable_env, "settings", "wrong", ".env cannot be read"),
    ".env is a folder": FaultSeen(folder_for_env, "settings", "wrong", ".env is a folder"),
    "DATA_DIR cannot be written": FaultSeen(with_file("data_dir"), "DATA_DIR", "wrong", "it is no folder"),
    "BACKUP_DIR cannot be written": FaultSeen(
        with_file("backup_dir"), "BACKUP_DIR", "wrong", "it is no folder"
    ),
    "the disk is small": FaultSeen(given(keep_files_mb="900000000"), "disk", "warning", "GB free"),
    "the database is another program's": FaultSeen(
        foreign_database(0), "database", "wrong", "is a database of another program"
    ),
    "the database is another program's, with a version": FaultSeen(
        foreign_database(75), "database", "wrong", "is a database of another program"
    ),
    "the database is damaged": FaultSeen(damaged_database, "database", "wrong", "is damaged"),
    "the database is of a newer version": FaultSeen(newer_database, "database", "wrong", "newer Dreamreel"),
    "the database is another bot's": FaultSeen(database_of_another_bot, "database", "wrong", "the bot 42"),
    "the database's server is not there": FaultSeen(
        given(database_url="postgresql://ada:s3cret/w[rd@127.0.0.1:1/reel"),
        *("database", "wrong", "127.0.0.1:1/reel does not answer"),
    ),
    "a limit is zero": FaultSeen(
        given(daily_videos_per_user="0"), "limits", "warning", "DAILY_VIDEOS_PER_USER is 0"
    ),
    "a trusted host has a port": FaultSeen(
        given(trusted_private_hosts="media.lan:8080"), "hosts", "wrong", "media.lan:8080, which never"
    ),
    "a trusted host is an address": FaultSeen(
        given(trusted_private_hosts="http://media.lan/x"), "hosts", "wrong", "which never matches"
    ),
    "a trusted host is a network": FaultSeen(
        given(trusted_private_hosts="10.0.0.0/8"), "hosts", "wrong", "which never matches"
    ),
    "the default model is not set up": FaultSeen(
        given(default_model="dall-e"), "models", "wrong", "there is no dall-e"
    ),
    "a price is for no model": FaultSeen(
        given(model_prices="jimeng-pro=1,jimeng-720=1"), "prices", "warning", "jimeng-720"
    ),
    "the secret key is short": FaultSeen(given(secret_key="hunter2"), "secret key", "warning", "so short"),
    "a provider's key is refused": FaultSeen(
        given(volcengine_access_key_id="AKLT-no-such-key"), "volcengine", "wrong", "key"
    ),
    "a provider's address is wrong": FaultSeen(
        given(volcengine_base_url=NOBODY), "volcengine", "wrong", "No usable answer"
    ),
    "a relay cannot fetch photos": FaultSeen(
        lambda live_bot: {
            "jimeng_relay_api_key": "sk-a-key",
            "jimeng_relay_base_url": live_bot.provider.base_url,
        },
        *("public address", "warning", "cannot take photos"),
    ),
    "another server answers at PUBLIC_URL": FaultSeen(
        lambda live_bot: {"public_url": live_bot.provider.base_url, "listen_port": "8123"},
        *("public address", "wrong", "Another server answers"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_the_doctor_finds(name: str, live_bot: BotHarness) -> None:
    assert await diagnose(live_bot, {}) == []
    fault = FAULTS[name]
    planted = fault.plant(live_bot)
    found = await diagnose(live_bot, planted if isinstance(planted, dict) else await planted)
    assert any(
        one.what == fault.what and one.state == fault.state and fault.words in one.seen and one.mend
        for one in found
    ), found
    assert "s3cret" not in str(found)


def test_more_than_twenty_five_faults_are_planted() -> None:
    assert len(FAULTS) >= 25


async def test_a_misspelt_name_in_the_environment_is_found_and_run_warns_of_it(live_bot: BotHarness) -> None:
    values = live_bot.values(alowed_users="*", log_format="json")
    doctor = BotProcess(live_bot.folder, values, "doctor", "--json")
    await doctor.start()
    await doctor.end()
    (row,) = [one for one in json.loads(doctor.printed)["findings"] if one["what"] == "names"]
    assert "ALOWED_USERS in the environment is no setting" in row["seen"]
    assert row["mend"] == "Did you mean ALLOWED_USERS?"
    bot = BotProcess(live_bot.folder, values)
    await bot.start()
    line = json.loads(await bot.prints("a name is no setting"))
    assert (line["name"], line["meant"]) == ("ALOWED_USERS", "ALLOWED_USERS")
    await bot.kill()


async def test_a_secret_key_that_differs_from_other_processes_is_found(
    live_bot: BotHarness, postgres: PostgresServer
) -> None:
    url = await postgres.new_database()
    store = await PostgresStore.open(url)
    assert await store.maintenance.put_key_mark(key_mark("the key of the others")) is None
    changes = {"database_url": url, "secret_key": "a key of its own, which differs"}
    (found,) = await diagnose(live_bot, changes)
    assert (found.what, found.state) == ("secret key", "wrong")
    assert "the same SECRET_KEY for every process" in found.mend
    assert await diagnose(live_bot, changes | {"secret_key": "the key of the others"}) == []
    await store.close()


async def test_the_doctor_says_which_way_each_call_takes(live_bot: BotHarness) -> None:
    async with proxy_server("socks5", "ada:s3cret") as proxy:
        values = live_bot.values(
            telegram_api_url=live_bot.server.url.replace("127.0.0.1", "telegram.test"),
            telegram_proxy=proxy.url("ada:s3cret"),
            provider_proxy="none",
            heartbeat_url="https://hc-ping.com/secret-uuid",
            heartbeat_proxy=proxy.url("ada:s3cret"),
        )
        found = await check_up(IsolatedSettings.model_validate(values), lambda: datetime.now(UTC))
    rows = {one.what: one for one in found}
    shown = f"socks5://127.0.0.1:{proxy.port}"
    ways = f"Telegram through {shown} (TELEGRAM_PROXY); heartbeat through {shown} (HEARTBEAT_PROXY)"
    assert rows["proxies"].seen == f"{ways}; volcengine directly."
    assert "secret-uuid" not in str(found)
    assert rows["token"].state == "ok"
    assert proxy.seen
    assert "s3cret" not in str(found)
