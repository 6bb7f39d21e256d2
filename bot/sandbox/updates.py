"""The updates that wait for the bot: numbered, kept until confirmed, fetched by polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.sandbox.answer import ApiError, Json

#: The kinds that a bot gets by default.
#: https://core.telegram.org/bots/api#getupdates: "all except chat_member, message_reaction, ..."
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

_TAKEN_OVER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
_WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


class Updates:
    """The queue. `next_id`, the number of the next update, may be set; `history` has all updates."""

    def __init__(self, *, first_id: int = 1) -> None:
        self.next_id = first_id
        self.pending: list[Json] = []
        self.history: list[Json] = []
        self.allowed: frozenset[str] | None = None
        self.on_put: Callable[[], None] = lambda: None
        self._repeated: list[Json] = []
        self._waiting: asyncio.Future[None] | None = None

    def put(self, kind: str, content: Json) -> Json | None:
        """Queue one update; return None if the bot did not ask for this kind."""
        wanted = kind in self.allowed if self.allowed else kind not in _NOT_BY_DEFAULT
        if not wanted:
            return None
        update = {"update_id": self.next_id, kind: content}
        self.next_id += 1
        self.pending.append(update)
        self.history.append(update)
        self._wake()
        return update

    def repeat(self, update_id: int | None = None) -> None:
        """Deliver an update once more with its old number (the last one by default), confirmed or not,
        as Telegram does after losing a confirmation."""
        update = next(u for u in reversed(self.history) if update_id in (None, u["update_id"]))
        self._repeated.append(update)
        self._wake()

    def allow(self, kinds: list[str] | None) -> None:
        """Choose the kinds. None keeps the last choice, an empty list restores the default."""
        if kinds is not None:
            self.allowed = frozenset(kinds) or None

    def drop_pending(self) -> None:
        self.pending.clear()

    async def poll(
        self, *, offset: int = 0, limit: int = 100, timeout_s: float = 0, webhook_is_set: bool = False
    ) -> list[Json]:
        """getUpdates: confirm all below `offset` (or all but the last `-offset`), then wait for one.

        A second call ends the first, which raises ApiError 409.
        """
        if webhook_is_set:
            raise ApiError(409, _WEBHOOK_ACTIVE)
        self.end_polls(ApiError(409, _TAKEN_OVER))
        if offset < 0:
            self.pending = self.pending[offset:]
        else:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]
        if not self.pending and not self._repeated and timeout_s > 0:
            await self._wait(timeout_s)
        repeated, self._repeated = self._repeated, []
        return [*repeated, *self.pending][: limit if 1 <= limit <= 100 else 100]

    def take_repeated(self) -> Json | None:
        return self._repeated.pop(0) if self._repeated else None

    def end_polls(self, error: ApiError | None = None) -> None:
        """End a waiting call, if there is one, with an error or an empty answer."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)

    async def _wait(self, timeout_s: float) -> None:
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await waiting
        except TimeoutError:
            pass
        finally:
            if self._waiting is waiting:
                self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        self.on_put()
