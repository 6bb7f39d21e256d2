"""Who receives a photo is said once to each person, on a draft: no photo goes to a company before that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from films import film
from pictures import photo
from running import BOT, COMPANY, BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD = says("photo_goes_to", company=COMPANY)
TOLD_OF_FRAME = says("frame_goes_to", company=COMPANY)
GENERATE = says("button_generate")


def _caption(live_bot: BotHarness, ada: Person, chat: Chat, words: str) -> None:
    live_bot.world.send_photo(ada, chat, photo(), caption=words)


def _command(live_bot: BotHarness, ada: Person, chat: Chat, words: str) -> None:
    live_bot.world.send_photo(ada, chat, photo(), caption=f"/video {words}")


def _file(live_bot: BotHarness, ada: Person, chat: Chat, words: str) -> None:
    live_bot.world.send_photo(ada, chat, photo(), caption=words, as_document=True, name="a.JPG")


def _album(live_bot: BotHarness, ada: Person, chat: Chat, words: str) -> None:
    pair = [photo(1280, 720), photo(1280, 720, "PNG")]
    live_bot.world.send_album(ada, chat, pair, caption=f"{words} --model jimeng-720p")


def _extension(live_bot: BotHarness, ada: Person, chat: Chat, words: str) -> None:
    live_bot.world.send_video(ada, chat, film(), caption=f"/extend {words}")


@pytest.mark.parametrize("way", [_caption, _command, _file, _album, _extension])
async def test_the_first_order_with_a_picture_is_a_draft_that_names_the_company(
    live_bot: BotHarness, way: Callable[[BotHarness, Person, Chat, str], None]
) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    words = f"first {way.__name__}"
    way(live_bot, ada, chat, words)
    card = await _draft(live_bot, chat, words)
    await live_bot.handled(ada, chat)
    assert live_bot.jobs(words) == 0, "nothing has gone there"
    await live_bot.tap(ada, card, GENERATE)
    await live_bot.shown(chat)
    assert live_bot.jobs(words) == 1
    way(live_bot, ada, chat, f"second {way.__name__}")
    await live_bot.shown(chat, 2)
    assert _told(live_bot, chat, way.__name__) == 0, "said once"


async def test_a_dismissed_draft_is_no_yes(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    _caption(live_bot, ada, chat, "a small no")
    card = await _draft(live_bot, chat)
    await live_bot.tap(ada, card, says("button_dismiss"))
    dropped = await live_bot.until(lambda: _with_button(live_bot, chat, says("button_make_anyway")))
    assert dropped is not None
    await live_bot.tap(ada, dropped, says("button_make_anyway"))
    await live_bot.until(lambda: _told(live_bot, chat))
    assert live_bot.jobs("a small no") == 0
    await live_bot.tap(ada, await _draft(live_bot, chat), GENERATE)
    await live_bot.shown(chat)


async def test_a_reply_in_a_group_is_a_draft_of_whoever_replies(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer("Ada")
    boris, _ = live_bot.newcomer("Boris", is_told=False)
    group = live_bot.world.add_group("Harbour", [ada, boris])
    sent = live_bot.world.send_photo(ada, group, photo())
    live_bot.world.say(boris, group, f"/animate@{BOT} the gulls rise", reply_to=sent)
    card = await _draft(live_bot, group)
    assert live_bot.jobs("the gulls rise") == 0
    assert await live_bot.tap(ada, card, GENERATE) == says("press_not_yours")
    await live_bot.tap(boris, card, GENERATE)
    await live_bot.shown(group)
    live_bot.world.say(ada, group, f"/animate@{BOT} the gulls land", reply_to=sent)
    await live_bot.shown(group, 2)
    assert _told(live_bot, group) == 0


async def test_a_model_offered_instead_asks_before_it_gets_the_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    _caption(live_bot, ada, chat, "a slow crane --camera crane_push")
    card = await live_bot.card(chat)
    with_720p = says("button_other_model", model="jimeng-720p")
    await live_bot.tap(ada, card, with_720p)
    draft = await _draft(live_bot, chat)
    assert draft["message_id"] == card["message_id"]
    assert live_bot.jobs("a slow crane") == 0
    await live_bot.tap(ada, draft, GENERATE)
    await live_bot.shown(chat)


async def test_again_with_another_company_asks(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    _caption(live_bot, ada, chat, "a paper bird --model preview")
    (video,) = await live_bot.shown(chat)
    assert _told(live_bot, chat) == 0, "a photo that stays here"
    live_bot.world.say(ada, chat, "/again a paper swan --model jimeng-pro", reply_to=video)
    await live_bot.tap(ada, await _draft(live_bot, chat), GENERATE)
    await live_bot.shown(chat, 2)
    assert live_bot.jobs("a paper swan") == 1


async def test_another_model_after_a_failure_asks(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    broken = photo(600, 400, "PNG")[:900]
    live_bot.world.send_photo(
        ada, chat, broken, caption="it cracks --model preview", as_document=True, name="a.png"
    )
    await live_bot.until(lambda: (tasks := live_bot.tasks(chat)) and tasks[0]["delivered_at"])
    await live_bot.tap(ada, await live_bot.card(chat), says("button_other_photo"))
    live_bot.world.send_photo(ada, chat, photo(), caption="it cracks --model jimeng-pro")
    card = await _draft(live_bot, chat)
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("it cracks") == 0
    await live_bot.tap(ada, card, GENERATE)
    await live_bot.shown(chat)


async def test_a_photo_that_stays_here_and_words_alone_need_no_word(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    _caption(live_bot, ada, chat, "it rests --model preview")
    await live_bot.shown(chat)
    live_bot.world.say(ada, chat, "/video no photo")
    await live_bot.shown(chat, 2)
    assert _told(live_bot, chat) == 0


async def test_the_draft_of_a_photo_tells_until_its_person_has_ordered_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    for _ in range(2):
        card = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
        assert TOLD in card["text"]
    await live_bot.tap(ada, card, GENERATE)
    await live_bot.shown(chat)
    card = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
    assert TOLD not in card["text"]
    _caption(live_bot, ada, chat, "it is known")
    await live_bot.shown(chat, 2)


async def test_an_album_draft_tells_after_a_restart_too(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            _album(live_bot, ada, chat, "on and on")
            await live_bot.until(lambda: live_bot.tasks(chat))
        async with running_bot(live_bot.values()):
            await live_bot.tap(ada, await _draft(live_bot, chat), GENERATE)
            await live_bot.shown(chat)


async def test_the_company_is_named_in_each_language(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path) as live_bot:
        for language in ("zh", "ru", "es", "pt"):
            ada, chat = live_bot.newcomer("Ada", language, is_told=False)
            _caption(live_bot, ada, chat, "a boat")
            assert COMPANY in _words(await live_bot.card(chat))


async def _draft(live_bot: BotHarness, chat: Chat, words: str = "") -> Json:
    """The open draft of these words that names the company."""
    found = await live_bot.until(
        lambda: [
            one
            for one in live_bot.world.bot_messages(chat)
            if _names_company(one) and words in _words(one) and GENERATE in buttons(one)
        ]
    )
    return found[-1]


def _with_button(live_bot: BotHarness, chat: Chat, label: str) -> Json | None:
    return next((one for one in live_bot.world.bot_messages(chat) if label in buttons(one)), None)


def _words(message: Json) -> str:
    return str(message.get("text") or message.get("caption") or "")


def _told(live_bot: BotHarness, chat: Chat, words: str = "") -> int:
    """How many messages name the company: a draft that has been ordered does not any more."""
    return sum(_names_company(one) and words in _words(one) for one in live_bot.world.bot_messages(chat))


def _names_company(message: Json) -> bool:
    return TOLD in _words(message) or TOLD_OF_FRAME in _words(message)
