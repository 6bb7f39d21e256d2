"""What every task store must do: each sentence of `bot/store/`, for each engine."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fakes import A_MODEL, CARD_FIELDS, changed_task, task_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from postgres_server import PostgresServer

from bot.codes import FailureCode
from bot.errors import IllegalMove, StaleTask, StoreError, Unstorable
from bot.film import Film, FilmShot, FilmState
from bot.request import Crop, VideoRequest
from bot.send_rates import TELEGRAM, Limit, Limits, Urgency
from bot.store import (
    AccountTrouble,
    Attempt,
    ChatRecord,
    ChatSettings,
    Notice,
    Person,
    Recipe,
    SlotLimit,
    Store,
    StoredUpdate,
    TaskFilter,
)
from bot.store.audit import SET, THE_BOT, AuditEntry, setting
from bot.store.budget import EVERYTHING, RESERVED_S, Pause
from bot.store.statistics import ProviderLoad, TaskCount, UserUsage, Wait
from bot.store.tokens import Token
from bot.stores.postgres import PostgresStore
from bot.stores.prompt_search import SEARCHED
from bot.stores.sqlite import SQLiteStore
from bot.task import CardRef, Task, TaskState
from bot.worker.schedule import Schedule, duration_keys, lesson

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LEASE_S = 60.0
NO_LIMIT: dict[str, int] = {}
Opener = Callable[[], Awaitable[Store]]


@pytest.fixture(params=["sqlite", "postgres"])
async def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens the same database again at each call; an engine joins the suite as one more parameter."""
    opened: list[Store] = []
    server: PostgresServer | None = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        url = await server.clean_database()

    async def open_again() -> Store:
        if server is None:
            opened.append(await SQLiteStore.open(tmp_path / "dreamreel.db", clock=lambda: NOW))
        else:
            opened.append(await PostgresStore.open(url, clock=lambda: NOW))
        return opened[-1]

    yield open_again
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Opener) -> Store:
    return await open_store()


_numbers = itertools.count(1)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_task(**fields: Any) -> Task:
    """A queued task, due now."""
    defaults: dict[str, Any] = {
        "id": f"task-{next(_numbers)}",
        "chat_id": 10,
        "user_id": 20,
        "language": "en",
        "provider": "volcengine",
        "request": VideoRequest(model="jimeng-pro", prompt="a paper boat"),
        "state": TaskState.QUEUED,
        "created_at": NOW,
        "queued_at": NOW,
        "due_at": NOW,
    }
    return task_of(**defaults | fields)


def a_running_task(**fields: Any) -> Task:
    """One that holds a slot for an hour and is looked at now."""
    running = {"state": TaskState.RUNNING, "remote_id": "r", "submitted_at": NOW, "keep_until": after(3600)}
    return a_task(**running | fields)


def an_attempt(task: Task, **fields: Any) -> Attempt:
    defaults: dict[str, Any] = {
        "task_id": task.id,
        "provider": task.provider,
        "call": "submit",
        "at": NOW,
        "took_s": 0.25,
        "answer": "ok",
        "detail": "their id 7",
    }
    return Attempt(**defaults | fields)


def ids(tasks: list[Task]) -> list[str]:
    return [task.id for task in tasks]


# What is stored.

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
integers = st.integers(-(2**63), 2**63 - 1)
moments = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))
requests = st.builds(
    VideoRequest,
    model=words,
    prompt=words,
    photos=st.lists(words, max_size=2).map(tuple),
    crop=st.none() | st.builds(Crop, words, x=st.none() | st.floats(0, 1), y=st.none()),
    extends=st.none() | words,
    ratio=st.none() | words,
    seconds=st.none() | integers,
    resolution=st.none() | words,
    seed=st.none() | integers,
    camera=st.none() | words,
    strength=st.none() | words,
    negative_prompt=st.none() | words,
    audio=st.none() | st.booleans(),
    people=st.none() | words,
    enhance=st.none() | st.booleans(),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": st.uuids().map(str),
    "version": st.integers(0, 2**31),
    "update_id": st.none() | integers,
    "chat_id": integers,
    "thread_id": st.none() | integers,
    "user_id": integers,
    "user_name": words,
    "message_id": st.none() | integers,
    "card_id": st.none() | integers,
    "has_photo": st.booleans(),
    "album_id": st.none() | words,
    "language": words,
    "provider": words,
    "request": requests,
    "question": st.none() | words,
    "price": st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    "state": st.sampled_from(TaskState),
    "remote_id": st.none() | words,
    "progress": st.none() | st.floats(0, 1),
    "expected_s": st.none() | st.floats(0, 86400),
    "bar_floor": st.floats(0, 1),
    "error_code": st.none() | st.just(FailureCode.SUBMIT_UNKNOWN) | words,
    "error_detail": st.none() | words,
    "detached": st.booleans(),
    "attempts": st.integers(0, 2**31),
    "failing_since": st.none() | moments,
    "parent_id": st.none() | words,
    "batch_id": st.none() | words,
    "batch_place": st.integers(1, 4),
    "batch_size": st.integers(1, 4),
    "film_id": st.none() | words,
    "tried_models": st.lists(words, max_size=3).map(tuple),
    "video_url": st.none() | words,
    "keep_until": st.none() | moments,
    "polled_at": st.none() | moments,
    "running_at": st.none() | moments,
    "late_at": st.none() | moments,
    "sending_at": st.none() | moments,
    "file_id": st.none() | words,
    "billed_tokens": st.none() | st.integers(0, 2**40),
    "created_at": moments,
    "queued_at": st.none() | moments,
    "submitted_at": st.none() | moments,
    "finished_at": st.none() | moments,
    "cancelled_at": st.none() | moments,
    "cancelled_by": st.none() | st.integers(-(2**52), 2**52),
    "cancelled_by_name": words,
    "delivered_at": st.none() | moments,
    "deleted_at": st.none() | moments,
    "due_at": st.none() | moments,
}


def test_the_random_tasks_below_vary_every_field() -> None:
    assert set(FIELDS) == (set(Task.__dataclass_fields__) - {"card"}) | set(CARD_FIELDS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.fixed_dictionaries(FIELDS), then=st.fixed_dictionaries(FIELDS))
async def test_every_field_comes_back_as_it_was_stored(
    store: Store, first: dict[str, Any], then: dict[str, Any]
) -> None:
    # Examples share the store, and the same one may be tried twice.
    own: dict[str, Any] = {"id": f"{first['id']} {next(_numbers)}", "update_id": next(_numbers)}
    own["album_id"] = own["id"]
    task = task_of(**first | own)
    assert await store.tasks.add(task) == task
    assert await store.tasks.get(task.id) == task

    saved = await store.tasks.save(task_of(**then | own | {"version": task.version}))
    assert saved == task_of(**then | own | {"version": task.version + 1})
    assert await store.tasks.get(task.id) == saved
    assert str(saved.price) == str(then["price"])


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - {"id", "version", "update_id", "album_id"}))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.fixed_dictionaries(FIELDS), then=st.fixed_dictionaries(FIELDS))
async def test_whatever_alone_changes_of_a_claimed_task_is_stored(
    store: Store, name: str, first: dict[str, Any], then: dict[str, Any]
) -> None:
    own: dict[str, Any] = {"id": f"{first['id']} {next(_numbers)}", "provider": "cloud", "due_at": NOW}
    await store.tasks.add(task_of(**first | own | {"update_id": None, "album_id": None}))
    claimed = {task.id: task for task in await store.tasks.claim(NOW, LEASE_S, 1000, NO_LIMIT)}
    task = claimed[own["id"]]
    changed = changed_task(task, **{name: then[name]})
    assume(changed != task)
    saved = await store.tasks.save(changed)
    assert saved == replace(changed, version=changed.version + 1)
    assert await store.tasks.get(changed.id) == saved


async def test_an_unknown_task_is_none(store: Store) -> None:
    assert await store.tasks.get("never") is None
    assert await store.tasks.find(update_id=1) is None
    assert await store.tasks.find(card=(1, 2)) is None
    assert await store.tasks.find(album=(1, "a")) is None


async def test_handling_an_update_twice_makes_one_task(store: Store) -> None:
    first = await store.tasks.add(a_task(update_id=7))
    moved = await store.tasks.save(first.put_off(after(5), NOW))
    assert await store.tasks.add(a_task(update_id=7)) == moved
    assert await store.tasks.count_open() == 1


async def test_the_photos_of_an_album_make_one_task(store: Store) -> None:
    first = await store.tasks.add(a_task(update_id=1, album_id="a"))
    assert await store.tasks.add(a_task(update_id=2, album_id="a")) == first
    elsewhere = a_task(update_id=3, album_id="a", chat_id=11)
    assert await store.tasks.add(elsewhere) == elsewhere


async def test_tasks_that_no_update_made_are_all_kept(store: Store) -> None:
    for _ in range(3):
        await store.tasks.add(a_task())
    assert await store.tasks.count_open() == 3


async def test_a_task_is_found_by_update_card_and_album(store: Store) -> None:
    task = await store.tasks.add(a_task(update_id=7, album_id="a"))
    await store.tasks.add(a_task(update_id=8, album_id="b", card_id=31))
    task = await store.tasks.save(changed_task(task, card_id=30))
    assert await store.tasks.find(update_id=7) == task
    assert await store.tasks.find(card=(10, 30)) == task
    assert await store.tasks.find(album=(10, "a")) == task
    assert await store.tasks.find(card=(11, 30)) is None


async def test_drafts_are_a_persons_open_questions_newest_first(store: Store) -> None:
    draft: dict[str, Any] = {"state": TaskState.DRAFT, "queued_at": None, "question": "ask_prompt"}
    old = await store.tasks.add(a_task(**draft))
    new = await store.tasks.add(a_task(**draft, created_at=after(1)))
    dismissed = await store.tasks.add(a_task(**draft))
    await store.tasks.save(dismissed.dropped("dismissed", NOW))
    others = [
        await store.tasks.add(a_task(**draft | other))
        for other in ({"user_id": 21}, {"chat_id": 11}, {"question": None})
    ]
    assert await store.tasks.drafts(10, 20) == [new, old]
    assert await store.tasks.drafts(10) == [new, others[0], old]


# Saving.


async def test_a_save_raises_the_version(store: Store) -> None:
    task = await store.tasks.add(a_task())
    saved = await store.tasks.save(changed_task(task, card_id=5))
    assert saved == changed_task(task, card_id=5, version=task.version + 1)


def ordered_at_once(task: Task, size: int) -> Task:
    """Order a draft as so many videos."""
    return replace(task, state=TaskState.DRAFT).queued(task.request, Decimal("0.10"), NOW, size)


async def test_an_order_of_several_is_stored_whole_and_counts_each(store: Store) -> None:
    draft = await store.tasks.add(
        a_task(state=TaskState.DRAFT, update_id=7, album_id="album", queued_at=None)
    )
    ordered = ordered_at_once(draft, 3)
    first = await store.tasks.save(ordered, siblings=ordered.siblings)
    stored = [await store.tasks.get(task_id) for task_id in first.batch_ids]
    assert stored == [first, *ordered.siblings]
    assert await store.tasks.count_since(NOW, user_id=20) == await store.tasks.count_open(user_id=20) == 3
    assert await store.budget.spent_since(NOW) == Decimal("0.30")
    assert await store.tasks.find(update_id=7) == first
    # Each waits for a slot of its own, in their order.
    assert ids(await store.tasks.claim(NOW, LEASE_S, 9, {first.provider: 2})) == first.batch_ids[:2]


async def test_an_order_of_several_that_is_refused_leaves_nothing_behind(store: Store) -> None:
    draft = await store.tasks.add(a_task(state=TaskState.DRAFT))
    ordered = ordered_at_once(draft, 3)
    changed = await store.tasks.save(changed_task(draft, card_id=5))
    with pytest.raises(StaleTask):
        await store.tasks.save(ordered, siblings=ordered.siblings)
    again = ordered_at_once(changed, 3)
    await store.tasks.add(again.siblings[1])
    with pytest.raises(StoreError):
        await store.tasks.save(again, siblings=again.siblings)
    assert await store.tasks.get(draft.id) == changed
    assert await store.tasks.get(again.batch_ids[1]) is None


async def test_a_stale_writer_is_refused_and_changes_nothing(store: Store) -> None:
    task = await store.tasks.add(a_task())
    saved = await store.tasks.save(changed_task(task, card_id=5))
    with pytest.raises(StaleTask):
        await store.tasks.save(changed_task(task, card_id=6), an_attempt(task))
    assert await store.tasks.get(task.id) == saved
    assert await store.tasks.attempts(task.id) == []


async def test_of_many_writers_with_one_version_one_is_accepted(store: Store) -> None:
    task = await store.tasks.add(a_task())
    ends = await asyncio.gather(
        *(store.tasks.save(changed_task(task, card_id=number)) for number in range(20)),
        return_exceptions=True,
    )
    accepted = [end for end in ends if isinstance(end, Task)]
    assert len(accepted) == 1
    assert await store.tasks.get(task.id) == accepted[0]
    assert sum(isinstance(end, StaleTask) for end in ends) == 19


async def test_updates_of_one_task_at_once_each_go_on_from_the_row_as_it_is_by_then(store: Store) -> None:
    task = await store.tasks.add(a_task())
    saved = await asyncio.gather(
        *(store.tasks.update(task.id, lambda row: replace(row, attempts=row.attempts + 1)) for _ in range(5))
    )
    stored = await store.tasks.get(task.id)
    assert stored is not None
    assert (stored.attempts, stored.version) == (5, 5)
    assert stored in saved


async def test_an_update_keeps_the_record_of_the_call_that_led_to_it(store: Store) -> None:
    task = await store.tasks.add(a_task())
    await store.tasks.update(task.id, lambda row: row.hide(NOW), attempt := an_attempt(task))
    assert await store.tasks.attempts(task.id) == [attempt]


async def test_an_update_whose_move_is_refused_changes_nothing(store: Store) -> None:
    task = await store.tasks.add(a_task())
    with pytest.raises(IllegalMove):
        await store.tasks.update(task.id, lambda row: row.late(NOW))
    assert await store.tasks.get(task.id) == task
    assert await store.tasks.update("gone", lambda row: row.hide(NOW)) is None


async def test_a_task_that_is_gone_cannot_be_saved(store: Store) -> None:
    with pytest.raises(StaleTask):
        await store.tasks.save(a_task())


async def test_a_save_keeps_the_record_of_the_call_that_led_to_it(store: Store) -> None:
    task = await store.tasks.add(a_task())
    later, earlier = an_attempt(task, at=after(2)), an_attempt(task, call="poll", answer="busy", detail="")
    await store.tasks.save(task, later)
    await store.tasks.record(earlier)
    await store.tasks.record(an_attempt(await store.tasks.add(a_task())))
    assert await store.tasks.attempts(task.id) == [earlier, later]


# Claiming.


async def test_a_claim_takes_what_is_due_oldest_first(store: Store) -> None:
    second = await store.tasks.add(a_task(due_at=after(-1)))
    first = await store.tasks.add(a_task(due_at=after(-2), provider="jiekou"))
    third = await store.tasks.add(a_running_task(due_at=NOW))
    await store.tasks.add(a_task(due_at=after(1)))
    await store.tasks.add(a_task(due_at=None))
    assert ids(await store.tasks.claim(NOW, LEASE_S, 2, NO_LIMIT)) == [first.id, second.id]
    assert ids(await store.tasks.claim(NOW, LEASE_S, 2, NO_LIMIT)) == [third.id]


async def test_a_claim_raises_the_version_and_moves_due_at_to_the_end_of_the_lease(store: Store) -> None:
    task = await store.tasks.add(a_task())
    [claimed] = await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    assert claimed == replace(task, version=task.version + 1, due_at=after(LEASE_S))
    assert await store.tasks.get(task.id) == claimed


async def test_a_lease_that_runs_out_makes_the_task_due_and_its_owner_stale(store: Store) -> None:
    await store.tasks.add(a_task())
    [lost] = await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    assert await store.tasks.claim(after(LEASE_S - 1), LEASE_S, 10, NO_LIMIT) == []
    [found] = await store.tasks.claim(after(LEASE_S), LEASE_S, 10, NO_LIMIT)
    assert found.id == lost.id
    with pytest.raises(StaleTask):
        await store.tasks.save(lost)
    await store.tasks.save(found)


async def test_an_owner_whose_lease_ran_out_may_still_save_when_no_other_claimed(store: Store) -> None:
    await store.tasks.add(a_task())
    [task] = await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    assert await store.tasks.save(task) == replace(task, version=task.version + 1)


async def test_claims_side_by_side_never_take_the_same_task(store: Store) -> None:
    tasks = await asyncio.gather(*(store.tasks.add(a_task(provider=f"p{n % 3}")) for n in range(50)))
    claims = await asyncio.gather(*(store.tasks.claim(NOW, LEASE_S, 4, NO_LIMIT) for _ in range(30)))
    assert sorted(task.id for claim in claims for task in claim) == sorted(task.id for task in tasks)


# Slots.


async def test_waiting_tasks_under_a_lease_take_slots(store: Store) -> None:
    for _ in range(5):
        await store.tasks.add(a_task())
    assert len(await store.tasks.claim(NOW, LEASE_S, 10, {"volcengine": 2})) == 2
    assert await store.tasks.claim(NOW, LEASE_S, 10, {"volcengine": 2}) == []
    assert len(await store.tasks.claim(NOW, LEASE_S, 10, {"volcengine": 3})) == 1
    assert len(await store.tasks.claim(after(LEASE_S), LEASE_S, 10, {"volcengine": 3})) == 3


async def test_a_job_takes_its_slot_until_the_provider_forgets_it(store: Store) -> None:
    waiting = await store.tasks.add(a_task())
    await store.tasks.add(a_running_task(due_at=after(999), keep_until=after(10)))
    unknown: dict[str, Any] = {
        "state": TaskState.FAILED,
        "error_code": FailureCode.SUBMIT_UNKNOWN,
        "delivered_at": NOW,
    }
    await store.tasks.add(a_task(**unknown, due_at=None, keep_until=after(20)))
    one, two = {"volcengine": 1}, {"volcengine": 2}
    assert await store.tasks.claim(NOW, LEASE_S, 10, two) == []
    assert await store.tasks.claim(after(19), LEASE_S, 10, one) == []
    assert ids(await store.tasks.claim(after(20), LEASE_S, 10, one)) == [waiting.id]


async def test_a_task_that_is_put_off_gives_its_slot_back(store: Store) -> None:
    first, second = await store.tasks.add(a_task()), await store.tasks.add(a_task(due_at=after(1)))
    slots = {"volcengine": 1}
    [claimed] = await store.tasks.claim(after(2), LEASE_S, 10, slots)
    assert claimed.id == first.id
    await store.tasks.save(claimed.put_off(after(100), NOW))
    assert ids(await store.tasks.claim(after(2), LEASE_S, 10, slots)) == [second.id]


async def test_a_full_provider_holds_up_neither_others_nor_its_own_running_jobs(store: Store) -> None:
    for number in range(20):
        await store.tasks.add(a_task(due_at=after(-100 + number)))
    polled_at = await store.tasks.add(a_running_task())
    other = await store.tasks.add(a_task(provider="jiekou"))
    free = await store.tasks.add(a_task(provider="preview", due_at=after(-1)))
    stopped = await store.tasks.add(a_task(detached=True, due_at=after(-2)))
    claimed = await store.tasks.claim(NOW, LEASE_S, 4, {"volcengine": 1, "jiekou": 1})
    assert ids(claimed) == [stopped.id, free.id, polled_at.id, other.id]


async def test_an_expired_lease_does_not_count_twice(store: Store) -> None:
    await store.tasks.add(a_task())
    slots = {"volcengine": 1}
    for turn in range(3):
        assert len(await store.tasks.claim(after(turn * LEASE_S), LEASE_S, 10, slots)) == 1


async def test_slots_are_never_overdrawn_by_claims_side_by_side(store: Store) -> None:
    slots = {"volcengine": 3, "jiekou": 1, "closed": 0}
    waiting = [a_task(provider=name) for name in slots for _ in range(25)]
    await asyncio.gather(*(store.tasks.add(task) for task in waiting))
    taken = dict.fromkeys(slots, 0)
    done = dict.fromkeys(slots, 0)

    async def buy_or_put_off(worker: int) -> None:
        for turn in range(20):
            for task in await store.tasks.claim(NOW, LEASE_S, 1 + worker % 3, slots):
                taken[task.provider] += 1
                assert taken[task.provider] <= slots[task.provider]
                if (worker + turn) % 3 == 0:
                    taken[task.provider] -= 1
                    await store.tasks.save(task.put_off(NOW, NOW))
                    continue
                sent = await store.tasks.save(task.submitting(NOW, after(LEASE_S), after(3600)), leased=True)
                running = await store.tasks.save(sent.accepted("r", after(500), after(3600)))
                taken[task.provider] -= 1
                await store.tasks.save(running.succeeded("https://video", after(3600), NOW).delivered(NOW))
                done[task.provider] += 1

    await asyncio.gather(*(buy_or_put_off(worker) for worker in range(12)))
    assert done["closed"] == 0
    assert done["volcengine"] > 3
    assert done["jiekou"] > 1


def a_limit(jobs: int, **fields: Any) -> SlotLimit:
    defaults: dict[str, Any] = {"refusals": 1, "refused_at": NOW, "probe_at": after(5)}
    return SlotLimit("volcengine", jobs, **defaults | fields)


async def test_a_limit_is_what_was_made_of_it_and_of_the_slots_that_are_taken(store: Store) -> None:
    await store.tasks.add(a_running_task())
    await store.tasks.add(a_running_task(provider="jiekou"))
    for _ in range(3):
        await store.tasks.add(a_task())
    await store.tasks.claim(NOW, LEASE_S, 10, {"volcengine": 3, "jiekou": 0})
    assert await store.providers.slot_limits() == []
    seen: list[tuple[SlotLimit | None, int]] = []

    def change(limit: SlotLimit | None, taken: int) -> SlotLimit | None:
        seen.append((limit, taken))
        return None if limit and limit.jobs == 3 else a_limit(taken)

    assert await store.providers.change_limit("volcengine", NOW, change) == a_limit(3)
    assert await store.providers.slot_limits() == [a_limit(3)]
    assert await store.providers.change_limit("volcengine", NOW, change) is None
    assert await store.providers.slot_limits() == []
    assert seen == [(None, 3), (a_limit(3), 3)]
    await store.tasks.add(a_task(user_id=21))
    assert await store.tasks.count_ahead(a_task(user_id=22)) > 0, "turns are where they were"


async def test_a_claim_keeps_to_the_limit_in_use_and_tries_one_more_in_time(store: Store) -> None:
    for _ in range(6):
        await store.tasks.add(a_task())
    await store.providers.change_limit("volcengine", NOW, lambda *_: a_limit(2))
    slots = {"volcengine": 4}
    assert len(await store.tasks.claim(after(4), LEASE_S, 10, slots)) == 2
    assert len(await store.tasks.claim(after(5), LEASE_S, 10, slots)) == 1
    assert await store.tasks.claim(after(6), LEASE_S, 10, slots) == []
    await store.providers.change_limit("volcengine", NOW, lambda *_: a_limit(9))
    assert len(await store.tasks.claim(after(6), LEASE_S, 10, slots)) == 1


async def test_limits_survive_a_restart(open_store: Opener) -> None:
    store = await open_store()
    await store.providers.change_limit("volcengine", NOW, lambda *_: a_limit(2))
    await store.close()
    assert await (await open_store()).providers.slot_limits() == [a_limit(2)]


async def test_no_limit_is_lost_to_changes_side_by_side(store: Store) -> None:
    def one_more(limit: SlotLimit | None, _: int) -> SlotLimit:
        return a_limit(limit.jobs + 1 if limit else 1)

    await asyncio.gather(*(store.providers.change_limit("volcengine", NOW, one_more) for _ in range(20)))
    assert await store.providers.slot_limits() == [a_limit(20)]


# Turns.


async def server_deps(store: Store, now: datetime = NOW, provider: str = "volcengine") -> str:
    """Who is handed over next: it takes the provider's only slot, and ends at once."""
    [task] = await store.tasks.claim(now, LEASE_S, 1, {"volcengine": 0, "jiekou": 0, provider: 1})
    sent = await store.tasks.save(task.submitting(now, after(LEASE_S), after(3600)), leased=True)
    running = await store.tasks.save(sent.accepted("r", after(500), after(3600)))
    await store.tasks.save(running.failed("video_refused", "", now).delivered(now))
    return task.id


async def test_fifty_of_one_person_never_stand_before_anothers_first(store: Store) -> None:
    for number in range(50):
        await store.tasks.add(a_task(id=f"heavy {number}", user_id=1, chat_id=1))
    assert [await server_deps(store) for _ in range(3)] == ["heavy 0", "heavy 1", "heavy 2"]
    for person in range(2, 22):
        await store.tasks.add(a_task(id=f"light {person}", user_id=person, chat_id=person, due_at=after(-1)))
    light = [f"light {person}" for person in range(2, 22)]
    assert [await server_deps(store) for _ in range(21)] == ["heavy 3", *light]
    assert [await server_deps(store) for _ in range(46)] == [f"heavy {number}" for number in range(4, 50)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.none() | st.integers(1, 4), min_size=5, max_size=30))
async def test_while_somebodys_only_request_waits_nobody_else_is_served_twice(
    store: Store, steps: list[int | None]
) -> None:
    """Each step is one more request of a person, or the next that is served."""
    # Examples share the store.
    provider = f"provider {next(_numbers)}"
    waiting: dict[str, int] = {}
    served_since: dict[str, list[int]] = {}
    for person in steps:
        if person is not None:
            task = await store.tasks.add(a_task(user_id=person, chat_id=person, provider=provider))
            if person not in waiting.values():
                served_since[task.id] = []
            waiting[task.id] = person
        elif waiting:
            task_id = await server_deps(store, provider=provider)
            before = served_since.pop(task_id, [])
            assert len(before) == len(set(before))
            for others in served_since.values():
                others.append(waiting[task_id])
            del waiting[task_id]
    for _ in range(len(waiting)):
        await server_deps(store, provider=provider)


async def test_persons_take_turns_from_their_second_request_on(store: Store) -> None:
    for name in ("a1", "a2", "a3"):
        await store.tasks.add(a_task(id=name, user_id=1, chat_id=1))
    for name in ("b1", "b2"):
        await store.tasks.add(a_task(id=name, user_id=2, chat_id=2))
    assert [await server_deps(store) for _ in range(2)] == ["a1", "b1"]
    await store.tasks.add(a_task(id="c1", user_id=3, chat_id=3))
    assert [await server_deps(store) for _ in range(4)] == ["a2", "b2", "c1", "a3"]


async def test_a_turn_that_has_begun_lets_nobody_else_in(store: Store) -> None:
    for person in (1, 2):
        for turn in (1, 2):
            await store.tasks.add(a_task(id=f"{person}.{turn}", user_id=person, chat_id=person))
    order = [await server_deps(store)]
    for person in (3, 4, 5):  # however many come: each only behind the turn that goes on
        await store.tasks.add(a_task(id=f"{person}.1", user_id=person, chat_id=person))
        order.append(await server_deps(store))
    assert order == ["1.1", "2.1", "1.2", "2.2"]


async def test_within_a_turn_the_chats_take_turns(store: Store) -> None:
    for person in range(1, 5):
        await store.tasks.add(a_task(id=f"group {person}", user_id=person, chat_id=-1))
    await store.tasks.add(a_task(id="private", user_id=9, chat_id=9))
    order = [await server_deps(store) for _ in range(5)]
    assert order == ["group 1", "private", "group 2", "group 3", "group 4"]


async def test_a_draft_gets_its_turn_when_it_begins_to_wait(store: Store) -> None:
    draft = await store.tasks.add(a_task(id="draft", state=TaskState.DRAFT, queued_at=None, due_at=after(99)))
    await store.tasks.add(a_task(id="first"))
    await store.tasks.save(draft.queued(draft.request, None, NOW))
    assert [await server_deps(store) for _ in range(2)] == ["first", "draft"]


async def test_a_task_that_is_put_off_or_back_keeps_its_turn(store: Store) -> None:
    for number in range(3):
        await store.tasks.add(a_task(id=f"heavy {number}", user_id=1, chat_id=1))
    [task] = await store.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT)
    put_off = await store.tasks.save(task.put_off(after(5), NOW))
    assert await store.tasks.count_ahead(put_off) == 0
    assert await server_deps(store) == "heavy 1"
    await store.tasks.add(a_task(id="light", user_id=2, chat_id=2))
    [again] = await store.tasks.claim(after(5), LEASE_S, 1, NO_LIMIT)
    sent = await store.tasks.save(again.submitting(NOW, after(LEASE_S), after(3600)), leased=True)
    await store.tasks.save(sent.requeued("busy", "", after(5), NOW))
    assert [await server_deps(store, after(9)) for _ in range(3)] == ["heavy 0", "heavy 2", "light"]


async def test_turns_survive_a_restart(open_store: Opener) -> None:
    store = await open_store()
    for number in range(3):
        await store.tasks.add(a_task(id=f"heavy {number}", user_id=1, chat_id=1))
    assert await server_deps(store) == "heavy 0"
    await store.close()
    store = await open_store()
    await store.tasks.add(a_task(id="light", user_id=2, chat_id=2))
    assert [await server_deps(store) for _ in range(3)] == ["heavy 1", "light", "heavy 2"]


async def test_a_task_for_another_provider_gets_its_turn_there(store: Store) -> None:
    await store.tasks.add(a_task(id="there", provider="jiekou"))
    await store.tasks.add(a_task(id="there too", provider="jiekou"))
    for number in range(3):
        await store.tasks.add(a_task(id=f"here {number}"))
    assert [await server_deps(store) for _ in range(2)] == ["here 0", "here 1"]
    [moved] = await store.tasks.claim(NOW, LEASE_S, 1, {"volcengine": 1, "jiekou": 0})
    sent = await store.tasks.save(moved.submitting(NOW, after(LEASE_S), after(3600)), leased=True)
    back = await store.tasks.save(sent.rerouted(sent.request, "jiekou", None, NOW))
    assert await store.tasks.count_ahead(back) == 2
    await store.tasks.add(a_task(id="light", user_id=21, chat_id=11, provider="jiekou"))
    order = [await server_deps(store, provider="jiekou") for _ in range(4)]
    assert order == ["there", "light", "there too", "here 2"]


async def test_what_is_cancelled_takes_no_turn(store: Store) -> None:
    many = [await store.tasks.add(a_task(id=f"heavy {number}", user_id=1, chat_id=1)) for number in range(9)]
    await store.tasks.add(a_task(id="light", user_id=2, chat_id=2))
    await store.tasks.add(a_task(id="light too", user_id=2, chat_id=2))
    for task in many:
        await store.tasks.save(task.hide(NOW))
    await store.tasks.add(a_task(id="again", user_id=1, chat_id=1))
    assert len(await store.tasks.claim(NOW, LEASE_S, 20, {"volcengine": 0})) == 9
    assert [await server_deps(store) for _ in range(3)] == ["light", "again", "light too"]


async def test_one_that_is_put_first_is_served_before_all_others(store: Store) -> None:
    tasks = [await store.tasks.add(a_task(id=str(number))) for number in range(4)]
    assert await store.tasks.prioritise("3")
    assert await store.tasks.prioritise("3")
    assert [await store.tasks.count_ahead(task) for task in tasks] == [1, 2, 3, 0]
    assert await store.tasks.get("3") == tasks[3]
    await store.tasks.add(a_task(id="light", user_id=2, chat_id=2))
    assert [await server_deps(store) for _ in range(5)] == ["3", "0", "light", "1", "2"]
    assert not await store.tasks.prioritise("3")
    assert not await store.tasks.prioritise("never")


# When to look again.


async def test_nothing_is_due_in_an_empty_store(store: Store) -> None:
    assert await store.tasks.next_due(NOW) is None
    await store.tasks.add(a_task(due_at=None))
    assert await store.tasks.next_due(NOW) is None


async def test_the_next_due_is_the_earliest_that_waits_for_its_time(store: Store) -> None:
    await store.tasks.add(a_task(due_at=after(-50)))  # its time has come: it waits for a slot
    assert await store.tasks.next_due(NOW) is None
    await store.tasks.add(a_running_task(due_at=after(30)))
    assert await store.tasks.next_due(NOW) == after(30)
    await store.tasks.add(a_task(due_at=after(20)))  # put off
    assert await store.tasks.next_due(NOW) == after(20)
    await store.tasks.add(a_running_task(due_at=after(-10)))
    assert await store.tasks.next_due(NOW) == after(-10)


async def test_a_slot_that_comes_free_by_itself_is_a_time_to_look(store: Store) -> None:
    unknown: dict[str, Any] = {
        "state": TaskState.FAILED,
        "error_code": FailureCode.SUBMIT_UNKNOWN,
        "delivered_at": NOW,
    }
    await store.tasks.add(a_task(**unknown, due_at=None, keep_until=after(40)))
    await store.providers.change_limit("volcengine", NOW, lambda *_: a_limit(1, probe_at=after(20)))
    assert await store.tasks.next_due(NOW) is None
    await store.tasks.add(a_task(provider="jiekou"))
    assert await store.tasks.next_due(NOW) is None
    await store.tasks.add(a_task())
    assert await store.tasks.next_due(NOW) == after(20)
    assert await store.tasks.next_due(after(20)) == after(40)
    assert await store.tasks.next_due(after(40)) is None


async def test_the_end_of_a_lease_is_a_time_to_look(store: Store) -> None:
    await store.tasks.add(a_task())
    await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    assert await store.tasks.next_due(NOW) == after(LEASE_S)


async def test_a_release_makes_leased_rows_due_in_their_old_order(store: Store) -> None:
    second, first = await store.tasks.add(a_running_task()), await store.tasks.add(a_task(due_at=after(-9)))
    await store.updates.add([StoredUpdate(1, 10, "{}")])
    await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    await store.updates.claim(NOW, LEASE_S, 10)
    assert await store.tasks.release() == 3
    assert await store.tasks.release() == 0
    assert ids(await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)) == [first.id, second.id]
    assert len(await store.updates.claim(NOW, LEASE_S, 10)) == 1


async def test_a_release_gives_back_the_first_time_when_leases_ran_out_in_between(store: Store) -> None:
    task = await store.tasks.add(a_task())
    for turn in range(3):
        await store.tasks.claim(after(turn * LEASE_S), LEASE_S, 10, NO_LIMIT)
    await store.tasks.release()
    released = await store.tasks.get(task.id)
    assert released is not None
    assert released.due_at == NOW


async def test_a_release_leaves_saved_tasks_alone(store: Store) -> None:
    await store.tasks.add(a_running_task())
    [task] = await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    saved = await store.tasks.save(task.polled(0.5, after(5)))
    assert await store.tasks.release() == 0
    assert await store.tasks.get(task.id) == saved


async def test_a_save_in_the_middle_of_a_step_may_keep_the_lease(store: Store) -> None:
    await store.tasks.add(a_task(due_at=after(-5)))
    [task] = await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    intent = await store.tasks.save(task.submitting(NOW, after(LEASE_S), after(3600)), leased=True)
    intent = await store.tasks.save(intent, leased=True)
    assert await store.tasks.get(task.id) == intent
    assert await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT) == []
    assert await store.tasks.release() == 1
    assert ids(await store.tasks.claim(after(-5), LEASE_S, 10, NO_LIMIT)) == [task.id]


async def test_a_save_by_somebody_else_leaves_a_submit_in_flight_its_lease(store: Store) -> None:
    await store.tasks.add(a_task(due_at=after(-5)))
    [task] = await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    intent = await store.tasks.save(task.submitting(NOW, after(LEASE_S), after(3600)), leased=True)
    moved_down = await store.tasks.save(intent.reposted(99, False, None, after(1)))
    assert await store.tasks.get(task.id) == moved_down
    assert await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT) == []
    assert await store.tasks.release() == 1
    assert ids(await store.tasks.claim(after(-5), LEASE_S, 10, NO_LIMIT)) == [task.id]


async def test_the_answer_to_a_submit_ends_its_lease(store: Store) -> None:
    await store.tasks.add(a_task(due_at=after(-5)))
    [task] = await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    intent = await store.tasks.save(task.submitting(NOW, after(LEASE_S), after(3600)), leased=True)
    accepted = await store.tasks.save(intent.accepted("job-1", after(20), after(3600)))
    assert accepted.due_at == after(20)
    assert await store.tasks.release() == 0
    assert await store.tasks.get(task.id) == accepted


async def test_leases_of_a_process_that_died_end_at_the_next_start(open_store: Opener) -> None:
    store = await open_store()
    task = await store.tasks.add(a_task())
    await store.updates.add([StoredUpdate(1, 10, "{}")])
    await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    await store.updates.claim(NOW, LEASE_S, 10)
    await store.close()

    store = await open_store()
    await store.tasks.release()
    assert ids(await store.tasks.claim(NOW, LEASE_S, 10, {"volcengine": 1})) == [task.id]
    assert len(await store.updates.claim(NOW, LEASE_S, 10)) == 1


# Counting.


async def test_open_tasks_are_counted_for_a_person_in_a_chat_and_together(store: Store) -> None:
    for number in range(4):
        await store.tasks.add(a_task(user_id=20 + number % 2, chat_id=10 + number // 3))
    await store.tasks.add(a_task(state=TaskState.DRAFT))
    await store.tasks.add(a_running_task(detached=True))  # it runs on unseen, and counts
    closed = await store.tasks.add(a_running_task())
    await store.tasks.save(closed.failed("video_refused", "", NOW).delivered(NOW))
    assert await store.tasks.count_open(user_id=20) == 3
    assert await store.tasks.count_open(chat_id=10) == 4
    assert await store.tasks.count_open(user_id=21, chat_id=11) == 1
    assert await store.tasks.count_open() == 5
    assert len(await store.tasks.open_tasks()) == 4, "nobody waits for the other"


async def test_a_days_videos_are_counted_from_a_moment_on(store: Store) -> None:
    for queued_at in (after(-1), NOW, after(1)):
        await store.tasks.add(a_task(queued_at=queued_at))
    await store.tasks.add(a_task(user_id=21, chat_id=11))
    await store.tasks.add(a_running_task(state=TaskState.SUCCEEDED, delivered_at=NOW, due_at=None))
    given_back = await store.tasks.add(a_task())
    await store.tasks.save(given_back.failed("busy", "", NOW))
    assert await store.tasks.count_since(NOW, user_id=20) == 3
    assert await store.tasks.count_since(after(1), chat_id=10) == 1
    assert await store.tasks.count_since(NOW, user_id=20, chat_id=11) == 0
    assert await store.tasks.count_since(after(-1)) == 5


async def test_the_tasks_ahead_are_those_that_a_claim_would_take_first(store: Store) -> None:
    queue = [await store.tasks.add(a_task()) for _ in range(4)]
    put_off = await store.tasks.add(a_task(due_at=after(60)))
    await store.tasks.add(a_task(provider="jiekou", due_at=after(-9)))
    await store.tasks.add(a_running_task(due_at=after(-9)))
    assert [await store.tasks.count_ahead(task) for task in queue] == [0, 1, 2, 3]
    assert await store.tasks.count_ahead(put_off) == 4
    assert await store.tasks.count_ahead(a_task()) == 5
    assert await store.tasks.count_ahead(a_task(user_id=21)) == 1
    slots = {"volcengine": 3, "jiekou": 0}  # one of the three is taken by the running task
    assert {queue[0].id, queue[1].id} < set(ids(await store.tasks.claim(NOW, LEASE_S, 10, slots)))
    assert await store.tasks.count_ahead(queue[3]) == 1
    assert await store.tasks.count_ahead(put_off) == 2
    assert await store.tasks.count_ahead(a_task(due_at=None)) == 0


# What operators leaf through.


async def test_tasks_are_listed_newest_first_page_by_page(store: Store) -> None:
    old = await store.tasks.add(a_task(created_at=after(-9)))
    same = [await store.tasks.add(a_task(id=name)) for name in ("a", "c", "b")]
    closed = await store.tasks.add(
        a_running_task(created_at=after(9), delivered_at=NOW, due_at=None, detached=True)
    )
    newest_first = [closed.id, "c", "b", "a", old.id]
    assert ids(await store.tasks.list_tasks(TaskFilter(), 10)) == newest_first
    first = await store.tasks.list_tasks(TaskFilter(), 2)
    await store.tasks.add(a_task(created_at=after(99)))  # comes meanwhile, and shifts nothing
    second = await store.tasks.list_tasks(TaskFilter(), 2, first[-1])
    third = await store.tasks.list_tasks(TaskFilter(), 2, second[-1])
    assert ids([*first, *second, *third]) == newest_first
    assert await store.tasks.list_tasks(TaskFilter(), 2, third[-1]) == []
    assert second == [same[2], same[0]]


async def test_tasks_are_listed_by_state_person_chat_provider_and_id(store: Store) -> None:
    tasks = [
        await store.tasks.add(a_task(id="a1", user_id=21)),
        await store.tasks.add(a_task(id="a2", chat_id=11, state=TaskState.DRAFT)),
        await store.tasks.add(a_running_task(id="b_", provider="jiekou")),
        await store.tasks.add(a_running_task(id="b%")),
    ]

    async def found(**which: Any) -> list[str]:
        listed = await store.tasks.list_tasks(TaskFilter(**which), 10)
        assert await store.tasks.count_tasks(TaskFilter(**which)) == len(listed)
        return sorted(ids(listed))

    assert await found() == sorted(ids(tasks))
    assert await found(states=frozenset({TaskState.QUEUED, TaskState.DRAFT})) == ["a1", "a2"]
    assert await found(user_id=21) == ["a1"]
    assert await found(chat_id=11) == ["a2"]
    assert await found(provider="jiekou") == ["b_"]
    assert await found(id_prefix="a") == ["a1", "a2"]
    assert await found(id_prefix="b%") == ["b%"]
    assert await found(id_prefix="b_") == ["b_"]
    assert await found(states=frozenset({TaskState.RUNNING}), user_id=21) == []


async def test_tasks_are_listed_by_people_model_reason_and_when_they_were_ordered(store: Store) -> None:
    veo = a_task().request.model_copy(update={"model": "veo-3"})
    for task in (
        a_task(id="draft", state=TaskState.DRAFT, queued_at=None, user_id=21),
        a_task(id="early", queued_at=after(-60), user_id=21),
        a_task(id="late", queued_at=after(60), request=veo, user_id=22),
        a_running_task(id="lost", queued_at=after(0), user_id=23).failed("no_video", "", NOW),
    ):
        await store.tasks.add(task)

    async def found(**which: Any) -> list[str]:
        listed = await store.tasks.list_tasks(TaskFilter(**which), 10)
        assert await store.tasks.count_tasks(TaskFilter(**which)) == len(listed)
        return sorted(ids(listed))

    assert await found(is_ordered=True) == ["early", "late", "lost"]
    assert await found(is_ordered=False) == ["draft"]
    assert await found(user_ids=frozenset({21, 22})) == ["draft", "early", "late"]
    assert await found(user_ids=frozenset()) == []
    assert await found(chat_ids=frozenset({10, -100123}), is_ordered=False) == ["draft"]
    assert await found(chat_ids=frozenset()) == await found(chat_ids=frozenset({-100123})) == []
    assert await found(model="veo-3") == ["late"]
    assert await found(error_code="no_video") == ["lost"]
    assert await found(queued_since=after(0)) == ["late", "lost"]
    assert await found(queued_since=after(-60), queued_before=after(60)) == ["early", "lost"]


async def test_people_are_found_by_a_part_of_their_name_in_any_script(store: Store) -> None:
    for number, name in enumerate(("Ada", "Élodie", "Дарья", "小明", "")):
        await store.tasks.add(a_task(id=f"t{number}", user_id=20 + number, user_name=name))
    for text, people in (
        ("ada", {20: "Ada"}),
        ("ÉLO", {21: "Élodie"}),
        ("дарь", {22: "Дарья"}),
        ("明", {23: "小明"}),
        ("%", {}),
    ):
        assert await store.statistics.people_named(text) == people


async def test_groups_are_known_by_their_tasks_the_newest_first(store: Store) -> None:
    for number, chat_id in enumerate((-100, 10, -200, -100, -300)):
        await store.tasks.add(a_task(id=f"t{number}", chat_id=chat_id, created_at=after(number)))
    assert await store.statistics.groups(2) == [-300, -100]
    assert await store.statistics.groups(9) == [-300, -100, -200]


# Updates.


def an_update(update_id: int, chat_id: int = 10) -> StoredUpdate:
    return StoredUpdate(update_id, chat_id, f'{{"update_id": {update_id}}}')


async def claimed_ids(store: Store, now: datetime = NOW, limit: int = 100) -> list[int]:
    return [update.update_id for update in await store.updates.claim(now, LEASE_S, limit)]


async def test_an_update_comes_back_as_it_was_stored(store: Store) -> None:
    update = StoredUpdate(1, -100123, '{"text": "纸船 🚣"}')
    await store.updates.add([update])
    assert await store.updates.claim(NOW, LEASE_S, 10) == [update]


async def test_updates_of_a_chat_come_in_order_and_chats_side_by_side(store: Store) -> None:
    await store.updates.add([an_update(3, 11), an_update(2), an_update(1), an_update(4, 12)])
    assert await claimed_ids(store, limit=2) == [1, 3]
    assert await claimed_ids(store) == [4]
    assert await claimed_ids(store) == []
    await store.updates.finish(1)
    assert await claimed_ids(store) == [2]


async def test_chats_in_which_little_waits_may_come_first(store: Store) -> None:
    long = [StoredUpdate(number, 7, "{}", user_id=number % 2) for number in range(1, 6)]
    await store.updates.add(
        [*long, StoredUpdate(6, 8, "{}"), StoredUpdate(7, 8, "{}"), StoredUpdate(8, 9, "{}")]
    )
    claimed = [
        (await store.updates.claim(NOW, LEASE_S, 1, oldest_first=False))[0].update_id for _ in range(3)
    ]
    assert claimed == [8, 6, 1]
    for update_id in claimed:
        await store.updates.finish(update_id)
    [oldest] = await store.updates.claim(NOW, LEASE_S, 1)
    assert oldest.update_id == 2


async def test_updates_are_claimed_once_by_claims_side_by_side(store: Store) -> None:
    await store.updates.add([an_update(number, chat_id=number % 20) for number in range(100)])
    claims = await asyncio.gather(*(claimed_ids(store, limit=3) for _ in range(20)))
    assert sorted(itertools.chain.from_iterable(claims)) == list(range(20))


async def test_a_second_delivery_of_an_update_is_left_alone(store: Store) -> None:
    await store.updates.add([an_update(1), an_update(1)])
    await store.updates.claim(NOW, LEASE_S, 10)
    await store.updates.add([an_update(1)])
    assert await claimed_ids(store) == []
    await store.updates.finish(1)
    await store.updates.add([an_update(1), an_update(2)])
    assert await claimed_ids(store) == [2]


async def test_no_updates_are_no_trouble(store: Store) -> None:
    await store.updates.add([])
    assert await claimed_ids(store) == []


async def test_an_update_whose_lease_ran_out_is_claimed_again(store: Store) -> None:
    await store.updates.add([an_update(1), an_update(2)])
    assert await claimed_ids(store) == [1]
    assert await claimed_ids(store, after(LEASE_S - 1)) == []
    assert await claimed_ids(store, after(LEASE_S)) == [1]


async def test_a_failed_update_is_tried_again_before_its_chat_goes_on(store: Store) -> None:
    await store.updates.add([an_update(1), an_update(2), an_update(3, 11)])
    assert await claimed_ids(store) == [1, 3]
    await store.updates.fail(1, after(5))
    assert await claimed_ids(store, after(4)) == []
    [again] = await store.updates.claim(after(5), LEASE_S, 10)
    assert again == replace(an_update(1), attempts=1)


async def test_a_parked_update_lets_its_chat_go_on(store: Store) -> None:
    await store.updates.add([an_update(1), an_update(2)])
    await store.updates.claim(NOW, LEASE_S, 10)
    await store.updates.fail(1, None)
    assert await claimed_ids(store) == [2]
    await store.updates.finish(2)
    await store.updates.add([an_update(1)])
    assert await claimed_ids(store, after(9999)) == []


async def test_the_next_update_is_due_when_the_first_of_a_chat_is(store: Store) -> None:
    assert await store.updates.next_due(NOW) is None
    await store.updates.add([an_update(1), an_update(2)])
    assert await store.updates.next_due(NOW) == NOW
    await store.updates.claim(NOW, LEASE_S, 10)
    assert await store.updates.next_due(NOW) == after(LEASE_S)
    await store.updates.fail(1, after(5))
    assert await store.updates.next_due(NOW) == after(5)
    await store.updates.add([an_update(3, 11)])
    assert await store.updates.next_due(NOW) == NOW


async def test_handled_updates_are_forgotten_once_they_are_old(store: Store) -> None:
    await store.updates.add([an_update(number, chat_id=number) for number in range(1, 5)])
    await store.updates.finish(1)
    await store.updates.finish(2)
    await store.updates.fail(3, None)
    assert await store.updates.count() == 1
    assert await store.updates.prune(NOW) == 0
    assert await store.updates.prune(after(1)) == 2
    assert await claimed_ids(store) == [4]


# People and chats.


async def test_an_unknown_person_is_one_without_a_role(store: Store) -> None:
    assert await store.people.person(7) == Person(7)
    assert await store.people.chat(-100) == ChatRecord(-100)


async def test_people_and_chats_are_remembered_as_last_put(store: Store) -> None:
    await store.people.put_person(Person(7, role="admin", language="zh", told_at=NOW))
    await store.people.put_person(person := Person(7, role=None, language=None, told_at=after(1)))
    await store.people.put_chat(ChatRecord(-100))
    await store.people.put_chat(chat := ChatRecord(-100, told_at=NOW))
    assert await store.people.person(7) == person
    assert await store.people.chat(-100) == chat


async def test_admins_are_those_with_the_role(store: Store) -> None:
    assert await store.people.admins() == []
    for person in (Person(9, role="admin"), Person(7, role="admin"), Person(8), Person(6)):
        await store.people.put_person(person)
    assert sorted(await store.people.admins()) == [7, 9]


# Closing.


async def test_a_close_finishes_the_writes_that_wait(open_store: Opener) -> None:
    store = await open_store()
    tasks = [a_task() for _ in range(50)]
    writes = [asyncio.create_task(store.tasks.add(task)) for task in tasks]
    await asyncio.sleep(0)  # every write has been asked for
    await store.close()
    await asyncio.gather(*writes)
    store = await open_store()
    assert await store.tasks.count_open() == 50


async def test_what_others_set_aside_is_not_left(store: Store) -> None:
    one, three = Decimal(1), Decimal(3)
    await store.tasks.add(a_task(user_id=9, price=one, queued_at=NOW))
    await store.tasks.add(a_task(user_id=9, price=one, queued_at=after(-3600)))
    assert await store.budget.reserve(20, one, three, since=NOW, now=NOW) == 2
    assert await store.budget.reserve(20, one, three, since=NOW, now=NOW) == 2, "their own does not count"
    assert await store.budget.reserve(21, Decimal("1.5"), three, since=NOW, now=NOW) == 1, (
        "too little, so none is"
    )
    assert await store.budget.reserve(22, one, three, since=NOW, now=NOW) == 1
    assert await store.budget.reserve(23, one, three, since=NOW, now=NOW) == 0
    await store.budget.cancel_reservation(22)
    await store.budget.cancel_reservation(99)
    assert await store.budget.reserve(23, one, three, since=NOW, now=NOW) == 1
    assert await store.budget.reserve(24, one, three, since=NOW, now=after(RESERVED_S - 1)) == 0
    assert await store.budget.reserve(24, one, three, since=NOW, now=after(RESERVED_S)) == 2


async def test_an_order_that_is_stored_is_not_set_aside_besides(store: Store) -> None:
    one, three = Decimal(1), Decimal(3)
    assert await store.budget.reserve(20, one, three, since=NOW, now=NOW) == 3
    await store.tasks.add(a_task(user_id=20, price=one, queued_at=after(1)))
    assert await store.budget.reserve(21, one, three, since=NOW, now=after(2)) == 2
    assert await store.budget.reserve(20, one, three, since=NOW, now=after(3)) == 1
    assert await store.budget.reserve(22, one, three, since=NOW, now=after(4)) == 0, (
        "their next one is not stored"
    )


async def test_orders_at_once_never_share_what_is_left(store: Store) -> None:
    async def order(user_id: int) -> None:
        if await store.budget.reserve(user_id, Decimal(1), Decimal(7), since=NOW, now=NOW) >= 1:
            await store.tasks.add(a_task(user_id=user_id, price=Decimal(1), queued_at=NOW))
        await store.budget.cancel_reservation(user_id)

    await asyncio.gather(*(order(user_id) for user_id in range(40)))
    assert await store.budget.spent_since(NOW) == 7


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StoreError):
        await store.tasks.get("any")


async def test_a_save_whose_record_is_refused_changes_nothing(store: Store) -> None:
    task = await store.tasks.add(a_task())
    with pytest.raises(StoreError):
        await store.tasks.save(changed_task(task, card_id=5), an_attempt(task, took_s=None))
    assert await store.tasks.get(task.id) == task


async def test_what_cannot_be_stored_is_an_error_of_the_family(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.tasks.record(an_attempt(a_task()))
    task = await store.tasks.add(a_task())
    with pytest.raises(StoreError):
        await store.tasks.add(replace(task, update_id=99))


async def test_exact_prices_stay_exact(store: Store) -> None:
    task = await store.tasks.add(a_task(price=Decimal("0.10")))
    stored = await store.tasks.get(task.id)
    assert stored is not None
    assert str(stored.price) == "0.10"


# Accounts in trouble, and notices that wait.


async def test_an_accounts_trouble_is_new_once_and_over_once(store: Store) -> None:
    trouble = AccountTrouble("cloud", "no_balance", NOW)
    assert await store.providers.mark_trouble(trouble)
    assert not await store.providers.mark_trouble(AccountTrouble("cloud", "key_refused", after(60)))
    assert await store.providers.mark_trouble(AccountTrouble("other", "wrong_clock", after(-1)))
    assert await store.providers.troubles() == [AccountTrouble("other", "wrong_clock", after(-1)), trouble]
    assert await store.providers.mark_well("cloud") == trouble
    assert await store.providers.mark_well("cloud") is None
    assert await store.providers.mark_trouble(AccountTrouble("cloud", "key_refused", after(60)))


async def test_one_of_many_that_note_a_trouble_side_by_side_is_the_first(store: Store) -> None:
    trouble = AccountTrouble("cloud", "no_balance", NOW)
    first = await asyncio.gather(*(store.providers.mark_trouble(trouble) for _ in range(20)))
    assert first.count(True) == 1


async def test_a_notice_is_read_once_by_its_reader_in_order(store: Store) -> None:
    notices = [Notice("trouble_over", {"provider": "cloud", "minutes": str(minutes)}) for minutes in (1, 2)]
    for notice in notices:
        await store.people.keep_notice(20, notice)
    await store.people.keep_notice(21, Notice("trouble_account", {"provider": "云"}))
    assert await store.people.take_notices(20) == notices
    assert await store.people.take_notices(20) == []
    assert await store.people.take_notices(21) == [Notice("trouble_account", {"provider": "云"})]


# What the conversation asks for.


async def test_open_tasks_are_those_that_are_counted_and_whose_turn_comes_first(store: Store) -> None:
    later = await store.tasks.add(a_running_task(queued_at=after(2)))
    sooner = await store.tasks.add(a_running_task(queued_at=after(1), chat_id=11))
    waiting = [await store.tasks.add(a_task(chat_id=12)) for _ in range(3)]
    await store.tasks.add(a_task(state=TaskState.DRAFT))
    other = await store.tasks.add(a_task(user_id=21, provider="jiekou"))
    assert await store.tasks.open_tasks(user_id=20) == [sooner, later, *waiting]
    assert await store.tasks.open_tasks(user_id=20, chat_id=11) == [sooner]
    assert len(await store.tasks.open_tasks()) == await store.tasks.count_open() == 6
    await store.tasks.prioritise(waiting[2].id)
    assert await store.tasks.open_tasks() == [sooner, later, waiting[2], waiting[0], other, waiting[1]]


async def test_a_history_has_the_videos_that_were_made_newest_first_page_by_page(store: Store) -> None:
    made: dict[str, Any] = {
        "state": TaskState.SUCCEEDED,
        "delivered_at": NOW,
        "due_at": None,
        "video_url": "https://videos.example/1",
    }
    videos = [
        await store.tasks.add(a_running_task(**made, finished_at=after(n), file_id="f")) for n in range(3)
    ]
    unseen = await store.tasks.add(a_running_task(**made, finished_at=after(9), detached=True))
    await store.tasks.add(a_running_task(**made | {"delivered_at": None}))
    await store.tasks.add(a_running_task(**made, user_id=21))
    await store.tasks.add(a_running_task(**made, chat_id=11))
    await store.tasks.add(a_running_task(**made | {"video_url": None}))  # forgotten
    await store.tasks.add(a_running_task(state=TaskState.FAILED, delivered_at=NOW, due_at=None))
    assert await store.tasks.history(10, 20, 10) == [unseen, *reversed(videos)]
    assert await store.tasks.history(10, 20, 2, 1) == [videos[2], videos[1]]


_SHOWN: dict[str, Any] = {
    "state": TaskState.SUCCEEDED,
    "delivered_at": NOW,
    "due_at": None,
    "video_url": "https://videos.example/1",
    "file_id": "f",
}


async def test_a_persons_videos_of_every_chat_are_those_that_telegram_still_shows(store: Store) -> None:
    videos = [
        await store.tasks.add(a_running_task(**_SHOWN, finished_at=after(n), chat_id=10 + n))
        for n in range(4)
    ]
    await store.tasks.add(a_running_task(**_SHOWN, user_id=21))
    for lacking in ({"file_id": None}, {"video_url": None}, {"delivered_at": None}, {"deleted_at": NOW}):
        await store.tasks.add(a_running_task(**_SHOWN | lacking))
    await store.tasks.add(a_running_task(**_SHOWN | {"state": TaskState.FAILED}))
    assert await store.tasks.videos(20, "", 10) == videos[::-1]
    assert await store.tasks.videos(20, "", 2, 1) == [videos[2], videos[1]]
    await store.people.forget(20)
    assert await store.tasks.videos(20, "", 10) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("boat PAPER", "A paper boat"),
        ("aper", "A paper boat"),
        ("КИТ", "Синий кит под звёздами"),
        ("звездами", "Синий кит под звёздами"),
        ("纸船", "雨中的纸船"),
        ("istanbul", "İstanbul'da bir tekne"),
        ("STRASSE", "Eine Straße im Regen"),
        ("corazon", "Un corazón de hielo"),
        ("ｂｏａｔ", "A paper boat"),
        ("ΟΔΥΣΣΕΎΣ", "ο Οδυσσεύς στο πλοίο"),
        ("boat fox", None),
        ("%", None),
        ("_", None),
    ],
)
async def test_words_find_a_video_in_any_case_order_and_language(
    store: Store, words: str, found: str | None
) -> None:
    prompts = (
        *("A paper boat", "Синий кит под звёздами", "雨中的纸船", "İstanbul'da bir tekne"),
        *("Eine Straße im Regen", "Un corazón de hielo", "ο Οδυσσεύς στο πλοίο", ""),
    )
    for prompt in prompts:
        request = VideoRequest(model="jimeng-pro", prompt=prompt)
        await store.tasks.add(a_running_task(**_SHOWN, finished_at=NOW, request=request))
    videos = await store.tasks.videos(20, words, 10)
    assert [task.request.prompt for task in videos] == ([found] if found else [])


async def test_a_search_is_paged_and_bounded(store: Store) -> None:
    for number in range(SEARCHED + 1):
        request = VideoRequest(model="jimeng-pro", prompt=f"boat {number}" if number else "the oldest boat")
        await store.tasks.add(a_running_task(**_SHOWN, finished_at=after(number), request=request))
    newest = await store.tasks.videos(20, "boat", 2, 3)
    assert [task.request.prompt for task in newest] == [f"boat {SEARCHED - 3}", f"boat {SEARCHED - 4}"]
    assert await store.tasks.videos(20, "oldest", 5) == []
    assert await store.tasks.videos(20, "", 5, SEARCHED) == []
    assert await store.tasks.videos(20, "", 5, 2**62) == []


async def test_a_group_with_a_new_id_takes_tasks_and_settings_along(store: Store) -> None:
    task = await store.tasks.add(a_task(chat_id=-5, card_id=7, thread_id=3, message_id=9, has_photo=True))
    await store.people.put_chat(ChatRecord(-5, NOW, ChatSettings(model="veo-3", quiet=True)))
    other = await store.tasks.add(a_task(chat_id=-6))
    assert await store.tasks.move_chat(-5, -1005) == 1
    there = await store.tasks.get(task.id)
    assert there == changed_task(
        task,
        chat_id=-1005,
        card_id=None,
        thread_id=None,
        message_id=None,
        has_photo=False,
        version=task.version + 1,
    )
    moved = ChatRecord(-1005, NOW, ChatSettings(model="veo-3", quiet=True), moved_from=-5)
    assert await store.people.chat(-1005) == moved
    assert await store.people.chat(-5) == ChatRecord(-5)
    assert await store.tasks.get(other.id) == other
    with pytest.raises(StaleTask):
        await store.tasks.save(task)
    assert await store.tasks.move_chat(-5, -1005) == 0
    assert await store.people.chat(-1005) == moved


async def test_a_group_that_has_spoken_under_its_new_id_gets_its_settings_all_the_same(store: Store) -> None:
    await store.people.put_chat(ChatRecord(-5, None, ChatSettings(language="ru")))
    await store.people.put_chat(ChatRecord(-1005, NOW))
    await store.tasks.move_chat(-5, -1005)
    assert await store.people.chat(-1005) == ChatRecord(-1005, None, ChatSettings(language="ru"), -5)


async def test_a_group_of_which_nothing_was_known_is_known_to_have_moved(store: Store) -> None:
    await store.tasks.move_chat(-5, -1005)
    assert await store.people.chat(-1005) == ChatRecord(-1005, moved_from=-5)


async def test_a_move_ends_leases_but_not_that_over_a_submit_in_flight(store: Store) -> None:
    looking = await store.tasks.add(a_running_task(chat_id=-5, due_at=NOW))
    buying = await store.tasks.add(a_task(chat_id=-5, due_at=NOW))
    claimed = {task.id: task for task in await store.tasks.claim(NOW, 60, 9, {})}
    held = claimed[buying.id]
    lease_end = after(60)
    held = await store.tasks.save(held.submitting(NOW, lease_end, after(3600)), leased=True)
    await store.tasks.move_chat(-5, -1005)
    assert [task.id for task in await store.tasks.claim(NOW, 60, 9, {})] == [looking.id]
    moved = await store.tasks.get(buying.id)
    assert moved is not None
    assert moved.due_at == lease_end


async def test_a_chats_settings_come_back_as_they_were_chosen(store: Store) -> None:
    chosen = ChatSettings(
        model="veo-3", ratio="9:16", seconds=8, resolution="720p", audio=True, language="zh", notify=False
    )
    await store.people.put_chat(ChatRecord(10, NOW, chosen))
    assert await store.people.chat(10) == ChatRecord(10, NOW, chosen)
    assert (await store.people.chat(11)).settings == ChatSettings()


async def test_the_newest_change_of_each_name_is_in_force_until_it_is_taken_back(store: Store) -> None:
    first = setting(20, "role", "allowed", 99, NOW)
    limit = setting(20, "daily_videos", "5", 99, after(1))
    other = setting(-5, "role", "banned", 98, after(1))
    second = setting(20, "role", "banned", 98, after(2))
    for change in (first, limit, other, second):
        await store.audit.add(change)
    assert await store.audit.in_force(20) == [limit, second]
    assert await store.audit.in_force(20, -5, 7) == [limit, other, second]
    assert await store.audit.in_force() == []
    assert await store.audit.in_force_by_name("role") == [second, other]
    back = setting(20, "role", None, 99, after(3))
    await store.audit.add(back)
    assert await store.audit.in_force(20) == [limit]
    assert await store.audit.in_force_by_name("role") == [other]
    assert await store.audit.entries(3) == [back, second, other]
    assert await store.audit.entries(9, target="20", action=SET) == [back, second, limit, first]


async def test_what_was_decided_of_a_group_moves_along_and_forgetting_takes_nothing_of_it(
    store: Store,
) -> None:
    allowed = setting(-5, "role", "allowed", 99, NOW)
    banned = setting(20, "role", "banned", 99, NOW)
    await store.audit.add(allowed)
    await store.audit.add(banned)
    await store.tasks.move_chat(-5, -1005)
    await store.people.forget(20)
    assert await store.audit.in_force(-5) == []
    assert await store.audit.in_force(-1005, 20) == [replace(allowed, target="-1005"), banned]


async def test_a_recipe_is_found_by_its_token_and_made_once_for_a_request(store: Store) -> None:
    request = VideoRequest(model="jimeng-pro", prompt="纸船", seconds=10)
    recipe = Recipe("token-1", "task-1", 20, request, NOW)
    assert await store.people.add_recipe(recipe) == recipe
    assert await store.people.add_recipe(Recipe("token-2", "task-1", 20, request, after(1))) == recipe
    with_photo = Recipe("token-3", "task-1", 20, request.model_copy(update={"photos": ("p",)}), NOW)
    assert await store.people.add_recipe(with_photo) == with_photo
    assert await store.people.recipe("token-1") == recipe
    assert await store.people.recipe("token-2") is None


async def test_a_replaced_recipe_keeps_its_token_and_is_its_persons_own(store: Store) -> None:
    def typed(token: str, user_id: int, words: str) -> Recipe:
        return Recipe(token, "typed", user_id, VideoRequest(model="", prompt=words), NOW)

    first, theirs = typed("token-1", 20, "纸"), typed("token-2", 21, "a")
    for recipe in (first, theirs):
        assert await store.people.replace_recipe(recipe) == recipe
    longer = typed("token-3", 20, "纸船")
    assert await store.people.replace_recipe(longer) == replace(longer, token="token-1")
    assert await store.people.recipe("token-1") == replace(longer, token="token-1")
    assert await store.people.recipe("token-2") == theirs
    assert await store.people.recipe("token-3") is None
    await store.people.forget(20)
    assert await store.people.recipe("token-1") is None


async def test_what_is_not_closed_of_a_person_is_found_in_every_chat(store: Store) -> None:
    draft = await store.tasks.add(a_task(question="card_draft"))
    album = await store.tasks.add(a_task(chat_id=11))
    hidden = await store.tasks.add(a_running_task(chat_id=12, detached=True))
    await store.tasks.add(a_running_task(state=TaskState.SUCCEEDED, delivered_at=NOW, due_at=None))
    await store.tasks.add(a_running_task(user_id=21))
    assert await store.tasks.unclosed(20) == [draft, album, hidden]


async def test_who_is_forgotten_stays_only_as_figures(store: Store) -> None:
    closed: dict[str, Any] = {"state": TaskState.SUCCEEDED, "delivered_at": NOW, "due_at": None}
    request = VideoRequest(model="jimeng-pro", prompt="a secret", photos=("photo-1",), negative_prompt="x")
    fields: dict[str, Any] = {"file_id": "f", "video_url": "u", "error_detail": "d", "user_name": "Ada"}
    fields["request"] = request
    task = await store.tasks.add(a_running_task(**closed, **fields))
    on_its_way = await store.tasks.add(a_task(request=request))
    other = await store.tasks.add(a_running_task(**closed, user_id=21, request=request))
    await store.people.put_person(
        Person(20, role="admin", language="zh", told_at=NOW, companies=frozenset({"A"}))
    )
    await store.people.put_chat(ChatRecord(20, NOW, ChatSettings(model="veo-3")))
    await store.people.add_recipe(Recipe("token-1", task.id, 20, request, NOW))
    await store.people.keep_notice(20, Notice("trouble_over", {}))
    assert await store.people.forget(20) == 1
    gone: dict[str, Any] = {"file_id": None, "video_url": None, "error_detail": None, "user_name": ""}
    bare = replace(task, **gone, request=VideoRequest(model="jimeng-pro"), version=task.version + 1)
    assert await store.tasks.get(task.id) == bare
    assert await store.tasks.get(on_its_way.id) == on_its_way
    assert await store.tasks.get(other.id) == other
    assert await store.people.person(20) == Person(20, role="admin")
    assert await store.people.chat(20) == ChatRecord(20)
    assert await store.people.recipe("token-1") is None
    assert await store.people.take_notices(20) == []
    assert await store.tasks.count_since(after(-1), user_id=20) == 2


async def test_what_was_learned_is_changed_where_it_stands(store: Store) -> None:
    assert await store.providers.durations() == {}

    def one_more(key: str, text: str | None) -> str:
        return f"{text or ''}{key}"

    assert await store.providers.learn(["a", "b"], one_more) == {"a": "a", "b": "b"}
    assert await store.providers.learn(["a"], one_more) == {"a": "aa"}
    assert await store.providers.durations() == {"a": "aa", "b": "b"}


async def test_nothing_is_lost_of_what_many_learn_side_by_side(store: Store) -> None:
    def one_more(_: str, text: str | None) -> str:
        return str(int(text or 0) + 1)

    await asyncio.gather(*(store.providers.learn(["jobs"], one_more) for _ in range(50)))
    assert await store.providers.durations() == {"jobs": "50"}


async def test_what_jobs_of_one_size_took_tells_about_others(store: Store) -> None:
    model = replace(A_MODEL, seconds=(5, 10), resolutions=("720p", "1080p"))
    asked = VideoRequest(model=model.name, seconds=10, resolution="720p")
    for _ in range(12):
        change = lesson(model, asked, "running", 76.0, 84.0)
        await store.providers.learn(duration_keys(model, asked, "running"), change)
    schedule = Schedule()
    schedule.remember(await store.providers.durations())
    usual_s = {
        (seconds, resolution): schedule.usual_s(
            model, VideoRequest(model=model.name, seconds=seconds, resolution=resolution)
        )
        for seconds in (5, 10)
        for resolution in ("720p", "1080p")
    }
    assert usual_s == {
        (5, "720p"): pytest.approx(40, rel=0.1),
        (10, "720p"): pytest.approx(80, rel=0.1),
        (5, "1080p"): pytest.approx(60, rel=0.1),
        (10, "1080p"): pytest.approx(120, rel=0.1),
    }


async def test_what_cannot_be_learned_changes_nothing(store: Store) -> None:
    def stumble(key: str, _: str | None) -> str:
        if key == "b":
            raise ZeroDivisionError
        return "learned"

    with pytest.raises(ZeroDivisionError):
        await store.providers.learn(["a", "b"], stumble)
    assert await store.providers.durations() == {}


async def test_a_heartbeat_tells_when_the_last_one_was(open_store: Opener) -> None:
    store = await open_store()
    assert await store.maintenance.record_heartbeat(after(0)) is None
    assert await store.maintenance.record_heartbeat(after(20)) == after(0)
    await store.close()
    assert await (await open_store()).maintenance.record_heartbeat(after(600)) == after(20)


async def test_who_has_nothing_to_wait_for_but_a_slot_is_known(store: Store) -> None:
    await store.tasks.add(a_running_task())
    await store.tasks.add(a_task(provider="geekai"))
    await store.tasks.add(a_task(due_at=after(60)))
    await store.tasks.add(a_task(detached=True))
    assert not await store.tasks.has_waiting("volcengine", NOW)
    assert await store.tasks.has_waiting("volcengine", after(60))
    assert await store.tasks.has_waiting("geekai", NOW)
    await store.tasks.claim(NOW, LEASE_S, 10, NO_LIMIT)
    assert not await store.tasks.has_waiting("geekai", NOW), "it is being handed over"


# What operators look back at.

DAYS = [NOW + timedelta(days=day) for day in range(3)]


def a_made_task(queued_s: float = 0, took_s: float = 60, **fields: Any) -> Task:
    """Bought, made and shown."""
    made = {
        "state": TaskState.SUCCEEDED,
        "queued_at": after(queued_s),
        "submitted_at": after(queued_s + 1),
        "finished_at": after(queued_s + took_s),
        "delivered_at": after(queued_s + took_s + 1),
        "due_at": None,
    }
    return a_task(**made | fields)


async def test_tasks_are_counted_by_day_model_and_outcome_with_what_they_cost(store: Store) -> None:
    other = VideoRequest(model="veo-3", prompt="a hat")
    tomorrow = 24 * 3600.0
    for task in (
        a_made_task(price=Decimal("0.10")),
        a_made_task(price=Decimal("0.20")),
        a_made_task(24 * 3600 - 1, request=other),
        a_made_task(tomorrow, price=Decimal("0.10")),
        # Bought, and perhaps charged for.
        a_made_task(
            tomorrow, price=Decimal(3), state=TaskState.FAILED, error_code=FailureCode.SUBMIT_UNKNOWN
        ),
        # Refused, so it costs nothing; and what was not handed over yet.
        a_made_task(tomorrow, price=Decimal(5), state=TaskState.FAILED, error_code="prompt_refused"),
        a_task(queued_at=after(tomorrow), price=Decimal(7)),
        # Before and after that time, and never queued.
        a_made_task(-1),
        a_made_task(2 * tomorrow),
        a_task(state=TaskState.DRAFT, queued_at=None),
    ):
        await store.tasks.add(task)
    first: dict[str, Any] = {"span": 0, "error_code": None, "state": TaskState.SUCCEEDED}
    second: dict[str, Any] = {"span": 1, "model": "jimeng-pro", "count": 1}
    tallies = await store.statistics.task_counts(DAYS)
    assert [tally.span for tally in tallies] == [0, 0, 1, 1, 1, 1]
    assert set(tallies) == {
        TaskCount(**first, model="jimeng-pro", count=2, spent=Decimal("0.30")),
        TaskCount(**first, model="veo-3", count=1),
        TaskCount(**second, state=TaskState.SUCCEEDED, error_code=None, spent=Decimal("0.10")),
        TaskCount(**second, state=TaskState.FAILED, error_code=FailureCode.SUBMIT_UNKNOWN, spent=Decimal(3)),
        TaskCount(**second, state=TaskState.FAILED, error_code="prompt_refused"),
        TaskCount(**second, state=TaskState.QUEUED, error_code=None),
    }


async def test_what_was_cancelled_counts_as_that_whatever_became_of_it(store: Store) -> None:
    cancelled: dict[str, Any] = {"detached": True, "cancelled_at": NOW, "cancelled_by": 20}
    for task in (
        a_made_task(price=Decimal(2), **cancelled),
        a_made_task(state=TaskState.RUNNING, remote_id="1", delivered_at=None, finished_at=None, **cancelled),
        a_made_task(state=TaskState.CANCELLED, error_code="cancelled", price=Decimal(3), **cancelled),
        a_made_task(detached=True, took_s=9),  # its chat was gone
    ):
        await store.tasks.add(task)
    counts = await store.statistics.task_counts(DAYS)
    assert Counter({(one.state, one.error_code): one.count for one in counts}) == {
        (TaskState.CANCELLED, None): 2,
        (TaskState.CANCELLED, "cancelled"): 1,
        (TaskState.SUCCEEDED, None): 1,
    }
    assert sum(one.spent for one in counts) == 2, "it was paid for; what its provider stopped was not"
    assert [round(wait.p50_s) for wait in await store.statistics.waits(DAYS)] == [9]
    (usage,) = await store.statistics.user_usage(NOW, after(9), 9)
    assert (usage.count, usage.made) == (4, 1)


async def test_forgetting_a_person_takes_their_name_from_what_they_cancelled(store: Store) -> None:
    cancelled: dict[str, Any] = {"cancelled_at": NOW, "cancelled_by": 30, "cancelled_by_name": "Ada"}
    task = await store.tasks.add(a_made_task(user_id=20, **cancelled))
    await store.people.forget(30)
    kept = await store.tasks.get(task.id)
    assert kept is not None
    assert (kept.cancelled_by, kept.cancelled_by_name, kept.request) == (30, "", task.request)


async def test_half_and_nine_of_ten_waits_are_told_of_each_day(store: Store) -> None:
    for took_s in range(1, 11):
        await store.tasks.add(a_made_task(took_s=took_s))
    await store.tasks.add(a_made_task(24 * 3600, took_s=42))
    await store.tasks.add(a_made_task(state=TaskState.FAILED, took_s=9999))
    await store.tasks.add(a_running_task())
    first, second = (_in_whole_seconds(wait) for wait in await store.statistics.waits(DAYS))
    assert first == Wait(span=0, count=10, p50_s=5, p90_s=9)
    assert second == Wait(span=1, count=1, p50_s=42, p90_s=42)


def _in_whole_seconds(wait: Wait) -> Wait:
    return replace(wait, p50_s=round(wait.p50_s, 2), p90_s=round(wait.p90_s, 2))


async def test_figures_of_one_person_leave_out_the_others(store: Store) -> None:
    await store.tasks.add(a_made_task(user_id=1))
    await store.tasks.add(a_made_task(user_id=2, took_s=5))
    assert [tally.count for tally in await store.statistics.task_counts(DAYS, user_id=1)] == [1]
    assert [round(wait.p50_s) for wait in await store.statistics.waits(DAYS, user_id=1)] == [60]
    assert await store.statistics.task_counts(DAYS, user_id=3) == []
    assert await store.statistics.waits(DAYS, user_id=3) == []


async def test_the_load_of_each_provider_counts_slots_and_who_waits(store: Store) -> None:
    assert await store.statistics.provider_loads(NOW) == []
    await store.tasks.add(a_task(provider="b", queued_at=after(-9), due_at=after(50)))
    for task in (
        a_running_task(provider="a"),
        a_task(provider="b", queued_at=after(-5)),
        a_task(provider="b", queued_at=after(-7)),
        a_running_task(provider="c").failed("busy", "", NOW).delivered(NOW),
    ):
        await store.tasks.add(task)
    slots = {"a": 1, "b": 1}
    [_, taken] = await store.tasks.claim(NOW, LEASE_S, 9, slots)
    assert taken.provider == "b"
    first, second = await store.statistics.provider_loads(NOW)
    assert first == ProviderLoad(provider="a", taken=1, waiting=0, waiting_since=None)
    assert (second.provider, second.taken, second.waiting) == ("b", 1, 2)
    assert second.waiting_since == after(-9), "also one whose next try is later, as where a provider is down"


async def test_who_spent_most_comes_first_and_then_who_asked_most(store: Store) -> None:
    for task in (
        a_made_task(user_id=1, user_name="Ada", price=Decimal(2), created_at=after(1)),
        a_made_task(user_id=1, user_name="Ada L.", price=Decimal(1), created_at=after(2)),
        a_made_task(user_id=1, user_name="", created_at=after(3)),
        a_made_task(user_id=2, user_name="Boris"),
        a_made_task(user_id=2, state=TaskState.FAILED, error_code="refused", price=Decimal(9)),
        a_made_task(user_id=3, price=Decimal("0.5")),
        a_made_task(user_id=4),
        a_made_task(24 * 3600, user_id=5, price=Decimal(100)),
    ):
        await store.tasks.add(task)
    asked = await store.statistics.user_usage(NOW, after(24 * 3600), 3)
    assert asked == [
        UserUsage(user_id=1, name="Ada L.", count=3, made=3, spent=Decimal(3)),
        UserUsage(user_id=3, name="", count=1, made=1, spent=Decimal("0.5")),
        UserUsage(user_id=2, name="Boris", count=2, made=1),
    ]


async def test_submits_are_told_in_order_whatever_came_of_them_page_by_page(store: Store) -> None:
    first = await store.tasks.add(a_running_task(remote_id="their-1"))
    second = await store.tasks.add(a_task())
    for attempt in (
        an_attempt(first, at=after(10), answer="busy", detail=""),
        an_attempt(first, at=after(20)),
        an_attempt(first, at=after(21), call="poll"),
        an_attempt(second, at=after(5), answer=FailureCode.SUBMIT_UNKNOWN, provider="geekai"),
        an_attempt(second, at=after(5)),
        an_attempt(second, at=after(-1)),
        an_attempt(second, at=after(30)),
    ):
        await store.tasks.record(attempt)
    everything = await store.statistics.submits(NOW, after(30), 100)
    assert [(one.task.id, one.at, one.answer, one.provider) for one in everything] == [
        (second.id, after(5), FailureCode.SUBMIT_UNKNOWN, "geekai"),
        (second.id, after(5), "ok", "volcengine"),
        (first.id, after(10), "busy", "volcengine"),
        (first.id, after(20), "ok", "volcengine"),
    ]
    assert everything[-1].task == first
    assert (everything[-1].took_s, everything[-1].detail) == (0.25, "their id 7")
    pages = [await store.statistics.submits(NOW, after(30), 1)]
    while pages[-1]:
        pages.append(await store.statistics.submits(NOW, after(30), 1, pages[-1][-1]))
    assert [one for page in pages for one in page] == everything


# What lets operators in.


async def test_a_pass_is_found_until_it_expires(store: Store) -> None:
    made = Token("session", "d1", 7, after(60))
    await store.tokens.add(made, NOW)
    assert await store.tokens.find("session", "d1", after(59)) == made
    assert await store.tokens.find("link", "d1", NOW) is None
    assert await store.tokens.find("session", "d2", NOW) is None
    assert await store.tokens.find("session", "d1", after(60)) is None


async def test_of_all_who_take_a_pass_at_once_one_gets_it(store: Store) -> None:
    made = Token("link", "d1", 7, after(60))
    await store.tokens.add(made, NOW)
    taken = await asyncio.gather(*(store.tokens.consume("link", "d1", NOW) for _ in range(10)))
    assert [one for one in taken if one] == [made]
    assert await store.tokens.find("link", "d1", NOW) is None


async def test_an_expired_pass_opens_nothing_and_goes(store: Store) -> None:
    await store.tokens.add(Token("link", "d1", 7, after(60)), NOW)
    assert await store.tokens.consume("link", "d1", after(60)) is None
    await store.tokens.add(Token("link", "d2", 7, after(60)), NOW)
    await store.tokens.add(Token("link", "d3", 7, after(180)), after(120))
    assert await store.tokens.find("link", "d2", NOW) is None, "another was added after it had expired"


async def test_whoever_is_forgotten_has_no_pass(store: Store) -> None:
    await store.tokens.add(Token("session", "d1", 7, after(60)), NOW)
    await store.tokens.add(Token("session", "d2", 8, after(60)), NOW)
    await store.people.forget(7)
    assert await store.tokens.find("session", "d1", NOW) is None
    assert await store.tokens.find("session", "d2", NOW) is not None


# What is done at night.


async def test_tasks_closed_long_ago_are_forgotten_with_their_calls_oldest_first(store: Store) -> None:
    closed = [
        await store.tasks.add(a_running_task().failed("prompt_refused", "", NOW).delivered(after(second)))
        for second in (3, 1, 2)
    ]
    await store.tasks.record(an_attempt(closed[1]))
    assert await store.maintenance.prune_tasks(after(1), 10) == []
    assert await store.maintenance.prune_tasks(after(9), 2) == [closed[1].id, closed[2].id]
    assert await store.maintenance.prune_tasks(after(9), 2) == [closed[0].id]
    assert await store.maintenance.prune_tasks(after(9), 2) == []
    assert await store.tasks.get(closed[1].id) is None
    assert await store.tasks.attempts(closed[1].id) == []


async def test_what_is_not_over_is_never_forgotten(store: Store) -> None:
    unknown: dict[str, Any] = {
        "state": TaskState.FAILED,
        "error_code": FailureCode.SUBMIT_UNKNOWN,
        "due_at": None,
    }
    kept = [
        await store.tasks.add(a_task()),
        await store.tasks.add(a_running_task(detached=True)),
        await store.tasks.add(a_running_task().failed("busy", "", NOW)),
        await store.tasks.add(a_task(state=TaskState.DRAFT, question="ask_prompt", queued_at=None)),
        await store.tasks.add(a_task(**unknown, delivered_at=NOW, keep_until=after(100))),
    ]
    assert await store.maintenance.prune_tasks(after(99), 10) == []
    assert [await store.tasks.get(task.id) for task in kept] == kept
    assert await store.maintenance.prune_tasks(after(101), 10) == [kept[-1].id]


async def test_old_parked_updates_recipes_notices_and_marks_are_forgotten(store: Store) -> None:
    await store.updates.add([an_update(1, 10), an_update(2, 11), an_update(3, 12)])
    await store.updates.fail(1, None)
    await store.updates.fail(2, after(5))
    request = VideoRequest(model="jimeng-pro", prompt="a paper boat")
    await store.people.add_recipe(Recipe("old", "boat", 20, request, NOW))
    await store.people.add_recipe(young := Recipe("young", "ship", 20, request, after(60)))
    await store.people.keep_notice(7, Notice("given_up", {}))
    await store.maintenance.set_flag("a", NOW)
    await store.maintenance.set_flag("b", after(60))
    assert await store.maintenance.prune_rest(NOW, 10) == 0
    assert await store.maintenance.prune_rest(after(1), 10) == 4
    assert await store.people.recipe("old") is None
    assert await store.people.recipe("young") == young
    assert await store.people.take_notices(7) == []
    assert not await store.maintenance.set_flag("b", NOW)
    await store.updates.add([an_update(1, 10)])  # forgotten, so Telegram might send it anew
    assert await claimed_ids(store, after(9)) == [1, 2, 3]


async def test_a_mark_is_set_by_one_and_taken_away_by_one(store: Store) -> None:
    assert (await asyncio.gather(*(store.maintenance.set_flag("disk", NOW) for _ in range(20)))).count(
        True
    ) == 1
    assert not await store.maintenance.set_flag("disk", after(5))
    assert await store.maintenance.set_flag("other", NOW)
    since = await asyncio.gather(*(store.maintenance.clear_flag("disk") for _ in range(20)))
    assert [one for one in since if one is not None] == [NOW]
    assert await store.maintenance.set_flag("disk", after(5))


async def test_a_backup_is_a_whole_file_or_none(store: Store, tmp_path: Path) -> None:
    await store.tasks.add(a_task())
    made = await store.maintenance.back_up(tmp_path / "copies" / "night.db")
    assert (tmp_path / "copies" / "night.db").exists() == made


def an_intent(task: Task, seconds: float = 0) -> Task:
    """To buy it so many seconds after NOW."""
    return task.submitting(after(seconds), after(seconds + LEASE_S), after(3600))


async def buy(store: Store, most: int | None = None, seconds: float = 0, **fields: Any) -> Task | Pause:
    """A new task, bought within an hour in which `most` may be."""
    task = await store.tasks.add(a_task(**fields))
    since = after(seconds) - timedelta(hours=1)
    return await store.budget.buy(an_intent(task, seconds), since, most, frozenset({"preview"}))


async def test_what_is_bought_is_saved_under_its_lease(store: Store) -> None:
    bought = await buy(store)
    assert isinstance(bought, Task)
    assert await store.tasks.get(bought.id) == bought
    assert (bought.state, bought.version) == (TaskState.SUBMITTING, 1)
    with pytest.raises(StaleTask):
        await store.budget.buy(replace(bought, version=0), NOW, None, frozenset())


async def test_a_pause_of_everything_or_of_the_model_stands_against_buying(store: Store) -> None:
    await store.budget.pause(of_model := Pause("veo-3", 7, NOW))
    task = await store.tasks.add(a_task(request=VideoRequest(model="veo-3", prompt="a boat")))
    assert await store.budget.buy(an_intent(task), NOW, None, frozenset()) == of_model
    assert await store.tasks.get(task.id) == task
    assert isinstance(await buy(store), Task)
    await store.budget.pause(of_all := Pause(EVERYTHING, 8, after(1)))
    assert await buy(store) == of_all
    assert await store.budget.pauses() == [of_model, of_all]


async def test_a_pause_is_kept_once_and_ended_by_whoever_resumes(store: Store) -> None:
    first = Pause("veo-3", 7, NOW)
    assert await store.budget.pause(first)
    assert not await store.budget.pause(Pause("veo-3", 8, after(5)))
    assert await store.budget.resume(EVERYTHING, 9, after(6)) is None
    resumed = await asyncio.gather(*(store.budget.resume("veo-3", 9, after(7)) for _ in range(5)))
    assert sorted(resumed, key=str) == [*([None] * 4), first]
    assert await store.budget.pauses() == []
    assert await store.budget.pause(again := Pause("veo-3", 8, after(9)))
    assert await store.audit.entries(5) == [
        AuditEntry("pause", "veo-3", 8, after(9)),
        AuditEntry("resume", "veo-3", 9, after(7), value="7"),
        AuditEntry("pause", "veo-3", 7, NOW),
    ]
    assert await store.budget.pauses() == [again]


async def test_after_a_pause_what_was_held_back_is_due(store: Store) -> None:
    held = await store.tasks.add(a_task(due_at=after(20)))
    failing = await store.tasks.add(a_task(due_at=after(20), attempts=1, failing_since=NOW))
    running = await store.tasks.add(a_running_task(due_at=after(20)))
    await store.budget.resume("veo-3", 7, after(1))
    assert await store.tasks.claim(after(1), LEASE_S, 9, NO_LIMIT) == []
    await store.budget.pause(Pause("veo-3", 7, NOW))
    await store.budget.resume("veo-3", 7, after(2))
    assert ids(await store.tasks.claim(after(2), LEASE_S, 9, NO_LIMIT)) == [held.id]
    later = await store.tasks.claim(after(20), LEASE_S, 9, NO_LIMIT)
    assert {task.id for task in later} == {failing.id, running.id}


async def test_the_brake_is_put_on_where_too_much_is_bought_within_an_hour(store: Store) -> None:
    assert [type(await buy(store, 2, seconds)) for seconds in (0, 10)] == [Task, Task]
    purchase_guard = Pause(EVERYTHING, THE_BOT, after(20))
    assert await buy(store, 2, 20) == purchase_guard
    assert purchase_guard.is_hourly_limit
    assert await store.budget.pauses() == [purchase_guard]
    assert await buy(store, 2, 9000) == purchase_guard


async def test_only_an_hour_counts_and_only_what_was_not_refused(store: Store) -> None:
    bought = [await buy(store, 3, seconds) for seconds in (0, 10)]
    assert isinstance(bought[1], Task)
    await store.tasks.save(bought[1].requeued("busy", "429", after(11), after(11)))
    assert isinstance(await buy(store, 2, 20), Task)
    assert isinstance(await buy(store, 2, 3601), Task)
    assert isinstance(await buy(store, 2, 3602), Pause)


async def test_what_is_free_neither_counts_nor_is_counted(store: Store) -> None:
    for seconds in range(3):
        assert isinstance(await buy(store, 1, seconds, provider="preview"), Task)
    assert isinstance(await buy(store, 1, 4), Task)
    assert isinstance(await buy(store, 1, 5, provider="preview"), Task)
    assert isinstance(await buy(store, 1, 6), Pause)


async def test_a_brake_that_was_released_lets_as_many_through_again(store: Store) -> None:
    bought = [type(await buy(store, 2, seconds)) for seconds in (1, 2, 3)]
    await store.budget.resume(EVERYTHING, 7, after(4))
    bought += [type(await buy(store, 2, seconds)) for seconds in (5, 6, 7)]
    assert bought == [Task, Task, Pause] * 2


async def test_no_more_than_so_many_are_bought_however_many_try_at_once(open_store: Opener) -> None:
    store = await open_store()
    tried = await asyncio.gather(*(buy(store, 7) for _ in range(40)))
    assert sum(isinstance(one, Task) for one in tried) == 7
    assert len(await store.budget.pauses()) == 1


async def test_spending_is_added_up_without_rounding_and_given_back(store: Store) -> None:
    for _ in range(3):
        await store.tasks.add(a_task(price=Decimal("0.1")))
    await store.tasks.add(a_task(price=Decimal("0.000001"), user_id=21))
    await store.tasks.add(a_task(price=None))
    await store.tasks.add(a_task(price=Decimal(5), queued_at=after(-1)))
    for given_back in (
        {"state": TaskState.DRAFT},
        {"state": TaskState.CANCELLED},
        {"state": TaskState.FAILED, "error_code": "busy"},
    ):
        await store.tasks.add(a_task(price=Decimal(9), **given_back))
    await store.tasks.add(
        a_task(price=Decimal(2), state=TaskState.FAILED, error_code=FailureCode.SUBMIT_UNKNOWN)
    )
    assert await store.budget.spent_since(NOW) == Decimal("2.300001")
    assert await store.budget.spent_since(NOW, user_id=20) == Decimal("2.3")
    assert await store.budget.spent_since(NOW, user_id=22) == 0
    assert await store.budget.spent_since(after(-1)) == Decimal("7.300001")


async def test_who_is_forgotten_has_spent_what_they_have_spent(store: Store) -> None:
    await store.tasks.add(
        a_task(price=Decimal("0.42"), state=TaskState.SUCCEEDED, delivered_at=NOW, due_at=None)
    )
    await store.people.forget(20)
    assert await store.budget.spent_since(NOW, user_id=20) == Decimal("0.42")


# Sending rates.


async def test_calls_are_counted_by_chat_and_in_all(store: Store) -> None:
    limits = Limits(Limit(0.1, 3), Limit(1.0, 2), Limit(10.0, 2))

    async def ask(chat_id: int, at: float = 0.0, urgency: Urgency = Urgency.NEXT) -> tuple[float, float]:
        delay = await store.rates.take_turn(chat_id, urgency, after(at), limits)
        return round(delay.chat_s, 6), round(delay.all_s, 6)

    assert [await ask(1), await ask(1)] == [(0.0, 0.0), (0.0, 0.0)]
    assert await ask(1) == (1.0, 0.0), "its chat is full"
    assert await ask(2) == (0.0, 0.0), "what had to wait was not counted"
    assert await ask(3) == (0.0, 0.1), "all is full"
    assert await ask(1, 0.1) == (0.9, 0.0)
    assert await ask(1, 1.0) == (0.0, 0.0)
    assert [await ask(-4, 2.0), await ask(-4, 2.0)] == [(0.0, 0.0), (0.0, 0.0)]
    assert await ask(-4, 4.0) == (8.0, 0.0)
    assert await ask(5, 60.0) == (0.0, 0.0)
    assert await ask(5, 60.0, Urgency.LOW) == (1.0, 0.1)


async def test_a_chat_that_has_to_be_silent_is_so_in_everything(store: Store) -> None:
    await store.rates.pause_chat(1, after(30))
    for urgency in Urgency:
        assert (await store.rates.take_turn(1, urgency, NOW, TELEGRAM)).chat_s == pytest.approx(30.0)
        assert (await store.rates.take_turn(2 + urgency, urgency, NOW, TELEGRAM)).chat_s == 0.0
    assert (await store.rates.take_turn(1, Urgency.LOW, after(30), TELEGRAM)).is_over


async def test_what_admins_did_is_recorded_and_found_by_what_it_concerns(store: Store) -> None:
    done = [
        AuditEntry("cancel", "boat", 1, NOW),
        AuditEntry("ban", "7", 2, after(1)),
        AuditEntry("again", "boat", 1, after(2)),
    ]
    for act in done:
        await store.audit.add(act)
    assert await store.audit.entries(10) == done[::-1]
    assert await store.audit.entries(1) == [done[2]]
    assert await store.audit.entries(10, target="boat") == [done[2], done[0]]
    assert await store.audit.entries(10, target="hat") == []


async def test_who_waits_is_told_in_the_order_of_being_served(store: Store) -> None:
    for task in (
        a_task(id="a1", user_id=1),
        a_task(id="a2", user_id=1),
        a_task(id="b1", user_id=2),
        a_task(id="g1", user_id=1, provider="geekai"),
        a_task(id="detached", detached=True),
        a_running_task(id="running"),
    ):
        await store.tasks.add(task)
    assert ids(await store.statistics.queued(10)) == ["g1", "a1", "b1", "a2"]
    await store.tasks.prioritise("a2")
    assert ids(await store.statistics.queued(10)) == ["g1", "a2", "a1", "b1"]
    assert ids(await store.statistics.queued(2)) == ["g1", "a2"]
    assert await store.statistics.count_queued() == 4


async def test_what_takes_a_slot_is_told_whether_or_not_somebody_waits_for_it(store: Store) -> None:
    unknown = {"state": TaskState.FAILED, "error_code": FailureCode.SUBMIT_UNKNOWN, "finished_at": NOW}
    for task in (
        a_running_task(id="running"),
        a_running_task(id="detached", detached=True),
        a_running_task(id="over", keep_until=NOW),
        a_task(id="unknown", keep_until=after(60), delivered_at=NOW, **unknown),
        a_task(id="waiting"),
        a_made_task(id="made"),
    ):
        await store.tasks.add(task)
    assert ids(await store.statistics.in_slots(NOW, 10)) == ["detached", "running", "unknown"]
    assert ids(await store.statistics.in_slots(NOW, 1)) == ["detached"]


async def test_whose_chat_waits_to_be_told_is_told_in_the_order_of_their_ends(store: Store) -> None:
    for task in (
        a_made_task(id="late", took_s=90, delivered_at=None),
        a_made_task(id="early", took_s=60, delivered_at=None),
        a_made_task(id="told"),
        a_made_task(id="unseen", delivered_at=None, detached=True),
        a_running_task(id="running"),
    ):
        await store.tasks.add(task)
    assert ids(await store.statistics.undelivered(10)) == ["early", "late"]
    assert ids(await store.statistics.undelivered(1)) == ["early"]


def an_update_of(user_id: int, update_id: int, chat_id: int = 10) -> StoredUpdate:
    return replace(an_update(update_id, chat_id), user_id=user_id)


async def test_an_update_that_waits_for_its_next_try_holds_back_its_own_person_alone(store: Store) -> None:
    await store.updates.add([an_update_of(20, 1), an_update_of(20, 2), an_update_of(21, 3)])
    assert await claimed_ids(store) == [1]
    await store.updates.fail(1, after(5))
    assert await store.updates.next_due(NOW) == NOW
    assert await claimed_ids(store) == [3], "the second of who waits stays behind the first"
    await store.updates.finish(3)
    assert await store.updates.next_due(NOW) == after(5)
    assert await claimed_ids(store) == []
    assert await claimed_ids(store, after(5)) == [1]
    await store.updates.finish(1)
    assert await claimed_ids(store) == [2]


async def test_of_a_chat_one_update_is_handled_at_a_time_whoever_wrote(store: Store) -> None:
    await store.updates.add([an_update_of(20, 1), an_update_of(21, 2), an_update_of(21, 3, chat_id=11)])
    assert await claimed_ids(store) == [1, 3]
    assert await claimed_ids(store) == []
    assert await store.updates.next_due(NOW) == after(LEASE_S)
    await store.updates.finish(1)
    assert await claimed_ids(store) == [2]


async def test_a_next_try_whose_time_has_come_waits_for_what_its_chat_is_at(store: Store) -> None:
    await store.updates.add([an_update_of(20, 1), an_update_of(21, 2)])
    await claimed_ids(store)
    await store.updates.fail(1, after(5))
    assert await claimed_ids(store) == [2]
    assert await claimed_ids(store, after(6)) == []
    assert await store.updates.next_due(NOW) == after(LEASE_S)
    await store.updates.finish(2)
    assert await claimed_ids(store, after(6)) == [1]


async def test_of_a_chat_one_update_is_claimed_by_claims_side_by_side(store: Store) -> None:
    numbers = range(60)
    await store.updates.add([an_update_of(number % 7, number + 1, number % 3) for number in numbers])
    claims = await asyncio.gather(*(claimed_ids(store, limit=2) for _ in range(20)))
    assert sorted(itertools.chain.from_iterable(claims)) == [1, 2, 3]


@pytest.mark.parametrize("offset", [10**29, 10**400, -(2**63) - 1])
async def test_a_number_that_no_column_holds_is_refused_and_nothing_else(store: Store, offset: int) -> None:
    with pytest.raises(Unstorable):
        await store.tasks.history(10, 20, 5, offset)
    with pytest.raises(Unstorable):
        await store.tasks.add(a_task(user_id=offset))
    assert await store.tasks.get((await store.tasks.add(a_task())).id) is not None


async def test_text_that_is_none_is_refused_and_nothing_else(store: Store) -> None:
    with pytest.raises(Unstorable):
        await store.tasks.add(a_task(user_name="half a letter: \ud83d"))
    assert await store.tasks.history(10, 20, 5) == []


async def test_a_refused_order_gives_its_place_in_the_hour_back_and_an_unclear_one_does_not(
    store: Store,
) -> None:
    for seconds in range(5):
        refused = await buy(store, 2, seconds)
        assert isinstance(refused, Task)
        await store.tasks.save(refused.failed("prompt_refused", "50412", after(seconds)))
    unclear = await buy(store, 2, 5)
    assert isinstance(unclear, Task)
    await store.tasks.save(unclear.failed(FailureCode.SUBMIT_UNKNOWN, "TimeoutError", after(5), after(99)))
    accepted = await buy(store, 2, 6)
    assert isinstance(accepted, Task)
    accepted = await store.tasks.save(accepted.accepted("job-1", after(9), after(99)))
    await store.tasks.save(accepted.failed("prompt_refused", "50412", after(7)))
    assert isinstance(await buy(store, 2, 8), Pause)


async def test_what_is_in_flight_counts_until_it_is_refused(store: Store) -> None:
    flying = await buy(store, 1)
    assert isinstance(flying, Task)
    assert isinstance(await buy(store, 1, 1), Pause)
    await store.budget.resume(EVERYTHING, 7, after(-1))
    await store.tasks.save(flying.failed("prompt_refused", "50412", after(2)))
    assert isinstance(await buy(store, 1, 3), Task)


async def test_refused_orders_of_a_person_are_known_by_when_they_were_handed_over(store: Store) -> None:
    async def end(seconds: float, code: str, **fields: Any) -> None:
        bought = await buy(store, None, seconds, **fields)
        assert isinstance(bought, Task)
        await store.tasks.save(bought.failed(code, "", after(seconds + 0.5)))

    for seconds in range(4):
        await end(seconds, "prompt_refused")
    await end(4, "photo_refused")
    await end(5, "account")
    await end(6, "prompt_refused", user_id=21)
    accepted = await buy(store, None, 7)
    assert isinstance(accepted, Task)
    accepted = await store.tasks.save(accepted.accepted("job-1", after(9), after(99)))
    await store.tasks.save(accepted.failed("prompt_refused", "", after(8)))
    codes = frozenset({"prompt_refused", "photo_refused"})
    found = await store.budget.refused_orders(20, codes, after(0), 9)
    assert found == [after(seconds) for seconds in (4, 3, 2, 1)]
    assert await store.budget.refused_orders(20, codes, after(0), 2) == [after(4), after(3)]
    assert await store.budget.refused_orders(20, frozenset(), after(0), 9) == []


async def test_of_several_claims_in_one_moment_one_makes_an_admin(open_store: Opener) -> None:
    """As many links are open as processes have started without an admin, each good once."""
    store = await open_store()
    # SQLite has one process, PostgreSQL any number.
    stores = [store, store] if isinstance(store, SQLiteStore) else [store, await open_store()]
    for number in range(20):
        await store.maintenance.set_flag(f"claim {number}", NOW)
    claims = (stores[number % 2].people.claim_admin(f"claim {number}", number + 1) for number in range(20))
    won = await asyncio.gather(*claims)
    assert won.count(True) == 1
    assert await store.people.admins() == [won.index(True) + 1]
    assert not await store.people.claim_admin("claim 0", 99), "a link is good once"
    assert not await store.people.claim_admin("never made", 99)


async def test_an_admin_who_is_removed_has_no_session_and_no_older_link_makes_another(store: Store) -> None:
    for flag in ("claim one", "claim two", "alert"):
        await store.maintenance.set_flag(flag, NOW)
    assert await store.people.claim_admin("claim one", 7)
    await store.people.put_person(replace(await store.people.person(7), language="ru"))
    tokens = [Token("session", f"digest {user_id}", user_id, after(60)) for user_id in (7, 8)]
    for token in tokens:
        await store.tokens.add(token, NOW)
    assert await store.people.remove_admin(7)
    assert not await store.people.remove_admin(7)
    assert await store.people.person(7) == Person(7, language="ru")
    assert await store.people.admins() == []
    assert await store.tokens.find("session", "digest 7", NOW) is None
    assert await store.tokens.find("session", "digest 8", NOW) == tokens[1]
    assert not await store.people.claim_admin("claim two", 7)
    assert await store.maintenance.clear_flag("alert") == NOW


async def test_a_claim_leaves_what_was_known_of_the_person(store: Store) -> None:
    await store.people.put_person(Person(7, language="ru"))
    await store.maintenance.set_flag("claim", NOW)
    assert await store.people.claim_admin("claim", 7)
    assert await store.people.person(7) == Person(7, role="admin", language="ru")


async def test_the_mark_of_the_secret_key_is_that_of_who_started_last_and_is_never_pruned(
    store: Store,
) -> None:
    assert await store.maintenance.put_key_mark("one") is None
    assert await store.maintenance.put_key_mark("one") == "one"
    assert await store.maintenance.put_key_mark("two") == "one"
    await store.maintenance.prune_rest(datetime.max.replace(tzinfo=UTC), 100)
    assert await store.maintenance.put_key_mark("two") == "two"


# Films.


def a_film(**fields: Any) -> Film:
    request = VideoRequest(model="jimeng-pro", prompt="a paper boat")
    shot = FilmShot(plain=request, framed=request, price=Decimal("0.42"))
    defaults: dict[str, Any] = {
        "id": f"film-{next(_numbers)}",
        "card": CardRef(chat_id=10, card_id=5),
        "user_id": 20,
        "language": "en",
        "shots": (shot, replace(shot, continues=True, frame_id="frame", take=2)),
        "created_at": NOW,
        "due_at": after(60),
    }
    return Film(**defaults | fields)


async def test_a_film_comes_back_as_it_was_stored(store: Store) -> None:
    film = a_film(update_id=7, asks="limit_budget", asks_values={"left": "1"}, sending_at=NOW, editing=1)
    assert await store.films.add(film) == film
    assert await store.films.get(film.id) == film
    assert await store.films.find(7) == film
    saved = await store.films.save(replace(film, state=FilmState.MAKING, started_at=NOW))
    assert saved == replace(film, state=FilmState.MAKING, started_at=NOW, version=1)
    assert await store.films.get(film.id) == saved
    assert await store.films.get("never") is None
    assert await store.films.find(8) is None


async def test_handling_an_update_twice_makes_one_film(store: Store) -> None:
    first = await store.films.add(a_film(update_id=7))
    assert await store.films.add(a_film(update_id=7)) == first
    for _ in range(2):
        await store.films.add(a_film())
    assert len(await store.films.open_films()) == 3


async def test_a_film_that_somebody_else_has_moved_is_not_saved(store: Store) -> None:
    film = await store.films.add(a_film())
    await store.films.save(film.started(NOW))
    with pytest.raises(StaleTask):
        await store.films.save(film.stopped(NOW))
    moved = await store.films.update(film.id, lambda row: row.stopped(NOW))
    assert moved is not None
    assert moved.version == 2
    assert await store.films.update("never", lambda row: row.stopped(NOW)) is None


async def test_films_are_due_in_order_and_only_open_ones_are_listed(store: Store) -> None:
    late, early = await store.films.add(a_film(due_at=NOW)), await store.films.add(a_film(due_at=after(-5)))
    done = await store.films.add(a_film(due_at=None, state=FilmState.DONE, finished_at=NOW))
    elsewhere = await store.films.add(a_film(card=CardRef(chat_id=11), user_id=21))
    assert [film.id for film in await store.films.due(NOW, 9)] == [early.id, late.id]
    assert [film.id for film in await store.films.due(NOW, 1)] == [early.id]
    assert await store.films.next_due(after(-9)) == early.due_at
    assert await store.films.next_due(NOW) == elsewhere.due_at
    assert await store.films.next_due(after(99)) is None
    assert {film.id for film in await store.films.open_films(10)} == {early.id, late.id}
    assert await store.films.open_films(10, 21) == []
    assert await store.films.open_films(user_id=21) == [elsewhere]
    assert {film.id for film in await store.films.forget(20)} == {early.id, late.id, done.id}
    assert await store.films.open_films() == [elsewhere]


async def test_a_film_goes_along_with_its_group_and_leaves_its_card_behind(store: Store) -> None:
    film = await store.films.add(a_film(card=CardRef(chat_id=-10, card_id=5)))
    await store.tasks.move_chat(-10, -100)
    moved = await store.films.get(film.id)
    assert moved is not None
    assert moved.card == CardRef(chat_id=-100)
    assert [one.id for one in await store.films.open_films(-100)] == [film.id]


async def test_films_that_ended_long_ago_are_deleted(store: Store) -> None:
    old = await store.films.add(a_film(due_at=None, state=FilmState.DONE, finished_at=after(-99)))
    kept = await store.films.add(a_film(due_at=None, state=FilmState.DONE, finished_at=NOW))
    await store.maintenance.prune_rest(after(-1), 99)
    assert await store.films.get(old.id) is None
    assert await store.films.get(kept.id) == kept
