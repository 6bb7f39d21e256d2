"""Buttons: what each does, for whom, and what is said when it is too late."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """One job at a time."""
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), volcengine_concurrency="1") as made:
        yield made


async def test_cancel_in_the_queue_ends_it_for_free(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video the first in line")
        await live_bot.job("the first in line")
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video the second in line"))
        assert await live_bot.tap(ada, card, says("button_cancel")) == says("cancelled")
        dropped = "the second in line\n\n" + says("cancelled")
        await live_bot.until(lambda: _text(live_bot, card) == dropped)
        await live_bot.until(lambda: list(buttons(_now(live_bot, card))) == [says("button_make_anyway")])
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("the first")
    assert live_bot.jobs("the second in line") == 0


async def test_who_stops_waiting_is_told_that_it_was_paid_and_sees_no_video(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a lost balloon"))
        await live_bot.until(lambda: says("button_stop_paid") in buttons(_now(live_bot, card)))
        await live_bot.tap(ada, card, says("button_stop_paid"))
        await live_bot.until(lambda: says("card_stopped") in _text(live_bot, card))
        assert buttons(_now(live_bot, card)) == {}
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    await live_bot.handled(ada, chat)
    assert live_bot.videos(chat) == []
    (task,) = live_bot.tasks(chat)
    assert (live_bot.folder / "videos" / f"{task['id']}.mp4").exists()


async def test_a_tap_by_somebody_else_does_nothing(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    with live_bot.unfinished():
        live_bot.world.say(ada, group, f"/video@{BOT} a race")
        await live_bot.job("a race")
        card = await live_bot.card(group)
        for verb in ("cancel", "generate", "dismiss", "again", "send"):
            task_id = next(iter(buttons(card).values())).partition(":")[2]
            assert await live_bot.forged_tap(boris, card, f"{verb}:{task_id}") == says("press_not_yours")
    (video,) = await live_bot.shown(group)
    for button in ("button_details", "button_share"):
        assert await live_bot.tap(boris, video, says(button)) == says("press_only_owner")
    await live_bot.handled(boris, group)
    assert live_bot.jobs("a race") == 1
    assert len(live_bot.tasks(group)) == 1


async def test_forged_data_is_not_known(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    (video,) = await _made(live_bot, ada, chat, "a locked door")
    (task,) = live_bot.tasks(chat)
    for data in (
        "again:0000000000000000",
        "",
        "again",
        ":",
        "again:' OR 1=1 --",
        f"sell:{task['id']}",
        "x" * 64,
    ):
        assert await live_bot.forged_tap(ada, video, data) == says("press_gone"), data
    assert len(live_bot.tasks(chat)) == 1


async def test_a_task_cannot_be_reached_from_another_chat(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a secret garden"))
    his_draft = await live_bot.answer(live_bot.world.say(boris, his, "an open field"))
    data = buttons(draft)[says("button_generate")]
    assert await live_bot.forged_tap(boris, his_draft, data) == says("press_gone")
    assert live_bot.jobs("a secret garden") == 0


async def test_again_makes_exactly_one_more_however_often_it_is_tapped(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    (video,) = await _made(live_bot, ada, chat, "a spinning coin")
    for _ in range(3):
        live_bot.world.press(ada, video, says("button_again"))
    videos = await live_bot.shown(chat, 2)
    await live_bot.handled(ada, chat)
    assert len(videos) == len(live_bot.tasks(chat)) == live_bot.jobs("a spinning coin") == 2
    assert videos[0] == video
    assert live_bot.tasks(chat)[1]["parent_id"] == live_bot.tasks(chat)[0]["id"]


async def test_taps_after_the_end_say_so(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a last train"))
    (task_id,) = {data.partition(":")[2] for data in buttons(card).values()}
    await live_bot.shown(chat)
    for verb in ("cancel", "generate", "dismiss", "send"):
        assert await live_bot.forged_tap(ada, card, f"{verb}:{task_id}") == says("press_too_late")
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a paper hat"))
    generate = buttons(draft)[says("button_generate")]
    await live_bot.tap(ada, draft, says("button_dismiss"))
    assert await live_bot.forged_tap(ada, draft, generate) == says("press_too_late")
    assert live_bot.jobs("a paper hat") == 0


async def test_generate_tapped_twice_buys_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a humming top"))
    for _ in range(2):
        live_bot.world.press(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a humming top") == 1


async def _made(live_bot: BotHarness, person: Person, chat: Chat, prompt: str) -> list[Json]:
    live_bot.world.say(person, chat, f"/video {prompt}")
    return await live_bot.shown(chat)


def _now(live_bot: BotHarness, message: Json) -> Json:
    found = live_bot.now(message)
    assert found is not None
    return found


def _text(live_bot: BotHarness, message: Json) -> str:
    return str(_now(live_bot, message).get("text", ""))


async def test_a_press_is_answered_where_the_bot_may_not_write(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    live_bot.world.say(ada, group, f"/video@{BOT} a silent kite")
    (video,) = await live_bot.shown(group)
    live_bot.world.set_permissions(group, can_send_messages=False)
    assert await live_bot.tap(ada, video, says("button_other_words")) == ""
