"""Edit and delete messages of the bot: text, captions, media, keyboards."""

from __future__ import annotations

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.bot_api.access import check_may_send, message_to_edit, writable_chat
from bot.sandbox.bot_api.calls import Call
from bot.sandbox.bot_api.keyboards import markup_to_show
from bot.sandbox.bot_api.sending import caption_content, input_media_content, text_content
from bot.sandbox.chats import Chat

_TEXT = frozenset({"text", "entities", "link_preview_options"})
_CAPTION = frozenset({"caption", "caption_entities", "show_caption_above_media"})
_MEDIA = frozenset({"photo", "video", "animation", "document", "has_media_spoiler"})

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup "
    "are exactly the same as a current content and reply markup of the message"
)


def edit_text(call: Call) -> Json:
    chat, message = message_to_edit(call.world, call.params)
    content = text_content(call.params)
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    return _replace(call, chat, message, _TEXT, content)


def edit_caption(call: Call) -> Json:
    chat, message = message_to_edit(call.world, call.params)
    content = caption_content(call.params)
    if not _MEDIA & message.keys():
        raise bad_request("there is no caption in the message to edit")
    return _replace(call, chat, message, _CAPTION, content)


def edit_media(call: Call) -> Json:
    """Replace a message's media. Text may become media; media never becomes text."""
    media = call.params["media"]
    chat, message = message_to_edit(call.world, call.params)
    check_may_send(call.world, chat, media["type"])
    content = input_media_content(call, media)
    return _replace(call, chat, message, _TEXT | _CAPTION | _MEDIA, content)


def edit_markup(call: Call) -> Json:
    chat, message = message_to_edit(call.world, call.params)
    return _replace(call, chat, message, frozenset(), {}, dated=False)


def delete_message(call: Call) -> bool:
    world, params = call.world, call.params
    chat = writable_chat(world, params["chat_id"])
    message = chat.messages.get(params["message_id"])
    if message is None:
        raise bad_request("message to delete not found")
    is_own = message["from"]["id"] == world.bot.id
    bot = chat.members.get(world.bot.id)
    may_delete_all = chat.type == "private" or (
        bot is not None and bot.is_admin and bot.rights.get("can_delete_messages", False)
    )
    if not is_own and not may_delete_all:
        raise bad_request("message can't be deleted")
    world.remove(chat, message["message_id"])
    return True


def _replace(
    call: Call,
    chat: Chat,
    message: Json,
    dropped: frozenset[str],
    content: Json,
    *,
    dated: bool = True,
) -> Json:
    """Return the new keyboard. Without one, an edit removes the old keyboard, as in Telegram."""
    gone = dropped | {"reply_markup", "edit_date"}
    kept = {key: value for key, value in message.items() if key not in gone}
    edited = kept | content | markup_to_show(call.params, call.world.bot)
    if edited == {key: value for key, value in message.items() if key != "edit_date"}:
        raise bad_request(_NOT_MODIFIED)
    if not dated and "edit_date" in message:
        edited["edit_date"] = message["edit_date"]
    call.world.replace(chat, edited, edited=dated)
    return call.world.view(chat, edited, for_bot=True)
