"""Which messages of people reach the bot. https://core.telegram.org/bots/features#privacy-mode"""

from __future__ import annotations

from bot.sandbox.answer import Json
from bot.sandbox.chats import BotAccount, Chat

_SERVICE_FIELDS = (
    "new_chat_members",
    "left_chat_member",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "forum_topic_created",
    "forum_topic_closed",
)


def reaches_bot(message: Json, chat: Chat, bot: BotAccount, *, bare_commands: bool) -> bool:
    """Return True if the bot sees the message. `bare_commands`: `/x` without its name reaches it."""
    if chat.type == "private":
        return not chat.blocked
    member = chat.members.get(bot.id)
    if member is None or not member.is_in_chat:
        return False
    if member.is_admin or bot.reads_all_group_messages or any(field in message for field in _SERVICE_FIELDS):
        return True
    if message.get("via_bot", {}).get("id") == bot.id:
        return True
    if message.get("reply_to_message", {}).get("from", {}).get("id") == bot.id:
        return True
    command = _leading_command(message)
    if command is None:
        return False
    _, at, name = command.partition("@")
    return name.lower() == bot.username.lower() if at else bare_commands


def _leading_command(message: Json) -> str | None:
    """Return the command at the start of a text or caption. A mention alone does not count."""
    text = message.get("text") or message.get("caption") or ""
    entities = message.get("entities") or message.get("caption_entities") or []
    for entity in entities:
        if entity["type"] == "bot_command" and entity["offset"] == 0:
            return str(text[: entity["length"]])
    return None
