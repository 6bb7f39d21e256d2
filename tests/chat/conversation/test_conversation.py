"""What people type and send, and what the bot makes of it: what starts, what is asked, what is nothing."""

from __future__ import annotations

import time

import av
import pytest
from pictures import is_red_and_blue, photo, picture_of
from running import BotHarness, buttons, says

from bot.media.videos import probe_video

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_command_becomes_a_silent_card_and_the_card_becomes_the_video(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    asked = live_bot.world.say(ada, chat, "/video a paper boat")
    card = await live_bot.answer(asked)
    assert "a paper boat" in card["text"]
    (video,) = await live_bot.shown(chat)

    assert video["message_id"] == card["message_id"]
    assert len(live_bot.world.bot_messages(chat)) == 1
    (sent,) = live_bot.edits(chat, "sendMessage")
    assert sent.params["disable_notification"] is True
    assert video["caption"] == "a paper boat\n\njimeng-pro · 16:9 · 5 s · 1080p · 🔇"
    assert next(iter(buttons(video))) == says("button_again")
    (delivery,) = live_bot.edits(chat)
    media = delivery.params["media"]
    assert (media["width"], media["height"], media["duration"]) == (320, 192, 1)
    assert media["supports_streaming"] is True
    assert video["video"]["thumbnail"]["width"] == 320
    film = probe_video(live_bot.file_of(video))
    assert (film.video_codec, film.pix_fmt, film.has_audio) == ("h264", "yuv420p", True)
    with av.open(live_bot.file_of(video)) as movie:
        assert movie.streams.audio[0].codec_context.name == "aac"
    assert live_bot.jobs("a paper boat") == 1


async def test_a_command_for_another_bot_is_ignored(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video@other_bot a kite")
    assert await live_bot.heard_nothing(ada, chat)


async def test_a_photo_with_a_caption_starts_and_its_pixels_reach_the_provider(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="the red side wins")
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("the red side wins"))


@pytest.mark.parametrize(("kind", "as_document"), [("JPEG", False), ("PNG", True), ("WEBP", True)])
async def test_a_reply_to_a_photo_or_an_image_file_animates_it(
    live_bot: BotHarness, kind: str, as_document: bool
) -> None:
    ada, chat = live_bot.newcomer()
    words = f"a {kind} wakes"
    picture = live_bot.world.send_photo(
        ada, chat, photo(kind=kind), as_document=as_document, name=f"picture.{kind.lower()}"
    )
    draft = await live_bot.answer(picture)
    live_bot.world.say(ada, chat, f"/animate {words}", reply_to=picture)
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent(words))
    assert "text" in draft


async def test_an_image_sent_as_a_file_starts_with_its_caption(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(
        ada, chat, photo(kind="PNG"), caption="a file moves", as_document=True, name="p.png"
    )
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("a file moves"))


async def test_the_preview_shows_the_very_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="slowly closer --model preview")
    (video,) = await live_bot.shown(chat)
    assert says("caption_preview", link="") in video["caption"]
    (link,) = [one["url"] for one in video["caption_entities"] if one["type"] == "text_link"]
    answer = await live_bot.answer(live_bot.world.say(ada, chat, f"/start {link.partition('start=')[2]}"))
    assert answer["text"] == says("keys_how")
    film = probe_video(live_bot.file_of(video))
    assert (film.video_codec, film.pix_fmt, film.has_audio) == ("h264", "yuv420p", True)
    assert video["video"]["duration"] == 5
    with av.open(live_bot.file_of(video)) as movie:
        first = next(movie.decode(video=0))
    assert is_red_and_blue(picture_of(first))


async def test_plain_text_is_asked_about_and_generate_starts_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a paper crane 9:16"))
    assert says("card_draft") in draft["text"]
    assert "9:16" in draft["text"]
    assert list(buttons(draft))[-2:] == [says("button_generate"), says("button_dismiss")]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a paper crane") == 0
    live_bot.world.press(ada, draft, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == draft["message_id"]
    assert live_bot.jobs("a paper crane") == 1


async def test_dismiss_keeps_the_words_and_offers_to_make_them_after_all(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a paper tiger"))
    live_bot.world.press(ada, draft, says("button_dismiss"))
    told = f"a paper tiger\n\n{says('dismissed')}"
    folded = await live_bot.until(lambda: (card := live_bot.now(draft)) and card["text"] == told and card)
    assert isinstance(folded, dict)
    assert list(buttons(folded)) == [says("button_make_anyway")]
    assert live_bot.jobs("a paper tiger") == 0


async def test_a_bare_command_asks_and_the_answer_starts(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    question = await live_bot.answer(live_bot.world.say(ada, chat, "/video"))
    assert question["reply_markup"]["force_reply"] is True
    live_bot.world.say(ada, chat, "a tin robot 9:16", reply_to=question)
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("a tin robot")
    assert "9:16" in video["caption"]
    assert len(live_bot.tasks(chat)) == 1


async def test_a_photo_alone_is_asked_about_completed_by_words_and_bought_by_a_tap(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    first = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
    assert says("card_ask_photo") in first["text"]
    second = await live_bot.answer(live_bot.world.say(ada, chat, "the colours swap"))
    assert says("card_draft") in second["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.now(first) is None  # one card for one task: the question gave way to it
    assert live_bot.jobs("the colours swap") == 0
    live_bot.world.press(ada, second, says("button_generate"))
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("the colours swap"))
    assert len(live_bot.tasks(chat)) == 1


async def test_words_long_after_a_photo_are_a_wish_of_their_own(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await live_bot.answer(live_bot.world.send_photo(ada, chat, photo(), date=int(time.time()) - 20 * 60))
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a wish of its own"))
    assert says("card_photo_ratio") not in draft["text"]
    assert "16:9" in draft["text"]


async def test_a_photo_alone_may_be_left_to_the_model(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
    live_bot.world.press(ada, card, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == card["message_id"]
    assert video["caption"].startswith("jimeng-pro")


async def test_a_forwarded_photo_is_asked_about(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, elsewhere = live_bot.newcomer("Boris")
    picture = live_bot.world.send_photo(boris, elsewhere, photo())
    picture |= {"caption": "what a day"}
    draft = await live_bot.answer(live_bot.world.forward(ada, chat, picture))
    assert says("card_draft") in draft["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("what a day") == 0


async def test_an_album_is_one_task(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [photo(), photo(), photo()], caption="three of them")
    card = await live_bot.card(chat)
    await live_bot.handled(ada, chat)
    assert says("card_which", count=3) in card["caption"]
    assert len(live_bot.tasks(chat)) == 1
    assert live_bot.jobs("three of them") == 0


async def test_an_old_message_is_asked_about(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(
        live_bot.world.say(ada, chat, "/video an old tram", date=int(time.time()) - 30 * 60)
    )
    assert says("card_old", age=says("age_minutes", minutes=30)) in draft["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("an old tram") == 0
    live_bot.world.press(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.jobs("an old tram") == 1


async def test_an_old_answer_to_a_question_is_asked_about(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    question = await live_bot.answer(live_bot.world.say(ada, chat, "/video"))
    old = int(time.time()) - 30 * 60
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "an old mill", reply_to=question, date=old))
    assert says("card_old", age=says("age_minutes", minutes=30)) in draft["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("an old mill") == 0


async def test_an_edited_command_buys_nothing(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    asked = live_bot.world.say(ada, chat, "/video a red hat")
    await live_bot.shown(chat)
    live_bot.world.edit(ada, asked, "/video a blue hat")
    await live_bot.handled(ada, chat)
    assert len(live_bot.tasks(chat)) == 1
    assert live_bot.jobs("a blue hat") == 0


async def test_start_and_help_speak_the_language_of_the_person(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    chen, hers = live_bot.newcomer("晨", "zh-hans")
    assert (await live_bot.answer(live_bot.world.say(ada, chat, "/start")))["text"] == says("start")
    start = (await live_bot.answer(live_bot.world.say(chen, hers, "/start")))["text"]
    help_ = (await live_bot.answer(live_bot.world.say(chen, hers, "/help")))["text"]
    assert all(any("一" <= letter <= "鿿" for letter in text) for text in (start, help_))
    english = (await live_bot.answer(live_bot.world.say(ada, chat, "/help")))["text"]
    assert "Models here: jimeng-pro" in english
    assert "--ratio" in english
    assert "--ratio" in help_


async def test_an_unknown_command_is_answered_in_private(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/dance"))
    assert answer["text"] == says("unknown_command")
