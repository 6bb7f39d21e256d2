"""The moves that an admin makes from outside of the chat: as its buttons, with a record of who."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.admin.permissions import Permissions
from bot.admin.retry import check_retry, retry
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.features.cancel import Cancel
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.ordering.access import Access
from bot.chat.task_cards.board import CardBoard
from bot.errors import IllegalMove
from bot.log import get_log
from bot.request import Problem, VideoModel
from bot.store import Store
from bot.store.acts import Act, ActStore
from bot.worker.purchase_guard import PurchaseGuard

_GONE, _TOO_LATE = Problem("tap_gone", {}), Problem("tap_too_late", {})


class Moves:
    """Each returns None, or why it cannot be. `by` is the admin."""

    def __init__(
        self,
        *,
        store: Store,
        cancelling: Cancel,
        access: Access,
        permissions: Permissions,
        access_requests: AccessRequests,
        purchase_guard: PurchaseGuard,
        board: CardBoard,
        models: Mapping[str, VideoModel],
        price_labels: Callable[[], PriceLabels],
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._record: ActStore = store.audit
        self._cancelling = cancelling
        self._access = access
        self._permissions = permissions
        self._access_requests = access_requests
        self._purchase_guard = purchase_guard
        self._board = board
        self._models = models
        self._price_labels = price_labels
        self._clock = clock
        self._wake = wake
        self._log = get_log(__name__)

    async def cancel(self, task_id: str, by: int) -> Problem | None:
        """What waits ends; what is paid for goes on unseen. Its card says so."""
        task = await self._store.tasks.get(task_id)
        if task is None:
            return _GONE
        try:
            await self._cancelling.stop(task)
        except IllegalMove:
            return _TOO_LATE
        await self._note("cancel", task_id, by)
        return None

    async def put_first(self, task_id: str, by: int) -> Problem | None:
        """Before all who wait for the same provider."""
        if not await self._store.tasks.put_first(task_id):
            return _TOO_LATE
        self._wake()
        await self._note("first", task_id, by)
        return None

    async def retry(self, task_id: str, by: int) -> Problem | None:
        """The same once more for its person; NotAgain says in a sentence why not."""
        task = await self._store.tasks.get(task_id)
        if task is None:
            return _GONE
        model = self._models.get(task.request.model)
        check_retry(task, model)
        if model is not None:
            price = self._price_labels().quote(task.request)
            asked = await retry(self._store, task, model, price, by=by, now=self._clock())
            self._board.show(asked)
            self._wake()
        return None

    async def allow(self, subject: int, by: int) -> Problem | None:
        """A person, or a group by its negative id. The record of changes says who decided."""
        if await self._permissions.decide(subject, "allowed", by) and await self._was_turned_away(subject):
            await self._access_requests.welcome(subject)
        return None

    async def ban(self, subject: int, by: int) -> Problem | None:
        if await self._access.is_admin(subject):
            return Problem("ban_admin", {"name": subject})
        await self._access_requests.ban(subject, by)
        return None

    async def pause(self, model: str, by: int) -> Problem | None:
        """A model, or `EVERYTHING`."""
        await self._purchase_guard.pause(model, by)
        return None

    async def resume(self, model: str, by: int) -> Problem | None:
        await self._purchase_guard.resume(model, by)
        return None

    async def _was_turned_away(self, subject: int) -> bool:
        told = await (self._store.people.person(subject) if subject > 0 else self._store.people.chat(subject))
        return told.told_at is not None

    async def _note(self, verb: str, target: str, by: int) -> None:
        self._log.info("an admin action", verb=verb, target=target, admin=by)
        await self._record.add_act(Act(verb, target, by, self._clock()))
