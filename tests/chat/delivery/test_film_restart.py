"""kill -9 at each step of one film: after a restart it is joined on its card, or one honest question is
asked, and the provider was given one job for each shot at most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from films import film
from provider_server import Fault as ProviderFault
from running import PATIENCE_S, BotHarness, bot_process, buttons, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json

FIRST, SECOND = "a closed door", "it opens slowly"
START = says("button_film_start")
SHOTS = says("button_film_shots")


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        made.provider.video = film()
        yield made
        assert made.world.complaints == []


def _films(live_bot: BotHarness) -> list[Json]:
    chats = list(live_bot.world.chats.values())
    return [one for chat in chats for one in live_bot.videos(chat) if SHOTS in buttons(one)]


def _photos(live_bot: BotHarness) -> list[Json]:
    chats = list(live_bot.world.chats.values())
    return [one for chat in chats for one in live_bot.world.bot_messages(chat) if "photo" in one]


def _looks(live_bot: BotHarness) -> Sequence[object]:
    return live_bot.provider.calls("poll")


def _second_job(live_bot: BotHarness) -> Sequence[object]:
    # Killed before its id is saved, it would be an order of unknown end.
    return [row for row in live_bot.rows("tasks") if SECOND in row["request"] and row["remote_id"]]


def _being_joined(live_bot: BotHarness) -> Sequence[object]:
    return [row for row in live_bot.rows("films") if row["body"].find('"joining"') > 0]


@pytest.mark.parametrize(
    ("moment", "fault"),
    [
        (_looks, None),
        (_photos, Fault("editMessageMedia", FaultKind.SLOW)),
        (_second_job, None),
        (_being_joined, None),
        (_films, Fault("editMessageMedia", FaultKind.SLOW, skip=1)),
    ],
    ids=["first made", "frame shown", "second made", "joining", "shown"],
)
async def test_a_film_is_joined_whenever_the_bot_is_killed(
    live_bot: BotHarness, moment: Callable[[BotHarness], Sequence[object]], fault: Fault | None
) -> None:
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        card = await live_bot.answer(live_bot.world.say(ada, chat, f"/film {FIRST}\n{SECOND}"))
        if fault is not None:
            live_bot.server.faults.add(fault)
        live_bot.world.press(ada, card, START)
        await _reached(lambda: moment(live_bot))
        await bot.kill()
    live_bot.server.faults.clear()
    async with bot_process(live_bot.folder, live_bot.values()):
        await _ends_well(live_bot, chat, card)


async def test_a_kill_in_the_submit_of_a_shot_asks_and_buys_nothing_more(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("submit", ProviderFault.SILENT)
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        card = await live_bot.answer(live_bot.world.say(ada, chat, f"/film {FIRST}\n{SECOND}"))
        live_bot.world.press(ada, card, START)
        await live_bot.provider.wait_for("submit", limit_s=PATIENCE_S)
        await bot.kill()
    async with bot_process(live_bot.folder, live_bot.values()):
        await live_bot.until(lambda: says("submit_unknown") in str((live_bot.now(card) or {}).get("text")))
        await live_bot.handled(ada, chat)
    assert (live_bot.jobs(FIRST), live_bot.jobs(SECOND)) == (1, 0)


async def test_a_kill_before_the_press_is_handled_starts_it_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        card = await live_bot.answer(live_bot.world.say(ada, chat, f"/film {FIRST}\n{SECOND}"))
        await live_bot.until(lambda: live_bot.rows("films"))
        live_bot.world.press(ada, card, START)
        await bot.kill()
    async with bot_process(live_bot.folder, live_bot.values()):
        await _ends_well(live_bot, chat, card)


async def _reached(moment: Callable[[], Sequence[object]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not moment():
            await asyncio.sleep(0)


async def _ends_well(live_bot: BotHarness, chat: Chat, card: Json) -> None:
    await live_bot.until(lambda: _films(live_bot))
    await live_bot.until(lambda: [row["is_open"] for row in live_bot.rows("films")] == [0])
    (video,) = live_bot.videos(chat)
    assert video["message_id"] == card["message_id"]
    assert (live_bot.jobs(FIRST), live_bot.jobs(SECOND)) == (1, 1)
    assert len(live_bot.tasks(chat)) == 3, "two shots and the film"
