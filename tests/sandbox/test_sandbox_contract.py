"""The sandbox's Bot API checks each call against Telegram's documentation and says loudly what is wrong."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import telegram
from sandbox_client import Sandbox, running_sandbox
from telegram.constants import ReactionEmoji

from bot.sandbox.bot_api.api import METHODS
from bot.sandbox.bot_api.methods import ContractError, Upload, parameters_of, read_parameters

# Parameters that the library makes up for its users, or sends in another form.
_LIBRARY_ONLY = {
    *("allow_sending_without_reply", "reply_to_message_id", "disable_web_page_preview", "filename"),
    *("read_timeout", "write_timeout", "connect_timeout", "pool_timeout", "api_kwargs", "self"),
    "current_offset",
}
_ALBUM_ONLY = {"caption", "parse_mode", "caption_entities"}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_knows_the_parameters_that_the_library_knows(method: str) -> None:
    name = re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), method)
    known = inspect.signature(getattr(telegram.Bot, name)).parameters
    expected = set(known) - _LIBRARY_ONLY - (_ALBUM_ONLY if method == "sendMediaGroup" else set())
    ours = parameters_of(method)
    assert expected <= set(ours)
    required = {name for name, parameter in ours.items() if parameter.required}
    assert required == {name for name in expected if known[name].default is inspect.Parameter.empty}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"text": "x"}, 'sendMessage: parameter "chat_id" is missing'),
        ({"chat_id": 1, "text": "x", "txt": "y"}, 'sendMessage: unknown parameter "txt"'),
        ({"chat_id": 1, "text": 5}, 'sendMessage: parameter "text" must be of type str'),
        ({"chat_id": "Ada", "text": "x"}, 'sendMessage: parameter "chat_id" must be of type chat'),
        (
            {"chat_id": 1, "text": "x", "protect_content": "yes"},
            'sendMessage: parameter "protect_content" must be of type bool',
        ),
        (
            {"chat_id": 1, "text": "x", "reply_parameters": {"message": 5}},
            'sendMessage: parameter "reply_parameters", ReplyParameters: unknown parameter "message"',
        ),
        (
            {"chat_id": 1, "text": "x", "reply_markup": {"keyboard": []}},
            'sendMessage: parameter "reply_markup" must be one of '
            "InlineKeyboardMarkup, ForceReply, ReplyKeyboardRemove",
        ),
    ],
)
async def test_a_broken_call_is_refused_by_name_and_noted(
    sandbox: Sandbox, params: dict[str, Any], problem: str
) -> None:
    answer = await sandbox.call("sendMessage", **params)
    assert answer == {"ok": False, "error_code": 400, "description": f"Bad Request: {problem}"}
    assert sandbox.world.complaints == [problem]
    assert sandbox.server.calls[-1].error == f"Bad Request: {problem}"


def test_texts_of_a_form_are_read_as_what_the_parameter_is() -> None:
    raw = {"chat_id": "-5", "message_thread_id": "7", "has_spoiler": "true", "photo": Upload("photo")}
    assert read_parameters("sendPhoto", raw) == {
        "chat_id": -5,
        "message_thread_id": 7,
        "has_spoiler": True,
        "photo": Upload("photo"),
    }
    with pytest.raises(ContractError, match="cannot be an upload"):
        read_parameters("sendPhoto", {**raw, "caption": Upload("caption")})


async def test_what_telegram_refuses_for_its_content_is_no_complaint(sandbox: Sandbox) -> None:
    answer = await sandbox.call("sendMessage", chat_id=sandbox.private.id, text="  ")
    assert answer["description"] == "Bad Request: message text is empty"
    assert sandbox.world.complaints == []


async def test_an_unknown_method_is_not_found_and_noted(sandbox: Sandbox) -> None:
    answer = await sandbox.call("sendGift")
    assert answer == {"ok": False, "error_code": 404, "description": "Not Found"}
    assert sandbox.world.complaints == ["sendGift: there is no such method"]


@pytest.mark.parametrize(("token", "code"), [("4242:" + "x" * 35, 401), ("nonsense", 404)])
async def test_a_wrong_token_is_unauthorized_and_a_malformed_one_not_found(
    sandbox: Sandbox, token: str, code: int
) -> None:
    for path in (f"/bot{token}/getMe", f"/file/bot{token}/photos/file_1.jpg"):
        async with sandbox.http.get(sandbox.server.url + path) as answer:
            assert answer.status == code
            assert (await answer.json())["error_code"] == code


@pytest.mark.parametrize("way", ["query", "json", "form", "multipart"])
async def test_parameters_come_in_each_way_telegram_takes(sandbox: Sandbox, way: str) -> None:
    values = {"chat_id": str(sandbox.private.id), "text": "Hello", "disable_notification": "true"}
    url = f"{sandbox.server.url}/bot{sandbox.server.token}/SENDMESSAGE"
    match way:
        case "query":
            request = sandbox.http.get(url, params=values)
        case "json":
            request = sandbox.http.post(url, json=values)
        case "form":
            request = sandbox.http.post(url, data=values)
        case _:
            form = aiohttp.FormData(default_to_multipart=True)
            for name, value in values.items():
                form.add_field(name, value)
            request = sandbox.http.post(url, data=form)
    async with request as answer:
        assert (await answer.json())["result"]["text"] == "Hello"
    call = sandbox.server.calls[-1]
    assert (call.method, call.status) == ("sendMessage", 200)
    assert call.params == {"chat_id": sandbox.private.id, "text": "Hello", "disable_notification": True}


@pytest.mark.parametrize("body", ["{", "[1]"])
async def test_a_body_that_is_no_object_is_refused(sandbox: Sandbox, body: str) -> None:
    url = f"{sandbox.server.url}/bot{sandbox.server.token}/getMe"
    headers = {"Content-Type": "application/json"}
    async with sandbox.http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 400
    assert len(sandbox.world.complaints) == 1


async def test_the_small_methods_answer_as_the_library_expects(sandbox: Sandbox) -> None:
    bot, ada, group = sandbox.bot, sandbox.private.id, sandbox.group.id
    me = await bot.get_me()
    assert (me.username, me.can_read_all_group_messages) == ("dreamreel_bot", False)
    assert await bot.set_my_description("Makes videos") is True
    assert await bot.set_my_short_description("Videos") is True
    assert (await bot.get_chat(ada)).first_name == "Ada"
    assert (await bot.get_chat(group)).title == "Film night"
    assert (await bot.get_chat_member(group, 1001)).status == "creator"
    assert (await bot.get_chat_member(group, bot.id)).status == "member"
    assert [member.user.id for member in await bot.get_chat_administrators(group)] == [1001]
    assert await bot.leave_chat(group) is True
    with pytest.raises(telegram.error.Forbidden, match="bot is not a member of the group chat"):
        await bot.send_message(group, "still here?")
    with pytest.raises(telegram.error.BadRequest, match="Member not found"):
        await bot.get_chat_member(group, 5)
    with pytest.raises(telegram.error.BadRequest, match="no administrators in the private chat"):
        await bot.get_chat_administrators(ada)
    assert sandbox.world.complaints == []


async def test_chat_actions_reach_the_page_and_unknown_ones_are_refused(sandbox: Sandbox) -> None:
    changes: list[dict[str, Any]] = []
    sandbox.world.listeners.append(changes.append)
    assert await sandbox.bot.send_chat_action(sandbox.private.id, "upload_video") is True
    action = {"type": "action", "chat_id": 1001, "thread_id": None, "action": "upload_video"}
    assert action in changes
    answer = await sandbox.call("sendChatAction", chat_id=1001, action="dancing")
    assert answer["description"] == "Bad Request: wrong parameter action in request"


async def test_every_reaction_the_library_names_is_taken_and_others_are_not(sandbox: Sandbox) -> None:
    asked = sandbox.world.say(sandbox.ada, sandbox.private, "a boat")
    for emoji in ReactionEmoji:
        assert await sandbox.bot.set_message_reaction(1001, asked["message_id"], emoji.value) is True
    assert await sandbox.bot.set_message_reaction(1001, asked["message_id"], "👀") is True
    assert sandbox.private.reactions[asked["message_id"]] == ["👀"]
    answer = await sandbox.call(
        "setMessageReaction", chat_id=1001, message_id=1, reaction=[{"type": "emoji", "emoji": "🚀"}]
    )
    assert answer["description"] == "Bad Request: REACTION_INVALID"


async def test_commands_are_kept_by_scope_and_language(sandbox: Sandbox) -> None:
    bot = sandbox.bot
    changes: list[dict[str, Any]] = []
    sandbox.world.listeners.append(changes.append)
    await bot.set_my_commands([("video", "Make a video")])
    await bot.set_my_commands([("video", "Видео")], language_code="ru")
    groups = telegram.BotCommandScopeAllGroupChats()
    await bot.set_my_commands([("video", "In a group")], scope=groups)
    assert [command.description for command in await bot.get_my_commands()] == ["Make a video"]
    assert [command.description for command in await bot.get_my_commands(language_code="ru")] == ["Видео"]
    shown = {change["chat_id"]: change["commands"][0]["description"] for change in changes}
    assert shown == {sandbox.private.id: "Make a video", sandbox.group.id: "In a group"}
    await bot.delete_my_commands(scope=groups)
    assert await bot.get_my_commands(scope=groups) == ()
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)BOT_COMMAND_INVALID"):
        await bot.set_my_commands([("Make Video", "No")])
