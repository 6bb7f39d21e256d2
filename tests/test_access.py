"""Who may ask, and how much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import NOW, Clock, a_task

from bot.chat.access import Access
from bot.settings import IsolatedSettings
from bot.store import Person
from bot.stores.sqlite import SQLiteStore
from bot.task import SUBMIT_UNKNOWN, TaskState
from bot.text import LANGUAGES, say

ANNA, BEN, OWNER = 20, 21, 99
GROUP = -5


@pytest.fixture
def access(store: SQLiteStore, clock: Clock) -> Any:
    def with_settings(**settings: Any) -> Access:
        return Access(IsolatedSettings(**settings), store, store, clock)

    return with_settings


@pytest.mark.parametrize(
    ("settings", "user_id", "chat_id", "may"),
    [
        ({}, ANNA, ANNA, False),
        ({}, ANNA, GROUP, False),
        ({"admin_users": "99"}, OWNER, GROUP, True),
        ({"admin_users": "99"}, ANNA, ANNA, False),
        ({"allowed_users": "20"}, ANNA, ANNA, True),
        ({"allowed_users": "20"}, ANNA, GROUP, True),
        ({"allowed_users": "20"}, BEN, GROUP, False),
        ({"allowed_users": "*"}, BEN, GROUP, True),
        ({"allowed_chats": "-5"}, BEN, GROUP, True),
        ({"allowed_chats": "-5"}, BEN, BEN, False),
        ({"allowed_chats": "-6"}, BEN, GROUP, False),
        ({"allowed_chats": "*"}, BEN, GROUP, True),
        ({"allowed_users": "20", "allowed_chats": "-5"}, BEN, GROUP, True),
    ],
)
async def test_either_list_is_enough_and_without_any_only_admins_may_ask(
    access: Any, settings: dict[str, str], user_id: int, chat_id: int, may: bool
) -> None:
    assert await access(**settings).may_ask(user_id, chat_id) is may


@pytest.mark.parametrize(("role", "may"), [("admin", True), ("allowed", True), ("banned", False)])
async def test_what_the_store_says_of_a_person_counts(
    access: Any, store: SQLiteStore, role: Any, may: bool
) -> None:
    await store.put_person(Person(ANNA, role=role))
    settings = {} if may else {"allowed_users": "*", "allowed_chats": "*"}
    assert await access(**settings).may_ask(ANNA, GROUP) is may


async def test_an_admin_of_the_settings_cannot_be_banned(access: Any, store: SQLiteStore) -> None:
    await store.put_person(Person(OWNER, role="banned"))
    assert await access(admin_users="99").may_ask(OWNER, OWNER)


# The first admin.


async def test_whoever_opens_the_link_first_becomes_the_admin_and_nobody_after(
    access: Any, store: SQLiteStore
) -> None:
    door = access()
    payload = await door.open_claim()
    assert door.is_claim(payload)
    assert len(payload) <= 64, "Telegram's limit for a start link"
    assert not await door.claim("claim_guess", ANNA)
    assert not await door.claim("", ANNA)
    assert await door.claim(payload, ANNA)
    assert not await door.claim(payload, BEN)
    assert await store.admins() == [ANNA]
    assert await door.may_ask(ANNA, ANNA)
    assert await door.open_claim() is None


async def test_no_link_is_made_while_there_is_an_admin(access: Any) -> None:
    door = access(admin_users="99")
    assert await door.open_claim() is None
    assert not await door.claim("claim_", ANNA)
    assert not door.is_claim("anything")


# Strangers.


async def test_a_stranger_is_answered_once_and_so_is_a_group(access: Any) -> None:
    door = access()
    assert await door.tell_stranger(ANNA, ANNA)
    assert not await door.tell_stranger(ANNA, ANNA)
    assert await door.tell_stranger(BEN, BEN)
    assert await door.tell_stranger(ANNA, GROUP)
    assert not await door.tell_stranger(BEN, GROUP)
    assert not await access().tell_stranger(ANNA, ANNA), "a restart forgets nothing"


async def test_who_is_banned_hears_nothing(access: Any, store: SQLiteStore) -> None:
    await store.put_person(Person(ANNA, role="banned"))
    assert not await access().tell_stranger(ANNA, ANNA)


# Limits.


async def fill(store: SQLiteStore, count: int, **changes: Any) -> None:
    for number in range(count):
        await store.add(a_task(f"{changes}-{number}", **changes))


async def code(door: Access, user_id: int = ANNA, chat_id: int = ANNA) -> str | None:
    problem = await door.limit(user_id, chat_id)
    if problem is None:
        return None
    for language in LANGUAGES:
        assert "{" not in say(language, problem.code, **problem.values)
    return problem.code


async def test_a_person_has_so_many_on_their_way(access: Any, store: SQLiteStore) -> None:
    door = access(open_tasks_per_user=2)
    await fill(store, 1)
    assert await code(door) is None
    await fill(store, 1, chat_id=GROUP)
    assert await code(door) == "limit_open"
    assert await code(door, BEN) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": True},
        {"state": TaskState.DRAFT},
        {"state": TaskState.SUCCEEDED, "delivered_at": NOW},
        {"state": TaskState.FAILED, "error_code": "expired", "delivered_at": NOW},
    ],
)
async def test_what_nobody_waits_for_is_not_on_its_way(
    access: Any, store: SQLiteStore, changes: dict[str, Any]
) -> None:
    await fill(store, 1, **changes)
    assert await code(access(open_tasks_per_user=1)) is None


async def test_a_chats_limits_count_in_groups_alone(access: Any, store: SQLiteStore) -> None:
    door = access(open_tasks_per_chat=1, open_tasks_per_user="unlimited")
    await fill(store, 1, chat_id=GROUP)
    assert await code(door, BEN, GROUP) == "limit_open_chat"
    await fill(store, 3, chat_id=BEN, user_id=BEN)
    assert await code(door, BEN, BEN) is None


async def test_a_day_has_so_many_videos_and_begins_at_midnight_where_the_operator_is(
    access: Any, store: SQLiteStore, clock: Clock
) -> None:
    door = access(daily_videos_per_user=2, timezone="Asia/Shanghai", open_tasks_per_user="unlimited")
    midnight = datetime(2026, 5, 4, 16, 0, tzinfo=UTC)
    await fill(store, 2, queued_at=midnight - timedelta(minutes=1))
    clock.now = midnight - timedelta(seconds=1)
    assert await code(door) == "limit_day"
    clock.now = midnight
    assert await code(door) is None


async def test_what_was_surely_not_charged_gives_the_video_back(access: Any, store: SQLiteStore) -> None:
    door = access(daily_videos_per_user=1, open_tasks_per_user="unlimited")
    await fill(store, 1, state=TaskState.FAILED, error_code="prompt_refused", delivered_at=NOW)
    await fill(store, 1, state=TaskState.CANCELLED, error_code="cancelled", delivered_at=NOW)
    assert await code(door) is None
    await fill(store, 1, state=TaskState.FAILED, error_code=SUBMIT_UNKNOWN, delivered_at=NOW)
    assert await code(door) == "limit_day"


async def test_a_group_has_its_own_day(access: Any, store: SQLiteStore) -> None:
    door = access(daily_videos_per_chat=1, open_tasks_per_chat="unlimited")
    await fill(store, 1, chat_id=GROUP)
    assert await code(door, BEN, GROUP) == "limit_day_chat"
    assert await code(door, BEN, -6) is None


@pytest.mark.parametrize("name", ["open_tasks_per_user", "daily_videos_per_user"])
async def test_zero_is_nobody_but_admins(access: Any, name: str) -> None:
    door = access(**{name: 0, "admin_users": "99"})
    assert await code(door) == "limit_none"
    assert await code(door, OWNER, OWNER) is None


@pytest.mark.parametrize("name", ["open_tasks_per_chat", "daily_videos_per_chat"])
async def test_zero_for_chats_is_no_group(access: Any, name: str) -> None:
    door = access(**{name: 0})
    assert await code(door, ANNA, GROUP) == "limit_none"
    assert await code(door, ANNA, ANNA) is None


async def test_unlimited_is_unlimited_and_admins_have_no_limit(access: Any, store: SQLiteStore) -> None:
    await fill(store, 30, chat_id=GROUP)
    names = ("open_tasks_per_user", "daily_videos_per_user", "open_tasks_per_chat", "daily_videos_per_chat")
    assert await code(access(**dict.fromkeys(names, "unlimited")), ANNA, GROUP) is None
    assert await code(access(), ANNA, GROUP) == "limit_open"
    assert await code(access(admin_users="20"), ANNA, GROUP) is None
