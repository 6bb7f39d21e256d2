"""Extend: a video goes on from its last frame, from every sender and in every form."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from every_model import WITH_LINKS
from films import film
from media_samples import hollow_movie
from pictures import is_red_and_blue, photo
from PIL import Image
from provider_server import failure
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.chat.cards.continuation import continuation
from bot.chat.telegram_io import video_files
from bot.request import Mode, VideoRequest
from bot.sandbox import Chat, Json, Person
from bot.sandbox.world import Attachment

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTINUES = says("card_extends")


async def test_a_command_to_a_sent_video_starts_from_its_last_frame(live_bot: BotHarness) -> None:
    ada, chat = _group(live_bot)
    sent = live_bot.world.send_video(ada, chat, film())
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, f"/extend@{BOT} the wall opens", reply_to=sent)
        await live_bot.job("the wall opens")
        card = await live_bot.card(chat)
        assert is_red_and_blue(_shown(live_bot, card))
        assert CONTINUES in card["caption"]
        assert "video's format" in card["caption"]
        assert is_red_and_blue(live_bot.photo_sent("the wall opens"))
        (task,) = live_bot.tasks(chat)
        request = VideoRequest.model_validate_json(task["request"])
        assert request.extends == sent["video"]["file_id"]
        assert request.photos == (card["photo"][-1]["file_id"],)
        assert task["card_has_photo"]
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == card["message_id"], "the card becomes the video"
    assert video["caption"].startswith("the wall opens\n\n")
    assert CONTINUES not in video["caption"]
    assert says("button_join") in buttons(video)


async def test_the_caption_of_a_video_may_be_the_command(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_video(ada, chat, film(), caption="/extend the sea rises 10s")
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("the sea rises"))
    assert '"seconds":10' in live_bot.tasks(chat)[0]["request"]


async def test_a_video_sent_as_a_file_is_a_video(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_photo(ada, chat, film(), as_document=True, name="film.mp4")
    live_bot.world.say(ada, chat, "/extend the file goes on", reply_to=sent)
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("the file goes on"))


async def test_a_video_of_somebody_else_in_a_group_may_be_extended(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    sent = live_bot.world.send_video(ada, group, film())
    live_bot.world.say(boris, group, f"/extend@{BOT} a dog runs in", reply_to=sent)
    await live_bot.shown(group)
    assert is_red_and_blue(live_bot.photo_sent("a dog runs in"))
    assert live_bot.tasks(group)[0]["user_id"] == boris.id


async def test_a_video_of_the_bot_goes_on_with_its_own_recipe(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a first act --model jimeng-720p --seed 7 10s 9:16")
    live_bot.world.say(ada, chat, "/extend a second act", reply_to=video)
    video_files = await live_bot.shown(chat, 2)
    first, second = live_bot.tasks(chat)
    assert video_files[1]["caption"].startswith(
        "a second act\n\njimeng-720p · video's format · 10 s · 720p · 🔇"
    )
    assert second["parent_id"] == first["id"]
    assert VideoRequest.model_validate_json(second["request"]).seed is None


async def test_without_a_video_it_says_how_and_in_a_group_with_its_name(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/extend the moon"))
    assert answer["text"] == says("extend_how", command="/extend")
    group = live_bot.world.add_group("Friends", [ada])
    answer = await live_bot.answer(live_bot.world.say(ada, group, f"/extend@{BOT} the moon"))
    assert answer["text"] == says("extend_how", command=f"/extend@{BOT}")
    assert live_bot.tasks(chat) == live_bot.tasks(group) == []


async def test_without_words_it_shows_the_picture_and_asks_and_the_answer_starts(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_video(ada, chat, film())
    live_bot.world.say(ada, chat, "/extend 10s", reply_to=sent)
    question = (await live_bot.until(lambda: _questions(live_bot, chat)))[0]
    assert is_red_and_blue(_shown(live_bot, question))
    assert live_bot.jobs("it sets sail") == 0
    live_bot.world.say(ada, chat, "it sets sail", reply_to=question)
    (video,) = await live_bot.shown(chat)
    assert video["caption"] == "it sets sail\n\njimeng-pro · video's format · 10 s · 1080p · 🔇"
    assert is_red_and_blue(live_bot.photo_sent("it sets sail"))


async def test_the_button_asks_once_however_often_it_is_tapped(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a door opens")
    for _ in range(3):
        live_bot.world.press(ada, video, says("button_extend"))
    question = (await live_bot.until(lambda: _questions(live_bot, chat)))[0]
    await live_bot.handled(ada, chat)
    assert len(_questions(live_bot, chat)) == 1
    assert len(live_bot.tasks(chat)) == 2
    live_bot.world.say(ada, chat, "a cat walks out", reply_to=question)
    await live_bot.shown(chat, 2)
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a cat walks out") == 1
    parent, piece = live_bot.tasks(chat)
    assert piece["parent_id"] == parent["id"]
    assert is_red_and_blue(live_bot.photo_sent("a cat walks out"))


async def test_another_photo_in_its_place_ends_the_extension(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_video(ada, chat, film())
    live_bot.provider.next("submit", failure(50411, "Pre Img Risk Not Pass", 400))
    live_bot.world.say(ada, chat, "/extend it falls silent", reply_to=sent)
    (failed,) = await live_bot.until(lambda: _with_button(live_bot, chat, says("button_other_photo")))
    assert "photo" in failed
    await live_bot.tap(ada, failed, says("button_other_photo"))
    question = await live_bot.answer(failed, containing=says("card_ask_other_photo"))
    live_bot.world.send_photo(ada, chat, photo(480, 640), reply_to=question)
    (video,) = await live_bot.shown(chat)
    assert live_bot.photo_sent("it falls silent").size == (480, 640)
    assert says("button_join") not in buttons(video)


async def test_an_old_command_is_asked_about_below_the_picture(live_bot: BotHarness) -> None:
    ada, chat = _group(live_bot)
    sent = live_bot.world.send_video(ada, chat, film())
    long_ago = int(live_bot.world.now()) - 1200
    live_bot.world.say(ada, chat, f"/extend@{BOT} an owl wakes", reply_to=sent, date=long_ago)
    card = await live_bot.card(chat)
    assert says("card_old", age="20 min") in card["caption"]
    assert CONTINUES in card["caption"]
    assert is_red_and_blue(_shown(live_bot, card))
    assert live_bot.jobs("an owl wakes") == 0
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("an owl wakes"))


async def test_an_edited_command_buys_nothing(live_bot: BotHarness) -> None:
    ada, chat = _group(live_bot)
    sent = live_bot.world.send_video(ada, chat, film())
    said = live_bot.world.say(ada, chat, f"/extend@{BOT}", reply_to=sent)
    await live_bot.until(lambda: _questions(live_bot, chat))
    live_bot.world.edit(ada, said, f"/extend@{BOT} a wolf howls")
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a wolf howls") == 0
    assert len(live_bot.tasks(chat)) == 1


async def test_a_shape_of_which_much_is_lost_is_shown_first(live_bot: BotHarness) -> None:
    ada, chat = _group(live_bot)
    sent = live_bot.world.send_video(ada, chat, film(size=(360, 960)))
    live_bot.world.say(ada, chat, f"/extend@{BOT} a tower grows", reply_to=sent)
    await live_bot.until(lambda: [task for task in live_bot.tasks(chat) if task["card_id"]])
    card = await live_bot.card(chat)
    assert says("card_crop_shown", model="jimeng-pro", ratio="9:16") in card["caption"]
    top, middle = (_shown(live_bot, card).getpixel((60, y)) for y in (20, 480))
    assert isinstance(top, tuple)
    assert isinstance(middle, tuple)
    assert top[0] < middle[0] / 2, "what is cut off is dark"
    assert live_bot.jobs("a tower grows") == 0
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.photo_sent("a tower grows").size == (360, 640)


async def test_what_cannot_work_is_said_before_anything_is_bought(live_bot: BotHarness) -> None:
    ada, chat = _group(live_bot)
    large = live_bot.world.send_video(ada, chat, os.urandom(21_000_000), width=640, height=360, duration_s=9)
    broken = live_bot.world.send_video(ada, chat, film()[:900], width=640, height=360, duration_s=9)
    small = live_bot.world.send_video(ada, chat, film(size=(160, 96)))
    fine = live_bot.world.send_video(ada, chat, film())
    for sent, words, expected in [
        (large, "it goes on", says("video_too_many_bytes")),
        (broken, "it goes on", says("video_unreadable")),
        (small, "it goes on", says("video_too_small", width=160, height=96, min_side=320)),
        (fine, "it goes on --modle x", says("unknown_flag_near", flag="modle", nearest="model")),
        (fine, "it goes on 7s", says("no_seconds", model="jimeng-pro", choices="5, 10", asked=7)),
        (fine, "x" * 900, says("prompt_too_long", length=900, limit=800)),
    ]:
        said = live_bot.world.say(ada, chat, f"/extend@{BOT} {words}", reply_to=sent)
        await live_bot.answer(said, containing=expected)
    await _nothing_came(live_bot, chat)
    assert list((live_bot.folder / "work").iterdir()) == []


MOTIONS = [says(f"button_motion_{name}") for name in ("closer", "wind", "alive", "around")]


async def test_a_video_alone_asks_below_its_last_frame_and_a_motion_goes_on_from_there(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_video(ada, chat, film())
    card = await live_bot.card(chat)
    assert is_red_and_blue(_shown(live_bot, card))
    assert says("card_ask_next") in card["caption"]
    assert list(buttons(card))[:4] == MOTIONS
    assert list(buttons(card))[-2:] == [says("button_generate"), says("button_dismiss")]
    await live_bot.tap(ada, card, MOTIONS[1])
    draft = await live_bot.until(
        lambda: (now := live_bot.now(card)) and says("card_draft") in now["caption"] and now
    )
    assert isinstance(draft, dict)
    assert live_bot.jobs(MOTIONS[1]) == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent(MOTIONS[1]))
    assert says("button_join") in buttons(video)
    (task,) = live_bot.tasks(chat)
    assert VideoRequest.model_validate_json(task["request"]).extends == sent["video"]["file_id"]


async def test_nothing_is_offered_to_a_video_alone_that_only_a_photo_can_have(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_video(ada, chat, film(), caption="--model jimeng-720p")
    card = await live_bot.card(chat)
    assert says("card_ask_next_words") in card["caption"]
    assert says("card_add_last") not in card["caption"]
    live_bot.world.say(ada, chat, "/cancel")
    (task,) = await live_bot.until(lambda: [row for row in live_bot.tasks(chat) if row["delivered_at"]])
    assert (task["state"], "jimeng-720p" in task["request"]) == ("cancelled", True)


async def test_a_gif_alone_is_a_video_alone(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_thing(ada, chat, "animation")
    card = await live_bot.card(chat)
    assert says("card_ask_next") in card["caption"]
    assert _shown(live_bot, card).size == (480, 270)


async def test_the_next_words_are_what_happens_in_a_video_that_was_sent_alone(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_video(ada, chat, film())
    await live_bot.card(chat)
    live_bot.world.say(ada, chat, "the wall falls over 10s")
    draft = (await live_bot.until(lambda: _with_caption(live_bot, chat, says("card_draft"))))[0]
    assert live_bot.jobs("the wall falls over") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert "10 s" in video["caption"]
    assert is_red_and_blue(live_bot.photo_sent("the wall falls over"))


@pytest.mark.parametrize("command", ["", f"/animate@{BOT} ", f"/vidoe@{BOT} "])
async def test_a_video_with_words_is_a_draft_that_goes_on_from_it(live_bot: BotHarness, command: str) -> None:
    ada, chat = live_bot.newcomer()
    words = f"a caption after {len(command)}"
    live_bot.world.send_video(ada, chat, film(), caption=f"{command}{words}")
    card = await live_bot.card(chat)
    assert is_red_and_blue(_shown(live_bot, card))
    assert says("card_draft") in card["caption"]
    assert live_bot.jobs(words) == 0
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent(words))


async def test_a_video_alone_that_cannot_be_gone_on_from_is_answered_in_one_sentence(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    small = live_bot.world.send_video(ada, chat, film(size=(160, 96)), caption="a wave")
    await live_bot.answer(small, containing=says("video_too_small", width=160, height=96, min_side=320))
    broken = live_bot.world.send_video(ada, chat, film()[:900], width=640, height=360, duration_s=9)
    await live_bot.answer(broken, containing=says("video_unreadable"))
    await _nothing_came(live_bot, chat)
    assert len(live_bot.messages(chat)) == 2


async def test_a_video_in_a_group_is_nothing_unless_the_bot_is_addressed(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    live_bot.world.set_bot_status(ada, group, "administrator")
    live_bot.world.send_video(ada, group, film(), caption="look at that")
    sent = live_bot.world.send_video(ada, group, film())
    assert await live_bot.heard_nothing(ada, group)
    live_bot.world.say(boris, group, f"/animate@{BOT}", reply_to=sent)
    card = await live_bot.card(group)
    assert is_red_and_blue(_shown(live_bot, card))
    assert list(buttons(card))[:4] == MOTIONS
    assert live_bot.tasks(group)[0]["user_id"] == boris.id


async def test_a_command_about_a_video_of_the_bot_goes_on_from_it_with_its_recipe(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a first part --model jimeng-720p 10s")
    live_bot.world.say(ada, chat, "/animate a second part", reply_to=video)
    card = await live_bot.until(lambda: _with_caption(live_bot, chat, says("card_draft")))
    assert "jimeng-720p · " in card[0]["caption"]
    first, second = live_bot.tasks(chat)
    assert second["parent_id"] == first["id"]
    assert live_bot.jobs("a second part") == 0


@pytest.mark.parametrize("video_first", [True, False])
async def test_an_album_of_a_video_and_photos_gets_one_card(live_bot: BotHarness, video_first: bool) -> None:
    ada, chat = live_bot.newcomer()
    files = live_bot.world.files
    photos = [Attachment(files.receive(photo(), "a.jpg")) for _ in range(2)]
    video = Attachment(files.receive(film(), "a.mp4"), "video")
    live_bot.world.share(ada, chat, [video, *photos] if video_first else [*photos, video])
    await live_bot.card(chat)
    await live_bot.handled(ada, chat)
    (task,) = live_bot.tasks(chat)
    assert task["state"] == "draft"
    assert bool(VideoRequest.model_validate_json(task["request"]).extends) == video_first


async def test_a_video_that_asks_for_gigabytes_is_refused_in_one_sentence(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    bomb = hollow_movie(samples=80_000_000, tracks=3)
    greedy = live_bot.world.send_video(ada, chat, bomb, width=640, height=360, duration_s=9)
    said = live_bot.world.say(ada, chat, "/extend it goes on", reply_to=greedy)
    await live_bot.answer(said, containing=says("video_unreadable"))


async def test_a_video_that_could_not_be_read_twice_is_not_fetched_again(
    live_bot: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, chat = _group(live_bot)
    slow = live_bot.world.send_video(ada, chat, film())
    with monkeypatch.context() as patched:
        patched.setattr(video_files, "_FRAME_LIMIT_S", 0.0)
        for _ in range(2):
            said = live_bot.world.say(ada, chat, f"/extend@{BOT} it goes on", reply_to=slow)
            await live_bot.answer(said, containing=says("media_timeout"))
    fetched = len(live_bot.server.calls_of("getFile"))
    said = live_bot.world.say(ada, chat, f"/extend@{BOT} it goes on", reply_to=slow)
    await live_bot.answer(said, containing=says("media_crashed"))
    assert len(live_bot.server.calls_of("getFile")) == fetched


async def test_where_photos_may_not_be_sent_it_says_so(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    live_bot.world.set_bot_status(ada, group, "restricted", can_send_photos=False)
    sent = live_bot.world.send_video(ada, group, film())
    said = live_bot.world.say(ada, group, f"/extend@{BOT} it rains", reply_to=sent)
    await live_bot.answer(said, containing=says("extend_no_photos"))
    await _nothing_came(live_bot, group)


async def test_limits_hold_before_the_video_is_fetched(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, open_tasks_per_user="1") as live_bot:
        ada, chat = live_bot.newcomer()
        sent = live_bot.world.send_video(ada, chat, film())
        with live_bot.unfinished():
            live_bot.world.say(ada, chat, "/extend the first", reply_to=sent)
            await live_bot.job("the first")
            fetched = len(live_bot.server.calls_of("getFile"))
            said = live_bot.world.say(ada, chat, "/extend the second", reply_to=sent)
            assert (await live_bot.answer(said))["text"] == says("limit_open", count=1)
            assert len(live_bot.server.calls_of("getFile")) == fetched
        await live_bot.shown(chat)


async def test_another_model_steps_in_where_the_usual_one_takes_no_picture_and_it_is_said(
    tmp_path: Path,
) -> None:
    relay = {"jimeng_relay_api_key": "key", "jimeng_relay_base_url": "https://relay.example"}
    async with bot_on_stage(tmp_path, default_model="relay-jimeng", **relay) as live_bot:
        ada, chat = live_bot.newcomer()
        sent = live_bot.world.send_video(ada, chat, film())
        said = live_bot.world.say(ada, chat, "/extend a gate opens", reply_to=sent)
        await live_bot.answer(
            said, containing=says("extend_by_other", chosen="relay-jimeng", model="jimeng-pro")
        )
        (video,) = await live_bot.shown(chat)
        assert "jimeng-pro" in video["caption"]


async def test_where_no_model_takes_a_picture_it_is_said(tmp_path: Path) -> None:
    relay = {"jimeng_relay_api_key": "key", "jimeng_relay_base_url": "https://relay.example"}
    nothing_else = {"volcengine_access_key_id": "", "volcengine_secret_access_key": ""}
    async with bot_on_stage(tmp_path, **relay, **nothing_else) as live_bot:
        ada, chat = live_bot.newcomer()
        sent = live_bot.world.send_video(ada, chat, film())
        said = live_bot.world.say(ada, chat, "/extend a gate opens", reply_to=sent)
        await live_bot.answer(said, containing=says("extend_nobody"))


async def test_a_video_goes_on_by_its_own_model_where_that_can_and_else_by_another() -> None:
    able = WITH_LINKS["veo-3"]
    unable = replace(WITH_LINKS["jimeng-pro"], modes=frozenset({Mode.TEXT}))
    models = {unable.name: unable, able.name: able}
    source = VideoRequest(model=unable.name, prompt="a", seconds=5, ratio="9:16", camera="robo_arm", seed=3)
    request = continuation(source, "film", models, unable.name)
    assert request == VideoRequest(model="veo-3", photos=("film",), extends="film", seconds=4)
    assert continuation(source, "film", {unable.name: unable}, unable.name) is None
    own = continuation(source.model_copy(update={"model": "veo-3"}), "film", models, unable.name)
    assert own is not None
    assert own.model == "veo-3"


def _group(live_bot: BotHarness) -> tuple[Person, Chat]:
    """Where a video alone is nothing."""
    ada, _ = live_bot.newcomer()
    return ada, live_bot.world.add_group("Friends", [ada])


async def _nothing_came(live_bot: BotHarness, chat: Chat) -> None:
    """Drafts that only waited for their videos to be read have ended, and nothing was ever bought."""
    await live_bot.until(lambda: all(task["delivered_at"] for task in live_bot.tasks(chat)))
    assert all((task["state"], task["remote_id"]) == ("cancelled", None) for task in live_bot.tasks(chat))


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    live_bot.provider.video = film()
    live_bot.world.say(person, chat, f"/video {words}")
    return (await live_bot.shown(chat))[0]


def _questions(live_bot: BotHarness, chat: Chat) -> list[Json]:
    asked = says("card_ask_extend")
    return [one for one in live_bot.world.bot_messages(chat) if one.get("caption", "").endswith(asked)]


def _with_caption(live_bot: BotHarness, chat: Chat, words: str) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if words in one.get("caption", "")]


def _with_button(live_bot: BotHarness, chat: Chat, button: str) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if button in buttons(one)]


def _shown(live_bot: BotHarness, message: Json) -> Image.Image:
    stored = live_bot.world.files.get(message["photo"][-1]["file_id"])
    assert stored is not None
    return Image.open(io.BytesIO(stored.path.read_bytes()))
