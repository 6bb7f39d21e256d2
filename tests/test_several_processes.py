"""Several processes on one PostgreSQL: they share the work, and whatever dies, the books balance."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from chaos.postgres import PostgresUnderTest
from chaos.run import Plan, run
from postgres_server import PostgresServer
from running import bot_process, stage

BUSY_S = 15.0
"""For the answer itself, on a machine that is busy with other things."""


@pytest.fixture
async def store(fragile: PostgresServer) -> PostgresUnderTest:
    return PostgresUnderTest(fragile, await fragile.new_database(), restart_before=3)


async def test_three_processes_that_die_in_turn_lose_nothing_nor_pay_twice(
    store: PostgresUnderTest, tmp_path: Path
) -> None:
    report = await run(Plan(7, requests=16, kills=4, stops=1, processes=3), tmp_path, store)
    assert report.wrong == [], report.log
    assert store.restarts == 1


async def test_when_the_process_that_polls_dies_another_one_polls_within_seconds(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await postgres.clean_database()
    async with stage(tmp_path) as there:
        values = there.values(database_url=url)
        ada, chat = there.newcomer()
        async with bot_process(tmp_path, values) as first:
            await there.answer(there.world.say(ada, chat, "/help"), containing="Options:")
            async with bot_process(tmp_path, values):
                await first.kill()
                began = asyncio.get_running_loop().time()
                await there.answer(there.world.say(ada, chat, "/help"), containing="Options:")
                took_s = asyncio.get_running_loop().time() - began
    assert took_s < 5 + BUSY_S
