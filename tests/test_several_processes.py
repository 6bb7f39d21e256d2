"""Several processes on one PostgreSQL: they share the work, and whatever dies, the books balance."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.postgres import PostgresUnderTest
from chaos.run import Plan, run
from postgres_server import PostgresServer


@pytest.fixture
async def store(fragile: PostgresServer) -> PostgresUnderTest:
    return PostgresUnderTest(fragile, await fragile.new_database(), restart_before=3)


async def test_three_processes_that_die_in_turn_lose_nothing_nor_pay_twice(
    store: PostgresUnderTest, tmp_path: Path
) -> None:
    report = await run(Plan(7, requests=24, kills=5, stops=1, processes=3), tmp_path, store)
    assert report.wrong == [], report.log
    assert store.restarts == 1
