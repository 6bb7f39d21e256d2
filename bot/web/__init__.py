"""The bot's web servers. The public one (health, photo links) listens only if LISTEN_PORT is set, the private
one (the operator's page, metrics) on loopback."""

from bot.web.health import Health
from bot.web.metrics_route import metrics_routes
from bot.web.photos import OpenPhoto
from bot.web.private import PrivateServer
from bot.web.server import WebServer
from bot.web.webhook import WEBHOOK_PATH, OnUpdate, Webhook

__all__ = [
    "WEBHOOK_PATH",
    "Health",
    "OnUpdate",
    "OpenPhoto",
    "PrivateServer",
    "WebServer",
    "Webhook",
    "metrics_routes",
]
