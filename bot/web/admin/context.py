"""What the operator's page can read and do. `bot/app.py` passes it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.request import Problem, VideoModel, VideoRequest
from bot.store import Store
from bot.task import Task
from bot.web.health import Health


class Moves(Protocol):
    """The actions of the chat's buttons. `by` is the admin. If one is not possible, they return a Problem
    or raise a DreamreelError with a sentence."""

    async def cancel(self, task_id: str, by: int) -> Problem | None: ...

    async def put_first(self, task_id: str, by: int) -> Problem | None: ...

    async def retry(self, task_id: str, by: int) -> Problem | None: ...

    async def allow(self, subject: int, by: int) -> Problem | None: ...

    async def ban(self, subject: int, by: int) -> Problem | None: ...

    async def pause(self, model: str, by: int) -> Problem | None: ...

    async def resume(self, model: str, by: int) -> Problem | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminContext:
    store: Store
    moves: Moves
    permissions: Permissions
    rules: LiveSettings
    models: Mapping[str, VideoModel]
    granted: Mapping[str, int]
    """How many jobs each provider may run at the same time, by the settings."""
    at_once: Callable[[str], Awaitable[int | None]]
    """How many it runs at present: fewer if it has refused more."""
    usual_s: Callable[[Task], float | None]
    """How long such a task usually takes at its provider."""
    quote: Callable[[VideoRequest], Decimal | None]
    """What a request would cost now; None without a price."""
    is_admin: Callable[[int], Awaitable[bool]]
    health: Health
    redact: Callable[[str], str]
    """Removes every secret from a provider's text."""
    clock: Callable[[], datetime]
    zone: ZoneInfo
    currency: str
    has_tls: bool
    """True if browsers reach the page by https: then the cookie is never sent in clear."""
