"""Several processes on one PostgreSQL: they share the work, and whatever dies, the books balance."""

from __future__ import annotations

import asyncio
import logging
import signal
from datetime import datetime
from pathlib import Path

import pytest
from chaos.postgres import PostgresUnderTest
from chaos.run import Plan, run
from passing_on import slow_line
from pictures import photo
from postgres_server import PostgresServer
from running import PATIENCE_S, BotHarness, bot_process, buttons, says, stage

log = logging.getLogger(__name__)
"""Figures, for `pytest --log-cli-level=info`."""
_POLLING = "FROM leases WHERE name = 'polling'"
LEASE_S = 3.5
"""Of the process that polls: what the lease is worth when it is got."""
BUSY_S = 3.0
"""For a step of a process, on a machine that is busy with other things."""


@pytest.fixture
async def store(fragile: PostgresServer) -> PostgresUnderTest:
    return PostgresUnderTest(fragile, await fragile.new_database(), restart_before=3)


async def test_three_processes_that_die_in_turn_lose_nothing_nor_pay_twice(
    store: PostgresUnderTest, tmp_path: Path
) -> None:
    report = await run(Plan(7, requests=16, kills=4, stops=1, processes=3), tmp_path, store)
    assert report.wrong == [], report.log
    assert store.restarts == 1


async def test_when_the_process_that_polls_dies_another_one_polls_within_five_seconds(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    polls = Polling(postgres, await postgres.clean_database())
    async with stage(tmp_path) as live_bot:
        values = live_bot.values(database_url=polls.url)
        async with bot_process(tmp_path, values) as first:
            dead = await polls.owner()
            async with bot_process(tmp_path, values):
                await first.kill()
                killed_at = polls.now()
                took_s = await polls.taken_from(dead, killed_at)
                log.info("kill -9: another process polls after %.2f s", took_s)
                await helped(live_bot)
    assert took_s < 5 + BUSY_S


async def test_a_process_that_is_told_to_end_hands_over_at_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    polls = Polling(postgres, await postgres.clean_database())
    async with stage(tmp_path) as live_bot:
        values = live_bot.values(database_url=polls.url)
        ada, chat = live_bot.newcomer()
        async with bot_process(tmp_path, values) as first:
            with live_bot.unfinished():
                live_bot.world.say(ada, chat, "/video a slow barge")
                await live_bot.job("a slow barge")
                gone = await polls.owner()
                async with bot_process(tmp_path, values):
                    told_at = polls.now()
                    first.send(signal.SIGTERM)
                    assert await first.end() == 0
                    ended_at = polls.now()
                    assert polls.leases_of(gone) == "0", "nobody has to wait until one runs out"
                    took_s = await polls.taken_from(gone, told_at)
                    log.info("SIGTERM: another process polls after %.2f s", took_s)
                    live_bot.provider.statuses = ()
                    await live_bot.until(lambda: live_bot.videos(chat))
                    await helped(live_bot)
    assert took_s < (ended_at - told_at).total_seconds() + 1 + BUSY_S, "one look a second"
    assert live_bot.jobs("a slow barge") == 1


async def test_what_another_process_draws_late_never_covers_a_video(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await postgres.clean_database()
    edits = ("editMessageText", "editMessageCaption")
    async with stage(tmp_path) as live_bot, slow_line(live_bot.server.url, edits, 3.0) as slow:
        values = live_bot.values(database_url=url, volcengine_concurrency="20")
        chats = [live_bot.newcomer(f"Person {number}") for number in range(8)]
        async with (
            bot_process(tmp_path, {**values, "telegram_api_url": slow.url}) as late,
            bot_process(tmp_path, values) as quick,
        ):
            with live_bot.unfinished():
                for person, chat in chats[:6]:
                    live_bot.world.send_photo(person, chat, photo(400, 1000), caption="a tall swan")
                for person, chat in chats[:6]:
                    card = await live_bot.card(chat)
                    assert "photo" in card
                    live_bot.world.press(person, card, says("button_generate"))
                for person, chat in chats[6:]:
                    live_bot.world.say(person, chat, "/video a swan")
                await live_bot.until(lambda: len(live_bot.provider.jobs) == len(chats) and slow.under_way > 1)
            await live_bot.until(lambda: all(live_bot.videos(chat) for _, chat in chats), 2 * PATIENCE_S)
            for process in (late, quick):
                process.send(signal.SIGTERM)
                assert await process.end() == 0
            await live_bot.until(lambda: slow.under_way == 0)
        for _, chat in chats:
            (video,) = live_bot.videos(chat)
            assert says("button_again") in buttons(video)


class Polling:
    """Who polls, by the database and its clock."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self._server = server
        self.url = url

    def now(self) -> datetime:
        return datetime.fromisoformat(self._server.ask(self.url, "SELECT clock_timestamp()"))

    async def owner(self) -> str:
        return (await self._row("TRUE"))[0]

    async def taken_from(self, before: str, since: datetime) -> float:
        """How many seconds after `since` another process than `before` got it: a lease says until when."""
        _, seconds = await self._row(f"owner <> '{before}'", since)
        return float(seconds)

    def leases_of(self, process: str) -> str:
        return self._server.ask(
            self.url,
            f"SELECT (SELECT count(*) FROM leases WHERE owner = '{process}')"
            f" + (SELECT count(*) FROM tasks WHERE leased_by = '{process}')"
            f" + (SELECT count(*) FROM updates WHERE leased_by = '{process}' AND state = 'open')",
        )

    async def _row(self, which: str, since: datetime | None = None) -> tuple[str, str]:
        begun = since.isoformat() if since else "now"
        sql = f"SELECT owner, extract(epoch FROM until - '{begun}'::timestamptz) - {LEASE_S}"
        async with asyncio.timeout(PATIENCE_S):
            while not (line := self._server.ask(self.url, f"{sql} {_POLLING} AND {which}")):
                await asyncio.sleep(0.1)  # a lease has no event
        owner, seconds = line.split("|")
        return owner, seconds


async def helped(live_bot: BotHarness) -> None:
    """Somebody is listened to."""
    eve, chat = live_bot.newcomer("Eve")
    await live_bot.answer(live_bot.world.say(eve, chat, "/help"), containing="Options:")
