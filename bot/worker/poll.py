"""Looking: how a job at the provider is. A failing look is not a failing job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Protocol, assert_never

from bot.errors import AccountProblem, ProviderError, Unavailable
from bot.log import get_log
from bot.provider import Failed, Provider, Status, StillRunning, Succeeded
from bot.records import changed
from bot.request import VideoModel
from bot.store import Attempt, ProviderStore
from bot.task import Task
from bot.worker import schedule
from bot.worker.concurrency import NO_ROOM, Slots
from bot.worker.duration_model import Durations, observed
from bot.worker.journal import TaskJournal
from bot.worker.outage_log import OutageLog
from bot.worker.provider_health import Accounts
from bot.worker.schedule import Schedule, clock_of, duration_keys

_FAULT = "provider_fault"


class Chat(Protocol):
    def show(self, task: Task) -> None:
        """Bring the card up to date soon. Newest wins; never fails, never delays an outcome."""


class JobPoller:
    def __init__(
        self,
        *,
        journal: TaskJournal,
        chat: Chat,
        providers: Mapping[str, Provider],
        models: Mapping[str, VideoModel],
        schedule: Schedule,
        durations: ProviderStore,
        accounts: Accounts,
        slots: Slots,
    ) -> None:
        self._journal = journal
        self._chat = chat
        self._providers = providers
        self._models = models
        self._timing = schedule
        self._durations = durations
        self._accounts = accounts
        self._slots = slots
        self._log = get_log(__name__)
        self._silence = OutageLog("polls")

    async def poll(self, task: Task) -> None:
        model = self._models.get(task.request.model)
        provider = self._providers.get(task.provider)
        if model is None or provider is None or task.remote_id is None:
            # Its provider may be configured again tomorrow: the job is paid for.
            await self._look_later(task, "model_gone")
            return
        began = self._journal.now()
        try:
            async with asyncio.timeout(schedule.LOOK_LIMIT_S):
                status = await provider.poll(task.remote_id, model)
        except ProviderError as error:
            await self._handle_poll_error(task, error, began)
        except TimeoutError:
            await self._handle_poll_error(task, Unavailable("unreachable", "the poll took too long"), began)
        except Exception as error:  # noqa: BLE001 - no defect of an adapter is a verdict on a paid job
            self._log.exception("a poll failed", task=task.id)
            await self._handle_poll_error(task, Unavailable("unreachable", type(error).__name__), began)
        else:
            self._silence.answered(task.provider)
            await self.read(task, model, status, self._journal.attempt(task, "poll", began))

    async def read(
        self, task: Task, model: VideoModel, status: Status, attempt: Attempt | None = None
    ) -> None:
        """What a status makes of a running task."""
        now = self._journal.now()
        match status:
            case StillRunning():
                if self._journal.is_over(task):
                    await self._fail(task, "expired", "", attempt)
                else:
                    await self._go_on(task, model, status, attempt)
            case Succeeded(video_url=video_url, keeps_s=keeps_s):
                await self._journal.finish(
                    task.succeeded(video_url, now + timedelta(seconds=keeps_s), now), attempt
                )
                await self._learn(task, now)
            case Failed(code="not_found") if schedule.is_young(task, now):
                await self._look_later(task, "not_found", attempt=attempt)
            case Failed(code=code, detail=detail, final=False) if code in NO_ROOM:
                await self._crowd_out(task, code, detail, attempt)
            case Failed(code=code, detail=detail):
                await self._fail(task, code, detail, attempt)
            case _:
                assert_never(status)

    async def _go_on(
        self, task: Task, model: VideoModel, status: StillRunning, attempt: Attempt | None
    ) -> None:
        """Not done yet."""
        now = self._journal.now()
        seen = task.polled(status.progress, now, queued=status.queued)
        if self._timing.is_late(seen, model, now):
            seen = seen.late(now)
        others_wait = await self._journal.others_wait(task)
        due_at = self._timing.next_look(seen, model, now, others_wait=others_wait)
        saved = await self._journal.save(changed(seen, due_at=due_at), attempt)
        if not saved.detached:
            self._chat.show(saved)
        if clock_of(task)[0] != clock_of(seen)[0] == "running":
            await self._learn(task, now)

    async def _crowd_out(self, task: Task, code: str, detail: str, attempt: Attempt | None) -> None:
        """Order again what a relay accepted and its own provider then had no room for: nothing was made.
        How often is seen by the calls, so that the pause grows; after the second time its person is asked."""
        submits = [one for one in await self._journal.attempts(task) if one.call == "submit"]
        if sum(one.answer == "ok" for one in submits) > schedule.MOST_CROWDED_OUT:
            await self._fail(task, code, detail, attempt)
            return
        due_at = schedule.retry_at(len(submits), self._journal.now())
        await self._slots.refused(task)
        self._chat.show(await self._journal.save(task.requeued_by_provider(code, detail, due_at), attempt))

    async def _fail(self, task: Task, code: str, detail: str, attempt: Attempt | None) -> None:
        await self._journal.finish(task.failed(code, detail, self._journal.now()), attempt)
        await self._learn(task, None)

    async def _learn(self, task: Task, ended_at: datetime | None) -> None:
        """How long it took by the clock that ran for it, which ended since the last look: None if it ended
        otherwise. Losing this is no harm."""
        model = self._models.get(task.request.model)
        clock, since = clock_of(task)
        if model is None or since is None:
            return
        typical_s = model.typical_s
        a_s = (max(task.polled_at, since) - since).total_seconds() if task.polled_at else 0.0
        b_s = None if ended_at is None else (ended_at - since).total_seconds()

        def change(_: str, text: str | None) -> str:
            return observed(_read_durations(text, typical_s), a_s, b_s).to_text()

        try:
            learned = await self._durations.learn(duration_keys(model, task.request, clock), change)
            self._timing.remember(learned)
        except Exception as error:  # noqa: BLE001 - the task has been moved, and nothing else counts
            self._log.warning("a duration could not be stored", task=task.id, reason=str(error))

    async def _handle_poll_error(self, task: Task, error: ProviderError, began: datetime) -> None:
        """A look that told nothing. Only a fault that the provider keeps reporting ends the task."""
        self._silence.broken(task.provider, error)
        if isinstance(error, AccountProblem):
            await self._accounts.refused(self._models[task.request.model], error)
        now = self._journal.now()
        attempt = self._journal.attempt(task, "poll", began, error)
        if error.code == _FAULT:
            past = reversed(await self._journal.attempts(task))
            faults = [one.at for one in takewhile(lambda one: one.answer == _FAULT, past)]
            if schedule.gives_up_looking([*faults, began], now):
                await self._fail(task, error.code, error.detail, attempt)
                return
        await self._look_later(task, error.code, error.retry_after_s, attempt)

    async def _look_later(
        self, task: Task, code: str, retry_after_s: float | None = None, attempt: Attempt | None = None
    ) -> None:
        """A failing look is not a failing job: it goes on until the provider forgets it."""
        now = self._journal.now()
        if self._journal.is_over(task):
            await self._fail(task, "expired", code, attempt)
        else:
            later = self._timing.look_again(task, now, retry_after_s)
            await self._journal.save(task.put_off(later, now), attempt)


def _read_durations(text: str | None, typical_s: float) -> Durations:
    """Those of a stored text. Where there is none, or a damaged one, nothing was seen yet."""
    try:
        return Durations.from_text(text) if text else Durations(typical_s)
    except ValueError:
        return Durations(typical_s)
