"""Check which chats and messages the bot may use, with Telegram's own error texts."""

from __future__ import annotations

from bot.sandbox.answer import ApiError, Json, bad_request, forbidden
from bot.sandbox.chats import Chat
from bot.sandbox.faults import MIGRATED
from bot.sandbox.state import State

#: The permission for each kind of message, and Telegram's name for it.
_RIGHTS = {
    "text": ("can_send_messages", "text messages"),
    "photo": ("can_send_photos", "photos"),
    "video": ("can_send_videos", "videos"),
    "document": ("can_send_documents", "documents"),
}


def find_chat(state: State, chat_id: int | str) -> Chat:
    """Return the chat that the bot names. Raises ApiError if it is unknown or became a supergroup."""
    chat = state.chats.get(chat_id) if isinstance(chat_id, int) else None
    if chat is None:
        raise bad_request("chat not found")
    if chat.migrated_to is not None:
        raise ApiError(400, MIGRATED, migrate_to_chat_id=chat.migrated_to)
    return chat


def writable_chat(state: State, chat_id: int | str) -> Chat:
    """Return the chat if the bot may write there. Raises ApiError 403 if not."""
    chat = find_chat(state, chat_id)
    if chat.type == "private":
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        if not chat.started:
            raise forbidden("bot can't initiate conversation with a user")
        return chat
    member = chat.members.get(state.bot.id)
    if member is not None and member.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.type} chat")
    if member is None or not member.is_in_chat:
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    return chat


def check_may_send(state: State, chat: Chat, kind: str) -> None:
    """Check that the bot may send this `kind`: text, photo or video. Raises ApiError if not."""
    permission, name = _RIGHTS[kind]
    if chat.type != "private" and not chat.allows(chat.members[state.bot.id], permission):
        raise bad_request(f"not enough rights to send {name} to the chat")


def check_topic(state: State, chat: Chat, thread_id: int | None) -> None:
    """Check that the topic, if there is one, is open to the bot. Raises ApiError if not."""
    if thread_id in chat.closed_topics and not chat.members[state.bot.id].is_admin:
        raise bad_request("TOPIC_CLOSED")


def message_to_edit(state: State, params: Json) -> tuple[Chat, Json]:
    """Return a message of the bot that it can edit. Raises ApiError with Telegram's text."""
    if "inline_message_id" in params:
        raise bad_request("MESSAGE_ID_INVALID")  # no result here has buttons, so no message has such an id
    if "chat_id" not in params or "message_id" not in params:
        raise bad_request("message identifier is not specified")
    chat = writable_chat(state, params["chat_id"])
    message = chat.messages.get(params["message_id"])
    if message is None:
        raise bad_request("message to edit not found")
    shows_other_keyboard = "inline_keyboard" not in message.get("reply_markup", {"inline_keyboard": 0})
    if message["from"]["id"] != state.bot.id or shows_other_keyboard:
        raise bad_request("message can't be edited")
    return chat, message
