"""Groups that do not let the bot show a video: its person is told, and the video is not lost."""

from __future__ import annotations

import pytest
from running import BOT, BotHarness, says
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.chat.telegram_io.client import translated
from bot.errors import CardGone, ChatBusy, ChatError, ChatForbids, ChatGone
from bot.sandbox import Chat, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_video_that_a_group_forbids_meanwhile_comes_in_private(live_bot: BotHarness) -> None:
    ada, chat, group = _group(live_bot)
    with live_bot.unfinished():
        live_bot.world.say(ada, group, f"/video@{BOT} a gate")
        await live_bot.job("a gate")
        live_bot.world.set_permissions(group, can_send_videos=False)
    (video,) = await live_bot.shown(chat)
    told = [one.get("text") for one in live_bot.world.bot_messages(chat)]
    assert says("video_comes_here", group="Friends") in told
    assert video["caption"].startswith("a gate")
    assert live_bot.world.bot_messages(group) == [], "no card counts for ever"


async def test_a_video_that_cannot_come_in_private_waits_and_its_card_says_so(live_bot: BotHarness) -> None:
    ada, chat, group = _group(live_bot)
    chat.started = False
    with live_bot.unfinished():
        live_bot.world.say(ada, group, f"/video@{BOT} a fence")
        await live_bot.job("a fence")
        live_bot.world.set_permissions(group, can_send_videos=False)
    await live_bot.until(lambda: _is_closed(live_bot, group))
    (card,) = live_bot.world.bot_messages(group)
    assert card["text"] == says("video_waits")
    (task,) = live_bot.tasks(group)
    assert (task["state"], task["detached"]) == ("succeeded", 1)


@pytest.mark.parametrize(
    "error",
    [
        BadRequest("Not enough rights to send videos to the chat"),
        BadRequest("CHAT_SEND_VIDEOS_FORBIDDEN"),
        BadRequest("CHAT_SEND_PLAIN_FORBIDDEN"),
        BadRequest("CHAT_RESTRICTED"),
        BadRequest("Have no rights to send a message"),
        BadRequest("CHAT_FORBIDDEN"),
        BadRequest("PRIVACY_PREMIUM_REQUIRED"),
        Forbidden("CHAT_WRITE_FORBIDDEN"),
    ],
)
async def test_a_right_that_is_missing_is_told_from_a_chat_that_is_gone(error: TelegramError) -> None:
    with pytest.raises(ChatForbids), translated():
        raise error
    with pytest.raises(ChatGone) as gone, translated():
        raise Forbidden("bot was kicked from the group chat")
    assert type(gone.value) is ChatGone


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Message thread not found", CardGone),
        ("MESSAGE_THREAD_NOT_FOUND", CardGone),
        ("TOPIC_ID_INVALID", CardGone),
        ("TOPIC_CLOSED", CardGone),
        ("Replied message not found", CardGone),
        ("MESSAGE_EDIT_TIME_EXPIRED", CardGone),
        ("There is no media in the message to edit", CardGone),
        ("CHANNEL_PRIVATE", ChatGone),
        ("CHAT_ID_INVALID", ChatGone),
        ("INPUT_USER_DEACTIVATED", ChatGone),
        ("USER_IS_BLOCKED", ChatGone),
        ("Bot was blocked by the user", ChatGone),
        ("Group chat was deactivated", ChatGone),
    ],
)
async def test_what_is_gone_is_known_by_either_spelling_and_status(said: str, kind: type[ChatError]) -> None:
    for error in (BadRequest(said), Forbidden(said)):
        with pytest.raises(ChatError) as raised, translated():
            raise error
        assert type(raised.value) is kind
    with translated():
        raise BadRequest("MESSAGE_NOT_MODIFIED")


@pytest.mark.parametrize("said", ["Not Found", "Unauthorized", "Not Found (404) and a page"])
async def test_a_token_that_is_refused_in_the_middle_of_a_run_refuses_no_video(said: str) -> None:
    with pytest.raises(ChatBusy), translated():
        raise InvalidToken(said)


def _is_closed(live_bot: BotHarness, group: Chat) -> bool:
    return [task["delivered_at"] is not None for task in live_bot.tasks(group)] == [True]


def _group(live_bot: BotHarness) -> tuple[Person, Chat, Chat]:
    ada, chat = live_bot.newcomer("Ada")
    chat.started = True
    group = live_bot.world.add_group("Friends", [ada])
    return ada, chat, group
