"""The Telegram side: no other folder imports python-telegram-bot."""

from bot.chat.conversation import Conversation, Greeting
from bot.chat.furnishing import furnish_desk
from bot.chat.hooked import Hook
from bot.chat.operator import PageLink

__all__ = ["Conversation", "Greeting", "Hook", "PageLink", "furnish_desk"]
