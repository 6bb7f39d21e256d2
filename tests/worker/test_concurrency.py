"""Slots in use: a provider that has no room is asked again in time, and nobody reads of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import NOW, Clock, Script, ScriptedProvider, StoreParts, WorkerHarness, a_task

from bot.codes import NO_ROOM
from bot.errors import StoreError, Unavailable
from bot.provider import Accepted, Failed, Photo, Status, StillRunning, Succeeded
from bot.request import VideoModel, VideoRequest
from bot.store import SlotLimit
from bot.stores.sqlite import SQLiteStore
from bot.task import TaskState
from bot.worker.concurrency import lowered, open_slots, raised
from bot.worker.provider_health import ProviderHealth

FULL = Unavailable("no_slot", "code 50430")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def refused(
    limit: SlotLimit | None, running: int, at_s: float = 0.0, began_s: float | None = None
) -> SlotLimit:
    began = after(at_s if began_s is None else began_s)
    return lowered(limit, "cloud", running, began=began, now=after(at_s))


# What is decided.


def test_without_a_refusal_all_slots_are_open() -> None:
    assert open_slots(None, 5, NOW) == 5


def test_after_a_refusal_as_many_are_open_as_ran_and_one_more_in_time() -> None:
    limit = refused(None, 3)
    assert open_slots(limit, 5, after(1)) == 3
    assert open_slots(limit, 5, after(3)) == 4
    assert open_slots(limit, 5, after(99_999)) == 4
    assert open_slots(limit, 2, after(3)) == 2


def test_where_nothing_ran_one_is_tried_after_a_pause() -> None:
    limit = refused(None, 0)
    assert open_slots(limit, 5, after(1)) == 0
    assert open_slots(limit, 5, after(3)) == 1


def test_the_pause_grows_with_each_refused_try_up_to_five_minutes() -> None:
    limit, at_s, pauses_s = None, 0.0, []
    for _ in range(12):
        limit = refused(limit, 2, at_s)
        pauses_s.append((limit.probe_at - after(at_s)).total_seconds())
        at_s += pauses_s[-1]
    assert 1.8 <= pauses_s[0] <= 2.2
    assert 3.6 <= pauses_s[1] <= 4.4
    assert max(pauses_s) <= 330
    assert pauses_s[-1] >= 270


def test_what_the_provider_asks_for_is_obeyed() -> None:
    limit = lowered(None, "cloud", 1, began=NOW, now=NOW, retry_after_s=90)
    assert limit.probe_at == after(90)


def test_calls_that_were_under_way_together_are_one_refusal() -> None:
    limit = refused(None, 4, at_s=1, began_s=0)
    for running in (3, 2, 2):
        limit = refused(limit, running, at_s=1.5, began_s=0)
    assert (limit.jobs, limit.refusals) == (2, 1)


def test_a_slot_that_is_given_back_late_costs_no_long_pause() -> None:
    limit = None
    for at_s in (0, 100, 200, 300, 400, 500):
        limit = refused(limit, 2, at_s)
    late = refused(limit, 1, at_s=600)
    assert (late.jobs, late.refusals) == (1, 1)
    assert open_slots(late, 5, after(603)) == 2


def test_what_is_accepted_raises_the_limit_until_nothing_is_left_to_find_out() -> None:
    limit = refused(refused(None, 1), 1, at_s=5)
    assert raised(limit, 1, 4, after(9)) == limit
    more = raised(limit, 2, 4, after(9))
    assert more is not None
    assert (more.jobs, more.refusals) == (2, 0)
    assert open_slots(more, 4, after(12)) == 3
    assert raised(more, 4, 4, after(12)) is None
    assert raised(None, 1, 4, NOW) is None


# What the worker does with it.


class Account(ScriptedProvider):
    """Runs `room` jobs at once, each for a minute, and counts what it refused."""

    def __init__(self, clip: Path, clock: Clock, room: int = 1, error: Unavailable = FULL) -> None:
        super().__init__(clip)
        self.room = room
        self.error = error
        self.refused = 0
        self._clock = clock
        self._ends: list[datetime] = []

    def running(self) -> int:
        return sum(end > self._clock() for end in self._ends)

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        if self.running() >= self.room:
            self.refused += 1
            raise self.error
        self._ends.append(self._clock() + timedelta(seconds=60))
        return Accepted(str(len(self._ends) - 1))

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        ended = self._ends[int(remote_id)] <= self._clock()
        return Succeeded("https://videos.example/1", 3600.0) if ended else StillRunning()


@pytest.fixture
def account(clip: Path, clock: Clock) -> Account:
    return Account(clip, clock)


@pytest.fixture
def full_provider(store: SQLiteStore, account: Account, clock: Clock, tmp_path: Path) -> WorkerHarness:
    return WorkerHarness(store, account, clock, tmp_path)


async def work(harness: WorkerHarness, seconds: float, *, step_s: float = 1.0) -> None:
    """So long, as the worker would: what is due is taken, again and again."""
    for _ in range(round(seconds / step_s)):
        while await harness.turn():
            pass
        harness.clock.advance(step_s)


@pytest.mark.parametrize("code", sorted(NO_ROOM))
async def test_a_provider_without_room_is_waited_for_and_nobody_reads_of_it(
    harness: WorkerHarness, code: str
) -> None:
    harness.provider.submits = Script(*[Unavailable(code)] * 22, Accepted("job-1"))
    await harness.store.tasks.add(a_task())
    task = await harness.turn_until(lambda task: task.state is not TaskState.QUEUED)
    assert task.state is TaskState.RUNNING
    assert harness.clock() - NOW > timedelta(hours=1)
    shown = {(card.state, card.attempts) for card in harness.chat.shown}
    assert shown == {(state, 0) for state in (TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING)}
    assert harness.chat.names() == []


async def test_a_refused_try_keeps_its_turn(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(FULL, Accepted("job-1"))
    for name in ("boat", "kite"):
        await harness.store.tasks.add(a_task(name))
    await harness.turn()
    assert await harness.store.tasks.count_ahead(await harness.get("kite")) == 1
    await harness.turn_until(lambda task: task.state is TaskState.RUNNING)
    assert (await harness.get("kite")).state is TaskState.QUEUED


async def test_an_account_with_fewer_slots_than_were_set_is_filled(
    full_provider: WorkerHarness, account: Account
) -> None:
    full_provider.slots["cloud"], account.room = 5, 2
    for number in range(40):
        await full_provider.store.tasks.add(a_task(str(number)))
    await work(full_provider, 15)
    assert account.refused < 8, "from five at once down to two"
    before, used_s = account.refused, 0
    for _ in range(600):
        await work(full_provider, 1)
        used_s += account.running()
    assert account.refused - before < 30, "each costs nothing, and finds what became free unseen"
    assert used_s > 0.85 * 1200, "the rest is the lag of polls"


async def test_slots_that_are_granted_later_are_found(full_provider: WorkerHarness, account: Account) -> None:
    full_provider.slots["cloud"] = 4
    for number in range(40):
        await full_provider.store.tasks.add(a_task(str(number)))
    await work(full_provider, 120)
    assert account.running() <= 1
    account.room = 4
    for _ in range(330):
        await work(full_provider, 1)
        if account.running() == 4:
            break
    assert account.running() == 4
    assert await full_provider.store.providers.slot_limits() == [], "nothing is left to find out"


async def test_too_many_calls_are_slowed_down_not_repeated_at_once(
    full_provider: WorkerHarness, account: Account
) -> None:
    account.room, account.error = 0, Unavailable("busy", retry_after_s=30.0)
    await full_provider.store.tasks.add(a_task())
    await work(full_provider, 300)
    assert account.refused <= 10


async def test_a_job_that_ended_for_want_of_a_slot_goes_back_to_the_queue(harness: WorkerHarness) -> None:
    harness.provider.polls = Script(StillRunning(0.2), Failed("busy", "code 50430"), StillRunning())
    await harness.store.tasks.add(a_task())
    await harness.turn_until(lambda task: task.progress is not None)
    back = await harness.turn_until(lambda task: task.state is TaskState.QUEUED)
    assert (back.remote_id, back.progress, back.submitted_at, back.slot_until) == (None, None, None, None)
    assert back.due_at is not None
    assert back.due_at > harness.clock()
    again = await harness.turn_until(lambda task: task.state is TaskState.RUNNING)
    assert again.queued_at == NOW
    assert harness.chat.names() == []
    calls = [(one.call, one.answer) for one in await harness.store.tasks.attempts("boat")]
    assert calls.count(("submit", "ok")) == 2


async def test_whoever_stopped_waiting_is_let_go_when_the_provider_has_no_room(
    harness: WorkerHarness,
) -> None:
    async def stop() -> Accepted:
        await harness.store.tasks.save((await harness.get()).hide(NOW))
        raise FULL

    harness.provider.submits = Script(stop)
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.CANCELLED, "cancelled")
    assert harness.provider.submits.count == 1


async def test_a_limit_that_cannot_be_kept_stops_nobody(harness: WorkerHarness) -> None:
    class Broken:
        async def slot_limits(self) -> list[SlotLimit]:
            raise StoreError("its disk is full")

        async def change_limit(self, *_: object) -> SlotLimit | None:
            raise StoreError("its disk is full")

    broken: Any = StoreParts(providers=Broken())
    health = ProviderHealth(broken, {"cloud": 3}, harness.tell_admins, harness.clock)
    await health.slot_refused(a_task())
    await health.slot_accepted(a_task())
    assert await health.usable_slots("cloud") == 3


async def test_forecasts_go_by_the_usable_slots(harness: WorkerHarness) -> None:
    health = ProviderHealth(harness.store, {"cloud": 5, "closed": 0}, harness.tell_admins, harness.clock)
    assert await health.usable_slots("elsewhere") is None
    assert await health.usable_slots("closed") == 0
    assert await health.usable_slots("cloud") == 5
    await harness.store.providers.change_limit("cloud", NOW, lambda *_: refused(None, 2))
    assert await health.usable_slots("cloud") == 2
    await harness.store.providers.change_limit("cloud", NOW, lambda *_: refused(None, 0))
    assert await health.usable_slots("cloud") == 1


@pytest.mark.parametrize("code", sorted(NO_ROOM))
async def test_an_accepted_job_is_ordered_again_at_most_twice_then_its_person_is_asked(
    harness: WorkerHarness, code: str
) -> None:
    harness.provider.polls = Script(Failed(code, "code 50430"))
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.FAILED, code)
    assert harness.provider.submits.count == 3
    assert harness.chat.names() == ["tell"]


async def test_refused_submits_do_not_count_as_orders(harness: WorkerHarness) -> None:
    harness.provider.submits = Script(*[FULL] * 5, Accepted("job-1"))
    harness.provider.polls = Script(Failed("no_slot"), Failed("no_slot"), StillRunning())
    await harness.store.tasks.add(a_task())
    await harness.turn_until(lambda task: task.polled_at is not None)
    assert (await harness.get()).state is TaskState.RUNNING


async def test_a_job_that_may_have_cost_something_is_never_ordered_again_by_itself(
    harness: WorkerHarness,
) -> None:
    harness.provider.polls = Script(Failed("busy", "rate limit", final=True))
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.FAILED, "busy")
    assert harness.provider.submits.count == 1
