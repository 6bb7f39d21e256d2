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


async def test_one_persons_many_do_not_stand_before_anothers_first(there: BotHarness) -> None:
    ada, hers = there.newcomer()
    boris, his = there.newcomer("Boris")
    with there.unfinished():
        there.world.say(ada, hers, "/video many 1")
        await there.job("many 1")
        for number in (2, 3, 4):
            await there.answer(there.world.say(ada, hers, f"/video many {number}"))
        card = await there.answer(there.world.say(boris, his, "/video his only one"))
        assert card["text"].count(says("card_queued_behind", ahead=1, elapsed="0:0")[:-4]) == 1
    await there.shown(his)
    await there.shown(hers, 4)
    assert order(there, hers, his) == ["many 1", "many 2", "his only one", "many 3", "many 4"]


async def test_a_provider_with_less_room_than_was_set_fails_nobody(there: BotHarness) -> None:
    people = [there.newcomer(name) for name in ("Carla", "Dan", "Eve")]
    there.provider.slots = 0
    for number, (person, chat) in enumerate(people):
        await there.answer(there.world.say(person, chat, f"/video crowded {number}"))
    await there.until(lambda: any(row["answer"] == "no_slot" for row in there.rows("attempts")))
    there.provider.slots = 1
    for _, chat in people:
        await there.shown(chat)
        assert len(there.world.bot_messages(chat)) == 1, "nothing but the card"
    assert {row["jobs"] for row in there.rows("slots")} == {None}
    there.provider.slots = None


async def test_an_admin_sees_who_waits_and_puts_one_first(there: BotHarness) -> None:
    admin = there.world.add_person(Person(ADMIN, "Olga", None, "en"))
    office = there.world.private_chat(admin)
    (ada, hers), (boris, his) = there.newcomer(), there.newcomer("Boris <3")
    with there.unfinished():
        there.world.say(ada, hers, "/video first 1")
        await there.job("first 1")
        for number in (2, 3):
            await there.answer(there.world.say(ada, hers, f"/video first {number}"))
        await there.answer(there.world.say(boris, his, "/video urgent secret"))
        told = await waiting(there, admin, office)
        assert re.fullmatch(r"1\. Ada · jimeng-pro · has waited \d+ s", listed_in(told)[0])
        assert whose(told) == ["1. Ada", "2. Boris <3", "3. Ada"]
        assert "secret" not in told["text"]
        first = buttons(told)[says("button_first_number", number=3)]
        assert await there.tap(admin, told, says("button_first_number", number=3)) == says("queue_is_first")
        assert whose(there.now(told) or {}) == ["1. Ada", "2. Ada", "3. Boris <3"]
        listed = await there.answer(there.world.say(boris, his, "/queue"), containing=says("queue_heading"))
        assert await there.forged_tap(boris, listed, first) == says("tap_private")
        await there.handled(boris, his)
        assert len(there.world.bot_messages(his)) == 3, "others read of nobody who waits"
    await there.shown(hers, 3)
    await there.shown(his)
    assert order(there, hers, his) == ["first 1", "first 3", "first 2", "urgent secret"]
    assert await there.forged_tap(admin, told, first) == says("tap_too_late")


def listed_in(told: Json) -> list[str]:
    lines: list[str] = told["text"].splitlines()[2:]
    return lines


def whose(told: Json) -> list[str]:
    return [line.partition(" · ")[0] for line in listed_in(told)]


async def waiting(there: BotHarness, person: Person, chat: Chat) -> Json:
    return await there.answer(there.world.say(person, chat, "/queue"), containing=says("queue_waiting"))


def order(there: BotHarness, *chats: Chat) -> list[str]:
    """The words of what was made, in the order in which it was handed over."""
    tasks = sorted(
        (task for chat in chats for task in there.tasks(chat)), key=lambda one: one["submitted_at"]
    )
    return [json.loads(task["request"])["prompt"] for task in tasks]
