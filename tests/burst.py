"""A burst: many chats whose videos are done within a short while, before a Telegram that keeps its limits."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from provider_server import ProviderServer
from running import BotHarness, running_bot

from bot.sandbox import CallRecord, Chat, SandboxServer
from bot.send_rates import TELEGRAM, Limits

_NEVER = ("generating",) * 1_000_000
_DONE = len(_NEVER)
_PATIENCE_S = 180.0


@dataclass(frozen=True)
class Burst:
    """What came of it; seconds."""

    calls: list[CallRecord]
    waits_s: list[float]
    """From the end of each job to its video in the chat, in the order in which the jobs ended."""
    took_s: float
    """From the first end to the last video."""
    videos: Counter[int]
    """Shown in each chat."""

    @property
    def refused(self) -> list[CallRecord]:
        return [call for call in self.calls if call.status == 429]

    @property
    def counted(self) -> list[CallRecord]:
        """Messages and edits."""
        return [
            call
            for call in self.calls
            if call.method.startswith(("send", "edit")) and call.method != "sendChatAction"
        ]

    def most_in(self, window_s: float) -> int:
        """The most messages and edits that came in any so long while."""
        times = sorted(call.at for call in self.counted)
        return max(sum(at <= later < at + window_s for later in times) for at in times)


async def burst(
    folder: Path, chats: int, over_s: float, *, poll_s: float = 1.0, limits: Limits = TELEGRAM
) -> Burst:
    """`chats` people order a video each, and their jobs end one after the other within `over_s`."""
    async with SandboxServer(enforce_rate_limits=True) as server, ProviderServer(_NEVER) as provider:
        there = BotHarness(server, provider, folder)
        values = there.values(
            volcengine_concurrency=str(chats), poll_max_seconds=str(poll_s), submits_per_hour="unlimited"
        )
        async with running_bot(values, limits):
            people = [there.newcomer(f"Person {number}") for number in range(chats)]
            for number, (person, chat) in enumerate(people):
                there.world.say(person, chat, f"/video boat {number}")
            await there.until(lambda: len(provider.jobs) == chats, _PATIENCE_S)
            jobs = {str(job.fields["prompt"]): job for job in provider.jobs.values()}
            began = time.time()
            ended: dict[int, float] = {}
            for number, (_, chat) in enumerate(people):
                await asyncio.sleep(max(began + over_s * number / chats - time.time(), 0.0))
                ended[chat.id] = time.time()
                jobs[f"boat {number}"].polls = _DONE
            await there.until(lambda: all(_video(chat) for _, chat in people), _PATIENCE_S)
            await there.until(lambda: all(task["delivered_at"] for task in there.rows("tasks")), _PATIENCE_S)
            shown = {
                call.params["chat_id"]: call.at for call in server.calls_of("editMessageMedia") if call.ok
            }
            return Burst(
                list(server.calls),
                [shown[chat_id] - at for chat_id, at in ended.items()],
                max(shown.values()) - began,
                Counter({chat.id: len(there.videos(chat)) for _, chat in people}),
            )


def _video(chat: Chat) -> bool:
    return any("video" in message for message in chat.messages.values())
