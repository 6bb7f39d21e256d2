"""Messages, edits, keyboards and presses behave as in Telegram, down to the words of each refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import telegram
from sandbox_client import Sandbox, jpeg, running_sandbox
from telegram import CopyTextButton, ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto

_NOT_MODIFIED = (
    "Message is not modified: specified new message content and reply markup "
    "are exactly the same as a current content and reply markup of the message"
)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running
        assert running.world.complaints == []


def _keyboard(*data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(text.title(), callback_data=text)] for text in data])


async def _refusal(sandbox: Sandbox, method: str, **params: Any) -> str:
    answer = await sandbox.call(method, chat_id=sandbox.private.id, **params)
    assert answer["ok"] is False
    assert answer["error_code"] == 400
    return str(answer["description"]).removeprefix("Bad Request: ")


async def test_a_message_comes_back_as_it_stands_in_the_chat(sandbox: Sandbox) -> None:
    sandbox.clock.now = 1_900_000_000
    sent = await sandbox.bot.send_message(
        sandbox.private.id,
        "<b>Queued</b> 🎬",
        parse_mode="HTML",
        reply_markup=_keyboard("stop"),
        protect_content=True,
    )
    assert sent.text == "Queued 🎬"
    assert sent.text_html == "<b>Queued</b> 🎬"
    assert sent.date.timestamp() == 1_900_000_000
    assert sent.reply_markup == _keyboard("stop")
    assert sent.has_protected_content is True
    (shown,) = sandbox.world.bot_messages(sandbox.private)
    assert shown["message_id"] == sent.message_id
    assert shown["from"]["is_bot"] is True


async def test_explicit_entities_stand_for_markup(sandbox: Sandbox) -> None:
    bold = telegram.MessageEntity("bold", 0, 2)
    sent = await sandbox.bot.send_message(sandbox.private.id, "Hi you", entities=[bold])
    assert sent.entities == (bold,)


async def test_a_reply_carries_what_it_answers_and_needs_it_to_exist(sandbox: Sandbox) -> None:
    asked = sandbox.world.say(sandbox.ada, sandbox.private, "/video a boat")
    sent = await sandbox.bot.send_message(sandbox.private.id, "Done", reply_to_message_id=asked["message_id"])
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "/video a boat"
    refused = await _refusal(sandbox, "sendMessage", text="x", reply_parameters={"message_id": 99})
    assert refused == "message to be replied not found"
    alone = await sandbox.bot.send_message(
        sandbox.private.id, "x", reply_to_message_id=99, allow_sending_without_reply=True
    )
    assert alone.reply_to_message is None


async def test_a_person_s_reply_shows_the_bots_message_as_it_is_today(sandbox: Sandbox) -> None:
    card = await sandbox.bot.send_message(sandbox.private.id, "before")
    await sandbox.bot.edit_message_text("after", sandbox.private.id, card.message_id)
    again = sandbox.world.say(
        sandbox.ada, sandbox.private, "again", reply_to=sandbox.private.messages[card.message_id]
    )
    sandbox.world.say(sandbox.ada, sandbox.private, "and again", reply_to=again)
    first, second = await sandbox.messages()
    assert first["reply_to_message"]["text"] == "after"
    assert second["reply_to_message"]["text"] == "again"
    assert "reply_to_message" not in second["reply_to_message"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "message text is empty"),
        ("   ", "message text is empty"),
        ("x" * 4097, "message is too long"),
        ("🎬" * 2049, "message is too long"),
    ],
)
async def test_texts_have_telegrams_limits(sandbox: Sandbox, text: str, problem: str) -> None:
    assert await _refusal(sandbox, "sendMessage", text=text) == problem
    assert (await sandbox.bot.send_message(sandbox.private.id, "x" * 4096)).text == "x" * 4096


async def test_the_limit_counts_what_is_left_of_markup(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_message(sandbox.private.id, f"<b>{'x' * 4096}</b>", parse_mode="HTML")
    assert len(sent.text or "") == 4096


async def test_captions_have_telegrams_limit(sandbox: Sandbox) -> None:
    with pytest.raises(telegram.error.BadRequest, match="Message caption is too long"):
        await sandbox.bot.send_photo(sandbox.private.id, jpeg(90, 90), caption="x" * 1025)
    assert sandbox.world.bot_messages(sandbox.private) == []


async def test_only_html_is_read(sandbox: Sandbox) -> None:
    refused = await _refusal(sandbox, "sendMessage", text="*x*", parse_mode="MarkdownV2")
    assert refused.startswith("unsupported parse_mode")


@pytest.mark.parametrize(
    ("button", "problem"),
    [
        (
            {"text": "x"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": "я" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "url": "example.org"}, "inline keyboard button URL 'example.org' is invalid: "),
        ({"text": "x", "copy_text": {"text": "x" * 257}}, "BUTTON_COPY_TEXT_INVALID"),
    ],
)
async def test_bad_buttons_are_refused(sandbox: Sandbox, button: dict[str, Any], problem: str) -> None:
    markup = {"inline_keyboard": [[button]]}
    assert (await _refusal(sandbox, "sendMessage", text="x", reply_markup=markup)).startswith(problem)


async def test_good_buttons_of_every_kind_are_taken(sandbox: Sandbox) -> None:
    keyboard = InlineKeyboardMarkup(
        [
            [InlineKeyboardButton("Go", callback_data="я" * 32, api_kwargs={"style": "success"})],
            [InlineKeyboardButton("Read", url="https://example.org")],
            [InlineKeyboardButton("Copy", copy_text=CopyTextButton("a boat"))],
        ]
    )
    sent = await sandbox.bot.send_message(sandbox.private.id, "x", reply_markup=keyboard)
    assert sent.reply_markup is not None
    assert [row[0].text for row in sent.reply_markup.inline_keyboard] == ["Go", "Read", "Copy"]


async def test_a_forced_reply_is_seen_by_people_only_and_cannot_be_edited(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_message(
        sandbox.private.id, "What shall it show?", reply_markup=ForceReply()
    )
    assert sent.reply_markup is None
    (shown,) = sandbox.world.bot_messages(sandbox.private)
    assert shown["reply_markup"]["force_reply"] is True
    refused = await _refusal(sandbox, "editMessageText", message_id=sent.message_id, text="y")
    assert refused == "message can't be edited"


async def test_an_edit_changes_the_message_in_place_and_drops_a_keyboard_it_does_not_repeat(
    sandbox: Sandbox,
) -> None:
    sent = await sandbox.bot.send_message(sandbox.private.id, "10 %", reply_markup=_keyboard("stop"))
    edited = await sandbox.bot.edit_message_text("50 %", sandbox.private.id, sent.message_id)
    assert isinstance(edited, telegram.Message)
    assert (edited.message_id, edited.text, edited.reply_markup) == (sent.message_id, "50 %", None)
    assert edited.edit_date is not None
    again = await sandbox.bot.edit_message_reply_markup(
        sandbox.private.id, sent.message_id, reply_markup=_keyboard("again")
    )
    assert isinstance(again, telegram.Message)
    assert (again.text, again.reply_markup) == ("50 %", _keyboard("again"))


async def test_an_edit_that_changes_nothing_is_refused(sandbox: Sandbox) -> None:
    chat_id = sandbox.private.id
    sent = await sandbox.bot.send_message(
        chat_id, "<i>x</i>", parse_mode="HTML", reply_markup=_keyboard("stop")
    )
    with pytest.raises(telegram.error.BadRequest, match=_NOT_MODIFIED):
        await sandbox.bot.edit_message_text(
            "<em>x</em>", chat_id, sent.message_id, parse_mode="HTML", reply_markup=_keyboard("stop")
        )
    with pytest.raises(telegram.error.BadRequest, match=_NOT_MODIFIED):
        await sandbox.bot.edit_message_reply_markup(chat_id, sent.message_id, reply_markup=_keyboard("stop"))
    photo = await sandbox.bot.send_photo(chat_id, jpeg(90, 90), caption="x")
    with pytest.raises(telegram.error.BadRequest, match=_NOT_MODIFIED):
        await sandbox.bot.edit_message_caption(chat_id, photo.message_id, caption="x")
    same = InputMediaPhoto(photo.photo[-1].file_id, caption="x")
    with pytest.raises(telegram.error.BadRequest, match=_NOT_MODIFIED):
        await sandbox.bot.edit_message_media(same, chat_id, photo.message_id)


async def test_a_text_may_become_a_photo_but_a_photo_never_a_text(sandbox: Sandbox) -> None:
    chat_id = sandbox.private.id
    sent = await sandbox.bot.send_message(chat_id, "waiting")
    assert await _refusal(sandbox, "editMessageCaption", message_id=sent.message_id, caption="x") == (
        "there is no caption in the message to edit"
    )
    edited = await sandbox.bot.edit_message_media(
        InputMediaPhoto(jpeg(90, 90), caption="<b>here</b>", parse_mode="HTML"), chat_id, sent.message_id
    )
    assert isinstance(edited, telegram.Message)
    assert (edited.text, edited.caption, len(edited.photo)) == (None, "here", 2)
    assert await _refusal(sandbox, "editMessageText", message_id=sent.message_id, text="x") == (
        "there is no text in the message to edit"
    )
    captioned = await sandbox.bot.edit_message_caption(chat_id, sent.message_id, caption="there")
    assert isinstance(captioned, telegram.Message)
    assert (captioned.caption, captioned.photo) == ("there", edited.photo)


async def test_only_the_bots_own_messages_can_be_edited(sandbox: Sandbox) -> None:
    asked = sandbox.world.say(sandbox.ada, sandbox.private, "mine")
    assert await _refusal(sandbox, "editMessageText", message_id=asked["message_id"], text="x") == (
        "message can't be edited"
    )
    assert await _refusal(sandbox, "editMessageText", message_id=77, text="x") == "message to edit not found"
    answer = await sandbox.call("editMessageText", text="x")
    assert answer["description"] == "Bad Request: message identifier is not specified"


async def test_a_message_can_be_deleted_once(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_message(sandbox.private.id, "x")
    assert await sandbox.bot.delete_message(sandbox.private.id, sent.message_id) is True
    assert (
        await _refusal(sandbox, "deleteMessage", message_id=sent.message_id) == "message to delete not found"
    )
    assert await _refusal(sandbox, "editMessageText", message_id=sent.message_id, text="y") == (
        "message to edit not found"
    )


async def test_a_press_reaches_the_bot_and_its_answer_the_person(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_message(sandbox.private.id, "Ready?", reply_markup=_keyboard("go", "stop"))
    changes: list[dict[str, Any]] = []
    sandbox.world.listeners.append(changes.append)
    query_id = sandbox.world.press(sandbox.ada, sandbox.private.messages[sent.message_id], "Go")
    (update,) = await sandbox.bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert (query.id, query.data, query.from_user.id) == (query_id, "go", sandbox.ada.id)
    assert query.message is not None
    assert query.message.message_id == sent.message_id
    assert await sandbox.bot.answer_callback_query(query_id, "Off we go", show_alert=True) is True
    toast = {"type": "toast", "chat_id": 1001, "user_id": 1001, "text": "Off we go", "alert": True}
    assert sandbox.world.toasts == [toast]
    assert changes == [toast, {"type": "answered", "callback_id": query_id, "chat_id": 1001}]


async def test_a_press_is_answered_once_and_in_time(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_message(sandbox.private.id, "Ready?", reply_markup=_keyboard("go"))
    too_old = "(?i)query is too old and response timeout expired or query ID is invalid"
    first = sandbox.world.press(sandbox.ada, sandbox.private.messages[sent.message_id], "go")
    await sandbox.bot.answer_callback_query(first)
    for query_id in (first, "12345"):
        with pytest.raises(telegram.error.BadRequest, match=too_old):
            await sandbox.bot.answer_callback_query(query_id)
    late = sandbox.world.press(sandbox.ada, sandbox.private.messages[sent.message_id], "go")
    sandbox.clock.now += 151
    with pytest.raises(telegram.error.BadRequest, match=too_old):
        await sandbox.bot.answer_callback_query(late)


async def test_a_toast_has_at_most_200_characters(sandbox: Sandbox) -> None:
    sent = await sandbox.bot.send_message(sandbox.private.id, "Ready?", reply_markup=_keyboard("go"))
    query_id = sandbox.world.press(sandbox.ada, sandbox.private.messages[sent.message_id], "go")
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)message_too_long"):
        await sandbox.bot.answer_callback_query(query_id, "x" * 201)


async def test_what_people_edit_and_forward_reaches_the_bot_as_such(sandbox: Sandbox) -> None:
    asked = sandbox.world.say(sandbox.ada, sandbox.private, "/video a bout", date=1_700_000_000)
    sandbox.world.edit(sandbox.ada, asked, "/video a boat")
    sandbox.world.forward(
        sandbox.ada, sandbox.private, sandbox.world.say(sandbox.boris, sandbox.group, "look")
    )
    first, edited, forwarded = [
        telegram.Update.de_json(update, sandbox.bot) for update in await sandbox.updates()
    ]
    assert first.message is not None
    assert first.message.date.timestamp() == 1_700_000_000
    assert edited.edited_message is not None
    assert (edited.edited_message.text, edited.message) == ("/video a boat", None)
    assert forwarded.message is not None
    assert isinstance(forwarded.message.forward_origin, telegram.MessageOriginUser)
    assert forwarded.message.forward_origin.sender_user.first_name == "Boris"


async def test_nobody_is_written_to_who_has_not_begun_or_has_blocked(sandbox: Sandbox) -> None:
    with pytest.raises(telegram.error.BadRequest, match="Chat not found"):
        await sandbox.bot.send_message(sandbox.boris.id, "hello")
    chat = sandbox.world.private_chat(sandbox.boris)
    with pytest.raises(telegram.error.Forbidden, match="bot can't initiate conversation with a user"):
        await sandbox.bot.send_message(chat.id, "hello")
    sandbox.world.say(sandbox.boris, chat, "/start")
    await sandbox.bot.send_message(chat.id, "hello")
    sandbox.world.block(sandbox.boris)
    with pytest.raises(telegram.error.Forbidden, match="bot was blocked by the user"):
        await sandbox.bot.send_message(chat.id, "hello?")
    sandbox.world.block(sandbox.boris, blocked=False)
    await sandbox.bot.send_message(chat.id, "welcome back")
    changes = [update["my_chat_member"] for update in await sandbox.updates() if "my_chat_member" in update]
    assert [change["new_chat_member"]["status"] for change in changes] == ["kicked", "member"]
