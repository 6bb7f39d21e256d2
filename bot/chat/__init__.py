"""The Telegram side: no other folder imports python-telegram-bot."""

from bot.chat.build_context import build_chat_context
from bot.chat.conversation import Conversation, Greeting
from bot.chat.deps import ChatDeps, PageLink
from bot.chat.telegram_io.webhook import WebhookSettings

__all__ = ["ChatDeps", "Conversation", "Greeting", "PageLink", "WebhookSettings", "build_chat_context"]
