"""Alerts: what goes wrong is told once, and once when it is over; nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fakes import NOW, Clock, a_task, nobody_told

from bot.maintenance.alert_monitor import AlertMonitor
from bot.maintenance.alerts import Alerts
from bot.maintenance.daily_report import DailyReport
from bot.store import Attempt
from bot.stores.sqlite import SQLiteStore
from bot.task import TaskState
from bot.worker.provider_health import ProviderHealth

GB = 1_000_000_000


class Operators:
    """The operators' chat: what it was told. `writable` is whether Telegram takes it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        self.pauses: list[str | None] = []
        self.loud: list[str] = []
        self.writable = True

    async def send(
        self, key: str, values: Mapping[str, object], *, pause: str | None = None, silent: bool = False
    ) -> bool:
        if self.writable:
            self.told.append((key, dict(values)))
            self.pauses.append(pause)
            self.loud += [] if silent else [key]
        return self.writable

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.told if key != "alert_day"]


class Process:
    """The alerts and the report of one process. The disk has room until it is changed."""

    def __init__(self, store: SQLiteStore, clock: Clock, chat: Operators, zone: str = "UTC") -> None:
        self.health = ProviderHealth(store, {}, nobody_told, clock)
        self.clock = clock
        self.disk = (100 * GB, 50 * GB)
        self.fails: bool | None = None  # as of the storage chat
        alerts = Alerts(store.maintenance, chat, clock)
        self.monitor = AlertMonitor(
            store,
            alerts=alerts,
            chat=chat,
            health=self.health,
            data_dir=Path(),
            clock=clock,
            storage=self,
            disk=lambda _: self.disk,
        )
        self._report = DailyReport(store, alerts, ZoneInfo(zone), clock)

    async def check(self) -> None:
        await self.monitor.check()
        await self._report.send_if_due()

    def fetch(self, answer: str, *, task_id: str = "boat", is_link_young: bool = False) -> None:
        attempt = Attempt(
            task_id=task_id, provider="cloud", call="fetch", at=self.clock.now, took_s=1, answer=answer
        )
        self.health.record(attempt, is_link_young=is_link_young)

    async def calls(self, answer: str, times: int = 1, call: Any = "poll", provider: str = "cloud") -> None:
        """So many calls a minute apart, each followed by a check."""
        for _ in range(times):
            self.clock.advance(60)
            self.health.record(
                Attempt(
                    task_id="boat", provider=provider, call=call, at=self.clock.now, took_s=1, answer=answer
                )
            )
            await self.check()


@pytest.fixture
def chat() -> Operators:
    return Operators()


@pytest.fixture
def process(store: SQLiteStore, clock: Clock, chat: Operators) -> Process:
    return Process(store, clock, chat)


async def test_an_outage_is_told_once_with_a_way_to_pause_and_once_when_it_is_over(
    process: Process, chat: Operators
) -> None:
    await process.calls("ok")
    await process.calls("unreachable", 12)
    assert chat.told[1:] == [("alert_down", {"provider": "cloud", "minutes": 3})]
    assert chat.pauses[1:] == ["cloud"]
    await process.calls("ok", 3)
    assert chat.told[2:] == [("alert_down_over", {"provider": "cloud", "minutes": 12})]


@pytest.mark.parametrize(
    "answers",
    [
        ["unreachable", "unreachable", "unreachable", "ok"] * 4,
        ["unreachable", "provider_fault", "prompt_refused"] * 4,
        ["busy", "no_slot", "rate_limited"] * 4,
    ],
)
async def test_a_provider_that_answers_now_and_then_is_not_down(
    process: Process, chat: Operators, answers: list[str]
) -> None:
    for answer in answers:
        await process.calls(answer)
    assert chat.keys == []


FETCHES_FAIL = ("alert_fetches", {"provider": "cloud", "minutes": 3})


async def test_finished_videos_that_cannot_be_fetched_are_told_once_and_their_end_once(
    process: Process, chat: Operators
) -> None:
    await process.calls("ok", call="submit")
    for number in range(12):
        await process.calls("ok")
        process.fetch("fetch_failed", task_id=f"task-{number % 2}")
        await process.check()
    assert chat.told[1:] == [FETCHES_FAIL]
    assert chat.pauses[1:] == ["cloud"], "with a button that pauses its models"
    assert (process.health.down(), process.health.is_silent("cloud")) == ({}, True)
    process.fetch("ok")
    await process.check()
    assert chat.told[2:] == [("alert_fetches_over", {"provider": "cloud", "minutes": 11})]
    assert not process.health.is_silent("cloud")


async def test_one_video_that_cannot_be_fetched_is_told_after_ten_minutes(
    process: Process, chat: Operators
) -> None:
    await process.calls("fetch_failed", 10, call="fetch")
    assert chat.keys == []
    await process.calls("fetch_failed", call="fetch")
    assert chat.keys == ["alert_fetches"]


@pytest.mark.parametrize("answer", ["link_expired", "not_a_video"])
async def test_a_young_link_that_is_not_ready_is_no_outage(
    process: Process, chat: Operators, answer: str
) -> None:
    for number in range(20):
        process.clock.advance(60)
        process.fetch(answer, task_id=f"task-{number}", is_link_young=True)
        await process.check()
    assert chat.keys == []


@pytest.mark.parametrize("answer", ["disk_full", "media_crashed", "media_timeout", "too_large"])
async def test_what_is_not_the_providers_fault_is_no_outage_of_it(
    process: Process, chat: Operators, answer: str
) -> None:
    for number in range(20):
        process.clock.advance(60)
        process.fetch(answer, task_id=f"task-{number}")
        await process.check()
    assert chat.keys == []


async def test_two_videos_hours_apart_that_are_gone_are_no_outage(process: Process, chat: Operators) -> None:
    for number in range(5):
        process.clock.advance(3600)
        process.fetch("link_expired", task_id=f"task-{number}")
        await process.check()
    assert chat.keys == []


async def test_a_restart_tells_no_outage_twice_and_still_tells_its_end(
    process: Process, store: SQLiteStore, clock: Clock, chat: Operators
) -> None:
    await process.calls("unreachable", 6)
    second, third = Process(store, clock, chat), Process(store, clock, chat)
    await second.calls("unreachable", 6)
    assert chat.keys == ["alert_down"]
    await third.calls("ok", 2)
    await second.calls("ok", 2)
    assert chat.keys == ["alert_down", "alert_down_over"]
    await second.calls("unreachable", 6)
    assert chat.keys == ["alert_down", "alert_down_over", "alert_down"]


async def test_of_several_processes_one_tells(store: SQLiteStore, clock: Clock, chat: Operators) -> None:
    processes = [Process(store, clock, chat) for _ in range(3)]
    for process in processes:
        process.disk = (100 * GB, 0)
    await asyncio.gather(*(process.check() for process in processes))
    assert sorted(key for key, _ in chat.told) == ["alert_day", "alert_disk"]


async def test_what_could_not_be_told_is_told_later(process: Process, chat: Operators) -> None:
    chat.writable = False
    process.disk = (100 * GB, 0)
    await process.check()
    chat.writable = True
    await process.check()
    await process.check()
    assert sorted(key for key, _ in chat.told) == ["alert_day", "alert_disk"]


async def test_a_disk_is_told_when_it_fills_and_when_there_is_clearly_room_again(
    process: Process, chat: Operators
) -> None:
    for free in (2.0, 0.9, 0.8, 1.1, 1.4, 0.9, 1.6, 1.2):
        process.disk = (100 * GB, int(free * GB))
        await process.check()
    assert chat.told[1:] == [
        ("alert_disk", {"free": "0.9"}),
        ("alert_disk_over", {"free": "1.6", "minutes": 1}),
    ]


async def test_a_small_disk_may_be_small(process: Process, chat: Operators) -> None:
    process.disk = (2 * GB, GB // 2)
    await process.check()
    assert chat.keys == []


async def test_a_backup_that_fails_is_told_once_and_its_success_once(
    process: Process, chat: Operators
) -> None:
    for reason in (None, "no backup: its disk is full", "no backup: its disk is full", None, None):
        await process.monitor.report_backup(reason)
    assert chat.keys == ["alert_backup", "alert_backup_over"]


@pytest.mark.parametrize(("away_s", "told"), [(20, []), (180, ["alert_back"])])
async def test_the_bot_says_that_it_is_back_and_what_goes_on(
    process: Process, store: SQLiteStore, chat: Operators, away_s: float, told: list[str]
) -> None:
    for number in range(4):
        await store.tasks.add(a_task(str(number)))
    await process.monitor.report_restart(timedelta(seconds=away_s))
    assert chat.keys == told
    if told:
        assert chat.told == [("alert_back", {"away": timedelta(seconds=away_s), "count": 4})]


async def test_each_morning_one_silent_line_says_what_yesterday_was(
    store: SQLiteStore, clock: Clock, chat: Operators
) -> None:
    made = replace(a_task(), state=TaskState.SUCCEEDED, remote_id="r", submitted_at=NOW, due_at=None)
    for number in range(3):
        await store.tasks.add(replace(made, id=f"made {number}", price=Decimal("0.35"), user_id=number % 2))
    await store.tasks.add(
        replace(made, id="failed", state=TaskState.FAILED, error_code="busy", user_id=7, remote_id=None)
    )
    await store.tasks.add(replace(made, id="earlier", queued_at=NOW - timedelta(days=1)))
    process = Process(store, clock, chat, "Europe/Berlin")
    clock.advance(17 * 3600 + 59 * 60)  # 07:59 of the next day, there
    await process.check()
    assert [values["day"] for _, values in chat.told] == ["2026-05-03"]
    clock.advance(60)
    for _ in range(3):
        await process.check()
        await Process(store, clock, chat, "Europe/Berlin").check()
    day = {"day": "2026-05-04", "videos": 3, "failed": 1, "people": 3, "spent": Decimal("1.05")}
    assert chat.told[1:] == [("alert_day", day)]
    assert chat.loud == []


async def test_a_storage_chat_that_takes_no_videos_is_told_once_and_when_it_is_over(
    process: Process, chat: Operators, store: SQLiteStore, clock: Clock
) -> None:
    for fails in (None, True, True):
        process.fails = fails
        await process.check()
    await Process(store, clock, chat).check()  # another process, which has tried nothing, ends nothing
    assert chat.keys == ["alert_storage"]
    process.fails = False
    for _ in range(2):
        await process.check()
    assert chat.keys == ["alert_storage", "alert_storage_over"]
