"""kill -9 at each step of one task: after a restart the video is shown once, or one honest question is asked,
and the provider was given one job at most. A restart takes over at once: no test here waits for a lease."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from pictures import noise_mp4
from provider_server import Fault as ProviderFault
from running import PATIENCE_S, BotHarness, bot_process, buttons, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json
from bot.worker import schedule

assert PATIENCE_S < schedule.UPDATE_LEASE_S < schedule.LEASE_S


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def test_killed_before_an_update_is_handled(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    async with bot_process(there.folder, there.values()) as bot:
        there.server.faults.add(Fault("sendMessage", FaultKind.DROP, times=None))
        there.world.say(ada, chat, "/video a sealed letter")
        await there.until(lambda: any(row["attempts"] for row in there.rows("updates")))
        await there.until(lambda: there.world.updates.pending == [])  # Telegram will not send it again
        await bot.kill()
    there.server.faults.clear()
    await _ends_well(there, chat, "a sealed letter")


async def test_killed_after_the_card_and_before_the_task(there: BotHarness) -> None:
    """The one crash that leaves a message behind: a card whose number was never known."""
    ada, chat = there.newcomer()
    async with bot_process(there.folder, there.values()) as bot:
        there.server.faults.add(Fault("sendMessage", FaultKind.SLOW))
        there.world.say(ada, chat, "/video an orphan")
        await there.until(lambda: there.world.bot_messages(chat))
        assert there.tasks(chat) == []
        await bot.kill()
    await _ends_well(there, chat, "an orphan", others=1)


async def test_killed_in_the_queue(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    values = there.values(volcengine_concurrency="1")
    with there.unfinished():
        async with bot_process(there.folder, values) as bot:
            there.world.say(boris, his, "/video the first")
            await there.job("the first")
            there.world.say(ada, chat, "/video the second")
            await there.until(lambda: [task["state"] for task in there.tasks(chat)] == ["queued"])
            await bot.kill()
    async with bot_process(there.folder, values):
        await _shown_once(there, his, "the first")
        await _shown_once(there, chat, "the second")


@pytest.mark.parametrize(
    ("fault", "jobs"),
    [(ProviderFault.HANG, 0), (ProviderFault.SILENT, 1)],
    ids=["not taken", "taken"],
)
async def test_killed_while_submitting_asks_and_buys_nothing(
    there: BotHarness, fault: ProviderFault, jobs: int
) -> None:
    ada, chat = there.newcomer()
    there.provider.next("submit", fault)
    async with bot_process(there.folder, there.values()) as bot:
        card = await there.answer(there.world.say(ada, chat, "/video a leap"))
        await there.provider.wait_for("submit", limit_s=PATIENCE_S)
        assert [task["state"] for task in there.tasks(chat)] == ["submitting"]
        await bot.kill()
    async with bot_process(there.folder, there.values()):
        await there.until(lambda: there.tasks(chat)[0]["delivered_at"])
        (asked,) = there.messages(chat)
        assert asked["message_id"] == card["message_id"]
        assert says("submit_unknown") in asked["text"]
        assert list(buttons(asked)) == [says("button_try_again_paid")]
        await there.handled(ada, chat)
        assert len(there.provider.calls("submit")) == 1
        assert there.jobs("a leap") == jobs


async def test_killed_while_the_job_runs(there: BotHarness) -> None:
    await _kill_and_restart(there, lambda: there.provider.calls("look"), unfinished=True)


async def test_killed_while_fetching(there: BotHarness) -> None:
    there.provider.next("video", ProviderFault.HANG)
    await _kill_and_restart(there, lambda: there.provider.calls("video"))


async def test_killed_while_uploading(there: BotHarness) -> None:
    there.provider.video = noise_mp4(30)
    await _kill_and_restart(there, lambda: there.server.calls_of("editMessageMedia"))
    (cut, _) = there.server.calls_of("editMessageMedia")
    assert cut.uploads == {}  # it had not arrived
    assert len(there.provider.calls("video")) == 1  # what was fetched is not fetched again


async def test_killed_after_the_delivery_and_before_it_is_written_down(there: BotHarness) -> None:
    there.server.faults.add(Fault("editMessageMedia", FaultKind.SLOW))
    await _kill_and_restart(there, lambda: [one for chat in _chats(there) for one in there.videos(chat)])
    assert len(there.server.calls_of("editMessageMedia")) == 2


async def test_killed_while_sending_a_new_message_asks_and_sends_nothing(there: BotHarness) -> None:
    """Its card was deleted, so there is nothing to edit, and whether the message arrived nobody knows."""
    ada, chat = there.newcomer()
    there.server.faults.add(Fault("sendVideo", FaultKind.SLOW))
    async with bot_process(there.folder, there.values()) as bot:
        with there.unfinished():
            card = await there.answer(there.world.say(ada, chat, "/video a torn page"))
            await there.job("a torn page")
            there.world.remove(chat, card["message_id"])
        await there.until(lambda: there.videos(chat))
        await bot.kill()
    async with bot_process(there.folder, there.values()):
        await there.shown(chat)
        await there.handled(ada, chat)
    (_video, offer, _help) = there.messages(chat)
    assert offer["text"] == says("card_offer")
    assert len(there.server.calls_of("sendVideo")) == 1


async def test_killed_while_the_preview_is_drawn(there: BotHarness) -> None:
    """It is drawn on this machine, and drawn anew by the bot that comes after."""
    ada, chat = there.newcomer()
    async with bot_process(there.folder, there.values()) as bot:
        there.world.say(ada, chat, "/video a sketch --model preview")
        await there.until(lambda: list(there.folder.glob("preview/*/progress")))
        await bot.kill()
    assert list(there.folder.glob("preview/*/film.mp4")) == []
    async with bot_process(there.folder, there.values()):
        (video,) = await there.shown(chat)
    assert video["caption"].startswith("a sketch")
    assert len(there.messages(chat)) == 1


async def test_a_stop_ends_in_time_and_leaves_nothing_behind(there: BotHarness) -> None:
    """Even in the middle of a delivery that does not end."""
    ada, chat = there.newcomer()
    there.server.faults.add(Fault("editMessageMedia", FaultKind.SLOW))
    async with bot_process(there.folder, there.values()) as bot:
        there.world.say(ada, chat, "/video a sunset")
        await there.until(lambda: there.videos(chat))
        began = time.monotonic()
        bot.send(signal.SIGTERM)
        assert await bot.end() == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in bot.printed
    assert [row["due_before_lease"] for row in there.rows("tasks")] == [None]
    assert {row["leased_until"] for row in there.rows("updates")} == {None}
    await _ends_well(there, chat, "a sunset")


async def test_a_stop_waits_for_a_submit_in_flight(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.provider.answering.clear()
    async with bot_process(there.folder, there.values()) as bot:
        there.world.say(ada, chat, "/video a promise")
        await there.provider.wait_for("submit", limit_s=PATIENCE_S)
        bot.send(signal.SIGTERM)
        await bot.prints("stopping")
        there.provider.answering.set()
        assert await bot.end() == 0
    assert [task["state"] for task in there.tasks(chat)] == ["running"]
    await _ends_well(there, chat, "a promise")


async def _kill_and_restart(
    there: BotHarness, moment: Callable[[], Sequence[object]], *, unfinished: bool = False
) -> None:
    """One task, the bot killed as soon as `moment` is there, and what comes of it."""
    ada, chat = there.newcomer()
    if unfinished:
        with there.unfinished():
            await _kill(there, chat, lambda: there.world.say(ada, chat, "/video a phoenix"), moment)
    else:
        await _kill(there, chat, lambda: there.world.say(ada, chat, "/video a phoenix"), moment)
    await _ends_well(there, chat, "a phoenix")


async def _kill(
    there: BotHarness, chat: Chat, ask: Callable[[], Json], moment: Callable[[], Sequence[object]]
) -> None:
    async with bot_process(there.folder, there.values()) as bot:
        ask()
        async with asyncio.timeout(PATIENCE_S):
            while not moment():
                await asyncio.sleep(0)  # an upload begins without any sign in the world
        await bot.kill()
    assert there.tasks(chat)[0]["delivered_at"] is None


async def _ends_well(there: BotHarness, chat: Chat, prompt: str, *, others: int = 0) -> None:
    """A bot started anew on the same folder shows the video, once; `others` of its messages are no video."""
    async with bot_process(there.folder, there.values()) as bot:
        await _shown_once(there, chat, prompt, others=others)
        assert bot.is_running


async def _shown_once(there: BotHarness, chat: Chat, prompt: str, *, others: int = 0) -> None:
    (video,) = await there.shown(chat)
    assert video["caption"].startswith(prompt)
    assert len(there.messages(chat)) == 1 + others
    assert len(there.tasks(chat)) == 1
    assert there.jobs(prompt) == 1


def _chats(there: BotHarness) -> list[Chat]:
    return list(there.world.chats.values())
