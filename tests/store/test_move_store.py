"""Moving all that is stored: from SQLite to PostgreSQL and back, again and again, never over something."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fakes import NOW, Clock, a_task, made
from postgres_server import PostgresServer
from running import BotProcess

from bot.errors import SettingsError
from bot.film import Film, FilmShot
from bot.request import VideoRequest
from bot.store import (
    AccountTrouble,
    Attempt,
    ChatRecord,
    ChatSettings,
    Notice,
    Person,
    Recipe,
    Store,
    StoredUpdate,
)
from bot.store.audit import THE_BOT, AuditEntry, setting
from bot.store.budget import Pause
from bot.store.tokens import Token
from bot.stores.open import move_between, open_store
from bot.stores.sqlite import SQLiteStore
from bot.stores.transfer import TABLES
from bot.task import CardRef


async def fill(store: Store) -> None:
    """Something in every table."""
    task = await store.tasks.add(a_task("boat", update_id=7, price=Decimal("0.10"), progress=0.25))
    await store.tasks.add(a_task("second", detached=True))
    await store.tasks.record(
        Attempt(
            task_id="boat", provider="cloud", call="submit", at=NOW, took_s=0.5, answer="busy", detail="纸"
        )
    )
    await store.tasks.add(made("film", update_id=8))
    shot = FilmShot(plain=VideoRequest(model="m", prompt="纸船"), price=Decimal("0.10"))
    card = CardRef(chat_id=10, card_id=5)
    film = Film(id="f", card=card, user_id=7, language="zh", shots=(shot, shot), created_at=NOW, due_at=NOW)
    await store.films.add(film)
    await store.updates.add([StoredUpdate(1, 10, '{"text": "纸船"}'), StoredUpdate(2, 10, "{}")])
    await store.updates.claim(NOW, 60, 1)
    await store.tasks.claim(NOW, 60, 9, {})
    await store.people.put_person(
        Person(7, role="admin", told_at=NOW, companies=frozenset({"Ada"}), crop_preview=False)
    )
    await store.people.put_chat(ChatRecord(-5, NOW, ChatSettings(model="veo-3"), -4))
    await store.people.add_recipe(Recipe("token", task.id, 7, VideoRequest(model="m", prompt="p"), NOW))
    await store.providers.mark_trouble(AccountTrouble("cloud", "no_balance", NOW))
    await store.people.keep_notice(7, Notice("trouble_over", {"minutes": "5"}))
    await store.providers.learn(["key"], lambda *_: "learned")
    await store.maintenance.record_heartbeat(NOW)
    await store.audit.add(setting(THE_BOT, "CURRENCY", "EUR", 7, NOW))
    await store.budget.pause(Pause("veo-3", 7, NOW))
    await store.tokens.add(Token("link", "digest", 7, NOW + timedelta(days=9)), NOW)
    await store.audit.add(AuditEntry("cancel", "boat", 7, NOW))
    await store.maintenance.set_flag("told", NOW)


async def seen(store: Store) -> dict[str, Any]:
    """What it holds, as the bot reads it."""
    tasks = {task_id: await store.tasks.get(task_id) for task_id in ("boat", "second", "film")}
    return {
        "tasks": tasks,
        "films": await store.films.due(NOW, 9),
        "ahead": await store.tasks.count_ahead(a_task("boat")),
        "attempts": await store.tasks.attempts("boat"),
        "updates": await store.updates.claim(NOW, 60, 9),
        "person": await store.people.person(7),
        "chat": await store.people.chat(-5),
        "recipe": await store.people.recipe("token"),
        "troubles": await store.providers.troubles(),
        "notices": await store.people.take_notices(7),
        "durations": await store.providers.durations(),
        "changes": await store.audit.in_force(THE_BOT),
        "pauses": await store.budget.pauses(),
        "pass": await store.tokens.find("link", "digest", NOW),
        "acts": await store.audit.entries(9),
        "mark": await store.maintenance.set_flag("told", NOW),
        "beat": await store.maintenance.record_heartbeat(NOW),
    }


async def opened(url: str) -> dict[str, Any]:
    store = await open_store(url)
    try:
        return await seen(store)
    finally:
        await store.close()


@pytest.fixture
async def filled(tmp_path: Path) -> str:
    store = await SQLiteStore.open(tmp_path / "from.db", Clock())
    await fill(store)
    await store.close()
    return f"sqlite:///{tmp_path}/from.db"


async def test_everything_arrives_in_postgresql_and_back(
    filled: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    there, back = await postgres.new_database(), f"sqlite:///{tmp_path}/back.db"
    counts = await move_between(filled, there)
    assert set(counts) == set(TABLES)
    assert all(counts.values()), counts
    assert {**await move_between(there, back), "flags": 0} == {**counts, "flags": 0}
    was = await opened(filled)
    # Whoever handled an update there died; what is moved belongs to no process.
    was["updates"] = [replace(update, attempts=0, deaths=0, was_cut_short=False) for update in was["updates"]]
    assert was == await opened(there) == await opened(back)


async def test_a_move_can_be_repeated_until_a_bot_uses_what_it_filled(
    filled: str, postgres: PostgresServer
) -> None:
    there = await postgres.new_database()
    assert await move_between(filled, there) == await move_between(filled, there)
    store = await open_store(there)
    await store.maintenance.record_heartbeat(store.leases.now() + timedelta(seconds=1))
    with pytest.raises(SettingsError, match="running"):
        await move_between(filled, there)
    await store.close()
    with pytest.raises(SettingsError, match="since the last move"):
        await move_between(filled, there)


async def test_nothing_is_moved_over_something_that_was_there(filled: str, postgres: PostgresServer) -> None:
    there = await postgres.new_database()
    store = await open_store(there)
    await store.tasks.add(a_task("precious"))
    await store.close()
    with pytest.raises(SettingsError, match="not empty"):
        await move_between(filled, there)
    with pytest.raises(SettingsError, match="one and the same"):
        await move_between(there, there)
    store = await open_store(there)
    assert await store.tasks.get("precious") is not None
    assert await store.tasks.get("boat") is None
    await store.close()


async def test_a_running_installation_is_moved_without_stopping_it(
    filled: str, postgres: PostgresServer
) -> None:
    store = await open_store(filled)
    await store.tasks.add(a_task("new"))
    counts = await move_between(filled, await postgres.new_database())
    assert counts["tasks"] == 4
    await store.close()


async def test_every_table_is_moved(filled: str, postgres: PostgresServer) -> None:
    with closing(sqlite3.connect(filled.removeprefix("sqlite:///"))) as file:
        names = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {name for name in names if not name.startswith(("sqlite_", "_sqlite"))} == set(TABLES)
    url = await postgres.clean_database()
    there = await asyncio.to_thread(
        postgres.ask, url, "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'"
    )
    assert set(there.split()) == {
        *TABLES,
        "schema_version",
        "processes",
        "leases",
        "send_rates",
        "reservations",
    }


async def test_the_command_says_what_it_did_and_no_password(
    filled: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    there = (await postgres.new_database()).replace("@", ":s3cret-passw0rd@")
    command = BotProcess(tmp_path, {}, "move-store", filled, there)
    await command.start()
    assert await command.end() == 0
    assert "tasks" in command.printed
    assert "Everything is in 127.0.0.1:" in command.printed
    again = BotProcess(tmp_path, {}, "move-store", "sqlite:///nowhere.db", there)
    await again.start()
    assert await again.end() == 2
    assert "Nothing was copied" in again.printed
    assert "s3cret" not in command.printed + again.printed


async def test_the_command_takes_addresses_from_the_environment(filled: str, tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path}/there.db"
    command = BotProcess(tmp_path, {"database_url": filled, "new_database_url": there}, "move-store")
    await command.start()
    assert await command.end() == 0, command.printed
    named = BotProcess(tmp_path, {"old": filled, "new": f"{there}2"}, "move-store", "OLD", "NEW")
    await named.start()
    assert await named.end() == 0, named.printed
    missing = BotProcess(tmp_path, {"old": filled}, "move-store", "OLD")
    await missing.start()
    assert await missing.end() == 2
    assert "NEW_DATABASE_URL is no address" in missing.printed
