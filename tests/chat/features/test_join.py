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


async def test_a_tap_gives_both_as_one_film_below_the_new_piece(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    piece = await _extended(there, ada, chat, "the curtain falls")
    assert await there.tap(ada, piece, JOIN) == says("tap_joining")
    both = await _film(there, chat)
    assert both["reply_to_message"]["message_id"] == piece["message_id"]
    assert both["caption"] == says("caption_joined", time="2 s")
    assert buttons(both) == {}
    pictures = pictures_of(there.file_of(both))
    assert len(pictures) == 24 + 24 - 1, "the picture in which they meet is shown once"
    assert is_of(pictures[3], GREEN)
    assert is_red_and_blue(pictures[23])
    assert is_of(pictures[30], WHITE)
    facts = probe_video(there.file_of(both))
    assert facts.has_audio, "or Telegram would show it as a GIF"
    assert (both["video"]["width"], both["video"]["height"]) == (facts.width, facts.height) == (640, 360)
    assert both["video"]["thumbnail"]["width"] == 320
    assert len(there.tasks(chat)) == 1, "it is no task, and costs nothing"
    assert there.jobs("the curtain falls") == 1
    await there.until(lambda: not list((there.folder / "work").iterdir()))


async def test_a_double_tap_joins_once(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    piece = await _extended(there, ada, chat, "the lights go out")
    other = await _extended(there, ada, chat, "the lights come on", 2)
    for tapped in (piece, piece, piece, other):
        there.world.press(ada, tapped, JOIN)
    await there.until(lambda: len(_films(there, chat)) > 1)
    of = [one["reply_to_message"]["message_id"] for one in _films(there, chat)]
    assert of == [piece["message_id"], other["message_id"]], "they are joined in the order of the taps"
    assert await there.tap(ada, piece, JOIN) == says("tap_done")
    await there.handled(ada, chat)
    assert len(_films(there, chat)) == 2


async def test_a_film_can_be_gone_on_from(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    piece = await _extended(there, ada, chat, "one more door")
    await there.tap(ada, piece, JOIN)
    both = await _film(there, chat)
    there.world.say(ada, chat, "/extend and the garden", reply_to=both)
    await there.shown(chat, 3)
    assert there.jobs("and the garden") == 1


async def test_only_what_goes_on_from_a_video_has_the_button(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.provider.video = film()
    there.world.say(ada, chat, "/video all alone")
    (video,) = await there.shown(chat)
    assert JOIN not in buttons(video)
    (task,) = there.tasks(chat)
    assert await there.forged_tap(ada, video, f"join:{task['id']}") == says("tap_gone")


async def test_a_video_that_telegram_does_not_give_is_told(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    piece = await _extended(there, ada, chat, "a heavy one")
    for description, expected in [
        ("file is too big", says("video_too_many_bytes")),
        ("wrong file_id or the file is temporarily unavailable", says("video_gone")),
    ]:
        there.server.faults.add(Fault("getFile", FaultKind.BAD_REQUEST, description=description))
        await there.tap(ada, piece, JOIN)
        await there.answer(piece, containing=expected)
    await there.tap(ada, piece, JOIN)
    await _film(there, chat)


async def test_a_film_that_does_not_arrive_may_be_asked_for_again(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    piece = await _extended(there, ada, chat, "a broken line")
    there.server.faults.add(Fault("sendVideo", FaultKind.DROP))
    await there.tap(ada, piece, JOIN)
    await there.answer(piece, containing=says("join_failed"))
    assert _films(there, chat) == []
    await there.tap(ada, piece, JOIN)
    await _film(there, chat)


async def test_after_a_restart_another_tap_joins_and_what_was_left_behind_is_cleared(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        async with running_bot(there.values()):
            ada, chat = there.newcomer()
            piece = await _extended(there, ada, chat, "the day after")
        left_behind = tmp_path / "work" / "of_a_killed_process"
        left_behind.mkdir()
        (left_behind / "first").write_bytes(b"x")
        os.utime(left_behind, (1, 1))
        async with running_bot(there.values()):
            await there.tap(ada, piece, JOIN)
            await _film(there, chat)
            await there.until(lambda: not list((tmp_path / "work").iterdir()))
        assert there.world.complaints == []


async def _extended(there: BotHarness, person: Person, chat: Chat, words: str, many: int = 1) -> Json:
    """A piece that goes on from a video which somebody sent: white, after the green one's last picture."""
    sent = there.world.send_video(person, chat, film())
    there.provider.video = film(WHITE)
    there.world.say(person, chat, f"/extend {words}", reply_to=sent)
    return (await there.shown(chat, many))[-1]


async def _film(there: BotHarness, chat: Chat) -> Json:
    (both,) = await there.until(lambda: _films(there, chat))
    return both


def _films(there: BotHarness, chat: Chat) -> list[Json]:
    words = says("caption_joined", time="")
    return [one for one in there.videos(chat) if one.get("caption", "").startswith(words)]
