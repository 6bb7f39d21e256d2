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


async def test_cancel_in_the_queue_ends_it_for_free(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video the first in line")
        await there.job("the first in line")
        card = await there.answer(there.world.say(ada, chat, "/video the second in line"))
        assert await there.tap(ada, card, says("button_cancel")) == ""
        await there.until(lambda: _text(there, card) == says("cancelled"))
        assert buttons(_now(there, card)) == {}
    (video,) = await there.shown(chat)
    assert video["caption"].startswith("the first")
    assert there.jobs("the second in line") == 0


async def test_who_stops_waiting_is_told_that_it_was_paid_and_sees_no_video(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        card = await there.answer(there.world.say(ada, chat, "/video a lost balloon"))
        await there.until(lambda: says("button_stop_paid") in buttons(_now(there, card)))
        await there.tap(ada, card, says("button_stop_paid"))
        await there.until(lambda: says("card_stopped") in _text(there, card))
        assert buttons(_now(there, card)) == {}
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    await there.handled(ada, chat)
    assert there.videos(chat) == []
    (task,) = there.tasks(chat)
    assert (there.folder / "videos" / f"{task['id']}.mp4").exists()


async def test_a_tap_by_somebody_else_does_nothing(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = there.world.add_group("Friends", [ada, boris])
    with there.unfinished():
        there.world.say(ada, group, f"/video@{BOT} a race")
        await there.job("a race")
        card = await there.card(group)
        for verb in ("cancel", "generate", "dismiss", "again", "send"):
            task_id = next(iter(buttons(card).values())).partition(":")[2]
            assert await there.forged_tap(boris, card, f"{verb}:{task_id}") == says("tap_not_yours")
    (video,) = await there.shown(group)
    for button in ("button_details", "button_share"):
        assert await there.tap(boris, video, says(button)) == says("tap_only_owner")
    await there.handled(boris, group)
    assert there.jobs("a race") == 1
    assert len(there.tasks(group)) == 1


async def test_forged_data_is_not_known(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    (video,) = await _made(there, ada, chat, "a locked door")
    (task,) = there.tasks(chat)
    for data in (
        "again:0000000000000000",
        "",
        "again",
        ":",
        "again:' OR 1=1 --",
        f"sell:{task['id']}",
        "x" * 64,
    ):
        assert await there.forged_tap(ada, video, data) == says("tap_gone"), data
    assert len(there.tasks(chat)) == 1


async def test_a_task_cannot_be_reached_from_another_chat(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    draft = await there.answer(there.world.say(ada, chat, "a secret garden"))
    his_draft = await there.answer(there.world.say(boris, his, "an open field"))
    data = buttons(draft)[says("button_generate")]
    assert await there.forged_tap(boris, his_draft, data) == says("tap_gone")
    assert there.jobs("a secret garden") == 0


async def test_again_makes_exactly_one_more_however_often_it_is_tapped(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    (video,) = await _made(there, ada, chat, "a spinning coin")
    for _ in range(3):
        there.world.press(ada, video, says("button_again"))
    videos = await there.shown(chat, 2)
    await there.handled(ada, chat)
    assert len(videos) == len(there.tasks(chat)) == there.jobs("a spinning coin") == 2
    assert videos[0] == video
    assert there.tasks(chat)[1]["parent_id"] == there.tasks(chat)[0]["id"]


async def test_taps_after_the_end_say_so(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    card = await there.answer(there.world.say(ada, chat, "/video a last train"))
    (task_id,) = {data.partition(":")[2] for data in buttons(card).values()}
    await there.shown(chat)
    for verb in ("cancel", "generate", "dismiss", "send"):
        assert await there.forged_tap(ada, card, f"{verb}:{task_id}") == says("tap_too_late")
    draft = await there.answer(there.world.say(ada, chat, "a paper hat"))
    generate = buttons(draft)[says("button_generate")]
    await there.tap(ada, draft, says("button_dismiss"))
    assert await there.forged_tap(ada, draft, generate) == says("tap_too_late")
    assert there.jobs("a paper hat") == 0


async def test_generate_tapped_twice_buys_once(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    draft = await there.answer(there.world.say(ada, chat, "a humming top"))
    for _ in range(2):
        there.world.press(ada, draft, says("button_generate"))
    await there.shown(chat)
    await there.handled(ada, chat)
    assert there.jobs("a humming top") == 1


async def _made(there: BotHarness, person: Person, chat: Chat, prompt: str) -> list[Json]:
    there.world.say(person, chat, f"/video {prompt}")
    return await there.shown(chat)


def _now(there: BotHarness, message: Json) -> Json:
    found = there.now(message)
    assert found is not None
    return found


def _text(there: BotHarness, message: Json) -> str:
    return str(_now(there, message).get("text", ""))
