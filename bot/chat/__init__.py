"""The Telegram side: no other folder imports python-telegram-bot."""

from bot.chat.conversation import Conversation, Greeting
from bot.chat.features.admin_page import PageLink
from bot.chat.furnishing import build_chat_context
from bot.chat.telegram_io.webhook import WebhookSettings

__all__ = ["Conversation", "Greeting", "PageLink", "WebhookSettings", "build_chat_context"]
