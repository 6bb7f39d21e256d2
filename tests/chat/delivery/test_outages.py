"""Outages: endured, told in two lines of the log, gone and back, however many calls they spoil."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import cycle
from pathlib import Path

import pytest
from provider_server import Fault as ProviderFault
from provider_server import Kind, Received, Reply, failure
from running import BotHarness, bot_process, stage

from bot.sandbox import Fault, FaultKind

PAGE = "<html><body><h1>Bad Gateway</h1></body></html>"
SILENCES = (
    *(Reply(502, PAGE), Reply(503, b""), Reply(200, PAGE), Reply(429, "slow down", {"Retry-After": "0"})),
    *(ProviderFault.CUT, ProviderFault.RESET, ProviderFault.HALF),
    failure(50500, "Internal Error", 500),
)


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


def silent(
    kind: Kind, answers: Sequence[Reply | ProviderFault]
) -> Callable[[Kind, Received], Reply | ProviderFault | None]:
    turn = cycle(answers)
    return lambda call, _received: next(turn) if call == kind else None


def lines(printed: str) -> list[str]:
    """What was written of warnings and worse, and of outages that are over."""
    told = [line for line in printed.splitlines() if re.search(r"\[(warning|error|critical) *\]|again", line)]
    return [re.sub(r"^\S+ \S+ \[\w+ *\] (.*?) *\[bot\..*", r"\1", line) for line in told]


async def test_every_way_to_give_no_answer_to_a_look_is_endured(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.interfere = silent("poll", SILENCES)
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        for number in range(3):
            live_bot.world.say(ada, chat, f"/video a deaf ear {number}")
        await live_bot.provider.wait_for("poll", count=3 * len(SILENCES), limit_s=60)
        assert {task["state"] for task in live_bot.tasks(chat)} == {"running"}
        live_bot.provider.interfere = lambda _kind, _received: None
        await live_bot.shown(chat, 3)
        await bot.kill()
    assert lines(bot.printed) == ["polls fail", "the provider answers again"]
    assert "Traceback" not in bot.printed
    assert len(live_bot.provider.jobs) == 3


async def test_a_provider_that_takes_no_order_is_asked_again_until_it_does(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.interfere = silent("submit", (failure(50500, "Internal Error", 500),))
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        for number in range(3):
            live_bot.world.say(ada, chat, f"/video a closed counter {number}")
        await live_bot.provider.wait_for("submit", count=6, limit_s=60)
        assert live_bot.provider.jobs == {}
        live_bot.provider.interfere = lambda _kind, _received: None
        await live_bot.shown(chat, 3)
        await bot.kill()
    assert lines(bot.printed) == ["submits fail", "the provider answers again"]
    assert len(live_bot.provider.jobs) == 3


async def test_an_outage_of_telegram_is_two_lines_too(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    async with bot_process(live_bot.folder, live_bot.values()) as bot:
        with live_bot.unfinished():
            live_bot.world.say(ada, chat, "/video a power cut")
            await live_bot.job("a power cut")
            live_bot.server.faults.add(Fault("*", FaultKind.SERVER_ERROR, times=None))
            live_bot.world.say(ada, chat, "/video after the power cut")
            await live_bot.until(lambda: sum(not call.ok for call in live_bot.server.calls) > 5)
            live_bot.server.faults.clear()
            live_bot.world.say(ada, chat, "/video the light again")  # ends the poll that is under way
        await live_bot.shown(chat, 3)
        await bot.kill()
    told = lines(bot.printed)
    assert {"Telegram does not answer", "Telegram answers again"} <= set(told)
    assert len(told) == len(set(told)) <= 4, "polls and answers each have their two lines"
    assert "Traceback" not in bot.printed
