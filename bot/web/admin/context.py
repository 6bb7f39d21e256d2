"""What the operator's page can read and do. `bot/app.py` passes it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.admin.actions import AdminActions
from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.request import VideoModel, VideoRequest
from bot.store import Store
from bot.task import Task
from bot.web.admin.names import Names
from bot.web.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminContext:
    store: Store
    actions: AdminActions
    permissions: Permissions
    live_settings: LiveSettings
    models: Mapping[str, VideoModel]
    granted: Mapping[str, int]
    """How many jobs each provider may run at the same time, by the settings."""
    at_once: Callable[[str], Awaitable[int | None]]
    """How many it runs at present: fewer if it has refused more."""
    usual_s: Callable[[Task], float | None]
    """How long such a task usually takes at its provider."""
    quote: Callable[[VideoRequest], Decimal | None]
    """What a request would cost now; None without a price."""
    configured_admins: Collection[int]
    """Those of ADMIN_USERS: they are removed there alone."""
    down: Callable[[], Mapping[str, datetime]]
    """Providers that have not answered for minutes, and since when."""
    fetches_down: Callable[[], Mapping[str, datetime]]
    """Those whose finished videos could not be fetched for minutes."""
    names: Names
    is_admin: Callable[[int], Awaitable[bool]]
    health: Health
    redact: Callable[[str], str]
    """Removes every secret from a provider's text."""
    clock: Callable[[], datetime]
    zone: ZoneInfo
    currency: str
    has_tls: bool
    """True if browsers reach the page by https: then the cookie is never sent in clear."""
