"""What operators do, once for the chat, the operator page and the command line, each with its audit entry.

Settings are changed by `bot.admin.live_settings.LiveSettings`, which writes its own entries.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from bot.admin.permissions import Admission, Figure, LimitOverride, Permissions, is_admin
from bot.errors import DreamreelError, IllegalMove
from bot.log import get_log
from bot.request import VideoModel, VideoRequest, check_request
from bot.store import Store, TaskFilter
from bot.store.audit import AuditEntry
from bot.store.budget import Pause
from bot.task import Task, TaskState

_SEARCHED = 1000
"""How many of a provider's newest tasks are searched for the same remote id."""


class ActionRefused(DreamreelError):
    """The action is not possible; the text is one sentence."""


class ActionListener:
    """What shows at once what was done. This one does nothing: a running bot finds the rows by itself."""

    def changed(self, task: Task) -> None:
        """Show its card, and let the worker continue from the row."""

    async def pauses_changed(self) -> None:
        """Forget which pauses were known."""

    async def admitted(self, subject: int) -> None:
        """Tell a person or a group that they may use the bot now."""


_NOBODY = ActionListener()


class AdminActions:
    """`by` is the admin, or `bot.store.audit.THE_MACHINE`. What is not possible raises ActionRefused."""

    def __init__(
        self,
        store: Store,
        models: Mapping[str, VideoModel],
        *,
        quote: Callable[[VideoRequest], Decimal | None],
        configured_admins: Collection[int],
        clock: Callable[[], datetime],
        listener: ActionListener = _NOBODY,
    ) -> None:
        """`quote` returns what a request would cost now; `configured_admins` are those of ADMIN_USERS."""
        self._store = store
        self._models = models
        self._quote = quote
        self._configured_admins = configured_admins
        self._clock = clock
        self._listener = listener
        self._permissions = Permissions(store.audit, clock)
        self._log = get_log(__name__)

    # Tasks. The running bot continues from the row as it finds it. If the bot moves the task at the same
    # moment, the row is read again and the action repeated.

    async def cancel(self, task_id: str, by: int) -> Task:
        """Cancel a task as the button on its card does: the provider of one that is bought is asked to stop
        it, and a job that goes on does so without a card."""
        task, now = await self._task(task_id), self._clock()
        if task.detached and task.is_cancelled and task.delivered_at is None:
            return task
        name = await self._name(by)
        stopped = await self._move(
            task,
            lambda row: (
                row.dropped("dismissed", now) if row.state is TaskState.DRAFT else row.hide(now, by, name)
            ),
            "has ended: it cannot be stopped any more",
        )
        await self._note("cancel", task_id, by)
        self._listener.changed(stopped)
        return stopped

    async def prioritise(self, task_id: str, by: int) -> Task:
        """Give a waiting task the next slot of its provider."""
        task = await self._task(task_id)
        if not await self._store.tasks.prioritise(task_id):
            raise ActionRefused(f"{task_id} does not wait for its turn: it is {task.state}.")
        await self._note("first", task_id, by)
        self._listener.changed(task)
        return task

    async def attach(self, task_id: str, remote_id: str, by: int) -> Task:
        """Give a submit of unknown outcome its remote id, so that it is polled and its video delivered."""
        task, now = await self._task(task_id), self._clock()
        model = self._models.get(task.request.model)
        if not task.has_unknown_outcome:
            raise ActionRefused(f"{task.id} takes no id: it is not a submit of unknown outcome.")
        if not remote_id:
            raise ActionRefused("Give the id that the provider has for the job.")
        if model is None:
            raise ActionRefused(f"{task.request.model} is not set up here, so the job cannot be polled.")
        keep_until = (task.submitted_at or task.created_at) + timedelta(seconds=model.keeps_s)
        if keep_until <= now:
            raise ActionRefused(f"{task.id} is too old: {model.provider} does not know its job any more.")
        for other in await self._store.tasks.list_tasks(TaskFilter(provider=task.provider), _SEARCHED):
            if remote_id in (other.job_id, other.remote_id):
                raise ActionRefused(f"{remote_id} belongs to the task {other.id}.")
        attached = await self._move(
            task, lambda row: row.accepted(remote_id, now, keep_until), "takes no id any more"
        )
        await self._note("attach", task_id, by)
        self._listener.changed(attached)
        return attached

    async def free_slot(self, task_id: str, by: int) -> Task:
        """Settle a submit of unknown outcome that was not made: its slot is free, and it cost nothing."""
        task = await self._task(task_id)
        settled = await self._move(task, Task.not_made, "is not a submit of unknown outcome")
        await self._note("not_made", task_id, by)
        self._listener.changed(settled)
        return settled

    def check_retry(self, task: Task) -> VideoModel:
        """Return the model of a task that can be ordered again."""
        if task.state not in (TaskState.FAILED, TaskState.CANCELLED):
            raise ActionRefused(
                f"{task.id} is {task.state}: only what failed or was cancelled can be asked for again."
            )
        if task.delivered_at is None:
            raise ActionRefused(
                f"{task.id} has just ended, and its chat is being told: try again in a moment."
            )
        model = self._models.get(task.request.model)
        if model is None:
            raise ActionRefused(f"{task.request.model} is not set up here.")
        if problems := check_request(task.request, model):
            raise ActionRefused(f"{model.name} cannot do this request any more ({problems[0].code}).")
        return model

    async def retry(self, task_id: str, by: int) -> Task:
        """Order what failed or was cancelled again: a new task on the same card, outside everybody's limits.

        It costs what it costs.
        """
        task, now = await self._task(task_id), self._clock()
        model = self.check_retry(task)
        for other in await self._store.tasks.open_tasks(user_id=task.user_id, chat_id=task.card.chat_id):
            # Two yeses to one question are one: both would be paid for, and only the later one be seen.
            if other.parent_id == task.id:
                raise ActionRefused(
                    f"{task.id} has been asked for again already: it is {other.id}, {other.state}."
                )
        await self._note("retry", task_id, by)
        again = await self._store.tasks.add(
            Task(
                id=secrets.token_hex(8),
                card=task.card,
                user_id=task.user_id,
                user_name=task.user_name,
                language=task.language,
                provider=model.provider,
                request=task.request,
                price=self._quote(task.request),
                state=TaskState.QUEUED,
                parent_id=task.id,
                created_at=now,
                queued_at=now,
                due_at=now,
            )
        )
        self._listener.changed(again)
        return again

    # People and groups. `subject` is a person's id, or the (negative) one of a group.

    async def decide(self, subject: int, admission: Admission | None, by: int) -> bool:
        """Decide who may use the bot; return True if the decision changed. None: as if nobody had decided.

        Banning cancels what is not bought yet.
        """
        if admission != "banned":
            return await self._permissions.decide(subject, admission, by)
        if await is_admin(self._store.people, self._configured_admins, subject):
            raise ActionRefused(f"{subject} is an admin of the bot, who may always ask.")
        is_new = await self._permissions.decide(subject, admission, by)
        now, name = self._clock(), await self._name(by)
        whose = {"user_id": subject} if subject > 0 else {"chat_id": subject}
        for task in await self._store.tasks.open_tasks(**whose):
            if task.waits_for_slot:
                detached = await self._store.tasks.update(
                    task.id, lambda row: row.hide(now, by, name) if row.waits_for_slot else row
                )
                if detached is not None:
                    self._listener.changed(detached)
        return is_new

    async def allow(self, subject: int, by: int) -> bool:
        """Allow a person or a group, and tell them if they were turned away; return True if that is new."""
        is_new = await self.decide(subject, "allowed", by)
        people = self._store.people
        told = await (people.person(subject) if subject > 0 else people.chat(subject))
        if is_new and told.told_at is not None:
            await self._listener.admitted(subject)
        return is_new

    async def limit(self, subject: int, limits: Mapping[Figure, LimitOverride], by: int) -> None:
        """Give a person or a group limits of their own."""
        for figure, most in limits.items():
            await self._permissions.grant(subject, figure, most, by)

    async def remove_admin(self, user_id: int, by: int) -> None:
        """Take the bot from an admin who claimed it, and end their sessions on the operator's page."""
        if user_id in self._configured_admins:
            raise ActionRefused(
                f"{user_id} is named in ADMIN_USERS: take the id out there and restart the bot."
            )
        if not await self._store.people.remove_admin(user_id):
            raise ActionRefused(f"{user_id} is not an admin.")
        await self._note("remove_admin", str(user_id), by)

    # Buying. `model` may be `EVERYTHING`.

    async def pause(self, model: str, by: int) -> bool:
        """Start no more jobs of the model; return False if that is paused already.

        Waiting tasks keep their turn, running jobs go on.
        """
        is_new = await self._store.budget.pause(Pause(model, by, self._clock()))
        if is_new:
            self._log.warning("paused", model=model or "everything", by=by)
        await self._listener.pauses_changed()
        return is_new

    async def resume(self, model: str, by: int) -> list[Pause]:
        """End the pause of the model, or that of `EVERYTHING`, which leaves those of single models. Returns
        the pause that it ended, if there was one."""
        ended = await self._store.budget.resume(model, by, self._clock())
        if ended is not None:
            self._log.warning("resumed", model=model or "everything", by=by)
        await self._listener.pauses_changed()
        return [] if ended is None else [ended]

    async def _name(self, by: int) -> str:
        """Return the name under which an admin asked last; empty if they never did."""
        newest = await self._store.tasks.list_tasks(TaskFilter(user_id=by), 1)
        return newest[0].user_name if newest else ""

    async def _task(self, task_id: str) -> Task:
        task = await self._store.tasks.get(task_id)
        if task is None:
            raise ActionRefused(f"{task_id} is gone.")
        return task

    async def _move(self, task: Task, move: Callable[[Task], Task], why_not: str) -> Task:
        latest = task

        def move_latest(row: Task) -> Task:
            nonlocal latest
            latest = row
            return move(row)

        try:
            moved = await self._store.tasks.update(task.id, move_latest)
        except IllegalMove:
            raise ActionRefused(f"{task.id} {why_not} ({latest.state}).") from None
        if moved is None:
            raise ActionRefused(f"{task.id} is gone.")
        return moved

    async def _note(self, action: str, target: str, by: int) -> None:
        self._log.info("an admin action", verb=action, target=target, admin=by)
        await self._store.audit.add(AuditEntry(action, target, by, self._clock()))
