"""The command menus, against a Telegram of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import BotHarness, open_gate, stage

from bot.chat.menu import Menu, MenuEntry
from bot.chat.telegram_io.client import connect
from bot.sandbox import Json
from bot.text import plain, say

ADMIN, ADA = 501, 7001
PRIVATE = {"type": "all_private_chats"}
ENTRIES = (MenuEntry(name="video"), MenuEntry(name="allow", admins_only=True))


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with stage(tmp_path) as made:
        yield made
        assert made.world.complaints == []


async def is_admin(user_id: int) -> bool:
    return user_id == ADMIN


async def test_a_default_language_that_is_changed_is_published_by_every_process(live_bot: BotHarness) -> None:
    spoken = ["en"]
    bot = connect(live_bot.server.token, live_bot.server.url, open_gate())
    async with bot:
        menu = Menu(bot, ENTRIES, default_language=lambda: spoken[0], is_admin=is_admin)
        await menu.publish()
        assert words(live_bot, PRIVATE) == [plain(say("en", "command_video"))]
        keeping = asyncio.create_task(menu.keep_up(0.01))
        spoken[0] = "ru"
        await live_bot.until(lambda: words(live_bot, PRIVATE) == [plain(say("ru", "command_video"))])
        keeping.cancel()


@pytest.mark.parametrize(
    ("chat_id", "chosen", "code", "language"),
    [
        (ADA, None, "en", None),
        (ADA, None, "zh-hans", None),
        (ADA, None, "tlh", None),
        (ADA, None, None, None),
        (ADA, None, "zh-hant", "zh-hant"),
        (ADA, "es", "en", None),
        (ADMIN, None, "en", "en"),
        (ADMIN, "es", "en", "es"),
    ],
)
async def test_whoever_comes_gets_a_menu_of_their_own_only_where_that_for_all_is_not_theirs(
    live_bot: BotHarness, chat_id: int, chosen: str | None, code: str | None, language: str | None
) -> None:
    live_bot.world.private_chat(live_bot.newcomer()[0]).started = True
    async with connect(live_bot.server.token, live_bot.server.url, open_gate()) as bot:
        menu = Menu(bot, ENTRIES, default_language=lambda: "en", is_admin=is_admin)
        await menu.welcome(chat_id, chosen, code)
    calls = live_bot.server.calls_of("setMyCommands")
    if language is None:
        assert calls == []
        return
    wanted = ["video", "allow"] if chat_id == ADMIN else ["video"]
    told = [call.params["commands"] for call in calls if call.params.get("language_code", "") in ("", "en")]
    assert told
    for commands in told:
        shown = [(one["command"], one["description"]) for one in commands]
        assert shown == [(name, plain(say(language, f"command_{name}"))) for name in wanted]


def words(live_bot: BotHarness, scope: Json) -> list[str]:
    return [one["description"] for one in live_bot.world.commands.get(scope)]
