"""What the operator's page reads, and what it may do. `bot/app.py` builds it."""

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
    """The moves of the chat's own buttons. `by` is the admin; a Problem, or a DreamreelError with a sentence,
    says why it cannot be."""

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
    """How many jobs each provider may be given at once, as it was set up."""
    at_once: Callable[[str], Awaitable[int | None]]
    """How many it is given at present: fewer, where it has refused more."""
    usual_s: Callable[[Task], float | None]
    """How long such a task usually takes at its provider."""
    quote: Callable[[VideoRequest], Decimal | None]
    """What a request would cost now; None where no price says it."""
    is_admin: Callable[[int], Awaitable[bool]]
    health: Health
    redact: Callable[[str], str]
    """Takes every secret out of a provider's words."""
    clock: Callable[[], datetime]
    zone: ZoneInfo
    currency: str
    has_tls: bool
    """Whether browsers reach it by https: then the cookie is never sent in clear."""
