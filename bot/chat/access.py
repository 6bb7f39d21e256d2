"""Who may ask, and how much: admins, allowed people and chats, and the limits of each."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Admission, LimitOverride, Permissions, is_admin
from bot.chat.reply import Reply
from bot.codes import INPUT_REFUSED
from bot.local_time import day_of, renewal_of
from bot.store import Store, TaskStore
from bot.store.tokens import digest_of

_CLAIM = "claim_"
_MOST_REFUSED = 20
"""Orders of one person that providers may refuse within an hour: enough tries to find other words."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Quota:
    most: int | None
    """None: no limit."""
    used: int

    @property
    def is_used_up(self) -> bool:
        return not self.has_room(1)

    @property
    def left(self) -> int | None:
        return None if self.most is None else max(self.most - self.used, 0)

    def has_room(self, count: int) -> bool:
        return self.left is None or self.left >= count


async def _nothing(_: int) -> None:
    """Return None: no chat has an obstacle."""


class Access:
    def __init__(
        self,
        live_settings: LiveSettings,
        permissions: Permissions,
        store: Store,
        tasks: TaskStore,
        clock: Callable[[], datetime],
        *,
        obstacle: Callable[[int], Awaitable[Reply | None]] = _nothing,
    ) -> None:
        """`obstacle`: why no video can be shown in a chat."""
        self._live_settings = live_settings
        self._permissions = permissions
        self._store = store
        self._tasks = tasks
        self._clock = clock
        self._obstacle = obstacle

    async def open_claim(self) -> str | None:
        """Return a payload for `/start` that works once and makes its sender the admin; None if there is an
        admin."""
        if self._live_settings.settings.admin_users or await self._store.people.admins():
            return None
        code = secrets.token_urlsafe(16)
        await self._store.maintenance.set_flag(_claim_mark(code), self._clock())
        return _CLAIM + code

    def is_claim(self, payload: str) -> bool:
        return payload.startswith(_CLAIM)

    async def claim(self, payload: str, user_id: int) -> bool:
        """Make the sender the admin, if the payload is an open one of any process and there is none yet."""
        return await self._store.people.claim_admin(_claim_mark(payload.removeprefix(_CLAIM)), user_id)

    async def admins(self) -> list[int]:
        """Return the admins of the settings and those of the store."""
        return sorted({*self._live_settings.settings.admin_users, *await self._store.people.admins()})

    async def is_admin(self, user_id: int) -> bool:
        return await is_admin(self._store.people, self._live_settings.settings.admin_users, user_id)

    async def may_ask(self, user_id: int, chat_id: int) -> bool:
        """Return True if this person may ask for videos in this chat. One list is enough: anybody in an
        allowed chat may ask there."""
        if await self.is_admin(user_id):
            return True
        decided = {(await self._permissions.of(user_id)).admission, await self._decided_of_chat(chat_id)}
        if "banned" in decided:
            return False
        people = self._live_settings.settings.allowed_users
        return "allowed" in decided or people == "*" or user_id in people or await self._is_listed(chat_id)

    async def is_banned(self, user_id: int) -> bool:
        """Return True if an admin banned this person: they get no answer at all, wherever they are."""
        return (
            not await self.is_admin(user_id) and (await self._permissions.of(user_id)).admission == "banned"
        )

    async def may_join(self, user_id: int, chat_id: int) -> bool:
        """Return True if the bot stays in a group to which this person added it."""
        match await self._decided_of_chat(chat_id):
            case "allowed":
                return True
            case "banned":
                return False
            case _:
                return await self._is_listed(chat_id) or await self.may_ask(user_id, chat_id)

    async def is_new(self, user_id: int, chat_id: int) -> bool:
        """Return True if this stranger, or this group, has not been told about access yet. If an admin has
        decided, nobody needs to be told."""
        if chat_id < 0:
            told_at = (await self._store.people.chat(chat_id)).told_at
            return told_at is None and await self._decided_of_chat(chat_id) is None
        told_at = (await self._store.people.person(user_id)).told_at
        return told_at is None and (await self._permissions.of(user_id)).admission is None

    async def note_told(self, user_id: int, chat_id: int, code: str | None) -> None:
        """Remember that they were told about access, so that the bot stays silent from now on. `code` is the
        language of their Telegram."""
        now = self._clock()
        if chat_id < 0:
            await self._store.people.put_chat(replace(await self._store.people.chat(chat_id), told_at=now))
        else:
            person = await self._store.people.person(user_id)
            await self._store.people.put_person(replace(person, told_at=now, language=code))

    async def limit(
        self, user_id: int, chat_id: int, count: int = 1, *, together: bool = True
    ) -> Reply | None:
        """Return why this person may not order so many more videos here: a limit, or an obstacle in the chat.
        Raises ChatError if Telegram does not answer. Admins have no limits; the limits of a chat count only
        in groups. `together`: they are ordered at the same time."""
        is_admin = await self.is_admin(user_id)
        refusal = None if is_admin else await self._limits(user_id, chat_id, count, together=together)
        return refusal or await self._obstacle(chat_id)

    async def _decided_of_chat(self, chat_id: int) -> Admission | None:
        """Return what admins decided about a group; None for a private chat."""
        return (await self._permissions.of(chat_id)).admission if chat_id < 0 else None

    async def _is_listed(self, chat_id: int) -> bool:
        """Return True if ALLOWED_CHATS names the chat. A group that became a supergroup is still allowed."""
        allowed = self._live_settings.settings.allowed_chats
        if allowed == "*" or not allowed:
            return bool(allowed)
        return chat_id in allowed or (await self._store.people.chat(chat_id)).moved_from in allowed

    async def quotas(self, *, user_id: int | None = None, chat_id: int | None = None) -> tuple[Quota, Quota]:
        """Return the quotas of a person or channel, or of a group: for the day, and for tasks at the same
        time. It does not check if they are an admin, who has none."""
        settings = self._live_settings.settings
        usual = (settings.daily_videos_per_user, settings.open_tasks_per_user)
        if chat_id is not None:
            usual = (settings.daily_videos_per_chat, settings.open_tasks_per_chat)
        own = await self._permissions.of(chat_id or user_id or 0)
        today = day_of(self._clock(), settings.zone)
        made = await self._tasks.count_since(today, user_id=user_id, chat_id=chat_id)
        at_once = await self._tasks.count_open(user_id=user_id, chat_id=chat_id)
        return Quota(_most(own.daily_videos, usual[0]), made), Quota(_most(own.open_tasks, usual[1]), at_once)

    async def _limits(self, user_id: int, chat_id: int, count: int, *, together: bool) -> Reply | None:
        own = await self.quotas(user_id=user_id)
        refusal = self._limit("", *own, count, together=together) or await self._refused(user_id)
        if refusal is not None or chat_id > 0:
            return refusal
        return self._limit("_chat", *await self.quotas(chat_id=chat_id), count, together=together)

    async def _refused(self, user_id: int) -> Reply | None:
        """Return the limit on orders that providers refused. They cost nothing, so no other limit counts
        them."""
        since = self._clock() - _HOUR
        refused = await self._store.budget.refused_orders(user_id, INPUT_REFUSED, since, _MOST_REFUSED)
        if len(refused) < _MOST_REFUSED:
            return None
        # Rounded up to the next minute, so that the time is true when it comes.
        over_at = (refused[-1] + _HOUR + timedelta(minutes=1)).astimezone(self._live_settings.settings.zone)
        return Reply("limit_refused", {"count": _MOST_REFUSED, "time": f"{over_at:%H:%M}"})

    def _limit(
        self, suffix: str, daily: Quota, at_once: Quota, count: int, *, together: bool
    ) -> Reply | None:
        if 0 in (daily.most, at_once.most):
            return Reply("limit_none")
        renewed = renewal_of(self._clock(), self._live_settings.settings.zone)
        if at_once.is_used_up:
            return Reply(f"limit_open{suffix}", {"count": at_once.used})
        if daily.is_used_up:
            return Reply(f"limit_day{suffix}", {"count": daily.most, "time": renewed})
        if together and not at_once.has_room(count):
            return Reply(f"limit_open_several{suffix}", {"count": at_once.left, "asked": count})
        if not daily.has_room(count):
            values = {"count": daily.left, "asked": count, "time": renewed}
            return Reply(f"limit_day_several{suffix}", values)
        return None


def _claim_mark(code: str) -> str:
    return f"claim {digest_of(code)}"


def _most(own: LimitOverride, usual: int | None) -> int | None:
    """Return the limit in force: a person's own limit comes before the setting. None is no limit."""
    return usual if own is None else None if own == "unlimited" else own
