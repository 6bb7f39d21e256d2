"""Local mode: with a Bot API server of its own the bot hands files over by their paths, and gets them so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from films import film
from pictures import is_red_and_blue, photo
from provider_server import ProviderServer
from running import BotHarness, running_bot
from sandbox_client import sandbox

from bot.errors import SettingsError
from bot.sandbox import SandboxServer
from bot.settings import IsolatedSettings, load_settings


@asynccontextmanager
async def local_stage(folder: Path, *, shares_files: bool = True) -> AsyncIterator[BotHarness]:
    """A bot in local mode. A server that shares no files with it stands for one that runs elsewhere."""
    async with SandboxServer(local_mode=shares_files) as server, ProviderServer() as provider:
        there = BotHarness(server, provider, folder)
        async with running_bot(there.values(telegram_local_mode="on")):
            yield there
        assert there.world.complaints == []


async def test_a_video_is_handed_over_by_its_path(tmp_path: Path) -> None:
    async with local_stage(tmp_path) as there:
        ada, chat = there.newcomer()
        there.world.say(ada, chat, "/video a lighthouse")
        (video,) = await there.shown(chat)
        (edit,) = there.edits(chat)
        assert edit.uploads == {}
        assert edit.params["media"]["media"].startswith("file:///")
        assert video["video"]["thumbnail"]["width"] == 320
        assert there.file_of(video).stat().st_size > 1000


async def test_what_people_send_is_read_from_its_path(tmp_path: Path) -> None:
    async with local_stage(tmp_path) as there:
        ada, chat = there.newcomer()
        sent = there.world.send_video(ada, chat, film())
        there.world.say(ada, chat, "/extend the light goes on", reply_to=sent)
        await there.shown(chat)
        assert is_red_and_blue(there.photo_sent("the light goes on"))
        there.world.send_photo(ada, chat, photo(1200, 800), caption="/video a storm")
        await there.shown(chat, 2)
        assert there.photo_sent("a storm").size == (1200, 800)


async def test_a_server_that_cannot_read_the_bots_files_gets_the_bytes(tmp_path: Path) -> None:
    async with local_stage(tmp_path, shares_files=False) as there:
        ada, chat = there.newcomer()
        there.world.say(ada, chat, "/video a lighthouse")
        await there.shown(chat)
        there.world.say(ada, chat, "/video a second lighthouse")
        await there.shown(chat, 2)
        by_path, first, second = there.edits(chat)
        assert (by_path.status, by_path.uploads) == (400, {})
        assert [bool(edit.ok and edit.uploads) for edit in (first, second)] == [True, True]
        assert len(there.videos(chat)) == 2


async def test_only_a_server_of_ones_own_can_share_files() -> None:
    with pytest.raises(SettingsError, match="TELEGRAM_LOCAL_MODE needs TELEGRAM_API_URL"):
        load_settings(telegram_local_mode="on")
    settings = IsolatedSettings(telegram_local_mode="on", telegram_api_url="http://127.0.0.1:8081")
    assert (settings.upload_max_bytes, settings.download_max_bytes) == (2_000_000_000, 2_000_000_000)
    assert (IsolatedSettings().upload_max_bytes, IsolatedSettings().download_max_bytes) == (
        50_000_000,
        20_000_000,
    )


async def test_telegram_itself_takes_no_paths(tmp_path: Path) -> None:
    place = tmp_path / "film.mp4"
    place.write_bytes(b"x")
    async with sandbox() as there:
        answer = await there.call("sendVideo", chat_id=there.private.id, video=place.as_uri())
        assert (answer["ok"], answer["error_code"]) == (False, 400)
