"""/queue and /cancel: what is on its way, its card brought down, and how it is stopped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADING = says("queue_heading")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """One job at a time."""
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), volcengine_concurrency="1") as made:
        yield made


async def test_an_empty_queue_says_so(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    said = await there.answer(there.world.say(ada, chat, "/queue"))
    left = says("left_videos", left=20, most=20, time="00:00")
    assert said["text"] == f"{says('queue_empty')}\n\n{left}"


async def test_the_queue_tells_place_state_and_time_of_each(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video the first one")
        await there.job("the first one")
        for words in ("the second one", "the third one"):
            await there.answer(there.world.say(ada, chat, f"/video {words}"))
        listed = await _queue(there, ada, chat)
        first, second, third, left = listed["text"].removeprefix(f"{HEADING}\n\n").split("\n\n")
        assert first.startswith("1. the first one\n▱")
        assert second.startswith("2. the second one\n" + says("card_queued", elapsed="0:0")[:-1])
        assert third.startswith(
            "3. the third one\n" + says("card_queued_behind", ahead=1, elapsed="0:0")[:-1]
        )
        assert left == says("left_videos", left=17, most=20, time="00:00")
        bring = [says("button_bring_number", number=number) for number in (1, 2, 3)]
        assert list(buttons(listed)) == bring
    await there.shown(chat, 3)


async def test_a_card_that_is_brought_down_is_the_only_one_and_becomes_the_video(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        card = await there.answer(there.world.say(ada, chat, "/video a deep well"))
        await there.job("a deep well")
        listed = await _queue(there, ada, chat)
        for _ in range(3):
            await there.tap(ada, listed, says("button_bring"))
        await there.until(lambda: there.now(card) is None)
        cards = [one for one in there.world.bot_messages(chat) if says("button_stop_paid") in buttons(one)]
        assert len(cards) == 1
        assert cards[0]["message_id"] > listed["message_id"]
        assert there.tasks(chat)[0]["card_id"] == cards[0]["message_id"]
    (video,) = await there.shown(chat)
    assert video["message_id"] == cards[0]["message_id"]
    assert there.jobs("a deep well") == 1


async def test_a_card_that_waits_keeps_its_place_when_it_is_brought_down(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video place one")
        await there.job("place one")
        for number in ("two", "three"):
            await there.answer(there.world.say(ada, chat, f"/video place {number}"))
        listed = await _queue(there, ada, chat)
        await there.tap(ada, listed, says("button_bring_number", number=2))
        await there.handled(ada, chat)
    await there.shown(chat, 3)
    finished = sorted(there.tasks(chat), key=lambda task: task["finished_at"])
    assert [json.loads(task["request"])["prompt"] for task in finished] == [
        "place one",
        "place two",
        "place three",
    ]


async def test_what_is_over_cannot_be_brought_down(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video a closed book")
        await there.job("a closed book")
        listed = await _queue(there, ada, chat)
    await there.shown(chat)
    assert await there.tap(ada, listed, says("button_bring")) == says("tap_too_late")
    assert len(there.videos(chat)) == 1


async def test_in_a_supergroup_the_queue_links_to_every_card(there: BotHarness) -> None:
    ada, private = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = there.world.add_group("Large", [ada, boris], supergroup=True)
    with there.unfinished():
        there.world.say(ada, group, f"/video@{BOT} her turn")
        await there.job("her turn")
        card = await there.card(group)
        await there.answer(there.world.say(boris, group, f"/video@{BOT} his turn"))
        listed = await _queue(there, boris, group, f"/queue@{BOT}")
        assert "1. Ada: her turn" in listed["text"]
        assert "2. Boris: his turn" in listed["text"]
        links = [one["url"] for one in listed["entities"] if one["type"] == "text_link"]
        assert links[0] == f"https://t.me/c/{str(group.id).removeprefix('-100')}/{card['message_id']}"
        assert len(links) == 2
        bring = says("button_bring_number", number=1)
        assert await there.tap(boris, listed, bring) == says("tap_not_yours")
        own = await _queue(there, ada, private)
        assert says("queue_elsewhere") in own["text"]
        assert buttons(own) == {}
    await there.shown(group, 2)


async def test_cancel_stops_the_only_one_and_says_what_it_costs(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video the paid one")
        await there.job("the paid one")
        await there.until(lambda: there.tasks(chat)[0]["state"] == "running")
        answer = await there.answer(there.world.say(ada, chat, "/cancel"))
        assert answer["text"] == says("card_stopped")
        again = await there.answer(there.world.say(ada, chat, "/cancel"))
        assert again["text"] == says("cancel_nothing")
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    assert there.videos(chat) == []


async def test_cancel_offers_a_choice_of_several(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video one of two")
        await there.job("one of two")
        card = await there.answer(there.world.say(ada, chat, "/video two of two"))
        choice = await there.answer(there.world.say(ada, chat, "/cancel"), containing=says("cancel_which"))
        assert list(buttons(choice)) == ["✕ two of two", "✕ one of two"]
        await there.tap(ada, choice, "✕ two of two")
        await there.until(lambda: (there.now(choice) or {}).get("text") == says("cancelled"))
        await there.until(lambda: (there.now(card) or {}).get("text") == says("cancelled"))
    await there.shown(chat)
    assert there.jobs("two of two") == 0


async def test_cancel_as_a_reply_stops_the_very_one(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video keep this")
        await there.job("keep this")
        card = await there.answer(there.world.say(ada, chat, "/video drop this"))
        answer = await there.answer(there.world.say(ada, chat, "/cancel", reply_to=card))
        assert answer["text"] == says("cancelled")
    await there.shown(chat)
    assert (there.jobs("keep this"), there.jobs("drop this")) == (1, 0)


async def test_cancel_drops_a_question_where_nothing_is_on_its_way(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    await there.answer(there.world.say(ada, chat, "/video"))
    answer = await there.answer(there.world.say(ada, chat, "/cancel"))
    assert answer["text"] == says("dismissed")
    await there.until(lambda: there.tasks(chat)[0]["state"] == "cancelled")


async def test_in_a_group_only_the_person_and_its_admins_may_cancel(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, _ = there.newcomer("Boris")
    carla, _ = there.newcomer("Carla")
    group = there.world.add_group("Friends", [ada, boris, carla])
    group.members[carla.id].status = "administrator"
    with there.unfinished():
        for words in ("act one", "act two"):
            there.world.say(ada, group, f"/video@{BOT} {words}")
        await there.job("act one")
        cards = await there.until(
            lambda: (found := [one for one in there.world.bot_messages(group) if buttons(one)])[1:] and found
        )
        waits = cards[1]
        assert await there.tap(boris, waits, says("button_cancel")) == says("tap_not_yours")
        answer = await there.answer(there.world.say(boris, group, f"/cancel@{BOT}"))
        assert answer["text"] == says("cancel_nothing")
        choice = await there.answer(there.world.say(carla, group, f"/cancel@{BOT}"))
        assert list(buttons(choice)) == ["✕ Ada: act two", "✕ Ada: act one"]
        assert await there.tap(boris, choice, "✕ Ada: act two") == says("tap_not_yours")
        assert await there.tap(carla, waits, says("button_cancel")) == ""
        await there.until(lambda: (there.now(waits) or {}).get("text") == says("cancelled"))
        there.world.say(ada, group, f"/cancel@{BOT}", anonymous=True)
        await there.until(lambda: says("cancel_which") == there.world.bot_messages(group)[-1].get("text"))
    await there.shown(group)
    assert (there.jobs("act one"), there.jobs("act two")) == (1, 0)


async def _queue(there: BotHarness, person: Person, chat: Chat, words: str = "/queue") -> Json:
    return await there.answer(there.world.say(person, chat, words), containing=HEADING)
