"""The moves that an admin makes from outside of the chat: as its buttons, with a record of who."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.acts import Act, ActStore
from bot.chat.cancel import Cancelling
from bot.errors import IllegalMove
from bot.log import get_log
from bot.request import Problem
from bot.store import Store

_GONE, _TOO_LATE = Problem("tap_gone", {}), Problem("tap_too_late", {})


class Moves:
    """Each returns None, or why it cannot be. `by` is the admin."""

    def __init__(
        self, *, store: Store, cancelling: Cancelling, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._record: ActStore = store
        self._cancelling = cancelling
        self._clock = clock
        self._wake = wake
        self._log = get_log(__name__)

    async def cancel(self, task_id: str, by: int) -> Problem | None:
        """What waits ends; what is paid for goes on unseen. Its card says so."""
        task = await self._store.get(task_id)
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
        if not await self._store.put_first(task_id):
            return _TOO_LATE
        self._wake()
        await self._note("first", task_id, by)
        return None

    async def _note(self, verb: str, target: str, by: int) -> None:
        self._log.info("an admin made a move", verb=verb, target=target, admin=by)
        await self._record.add_act(Act(verb, target, by, self._clock()))
