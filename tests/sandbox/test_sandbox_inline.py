"""Inline mode: what a person types behind the bot's name in any chat, and what is sent of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from films import film
from sandbox_client import Sandbox, running_sandbox
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultCachedMpeg4Gif,
    InlineQueryResultCachedVideo,
    InlineQueryResultsButton,
    SwitchInlineQueryChosenChat,
)
from telegram.error import BadRequest

from bot.sandbox import Chat, Json
from bot.sandbox.inline import LIFETIME_S, InlineQuery

_TOO_OLD = "Query is too old and response timeout expired or query id is invalid"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running
        assert running.world.complaints == []


@pytest.fixture
def outside(sandbox: Sandbox) -> Chat:
    """A group in which the bot is no member."""
    return sandbox.world.add_group("Weekend", [sandbox.ada, sandbox.boris], with_bot=False)


async def _film(sandbox: Sandbox) -> str:
    """The file_id of a video that the bot has sent."""
    sent = await sandbox.bot.send_video(sandbox.private.id, b"a film", filename="boat.mp4")
    assert sent.video is not None
    return sent.video.file_id


async def _refusal(sandbox: Sandbox, asked: InlineQuery, **params: Any) -> str:
    params = {"inline_query_id": asked.id, "results": []} | params
    answer = await sandbox.call("answerInlineQuery", **params)
    assert not asked.answered.done()
    return str(answer.get("description", "")).removeprefix("Bad Request: ")


def _result(file_id: str, result_id: str = "1", title: str = "a boat") -> Json:
    return {"type": "video", "id": result_id, "video_file_id": file_id, "title": title}


async def test_a_query_says_who_asks_what_but_not_in_which_chat(sandbox: Sandbox, outside: Chat) -> None:
    asked = sandbox.world.ask_inline(sandbox.ada, outside, "a boat", "20")
    (update,) = await sandbox.updates()
    assert update["inline_query"] == {
        "id": asked.id,
        "from": sandbox.ada.as_json(),
        "query": "a boat",
        "offset": "20",
        "chat_type": "group",
    }


async def test_a_chosen_video_is_sent_where_the_bot_is_no_member(sandbox: Sandbox, outside: Chat) -> None:
    file_id = await _film(sandbox)
    asked = sandbox.world.ask_inline(sandbox.ada, outside, "")
    results = [InlineQueryResultCachedVideo("1", file_id, "a boat", caption="<b>mine</b>", parse_mode="HTML")]
    button = InlineQueryResultsButton("Make one", start_parameter="m_1")
    await sandbox.bot.answer_inline_query(asked.id, results, next_offset="20", button=button)
    answer = await asked.answered
    assert (answer.next_offset, answer.button) == (
        "20",
        {"text": "Make one", "start_parameter": "m_1"},
    )
    await sandbox.updates()
    sent = sandbox.world.choose(sandbox.ada, outside, asked.id, "1")
    assert (sent["from"]["id"], sent["via_bot"]["username"]) == (sandbox.ada.id, "dreamreel_bot")
    assert (sent["video"]["file_id"], sent["caption"]) == (file_id, "mine")
    assert await sandbox.updates() == []


async def test_the_bot_sees_what_is_sent_via_itself_where_it_is_a_member(sandbox: Sandbox) -> None:
    asked = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    await sandbox.call("answerInlineQuery", inline_query_id=asked.id, results=[_result(await _film(sandbox))])
    sandbox.world.choose(sandbox.ada, sandbox.group, asked.id, "1")
    (message,) = await sandbox.messages()
    assert message["via_bot"]["id"] == sandbox.world.bot.id


async def test_feedback_on_what_was_chosen_comes_only_if_it_is_on(sandbox: Sandbox, outside: Chat) -> None:
    sandbox.world.bot = replace(sandbox.world.bot, inline_feedback=True)
    asked = sandbox.world.ask_inline(sandbox.ada, outside, "boat")
    await sandbox.call("answerInlineQuery", inline_query_id=asked.id, results=[_result(await _film(sandbox))])
    await sandbox.updates()
    sandbox.world.choose(sandbox.ada, outside, asked.id, "1")
    (update,) = await sandbox.updates()
    assert update["chosen_inline_result"] == {
        "result_id": "1",
        "from": sandbox.ada.as_json(),
        "query": "boat",
    }


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"next_offset": "я" * 33}, "NEXT_OFFSET_INVALID"),
        ({"button": {"text": "Make", "start_parameter": "a boat"}}, "START_PARAM_INVALID"),
        ({"button": {"text": "Make", "start_parameter": ""}}, "START_PARAM_INVALID"),
        ({"button": {"text": "Make", "start_parameter": "x" * 65}}, "START_PARAM_INVALID"),
        ({"results": [_result("nowhere")]}, "wrong file identifier/HTTP URL specified"),
    ],
)
async def test_an_answer_that_telegram_would_refuse_is_refused(
    sandbox: Sandbox, params: Json, refusal: str
) -> None:
    asked = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    assert await _refusal(sandbox, asked, **params) == refusal


async def test_results_have_titles_and_ids_of_their_own_and_are_at_most_fifty(sandbox: Sandbox) -> None:
    file_id = await _film(sandbox)
    asked = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    for results, refusal in (
        ([_result(file_id, str(number)) for number in range(51)], "RESULTS_TOO_MUCH"),
        ([_result(file_id), _result(file_id)], "RESULT_ID_DUPLICATE"),
        ([_result(file_id, "x" * 65)], "RESULT_ID_INVALID"),
        ([_result(file_id, title="")], "VIDEO_TITLE_EMPTY"),
    ):
        assert await _refusal(sandbox, asked, results=results) == refusal


async def test_a_film_without_sound_is_an_animation_and_offered_as_one(
    sandbox: Sandbox, outside: Chat
) -> None:
    sent = await sandbox.bot.send_video(sandbox.private.id, film(), filename="boat.mp4")
    assert sent.animation is not None
    file_id = sent.animation.file_id
    asked = sandbox.world.ask_inline(sandbox.ada, outside, "")
    refusal = "can't use file of type Animation as Video"
    assert await _refusal(sandbox, asked, results=[_result(file_id)]) == refusal
    await sandbox.bot.answer_inline_query(asked.id, [InlineQueryResultCachedMpeg4Gif("1", file_id)])
    chosen = sandbox.world.choose(sandbox.ada, outside, asked.id, "1")
    assert chosen["animation"]["file_id"] == file_id


async def test_a_button_opens_a_chat_or_an_app_and_never_both() -> None:
    async with running_sandbox() as sandbox:
        asked = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
        assert "exactly one" in await _refusal(sandbox, asked, button={"text": "Make"})
        assert "is missing" in await _refusal(
            sandbox, asked, results=[{"type": "video", "video_file_id": "1"}]
        )
        assert len(sandbox.world.complaints) == 2


async def test_a_query_can_be_answered_once_and_within_half_a_minute(sandbox: Sandbox) -> None:
    asked = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    await sandbox.bot.answer_inline_query(asked.id, [])
    late = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "late")
    sandbox.clock.now += LIFETIME_S + 1
    for query_id in (asked.id, late.id, "7"):
        with pytest.raises(BadRequest, match=_TOO_OLD):
            await sandbox.bot.answer_inline_query(query_id, [])


@pytest.mark.parametrize("is_personal", [True, False])
async def test_telegram_keeps_an_answer_for_a_while(sandbox: Sandbox, is_personal: bool) -> None:
    asked = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    await sandbox.bot.answer_inline_query(asked.id, [], cache_time=10, is_personal=is_personal)
    await sandbox.updates()
    again = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    theirs = sandbox.world.ask_inline(sandbox.boris, sandbox.group, "")
    assert (again.answered.done(), theirs.answered.done()) == (True, not is_personal)
    sandbox.clock.now += 11
    assert not sandbox.world.ask_inline(sandbox.ada, sandbox.group, "").answered.done()


async def test_a_bot_whose_inline_mode_is_off_is_asked_nothing(sandbox: Sandbox) -> None:
    assert (await sandbox.bot.get_me()).supports_inline_queries
    asked = sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    sandbox.world.set_inline(on=False)
    assert not (await sandbox.bot.get_me()).supports_inline_queries
    with pytest.raises(ValueError, match="no inline mode"):
        sandbox.world.ask_inline(sandbox.ada, sandbox.group, "")
    assert await _refusal(sandbox, asked) == "USER_BOT_INVALID"


async def test_a_button_that_starts_a_query_needs_inline_mode(sandbox: Sandbox) -> None:
    chosen = SwitchInlineQueryChosenChat("a boat", allow_group_chats=True)
    button = InlineKeyboardButton("Share", switch_inline_query_chosen_chat=chosen)
    keyboard = InlineKeyboardMarkup([[button]])
    sent = await sandbox.bot.send_message(sandbox.private.id, "Here it is", reply_markup=keyboard)
    assert sent.reply_markup == keyboard
    sandbox.world.set_inline(on=False)
    with pytest.raises(BadRequest, match="Button_type_invalid"):
        await sandbox.bot.send_message(sandbox.private.id, "Here it is", reply_markup=keyboard)


async def test_the_page_asks_and_sends_what_was_chosen(sandbox: Sandbox, outside: Chat) -> None:
    here = {"chat_id": outside.id, "user_id": sandbox.ada.id}

    async def post(name: str, **body: Any) -> Json:
        async with sandbox.http.post(sandbox.server.page_url + name, json=body) as response:
            result: Json = await response.json()
        return result

    file_id = await _film(sandbox)
    asking = asyncio.create_task(post("inline", **here, query="a boat"))
    updates = await sandbox.server.wait_for(lambda: sandbox.world.updates.pending)
    query_id = updates[-1]["inline_query"]["id"]
    await sandbox.call("answerInlineQuery", inline_query_id=query_id, results=[_result(file_id)])
    answer = await asking
    assert answer["results"][0]["media"]["file_id"] == file_id
    assert (await post("choose", **here, query_id=query_id, result_id="1"))["ok"]
    assert not (await post("choose", **here, query_id=query_id, result_id="2"))["ok"]
    (sent,) = sandbox.world.messages(outside)
    assert sent["video"]["file_id"] == file_id
    stranger = {"chat_id": outside.id, "user_id": sandbox.world.add_stranger().id}
    assert not (await post("inline", **stranger, query=""))["ok"]
