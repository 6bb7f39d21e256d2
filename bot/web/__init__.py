"""The bot's web servers: the public one (health, photos by link, Telegram's webhook), if LISTEN_PORT is set,
and the private one (readiness, metrics, the operator's page), which listens on loopback."""

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
