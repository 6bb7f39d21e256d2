"""Order limits: what can refuse an order, and the lock that takes a person's orders one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.chat.access import Access
from bot.chat.ordering.budgets import Budgets
from bot.chat.ordering.quotas import Quotas
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.request import VideoRequest
from bot.task import Task
from bot.worker.user_locks import UserLocks


class OrderLimits:
    def __init__(self, access: Access, budgets: Budgets, quotas: Quotas, locks: UserLocks) -> None:
        self._access = access
        self._budgets = budgets
        self._quotas = quotas
        self._locks = locks

    @asynccontextmanager
    async def one_at_a_time(self, user_id: int) -> AsyncIterator[None]:
        """Hold back the person's other orders; release what a budget set aside for this one at the end."""
        async with self._locks.of(user_id):
            try:
                yield
            finally:
                await asyncio.shield(self._budgets.release(user_id))

    async def check(self, sender: Sender, user_id: int, *requests: VideoRequest) -> Reply | None:
        """Return what stands against ordering them: how many there may be, and what they may cost. Several
        requests are the shots of a film, which are ordered one after the other."""
        count, together = sum(request.count or 1 for request in requests), len(requests) == 1
        refusal = await self._access.limit(user_id, sender.chat_id, count, together=together)
        return refusal or await self._budgets.limit(user_id, sender.language, *requests)

    async def left_after(self, task: Task, request: VideoRequest) -> str:
        """Return what is left of the day once the task is ordered as `request`, if that is little; as
        HTML."""
        return await self._quotas.after(task, request)

    async def ordered(self) -> None:
        """Tell the admins if the order that was stored has nearly spent the budget."""
        await self._budgets.watch()
