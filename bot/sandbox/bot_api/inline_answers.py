"""answerInlineQuery with results that are videos: https://core.telegram.org/bots/api#answerinlinequery."""

from __future__ import annotations

import re

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.bot_api.calls import Call
from bot.sandbox.bot_api.methods import ContractError
from bot.sandbox.bot_api.sending import caption_content, video_content
from bot.sandbox.inline import InlineAnswer

_RESULTS_LIMIT = 50
_OFFSET_BYTES = 64
_ID_BYTES = 64
_START_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CACHE_S = 300
_KINDS = {"video_file_id": "Video", "mpeg4_file_id": "Animation"}


def answer_inline_query(call: Call) -> bool:
    """Store the answer for the person who asked. The descriptions of errors are those of Telegram's servers:
    https://core.telegram.org/method/messages.setInlineBotResults"""
    params, results = call.params, call.params["results"]
    if not call.world.bot.supports_inline_queries:
        raise bad_request("USER_BOT_INVALID")  # https://github.com/tdlib/telegram-bot-api/issues/568
    if len(results) > _RESULTS_LIMIT:
        raise bad_request("RESULTS_TOO_MUCH")
    if len(params.get("next_offset", "").encode()) > _OFFSET_BYTES:
        raise bad_request("NEXT_OFFSET_INVALID")
    button = params.get("button")
    if button is not None:
        _check_button(button)
    contents: dict[str, Json] = {}
    for result in results:
        if not 1 <= len(result["id"].encode()) <= _ID_BYTES:
            raise bad_request("RESULT_ID_INVALID")
        if result["id"] in contents:
            raise bad_request("RESULT_ID_DUPLICATE")
        if not result.get("title", "-"):
            raise bad_request("VIDEO_TITLE_EMPTY")
        kind, file_id = next((kind, result[key]) for key, kind in _KINDS.items() if key in result)
        call.world.files.reuse(file_id, kind)
        content = video_content(call, result, file_id, nested=True)
        contents[result["id"]] = content | caption_content(result)
    answer = InlineAnswer(results, contents, params.get("next_offset", ""), button)
    call.world.inline.answer(
        params["inline_query_id"],
        answer,
        cache_s=params.get("cache_time", _CACHE_S),
        is_personal=params.get("is_personal", False),
    )
    return True


def _check_button(button: Json) -> None:
    if not button["text"]:
        raise ContractError("InlineQueryResultsButton: its text is empty")
    if ("start_parameter" in button) == ("web_app" in button):
        raise ContractError("InlineQueryResultsButton: exactly one of web_app, start_parameter may be given")
    if not _START_PARAMETER.fullmatch(button.get("start_parameter", "-")):
        raise bad_request("START_PARAM_INVALID")
