"""Slow uploads: what goes on arrives."""

from __future__ import annotations

import pytest
from running import BotHarness

from bot.sandbox import Fault, FaultKind
from bot.worker import journal, schedule

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_large_video_may_take_as_long_as_a_slow_line_needs() -> None:
    assert schedule.upload_limit_s(17_000_000) > 17_000_000 / 100_000
    assert schedule.upload_limit_s(50_000_000) > 50_000_000 / 20_000
    assert schedule.upload_limit_s(0) == schedule.UPLOAD_LIMIT_S


async def test_an_upload_keeps_its_lease_and_the_video_is_shown_once(
    live_bot: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_HOLD_PAUSE_S", 0.2)
    monkeypatch.setattr(schedule, "RENEW_LEASE_S", schedule.LEASE_S)
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(
        Fault("editMessageMedia", FaultKind.SLOW, delay_s=1.5, when=lambda call: call["chat_id"] == chat.id)
    )
    live_bot.world.say(ada, chat, "/video a slow river")
    await live_bot.shown(chat)
    (task,) = live_bot.tasks(chat)
    assert (task["state"], task["due_at"], len(live_bot.edits(chat))) == ("succeeded", None, 1)
