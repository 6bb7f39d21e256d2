"""A job that takes longer than all others: told once, watched rarely, delivered when it comes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from running import BotHarness, running_bot, says, stage

from bot.sandbox import Chat
from bot.stores.sqlite.rows import to_text

LATE = says("card_late", elapsed="\0").partition("(")[0]


async def test_a_late_video_is_told_of_once_watched_rarely_and_shown_when_it_comes(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        with live_bot.unfinished():
            async with running_bot(live_bot.values()):
                card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a glacier"))
                await live_bot.until(lambda: any(task["polled_at"] for task in live_bot.tasks(chat)))
            _age(live_bot, timedelta(hours=2))
            async with running_bot(live_bot.values()):
                await live_bot.until(lambda: LATE in str(live_bot.now(card)))
                await live_bot.until(lambda: live_bot.tasks(chat)[0]["late_at"])
                polls = len(live_bot.provider.calls("poll"))
                await live_bot.handled(ada, chat)
            (task,) = live_bot.tasks(chat)
            next_poll = datetime.fromisoformat(task["due_at"]) - datetime.fromisoformat(task["polled_at"])
            assert next_poll == timedelta(minutes=10)
            assert len(live_bot.provider.calls("poll")) == polls
        _age(live_bot, timedelta(minutes=10))
        async with running_bot(live_bot.values()):
            (video,) = await live_bot.shown(chat)
        assert video["message_id"] == card["message_id"]
        assert live_bot.tasks(chat)[0]["late_at"] == to_text(_earlier(task["late_at"], timedelta(minutes=10)))
        assert live_bot.jobs("a glacier") == 1
        assert _words(live_bot, chat) == 1, "no second message speaks of it"


def _age(live_bot: BotHarness, by: timedelta) -> None:
    """As if all that is on its way had begun so much earlier."""
    times = ("created_at", "queued_at", "submitted_at", "polled_at", "running_at", "late_at", "due_at")
    with closing(sqlite3.connect(live_bot.folder / "bot.db")) as database, database:
        for row in live_bot.rows("tasks"):
            for name in times:
                if row[name] is not None:
                    earlier = to_text(_earlier(row[name], by))
                    database.execute(f"UPDATE tasks SET {name} = ? WHERE id = ?", [earlier, row["id"]])


def _earlier(text: str, by: timedelta) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC) - by


def _words(live_bot: BotHarness, chat: Chat) -> int:
    """How many messages are neither the video nor a call to it: the help that was asked for."""
    return sum("text" in one for one in live_bot.messages(chat))
