"""Original file: what the provider gave, untouched, as long as it can be had."""

from __future__ import annotations

import shutil

import pytest
from provider_server import Reply, make_mp4
from running import BotHarness, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGINAL = says("button_original")


async def test_a_mended_video_comes_as_the_very_file_of_the_provider(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a paper boat")
    assert live_bot.file_of(video).read_bytes() != make_mp4(), "it was silent, and got a mark"
    fetched = len(live_bot.provider.calls("video"))
    assert await live_bot.tap(ada, video, ORIGINAL) == says("press_original")
    (file,) = await live_bot.until(lambda: _files(live_bot, chat))
    assert _bytes(live_bot, file) == make_mp4()
    assert file["reply_to_message"]["message_id"] == video["message_id"]
    assert file["document"]["file_name"] == "dreamreel.mp4"
    assert len(live_bot.provider.calls("video")) == fetched, "it was kept"
    assert await live_bot.tap(ada, video, ORIGINAL) == says("press_done")


async def test_what_is_kept_no_more_is_fetched_again(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a tin drum")
    shutil.rmtree(live_bot.folder / "videos" / "originals")
    await live_bot.tap(ada, video, ORIGINAL)
    (file,) = await live_bot.until(lambda: _files(live_bot, chat))
    assert _bytes(live_bot, file) == make_mp4()


async def test_an_original_that_is_gone_everywhere_is_told_in_a_sentence(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a slow swing")
    shutil.rmtree(live_bot.folder / "videos" / "originals")
    live_bot.provider.next("video", Reply(403, "expired"))
    await live_bot.tap(ada, video, ORIGINAL)
    await live_bot.answer(video, containing=says("original_gone"))
    assert _files(live_bot, chat) == []


async def test_only_the_person_who_made_it_gets_its_file(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    video = await _made(live_bot, ada, chat, "a locked door")
    assert await live_bot.tap(boris, video, ORIGINAL) == says("press_only_owner")


async def test_who_is_forgotten_leaves_no_original(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "a last leaf")
    (task,) = live_bot.tasks(chat)
    kept = live_bot.folder / "videos" / "originals" / f"{task['id']}.mp4"
    assert kept.exists()
    asked = await live_bot.answer(
        live_bot.world.say(ada, chat, "/forget"), containing=says("forget_ask")[:20]
    )
    await live_bot.tap(ada, asked, says("button_forget"))
    assert not kept.exists()


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    live_bot.world.say(person, chat, f"/video {words}")
    return (await live_bot.shown(chat))[-1]


def _files(live_bot: BotHarness, chat: Chat) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if "document" in one and "animation" not in one]


def _bytes(live_bot: BotHarness, message: Json) -> bytes:
    stored = live_bot.world.files.get(message["document"]["file_id"])
    assert stored is not None
    return stored.path.read_bytes()
