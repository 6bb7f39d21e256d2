"""The composition root: build every part of the bot, connect them, run them and stop them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.chat import ChatDeps, Conversation, Greeting, PageLink, WebhookSettings, build_chat_context
from bot.errors import SettingsError, StoreError
from bot.log import get_log, level_of, redactor
from bot.maintenance.disk_space import prepare_data_dir
from bot.maintenance.maintenance import Maintenance
from bot.media.media_info import FitPhoto
from bot.media.video_cache import VideoCache
from bot.photo_links import PhotoLinks, key_mark, secret_key, webhook_secret
from bot.provider import PhotoLink, Provider
from bot.providers import build_models, build_providers
from bot.request import VideoRequest
from bot.send_rates import TELEGRAM, Limits
from bot.settings import Settings, secrets_of
from bot.store import Notice, Store
from bot.stores.examination import MEND_OTHER_BOT, of_another_bot
from bot.stores.open import is_shared, open_store
from bot.styles import use_styles
from bot.task import END_STATES, Task
from bot.text import use_phrases
from bot.web import WEBHOOK_PATH, Health, ServerDeps, Webhook, private_server, public_server
from bot.web.admin import LINK_LIVES, AdminContext, Names, make_link
from bot.web.connections import allow_many_files
from bot.worker.deps import WorkerDeps
from bot.worker.journal import TaskJournal
from bot.worker.loop import Worker
from bot.worker.provider_health import ProviderHealth
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.queue_watch import QueueWatch
from bot.worker.schedule import CLAIM_PAUSE_S, STORE_PAUSE_S, Schedule
from bot.worker.watchdog import Watchdog

_HEALTHY_FOR = timedelta(seconds=120)
_LINKS_LIVE = timedelta(hours=12)
"""A provider fetches a photo when the job begins, which may be after a long queue of its own."""
_READY_WITHIN_S = 2.0
_TAKEOVER_S = 15.0
"""By then the other processes have noticed that a process died or hangs."""


@dataclass(frozen=True, slots=True)
class StartInfo:
    """What is known once the bot is up, for the command line to print."""

    username: str
    models: tuple[str, ...]
    claim_link: str | None
    settings: Settings
    """The settings in force: admins may have changed some in the chat."""
    private_url: str | None = None
    """The address of the private server, for a browser on this machine."""
    tunnel: str = ""
    """The command that leads there from another machine; empty if none is needed."""


def utc_now() -> datetime:
    return datetime.now(UTC)


async def run(
    settings: Settings,
    on_start: Callable[[StartInfo], None],
    stopping: asyncio.Event | None = None,
    limits: Limits = TELEGRAM,
) -> None:
    """Run the bot until SIGTERM, SIGINT or `stopping`. `limits` are Telegram's sending rates.

    Raises SettingsError if it cannot start or go on.
    """
    token = settings.token
    allow_many_files()
    stop = stopping or asyncio.Event()
    async with AsyncExitStack() as stack:
        if stopping is None:
            _stop_on_signals(stop)
        watchdog = Watchdog()
        watchdog.start()
        stack.callback(watchdog.stop)
        store = await open_store(settings.database_url)
        stack.push_async_callback(store.close)
        check_bot(await store.maintenance.claim_for_bot(settings.bot_id), settings.bot_id)
        prepare_data_dir(settings.data_dir)
        await compare_keys(store, settings)
        use_phrases(settings.phrases_dir)
        use_styles(settings.styles_file)
        providers = build_providers(settings, utc_now)
        for provider in providers:
            stack.push_async_callback(provider.close)
        app = App(token, settings, store, providers, limits)
        stack.push_async_callback(app.conversation.close)
        await app.live_settings.read()
        greeting = await app.conversation.start()
        for server in app.servers:
            stack.push_async_callback(server.close)
            await server.start()
        on_start(app.started(greeting))
        await app.run(stop)


def check_bot(owner: int, bot_id: int) -> None:
    """Raise SettingsError if the database belongs to another bot: its updates have the same ids as ours."""
    if owner != bot_id:
        raise SettingsError(f"{of_another_bot(owner, bot_id)} {MEND_OTHER_BOT}")


async def compare_keys(store: Store, settings: Settings) -> None:
    """Store the mark of SECRET_KEY; warn if the process before had another, which refuses our links."""
    if settings.secret_key is None:
        return
    mark = key_mark(settings.secret_key.get_secret_value())
    if await store.maintenance.put_key_mark(mark) not in (None, mark):
        get_log(__name__).warning(
            "SECRET_KEY is not that of the process that started before: set the same for all of them"
        )


class App:
    """All parts of the bot, connected to each other."""

    def __init__(
        self, token: str, settings: Settings, store: Store, providers: list[Provider], limits: Limits
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = store.leases.now
        self._stopping: asyncio.Event | None = None
        self._log = get_log(__name__)
        self.models = build_models(settings, providers)
        key = secret_key(settings.secret_key, settings.data_dir)
        self._links = PhotoLinks(settings.public_url or "", key)
        self._schedule = Schedule(settings.poll_max_seconds)
        self._video_cache = VideoCache(settings.data_dir / "videos", settings.keep_files_mb * 1_000_000)
        self.live_settings = LiveSettings(settings, store.audit, self._clock, self.models)
        granted = {provider.name: provider.concurrency for provider in providers}
        self._health = ProviderHealth(store, granted, self._tell_admins, self._clock)
        self._purchase_guard = PurchaseGuard(
            store,
            settings=lambda: self.live_settings.settings,
            models=self.models,
            tell_admins=self._tell_admins,
            changed=self._pauses_changed,
            clock=self._clock,
        )
        self._maintenance = Maintenance(
            settings,
            store,
            health=self._health,
            models=self.models,
            schedule=self._schedule,
            video_cache=self._video_cache,
            live_settings=self.live_settings,
            clock=self._clock,
        )
        webhook = _webhook_settings(settings, key)
        self.conversation = self._build_conversation(token, webhook, limits, providers)
        self._worker = self._build_worker(providers)
        store.leases.on_work(self._worker.wake)
        deps = self._server_deps(webhook)
        self._private_server = private_server(deps)
        servers = public_server(deps), self._private_server
        self.servers = [server for server in servers if server is not None]

    def started(self, greeting: Greeting) -> StartInfo:
        """Return what the command line prints once the servers listen."""
        server = self._private_server
        return StartInfo(
            greeting.username,
            tuple(self.models),
            greeting.claim_link,
            self.live_settings.settings,
            server.address if server else None,
            server.tunnel if server else "",
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Run every part until `stopping`; then end what has begun, while cards are still updated."""
        away = await self._resume()
        conversation = asyncio.create_task(self.conversation.run(), name="conversation")
        worker = asyncio.create_task(self._worker.run(stopping), name="worker")
        maintenance = asyncio.create_task(
            self._maintenance.run(
                away, self.conversation.operators, self.is_ready, storage=self.conversation.storage
            ),
            name="maintenance",
        )
        changes = asyncio.create_task(self._follow_external_changes(), name="following external changes")
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
            reason = broken.result() if broken.done() else ""
            for part in (conversation, maintenance, changes, broken, stop):
                part.cancel()
            ends = await asyncio.gather(conversation, maintenance, changes, return_exceptions=True)
            await self._release_leases()
        if reason:
            raise SettingsError(f"The database cannot be used any more: {reason}.")
        _raise_first(ends)

    def is_healthy(self) -> bool:
        """Return True if the worker's loop runs."""
        return self._clock() - self._worker.turned_at < _HEALTHY_FOR

    async def is_ready(self) -> bool:
        return not await self.obstacles()

    async def obstacles(self) -> list[str]:
        """Return why the bot is not ready, in words for operators; an empty list if it is."""
        if self._stopping is None:
            return ["it is starting"]
        reasons = ["it has been told to stop"] if self._stopping.is_set() else []
        if not self.is_healthy():
            reasons.append("the worker stands still")
        if self._clock() - self.conversation.answered_at >= _HEALTHY_FOR:
            reasons.append("Telegram does not answer")
        if problem := await self._database_problem():
            reasons.append(f"the database cannot be used: {problem}")
        return reasons

    async def _database_problem(self) -> str:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await self._store.tasks.next_due(self._clock())
        except (StoreError, TimeoutError) as error:
            return self._store.maintenance.write_outage() or str(error) or "it does not answer in time"
        return self._store.maintenance.write_outage()

    def _build_conversation(
        self, token: str, webhook: WebhookSettings | None, limits: Limits, providers: list[Provider]
    ) -> Conversation:
        ctx = build_chat_context(
            token,
            ChatDeps(
                settings=self._settings,
                live_settings=self.live_settings,
                store=self._store,
                models=self.models,
                schedule=self._schedule,
                queue_watch=QueueWatch(
                    self._store.statistics,
                    slots=self._health.usable_slots,
                    pause=self._purchase_guard.blocking,
                    down=self._health.down,
                    clock=self._clock,
                ),
                video_cache=self._video_cache,
                providers={provider.name: provider for provider in providers},
                clock=self._clock,
                wake=self._wake_worker,
                purchase_guard=self._purchase_guard,
                open_page=self._open_page,
            ),
            on_answer=self._maintenance.telegram_answered,
            limits=limits,
        )
        takeover_s = _TAKEOVER_S if is_shared(self._settings.database_url) else 0.0
        return Conversation(ctx, hook=webhook, takeover_s=takeover_s)

    def _build_worker(self, providers: list[Provider]) -> Worker:
        storage = self.conversation.storage
        deps = WorkerDeps(
            chat=self.conversation.board,
            providers={provider.name: provider for provider in providers},
            models=self.models,
            journal=TaskJournal(
                self._store.tasks,
                self._clock,
                self._maintenance.task_saved,
                redactor(secrets_of(self._settings)),
            ),
            schedule=self._schedule,
            durations=self._store.providers,
            people=self._store.people,
            health=self._health,
            purchase_guard=self._purchase_guard,
            video_cache=self._video_cache,
            link=self._photo_link,
            quote=self._quote,
            failover=self._settings.failover == "on",
            store_video=storage.keep if storage else None,
            upload_max_bytes=self._settings.upload_max_bytes,
        )
        return Worker(deps, self._store, self.conversation, claim_pause_s=CLAIM_PAUSE_S)

    def _server_deps(self, webhook: WebhookSettings | None) -> ServerDeps:
        on_update = self.conversation.on_update
        metrics = self._maintenance.metrics
        return ServerDeps(
            settings=self._settings,
            admin=self._admin_context(),
            render_metrics=metrics.render if metrics else None,
            webhook=Webhook(webhook.secret, on_update) if webhook and on_update else None,
            links=self._links,
            open_photo=self._open_photo,
        )

    def _admin_context(self) -> AdminContext:
        settings = self._settings
        return AdminContext(
            store=self._store,
            actions=self.conversation.actions,
            permissions=Permissions(self._store.audit, self._clock),
            live_settings=self.live_settings,
            models=self.models,
            granted=self._health.granted,
            at_once=self._health.usable_slots,
            usual_s=self._usual_s,
            quote=self._quote,
            configured_admins=settings.admin_users,
            down=self._health.down,
            fetches_down=self._health.fetches_down,
            names=Names(self.conversation.name_of, self._clock),
            is_admin=self.conversation.is_admin,
            health=Health(self.is_healthy, self.obstacles),
            redact=redactor(secrets_of(settings)),
            clock=self._clock,
            zone=settings.zone,
            currency=settings.currency,
            has_tls=(settings.private_url or "").startswith("https:"),
        )

    async def _resume(self) -> timedelta:
        """Continue where the last process ended; return how long the bot was not running.

        If the database refuses, the bot starts all the same.
        """
        now = self._clock()
        away = timedelta()
        try:
            self._schedule.remember(await self._store.providers.durations())
            away = now - (await self._store.maintenance.record_heartbeat(now) or now)
            await self.conversation.come_back(away)
            await self._purchase_guard.remind()
        except StoreError as error:
            get_log(__name__).log(
                level_of(error), "cards could not be brought back to life", reason=str(error)
            )
        return away

    async def _follow_external_changes(self) -> None:
        """Act at once on what the command line changes, until cancelled."""
        while True:
            try:
                await self._store.maintenance.wait_for_external_change()
                self._worker.wake()
                await self.conversation.catch_up()
            except StoreError as error:
                get_log(__name__).log(
                    level_of(error), "nobody looks for visitors for a while", reason=str(error)
                )
                await asyncio.sleep(STORE_PAUSE_S)

    async def _release_leases(self) -> None:
        """Release all leases of this process, so that the next one need not wait for their end."""
        try:
            await self._store.tasks.release()
        except StoreError as error:
            # The next start ends the leases that are left.
            self._log.log(level_of(error), "leases could not be released", reason=str(error))

    async def _tell_admins(self, notice: Notice) -> None:
        await self.conversation.tell_admins(notice)

    def _pauses_changed(self) -> None:
        """Show the pauses on cards, and let go on what may."""
        self.conversation.board.live.renew()
        self._worker.wake()

    def _wake_worker(self) -> None:
        self._worker.wake()

    def _quote(self, request: VideoRequest) -> Decimal | None:
        """Return what the request costs by the prices in force; None if no price is set."""
        model = self.models.get(request.model)
        return self.live_settings.settings.model_prices.quote(request, model) if model else None

    def _usual_s(self, task: Task) -> float | None:
        model = self.models.get(task.request.model)
        return self._schedule.usual_s(model, task.request) if model else None

    def _photo_link(self, task: Task, index: int, photo: FitPhoto) -> PhotoLink:
        expires_at = self._clock() + _LINKS_LIVE
        url = self._links.make(task.id, index, photo.content_type, expires_at)
        return PhotoLink(url, photo.width, photo.height)

    async def _open_photo(self, task_id: str, index: int) -> FitPhoto | None:
        """Fetch a task's photo from Telegram, for its provider; None if no provider needs it (any more)."""
        task = await self._store.tasks.get(task_id)
        model = self.models.get(task.request.model) if task else None
        if task is None or model is None or index >= len(task.request.photos) or task.state in END_STATES:
            return None
        photo, crop = task.request.photos[index], task.request.crop
        return await self.conversation.board.photo(photo, model.photo_rules, crop, task.user_id)

    async def _open_page(self, user_id: int) -> PageLink | None:
        """Make a link to the operator's page for one admin: in this process, or at PRIVATE_URL."""
        server = self._private_server
        address = server.address if server else self._settings.private_url
        if address is None:
            return None
        url = await make_link(self._store.tokens, address, user_id, self._clock())
        return PageLink(url, int(LINK_LIVES.total_seconds() / 60), server.tunnel if server else "")


def _webhook_settings(settings: Settings, key: str) -> WebhookSettings | None:
    if settings.telegram_mode == "polling":
        return None
    secret = webhook_secret(settings.telegram_webhook_secret, key)
    return WebhookSettings(f"{settings.public_url}{WEBHOOK_PATH}", secret)


def _raise_first(ends: Iterable[BaseException | None]) -> None:
    """Raise the first error that ended a part. A group of one error is unwrapped."""
    for end in ends:
        error = end
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is not None and not isinstance(error, asyncio.CancelledError):
            raise error


def _stop_on_signals(stopping: asyncio.Event) -> None:
    def stop() -> None:
        get_log(__name__).info("stopping: nothing new is started")
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
