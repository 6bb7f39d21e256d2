"""Quotas: what is left of the day for a person and a group, shown if it is little or if they ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.admin.live_settings import LiveSettings
from bot.chat.access import Access
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.ordering.budgets import Budgets
from bot.local_time import renewal_of
from bot.request import VideoRequest
from bot.task import Task, TaskState
from bot.text import plain, say

_FEW = 3
"""With so many videos left or fewer, the card says so."""
_LITTLE = Decimal("0.2")
"""The same for a share of a budget."""


@dataclass(frozen=True, slots=True)
class RemainingQuota:
    key: str
    """The key of its phrase."""
    left: Decimal
    most: Decimal

    @property
    def is_near(self) -> bool:
        return self.left <= (self.most * _LITTLE if self.is_money else _FEW)

    @property
    def is_money(self) -> bool:
        return self.key == "left_money"


class Quotas:
    def __init__(
        self,
        *,
        live_settings: LiveSettings,
        access: Access,
        budgets: Budgets,
        price_labels: Callable[[], PriceLabels],
        clock: Callable[[], datetime],
    ) -> None:
        self._live_settings = live_settings
        self._access = access
        self._budgets = budgets
        self._price_labels = price_labels
        self._clock = clock

    async def before(self, task: Task) -> str:
        """Return what is left before a draft is ordered, if that is little; as HTML."""
        if task.state is not TaskState.DRAFT:
            return ""
        bounds = await self._bounds(task.user_id, task.card.chat_id)
        return self._say(task.language, [bound for bound in bounds if bound.is_near])

    async def after(self, task: Task, request: VideoRequest) -> str:
        """Return what is left once this task is ordered as `request`, if that is little; as HTML."""
        price = self._price_labels().quote(request) or Decimal(0)
        bounds = [
            RemainingQuota(
                bound.key, bound.left - (price if bound.is_money else request.count or 1), bound.most
            )
            for bound in await self._bounds(task.user_id, task.card.chat_id)
        ]
        return self._say(task.language, [bound for bound in bounds if bound.is_near])

    async def all(self, user_id: int, chat_id: int, language: str) -> str:
        """Return all that is left; empty if nothing is limited."""
        return self._say(language, await self._bounds(user_id, chat_id))

    async def _bounds(self, user_id: int, chat_id: int) -> list[RemainingQuota]:
        """Return the bounds of the person, and in a group those of the group. Admins have none."""
        if await self._access.is_admin(user_id):
            return []
        quotas = {"left_videos": (await self._access.quotas(user_id=user_id))[0]}
        if chat_id < 0:
            quotas["left_videos_chat"] = (await self._access.quotas(chat_id=chat_id))[0]
        bounds = [
            RemainingQuota(key, Decimal(quota.most - quota.used), Decimal(quota.most))
            for key, quota in quotas.items()
            if quota.most is not None
        ]
        budget = self._live_settings.settings.daily_budget_per_user
        if budget is not None:
            bounds.append(RemainingQuota("left_money", await self._budgets.left(budget, user_id), budget))
        return bounds

    def _say(self, language: str, bounds: list[RemainingQuota]) -> str:
        time = renewal_of(self._clock(), self._live_settings.settings.zone)
        return "\n".join(
            say(
                language,
                bound.key,
                left=self._shown(language, bound, max(bound.left, Decimal(0))),
                most=self._shown(language, bound, bound.most),
                time=time,
            )
            for bound in bounds
        )

    def _shown(self, language: str, bound: RemainingQuota, figure: Decimal) -> str:
        return plain(self._price_labels().words(language, figure)) if bound.is_money else str(figure)
