"""Closed by default: who may ask, who is told what, and how much anybody may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from running import BOT, BotHarness, bot_on_stage, running_bot, says, stage

from bot.sandbox import Chat, Json, Person


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A bot that is closed, as it is by default."""
    async with bot_on_stage(tmp_path, allowed_users="", admin_users="1") as made:
        yield made
        assert made.world.complaints == []


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A stage without a bot: each test opens its own way."""
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def test_a_stranger_is_told_their_id_once_and_then_there_is_silence(live_bot: BotHarness) -> None:
    eve, chat = live_bot.newcomer("Eve")
    told = await live_bot.answer(live_bot.world.say(eve, chat, "/start"))
    assert told["text"] == says("stranger", user_id=eve.id)
    for words in ("/video a boat", "hello?", "/help", "/start claim_nothing"):
        live_bot.world.say(eve, chat, words)
    await _all_handled(live_bot, 5)
    assert len(live_bot.world.bot_messages(chat)) == 1
    assert live_bot.rows("tasks") == []


async def test_a_group_of_strangers_is_told_its_id_once(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Strangers", [eve])
    told = await live_bot.answer(live_bot.world.say(eve, group, f"/video@{BOT} a boat"))
    assert told["text"] == says("stranger_group", chat_id=group.id)
    live_bot.world.say(eve, group, f"/video@{BOT} a boat")
    await _all_handled(live_bot, 2)
    assert len(live_bot.world.bot_messages(group)) == 1
    assert live_bot.rows("tasks") == []


async def test_the_claim_link_makes_its_first_opener_the_admin(doors: BotHarness) -> None:
    async with running_bot(doors.values(allowed_users="")) as started:
        assert started.claim_link is not None
        link = urlsplit(started.claim_link)
        assert (link.netloc, link.path) == ("t.me", f"/{BOT}")
        (payload,) = parse_qs(link.query)["start"]
        ada, chat = doors.newcomer()
        eve, hers = doors.newcomer("Eve")
        assert await _said(doors, ada, chat, f"/start {payload}") == says("claimed")
        assert await _said(doors, eve, hers, f"/start {payload}") == says("stranger", user_id=eve.id)
        assert await _said(doors, ada, chat, f"/start {payload}") == says("claim_used")
        doors.world.say(ada, chat, "/video a crown")
        await doors.shown(chat)
    async with running_bot(doors.values(allowed_users="")) as started:
        assert started.claim_link is None


async def test_a_claim_link_is_of_no_use_in_a_group(doors: BotHarness) -> None:
    """There everybody could read it."""
    async with running_bot(doors.values(allowed_users="")) as started:
        assert started.claim_link is not None
        ada, chat = doors.newcomer()
        group = doors.world.add_group("Friends", [ada])
        payload = started.claim_link.partition("start=")[2]
        said = await _said(doors, ada, group, f"/start@{BOT} {payload}")
        assert said == says("stranger_group", chat_id=group.id)
        assert await _said(doors, ada, chat, f"/start {payload}") == says("claimed")


async def test_anybody_may_ask_in_an_allowed_group_and_only_there(doors: BotHarness) -> None:
    ada, _ = doors.newcomer()
    eve, hers = doors.newcomer("Eve")
    group = doors.world.add_group("Friends", [ada, eve])
    async with running_bot(doors.values(allowed_users="", allowed_chats=str(group.id), admin_users="1")):
        doors.world.say(eve, group, f"/video@{BOT} a swing")
        await doors.shown(group)
        assert await _said(doors, eve, hers, "/video a swing") == says("stranger", user_id=eve.id)
    assert doors.jobs("a swing") == 1


async def test_a_persons_open_tasks_are_limited(doors: BotHarness) -> None:
    async with AsyncExitStack() as parts:
        await parts.enter_async_context(running_bot(doors.values(open_tasks_per_user="2")))
        ada, chat = doors.newcomer()
        boris, his = doors.newcomer("Boris")
        with doors.unfinished():
            for words in ("one", "two"):
                doors.world.say(ada, chat, f"/video {words}")
                await doors.job(words)
            assert await _said(doors, ada, chat, "/video three") == says("limit_open", count=2)
            doors.world.say(boris, his, "/video four")
            await doors.job("four")
        await doors.shown(chat, 2)
        doors.world.say(ada, chat, "/video five")
        await doors.shown(chat, 3)
    assert doors.jobs("three") == 0


async def test_a_persons_videos_of_a_day_are_limited_but_not_an_admins(doors: BotHarness) -> None:
    ada, chat = doors.newcomer()
    boris, his = doors.newcomer("Boris")
    async with running_bot(doors.values(daily_videos_per_user="1", admin_users=str(boris.id))):
        doors.world.say(ada, chat, "/video one")
        (video,) = await doors.shown(chat)
        sentence = says("limit_day", count=1, time="00:00")
        assert await _said(doors, ada, chat, "/video two") == sentence
        assert await doors.tap(ada, video, says("button_again")) == sentence
        draft = await doors.answer(doors.world.say(ada, chat, "three"))
        assert await doors.tap(ada, draft, says("button_generate")) == sentence
        for many, words in enumerate(("four", "five"), 1):
            doors.world.say(boris, his, f"/video {words}")
            await doors.shown(his, many)
    assert doors.jobs("two") == doors.jobs("three") == 0


async def test_zero_turns_videos_off(doors: BotHarness) -> None:
    async with running_bot(doors.values(daily_videos_per_user="0")):
        ada, chat = doors.newcomer()
        assert await _said(doors, ada, chat, "/video a hat") == says("limit_none")
    assert doors.jobs("a hat") == 0


async def test_a_groups_videos_are_counted_together(doors: BotHarness) -> None:
    ada, chat = doors.newcomer()
    boris, _ = doors.newcomer("Boris")
    group = doors.world.add_group("Friends", [ada, boris])
    async with running_bot(doors.values(daily_videos_per_chat="1", open_tasks_per_user="unlimited")):
        doors.world.say(ada, group, f"/video@{BOT} one")
        await doors.shown(group)
        said = await _said(doors, boris, group, f"/video@{BOT} two")
        assert said == says("limit_day_chat", count=1, time="00:00")
        doors.world.say(ada, chat, "/video three")
        await doors.shown(chat)


async def _said(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> str:
    answer: Json = await live_bot.answer(live_bot.world.say(person, chat, words))
    return str(answer["text"])


async def _all_handled(live_bot: BotHarness, many: int) -> None:
    """Until that many updates have been handled; a stranger gets no answer to wait for."""
    await live_bot.until(lambda: sum(row["state"] == "done" for row in live_bot.rows("updates")) >= many)
