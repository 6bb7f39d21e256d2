"""Looking: how a job at the provider is. A failing look is not a failing job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Protocol, assert_never

from bot import timing
from bot.accounts import Accounts
from bot.errors import AccountProblem, ProviderError, Unavailable
from bot.ledger import Ledger
from bot.log import get_log
from bot.provider import Failed, Provider, Status, StillRunning, Succeeded
from bot.request import VideoModel
from bot.store import Attempt
from bot.task import Task
from bot.timing import Timing

_FAULT = "provider_fault"


class Chat(Protocol):
    def show(self, task: Task) -> None:
        """Bring the card up to date soon. Newest wins; never fails, never delays an outcome."""


class Looker:
    def __init__(
        self,
        *,
        ledger: Ledger,
        chat: Chat,
        providers: Mapping[str, Provider],
        models: Mapping[str, VideoModel],
        schedule: Timing,
        accounts: Accounts,
    ) -> None:
        self._ledger = ledger
        self._chat = chat
        self._providers = providers
        self._models = models
        self._timing = schedule
        self._accounts = accounts
        self._log = get_log(__name__)
        self._silent: set[str] = set()

    async def look(self, task: Task) -> None:
        model = self._models.get(task.request.model)
        provider = self._providers.get(task.provider)
        if model is None or provider is None or task.remote_id is None:
            # Its provider may be configured again tomorrow: the job is paid for.
            await self._look_later(task, "model_gone")
            return
        began = self._ledger.now()
        try:
            async with asyncio.timeout(timing.LOOK_LIMIT_S):
                status = await provider.poll(task.remote_id, model)
        except ProviderError as error:
            await self._endure(task, error, began)
        except TimeoutError:
            await self._endure(task, Unavailable("unreachable", "the look took too long"), began)
        except Exception as error:  # noqa: BLE001 - no defect of an adapter is a verdict on a paid job
            self._log.exception("a look broke off", task=task.id)
            await self._endure(task, Unavailable("unreachable", type(error).__name__), began)
        else:
            if task.provider in self._silent:
                self._silent.discard(task.provider)
                self._log.info("the provider answers again", provider=task.provider)
            await self.read(task, model, status, self._ledger.attempt(task, "poll", began))

    async def read(
        self, task: Task, model: VideoModel, status: Status, attempt: Attempt | None = None
    ) -> None:
        """What a status makes of a running task."""
        now = self._ledger.now()
        match status:
            case StillRunning(progress=progress):
                if self._ledger.is_over(task):
                    await self._ledger.end(task.failed("expired", "", now), attempt)
                    return
                if self._timing.is_late(task, model, now):
                    task = task.late(now)
                moved = task.looked(progress, self._timing.next_look(task, model, now))
                saved = await self._ledger.save(moved, attempt)
                if not saved.hidden:
                    self._chat.show(saved)
            case Succeeded(video_url=video_url, keeps_s=keeps_s):
                await self._ledger.end(
                    task.succeeded(video_url, now + timedelta(seconds=keeps_s), now), attempt
                )
            case Failed(code="not_found") if timing.is_young(task, now):
                await self._look_later(task, "not_found", attempt=attempt)
            case Failed(code=code, detail=detail):
                await self._ledger.end(task.failed(code, detail, now), attempt)
            case _:
                assert_never(status)

    async def _endure(self, task: Task, error: ProviderError, began: datetime) -> None:
        """A look that told nothing. Only a fault that the provider keeps reporting ends the task."""
        self._note_silence(task.provider, error)
        if isinstance(error, AccountProblem):
            await self._accounts.refused(task.provider, error)
        now = self._ledger.now()
        attempt = self._ledger.attempt(task, "poll", began, error)
        if error.code == _FAULT:
            past = reversed(await self._ledger.attempts(task))
            faults = [one.at for one in takewhile(lambda one: one.answer == _FAULT, past)]
            if timing.gives_up_looking([*faults, began], now):
                await self._ledger.end(task.failed(error.code, error.detail, now), attempt)
                return
        await self._look_later(task, error.code, error.retry_after_s, attempt)

    async def _look_later(
        self, task: Task, code: str, retry_after_s: float | None = None, attempt: Attempt | None = None
    ) -> None:
        """A failing look is not a failing job: it goes on until the provider forgets it."""
        now = self._ledger.now()
        if self._ledger.is_over(task):
            await self._ledger.end(task.failed("expired", code, now), attempt)
        else:
            later = self._timing.look_again(task, now, retry_after_s)
            await self._ledger.save(task.put_off(later, now), attempt)

    def _note_silence(self, provider: str, error: ProviderError) -> None:
        if provider not in self._silent:
            self._silent.add(provider)
            self._log.warning("looks fail", provider=provider, code=error.code, detail=error.detail)
