"""/history: what a person made here, sent again without an upload; and what they have not seen so far."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from provider_server import Reply, success
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.sandbox import Chat, Fault, FaultKind, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADING = says("history_heading")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), open_tasks_per_user="20") as made:
        yield made


async def test_who_made_nothing_gets_an_example(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/history"))
    assert answer["text"] == says("history_empty", command="/video")
    answer = await live_bot.answer(live_bot.world.say(ada, group, f"/history@{BOT}"))
    assert answer["text"] == says("history_empty", command=f"/video@{BOT}")


async def test_a_video_is_sent_again_by_its_file_id(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "/video a red balloon 9:16")
    listed = await _history(live_bot, ada, chat)
    assert listed["text"].startswith(
        f"{HEADING}\n\n1. a red balloon\njimeng-pro · 9:16 · 5 s · 1080p · 🔇 · 20"
    )
    uploads = len(live_bot.server.calls_of("sendVideo"))
    assert await live_bot.tap(ada, listed, "▶ 1") == ""
    _, again = await live_bot.shown(chat, 2)
    assert (again["caption"], buttons(again)) == (video["caption"], buttons(video))
    assert again["video"]["file_id"] == video["video"]["file_id"]
    (call,) = live_bot.server.calls_of("sendVideo")[uploads:]
    assert call.uploads == {}
    assert len(live_bot.tasks(chat)) == live_bot.jobs("a red balloon") == 1


@pytest.mark.parametrize("place", ["private", "group"])
async def test_ones_own_video_is_deleted_with_a_button_and_the_history_says_so(
    live_bot: BotHarness, place: str
) -> None:
    ada, chat = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    if place == "group":
        chat = live_bot.world.add_group("Friends", [boris, ada])
    at = f"@{BOT}" if place == "group" else ""
    video = await _made(live_bot, ada, chat, f"/video{at} a secret garden")
    delete, marked = says("button_delete"), says("history_deleted")
    if place == "group":
        assert await live_bot.tap(boris, video, delete) == says("press_only_owner")
    live_bot.server.faults.add(
        Fault("deleteMessage", FaultKind.BAD_REQUEST, description="message can't be deleted for everyone")
    )
    assert await live_bot.tap(ada, video, delete) == says("press_cannot_delete")
    listed = await live_bot.answer(live_bot.world.say(ada, chat, f"/history{at}"))
    assert marked not in listed["text"]
    assert await live_bot.tap(ada, video, delete) == says("press_deleted")
    assert live_bot.now(video) is None
    listed = await live_bot.answer(live_bot.world.say(ada, chat, f"/history{at}"))
    assert marked in listed["text"]
    await live_bot.tap(ada, listed, "▶ 1")
    (again,) = await live_bot.shown(chat)
    assert list(buttons(again)) == list(buttons(video))
    await live_bot.until(lambda: not live_bot.tasks(chat)[0]["deleted_at"])


async def test_a_double_tap_sends_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "/video a double bass")
    listed = await _history(live_bot, ada, chat)
    for _ in range(3):
        await live_bot.tap(ada, listed, "▶ 1")
    await live_bot.handled(ada, chat)
    assert len(live_bot.videos(chat)) == 2


async def test_pages_turn_in_place_newest_first(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    for number in range(1, 8):
        await _made(live_bot, ada, chat, f"/video tale number {number}")
    listed = await _history(live_bot, ada, chat)
    assert _tales(listed) == [7, 6, 5, 4, 3]
    assert list(buttons(listed)) == ["▶ 1", "▶ 2", "▶ 3", "▶ 4", "▶ 5", says("button_older")]
    await live_bot.tap(ada, listed, says("button_older"))
    older = await _turned(live_bot, listed, 2)
    assert _tales(older) == [2, 1]
    assert list(buttons(older)) == ["▶ 6", "▶ 7", says("button_newer")]
    await live_bot.tap(ada, older, "▶ 7")
    assert (await live_bot.shown(chat, 8))[7]["caption"].startswith("tale number 1")
    await live_bot.tap(ada, older, says("button_newer"))
    assert _tales(await _turned(live_bot, listed, 7)) == [7, 6, 5, 4, 3]


async def test_a_video_that_nobody_waited_for_is_marked_and_can_be_fetched(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a late guest"))
        await live_bot.until(lambda: says("button_stop_paid") in buttons(live_bot.now(card) or {}))
        await live_bot.tap(ada, card, says("button_stop_paid"))
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    listed = await _history(live_bot, ada, chat)
    assert says("history_unseen") in listed["text"]
    assert await live_bot.tap(ada, listed, "▶ 1") == says("press_fetching")
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("a late guest")
    assert live_bot.jobs("a late guest") == 1
    assert says("history_unseen") not in (await _history(live_bot, ada, chat))["text"]


async def test_a_video_for_a_chat_that_was_blocked_meanwhile_can_be_fetched(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video an open window")
        await live_bot.job("an open window")
        live_bot.world.block(ada)
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    live_bot.world.block(ada, blocked=False)
    listed = await _history(live_bot, ada, chat)
    await live_bot.tap(ada, listed, "▶ 1")
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("an open window")


async def test_a_video_that_is_lost_by_now_says_so_and_leaves_the_history(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a melting snowman"))
        await live_bot.until(lambda: says("button_stop_paid") in buttons(live_bot.now(card) or {}))
        await live_bot.tap(ada, card, says("button_stop_paid"))
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    (task,) = live_bot.tasks(chat)
    listed = await _history(live_bot, ada, chat)
    (live_bot.folder / "videos" / f"{task['id']}.mp4").unlink()
    with closing(sqlite3.connect(live_bot.folder / "bot.db")) as database:
        # A link that is minutes old is given time to come to life.
        long_ago = datetime.now(UTC) - timedelta(minutes=9)
        database.execute(
            "UPDATE tasks SET finished_at = ? WHERE id = ?",
            [long_ago.isoformat(timespec="microseconds"), task["id"]],
        )
        database.commit()
    live_bot.provider.next("poll", success({"status": "expired"}))
    live_bot.provider.next("video", Reply(403, "expired"))
    await live_bot.tap(ada, listed, "▶ 1")
    await live_bot.answer(listed, containing=says("link_expired"))
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/history"))
    assert answer["text"] == says("history_empty", command="/video")


async def test_in_a_group_each_sees_and_turns_only_their_own(live_bot: BotHarness) -> None:
    ada, private = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    await _made(live_bot, ada, group, f"/video@{BOT} hers alone")
    await _made(live_bot, boris, group, f"/video@{BOT} his alone")
    listed = await _history(live_bot, ada, group, f"/history@{BOT}")
    assert "hers alone" in listed["text"]
    assert "his alone" not in listed["text"]
    assert listed["reply_to_message"]["text"] == f"/history@{BOT}"
    assert await live_bot.tap(boris, listed, "▶ 1") == says("press_not_yours")
    assert await live_bot.forged_tap(boris, listed, f"history:{ada.id}:0") == says("press_not_yours")
    answer = await live_bot.answer(live_bot.world.say(ada, private, "/history"))
    assert answer["text"] == says("history_empty", command="/video")


async def test_an_admin_turns_the_pages_of_the_group_that_they_asked_as(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Secret", [ada, boris])
    group.members[ada.id].status = "administrator"
    for number in range(6):
        before = len(live_bot.videos(group))
        live_bot.world.say(ada, group, f"/video@{BOT} mask {number}", anonymous=True)
        await live_bot.shown(group, before + 1)
    asked = live_bot.world.say(ada, group, f"/history@{BOT}", anonymous=True)
    listed = await live_bot.answer(asked, containing=HEADING)
    assert await live_bot.tap(boris, listed, says("button_older")) == says("press_not_yours")
    assert await live_bot.tap(ada, listed, says("button_older")) == ""
    assert await live_bot.tap(boris, listed, "▶ 6") == says("press_not_yours")
    await live_bot.tap(ada, listed, "▶ 6")
    await live_bot.shown(group, 7)


async def test_forged_pages_are_calmly_refused(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "/video a plain page")
    listed = await _history(live_bot, ada, chat)
    for data in ("history", "history:", "history:x:0", f"history:{ada.id}:-5", "history:1:" + "9" * 50):
        assert await live_bot.forged_tap(ada, listed, data[:64]) == says("press_gone"), data
    assert await live_bot.forged_tap(ada, listed, f"history:{ada.id}:{10**17}") == ""
    assert await live_bot.forged_tap(ada, listed, f"history:{ada.id + 1}:0") == says("press_not_yours")


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    before = len(live_bot.videos(chat))
    live_bot.world.say(person, chat, words)
    return (await live_bot.shown(chat, before + 1))[before]


async def _history(live_bot: BotHarness, person: Person, chat: Chat, words: str = "/history") -> Json:
    return await live_bot.answer(live_bot.world.say(person, chat, words), containing=HEADING)


async def _turned(live_bot: BotHarness, message: Json, newest: int) -> Json:
    """The list once it shows another page, whose first entry is this tale."""
    await live_bot.until(lambda: _tales(live_bot.now(message) or {})[:1] == [newest])
    return live_bot.now(message) or {}


def _tales(message: Json) -> list[int]:
    lines = str(message.get("text", "")).splitlines()
    return [int(line.rsplit(" ", 1)[1]) for line in lines if "tale number" in line]
