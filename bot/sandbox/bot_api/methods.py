"""The methods of the sandbox's Bot API, and the types of their parameters.

The tables follow https://core.telegram.org/bots/api. `name:type` may be left out, `name!:type` may not.
Types: int, float, bool, str; chat (an id or @name); file (an upload, `attach://name` or a file_id);
a name with a capital letter is an object of `_OBJECTS` or `_UNIONS`; `[type]` is a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.answer import Json

_SENDING = (
    "business_connection_id:str chat_id!:chat message_thread_id:int direct_messages_topic_id:int "
    "disable_notification:bool protect_content:bool allow_paid_broadcast:bool message_effect_id:str "
    "suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters "
)
_EDITING = (
    "business_connection_id:str chat_id:chat message_id:int inline_message_id:str "
    "reply_markup:InlineKeyboardMarkup "
)
_CAPTION = "caption:str parse_mode:str caption_entities:[MessageEntity] show_caption_above_media:bool "
_MEDIA = "type!:str media!:file " + _CAPTION

_METHODS = {
    "getMe": "",
    "getUpdates": "offset:int limit:int timeout:int allowed_updates:[str]",
    "setWebhook": "url!:str certificate:file ip_address:str max_connections:int allowed_updates:[str] "
    "drop_pending_updates:bool secret_token:str",
    "deleteWebhook": "drop_pending_updates:bool",
    "getWebhookInfo": "",
    "sendMessage": _SENDING + "text!:str parse_mode:str entities:[MessageEntity] reply_markup:ReplyMarkup "
    "link_preview_options:LinkPreviewOptions",
    "sendPhoto": _SENDING + _CAPTION + "photo!:file reply_markup:ReplyMarkup has_spoiler:bool",
    "sendVideo": _SENDING + _CAPTION + "video!:file reply_markup:ReplyMarkup duration:int width:int "
    "height:int thumbnail:file cover:file start_timestamp:int has_spoiler:bool supports_streaming:bool",
    "sendDocument": _SENDING + _CAPTION + "document!:file reply_markup:ReplyMarkup thumbnail:file "
    "disable_content_type_detection:bool",
    "sendMediaGroup": _SENDING + "media!:[InputMedia]",
    "editMessageText": _EDITING + "text!:str parse_mode:str entities:[MessageEntity] "
    "link_preview_options:LinkPreviewOptions",
    "editMessageCaption": _EDITING + _CAPTION,
    "editMessageMedia": _EDITING + "media!:InputMedia",
    "editMessageReplyMarkup": _EDITING,
    "deleteMessage": "chat_id!:chat message_id!:int",
    "answerInlineQuery": "inline_query_id!:str results!:[InlineQueryResult] cache_time:int is_personal:bool "
    "next_offset:str button:InlineQueryResultsButton",
    "answerCallbackQuery": "callback_query_id!:str text:str show_alert:bool url:str cache_time:int",
    "getFile": "file_id!:str",
    "setMyCommands": "commands!:[BotCommand] scope:BotCommandScope language_code:str",
    "getMyCommands": "scope:BotCommandScope language_code:str",
    "deleteMyCommands": "scope:BotCommandScope language_code:str",
    "sendChatAction": "business_connection_id:str chat_id!:chat message_thread_id:int action!:str",
    "getChat": "chat_id!:chat",
    "getChatMember": "chat_id!:chat user_id!:int",
    "getChatAdministrators": "chat_id!:chat return_bots:bool",
    "leaveChat": "chat_id!:chat",
    "setMessageReaction": "chat_id!:chat message_id!:int reaction:[ReactionType] is_big:bool",
    "setMyDescription": "description:str language_code:str",
    "setMyShortDescription": "short_description:str language_code:str",
}

_OBJECTS = {
    "BotCommand": "command!:str description!:str",
    "BotCommandScope": "type!:str chat_id:chat user_id:int",
    "CopyTextButton": "text!:str",
    "ForceReply": "force_reply!:bool input_field_placeholder:str selective:bool",
    "InlineKeyboardButton": "text!:str icon_custom_emoji_id:str style:str url:str callback_data:str "
    "web_app:WebAppInfo switch_inline_query:str switch_inline_query_current_chat:str "
    "switch_inline_query_chosen_chat:SwitchInlineQueryChosenChat copy_text:CopyTextButton",
    "InlineKeyboardMarkup": "inline_keyboard!:[[InlineKeyboardButton]]",
    "InlineQueryResultCachedMpeg4Gif": "type!:str id!:str mpeg4_file_id!:str title:str " + _CAPTION,
    "InlineQueryResultCachedVideo": "type!:str id!:str video_file_id!:str title!:str description:str "
    + _CAPTION,
    "InlineQueryResultsButton": "text!:str web_app:WebAppInfo start_parameter:str",
    "InputMediaPhoto": _MEDIA + "has_spoiler:bool",
    "InputMediaVideo": _MEDIA + "thumbnail:file cover:file start_timestamp:int width:int height:int "
    "duration:int supports_streaming:bool has_spoiler:bool",
    "LinkPreviewOptions": "is_disabled:bool url:str prefer_small_media:bool prefer_large_media:bool "
    "show_above_text:bool",
    "MessageEntity": "type!:str offset!:int length!:int url:str user:User language:str custom_emoji_id:str",
    "ReactionType": "type!:str emoji:str custom_emoji_id:str",
    "ReplyKeyboardRemove": "remove_keyboard!:bool selective:bool",
    "ReplyParameters": "message_id!:int chat_id:chat allow_sending_without_reply:bool quote:str "
    "quote_parse_mode:str quote_entities:[MessageEntity] quote_position:int checklist_task_id:int",
    "SuggestedPostParameters": "price:SuggestedPostPrice send_date:int",
    "SuggestedPostPrice": "currency!:str amount!:int",
    "SwitchInlineQueryChosenChat": "query:str allow_user_chats:bool allow_bot_chats:bool "
    "allow_group_chats:bool allow_channel_chats:bool",
    "User": "id!:int is_bot!:bool first_name!:str last_name:str username:str language_code:str",
    "WebAppInfo": "url!:str",
}

#: An object of one of several types: told apart by its `type`, or by its required field.
_UNIONS = {
    "InlineQueryResult": {
        "video_file_id": "InlineQueryResultCachedVideo",
        "mpeg4_file_id": "InlineQueryResultCachedMpeg4Gif",
    },
    "InputMedia": {"photo": "InputMediaPhoto", "video": "InputMediaVideo"},
    "ReplyMarkup": {
        "inline_keyboard": "InlineKeyboardMarkup",
        "force_reply": "ForceReply",
        "remove_keyboard": "ReplyKeyboardRemove",
    },
}


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str
    required: bool


@dataclass(frozen=True)
class Upload:
    """The name of a multipart part with a file, in place of the file."""

    part: str


class ContractError(Exception):
    """A call that the Bot API does not allow: a bug of the bot, never a person's mistake."""


def find_method(name: str) -> str | None:
    """Return the method's name in any capitalisation, as Telegram accepts it, or None."""
    return _BY_LOWER_NAME.get(name.lower())


def parameters_of(method: str) -> dict[str, Parameter]:
    return _PARAMETERS[method]


def read_parameters(method: str, raw: Json) -> Json:
    """Return `raw` (form texts or JSON values) as typed values; an upload becomes an `Upload`.

    Raises ContractError with the name of a parameter that is unknown, missing or of the wrong type.
    """
    return _read_fields(raw, _PARAMETERS[method], method)


def uploads_meant(params: Any) -> set[str]:
    """Return the names of the parts that parameters refer to, at any depth."""
    match params:
        case Upload(part):
            return {part}
        case str() if params.startswith("attach://"):
            return {params.removeprefix("attach://")}
        case dict():
            return set().union(*map(uploads_meant, params.values()))
        case list():
            return set().union(*map(uploads_meant, params))
        case _:
            return set()


def _read_fields(raw: Json, fields: dict[str, Parameter], where: str) -> Json:
    for name in raw:
        if name not in fields:
            raise ContractError(f'{where}: unknown parameter "{name}"')
    for field in fields.values():
        if field.required and field.name not in raw:
            raise ContractError(f'{where}: parameter "{field.name}" is missing')
    return {
        name: _read(value, fields[name].type, f'{where}: parameter "{name}"') for name, value in raw.items()
    }


def _read(value: Any, kind: str, where: str) -> Any:
    if isinstance(value, Upload):
        if kind != "file":
            raise ContractError(f"{where} cannot be an upload")
        return value
    if isinstance(value, str) and kind not in ("str", "file"):
        value = _from_text(value, kind, where)
    if kind.startswith("["):
        if not isinstance(value, list):
            raise ContractError(f"{where} must be a list")
        return [_read(item, kind[1:-1], where) for item in value]
    if kind[0].isupper():
        if not isinstance(value, dict):
            raise ContractError(f"{where} must be a JSON object ({kind})")
        kind = _member_of_union(value, kind, where)
        return _read_fields(value, _FIELDS[kind], f"{where}, {kind}")
    if not _FITS[kind](value):
        raise ContractError(f"{where} must be of type {kind}")
    return value


def _from_text(text: str, kind: str, where: str) -> Any:
    """Parse a form value: numbers, booleans and objects are JSON in it."""
    if kind == "chat" and text.startswith("@"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ContractError(f"{where} must be of type {kind}") from None


def _member_of_union(value: Json, kind: str, where: str) -> str:
    members = _UNIONS.get(kind)
    if members is None:
        return kind
    found = [name for key, name in members.items() if value.get("type") == key or key in value]
    if len(found) != 1:
        raise ContractError(f"{where} must be one of {', '.join(members.values())}")
    return found[0]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_FITS: dict[str, Callable[[Any], bool]] = {
    "int": _is_int,
    "float": lambda value: _is_int(value) or isinstance(value, float),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "file": lambda value: isinstance(value, str),
    "chat": lambda value: _is_int(value) or (isinstance(value, str) and value.startswith("@")),
}


def _table(line: str) -> dict[str, Parameter]:
    pairs = (word.split(":", 1) for word in line.split())
    return {name.rstrip("!"): Parameter(name.rstrip("!"), kind, name.endswith("!")) for name, kind in pairs}


_PARAMETERS = {method: _table(line) for method, line in _METHODS.items()}
_FIELDS = {name: _table(line) for name, line in _OBJECTS.items()}
_BY_LOWER_NAME = {method.lower(): method for method in _METHODS}
