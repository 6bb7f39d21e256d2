"""Join: a video and the piece that goes on from it as one film, once for each wish."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from films import GREEN, WHITE, film, is_of, pictures_of
from pictures import is_red_and_blue
from running import BotHarness, buttons, running_bot, says, stage

from bot.media.videos import probe_video
from bot.sandbox import Chat, Fault, FaultKind, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

JOIN = says("button_join")


async def test_a_tap_gives_both_as_one_film_below_the_new_piece(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    piece = await _extended(live_bot, ada, chat, "the curtain falls")
    assert await live_bot.tap(ada, piece, JOIN) == says("press_joining")
    both = await _film(live_bot, chat)
    assert both["reply_to_message"]["message_id"] == piece["message_id"]
    assert both["caption"] == "the curtain falls\n\n" + says("caption_joined", time="2 s")
    assert list(buttons(both)) == [says("button_extend"), says("button_delete")]
    pictures = pictures_of(live_bot.file_of(both))
    assert len(pictures) == 24 + 24 - 1, "the picture in which they meet is shown once"
    assert is_of(pictures[3], GREEN)
    assert is_red_and_blue(pictures[23])
    assert is_of(pictures[30], WHITE)
    facts = probe_video(live_bot.file_of(both))
    assert facts.has_audio, "or Telegram would show it as a GIF"
    assert (both["video"]["width"], both["video"]["height"]) == (facts.width, facts.height) == (640, 360)
    assert both["video"]["thumbnail"]["width"] == 320
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
    assert live_bot.tasks(chat)[1]["queued_at"] is None, "it is no order, and costs nothing"
    assert live_bot.jobs("the curtain falls") == 1
    await live_bot.until(lambda: not list((live_bot.folder / "work").iterdir()))


async def test_a_double_tap_joins_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    piece = await _extended(live_bot, ada, chat, "the lights go out")
    other = await _extended(live_bot, ada, chat, "the lights come on", 2)
    for tapped in (piece, piece, piece, other):
        live_bot.world.press(ada, tapped, JOIN)
    await live_bot.until(lambda: len(_films(live_bot, chat)) > 1)
    of = [one["reply_to_message"]["message_id"] for one in _films(live_bot, chat)]
    assert of == [piece["message_id"], other["message_id"]], "they are joined in the order of the taps"
    assert await live_bot.tap(ada, piece, JOIN) == says("press_joined")
    await live_bot.handled(ada, chat)
    assert len(_films(live_bot, chat)) == 2


async def test_a_film_can_be_gone_on_from(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    piece = await _extended(live_bot, ada, chat, "one more door")
    await live_bot.tap(ada, piece, JOIN)
    both = await _film(live_bot, chat)
    live_bot.world.say(ada, chat, "/extend and the garden", reply_to=both)
    await live_bot.shown(chat, 3)
    assert live_bot.jobs("and the garden") == 1


async def test_a_film_names_its_parts_stands_in_the_history_and_can_be_continued_or_deleted(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    live_bot.world.say(ada, chat, "/video a tall ship")
    (first,) = await live_bot.shown(chat)
    live_bot.provider.video = film(WHITE)
    live_bot.world.say(ada, chat, "/extend it leaves the harbour", reply_to=first)
    piece = (await live_bot.shown(chat, 2))[-1]
    await live_bot.tap(ada, piece, JOIN)
    both = await _film(live_bot, chat)
    told = f"a tall ship → it leaves the harbour\n\n{says('caption_joined', time='2 s')}"
    assert both["caption"] == told
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 3)
    listed = await live_bot.answer(live_bot.world.say(ada, chat, "/history"))
    line = f"1. a tall ship → it leaves the harbour\n{says('caption_joined', time='2 s')}"
    assert line in listed["text"]
    assert await live_bot.tap(ada, both, says("button_delete")) == says("press_deleted")
    assert live_bot.now(both) is None
    await live_bot.tap(ada, listed, "▶ 1")
    again = await _film(live_bot, chat)
    assert (again["caption"], buttons(again)) == (told, buttons(both))
    live_bot.world.say(ada, chat, "and comes home", reply_to=again)
    draft = await live_bot.until(
        lambda: [
            one for one in live_bot.world.bot_messages(chat) if "and comes home" in one.get("caption", "")
        ]
    )
    assert says("card_extends") in draft[0]["caption"]


async def test_only_what_goes_on_from_a_video_has_the_button(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    live_bot.world.say(ada, chat, "/video all alone")
    (video,) = await live_bot.shown(chat)
    assert JOIN not in buttons(video)
    (task,) = live_bot.tasks(chat)
    assert await live_bot.forged_tap(ada, video, f"join:{task['id']}") == says("press_gone")


async def test_a_video_that_telegram_does_not_give_is_told(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    piece = await _extended(live_bot, ada, chat, "a heavy one")
    for description, expected in [
        ("file is too big", says("video_too_many_bytes")),
        ("wrong file_id", says("video_gone")),
    ]:
        live_bot.server.faults.add(Fault("getFile", FaultKind.BAD_REQUEST, description=description))
        await live_bot.tap(ada, piece, JOIN)
        await live_bot.answer(piece, containing=expected)
    for_a_moment = "wrong file_id or the file is temporarily unavailable"
    live_bot.server.faults.add(Fault("getFile", FaultKind.BAD_REQUEST, description=for_a_moment))
    await live_bot.tap(ada, piece, JOIN)
    await _film(live_bot, chat)


async def test_a_film_that_does_not_arrive_may_be_asked_for_again(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    piece = await _extended(live_bot, ada, chat, "a broken line")
    live_bot.server.faults.add(Fault("sendVideo", FaultKind.DROP))
    await live_bot.tap(ada, piece, JOIN)
    await live_bot.answer(piece, containing=says("join_failed"))
    assert _films(live_bot, chat) == []
    await live_bot.tap(ada, piece, JOIN)
    await _film(live_bot, chat)


async def test_after_a_restart_another_tap_joins_and_what_was_left_behind_is_cleared(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        async with running_bot(live_bot.values()):
            ada, chat = live_bot.newcomer()
            piece = await _extended(live_bot, ada, chat, "the day after")
        left_behind = tmp_path / "work" / "of_a_killed_process"
        left_behind.mkdir()
        (left_behind / "first").write_bytes(b"x")
        os.utime(left_behind, (1, 1))
        async with running_bot(live_bot.values()):
            await live_bot.tap(ada, piece, JOIN)
            await _film(live_bot, chat)
            await live_bot.until(lambda: not list((tmp_path / "work").iterdir()))
        assert live_bot.world.complaints == []


async def test_persons_take_turns_with_their_films(live_bot: BotHarness) -> None:
    ada, hers = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    first = await _extended(live_bot, ada, hers, "the first of many")
    second = await _extended(live_bot, ada, hers, "the second of many", 2)
    only = await _extended(live_bot, boris, his, "the only one")
    live_bot.server.faults.add(Fault("getFile", FaultKind.SLOW, delay_s=3.0))
    for person, tapped in ((ada, first), (ada, second), (boris, only)):
        assert await live_bot.tap(person, tapped, JOIN) == says("press_joining")
    await live_bot.until(lambda: len(_films(live_bot, hers)) == 2)
    joined = [
        (call.params["chat_id"], call.params["reply_parameters"]["message_id"])
        for call in live_bot.server.calls_of("sendVideo")
        if call.params["chat_id"] in (hers.id, his.id)
    ]
    assert joined == [(piece["chat"]["id"], piece["message_id"]) for piece in (first, only, second)]


async def _extended(live_bot: BotHarness, person: Person, chat: Chat, words: str, many: int = 1) -> Json:
    """A piece that goes on from a video which somebody sent: white, after the green one's last picture."""
    live_bot.provider.video = film(WHITE)
    live_bot.world.send_video(person, chat, film(), caption=f"/extend {words}")
    return (await live_bot.shown(chat, many))[-1]


async def _film(live_bot: BotHarness, chat: Chat) -> Json:
    (both,) = await live_bot.until(lambda: _films(live_bot, chat))
    return both


def _films(live_bot: BotHarness, chat: Chat) -> list[Json]:
    words = says("caption_joined", time="")
    return [one for one in live_bot.videos(chat) if words in one.get("caption", "")]
