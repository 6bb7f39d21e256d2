"""The doctor: what can be wrong is found, named and can be mended; nothing is changed or given away."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import pytest
from aiohttp import web
from fakes import A_MODEL, Clock, Script, ScriptedProvider
from postgres_server import PostgresServer
from provider_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Fault, Reply, failure, gateway_error
from running import BotHarness, BotProcess, running_bot, stage

from bot.admin.setting_sources import names
from bot.cli.doctor import Finding, check_up, draw_table
from bot.cli.doctor.backups import judge_backups
from bot.cli.doctor.checkup import judge_disk
from bot.cli.doctor.finding import State
from bot.cli.doctor.network import Answer, judge_clock, judge_public_address
from bot.cli.doctor.provider_accounts import check_account
from bot.cli.doctor.storage_chat import judge_storage_chat
from bot.errors import AccountProblem, OutcomeUnknown, Trouble, Unavailable
from bot.provider import Failed, StillRunning
from bot.sandbox import Person
from bot.settings import IsolatedSettings
from bot.store import Person as KnownPerson
from bot.store.audit import THE_BOT, setting
from bot.stores.postgres import PostgresStore
from bot.stores.sqlite import SQLiteStore

WRONG_TOKEN = "123456789:AAFreallyNobodysTokenFreallyNobodysTok"
NOBODY = "http://127.0.0.1:9"
RELAY = {
    "jimeng_relay_api_key": "sk-relay-s3cret",
    "jimeng_relay_base_url": NOBODY,
    "unified_relay_api_key": "sk-unified-s3cret",
    "unified_relay_base_url": NOBODY,
}
BEARERS = ("geekai", "jiekou", "ark", "jimeng_relay", "unified_relay")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def look(live_bot: BotHarness, **changes: str) -> dict[str, Finding]:
    """What the doctor finds, by the names of its rows; an empty change is a setting that is not set."""
    return await look_at(live_bot.values(**changes))


async def look_at(values: dict[str, str], clock: Callable[[], datetime] = now) -> dict[str, Finding]:
    given = {name: value for name, value in values.items() if value}
    found = await check_up(IsolatedSettings.model_validate(given), clock)
    return {finding.what: finding for finding in found}


@asynccontextmanager
async def serving(status: int, body: str = "", headers: dict[str, str] | None = None) -> AsyncIterator[str]:
    """A web server that gives every request the same answer; its address."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers=headers)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_where_all_is_well_no_row_says_otherwise(live_bot: BotHarness) -> None:
    found = await look(live_bot, admin_users="1001")
    assert {finding.state for finding in found.values()} == {"ok"}
    assert [*found] == [
        "telegram",
        "token",
        "inline mode",
        "clock",
        "proxies",
        "database",
        "disk",
        "backups",
        "admins",
        "models",
        "volcengine",
    ]
    assert live_bot.world.bot.username in found["token"].seen
    assert live_bot.provider.jobs == {}


# Telegram


async def test_inline_mode_that_is_off_is_fine_and_says_how_to_switch_it_on(live_bot: BotHarness) -> None:
    found = await look(live_bot)
    assert found["inline mode"].state == "ok"
    assert found["inline mode"].seen.startswith("It is off")
    assert "/setinline" in found["inline mode"].mend
    live_bot.world.set_inline(on=True)
    found = await look(live_bot)
    assert (found["inline mode"].state, found["inline mode"].mend) == ("ok", "")
    assert found["inline mode"].seen.startswith("It is on")


async def test_the_storage_chat_is_asked_for_the_bots_rights(live_bot: BotHarness) -> None:
    olga, _ = live_bot.newcomer("Olga")
    group = live_bot.world.add_group("Storage", [olga])
    storage = {"storage_chat": str(group.id)}
    assert "storage chat" not in await look(live_bot)
    assert (await look(live_bot, **storage))["storage chat"].state == "ok"
    live_bot.world.set_permissions(group, can_send_videos=False)
    found = (await look(live_bot, **storage))["storage chat"]
    assert (found.state, "may not send videos" in found.seen) == ("wrong", True)
    live_bot.world.set_bot_status(olga, group, "administrator")
    assert (await look(live_bot, **storage))["storage chat"].state == "ok"
    live_bot.world.set_permissions(group, can_send_videos=True)
    live_bot.world.set_bot_status(olga, group, "restricted", can_send_videos=False)
    assert (await look(live_bot, **storage))["storage chat"].state == "wrong"
    live_bot.world.remove_bot(olga, group)
    assert (await look(live_bot, **storage))["storage chat"].seen == "The bot is not in it."
    found = (await look(live_bot, storage_chat="-1009"))["storage chat"]
    assert (found.state, "does not show this chat" in found.seen) == ("wrong", True)
    assert live_bot.world.bot_messages(group) == []


@pytest.mark.parametrize(
    ("chat", "member", "state"),
    [
        ({"type": "channel"}, {"status": "administrator", "can_post_messages": True}, "ok"),
        ({"type": "channel"}, {"status": "administrator", "can_post_messages": False}, "wrong"),
        ({"type": "channel"}, {"status": "member"}, "wrong"),
        (
            {"type": "channel", "username": "films"},
            {"status": "administrator", "can_post_messages": True},
            "warning",
        ),
        ({"type": "supergroup"}, {}, "warning"),
        ({}, {"status": "member"}, "warning"),
    ],
)
def test_a_channel_that_stores_videos_is_private_and_lets_the_bot_post(
    chat: dict[str, object], member: dict[str, object], state: State
) -> None:
    of_chat, of_bot = (Answer(200, {"ok": True, "result": result}) for result in (chat, member))
    assert judge_storage_chat(of_chat, of_bot).state == state


async def test_a_token_that_telegram_does_not_know_is_wrong(live_bot: BotHarness) -> None:
    found = await look(live_bot, telegram_bot_token=WRONG_TOKEN)
    assert found["telegram"].state == "ok"
    assert found["token"].state == "wrong"
    assert "@BotFather" in found["token"].mend


async def test_without_a_token_telegram_and_its_clock_are_still_looked_at(live_bot: BotHarness) -> None:
    found = await look(live_bot, telegram_bot_token="")
    assert (found["token"].state, found["token"].seen) == ("wrong", "TELEGRAM_BOT_TOKEN is not set.")
    assert (found["telegram"].state, found["clock"].state) == ("ok", "ok")


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (200, "<html>Welcome to nginx!</html>", "wrong", "is not a Bot API (HTTP 200)"),
        (200, '{"ok": "yes"}', "wrong", "is not a Bot API"),
        (200, '{"ok": true, "resu', "wrong", "is not a Bot API"),
        (301, "", "wrong", "is not a Bot API (HTTP 301)"),
        (404, "Not Found", "wrong", "is not a Bot API"),
        (502, "<html>", "warning", "HTTP 502"),
        (429, '{"ok": false, "parameters": {"retry_after": 30}}', "warning", "HTTP 429"),
    ],
)
async def test_what_is_not_telegram_or_is_in_trouble_is_told_apart(
    live_bot: BotHarness, status: int, body: str, state: str, words: str
) -> None:
    async with serving(status, body) as address:
        found = await look(live_bot, telegram_api_url=address)
    assert found["telegram"].state == state
    assert words in found["telegram"].seen
    assert found["token"].state == "warning"


@pytest.mark.parametrize(
    ("address", "reason"),
    [(NOBODY, "the connection is refused"), ("http://nobody.invalid", "its name is unknown")],
)
async def test_a_telegram_out_of_reach_is_wrong_and_says_why(
    live_bot: BotHarness, address: str, reason: str
) -> None:
    found = await look(live_bot, telegram_api_url=address)
    assert found["telegram"].state == "wrong"
    assert reason in found["telegram"].seen
    assert (found["token"].state, found["clock"].state) == ("warning", "warning")


async def test_a_proxy_that_leads_nowhere_is_named(
    live_bot: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", NOBODY)
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    found = await look(live_bot, telegram_api_url="http://telegram.invalid")
    assert f"the proxy {NOBODY} (ALL_PROXY) does not let it through" in found["telegram"].seen
    assert found["proxies"].seen == f"Telegram through {NOBODY} (ALL_PROXY); volcengine directly."
    assert (await look(live_bot))["telegram"].state == "ok"


async def test_a_username_of_a_false_telegram_cannot_write_to_the_terminal(live_bot: BotHarness) -> None:
    body = json.dumps({"ok": True, "result": {"username": "\x1b[2J\nall is well"}})
    async with serving(200, body) as address:
        found = await look(live_bot, telegram_api_url=address)
    assert "well" not in found["token"].seen


# The clock


@pytest.mark.parametrize(
    ("off", "state", "words"),
    [
        (timedelta(seconds=20), "ok", "agrees"),
        (timedelta(seconds=-20), "ok", "agrees"),
        (timedelta(seconds=90), "warning", "seconds ahead of"),
        (timedelta(seconds=-90), "warning", "seconds behind"),
        (timedelta(minutes=7), "wrong", "7 minutes ahead of"),
        (timedelta(hours=-8), "wrong", "8 hours behind"),
        (timedelta(days=-400), "wrong", "400 days behind"),
    ],
)
async def test_a_clock_that_is_off_is_found_by_telegrams(
    live_bot: BotHarness, off: timedelta, state: str, words: str
) -> None:
    found = (await look_at(live_bot.values(), lambda: now() + off))["clock"]
    assert found.state == state
    assert words in found.seen
    assert ("NTP" in found.mend) is (state != "ok")


@pytest.mark.parametrize(
    ("ahead_s", "state"), [(60, "ok"), (61, "warning"), (300, "warning"), (-301, "wrong")]
)
def test_a_clock_may_be_a_minute_off_and_never_five(ahead_s: float, state: str) -> None:
    assert judge_clock(Answer(200, {}, ahead_s), "api.telegram.org").state == state


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Zzz 2026 25:00:00 GMT"])
async def test_a_time_that_cannot_be_read_is_not_compared(live_bot: BotHarness, date: str) -> None:
    async with serving(200, '{"ok": true}', {"Date": date}) as address:
        found = await look(live_bot, telegram_api_url=address)
    assert found["clock"].state == "warning"


# The database and the disk


async def test_a_database_that_is_not_there_yet_is_not_made(live_bot: BotHarness) -> None:
    before = sorted(live_bot.folder.rglob("*"))
    assert (await look(live_bot))["database"].state == "ok"
    assert sorted(live_bot.folder.rglob("*")) == before


async def test_a_database_at_rest_is_looked_at_and_left_as_it_was(live_bot: BotHarness) -> None:
    store = await SQLiteStore.open(live_bot.folder / "bot.db", Clock())
    await store.people.put_person(KnownPerson(1001, role="admin"))
    await store.close()
    (live_bot.folder / "bot.db.lock").unlink()
    before = {path: path.read_bytes() for path in live_bot.folder.rglob("*")}
    found = await look(live_bot)
    assert found["database"] == Finding("database", "ok", f"{live_bot.folder}/bot.db is sound.")
    assert found["admins"] == Finding("admins", "ok", "One.")
    assert {path: path.read_bytes() for path in live_bot.folder.rglob("*")} == before


async def test_a_postgresql_is_looked_at_and_its_password_never_shown(
    live_bot: BotHarness, postgres: PostgresServer
) -> None:
    url = (await postgres.new_database()).replace("@", ":s3cret-passw0rd@")
    found = [(await look(live_bot, database_url=url))["database"]]
    assert "is created at the first start" in found[0].seen
    store = await PostgresStore.open(url)
    await store.people.put_person(KnownPerson(1001, role="admin"))
    seen = await look(live_bot, database_url=url)
    assert seen["admins"] == Finding("admins", "ok", "One.")
    found.append(seen["database"])
    assert found[-1].seen.endswith("is sound, and a bot is running on it.")
    await store.close()
    found.append((await look(live_bot, database_url=url.replace("/test_", "/nowhere_")))["database"])
    found.append(
        (await look(live_bot, database_url="postgresql://ada:s3cret-passw0rd@127.0.0.1:1/x"))["database"]
    )
    assert [one.state for one in found] == ["ok", "ok", "wrong", "wrong"]
    assert "s3cret" not in str(found)


async def test_a_running_bot_is_noticed_and_not_disturbed(live_bot: BotHarness) -> None:
    async with running_bot(live_bot.values()):
        found = await look(live_bot)
        assert found["database"].state == "ok"
        assert "a bot is running on it" in found["database"].seen
        ada, chat = live_bot.newcomer()
        await live_bot.handled(ada, chat)
    assert "running on it" not in (await look(live_bot))["database"].seen


async def test_a_bot_in_the_middle_of_a_write_is_not_waited_for(live_bot: BotHarness) -> None:
    store = await SQLiteStore.open(live_bot.folder / "bot.db", Clock())
    with closing(sqlite3.connect(live_bot.folder / "bot.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert (await look(live_bot))["database"].state == "ok"
        writer.execute("ROLLBACK")
    await store.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"not a database at all" * 99,
        lambda raw: raw[:5000] + b"\7" * 9000,
        lambda raw: raw[:-4096] + b"\7" * 4096,  # a page that nothing but a check reads
    ],
)
async def test_a_damaged_database_is_wrong(live_bot: BotHarness, damage: Callable[[bytes], bytes]) -> None:
    file = live_bot.folder / "bot.db"
    await (await SQLiteStore.open(file, Clock())).close()
    file.write_bytes(damage(file.read_bytes()))
    found = (await look(live_bot))["database"]
    assert (found.state, found.seen) == ("wrong", f"{file} is damaged.")
    assert "backup" in found.mend


async def test_a_database_of_a_newer_dreamreel_is_wrong(live_bot: BotHarness) -> None:
    with closing(sqlite3.connect(live_bot.folder / "bot.db")) as database:
        database.execute("PRAGMA user_version = 999")
    found = (await look(live_bot))["database"]
    assert (found.state, found.mend) == ("wrong", "Update this one.")


async def test_a_database_that_another_program_holds_is_wrong(live_bot: BotHarness) -> None:
    await (await SQLiteStore.open(live_bot.folder / "bot.db", Clock())).close()
    with closing(sqlite3.connect(live_bot.folder / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = (await look(live_bot))["database"]
    assert (found.state, found.seen) == ("wrong", f"{live_bot.folder}/bot.db is held by another program.")


async def test_a_database_that_cannot_be_written_is_wrong(live_bot: BotHarness) -> None:
    (live_bot.folder / "bot.db").mkdir()
    assert (await look(live_bot))["database"].state == "wrong"
    (live_bot.folder / "file").touch()
    found = (await look(live_bot, database_url=f"sqlite:///{live_bot.folder}/file/bot.db"))["database"]
    assert found.state == "wrong"
    assert "permissions" in found.mend


@pytest.mark.parametrize(("free_mb", "state"), [(99, "wrong"), (1999, "warning"), (2000, "ok")])
def test_a_disk_is_full_before_it_is_quite_full(free_mb: int, state: str) -> None:
    found = judge_disk(Path("/var/lib/dreamreel"), free_mb, keep_mb=2000)
    assert found.state == state
    assert "/var/lib/dreamreel" in found.seen
    assert bool(found.mend) is (state != "ok")


@pytest.mark.parametrize(
    ("newest", "is_running", "state"),
    [
        (None, True, "ok"),
        (date(2026, 5, 4), True, "ok"),
        (date(2026, 5, 3), True, "ok"),
        (date(2026, 5, 2), True, "warning"),
        (date(2026, 5, 2), False, "ok"),
    ],
)
def test_copies_that_are_no_longer_made_are_found(newest: date | None, is_running: bool, state: str) -> None:
    found = judge_backups(IsolatedSettings(), newest, date(2026, 5, 4), is_running=is_running)
    assert found.state == state
    assert bool(found.mend) is (state != "ok")
    assert str(newest or "None so far") in found.seen


# Settings that are well-formed and still do not work


async def test_a_default_model_that_nobody_has_is_wrong_and_the_rest_is_looked_at(
    live_bot: BotHarness,
) -> None:
    found = await look(live_bot, default_model="dall-e")
    assert found["models"].state == "wrong"
    assert "jimeng-pro" in found["models"].seen
    assert found["volcengine"].state == "ok"


async def test_the_preview_alone_and_no_admin_are_worth_a_word(live_bot: BotHarness) -> None:
    none = {"volcengine_access_key_id": "", "volcengine_secret_access_key": "", "allowed_users": ""}
    found = await look(live_bot, **none)
    assert found["models"].state == "warning"
    assert found["admins"].state == "warning"
    assert "nobody else may order" in found["admins"].seen
    assert "nobody" not in (await look(live_bot))["admins"].seen


async def test_a_short_secret_key_is_worth_a_word_and_is_not_told(live_bot: BotHarness) -> None:
    found = (await look(live_bot, secret_key="hunter2"))["secret key"]
    assert found.state == "warning"
    assert "hunter2" not in str(found)
    assert "[hidden]" not in str(await look(live_bot, secret_key="e"))
    assert "secret key" not in await look(live_bot, secret_key="hunter2" * 3)


# The public address


async def test_models_that_fetch_photos_want_a_public_address(live_bot: BotHarness) -> None:
    found = (await look(live_bot, **RELAY))["public address"]
    assert found.state == "warning"
    assert "relay-jimeng, unified-jimeng cannot take photos" in found.seen


async def test_a_public_address_of_a_running_bot_answers(live_bot: BotHarness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    values = {"public_url": f"http://127.0.0.1:{port}/bot", "listen_port": str(port)}
    async with running_bot(live_bot.values(**values)):
        found = (await look(live_bot, **values))["public address"]
    assert (found.state, "only in this network" in found.seen) == ("warning", True)


HEALTH = '{"status": "ok"}'


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (200, HEALTH, "warning", "only in this network"),
        (502, "<html>", "warning", "the bot is not running"),
        (503, "<html>", "warning", "the bot is not running"),
        (200, "<html>", "wrong", "Another server answers"),
        (200, '["ok"]', "wrong", "Another server answers"),
        (200, '{"status": "healthy"}', "wrong", "Another server answers"),
        (404, "", "wrong", "Another server answers"),
        (301, "", "wrong", "redirects"),
    ],
)
async def test_what_answers_at_the_public_address_is_told_apart(
    live_bot: BotHarness, status: int, body: str, state: str, words: str
) -> None:
    async with serving(status, body, {"Location": "http://127.0.0.1:9/"}) as address:
        found = (await look(live_bot, public_url=address, listen_port="8080"))["public address"]
    assert found.state == state
    assert words in found.seen
    assert found.mend


@pytest.mark.parametrize(
    ("is_running", "state", "words"),
    [
        (False, "warning", "cannot be checked: the bot is not running"),
        (True, "wrong", "the connection is refused"),
    ],
)
async def test_an_address_that_does_not_answer_is_wrong_only_while_the_bot_runs(
    live_bot: BotHarness, is_running: bool, state: str, words: str
) -> None:
    store = await SQLiteStore.open(live_bot.folder / "bot.db", Clock()) if is_running else None
    found = (await look(live_bot, public_url=NOBODY, listen_port="8080"))["public address"]
    assert found.state == state
    assert words in found.seen
    if store:
        await store.close()


@pytest.mark.parametrize(("health", "status", "state"), [("ok", 200, "ok"), ("unwell", 503, "warning")])
def test_a_bot_found_at_its_public_address_tells_how_it_is(health: str, status: int, state: str) -> None:
    answer = Answer(status, {"status": health})
    found = judge_public_address(answer, "https://bot.example.org", "127.0.0.1:8080", is_running=True)
    assert found.state == state


async def test_a_password_in_the_public_address_is_not_told(live_bot: BotHarness) -> None:
    found = (await look(live_bot, public_url="http://ada:l0velace@127.0.0.1:9", listen_port="8080"))[
        "public address"
    ]
    assert found.seen.startswith("http://127.0.0.1:9 ")
    assert "l0velace" not in str(found)


def test_an_error_page_while_the_bot_runs_is_wrong() -> None:
    found = judge_public_address(Answer(502), "https://bot.example.org", "127.0.0.1:8080", is_running=True)
    assert found.state == "wrong"
    assert "127.0.0.1:8080" in found.mend


# Providers


@pytest.mark.parametrize(
    ("reply", "state", "words"),
    [
        (
            gateway_error(100009, "InvalidAccessKey", 401, f"[{ACCESS_KEY_ID}] is invalid."),
            "wrong",
            "key is refused",
        ),
        (gateway_error(100010, "SignatureDoesNotMatch", 401), "wrong", "key is refused"),
        (gateway_error(100006, "InvalidTimestamp", 400), "wrong", "time of this machine"),
        (failure(50400, "Access Denied", 401), "wrong", "may not use this"),
        (failure(50429, "Request Has Reached API Limit", 429), "warning", "too busy"),
        (failure(50215, "Input invalid for this service.", 400), "ok", "key is accepted"),
        (Reply(200, "<html>login</html>"), "wrong", "No usable answer"),
        (Reply(200, b""), "wrong", "No usable answer"),
        (Fault.CUT, "wrong", "No usable answer"),
    ],
)
async def test_what_volcengine_says_of_the_key_is_read(
    live_bot: BotHarness, reply: Reply | Fault, state: str, words: str
) -> None:
    live_bot.provider.next("poll", *[reply] * 9)
    found = (await look(live_bot))["volcengine"]
    assert found.state == state
    assert words in found.seen
    assert "jimeng-pro" in found.seen
    assert ACCESS_KEY_ID not in str(found)
    assert live_bot.provider.jobs == {}


async def test_a_product_that_is_not_activated_has_a_row_of_its_own(live_bot: BotHarness) -> None:
    live_bot.provider.next("poll", failure(50400, "Access Denied: Internal Error", 401), None)
    live_bot.provider.next("poll", *[failure(50215, "Input invalid for this service.", 400)] * 9)
    settings = IsolatedSettings.model_validate(live_bot.values())
    rows = [row for row in await check_up(settings, now) if row.what == "volcengine"]
    assert {row.state for row in rows} == {"wrong", "ok"}
    assert rows[0].seen.startswith("jimeng-pro: ")
    assert "jimeng-pro" not in rows[1].seen


TROUBLES: list[tuple[Trouble, str]] = [
    ("key_refused", "GEEKAI_API_KEY"),
    ("no_balance", "Top it up"),
    ("not_activated", "Activate"),
    ("wrong_clock", "NTP"),
    ("wrong_address", "GEEKAI_BASE_URL"),
    ("account", "console"),
]


@pytest.mark.parametrize(("trouble", "mend"), TROUBLES)
async def test_each_trouble_with_an_account_says_what_to_do(clip: Path, trouble: Trouble, mend: str) -> None:
    provider = ScriptedProvider(clip, name="geekai")
    provider.polls = Script(AccountProblem("account", "HTTP 403", trouble=trouble))
    (found,) = await check_account(provider)
    assert (found.what, found.state) == ("geekai", "wrong")
    assert mend in found.mend
    assert "HTTP 403" in found.seen


@pytest.mark.parametrize("status", [Failed("not_found"), Failed("refused"), StillRunning()])
async def test_an_answer_about_the_job_shows_that_the_key_is_taken(clip: Path, status: object) -> None:
    provider = ScriptedProvider(clip)
    provider.polls = Script(status)
    (found,) = await check_account(provider)
    assert found.state == "ok"


async def test_models_that_fare_alike_share_a_row(clip: Path) -> None:
    provider = ScriptedProvider(clip, models=[A_MODEL, replace(A_MODEL, name="veo")])
    provider.polls = Script(Failed("not_found"))
    (found,) = await check_account(provider)
    assert found.seen.startswith("jimeng-pro, veo: ")
    assert provider.polls.count == 2


async def test_a_provider_out_of_reach_is_asked_once(clip: Path) -> None:
    provider = ScriptedProvider(clip, name="jiekou", models=[A_MODEL] * 3)
    provider.polls = Script(Unavailable("unreachable", "no connection"))
    (found,) = await check_account(provider)
    assert (found.state, provider.polls.count) == ("wrong", 1)
    assert "JIEKOU_BASE_URL" in found.mend


async def test_an_answer_that_tells_nothing_is_only_a_warning(clip: Path) -> None:
    provider = ScriptedProvider(clip)
    provider.polls = Script(OutcomeUnknown("submit_unknown", "HTTP 500"))
    (found,) = await check_account(provider)
    assert found.state == "warning"


async def test_a_provider_that_never_answers_is_not_waited_for(clip: Path) -> None:
    provider = ScriptedProvider(clip)
    provider.polls = Script(asyncio.Event().wait)
    async with asyncio.timeout(4):
        (found,) = await check_account(provider, limit_s=0.05)
    assert found.state == "wrong"
    assert "No answer" in found.seen


async def test_keys_of_every_provider_are_tried_and_nothing_is_bought(live_bot: BotHarness) -> None:
    refusal = {"reason": "INVALID_API_KEY", "error": {"code": 401, "message": "no such key"}}
    async with serving(401, json.dumps(refusal)) as address:
        bearers = {f"{name}_api_key": f"sk-{name}-s3cret" for name in BEARERS}
        addresses = {f"{name}_base_url": address for name in BEARERS}
        found = await look(live_bot, **bearers, **addresses)
    for name in BEARERS:
        assert (found[name].state, found[name].mend) == ("wrong", f"Check {name.upper()}_API_KEY."), found[
            name
        ]
    assert "s3cret" not in str(found)


async def test_no_secret_is_told_whatever_it_stands_in(live_bot: BotHarness) -> None:
    found = await look(live_bot, secret_key="a-secret-as-a-folder", data_dir="/a-secret-as-a-folder/data")
    database = await look(
        live_bot, secret_key="folder-s3cret", database_url="sqlite:////folder-s3cret/bot.db"
    )
    assert "a-secret-as-a-folder" not in str(found)
    assert "/[hidden]/bot.db" in database["database"].seen


# The command and its table


async def test_the_command_says_so_by_its_exit_code(live_bot: BotHarness) -> None:
    well = BotProcess(live_bot.folder, live_bot.values(), "doctor")
    await well.start()
    assert await well.end() == 0
    assert "Nothing is wrong, 1 warning." in well.printed  # no admin yet
    assert re.search(r"OPEN_TASKS_PER_USER +5  \(default\)", well.printed)
    ill = BotProcess(live_bot.folder, live_bot.values(telegram_bot_token=WRONG_TOKEN), "doctor")
    await ill.start()
    assert await ill.end() == 1
    assert "One thing is wrong, 1 warning." in ill.printed
    for secret in (WRONG_TOKEN, live_bot.server.token, SECRET_ACCESS_KEY, ACCESS_KEY_ID):
        assert secret not in well.printed + ill.printed
    assert "\x1b" not in well.printed + ill.printed


async def test_scripts_read_json(live_bot: BotHarness) -> None:
    process = BotProcess(live_bot.folder, live_bot.values(telegram_bot_token=WRONG_TOKEN), "doctor", "--json")
    await process.start()
    assert await process.end() == 1
    told = json.loads(process.printed)
    assert (told["wrong"], told["warnings"]) == (1, 1)
    (wrong,) = [finding for finding in told["findings"] if finding["state"] == "wrong"]
    assert (wrong["what"], wrong["seen"]) == ("token", "Telegram does not know this token.")
    assert wrong["mend"]


async def test_each_setting_is_shown_with_where_it_comes_from(live_bot: BotHarness) -> None:
    (live_bot.folder / ".env").write_text("OPEN_TASKS_PER_USER=2\nDAILY_VIDEOS_PER_USER=3\n")
    async with running_bot(live_bot.values(admin_users="501")):
        owners = live_bot.world.private_chat(live_bot.world.add_person(Person(501, "Olga", None, "en")))
        asked = live_bot.world.say(live_bot.world.people[501], owners, "/set DAILY_VIDEOS_PER_USER 7")
        await live_bot.answer(asked)
    process = BotProcess(live_bot.folder, live_bot.values(), "doctor", "--json")
    await process.start()
    await process.end()
    told = {one["name"]: (one["value"], one["source"]) for one in json.loads(process.printed)["settings"]}
    assert told["OPEN_TASKS_PER_USER"] == ("2", ".env")
    assert told["ALLOWED_USERS"] == ("*", "environment")
    assert told["OPEN_TASKS_PER_CHAT"] == ("20", "default")
    assert told["TELEGRAM_BOT_TOKEN"] == ("set", "environment")
    value, source = told["DAILY_VIDEOS_PER_USER"]
    assert value == "7"
    assert re.fullmatch(r"changed by 501, \d{4}-\d\d-\d\d \d\d:\d\d UTC", source)
    assert told.keys() == set(names(IsolatedSettings()))


async def test_what_was_changed_in_the_chat_counts_for_the_doctor(live_bot: BotHarness) -> None:
    store = await SQLiteStore.open(live_bot.folder / "bot.db", Clock())
    await store.audit.add(setting(THE_BOT, "DEFAULT_MODEL", "jimeng-720p", 501, now()))
    await store.audit.add(setting(THE_BOT, "OPEN_TASKS_PER_USER", "many", 501, now()))
    await store.close()
    assert (await look(live_bot))["models"].seen.endswith("The default is jimeng-720p.")


async def test_settings_that_cannot_be_read_are_the_one_finding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LISTEN_PORT=http\nTELEGRAM_BOT_TOKEN=s3cretbutwrong\n")
    (tmp_path / ".env").chmod(0o600)
    process = BotProcess(tmp_path, {}, "doctor", "--json")
    await process.start()
    assert await process.end() == 1
    (finding,) = json.loads(process.printed)["findings"]
    assert (finding["what"], finding["state"]) == ("settings", "wrong")
    assert "LISTEN_PORT" in finding["seen"]
    assert "TELEGRAM_BOT_TOKEN" in finding["seen"]
    assert "s3cretbutwrong" not in process.printed


LONG = Finding(
    "public address", "wrong", "Not this bot but Another server answers there. " * 4, "Lead it there. " * 9
)
LINK = "https://a-very-long-name-of-a-machine.example.org/with/a/path/that/is/too/long/for/a/line"


async def test_a_faulty_file_of_styles_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "styles.toml").write_text('[noir]\ntitle = "Noir"\n')
    process = BotProcess(tmp_path, {"styles_file": "styles.toml"}, "doctor", "--json")
    await process.start()
    await process.end()
    (finding,) = json.loads(process.printed)["findings"]
    assert (finding["what"], finding["state"]) == ("settings", "wrong")
    assert "STYLES_FILE: in the style noir, " in finding["seen"]


@pytest.mark.parametrize("width", [60, 80, 100, 300])
def test_the_table_fits_its_terminal_with_colours_and_without(width: int) -> None:
    drawn = draw_table([LONG, Finding("clock", "ok", "It agrees.")], width)
    lines = click.unstyle(drawn).splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    first, *others = [line for line in lines[:-1] if line.strip()]
    column = first.index("Not this bot")
    assert {line[:column].strip() for line in others} == {"", "ok       clock"}
    assert lines[-1].strip() == "One thing is wrong."


def test_what_is_there_to_be_copied_is_not_broken() -> None:
    drawn = click.unstyle(
        draw_table([Finding("public address", "wrong", f"{LINK} does not answer.", LINK)], 80)
    )
    assert drawn.count(LINK) == 2


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (["ok"], "All is well."),
        (["ok", "warning"], "Nothing is wrong, 1 warning."),
        (["warning", "warning"], "Nothing is wrong, 2 warnings."),
        (["wrong", "wrong", "ok"], "2 things are wrong."),
    ],
)
def test_the_last_line_sums_up(states: list[State], words: str) -> None:
    drawn = click.unstyle(draw_table([Finding("clock", state, "So it is.") for state in states], 80))
    assert drawn.splitlines()[-1].strip() == words
