"""/queue and /cancel: what is on its way, its card brought down, and how it is stopped."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from provider_server import Fault
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json, Person
from bot.text import plain, say

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADING = says("queue_heading")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """One job at a time."""
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), volcengine_concurrency="1") as made:
        yield made


async def test_an_empty_queue_says_so(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    said = await live_bot.answer(live_bot.world.say(ada, chat, "/queue"))
    left = says("left_videos", left=20, most=20, time="00:00")
    assert said["text"] == f"{says('queue_empty')}\n\n{left}"


async def test_the_queue_tells_place_state_and_time_of_each(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video the first one")
        await live_bot.job("the first one")
        for words in ("the second one", "the third one"):
            await live_bot.answer(live_bot.world.say(ada, chat, f"/video {words}"))
        listed = await _queue(live_bot, ada, chat)
        first, second, third, left = listed["text"].removeprefix(f"{HEADING}\n\n").split("\n\n")
        assert first.startswith("1. the first one\n▱")
        assert second.startswith("2. the second one\n" + says("card_queued", elapsed="0:0")[:-1])
        assert third.startswith(
            "3. the third one\n" + says("card_queued_behind", ahead=1, elapsed="0:0")[:-1]
        )
        assert left == says("left_videos", left=17, most=20, time="00:00")
        bring = [says("button_bring_number", number=number) for number in (1, 2, 3)]
        assert list(buttons(listed)) == bring
    await live_bot.shown(chat, 3)


async def test_a_card_that_is_brought_down_is_the_only_one_and_becomes_the_video(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a deep well"))
        await live_bot.job("a deep well")
        listed = await _queue(live_bot, ada, chat)
        for _ in range(3):
            await live_bot.tap(ada, listed, says("button_bring"))
        await live_bot.until(lambda: live_bot.now(card) is None)
        cards = [one for one in live_bot.world.bot_messages(chat) if says("button_stop_paid") in buttons(one)]
        assert len(cards) == 1
        assert cards[0]["message_id"] > listed["message_id"]
        assert live_bot.tasks(chat)[0]["card_id"] == cards[0]["message_id"]
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == cards[0]["message_id"]
    assert live_bot.jobs("a deep well") == 1


async def test_a_card_that_waits_keeps_its_place_when_it_is_brought_down(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video place one")
        await live_bot.job("place one")
        for number in ("two", "three"):
            await live_bot.answer(live_bot.world.say(ada, chat, f"/video place {number}"))
        listed = await _queue(live_bot, ada, chat)
        await live_bot.tap(ada, listed, says("button_bring_number", number=2))
        await live_bot.handled(ada, chat)
    await live_bot.shown(chat, 3)
    finished = sorted(live_bot.tasks(chat), key=lambda task: task["finished_at"])
    assert [json.loads(task["request"])["prompt"] for task in finished] == [
        "place one",
        "place two",
        "place three",
    ]


async def test_what_is_over_cannot_be_brought_down(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video a closed book")
        await live_bot.job("a closed book")
        listed = await _queue(live_bot, ada, chat)
    await live_bot.shown(chat)
    assert await live_bot.tap(ada, listed, says("button_bring")) == says("press_too_late")
    assert len(live_bot.videos(chat)) == 1


async def test_in_a_supergroup_the_queue_links_to_every_card(live_bot: BotHarness) -> None:
    ada, private = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Large", [ada, boris], supergroup=True)
    with live_bot.unfinished():
        live_bot.world.say(ada, group, f"/video@{BOT} her turn")
        await live_bot.job("her turn")
        card = await live_bot.card(group)
        await live_bot.answer(live_bot.world.say(boris, group, f"/video@{BOT} his turn"))
        listed = await _queue(live_bot, boris, group, f"/queue@{BOT}")
        assert "1. Ada: her turn" in listed["text"]
        assert "2. Boris: his turn" in listed["text"]
        links = [one["url"] for one in listed["entities"] if one["type"] == "text_link"]
        assert links[0] == f"https://t.me/c/{str(group.id).removeprefix('-100')}/{card['message_id']}"
        assert len(links) == 2
        bring = says("button_bring_number", number=1)
        assert await live_bot.tap(boris, listed, bring) == says("press_not_yours")
        own = await _queue(live_bot, ada, private)
        assert says("queue_elsewhere") in own["text"]
        assert buttons(own) == {}
    await live_bot.shown(group, 2)


async def test_cancel_stops_the_only_one_and_says_what_it_costs(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video the paid one")
        await live_bot.job("the paid one")
        await live_bot.until(lambda: live_bot.tasks(chat)[0]["state"] == "running")
        answer = await live_bot.answer(live_bot.world.say(ada, chat, "/cancel"))
        assert answer["text"] == "the paid one\n\n" + says("card_stopped")
        again = await live_bot.answer(live_bot.world.say(ada, chat, "/cancel"))
        assert again["text"] == says("cancel_nothing")
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    assert live_bot.videos(chat) == []


async def test_cancel_offers_a_choice_of_several(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video one of two")
        await live_bot.job("one of two")
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video two of two"))
        choice = await live_bot.answer(
            live_bot.world.say(ada, chat, "/cancel"), containing=says("cancel_which")
        )
        assert list(buttons(choice)) == ["✕ two of two", "✕ one of two"]
        await live_bot.tap(ada, choice, "✕ two of two")
        told = "two of two\n\n" + says("cancelled")
        await live_bot.until(lambda: (live_bot.now(choice) or {}).get("text") == told)
        await live_bot.until(lambda: (live_bot.now(card) or {}).get("text") == told)
    await live_bot.shown(chat)
    assert live_bot.jobs("two of two") == 0


async def test_cancel_as_a_reply_stops_the_very_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video keep this")
        await live_bot.job("keep this")
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video drop this"))
        answer = await live_bot.answer(live_bot.world.say(ada, chat, "/cancel", reply_to=card))
        assert answer["text"] == "drop this\n\n" + says("cancelled")
    await live_bot.shown(chat)
    assert (live_bot.jobs("keep this"), live_bot.jobs("drop this")) == (1, 0)


async def test_cancel_drops_a_question_where_nothing_is_on_its_way(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await live_bot.answer(live_bot.world.say(ada, chat, "/video"))
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/cancel"))
    assert answer["text"] == says("dismissed")
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["state"] == "cancelled")


async def test_cancel_names_the_draft_it_drops_and_offers_a_choice_of_several(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await live_bot.answer(live_bot.world.say(ada, chat, "a red kite"))
    green = await live_bot.answer(live_bot.world.say(ada, chat, "a green kite"))
    choice = await live_bot.answer(live_bot.world.say(ada, chat, "/cancel"))
    assert (choice["text"], list(buttons(choice))) == (
        says("cancel_which"),
        ["✕ a green kite", "✕ a red kite"],
    )
    await live_bot.tap(ada, choice, "✕ a green kite")
    told = "a green kite\n\n" + says("dismissed")
    await live_bot.until(lambda: (live_bot.now(choice) or {}).get("text") == told)
    await live_bot.until(lambda: (live_bot.now(green) or {}).get("text") == told)
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/cancel"))
    assert answer["text"] == "a red kite\n\n" + says("dismissed")


async def test_what_was_dropped_can_be_made_after_all_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a kite after all"))
    await live_bot.tap(ada, draft, says("button_dismiss"))
    button = says("button_make_anyway")
    dropped = await live_bot.until(lambda: (now := live_bot.now(draft)) and button in buttons(now) and now)
    assert isinstance(dropped, dict)
    for _ in range(2):
        live_bot.world.press(ada, dropped, button)
    await live_bot.shown(chat)
    await live_bot.handled(ada, chat)
    assert live_bot.now(dropped) is None, "the new card takes its place"
    assert live_bot.jobs("a kite after all") == 1


async def test_in_a_group_only_the_person_and_its_admins_may_cancel(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    carla, _ = live_bot.newcomer("Carla")
    group = live_bot.world.add_group("Friends", [ada, boris, carla])
    group.members[carla.id].status = "administrator"
    with live_bot.unfinished():
        for words in ("act one", "act two"):
            live_bot.world.say(ada, group, f"/video@{BOT} {words}")
        await live_bot.job("act one")
        cards = await live_bot.until(
            lambda: (
                (found := [one for one in live_bot.world.bot_messages(group) if buttons(one)])[1:] and found
            )
        )
        waits = cards[1]
        assert await live_bot.tap(boris, waits, says("button_cancel")) == says("press_not_yours")
        answer = await live_bot.answer(live_bot.world.say(boris, group, f"/cancel@{BOT}"))
        assert answer["text"] == says("cancel_nothing")
        choice = await live_bot.answer(live_bot.world.say(carla, group, f"/cancel@{BOT}"))
        assert list(buttons(choice)) == ["✕ Ada: act two", "✕ Ada: act one"]
        assert await live_bot.tap(boris, choice, "✕ Ada: act two") == says("press_not_yours")
        assert await live_bot.tap(carla, waits, says("button_cancel")) == says("cancelled")
        told = "act two\n\n" + says("cancelled")
        await live_bot.until(lambda: (live_bot.now(waits) or {}).get("text") == told)
        live_bot.world.say(ada, group, f"/cancel@{BOT}", anonymous=True)
        await live_bot.until(
            lambda: says("cancel_which") == live_bot.world.bot_messages(group)[-1].get("text")
        )
    await live_bot.shown(group)
    assert (live_bot.jobs("act one"), live_bot.jobs("act two")) == (1, 0)


async def _queue(live_bot: BotHarness, person: Person, chat: Chat, words: str = "/queue") -> Json:
    return await live_bot.answer(live_bot.world.say(person, chat, words), containing=HEADING)


async def test_a_queue_that_a_lost_answer_holds_up_says_so_until_it_moves_again(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, volcengine_concurrency="1") as live_bot:
        ada, chat = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris", "pt")
        live_bot.provider.next("submit", Fault.CUT)
        live_bot.world.say(ada, chat, "/video a letter that is lost")
        await live_bot.until(lambda: any(one["error_code"] for one in live_bot.tasks(chat)))
        live_bot.world.say(ada, chat, "/video a letter that waits")
        why = says("card_lost_answers", time="{time}").partition("{time}")[0]
        await live_bot.until(lambda: why in str(live_bot.world.bot_messages(chat)[-1].get("text")))
        card = await live_bot.answer(live_bot.world.say(boris, his, "/video uma carta"))
        in_portuguese = plain(say("pt", "card_lost_answers", time="{time}")).partition("{time}")[0]
        assert in_portuguese in card["text"]
        assert why in (await _queue(live_bot, ada, chat))["text"]
        with live_bot.unfinished():
            _give_up(live_bot)
            await live_bot.job("a letter that waits")
            waiting = plain(say("pt", "card_queued", elapsed="")).strip()
            await live_bot.until(lambda: waiting in (live_bot.now(card) or {}).get("text", ""))
        await live_bot.shown(chat)
        await live_bot.shown(his)


def _give_up(live_bot: BotHarness) -> None:
    """An operator has seen that the lost order made nothing."""
    with closing(sqlite3.connect(live_bot.folder / "bot.db", timeout=30)) as database, database:
        database.execute(
            "UPDATE tasks SET error_code = 'provider_fault', keep_until = NULL, slot_until = NULL,"
            " version = version + 1 WHERE error_code = 'submit_unknown'"
        )
