"""Files that Telegram does not hand out at once, or that a Bot API server of one's own never does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pictures import photo
from running import BotHarness
from structlog.testing import capture_logs

from bot.sandbox import Fault, FaultKind
from bot.sandbox.files import StoredFile

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_file_that_is_unavailable_for_a_moment_is_asked_for_again(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(
        Fault("getFile", FaultKind.BAD_REQUEST, times=2, description="file is temporarily unavailable")
    )
    live_bot.world.send_photo(ada, chat, photo(1200, 800), caption="/video a lantern")
    await live_bot.shown(chat)
    assert live_bot.jobs("a lantern") == 1


async def test_a_path_that_is_not_there_once_is_asked_for_again(live_bot: BotHarness) -> None:
    with no_files(live_bot, times=1):
        ada, chat = live_bot.newcomer()
        live_bot.world.send_photo(ada, chat, photo(1200, 800), caption="/video a wick")
        await live_bot.shown(chat)


async def test_the_operator_is_told_of_a_server_that_hands_out_no_files(live_bot: BotHarness) -> None:
    with no_files(live_bot, times=99), capture_logs() as lines:
        ada, chat = live_bot.newcomer()
        live_bot.world.send_photo(ada, chat, photo(1200, 800), caption="/video a candle")
        await live_bot.until(
            lambda: any("without --local" in line["event"] for line in lines if line["log_level"] == "error")
        )
    assert live_bot.jobs("a candle") == 0


@contextmanager
def no_files(live_bot: BotHarness, *, times: int) -> Iterator[None]:
    """The next downloads find nothing."""
    files = live_bot.world.files
    at, left = files.at, [None] * times

    def nothing(file_path: str) -> StoredFile | None:
        return left.pop() if left else at(file_path)

    files.at = nothing  # type: ignore[method-assign]  # a server whose disk has lost them
    try:
        yield
    finally:
        files.at = at  # type: ignore[method-assign]
