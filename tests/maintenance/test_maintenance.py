"""What runs beside the worker and the chat."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from fakes import A_MODEL, NOW

from bot.errors import StoreError
from bot.maintenance.maintenance import read_durations, record_heartbeat
from bot.stores.sqlite import SQLiteStore
from bot.worker.duration_model import Durations, keys
from bot.worker.schedule import Schedule


class ForgetfulStore:
    """Refuses once; then another process has learned; then it is over."""

    def __init__(self) -> None:
        self.asked = 0

    async def durations(self) -> dict[str, str]:
        self.asked += 1
        match self.asked:
            case 1:
                raise StoreError("its disk is full")
            case 2:
                return dict.fromkeys(keys(A_MODEL.name, 5, "1080p"), Durations(30.0).to_text())
            case _:
                raise asyncio.CancelledError


async def test_what_other_processes_learn_is_taken_over() -> None:
    schedule = Schedule()
    with pytest.raises(asyncio.CancelledError):
        await read_durations(ForgetfulStore(), schedule, every_s=0)  # type: ignore[arg-type]  # it never learns
    assert schedule.usual_s(A_MODEL) == pytest.approx(30, rel=0.02)


async def test_a_stop_is_the_last_sign_of_life(store: SQLiteStore) -> None:
    life = asyncio.create_task(record_heartbeat(store.maintenance, lambda: datetime.now(UTC), every_s=3600))
    while await store.maintenance.record_heartbeat(NOW) in (None, NOW):
        pass
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert await store.maintenance.record_heartbeat(NOW) not in (None, NOW)
