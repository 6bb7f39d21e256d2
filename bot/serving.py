"""The two web servers, wired to the bot: the public one, and the private one with the operator's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.chat import Conversation, PageLink
from bot.log import redactor
from bot.maintenance.metrics import Metrics
from bot.media.media_info import FitPhoto
from bot.photo_links import PhotoLinks
from bot.request import VideoModel, VideoRequest
from bot.settings import Settings, secrets_of
from bot.store import Store
from bot.task import END_STATES, Task
from bot.web import Health, OnUpdate, PrivateServer, Webhook, WebServer, metrics_routes
from bot.web.admin import LINK_LIVES, AdminContext, AdminPages, make_link
from bot.worker.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDeps:
    """What the servers show of the bot."""

    settings: Settings
    rules: LiveSettings
    store: Store
    conversation: Conversation
    models: Mapping[str, VideoModel]
    granted: Mapping[str, int]
    """Slots by provider, as operators set them."""
    at_once: Callable[[str], Awaitable[int | None]]
    """Slots of a provider that are in use at present."""
    timing: Schedule
    quote: Callable[[VideoRequest], Decimal | None]
    metrics: Metrics | None
    health: Health
    on_update: OnUpdate | None
    """Takes what Telegram calls with; None where it is polled."""
    webhook_secret: str
    links: PhotoLinks
    clock: Callable[[], datetime]


def public_server(server_deps: ServerDeps) -> WebServer | None:
    """None where LISTEN_PORT is not set."""
    settings = server_deps.settings
    if settings.listen_port is None:
        return None
    return WebServer(
        settings.listen_host,
        settings.listen_port,
        health=server_deps.health,
        open_photo=partial(_open_photo, server_deps) if settings.public_url else None,
        links=server_deps.links if settings.public_url else None,
        clock=server_deps.clock,
        webhook=Webhook(server_deps.webhook_secret, server_deps.on_update) if server_deps.on_update else None,
    )


def private_server(server_deps: ServerDeps) -> PrivateServer | None:
    """None where PRIVATE_PORT is off."""
    settings = server_deps.settings
    if settings.private_port is None:
        return None
    figures = metrics_routes(server_deps.metrics.render) if server_deps.metrics else []
    return PrivateServer(
        settings.private_host,
        settings.private_port,
        health=server_deps.health,
        routes=[*figures, *AdminPages(_sources(server_deps)).routes()],
        address=settings.private_url,
        any_port="private_port" not in settings.model_fields_set,
    )


async def page_link(server: PrivateServer | None, server_deps: ServerDeps, user_id: int) -> PageLink | None:
    """The way to the operator's page for one admin: to the one of this process, or where PRIVATE_URL says."""
    address = server.address if server else server_deps.settings.private_url
    if address is None:
        return None
    url = await make_link(server_deps.store.tokens, address, user_id, server_deps.clock())
    return PageLink(url, int(LINK_LIVES.total_seconds() / 60), server.tunnel if server else "")


async def _open_photo(server_deps: ServerDeps, task_id: str, index: int) -> FitPhoto | None:
    """A task's photo for its provider, fetched from Telegram anew; None where there is none."""
    task = await server_deps.store.tasks.get(task_id)
    model = server_deps.models.get(task.request.model) if task else None
    if task is None or model is None or index >= len(task.request.photos):
        return None
    if task.state in END_STATES:
        return None  # nobody needs it any more
    request = task.request
    photo = request.photos[index]
    return await server_deps.conversation.board.photo(photo, model.photo_rules, request.crop, task.user_id)


def _sources(server_deps: ServerDeps) -> AdminContext:
    settings, models, timing = server_deps.settings, server_deps.models, server_deps.timing

    def usual_s(task: Task) -> float | None:
        model = models.get(task.request.model)
        return None if model is None else timing.usual_s(model, task.request)

    def quote(request: VideoRequest) -> Decimal | None:
        return server_deps.quote(request) if request.model in models else None

    return AdminContext(
        store=server_deps.store,
        moves=server_deps.conversation.moves,
        permissions=Permissions(server_deps.store.audit, server_deps.clock),
        rules=server_deps.rules,
        models=models,
        granted=server_deps.granted,
        at_once=server_deps.at_once,
        usual_s=usual_s,
        quote=quote,
        is_admin=server_deps.conversation.is_admin,
        health=server_deps.health,
        redact=redactor(secrets_of(settings)),
        clock=server_deps.clock,
        zone=settings.zone,
        currency=settings.currency,
        has_tls=(settings.private_url or "").startswith("https:"),
    )
