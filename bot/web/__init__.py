"""The bot's own web server: whether it is well. It listens only where LISTEN_PORT is set."""

from bot.web.health import HealthServer

__all__ = ["HealthServer"]
