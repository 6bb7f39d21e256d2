"""What an admin does from outside of the chat, with the same effects as its buttons and an audit entry."""

from __future__ import annotations

from bot.admin.retry import check_retry, retry
from bot.chat.context import ChatContext
from bot.chat.features.cancel import stop
from bot.errors import IllegalMove
from bot.log import get_log
from bot.request import Problem
from bot.store.audit import AuditEntry

_GONE, _TOO_LATE = Problem("press_gone", {}), Problem("press_too_late", {})


class Moves:
    """Each method returns None, or the problem that prevents it. `by` is the admin."""

    def __init__(self, ctx: ChatContext) -> None:
        self._ctx = ctx
        self._log = get_log(__name__)

    async def cancel(self, task_id: str, by: int) -> Problem | None:
        """Cancel what waits; detach what is paid for. Its card says so."""
        task = await self._ctx.store.tasks.get(task_id)
        if task is None:
            return _GONE
        try:
            await stop(self._ctx, task)
        except IllegalMove:
            return _TOO_LATE
        await self._note("cancel", task_id, by)
        return None

    async def put_first(self, task_id: str, by: int) -> Problem | None:
        """Before all who wait for the same provider."""
        if not await self._ctx.store.tasks.prioritise(task_id):
            return _TOO_LATE
        self._ctx.wake()
        await self._note("first", task_id, by)
        return None

    async def retry(self, task_id: str, by: int) -> Problem | None:
        """Order the same again for its person. Raises NotAgain with a sentence."""
        task = await self._ctx.store.tasks.get(task_id)
        if task is None:
            return _GONE
        model = self._ctx.models.get(task.request.model)
        check_retry(task, model)
        if model is not None:
            price = self._ctx.price_labels().quote(task.request)
            asked = await retry(self._ctx.store, task, model, price, by=by, now=self._ctx.clock())
            self._ctx.board.show(asked)
            self._ctx.wake()
        return None

    async def allow(self, subject: int, by: int) -> Problem | None:
        """A person, or a group by its negative id. The record of changes says who decided."""
        if await self._ctx.permissions.decide(subject, "allowed", by) and await self._was_turned_away(
            subject
        ):
            await self._ctx.access_requests.welcome(subject)
        return None

    async def ban(self, subject: int, by: int) -> Problem | None:
        if await self._ctx.access.is_admin(subject):
            return Problem("ban_admin", {"name": subject})
        await self._ctx.access_requests.ban(subject, by)
        return None

    async def pause(self, model: str, by: int) -> Problem | None:
        """A model, or `EVERYTHING`."""
        await self._ctx.purchase_guard.pause(model, by)
        return None

    async def resume(self, model: str, by: int) -> Problem | None:
        await self._ctx.purchase_guard.resume(model, by)
        return None

    async def _was_turned_away(self, subject: int) -> bool:
        told = await (
            self._ctx.store.people.person(subject) if subject > 0 else self._ctx.store.people.chat(subject)
        )
        return told.told_at is not None

    async def _note(self, verb: str, target: str, by: int) -> None:
        self._log.info("an admin action", verb=verb, target=target, admin=by)
        await self._ctx.store.audit.add(AuditEntry(verb, target, by, self._ctx.clock()))
