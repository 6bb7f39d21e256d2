"""The desk at which commands work: the settings and the store, opened beside the bot that may be using it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.request import VideoModel
    from bot.settings import Settings
    from bot.store import Store
    from bot.task import Task


@dataclass(frozen=True, slots=True)
class CliContext:
    """What a command works with."""

    settings: Settings
    store: Store

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def ahead(self, tasks: list[Task]) -> dict[str, int]:
        """How many are served before those that wait."""
        return {task.id: await self.store.tasks.count_ahead(task) for task in tasks if task.waits_for_slot}

    @asynccontextmanager
    async def models(self) -> AsyncIterator[dict[str, VideoModel]]:
        from bot.providers import build_models, build_providers  # noqa: PLC0415

        providers = build_providers(self.settings, lambda: self.now)
        try:
            yield build_models(self.settings, providers)
        finally:
            for provider in providers:
                await provider.close()


def run(work: Callable[[CliContext], Awaitable[None]]) -> None:
    """One sentence where it cannot be done, and the exit code 1; 2 where something must be set up first."""
    from bot.errors import DreamreelError, SettingsError  # noqa: PLC0415

    try:
        asyncio.run(_at_the_desk(work))
    except DreamreelError as error:
        click.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


async def _at_the_desk(work: Callable[[CliContext], Awaitable[None]]) -> None:
    from bot.admin.live_settings import settle_rules  # noqa: PLC0415
    from bot.log import set_up_logs  # noqa: PLC0415
    from bot.settings import load_settings, secrets_of  # noqa: PLC0415
    from bot.store.changes import THE_BOT  # noqa: PLC0415
    from bot.stores.opening import visit_store  # noqa: PLC0415

    settings = load_settings()
    set_up_logs("error", settings.log_format, secrets_of(settings))
    store = await visit_store(settings.database_url)
    try:
        in_force = settle_rules(settings, await store.audit.in_force(THE_BOT))
        await work(CliContext(in_force.settings, store))
    finally:
        await store.close()
