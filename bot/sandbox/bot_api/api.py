"""The methods of the Bot API: each handles a call and returns its result or raises ApiError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.bot_api import editing, sending
from bot.sandbox.bot_api.access import find_chat, writable_chat
from bot.sandbox.bot_api.calls import Call
from bot.sandbox.bot_api.inline_answers import answer_inline_query
from bot.sandbox.chats import Member

# https://core.telegram.org/bots/api#sendchataction
_ACTIONS = """
typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker
find_location record_video_note upload_video_note
"""
# https://core.telegram.org/bots/api#reactiontypeemoji
_REACTIONS = """
👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥
🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨
🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡
"""
_TOAST_LIMIT = 200


async def carry_out(method: str, call: Call) -> Any:
    """Return the method's result. Raises ApiError with Telegram's text."""
    if method == "getUpdates":
        return await _get_updates(call)
    return METHODS[method](call)


async def _get_updates(call: Call) -> list[Json]:
    params, updates = call.params, call.world.updates
    updates.allow(params.get("allowed_updates"))
    return await updates.poll(
        offset=params.get("offset", 0),
        limit=params.get("limit", 100),
        timeout_s=params.get("timeout", 0),
        webhook_is_set=bool(call.webhook.url),
    )


def _set_webhook(call: Call) -> bool:
    params = call.params
    call.webhook.set(
        params["url"],
        secret=params.get("secret_token", ""),
        max_connections=params.get("max_connections", 40),
    )
    call.world.updates.allow(params.get("allowed_updates"))
    if params.get("drop_pending_updates"):
        call.world.updates.drop_pending()
    return True


def _delete_webhook(call: Call) -> bool:
    call.webhook.set("")
    if call.params.get("drop_pending_updates"):
        call.world.updates.drop_pending()
    return True


def _answer_callback_query(call: Call) -> bool:
    query_id, text = call.params["callback_query_id"], call.params.get("text", "")
    if len(text) > _TOAST_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    press = call.world.callbacks.answer(query_id)
    if text:
        call.world.show_toast(press.chat_id, press.user_id, text, alert=call.params.get("show_alert", False))
    call.world.tell({"type": "answered", "callback_id": query_id, "chat_id": press.chat_id})
    return True


def _get_file(call: Call) -> Json:
    file = call.world.files.get(call.params["file_id"])
    if file is None:
        raise bad_request("invalid file_id")
    if file.size > call.world.files.download_limit:
        raise bad_request("file is too big")
    path = str(file.path) if call.world.files.local_mode else file.file_path
    return {**file.as_json(), "file_path": path}


def _set_my_commands(call: Call) -> bool:
    params = call.params
    call.world.commands.set(params["commands"], params.get("scope"), params.get("language_code", ""))
    call.world.tell_commands()
    return True


def _get_my_commands(call: Call) -> list[Json]:
    return call.world.commands.get(call.params.get("scope"), call.params.get("language_code", ""))


def _delete_my_commands(call: Call) -> bool:
    call.world.commands.delete(call.params.get("scope"), call.params.get("language_code", ""))
    call.world.tell_commands()
    return True


def _send_chat_action(call: Call) -> bool:
    params = call.params
    chat = writable_chat(call.world, params["chat_id"])
    if params["action"] not in _ACTIONS.split():
        raise bad_request("wrong parameter action in request")
    thread_id = params.get("message_thread_id")
    call.world.tell(
        {"type": "action", "chat_id": chat.id, "thread_id": thread_id, "action": params["action"]}
    )
    return True


def _get_chat_member(call: Call) -> Json:
    chat, user_id = find_chat(call.world, call.params["chat_id"]), call.params["user_id"]
    if chat.person is not None and chat.person.id == user_id:
        return Member(chat.person.as_json()).as_json()
    if user_id in chat.members:
        return chat.members[user_id].as_json()
    if user_id in call.world.people:
        return Member(call.world.people[user_id].as_json(), "left").as_json()
    raise bad_request("member not found")


def _get_chat_administrators(call: Call) -> list[Json]:
    chat = writable_chat(call.world, call.params["chat_id"])
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    return [member.as_json() for member in chat.members.values() if member.is_admin]


def _leave_chat(call: Call) -> bool:
    chat = writable_chat(call.world, call.params["chat_id"])
    if chat.type == "private":
        raise bad_request("chat member status can't be changed in private chats")
    call.world.bot_left(chat)
    return True


def _set_message_reaction(call: Call) -> bool:
    params = call.params
    chat = writable_chat(call.world, params["chat_id"])
    if params["message_id"] not in chat.messages:
        raise bad_request("message to react not found")
    emoji = [reaction.get("emoji", "") for reaction in params.get("reaction", [])]
    # The same emoji is written with and without the variation selector for the coloured form.
    if len(emoji) > 1 or any(one.replace("\ufe0f", "") not in _REACTIONS.split() for one in emoji):
        raise bad_request("REACTION_INVALID")
    call.world.react(chat, params["message_id"], emoji)
    return True


METHODS: dict[str, Callable[[Call], Any]] = {
    "getMe": lambda call: call.world.bot.as_get_me(),
    "setWebhook": _set_webhook,
    "deleteWebhook": _delete_webhook,
    "getWebhookInfo": lambda call: call.webhook.info(),
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendVideo": sending.send_video,
    "sendDocument": sending.send_document,
    "sendMediaGroup": sending.send_media_group,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageMedia": editing.edit_media,
    "editMessageReplyMarkup": editing.edit_markup,
    "deleteMessage": editing.delete_message,
    "answerCallbackQuery": _answer_callback_query,
    "answerInlineQuery": answer_inline_query,
    "getFile": _get_file,
    "setMyCommands": _set_my_commands,
    "getMyCommands": _get_my_commands,
    "deleteMyCommands": _delete_my_commands,
    "sendChatAction": _send_chat_action,
    "getChat": lambda call: find_chat(call.world, call.params["chat_id"]).as_full_json(),
    "getChatMember": _get_chat_member,
    "getChatAdministrators": _get_chat_administrators,
    "leaveChat": _leave_chat,
    "setMessageReaction": _set_message_reaction,
    "setMyDescription": lambda _call: True,
    "setMyShortDescription": lambda _call: True,
}
