"""Abuse by messages: floods, odd letters, texts as long as they come. A calm answer or none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pictures import photo
from quiet_log import quiet_log
from running import BOT, BotHarness, says

from bot.chat.parsing.prompt_options import FLAGS
from bot.chat.telegram_io.flood_control import MESSAGES, WITHIN
from bot.sandbox import Chat

pytestmark = pytest.mark.asyncio(loop_scope="module")

HUNDRED = 100
TURNS = 5
"""How many calls of a flood may come before the answer to somebody else, who wrote in its midst."""
ODD_TEXTS = {
    "right to left": "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \u200f\u0645\u0631\u062d\u0628\u0627",
    "unended marks": "a \u202e\u2066\u2067\u2068 boat",
    "zero width": "a\u200b b\u200c c\u200d d\ufeff e\u2060 f",
    "combining stacks": "".join(letter + "\u0335\u0321\u0322\u0327" * 4 for letter in "Zalgo"),
    "emoji sequences": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 "
    "\U0001f3f4\U000e0067\U000e0062\U000e007f 1\ufe0f\u20e3",
    "many emoji": "\U0001f600" * 400,
    "replaced letters": "a \ufffd\ufffd\ufffd boat",
    "NUL and controls": "a\x00 boat\x07 in\x1b[31m the\x7f rain\x85",
    "line separators": "a\u2028boat\u2029in\x0bthe\x0crain\r\n\ttoday",
    "not a letter": "\ufdd0\uffff\U0010ffff boat",
    "private letters": "\ue000\uf8ff\U000f0000 boat",
    "Klingon case": "\u0130\u0131\u1e9e\ufb03 \u01c5 boat",
    "HTML": "<b>a</i> &amp; &#0; <a href='tg://user?id=1'>boat</a> <script>",
    "Markdown": "*a* _boat_ [in](http://x) `the` ```rain``` ||x|| \\",
    "braces": "{count} {0} {} {{x}} %s %(x)s ${x}",
    "SQL": "'; DROP TABLE tasks; --",
    "a path": "../../../../etc/passwd",
    "full width": "\uff0f\uff56\uff49\uff44\uff45\uff4f \uff11\uff10\uff53 \uff19\uff1a\uff11\uff16 boat",
}
NAMES = [
    "",
    "x" * 64,
    "<b>Ada</b> & Co.",
    "\u202eadA",
    "Z" + "\u0335" * 63,
    "\U0001f468\u200d\U0001f469" * 12,
    "\x00",
    "{name}",
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with quiet_log():
        yield


async def test_of_a_hundred_messages_at_once_ten_are_answered_and_one_sentence_says_so(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    for number in range(HUNDRED):
        live_bot.world.say(ada, chat, f"a boat, number {number}")
    await _all_handled(live_bot, chat, HUNDRED)
    *cards, last = live_bot.world.bot_messages(chat)
    assert len(cards) == MESSAGES == len(live_bot.tasks(chat))
    assert last["text"] == says("too_much_at_once")


async def test_who_pauses_after_a_flood_is_answered(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    for number in range(HUNDRED):
        last = live_bot.world.say(ada, chat, f"a boat, number {number}")
    later = last["date"] + int(WITHIN.total_seconds())
    asked = live_bot.world.say(ada, chat, "/help", date=later)
    await live_bot.answer(asked, containing="Options:")


async def test_nobody_waits_for_the_flood_of_another(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    for number in range(HUNDRED):
        if number == HUNDRED // 2:
            asked = live_bot.world.say(boris, his, "/help")
        live_bot.world.say(ada, chat, f"a boat, number {number}")
    begun = len(live_bot.server.calls)
    await live_bot.answer(asked, containing="Options:")
    calls = [call.params.get("chat_id") for call in live_bot.server.calls[begun:]]
    assert calls[: calls.index(his.id)].count(chat.id) <= TURNS
    await _all_handled(live_bot, chat, HUNDRED)


async def test_a_flood_of_orders_buys_no_more_than_the_limit_and_leaves_none_out_unsaid(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        for _ in range(HUNDRED):
            live_bot.world.say(ada, chat, "/video a flood of boats")
        await _all_handled(live_bot, chat, HUNDRED)
        answers = [message["text"] for message in live_bot.world.bot_messages(chat)]
        assert len(live_bot.tasks(chat)) == 5
        assert answers.count(says("limit_open", count=5)) == MESSAGES - 5
        assert answers.count(says("too_much_at_once")) == 1
    await live_bot.shown(chat, 5)
    assert live_bot.jobs("a flood of boats") == 5


async def test_in_a_group_a_flood_silences_nobody_but_its_writer(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    for _ in range(HUNDRED):
        live_bot.world.say(ada, group, f"/help@{BOT}")
    live_bot.world.say(boris, group, f"/video@{BOT} a raft in the flood")
    await live_bot.shown(group)
    assert len(live_bot.world.bot_messages(group)) <= MESSAGES + 2


async def test_a_flood_of_strangers_words_is_answered_once(live_bot: BotHarness) -> None:
    """What is no wish in a group is not even counted."""
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    live_bot.world.set_bot_status(ada, group, "administrator")
    for _ in range(HUNDRED):
        live_bot.world.say(ada, group, "hello everybody")
    asked = live_bot.world.say(ada, group, f"/help@{BOT}")
    assert (await live_bot.answer(asked))["text"] != says("too_much_at_once")


async def test_repeated_updates_of_a_flood_are_answered_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "a boat that is told of twice")
    for _ in range(20):
        live_bot.world.updates.repeat()
    await live_bot.handled(ada, chat)
    assert len(live_bot.tasks(chat)) == 1


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
async def test_odd_letters_are_words_like_others(live_bot: BotHarness, text: str) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, text))
    assert _visible(text)[:20] in _visible(draft["text"])
    live_bot.world.send_photo(ada, chat, photo(), caption=f"{text} 1")
    live_bot.world.say(ada, chat, f"/video {text} 2")
    await live_bot.shown(chat, 2)


@pytest.mark.parametrize(
    "text", ["\u200b", "\u2060\ufeff", "\u200d" * 4096, "\u202e\u202c", "\u00ad", "\x00"]
)
async def test_letters_that_nobody_sees_are_no_words(live_bot: BotHarness, text: str) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, text))
    assert answer["text"] == says("prompt_missing")
    assert live_bot.tasks(chat) == []


@pytest.mark.parametrize(
    "letter",
    ["x", "\U0001f600", "x ", "<", "&", "9:16 ", "--", "—a ", "--ratio ", "/v ", "\n", '"', "\u0335"],
)
async def test_a_message_as_long_as_they_come_is_answered_calmly(live_bot: BotHarness, letter: str) -> None:
    ada, chat = live_bot.newcomer()
    most = 4096 // (len(letter.encode("utf-16-le")) // 2)
    text = (letter * most)[:4096]
    live_bot.world.say(ada, chat, text)
    live_bot.world.say(ada, chat, f"/video {text}"[:4096] if letter.isascii() else f"/video {letter * 2000}")
    live_bot.world.send_photo(ada, chat, photo(), caption=text[: 1024 if letter.isascii() else 512])
    await live_bot.handled(ada, chat)
    *answers, _help = live_bot.world.bot_messages(chat)
    assert len(answers) <= 4, "one for each, and perhaps where the photo goes"
    assert all(len(answer.get("text", "")) <= 700 for answer in answers)


async def test_two_hundred_options_are_answered_in_one_sentence(live_bot: BotHarness) -> None:
    for option in (
        "--seed 1",
        "--ratio 9:16",
        "--nothing",
        "--",
        "—seconds 5",
        *(f"--{flag}" for flag in FLAGS),
    ):
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a hat " + f"{option} " * 200)
        await live_bot.handled(ada, chat)
        assert len(live_bot.world.bot_messages(chat)) == 2, option


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_may_be_anything(live_bot: BotHarness, name: str) -> None:
    ada, chat = live_bot.newcomer(name)
    group = live_bot.world.add_group(name or "?", [ada])
    live_bot.world.say(ada, chat, "/start")
    live_bot.world.say(ada, chat, "/video")
    live_bot.world.say(ada, group, f"/video@{BOT} a name tag")
    (video,) = await live_bot.shown(group)
    await live_bot.tap(ada, video, says("button_again"))
    await live_bot.shown(group, 2)
    await live_bot.handled(ada, chat)


async def test_an_album_of_ten_is_answered_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [photo(400 + number, 400) for number in range(10)])
    await live_bot.card(chat)
    await live_bot.handled(ada, chat)
    assert len(live_bot.world.bot_messages(chat)) == 2
    assert len(live_bot.tasks(chat)) == 1


async def _all_handled(live_bot: BotHarness, chat: Chat, many: int) -> None:
    def handled() -> bool:
        rows = [row for row in live_bot.rows("updates") if row["chat_id"] == chat.id]
        return len(rows) >= many and all(row["state"] == "done" for row in rows)

    await live_bot.until(handled)


def _visible(text: str) -> str:
    return " ".join(text.split())
