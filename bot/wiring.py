"""The bot: its worker, its chat, its chores and what it serves, wired to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from bot.admin.live_settings import LiveSettings
from bot.chat import ChatDeps, Conversation, PageLink, WebhookSettings, build_chat_context
from bot.errors import SettingsError, StoreError
from bot.log import get_log, level_of
from bot.maintenance.maintenance import Maintenance
from bot.media.media_info import FitPhoto
from bot.media.video_cache import VideoCache
from bot.photo_links import PhotoLinks
from bot.provider import PhotoLink, Provider
from bot.provider_builders import build_models
from bot.request import VideoRequest
from bot.send_rates import Limits
from bot.serving import ServerDeps, page_link, private_server, public_server
from bot.settings import Settings
from bot.store import Notice, Store
from bot.stores.open import is_shared
from bot.task import Task
from bot.web import Health, PrivateServer, WebServer
from bot.worker import schedule
from bot.worker.concurrency import Slots
from bot.worker.deliver import Deliverer
from bot.worker.journal import TaskJournal
from bot.worker.loop import Worker
from bot.worker.poll import JobPoller
from bot.worker.provider_health import Accounts
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.schedule import STORE_PAUSE_S, Schedule
from bot.worker.submit import Submitter

_HEALTHY_FOR = timedelta(seconds=120)
_LINKS_LIVE = timedelta(hours=12)
"""A provider fetches a photo when the job begins, which may be after a long queue of its own."""
_READY_WITHIN_S = 2.0
_TAKEOVER_S = 15.0
"""In which a process that died, or stood still, is surely missed by those who share its database."""


class Bot:
    """The worker and the conversation, wired to each other."""

    def __init__(
        self,
        token: str,
        settings: Settings,
        store: Store,
        providers: list[Provider],
        links: PhotoLinks,
        *,
        limits: Limits,
        hook: WebhookSettings | None = None,
    ) -> None:
        self._now = store.leases.now
        self._hook = hook
        self.models = build_models(settings, providers)
        self.timing = Schedule(settings.poll_max_seconds)
        self._granted = {provider.name: provider.concurrency for provider in providers}
        self._slots = Slots(self._granted, store.providers, self._now)
        self._store = store
        self._links = links
        self._video_cache = VideoCache(settings.data_dir / "videos", settings.keep_files_mb * 1_000_000)
        self.health = Health(self.is_healthy, self.obstacles)
        self._stopping: asyncio.Event | None = None
        self.rules = LiveSettings(settings, store.audit, self._now, self.models)
        self.purchase_guard = PurchaseGuard(
            store,
            settings=lambda: self.rules.settings,
            models=self.models,
            tell_admins=self._tell_admins,
            changed=self._pauses_changed,
            clock=self._now,
        )
        self._chores = Maintenance(
            settings,
            store,
            models=self.models,
            slots=self._granted,
            at_once=self._slots.at_once,
            schedule=self.timing,
            video_cache=self._video_cache,
            rules=self.rules,
            is_ready=self.is_ready,
            clock=self._now,
        )
        self.metrics = self._chores.metrics
        ctx = build_chat_context(
            token,
            ChatDeps(
                settings=settings,
                live_settings=self.rules,
                store=store,
                models=self.models,
                schedule=self.timing,
                at_once=self._slots.at_once,
                video_cache=self._video_cache,
                clock=self._now,
                wake=self._wake_worker,
                purchase_guard=self.purchase_guard,
                open_page=self._open_page,
            ),
            on_answer=self._chores.telegram_answered,
            limits=limits,
        )
        takeover_s = _TAKEOVER_S if is_shared(settings.database_url) else 0.0
        self.conversation = Conversation(ctx, hook=hook, takeover_s=takeover_s)
        self.worker = self._build_worker(settings, store, providers)
        store.leases.on_work(self.worker.wake)
        self._server_deps = self._build_served(settings)
        self.private: PrivateServer | None = None

    def build_servers(self) -> list[WebServer | PrivateServer]:
        """Those that are set up, not started so far."""
        self.private = private_server(self._server_deps)
        return [server for server in (public_server(self._server_deps), self.private) if server is not None]

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; then what was begun ends in its own time, with the cards still there for it."""
        away = await self._resume()
        conversation = asyncio.create_task(self.conversation.run(), name="conversation")
        worker = asyncio.create_task(self.worker.run(stopping), name="worker")
        chores = asyncio.create_task(self._chores.run(away, self.conversation.operators), name="chores")
        visits = asyncio.create_task(self._notice_visitors(), name="noticing visitors")
        broken = asyncio.create_task(
            self._store.maintenance.wait_for_fatal_error(), name="watching the database"
        )
        stop = asyncio.create_task(stopping.wait(), name="waiting for a stop")
        self._stopping = stopping
        try:
            await asyncio.wait({conversation, worker, broken, stop}, return_when=asyncio.FIRST_COMPLETED)
            stopping.set()
            await asyncio.gather(worker, self.conversation.rest())
        finally:
            lost = broken.result() if broken.done() else ""
            for part in (conversation, chores, visits, broken, stop):
                part.cancel()
            ends = await asyncio.gather(conversation, chores, visits, return_exceptions=True)
            await self._release()
        if lost:
            raise SettingsError(f"The database cannot be used any more: {lost}.")
        _raise_first(ends)

    async def _notice_visitors(self) -> None:
        """Somebody has changed tasks from the command line: at once, not at the next look around."""
        while True:
            try:
                await self._store.maintenance.wait_for_external_change()
                self.worker.wake()
                await self.conversation.catch_up()
            except StoreError as error:
                get_log(__name__).log(
                    level_of(error), "nobody looks for visitors for a while", reason=str(error)
                )
                await asyncio.sleep(STORE_PAUSE_S)

    async def _release(self) -> None:
        """Whoever comes next need not wait for a lease of ours. Nothing of what held one runs any more."""
        try:
            await self._store.tasks.release()
        except StoreError as error:
            # The next start ends the leases that are left.
            get_log(__name__).log(level_of(error), "leases could not be released", reason=str(error))

    async def _resume(self) -> timedelta:
        """Where the last process ended; how long nobody was there. Without it the bot works all the same."""
        now = self._now()
        away = timedelta()
        try:
            self.timing.remember(await self._store.providers.durations())
            away = now - (await self._store.maintenance.record_heartbeat(now) or now)
            await self.conversation.come_back(away)
            await self.purchase_guard.remind()
        except StoreError as error:
            get_log(__name__).log(
                level_of(error), "cards could not be brought back to life", reason=str(error)
            )
        return away

    def _build_worker(self, settings: Settings, store: Store, providers: list[Provider]) -> Worker:
        board = self.conversation.board
        journal = TaskJournal(store.tasks, self._now, self._chores.saw)
        accounts = Accounts(store.providers, self.conversation.tell_admins, self._now, store.leases)
        by_name = {provider.name: provider for provider in providers}
        poller = JobPoller(
            journal=journal,
            chat=board,
            providers=by_name,
            models=self.models,
            schedule=self.timing,
            durations=store.providers,
            accounts=accounts,
            slots=self._slots,
        )
        submitter = Submitter(
            journal=journal,
            chat=board,
            providers=by_name,
            models=self.models,
            poller=poller,
            schedule=self.timing,
            accounts=accounts,
            slots=self._slots,
            purchase_guard=self.purchase_guard,
            link=self._link,
            failover=settings.failover == "on",
            quote=self._quote,
        )
        deliverer = Deliverer(
            journal=journal,
            chat=board,
            providers=by_name,
            models=self.models,
            video_cache=self._video_cache,
            max_bytes=settings.upload_max_bytes,
        )
        return Worker(
            store=store.tasks,
            journal=journal,
            submitter=submitter,
            poller=poller,
            deliverer=deliverer,
            albums=self.conversation,
            slots=self._granted,
            purchase_guard=self.purchase_guard,
            clock=self._now,
            idle_s=store.leases.tick_s,
            breath_s=schedule.BREATH_S,
            sharing=store.leases,
        )

    def _build_served(self, settings: Settings) -> ServerDeps:
        return ServerDeps(
            settings=settings,
            rules=self.rules,
            store=self._store,
            conversation=self.conversation,
            models=self.models,
            granted=self._granted,
            at_once=self._slots.at_once,
            timing=self.timing,
            quote=self._quote,
            metrics=self.metrics,
            health=self.health,
            on_update=self.conversation.on_update,
            webhook_secret=self._hook.secret if self._hook else "",
            links=self._links,
            clock=self._now,
        )

    async def _open_page(self, user_id: int) -> PageLink | None:
        return await page_link(self.private, self._server_deps, user_id)

    def _quote(self, request: VideoRequest) -> Decimal | None:
        """What the request would cost by the prices of this moment."""
        return self.rules.settings.model_prices.quote(request, self.models[request.model])

    def _link(self, task: Task, index: int, photo: FitPhoto) -> PhotoLink:
        expires_at = self._now() + _LINKS_LIVE
        url = self._links.make(task.id, index, photo.content_type, expires_at)
        return PhotoLink(url, photo.width, photo.height)

    async def _tell_admins(self, notice: Notice) -> None:
        await self.conversation.tell_admins(notice)

    def _pauses_changed(self) -> None:
        """Cards say it, and what may go on goes on."""
        self.conversation.board.live.renew()
        self.worker.wake()

    def _wake_worker(self) -> None:
        self.worker.wake()

    def is_healthy(self) -> bool:
        """Whether the worker turns."""
        return self._now() - self.worker.turned_at < _HEALTHY_FOR

    async def obstacles(self) -> list[str]:
        """Return why the bot is not ready, in words for operators; an empty list if it is."""
        if self._stopping is None:
            return ["it is starting"]
        reasons = ["it has been told to stop"] if self._stopping.is_set() else []
        if not self.is_healthy():
            reasons.append("the worker stands still")
        if self._now() - self.conversation.answered_at >= _HEALTHY_FOR:
            reasons.append("Telegram does not answer")
        if problem := await self._database_problem():
            reasons.append(f"the database cannot be used: {problem}")
        return reasons

    async def _database_problem(self) -> str:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await self._store.tasks.next_due(self._now())
        except (StoreError, TimeoutError) as error:
            return self._store.maintenance.write_outage() or str(error) or "it does not answer in time"
        return self._store.maintenance.write_outage()

    async def is_ready(self) -> bool:
        return not await self.obstacles()


def _raise_first(ends: Iterable[BaseException | None]) -> None:
    """What ended a part before it was told to; a group of one is unwrapped for the start's one sentence."""
    for end in ends:
        error = end
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is not None and not isinstance(error, asyncio.CancelledError):
            raise error
