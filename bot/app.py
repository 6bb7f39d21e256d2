"""The application: puts the parts together; the only file that knows them all."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.chat import Conversation
from bot.deliver import Deliverer
from bot.errors import SettingsError, StoreError
from bot.ledger import Ledger
from bot.log import get_log
from bot.look import Looker
from bot.media.shelf import VideoShelf
from bot.provider import Provider
from bot.providers._fetch import VideoFetcher
from bot.providers._http import Http
from bot.providers.preview import Preview
from bot.providers.volcengine import Volcengine
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Store, UpdateStore
from bot.stores.sqlite import SQLiteStore
from bot.submit import Submitter
from bot.timing import Timing
from bot.watchdog import Watchdog
from bot.web import HealthServer
from bot.worker import Worker

_HEALTHY_FOR = timedelta(seconds=120)
_PRUNE_EVERY_S = 3600.0
_UPDATES_KEPT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Started:
    """What is known once the bot is up, for whoever started it to print."""

    username: str
    models: tuple[str, ...]
    claim_link: str | None


def utc_now() -> datetime:
    return datetime.now(UTC)


def secrets_of(settings: Settings) -> list[str]:
    """What must never be seen in a log."""
    hidden = [settings.telegram_bot_token, settings.volcengine_secret_access_key]
    secrets = [secret.get_secret_value() for secret in hidden if secret is not None]
    return [*secrets, *filter(None, [settings.volcengine_access_key_id])]


def build_providers(settings: Settings) -> list[Provider]:
    """One for each account that is set up, and always the preview, last."""
    providers: list[Provider] = []
    if settings.volcengine_access_key_id and settings.volcengine_secret_access_key:
        providers.append(
            Volcengine(
                settings.volcengine_access_key_id,
                settings.volcengine_secret_access_key,
                settings.volcengine_base_url,
                settings.volcengine_concurrency,
                http=Http(),
                fetcher=VideoFetcher(settings.trusted_private_hosts),
                clock=utc_now,
            )
        )
    providers.append(Preview(settings.data_dir / "preview"))
    return providers


async def run(
    settings: Settings, on_start: Callable[[Started], None], stopping: asyncio.Event | None = None
) -> None:
    """The bot, until SIGTERM, SIGINT or `stopping`. SettingsError when it cannot start or go on."""
    token = settings.token
    stop = stopping or asyncio.Event()
    async with AsyncExitStack() as parts:
        if stopping is None:
            _stop_on_signals(stop)
        watchdog = Watchdog()
        watchdog.start()
        parts.callback(watchdog.stop)
        store = await SQLiteStore.open(settings.sqlite_path, utc_now)
        parts.push_async_callback(store.close)
        providers = build_providers(settings)
        for provider in providers:
            parts.push_async_callback(provider.close)
        bot = Bot(token, settings, store, providers)
        parts.push_async_callback(bot.conversation.close)
        greeting = await bot.conversation.start()
        if settings.listen_port is not None:
            server = HealthServer(settings.listen_host, settings.listen_port, bot.is_healthy)
            parts.push_async_callback(server.close)
            await server.start()
        on_start(Started(greeting.username, tuple(bot.models), greeting.claim_link))
        await bot.run(stop)


class Bot:
    """The worker and the conversation, wired to each other."""

    def __init__(self, token: str, settings: Settings, store: Store, providers: list[Provider]) -> None:
        self.models = _offered(providers, settings.default_model)
        self._store = store
        self.conversation = Conversation(
            token,
            settings,
            store,
            models=self.models,
            default_model=next(iter(self.models)),
            clock=utc_now,
            wake_worker=self._wake_worker,
        )
        self.worker = _build_worker(settings, store, providers, self.conversation)

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; then the worker ends in its own time, with the chat still there for it."""
        conversation = asyncio.create_task(self.conversation.run(), name="conversation")
        worker = asyncio.create_task(self.worker.run(stopping), name="worker")
        pruning = asyncio.create_task(prune_updates(self._store), name="pruning")
        try:
            await asyncio.wait({conversation, worker}, return_when=asyncio.FIRST_COMPLETED)
            stopping.set()
            await worker
        finally:
            for part in (conversation, pruning):
                part.cancel()
            ends = await asyncio.gather(conversation, pruning, return_exceptions=True)
        _raise_first(ends)

    def _wake_worker(self) -> None:
        self.worker.wake()

    def is_healthy(self) -> bool:
        """Whether the worker turns and Telegram answers."""
        oldest = min(self.worker.turned_at, self.conversation.answered_at)
        return utc_now() - oldest < _HEALTHY_FOR


def _build_worker(
    settings: Settings, store: Store, providers: list[Provider], conversation: Conversation
) -> Worker:
    screen = conversation.screen
    ledger = Ledger(store, utc_now)
    schedule = Timing(settings.poll_max_seconds)
    by_name = {provider.name: provider for provider in providers}
    models = {model.name: model for provider in providers for model in provider.models}
    looker = Looker(ledger=ledger, chat=screen, providers=by_name, models=models, schedule=schedule)
    return Worker(
        store=store,
        ledger=ledger,
        submitter=Submitter(
            ledger=ledger, chat=screen, providers=by_name, models=models, looker=looker, schedule=schedule
        ),
        looker=looker,
        deliverer=Deliverer(
            ledger=ledger,
            chat=screen,
            providers=by_name,
            models=models,
            shelf=VideoShelf(settings.data_dir / "videos", settings.keep_files_mb * 1_000_000),
        ),
        slots={provider.name: provider.concurrency for provider in providers},
        clock=utc_now,
    )


def _offered(providers: list[Provider], default: str | None) -> dict[str, VideoModel]:
    """By name, the default first; the preview last, unless it is chosen."""
    models = {model.name: model for provider in providers for model in provider.models}
    if default is None:
        return models
    if default not in models:
        raise SettingsError(f"DEFAULT_MODEL: there is no {default} here. Set up are: {', '.join(models)}.")
    return {default: models[default], **models}


async def prune_updates(store: UpdateStore, every_s: float = _PRUNE_EVERY_S) -> None:
    """Forget old updates now and then, until cancelled."""
    while True:
        try:
            await store.prune_updates(utc_now() - _UPDATES_KEPT)
        except StoreError as error:
            get_log(__name__).warning("old updates could not be forgotten", reason=str(error))
        await asyncio.sleep(every_s)


def _stop_on_signals(stopping: asyncio.Event) -> None:
    def stop() -> None:
        get_log(__name__).info("stopping: nothing is begun any more")
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _raise_first(ends: Iterable[BaseException | None]) -> None:
    """What ended a part before it was told to; a group of one is unwrapped for the start's one sentence."""
    for end in ends:
        error = end
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is not None and not isinstance(error, asyncio.CancelledError):
            raise error
