"""The Telegram side: no other folder imports python-telegram-bot."""

from bot.chat.conversation import Conversation, Greeting
from bot.chat.features.admin_page import PageLink
from bot.chat.furnishing import furnish_desk
from bot.chat.telegram_io.webhook import Hook

__all__ = ["Conversation", "Greeting", "Hook", "PageLink", "furnish_desk"]
