"""What the application hands to the chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.admin.live_settings import LiveSettings
from bot.chat.cards.price_labels import PriceLabels
from bot.media.video_cache import VideoCache
from bot.provider import Provider
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Store
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.queue_watch import QueueWatch
from bot.worker.schedule import Schedule


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to the operator's page for one admin."""

    url: str
    """Opens the page once."""
    minutes: int
    """How long the link is valid."""
    tunnel: str
    """The command that opens a tunnel to it from another machine; empty if none is needed."""


OpenPage = Callable[[int], Awaitable[PageLink | None]]
"""Returns a link for the admin with this id; None if there is no page."""


@dataclass(frozen=True, kw_only=True)
class ChatDeps:
    settings: Settings
    """As they were at the start."""
    live_settings: LiveSettings
    """As they are in force: admins may change some of them."""
    store: Store
    models: Mapping[str, VideoModel]
    schedule: Schedule
    queue_watch: QueueWatch
    video_cache: VideoCache
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """For the original files of videos."""
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    """Tells the worker that a task is due."""
    purchase_guard: PurchaseGuard
    open_page: OpenPage

    def default_language(self) -> str:
        return self.live_settings.settings.default_language

    def default_model(self) -> str:
        return self.live_settings.settings.default_model or next(iter(self.models), "")

    async def unusable_models(self) -> frozenset[str]:
        """Return the models that nothing can be bought from: their account is in trouble, or they are
        paused."""
        troubled = {trouble.provider for trouble in await self.store.providers.troubles()}
        return frozenset(
            [
                name
                for name, model in self.models.items()
                if troubled & {name, model.provider} or await self.purchase_guard.blocking(name)
            ]
        )

    def price_labels(self) -> PriceLabels:
        """Return the labels with the prices in force now."""
        now = self.live_settings.settings
        return PriceLabels(now.model_prices, now.currency, self.models)
