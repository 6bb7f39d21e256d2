"""/history: what a person made here, sent again without an upload; and what they have not seen so far."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from provider_server import Reply
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADING = says("history_heading")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), open_tasks_per_user="20") as made:
        yield made


async def test_who_made_nothing_gets_an_example(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    group = there.world.add_group("Friends", [ada])
    answer = await there.answer(there.world.say(ada, chat, "/history"))
    assert answer["text"] == says("history_empty", command="/video")
    answer = await there.answer(there.world.say(ada, group, f"/history@{BOT}"))
    assert answer["text"] == says("history_empty", command=f"/video@{BOT}")


async def test_a_video_is_sent_again_by_its_file_id(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    video = await _made(there, ada, chat, "/video a red balloon 9:16")
    listed = await _history(there, ada, chat)
    assert listed["text"].startswith(f"{HEADING}\n\n1. a red balloon\njimeng-pro · 9:16 · 5 s · 20")
    uploads = len(there.server.calls_of("sendVideo"))
    assert await there.tap(ada, listed, "▶ 1") == ""
    _, again = await there.shown(chat, 2)
    assert (again["caption"], buttons(again)) == (video["caption"], buttons(video))
    assert again["video"]["file_id"] == video["video"]["file_id"]
    (call,) = there.server.calls_of("sendVideo")[uploads:]
    assert call.uploads == {}
    assert len(there.tasks(chat)) == there.jobs("a red balloon") == 1


async def test_a_double_tap_sends_once(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    await _made(there, ada, chat, "/video a double bass")
    listed = await _history(there, ada, chat)
    for _ in range(3):
        await there.tap(ada, listed, "▶ 1")
    await there.handled(ada, chat)
    assert len(there.videos(chat)) == 2


async def test_pages_turn_in_place_newest_first(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    for number in range(1, 8):
        await _made(there, ada, chat, f"/video tale number {number}")
    listed = await _history(there, ada, chat)
    assert _tales(listed) == [7, 6, 5, 4, 3]
    assert list(buttons(listed)) == ["▶ 1", "▶ 2", "▶ 3", "▶ 4", "▶ 5", says("button_older")]
    await there.tap(ada, listed, says("button_older"))
    older = await _turned(there, listed, 2)
    assert _tales(older) == [2, 1]
    assert list(buttons(older)) == ["▶ 6", "▶ 7", says("button_newer")]
    await there.tap(ada, older, "▶ 7")
    assert (await there.shown(chat, 8))[7]["caption"].startswith("tale number 1")
    await there.tap(ada, older, says("button_newer"))
    assert _tales(await _turned(there, listed, 7)) == [7, 6, 5, 4, 3]


async def test_a_video_that_nobody_waited_for_is_marked_and_can_be_fetched(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        card = await there.answer(there.world.say(ada, chat, "/video a late guest"))
        await there.until(lambda: says("button_stop_paid") in buttons(there.now(card) or {}))
        await there.tap(ada, card, says("button_stop_paid"))
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    listed = await _history(there, ada, chat)
    assert says("history_unseen") in listed["text"]
    assert await there.tap(ada, listed, "▶ 1") == says("tap_fetching")
    (video,) = await there.shown(chat)
    assert video["caption"].startswith("a late guest")
    assert there.jobs("a late guest") == 1
    assert says("history_unseen") not in (await _history(there, ada, chat))["text"]


async def test_a_video_for_a_chat_that_was_blocked_meanwhile_can_be_fetched(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        there.world.say(ada, chat, "/video an open window")
        await there.job("an open window")
        there.world.block(ada)
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    there.world.block(ada, blocked=False)
    listed = await _history(there, ada, chat)
    await there.tap(ada, listed, "▶ 1")
    (video,) = await there.shown(chat)
    assert video["caption"].startswith("an open window")


async def test_a_video_that_is_lost_by_now_says_so_and_leaves_the_history(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    with there.unfinished():
        card = await there.answer(there.world.say(ada, chat, "/video a melting snowman"))
        await there.until(lambda: says("button_stop_paid") in buttons(there.now(card) or {}))
        await there.tap(ada, card, says("button_stop_paid"))
    await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
    (task,) = there.tasks(chat)
    listed = await _history(there, ada, chat)
    (there.folder / "videos" / f"{task['id']}.mp4").unlink()
    del there.provider.jobs[task["remote_id"]]
    there.provider.next("video", Reply(403, "expired"))
    await there.tap(ada, listed, "▶ 1")
    await there.answer(listed, containing=says("link_expired"))
    answer = await there.answer(there.world.say(ada, chat, "/history"))
    assert answer["text"] == says("history_empty", command="/video")


async def test_in_a_group_each_sees_and_turns_only_their_own(there: BotHarness) -> None:
    ada, private = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = there.world.add_group("Friends", [ada, boris])
    await _made(there, ada, group, f"/video@{BOT} hers alone")
    await _made(there, boris, group, f"/video@{BOT} his alone")
    listed = await _history(there, ada, group, f"/history@{BOT}")
    assert "hers alone" in listed["text"]
    assert "his alone" not in listed["text"]
    assert listed["reply_to_message"]["text"] == f"/history@{BOT}"
    assert await there.tap(boris, listed, "▶ 1") == says("tap_not_yours")
    assert await there.forged_tap(boris, listed, f"history:{ada.id}:0") == says("tap_not_yours")
    answer = await there.answer(there.world.say(ada, private, "/history"))
    assert answer["text"] == says("history_empty", command="/video")


async def test_an_admin_turns_the_pages_of_the_group_that_they_asked_as(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = there.world.add_group("Secret", [ada, boris])
    group.members[ada.id].status = "administrator"
    for number in range(6):
        before = len(there.videos(group))
        there.world.say(ada, group, f"/video@{BOT} mask {number}", anonymous=True)
        await there.shown(group, before + 1)
    asked = there.world.say(ada, group, f"/history@{BOT}", anonymous=True)
    listed = await there.answer(asked, containing=HEADING)
    assert await there.tap(boris, listed, says("button_older")) == says("tap_not_yours")
    assert await there.tap(ada, listed, says("button_older")) == ""
    assert await there.tap(boris, listed, "▶ 6") == says("tap_not_yours")
    await there.tap(ada, listed, "▶ 6")
    await there.shown(group, 7)


async def test_forged_pages_are_calmly_refused(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    await _made(there, ada, chat, "/video a plain page")
    listed = await _history(there, ada, chat)
    for data in ("history", "history:", "history:x:0", f"history:{ada.id}:-5", "history:1:" + "9" * 50):
        assert await there.forged_tap(ada, listed, data[:64]) == says("tap_gone"), data
    assert await there.forged_tap(ada, listed, f"history:{ada.id}:{10**17}") == ""
    assert await there.forged_tap(ada, listed, f"history:{ada.id + 1}:0") == says("tap_not_yours")


async def _made(there: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    before = len(there.videos(chat))
    there.world.say(person, chat, words)
    return (await there.shown(chat, before + 1))[before]


async def _history(there: BotHarness, person: Person, chat: Chat, words: str = "/history") -> Json:
    return await there.answer(there.world.say(person, chat, words), containing=HEADING)


async def _turned(there: BotHarness, message: Json, newest: int) -> Json:
    """The list once it shows another page, whose first entry is this tale."""
    await there.until(lambda: _tales(there.now(message) or {})[:1] == [newest])
    return there.now(message) or {}


def _tales(message: Json) -> list[int]:
    lines = str(message.get("text", "")).splitlines()
    return [int(line.rsplit(" ", 1)[1]) for line in lines if "tale number" in line]
