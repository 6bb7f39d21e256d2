"""Large videos pass through: fetched, prepared and uploaded in pieces, never held in memory."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from pictures import noise_mp4
from running import BotHarness, BotProcess, bot_process, stage

from bot.sandbox import Chat, Person

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

BOT_BYTES = 10_000_000
WORKER_BYTES = 22_000_000
"""Some decoded frames more or less, and never the file."""


async def test_a_video_of_45_mb_costs_under_10_mb_of_memory(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, bot_process(tmp_path, live_bot.values()) as bot:
        ada, chat = live_bot.newcomer()
        live_bot.provider.video = noise_mp4(5)
        await _deliver(live_bot, ada, chat, 1)  # from here on only the size differs
        family = _family(bot)
        before = [_memory(pid, "VmRSS") for pid in family]
        for pid in family:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak counts anew from here
        live_bot.provider.video = noise_mp4(45)
        await _deliver(live_bot, ada, chat, 2)
        assert live_bot.videos(chat)[-1]["video"]["file_size"] > 45_000_000
        assert _family(bot) == family
        grown = [_memory(pid, "VmHWM") - had for pid, had in zip(family, before, strict=True)]
        assert grown[0] < BOT_BYTES
        assert grown[1] < WORKER_BYTES
        assert live_bot.world.complaints == []


async def _deliver(live_bot: BotHarness, person: Person, chat: Chat, many: int) -> None:
    live_bot.world.say(person, chat, "/video a heavy load")
    await live_bot.shown(chat, many)


def _family(bot: BotProcess) -> list[str]:
    """The bot's process, and the one that it has media handled in."""
    (worker,) = Path(f"/proc/{bot.pid}/task/{bot.pid}/children").read_text().split()
    return [str(bot.pid), worker]


def _memory(pid: str, kind: str) -> int:
    """In bytes: `VmRSS` is what it has, `VmHWM` the most it had."""
    found = re.search(rf"^{kind}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
