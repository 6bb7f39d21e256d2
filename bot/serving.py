"""The two web servers, wired to the bot: the public one, and the private one with the operator's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from bot.admin.live_settings import Rules
from bot.admin.permissions import Standings
from bot.chat import Conversation, PageLink
from bot.log import blotter
from bot.maintenance.metrics import Metrics
from bot.media.media_info import FitPhoto
from bot.photo_links import PhotoLinks
from bot.request import VideoModel, VideoRequest
from bot.settings import Settings, secrets_of
from bot.store import Store
from bot.task import END_STATES, Task
from bot.web import Health, OnUpdate, PrivateServer, Webhook, WebServer, metrics_routes
from bot.web.admin import LINK_LIVES, AdminPages, Sources, make_link
from bot.worker.schedule import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the servers show of the bot."""

    settings: Settings
    rules: Rules
    store: Store
    conversation: Conversation
    models: Mapping[str, VideoModel]
    granted: Mapping[str, int]
    """Slots by provider, as operators set them."""
    at_once: Callable[[str], Awaitable[int | None]]
    """Slots of a provider that are in use at present."""
    timing: Timing
    quote: Callable[[VideoRequest], Decimal | None]
    metrics: Metrics | None
    health: Health
    on_update: OnUpdate | None
    """Takes what Telegram calls with; None where it is polled."""
    webhook_secret: str
    links: PhotoLinks
    clock: Callable[[], datetime]


def public_server(served: Served) -> WebServer | None:
    """None where LISTEN_PORT is not set."""
    settings = served.settings
    if settings.listen_port is None:
        return None
    return WebServer(
        settings.listen_host,
        settings.listen_port,
        health=served.health,
        open_photo=partial(_open_photo, served) if settings.public_url else None,
        links=served.links if settings.public_url else None,
        clock=served.clock,
        webhook=Webhook(served.webhook_secret, served.on_update) if served.on_update else None,
    )


def private_server(served: Served) -> PrivateServer | None:
    """None where PRIVATE_PORT is off."""
    settings = served.settings
    if settings.private_port is None:
        return None
    figures = metrics_routes(served.metrics.render) if served.metrics else []
    return PrivateServer(
        settings.private_host,
        settings.private_port,
        health=served.health,
        routes=[*figures, *AdminPages(_sources(served)).routes()],
        address=settings.private_url,
        any_port="private_port" not in settings.model_fields_set,
    )


async def page_link(server: PrivateServer | None, served: Served, user_id: int) -> PageLink | None:
    """The way to the operator's page for one admin: to the one of this process, or where PRIVATE_URL says."""
    address = server.address if server else served.settings.private_url
    if address is None:
        return None
    url = await make_link(served.store, address, user_id, served.clock())
    return PageLink(url, int(LINK_LIVES.total_seconds() / 60), server.tunnel if server else "")


async def _open_photo(served: Served, task_id: str, index: int) -> FitPhoto | None:
    """A task's photo for its provider, fetched from Telegram anew; None where there is none."""
    task = await served.store.get(task_id)
    model = served.models.get(task.request.model) if task else None
    if task is None or model is None or index >= len(task.request.photos):
        return None
    if task.state in END_STATES:
        return None  # nobody needs it any more
    request = task.request
    return await served.conversation.screen.photo(request.photos[index], model.photo_rules, request.crop)


def _sources(served: Served) -> Sources:
    settings, models, timing = served.settings, served.models, served.timing

    def usual_s(task: Task) -> float | None:
        model = models.get(task.request.model)
        return None if model is None else timing.usual_s(model, task.request)

    def quote(request: VideoRequest) -> Decimal | None:
        return served.quote(request) if request.model in models else None

    return Sources(
        store=served.store,
        moves=served.conversation.moves,
        standings=Standings(served.store, served.clock),
        rules=served.rules,
        models=models,
        granted=served.granted,
        at_once=served.at_once,
        usual_s=usual_s,
        quote=quote,
        is_admin=served.conversation.is_admin,
        health=served.health,
        blot=blotter(secrets_of(settings)),
        clock=served.clock,
        zone=settings.zone,
        currency=settings.currency,
        has_tls=(settings.private_url or "").startswith("https:"),
    )
