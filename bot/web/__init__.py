"""The bot's web servers. The public one (health, photo links) listens only if LISTEN_PORT is set, the private
one (the operator's page, metrics) on loopback."""

from bot.web.health import Health
from bot.web.private import PrivateServer
from bot.web.server import WebServer
from bot.web.servers import ServerDeps, private_server, public_server
from bot.web.webhook import WEBHOOK_PATH, Webhook

__all__ = [
    "WEBHOOK_PATH",
    "Health",
    "PrivateServer",
    "ServerDeps",
    "WebServer",
    "Webhook",
    "private_server",
    "public_server",
]
