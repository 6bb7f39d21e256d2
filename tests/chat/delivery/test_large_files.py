"""Files of people, large or slow: they take no memory of the bot's own, and hold up nobody else."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from films import WHITE, film
from pictures import photo
from running import BotHarness, bot_on_stage, bot_process, stage

from bot.sandbox import Fault, FaultKind

pytestmark = pytest.mark.asyncio(loop_scope="function")

_PHOTOS = 16


@cache
def heavy_photo() -> bytes:
    """A sound JPEG of just under what Telegram lets a bot download, 20 MB: most of it is comments."""
    small = photo(1200, 800)
    comment = b"\xff\xfe\xff\xff" + os.urandom(65_533)
    return small[:2] + 303 * comment + small[2:]


def most_memory_mb(pid: int) -> int:
    """The most that a process held at once, so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1000


async def test_many_large_photos_at_once_do_not_grow_the_bot(tmp_path: Path) -> None:
    data = heavy_photo()
    assert 19_800_000 < len(data) < 20 << 20
    async with stage(tmp_path) as live_bot, bot_process(tmp_path, live_bot.values()) as process:
        people = [live_bot.newcomer() for _ in range(_PHOTOS)]
        for person, chat in people:
            caption = f"/video the waves of {person.id}"
            live_bot.world.send_photo(person, chat, data, as_document=True, caption=caption, name="waves.jpg")
        for _, chat in people:
            await live_bot.shown(chat)
        assert most_memory_mb(process.pid) < 250
    assert live_bot.world.complaints == []


async def test_a_slow_file_in_many_chats_holds_up_nobody_else(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path) as live_bot:
        ada, alone = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris")
        sent = live_bot.world.send_video(ada, alone, film())
        slow = sent["video"]["file_id"]
        live_bot.server.faults.add(
            Fault("getFile", FaultKind.SLOW, times=None, when=lambda params: params["file_id"] == slow)
        )
        together = live_bot.world.add_group("Both", [ada, boris])
        for group in [
            together,
            *(live_bot.world.add_group(f"Friends {number}", [ada]) for number in range(40)),
        ]:
            forwarded = live_bot.world.forward(ada, group, sent)
            live_bot.world.say(ada, group, "/extend@dreamreel_bot on", reply_to=forwarded)
        await live_bot.until(lambda: _fetches(live_bot, slow))
        live_bot.world.send_video(boris, his, film(WHITE), caption="/extend the sea rises")
        await live_bot.shown(his)
        await live_bot.handled(boris, his)
        await live_bot.handled(boris, together)
        assert _fetches(live_bot, slow) == 1, "one at a time a person, and it has not ended yet"


def _fetches(live_bot: BotHarness, file_id: str) -> int:
    return sum(call.params["file_id"] == file_id for call in live_bot.server.calls_of("getFile"))
