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
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def test_killed_before_an_update_is_handled(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.DROP, times=None))
        live_bot.world.say(ada, chat, "/video a sealed letter")
        await live_bot.until(lambda: any(row["attempts"] for row in live_bot.rows("updates")))
        await live_bot.until(lambda: live_bot.world.updates.pending == [])  # Telegram will not send it again
        await bot.kill()
    live_bot.server.faults.clear()
    await _ends_well(live_bot, chat, "a sealed letter")


async def test_killed_after_the_card_and_before_the_task(live_bot: BotHarness) -> None:
    """The one crash that leaves a message behind: a card whose number was never known."""
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.server.faults.add(Fault("sendMessage", FaultKind.SLOW))
        live_bot.world.say(ada, chat, "/video an orphan")
        await live_bot.until(lambda: live_bot.world.bot_messages(chat))
        assert live_bot.tasks(chat) == []
        await bot.kill()
    await _ends_well(live_bot, chat, "an orphan", others=1)


async def test_killed_in_the_queue(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    values = live_bot.values(volcengine_concurrency="1")
    with live_bot.unfinished():
        async with bot_process(live_bot.folder, values) as bot:
            live_bot.world.say(boris, his, "/video the first")
            await live_bot.job("the first")
            live_bot.world.say(ada, chat, "/video the second")
            await live_bot.until(lambda: [task["state"] for task in live_bot.tasks(chat)] == ["queued"])
            await bot.kill()
    async with bot_process(live_bot.folder, values):
        await _shown_once(live_bot, his, "the first")
        await _shown_once(live_bot, chat, "the second")


@pytest.mark.parametrize(
    ("fault", "jobs"),
    [(ProviderFault.HANG, 0), (ProviderFault.SILENT, 1)],
    ids=["not taken", "taken"],
)
async def test_killed_while_submitting_asks_and_buys_nothing(
    live_bot: BotHarness, fault: ProviderFault, jobs: int
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("submit", fault)
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a leap"))
        await live_bot.provider.wait_for("submit", limit_s=PATIENCE_S)
        assert [task["state"] for task in live_bot.tasks(chat)] == ["submitting"]
        await bot.kill()
    async with bot_process(live_bot.folder, live_bot.values()):
        await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
        (asked,) = live_bot.messages(chat)
        assert asked["message_id"] == card["message_id"]
        assert says("submit_unknown") in asked["text"]
        assert list(buttons(asked)) == [says("button_try_again_paid")]
        await live_bot.handled(ada, chat)
        assert len(live_bot.provider.calls("submit")) == 1
        assert live_bot.jobs("a leap") == jobs


async def test_killed_while_the_job_runs(live_bot: BotHarness) -> None:
    await _kill_and_restart(live_bot, lambda: live_bot.provider.calls("poll"), unfinished=True)


async def test_killed_while_fetching(live_bot: BotHarness) -> None:
    live_bot.provider.next("video", ProviderFault.HANG)
    await _kill_and_restart(live_bot, lambda: live_bot.provider.calls("video"))


async def test_killed_while_uploading(live_bot: BotHarness) -> None:
    live_bot.provider.video = noise_mp4(30)
    await _kill_and_restart(live_bot, lambda: live_bot.server.calls_of("editMessageMedia"))
    (cut, _) = live_bot.server.calls_of("editMessageMedia")
    assert cut.uploads == {}  # it had not arrived
    assert len(live_bot.provider.calls("video")) == 1  # what was fetched is not fetched again


async def test_killed_after_the_delivery_and_before_it_is_written_down(live_bot: BotHarness) -> None:
    live_bot.server.faults.add(Fault("editMessageMedia", FaultKind.SLOW))
    await _kill_and_restart(
        live_bot, lambda: [one for chat in _chats(live_bot) for one in live_bot.videos(chat)]
    )
    assert len(live_bot.server.calls_of("editMessageMedia")) == 2


async def test_killed_while_sending_a_new_message_asks_and_sends_nothing(live_bot: BotHarness) -> None:
    """Its card was deleted, so there is nothing to edit, and whether the message arrived nobody knows."""
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(Fault("sendVideo", FaultKind.SLOW))
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        with live_bot.unfinished():
            card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a torn page"))
            await live_bot.job("a torn page")
            live_bot.world.remove(chat, card["message_id"])
        await live_bot.until(lambda: live_bot.videos(chat))
        await bot.kill()
    async with bot_process(live_bot.folder, live_bot.values()):
        await live_bot.shown(chat)
        await live_bot.handled(ada, chat)
    (_video, offer, _help) = live_bot.messages(chat)
    assert offer["text"] == says("card_offer")
    assert len(live_bot.server.calls_of("sendVideo")) == 1


async def test_killed_while_the_preview_is_drawn(live_bot: BotHarness) -> None:
    """It is drawn on this machine, and drawn again by the bot that comes after."""
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.world.say(ada, chat, "/video a sketch --model preview")
        await live_bot.until(lambda: list(live_bot.folder.glob("preview/*/progress")))
        await bot.kill()
    assert list(live_bot.folder.glob("preview/*/film.mp4")) == []
    async with bot_process(live_bot.folder, live_bot.values()):
        (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("a sketch")
    assert len(live_bot.messages(chat)) == 1


async def test_a_stop_ends_in_time_and_leaves_nothing_behind(live_bot: BotHarness) -> None:
    """Even in the middle of a delivery that does not end."""
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(Fault("editMessageMedia", FaultKind.SLOW))
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.world.say(ada, chat, "/video a sunset")
        await live_bot.until(lambda: live_bot.videos(chat))
        began = time.monotonic()
        bot.send(signal.SIGTERM)
        assert await bot.end() == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in bot.printed
    assert [row["due_before_lease"] for row in live_bot.rows("tasks")] == [None]
    assert {row["leased_until"] for row in live_bot.rows("updates")} == {None}
    await _ends_well(live_bot, chat, "a sunset")


async def test_a_stop_waits_for_a_submit_in_flight(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.answering.clear()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        live_bot.world.say(ada, chat, "/video a promise")
        await live_bot.provider.wait_for("submit", limit_s=PATIENCE_S)
        bot.send(signal.SIGTERM)
        await bot.prints("stopping")
        live_bot.provider.answering.set()
        assert await bot.end() == 0
    assert [task["state"] for task in live_bot.tasks(chat)] == ["running"]
    await _ends_well(live_bot, chat, "a promise")


async def _kill_and_restart(
    live_bot: BotHarness, moment: Callable[[], Sequence[object]], *, unfinished: bool = False
) -> None:
    """One task, the bot killed as soon as `moment` is there, and what comes of it."""
    ada, chat = live_bot.newcomer()
    if unfinished:
        with live_bot.unfinished():
            await _kill(live_bot, chat, lambda: live_bot.world.say(ada, chat, "/video a phoenix"), moment)
    else:
        await _kill(live_bot, chat, lambda: live_bot.world.say(ada, chat, "/video a phoenix"), moment)
    await _ends_well(live_bot, chat, "a phoenix")


async def _kill(
    live_bot: BotHarness, chat: Chat, ask: Callable[[], Json], moment: Callable[[], Sequence[object]]
) -> None:
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        ask()
        async with asyncio.timeout(PATIENCE_S):
            while not moment():
                await asyncio.sleep(0)  # an upload begins without any sign in the world
        await bot.kill()
    assert live_bot.tasks(chat)[0]["delivered_at"] is None


async def _ends_well(live_bot: BotHarness, chat: Chat, prompt: str, *, others: int = 0) -> None:
    """A bot started again on the same folder shows the video, once; `others` of its messages are no video."""
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        await _shown_once(live_bot, chat, prompt, others=others)
        assert bot.is_running


async def _shown_once(live_bot: BotHarness, chat: Chat, prompt: str, *, others: int = 0) -> None:
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith(prompt)
    assert len(live_bot.messages(chat)) == 1 + others
    assert len(live_bot.tasks(chat)) == 1
    assert live_bot.jobs(prompt) == 1


def _chats(live_bot: BotHarness) -> list[Chat]:
    return list(live_bot.world.chats.values())
