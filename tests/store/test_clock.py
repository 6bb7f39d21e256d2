"""The clock of a bot that is alone on its database: set back, it stops nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fakes import NOW, Clock, a_task

from bot.store import StoredUpdate
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.connection.clock import MonotonicClock


class Machine:
    def __init__(self) -> None:
        self.calendar = Clock()
        self.counted = 100.0
        self.clock = MonotonicClock(self.calendar, lambda: self.counted)

    def go_on(self, seconds: float) -> None:
        self.calendar.advance(seconds)
        self.counted += seconds


def test_a_clock_that_is_set_back_is_counted_on() -> None:
    machine = Machine()
    machine.go_on(10)
    machine.calendar.advance(-3600)
    assert machine.clock() == NOW + timedelta(seconds=10)
    machine.go_on(5)
    assert machine.clock() == NOW + timedelta(seconds=15)
    machine.calendar.advance(3600)
    machine.go_on(1)
    assert machine.clock() == machine.calendar.now


@pytest.mark.parametrize("jump", [3600, 0.5, -0.5])
def test_a_jump_forward_and_small_corrections_are_followed(jump: float) -> None:
    machine = Machine()
    machine.clock()
    machine.calendar.advance(jump)
    machine.go_on(1)
    assert machine.clock() == machine.calendar.now


async def test_what_is_due_by_a_clock_that_was_ahead_is_due_as_soon_after_the_start(tmp_path: Path) -> None:
    ahead, right = Clock(NOW + timedelta(hours=5)), Clock(NOW)
    store = await SQLiteStore.open(tmp_path / "bot.db", ahead)
    await store.tasks.add(a_task(due_at=ahead.now + timedelta(seconds=30)))
    await store.updates.add([StoredUpdate(1, 10, "{}")])
    await store.updates.claim(ahead.now, 60, 1)
    await store.updates.fail(1, ahead.now + timedelta(seconds=20))
    await store.maintenance.record_heartbeat(ahead.now)
    await store.close()
    store = await SQLiteStore.open(tmp_path / "bot.db", right)
    assert await store.tasks.next_due(NOW) == NOW + timedelta(seconds=30)
    assert await store.updates.next_due(NOW) == NOW + timedelta(seconds=20)
    await store.close()
