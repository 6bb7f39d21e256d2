"""Check reply markups as Telegram does."""

from __future__ import annotations

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.bot_api.methods import ContractError
from bot.sandbox.chats import BotAccount

_ACTIONS = (
    *(
        "url",
        "callback_data",
        "web_app",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
    ),
)
_STYLES = frozenset({"danger", "success", "primary"})


def markup_to_show(params: Json, bot: BotAccount) -> Json:
    """Return `{"reply_markup": …}` for the message, or nothing if the call has none or an empty one.

    Raises ApiError for a keyboard that Telegram refuses.
    """
    markup = params.get("reply_markup")
    if markup is None:
        return {}
    if "inline_keyboard" not in markup:
        return {"reply_markup": markup}
    rows = [row for row in markup["inline_keyboard"] if row]
    for row in rows:
        for button in row:
            _check_button(button, bot)
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _check_button(button: Json, bot: BotAccount) -> None:
    if not button["text"]:
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
    actions = [action for action in _ACTIONS if action in button]
    if not actions:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if len(actions) > 1:
        raise ContractError(f"InlineKeyboardButton: exactly one of {', '.join(actions)} may be given")
    # What Telegram's servers do with such a button of a bot without inline mode is not documented.
    if actions[0].startswith("switch_inline") and not bot.supports_inline_queries:
        raise bad_request("BUTTON_TYPE_INVALID")
    if button.get("style", "primary") not in _STYLES:
        raise ContractError(f'InlineKeyboardButton: unknown style "{button["style"]}"')
    # The limit is in bytes, not characters: three Cyrillic letters are six.
    if not 1 <= len(button.get("callback_data", "-").encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if not button.get("url", "tg://-").startswith(("http://", "https://", "tg://")):
        raise bad_request(
            f"inline keyboard button URL '{button['url']}' is invalid: unsupported URL protocol"
        )
    if not 1 <= len(button.get("copy_text", {"text": "-"})["text"]) <= 256:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
