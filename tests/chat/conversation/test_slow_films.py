"""Films that take half a minute to read, sent by one person in many chats, hold up nobody else."""

from __future__ import annotations

from pathlib import Path

from films import film, slow_film
from running import BOT, BotHarness, bot_on_stage

CHATS = 33
"""One more than are handled at the same time."""


async def test_slow_films_of_one_person_hold_up_nobodys_answers_videos_and_films(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path) as harness:
        await stand_by(harness)  # the media workers run from now on
        ada, _ = harness.newcomer()
        groups = [harness.world.add_group(f"Group {number}", [ada]) for number in range(CHATS)]
        for group in groups:
            sent = harness.world.send_video(ada, group, slow_film(), width=4096, height=4096)
            harness.world.say(ada, group, f"/extend@{BOT}", reply_to=sent)
        await harness.until(lambda: list((tmp_path / "work").glob("*/0")))
        await stand_by(harness)
        assert not any(harness.world.bot_messages(group) for group in groups), "the first is still being read"


async def stand_by(harness: BotHarness) -> None:
    """Be answered, get a video, and have one continued."""
    boris, chat = harness.newcomer("Boris")
    await harness.answer(harness.world.say(boris, chat, "/help"))
    harness.world.say(boris, chat, "/video a boat")
    await harness.shown(chat)
    sent = harness.world.send_video(boris, chat, film())
    harness.world.say(boris, chat, "/extend the wall opens", reply_to=sent)
    await harness.shown(chat, 2)
