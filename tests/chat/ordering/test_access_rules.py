"""Who may ask, and how much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import NOW, Clock, a_task

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Admission, Figure, LimitOverride, Permissions
from bot.chat.access import Access
from bot.codes import FailureCode
from bot.settings import IsolatedSettings
from bot.stores.sqlite import SQLiteStore
from bot.task import TaskState
from bot.text import LANGUAGES, say

ANNA, BEN, OWNER = 20, 21, 99
GROUP = -5


@pytest.fixture
def permissions(store: SQLiteStore, clock: Clock) -> Permissions:
    return Permissions(store.audit, clock)


@pytest.fixture
def access(store: SQLiteStore, clock: Clock) -> Any:
    def with_settings(**settings: Any) -> Access:
        return Access(
            LiveSettings(IsolatedSettings(**settings), store.audit, clock),
            Permissions(store.audit, clock),
            store,
            store.tasks,
            clock,
        )

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


@pytest.mark.parametrize(
    ("admission", "may"), [("allowed", True), ("banned", False), ("ignored", False), (None, False)]
)
async def test_what_an_admin_decided_of_a_person_counts(
    access: Any, permissions: Permissions, admission: Admission | None, may: bool
) -> None:
    await permissions.decide(ANNA, "allowed", OWNER)
    await permissions.decide(ANNA, admission, OWNER)
    assert await access().may_ask(ANNA, GROUP) is may


async def test_who_is_banned_may_not_ask_wherever_others_may(access: Any, permissions: Permissions) -> None:
    await permissions.decide(ANNA, "banned", OWNER)
    door = access(allowed_users="*", allowed_chats="*")
    assert not await door.may_ask(ANNA, ANNA)
    assert not await door.may_ask(ANNA, GROUP)
    assert await door.may_ask(BEN, GROUP)


async def test_in_an_allowed_group_anybody_may_ask_and_in_a_banned_one_nobody_but_admins(
    access: Any, permissions: Permissions
) -> None:
    door = access(admin_users="99")
    await permissions.decide(GROUP, "allowed", OWNER)
    assert await door.may_ask(BEN, GROUP)
    assert await door.may_join(BEN, GROUP)
    assert not await door.may_ask(BEN, BEN)
    await permissions.decide(GROUP, "banned", OWNER)
    await permissions.decide(ANNA, "allowed", OWNER)
    assert not await door.may_ask(ANNA, GROUP)
    assert not await door.may_join(ANNA, GROUP)
    assert await door.may_ask(ANNA, ANNA)
    assert await door.may_ask(OWNER, GROUP)


async def test_who_was_ignored_may_ask_where_a_list_says_so(access: Any, permissions: Permissions) -> None:
    await permissions.decide(ANNA, "ignored", OWNER)
    assert await access(allowed_users="20").may_ask(ANNA, ANNA)
    assert await access(allowed_chats="-5").may_ask(ANNA, GROUP)


async def test_an_admin_of_the_settings_cannot_be_banned(access: Any, permissions: Permissions) -> None:
    await permissions.decide(OWNER, "banned", OWNER)
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
    assert await store.people.admins() == [ANNA]
    assert await door.may_ask(ANNA, ANNA)
    assert await door.open_claim() is None


async def test_no_link_is_made_while_there_is_an_admin(access: Any) -> None:
    door = access(admin_users="99")
    assert await door.open_claim() is None
    assert not await door.claim("claim_", ANNA)
    assert not door.is_claim("anything")


# Strangers.


async def test_a_stranger_is_new_once_and_so_is_a_group(access: Any) -> None:
    door = access()
    assert await door.is_new(ANNA, ANNA)
    await door.note_told(ANNA, ANNA, "ru")
    assert not await door.is_new(ANNA, ANNA)
    assert await door.is_new(BEN, BEN)
    assert await door.is_new(ANNA, GROUP)
    await door.note_told(ANNA, GROUP, "ru")
    assert not await door.is_new(BEN, GROUP)
    assert not await access().is_new(ANNA, ANNA), "a restart forgets nothing"


@pytest.mark.parametrize("admission", ["banned", "ignored"])
async def test_who_is_banned_or_ignored_hears_nothing(
    access: Any, permissions: Permissions, admission: Admission
) -> None:
    await permissions.decide(ANNA, admission, OWNER)
    await permissions.decide(GROUP, admission, OWNER)
    assert not await access().is_new(ANNA, ANNA)
    assert not await access().is_new(BEN, GROUP)


# Limits.


async def fill(store: SQLiteStore, count: int, **changes: Any) -> None:
    for number in range(count):
        await store.tasks.add(a_task(f"{changes}-{number}", **changes))


async def code(door: Access, user_id: int = ANNA, chat_id: int = ANNA) -> str | None:
    refusal = await door.limit(user_id, chat_id)
    if refusal is None:
        return None
    for language in LANGUAGES:
        assert "{" not in say(language, refusal.key, **refusal.values)
    return refusal.key


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
        {"detached": True},
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
    await fill(store, 1, state=TaskState.FAILED, error_code=FailureCode.SUBMIT_UNKNOWN, delivered_at=NOW)
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


# Limits of one's own.


@pytest.mark.parametrize(
    ("figure", "most", "refused"),
    [
        ("daily_videos", 3, None),
        ("daily_videos", 2, "limit_day"),
        ("daily_videos", "unlimited", None),
        ("daily_videos", 0, "limit_none"),
        ("daily_videos", None, "limit_day"),
        ("open_tasks", 2, "limit_open"),
    ],
)
async def test_what_a_person_has_of_their_own_beats_the_setting(
    access: Any,
    permissions: Permissions,
    store: SQLiteStore,
    figure: Figure,
    most: LimitOverride,
    refused: str | None,
) -> None:
    await fill(store, 2, user_id=ANNA)
    await permissions.grant(ANNA, figure, 9, OWNER)
    await permissions.grant(ANNA, figure, most, OWNER)
    await permissions.grant(BEN, figure, 0, OWNER)
    door = access(daily_videos_per_user="2" if figure == "daily_videos" else "unlimited")
    assert await code(door) == refused


async def test_a_group_has_limits_of_its_own_too_and_they_move_along(
    access: Any, permissions: Permissions, store: SQLiteStore
) -> None:
    await fill(store, 2, user_id=BEN, chat_id=GROUP)
    await permissions.grant(GROUP, "open_tasks", 2, OWNER)
    assert await code(access(), ANNA, GROUP) == "limit_open_chat"
    assert await code(access(), ANNA, ANNA) is None
    await store.tasks.move_chat(GROUP, -1005)
    assert await code(access(), ANNA, -1005) == "limit_open_chat"


async def test_a_changed_setting_counts_for_the_next_order(store: SQLiteStore, clock: Clock) -> None:
    rules = LiveSettings(IsolatedSettings(), store.audit, clock)
    door = Access(rules, Permissions(store.audit, clock), store, store.tasks, clock)
    assert await code(door) is None
    await rules.change("DAILY_VIDEOS_PER_USER", "0", OWNER)
    assert await code(door) == "limit_none"
    assert not await door.may_ask(ANNA, ANNA)
    await rules.change("ALLOWED_USERS", "20", OWNER)
    assert await door.may_ask(ANNA, ANNA)
