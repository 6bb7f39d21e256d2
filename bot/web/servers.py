"""The two web servers, built from what they show of the bot: the public one, and the private one."""

from __future__ import annotations

from dataclasses import dataclass

from bot.photo_links import PhotoLinks
from bot.settings import Settings
from bot.web.admin import AdminContext, AdminPages
from bot.web.metrics_route import Render, metrics_routes
from bot.web.photos import OpenPhoto
from bot.web.private import PrivateServer
from bot.web.server import WebServer
from bot.web.webhook import Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDeps:
    """What the servers show of the bot."""

    settings: Settings
    admin: AdminContext
    render_metrics: Render | None
    webhook: Webhook | None
    """None if Telegram is polled."""
    links: PhotoLinks
    open_photo: OpenPhoto


def public_server(deps: ServerDeps) -> WebServer | None:
    """Build the public server; None if LISTEN_PORT is not set."""
    settings = deps.settings
    if settings.listen_port is None:
        return None
    return WebServer(
        settings.listen_host,
        settings.listen_port,
        health=deps.admin.health,
        open_photo=deps.open_photo if settings.public_url else None,
        links=deps.links if settings.public_url else None,
        clock=deps.admin.clock,
        webhook=deps.webhook,
    )


def private_server(deps: ServerDeps) -> PrivateServer | None:
    """Build the private server; None if PRIVATE_PORT is off."""
    settings = deps.settings
    if settings.private_port is None:
        return None
    metrics = metrics_routes(deps.render_metrics) if deps.render_metrics else []
    return PrivateServer(
        settings.private_host,
        settings.private_port,
        health=deps.admin.health,
        routes=[*metrics, *AdminPages(deps.admin).routes()],
        address=settings.private_url,
        any_port="private_port" not in settings.model_fields_set,
    )
