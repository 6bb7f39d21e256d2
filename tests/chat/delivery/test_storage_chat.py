"""STORAGE_CHAT: a video is uploaded there once and sent from there; if that fails, as without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from running import BotHarness, running_bot, says, stage
from structlog.testing import capture_logs

from bot.sandbox import CallRecord, Chat, Fault, FaultKind, Json


@asynccontextmanager
async def _storing(folder: Path) -> AsyncIterator[tuple[BotHarness, Chat]]:
    async with stage(folder) as live_bot:
        operator, _ = live_bot.newcomer("Olga")
        storage = live_bot.world.add_group("Storage", [operator])
        async with running_bot(live_bot.values(storage_chat=str(storage.id))):
            yield live_bot, storage
        assert live_bot.world.complaints == []


@pytest.fixture
async def storing(tmp_path: Path) -> AsyncIterator[tuple[BotHarness, Chat]]:
    async with _storing(tmp_path) as made:
        yield made


def _is_of(chat: Chat) -> Any:
    return lambda params: params.get("chat_id") == chat.id


async def _made(live_bot: BotHarness, words: str = "/video a paper boat") -> Json:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, words)
    (video,) = await live_bot.shown(chat)
    return video


def _uploads(live_bot: BotHarness, method: str) -> list[CallRecord]:
    """The calls that took a film along: those with a thumbnail."""
    return [call for call in live_bot.server.calls_of(method) if len(call.uploads) > 1]


async def test_a_video_is_uploaded_to_the_storage_chat_alone(storing: tuple[BotHarness, Chat]) -> None:
    live_bot, storage = storing
    video = await _made(live_bot)
    (kept,) = live_bot.videos(storage)
    assert kept["video"]["file_id"] == video["video"]["file_id"]
    assert "thumbnail" in video["video"]
    assert ("caption" in kept, "reply_markup" in kept) == (False, False)
    assert video["caption"].startswith("a paper boat")
    assert [call.params["chat_id"] for call in _uploads(live_bot, "sendVideo")] == [storage.id]
    assert _uploads(live_bot, "editMessageMedia") == []


async def test_a_delivery_that_is_repeated_uploads_nothing_again(storing: tuple[BotHarness, Chat]) -> None:
    live_bot, storage = storing
    live_bot.server.faults.add(Fault("editMessageMedia", FaultKind.FLOOD))
    await _made(live_bot)
    assert len(live_bot.server.calls_of("editMessageMedia")) == 2
    assert len(live_bot.videos(storage)) == 1


@pytest.mark.parametrize("fault", [FaultKind.FORBIDDEN, FaultKind.BAD_REQUEST, FaultKind.SERVER_ERROR])
async def test_where_the_storage_chat_fails_videos_come_as_without_it(
    storing: tuple[BotHarness, Chat], fault: FaultKind
) -> None:
    live_bot, storage = storing
    live_bot.server.faults.add(Fault("sendVideo", fault, times=None, when=_is_of(storage)))
    with capture_logs() as lines:
        for number in range(3):
            video = await _made(live_bot, f"/video boat {number}")
            assert video["caption"].startswith(f"boat {number}")
    assert len([line for line in lines if "STORAGE_CHAT" in line["event"]]) == 1
    assert live_bot.videos(storage) == []
    assert len(_uploads(live_bot, "editMessageMedia")) == 3
    assert len([call for call in live_bot.server.calls_of("sendVideo") if not call.ok]) == 1


async def test_what_is_too_much_for_the_storage_chat_goes_its_own_way(
    storing: tuple[BotHarness, Chat],
) -> None:
    live_bot, storage = storing
    live_bot.server.faults.add(Fault("sendVideo", FaultKind.FLOOD, retry_after=1, when=_is_of(storage)))
    with capture_logs() as lines:
        await _made(live_bot)
    assert live_bot.videos(storage) == []
    assert len(_uploads(live_bot, "editMessageMedia")) == 1
    assert not [line for line in lines if "STORAGE_CHAT" in line["event"]]


async def test_a_stored_video_that_telegram_refuses_is_uploaded(storing: tuple[BotHarness, Chat]) -> None:
    live_bot, storage = storing
    wrong = "wrong file identifier/HTTP URL specified"
    live_bot.server.faults.add(Fault("editMessageMedia", FaultKind.BAD_REQUEST, description=wrong))
    video = await _made(live_bot)
    assert video["caption"].startswith("a paper boat")
    assert len(live_bot.videos(storage)) == len(_uploads(live_bot, "editMessageMedia")) == 1


async def test_a_video_whose_card_is_gone_comes_from_the_storage_chat_too(
    storing: tuple[BotHarness, Chat],
) -> None:
    live_bot, storage = storing
    gone = "message to edit not found"
    live_bot.server.faults.add(Fault("editMessageMedia", FaultKind.BAD_REQUEST, description=gone))
    video = await _made(live_bot)
    assert "edit_date" not in video
    assert [call.params["chat_id"] for call in _uploads(live_bot, "sendVideo")] == [storage.id]


async def test_the_storage_chat_may_become_a_supergroup(storing: tuple[BotHarness, Chat]) -> None:
    live_bot, storage = storing
    olga = live_bot.world.people[7001]
    upgraded = live_bot.world.upgrade_group(olga, storage)
    await _made(live_bot, "/video boat 1")
    await _made(live_bot, "/video boat 2")
    assert len(live_bot.videos(upgraded)) == 2


async def test_privacy_says_that_there_is_a_copy(storing: tuple[BotHarness, Chat]) -> None:
    live_bot, _ = storing
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/privacy"))
    assert says("privacy_storage") in answer["text"]
