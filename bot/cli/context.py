"""What commands work with: the settings and the store, opened beside a bot that may be running."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from bot.admin.actions import ActionRefused, AdminActions
from bot.admin.live_settings import apply_changes
from bot.errors import DreamreelError, SettingsError
from bot.log import set_up_logs
from bot.request import VideoModel
from bot.settings import Settings, load_settings, secrets_of
from bot.store import Store, TaskFilter
from bot.store.audit import THE_BOT
from bot.stores.open import visit_store
from bot.task import Task


@dataclass(frozen=True, slots=True)
class CliContext:
    """The settings and the store of a command."""

    settings: Settings
    store: Store

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def ahead(self, tasks: list[Task]) -> dict[str, int]:
        """Return how many tasks are served before each waiting one, by its id."""
        return {task.id: await self.store.tasks.count_ahead(task) for task in tasks if task.waits_for_slot}

    def actions(self, models: Mapping[str, VideoModel] | None = None) -> AdminActions:
        """Return what an admin can do. `models` are needed by those that order or poll."""
        prices, known = self.settings.model_prices, models or {}
        return AdminActions(
            self.store,
            known,
            quote=lambda request: prices.quote(request, known[request.model]),
            configured_admins=self.settings.admin_users,
            clock=lambda: self.now,
        )

    @asynccontextmanager
    async def models(self) -> AsyncIterator[dict[str, VideoModel]]:
        """Yield the models that are set up, by name."""
        # 140 ms, which most commands do without.
        from bot.providers import build_models, build_providers  # noqa: PLC0415

        providers = build_providers(self.settings, lambda: self.now)
        try:
            yield build_models(self.settings, providers)
        finally:
            for provider in providers:
                await provider.close()


async def find_task(store: Store, name: str) -> Task:
    """Return the task with this id, or the only one whose id begins with `name`. Raises ActionRefused."""
    if (task := await store.tasks.get(name)) is not None:
        return task
    found = await store.tasks.list_tasks(TaskFilter(id_prefix=name), 2) if name else []
    if len(found) != 1:
        raise ActionRefused(
            f"{'No task has' if not found else 'Several tasks have'} an id that begins with {name}."
        )
    return found[0]


def run(work: Callable[[CliContext], Awaitable[None]]) -> None:
    """Run a command. If it fails, print one sentence and exit with 1, or with 2 if a setting is wrong."""
    try:
        asyncio.run(_run(work))
    except DreamreelError as error:
        click.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


async def _run(work: Callable[[CliContext], Awaitable[None]]) -> None:
    settings = load_settings()
    set_up_logs("error", settings.log_format, secrets_of(settings))
    store = await visit_store(settings.database_url)
    try:
        in_force = apply_changes(settings, await store.audit.in_force(THE_BOT))
        await work(CliContext(in_force.settings, store))
    finally:
        await store.close()
