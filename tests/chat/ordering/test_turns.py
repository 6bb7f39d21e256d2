"""Turns and slots as people meet them: nobody's many stand before another's first, and no slot is refused."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from running import BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = 7999


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """One job at a time, and an admin."""
    folder = tmp_path_factory.mktemp("bot")
    async with bot_on_stage(folder, volcengine_concurrency="1", admin_users=str(ADMIN)) as made:
        yield made


async def test_one_persons_many_do_not_stand_before_anothers_first(live_bot: BotHarness) -> None:
    ada, hers = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    with live_bot.unfinished():
        live_bot.world.say(ada, hers, "/video many 1")
        await live_bot.job("many 1")
        for number in (2, 3, 4):
            await live_bot.answer(live_bot.world.say(ada, hers, f"/video many {number}"))
        card = await live_bot.answer(live_bot.world.say(boris, his, "/video his only one"))
        assert card["text"].count(says("card_queued_behind", ahead=1, elapsed="0:0")[:-4]) == 1
    await live_bot.shown(his)
    await live_bot.shown(hers, 4)
    assert order(live_bot, hers, his) == ["many 1", "many 2", "his only one", "many 3", "many 4"]


async def test_a_provider_with_less_room_than_was_set_fails_nobody(live_bot: BotHarness) -> None:
    people = [live_bot.newcomer(name) for name in ("Carla", "Dan", "Eve")]
    live_bot.provider.slots = 0
    for number, (person, chat) in enumerate(people):
        await live_bot.answer(live_bot.world.say(person, chat, f"/video crowded {number}"))
    await live_bot.until(lambda: any(row["answer"] == "no_slot" for row in live_bot.rows("attempts")))
    live_bot.provider.slots = 1
    for _, chat in people:
        await live_bot.shown(chat)
        assert len(live_bot.world.bot_messages(chat)) == 1, "nothing but the card"
    assert {row["jobs"] for row in live_bot.rows("slots")} == {None}
    live_bot.provider.slots = None


async def test_an_admin_sees_who_waits_and_puts_one_first(live_bot: BotHarness) -> None:
    admin = live_bot.world.add_person(Person(ADMIN, "Olga", None, "en"))
    office = live_bot.world.private_chat(admin)
    (ada, hers), (boris, his) = live_bot.newcomer(), live_bot.newcomer("Boris <3")
    with live_bot.unfinished():
        live_bot.world.say(ada, hers, "/video first 1")
        await live_bot.job("first 1")
        for number in (2, 3):
            await live_bot.answer(live_bot.world.say(ada, hers, f"/video first {number}"))
        await live_bot.answer(live_bot.world.say(boris, his, "/video urgent secret"))
        told = await waiting(live_bot, admin, office)
        assert re.fullmatch(r"1\. Ada · jimeng-pro · waiting for \d+ s", listed_in(told)[0])
        assert whose(told) == ["1. Ada", "2. Boris <3", "3. Ada"]
        assert "secret" not in told["text"]
        first = buttons(told)[says("button_first_number", number=3)]
        assert await live_bot.tap(admin, told, says("button_first_number", number=3)) == says(
            "queue_is_first"
        )
        assert whose(live_bot.now(told) or {}) == ["1. Ada", "2. Ada", "3. Boris <3"]
        assert [(row["action"], row["done_by"]) for row in live_bot.rows("audit_log")] == [
            ("first", admin.id)
        ]
        listed = await live_bot.answer(
            live_bot.world.say(boris, his, "/queue"), containing=says("queue_heading")
        )
        assert await live_bot.forged_tap(boris, listed, first) == says("press_private")
        await live_bot.handled(boris, his)
        assert len(live_bot.world.bot_messages(his)) == 3, "others read of nobody who waits"
    await live_bot.shown(hers, 3)
    await live_bot.shown(his)
    assert order(live_bot, hers, his) == ["first 1", "first 3", "first 2", "urgent secret"]
    assert await live_bot.forged_tap(admin, told, first) == says("press_too_late")


def listed_in(told: Json) -> list[str]:
    lines: list[str] = told["text"].splitlines()[2:]
    return lines


def whose(told: Json) -> list[str]:
    return [line.partition(" · ")[0] for line in listed_in(told)]


async def waiting(live_bot: BotHarness, person: Person, chat: Chat) -> Json:
    return await live_bot.answer(live_bot.world.say(person, chat, "/queue"), containing=says("queue_waiting"))


def order(live_bot: BotHarness, *chats: Chat) -> list[str]:
    """The words of what was made, in the order in which it was handed over."""
    tasks = sorted(
        (task for chat in chats for task in live_bot.tasks(chat)), key=lambda one: one["submitted_at"]
    )
    return [json.loads(task["request"])["prompt"] for task in tasks]
