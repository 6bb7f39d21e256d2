"""A database that refuses is never silent: readiness, the alert and two lines in the log say so."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from postgres_server import PostgresServer
from running import PATIENCE_S, BotHarness, BotProcess, bot_process, says, stage


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


def told(printed: str) -> list[str]:
    """What was written of warnings and worse, and of outages that are over."""
    lines = [
        line for line in printed.splitlines() if re.search(r"\[(warning|error|critical) *\]|again", line)
    ]
    return [re.sub(r"^\S+ \S+ \[\w+ *\] (.*?) *\[bot\..*", r"\1", line) for line in lines]


async def readiness(url: str) -> tuple[int, list[str]]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
        return answer.status, json.loads(await answer.text()).get("reasons", [])


async def until_ready(url: str, status: int) -> list[str]:
    async with asyncio.timeout(PATIENCE_S):
        while (found := await readiness(url))[0] != status:
            await asyncio.sleep(0.1)
    return found[1]


def fill_disk(bot: BotProcess, *, full: bool = True) -> None:
    """From here on no file of the bot takes a byte; with `full` False it does again."""
    size = 0 if full else resource.RLIM_INFINITY
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def test_a_full_disk_is_told_by_readiness_alert_and_two_lines(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    night, alerts = live_bot.newcomer("Night")
    live_bot.world.say(night, alerts, "/start")
    values = live_bot.values(private_port="0", alert_chat=str(alerts.id))
    async with bot_process(live_bot.folder, values) as bot:
        url = (await bot.prints("private")).split()[1]
        await live_bot.until(lambda: live_bot.world.bot_messages(alerts))
        await until_ready(url, 200)
        fill_disk(bot)
        live_bot.world.say(ada, chat, "/start")
        reasons = await until_ready(url, 503)
        assert "the database cannot be used" in reasons[0]
        assert len(reasons) == 1, "nothing else is wrong"
        async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as answer:
            assert answer.status == 200, "a restart would mend nothing"
        await live_bot.answer(live_bot.world.messages(alerts)[0], containing=says("alert_database"))
        fill_disk(bot, full=False)
        await until_ready(url, 200)
        await live_bot.answer(live_bot.world.messages(alerts)[0], containing=says("alert_database_over"))
        await live_bot.until(lambda: live_bot.world.bot_messages(chat))
        await bot.kill()
    assert told(bot.printed) == ["the database takes no writes", "the database takes writes again"]


async def test_an_outage_of_postgresql_is_two_lines_and_no_reason_for_a_restart(
    live_bot: BotHarness, fragile: PostgresServer
) -> None:
    ada, chat = live_bot.newcomer()
    values = live_bot.values(database_url=await fragile.new_database(), private_port="0")
    async with bot_process(live_bot.folder, values) as bot:
        url = (await bot.prints("private")).split()[1]
        await until_ready(url, 200)
        await asyncio.to_thread(fragile.halt, signal.SIGINT)
        live_bot.world.say(ada, chat, "/start")
        assert "the database cannot be used: it does not answer" in (await until_ready(url, 503))[0]
        async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as answer:
            assert answer.status == 200
        await asyncio.sleep(6)  # so long that everything has met it
        await asyncio.to_thread(fragile.start)
        await until_ready(url, 200)
        await live_bot.until(lambda: live_bot.world.bot_messages(chat))
        await bot.kill()
    assert told(bot.printed) == ["the database takes no writes", "the database takes writes again"]
