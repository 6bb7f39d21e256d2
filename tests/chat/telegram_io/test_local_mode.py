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
from sandbox_client import running_sandbox

from bot.errors import SettingsError
from bot.sandbox import SandboxServer
from bot.settings import IsolatedSettings, load_settings


@asynccontextmanager
async def local_stage(folder: Path, *, shares_files: bool = True) -> AsyncIterator[BotHarness]:
    """A bot in local mode. A server that shares no files with it stands for one that runs elsewhere."""
    async with SandboxServer(local_mode=shares_files) as server, ProviderServer() as provider:
        live_bot = BotHarness(server, provider, folder)
        async with running_bot(live_bot.values(telegram_local_mode="on")):
            yield live_bot
        assert live_bot.world.complaints == []


async def test_a_video_is_handed_over_by_its_path(tmp_path: Path) -> None:
    async with local_stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a lighthouse")
        (video,) = await live_bot.shown(chat)
        (edit,) = live_bot.edits(chat)
        assert edit.uploads == {}
        assert edit.params["media"]["media"].startswith("file:///")
        assert video["video"]["thumbnail"]["width"] == 320
        assert live_bot.file_of(video).stat().st_size > 1000


async def test_what_people_send_is_read_from_its_path(tmp_path: Path) -> None:
    async with local_stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        sent = live_bot.world.send_video(ada, chat, film())
        live_bot.world.say(ada, chat, "/extend the light goes on", reply_to=sent)
        await live_bot.shown(chat)
        assert is_red_and_blue(live_bot.photo_sent("the light goes on"))
        live_bot.world.send_photo(ada, chat, photo(1200, 800), caption="/video a storm")
        await live_bot.shown(chat, 2)
        assert live_bot.photo_sent("a storm").size == (1200, 800)


async def test_a_server_that_cannot_read_the_bots_files_gets_the_bytes(tmp_path: Path) -> None:
    async with local_stage(tmp_path, shares_files=False) as live_bot:
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a lighthouse")
        await live_bot.shown(chat)
        live_bot.world.say(ada, chat, "/video a second lighthouse")
        await live_bot.shown(chat, 2)
        by_path, first, second = live_bot.edits(chat)
        assert (by_path.status, by_path.uploads) == (400, {})
        assert [bool(edit.ok and edit.uploads) for edit in (first, second)] == [True, True]
        assert len(live_bot.videos(chat)) == 2


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
    async with running_sandbox() as live_bot:
        answer = await live_bot.call("sendVideo", chat_id=live_bot.private.id, video=place.as_uri())
        assert (answer["ok"], answer["error_code"]) == (False, 400)
