"""The Telegram side: no other folder imports python-telegram-bot."""

from bot.chat.conversation import Conversation

__all__ = ["Conversation"]
