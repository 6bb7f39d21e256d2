"""The bot's own web server: its health, and photos by link. It listens only where LISTEN_PORT is set."""

from bot.web.server import WebServer

__all__ = ["WebServer"]
