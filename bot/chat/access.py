"""Who may ask, and how much: admins, allowed people and chats, and the limits of each."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

from bot.request import Problem
from bot.settings import Settings
from bot.store import PeopleStore, TaskStore

_CLAIM = "claim_"


async def _nothing(_: int) -> None:
    """Stands against no video anywhere."""


class Access:
    def __init__(
        self,
        settings: Settings,
        people: PeopleStore,
        tasks: TaskStore,
        clock: Callable[[], datetime],
        obstacle: Callable[[int], Awaitable[Problem | None]] = _nothing,
    ) -> None:
        """`obstacle`: why no video can be shown in a chat."""
        self._settings = settings
        self._people = people
        self._tasks = tasks
        self._clock = clock
        self._obstacle = obstacle
        self._claim_code: str | None = None

    async def open_claim(self) -> str | None:
        """While there is no admin: a payload for `/start`, good once, whose sender becomes one."""
        if self._settings.admin_users or await self._people.admins():
            return None
        self._claim_code = secrets.token_urlsafe(16)
        return _CLAIM + self._claim_code

    def is_claim(self, payload: str) -> bool:
        return payload.startswith(_CLAIM)

    async def claim(self, payload: str, user_id: int) -> bool:
        """Make the sender the admin, if the payload is the open one."""
        code = self._claim_code
        if code is None or not secrets.compare_digest(payload.encode(), (_CLAIM + code).encode()):
            return False
        self._claim_code = None
        person = await self._people.person(user_id)
        await self._people.put_person(replace(person, role="admin"))
        return True

    async def admins(self) -> list[int]:
        """Those of the settings and those of the store."""
        return sorted({*self._settings.admin_users, *await self._people.admins()})

    async def is_admin(self, user_id: int) -> bool:
        return user_id in self._settings.admin_users or (await self._people.person(user_id)).role == "admin"

    async def may_ask(self, user_id: int, chat_id: int) -> bool:
        """Either list is enough: anybody in an allowed chat may ask there."""
        if await self.is_admin(user_id):
            return True
        if (await self._people.person(user_id)).role == "banned":
            return False
        if (await self._people.person(user_id)).role == "allowed":
            return True
        people = self._settings.allowed_users
        return people == "*" or user_id in people or await self._is_allowed(chat_id)

    async def may_join(self, user_id: int, chat_id: int) -> bool:
        """Whether the bot stays in a group to which this person added it."""
        return await self._is_allowed(chat_id) or await self.may_ask(user_id, chat_id)

    async def tell_stranger(self, user_id: int, chat_id: int) -> bool:
        """Whether to answer: a stranger is told once, and so is a group; then there is silence."""
        now = self._clock()
        if chat_id < 0:
            chat = await self._people.chat(chat_id)
            if chat.told_at is None:
                await self._people.put_chat(replace(chat, told_at=now))
            return chat.told_at is None
        person = await self._people.person(user_id)
        if person.told_at is None and person.role != "banned":
            await self._people.put_person(replace(person, told_at=now))
            return True
        return False

    async def limit(self, user_id: int, chat_id: int) -> Problem | None:
        """What stands against one video more: a limit, or that it cannot be shown here. ChatError where
        Telegram does not say whether it can. Admins have no limits; a chat's count in groups alone.
        """
        problem = None if await self.is_admin(user_id) else await self._limits(user_id, chat_id)
        return problem or await self._obstacle(chat_id)

    async def _is_allowed(self, chat_id: int) -> bool:
        """A group that became a supergroup is still the one that was allowed."""
        allowed = self._settings.allowed_chats
        if allowed == "*" or not allowed:
            return bool(allowed)
        return chat_id in allowed or (await self._people.chat(chat_id)).moved_from in allowed

    async def _limits(self, user_id: int, chat_id: int) -> Problem | None:
        settings = self._settings
        return await self._limit(
            "", settings.open_tasks_per_user, settings.daily_videos_per_user, user_id=user_id
        ) or (
            await self._limit(
                "_chat", settings.open_tasks_per_chat, settings.daily_videos_per_chat, chat_id=chat_id
            )
            if chat_id < 0
            else None
        )

    async def _limit(
        self, suffix: str, most_open: int | None, most_daily: int | None, **whose: int
    ) -> Problem | None:
        if 0 in (most_open, most_daily):
            return Problem("limit_none", {})
        if most_open is not None:
            count = await self._tasks.count_open(**whose)
            if count >= most_open:
                return Problem(f"limit_open{suffix}", {"count": count})
        if most_daily is not None:
            today = self._clock().astimezone(self._settings.zone).date()
            midnight = datetime.combine(today, time(), self._settings.zone)
            if await self._tasks.count_since(midnight, **whose) >= most_daily:
                renewed = midnight + timedelta(days=1)
                return Problem(f"limit_day{suffix}", {"count": most_daily, "time": f"{renewed:%H:%M}"})
        return None
