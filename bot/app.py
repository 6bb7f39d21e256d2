"""The application: from the settings to a bot that runs, and to its end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.chat import Greeting, WebhookSettings
from bot.errors import SettingsError
from bot.log import get_log
from bot.maintenance.disk_space import write_problem
from bot.photo_links import PhotoLinks, secret_key, webhook_secret
from bot.provider_builders import build_providers
from bot.send_rates import TELEGRAM, Limits
from bot.settings import Settings
from bot.stores.examination import MEND_OTHER_BOT, of_another_bot
from bot.stores.open import open_store
from bot.text import use_phrases
from bot.web import WEBHOOK_PATH
from bot.wiring import Bot
from bot.worker.watchdog import Watchdog

if sys.platform != "win32":
    import resource

_FILES = 65_536
"""Open at once: connections, and what is read and written."""


@dataclass(frozen=True, slots=True)
class Started:
    """What is known once the bot is up, for whoever started it to print."""

    username: str
    models: tuple[str, ...]
    claim_link: str | None
    settings: Settings
    """Those in force: some may have been changed in the chat."""
    private_url: str | None = None
    """Of the private server, for a browser on this machine."""
    tunnel: str = ""
    """The command that leads there from another one; empty where none is needed."""


def allow_many_files() -> None:
    """Raise the soft limit on open files, which is 1,024 on most systems, to what the system allows."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def utc_now() -> datetime:
    return datetime.now(UTC)


async def run(
    settings: Settings,
    on_start: Callable[[Started], None],
    stopping: asyncio.Event | None = None,
    limits: Limits = TELEGRAM,
) -> None:
    """The bot, until SIGTERM, SIGINT or `stopping`. `limits` are Telegram's sending rates.

    SettingsError when it cannot start or go on.
    """
    token = settings.token
    allow_many_files()
    stop = stopping or asyncio.Event()
    async with AsyncExitStack() as parts:
        if stopping is None:
            _stop_on_signals(stop)
        watchdog = Watchdog()
        watchdog.start()
        parts.callback(watchdog.stop)
        store = await open_store(settings.database_url)
        parts.push_async_callback(store.close)
        check_bot(await store.maintenance.claim_for_bot(settings.bot_id), settings.bot_id)
        prepare_data_dir(settings.data_dir)
        use_phrases(settings.phrases_dir)
        providers = build_providers(settings, utc_now)
        for provider in providers:
            parts.push_async_callback(provider.close)
        key = secret_key(settings.secret_key, settings.data_dir)
        links = PhotoLinks(settings.public_url or "", key)
        bot = Bot(token, settings, store, providers, links, limits=limits, hook=_hook(settings, key))
        parts.push_async_callback(bot.conversation.close)
        await bot.rules.read()
        greeting = await bot.conversation.start()
        for server in bot.build_servers():
            parts.push_async_callback(server.close)
            await server.start()
        on_start(_started(bot, greeting))
        await bot.run(stop)


def prepare_data_dir(folder: Path) -> None:
    """Make the folder for videos and keys. Raises SettingsError if nothing can be written to it: what is
    bought could not be delivered."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = write_problem(folder)
    except OSError as error:
        problem = error.strerror or type(error).__name__
    if problem:
        raise SettingsError(f"Nothing can be written to DATA_DIR {folder}: {problem}.")


def check_bot(owner: int, bot_id: int) -> None:
    """Raise SettingsError if the database belongs to another bot: its updates have the same ids as ours."""
    if owner != bot_id:
        raise SettingsError(f"{of_another_bot(owner, bot_id)} {MEND_OTHER_BOT}")


def _started(bot: Bot, greeting: Greeting) -> Started:
    models, server = tuple(bot.models), bot.private
    if server is None:
        return Started(greeting.username, models, greeting.claim_link, bot.rules.settings)
    settings = bot.rules.settings
    return Started(greeting.username, models, greeting.claim_link, settings, server.address, server.tunnel)


def _hook(settings: Settings, key: str) -> WebhookSettings | None:
    if settings.telegram_mode == "polling":
        return None
    return WebhookSettings(
        f"{settings.public_url}{WEBHOOK_PATH}", webhook_secret(settings.telegram_webhook_secret, key)
    )


def _stop_on_signals(stopping: asyncio.Event) -> None:
    def stop() -> None:
        get_log(__name__).info("stopping: nothing new is started")
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
