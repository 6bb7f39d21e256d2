"""/film: several shots with one price, made as they may be, and joined into one video on one card."""

from __future__ import annotations

import pytest
from films import GREEN, film, is_of, pictures_of
from provider_server import failure
from running import BOT, BotHarness, buttons, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

START = says("button_film_start")
STOP = says("button_film_stop")
REFUSED = failure(50412, "Text Risk Not Pass", 400)


async def test_two_lines_make_one_film_on_one_card(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _draft(live_bot, ada, chat, "a tall mast\nit bends in the wind")
    assert "1. a tall mast · 5 s\n2. ⛓ it bends in the wind · 5 s" in card["text"]
    assert live_bot.tasks(chat) == [], "nothing is ordered before a yes"
    live_bot.provider.video = film()
    await live_bot.tap(ada, card, START)
    (video,) = await _films(live_bot, chat)
    assert video["message_id"] == card["message_id"]
    assert video["caption"] == f"a tall mast → it bends in the wind\n\n{says('caption_film', time='2 s')}"
    assert (live_bot.jobs("a tall mast"), live_bot.jobs("it bends in the wind")) == (1, 1)
    assert live_bot.photo_sent("it bends in the wind").size == (640, 360), (
        "it begins with a frame of the first"
    )
    pictures = pictures_of(live_bot.file_of(video))
    assert len(pictures) == 24 + 24 - 1, "the picture in which they meet is shown once"
    assert is_of(pictures[3], GREEN)
    assert len(live_bot.videos(chat)) == 1, "no shot is shown by itself"


async def test_cuts_are_made_side_by_side_and_every_frame_is_shown(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    with live_bot.unfinished():
        card = await _draft(live_bot, ada, chat, "a red door\na blue door --cut")
        assert "2. ✂ a blue door" in card["text"]
        await live_bot.tap(ada, card, START)
        await live_bot.job("a red door")
        await live_bot.job("a blue door")
    (video,) = await _films(live_bot, chat)
    assert len(pictures_of(live_bot.file_of(video))) == 24 + 24


async def test_a_seam_is_changed_on_the_draft(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _draft(live_bot, ada, chat, "a low wall\na high wall\na gate")
    await live_bot.tap(ada, card, "⛓ 3")
    await live_bot.until(lambda: "3. ✂ a gate" in _text(live_bot.now(card)))
    await live_bot.tap(ada, live_bot.now(card) or card, "✂ 3")
    await live_bot.until(lambda: "3. ⛓ a gate" in _text(live_bot.now(card)))
    await live_bot.tap(ada, card, says("button_dismiss"))
    await live_bot.until(lambda: says("dismissed") in _text(live_bot.now(card)))


async def test_options_are_for_a_line_or_for_all(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _draft(live_bot, ada, chat, "9:16 --cut\n1. a narrow street\n2. a wide square 10s")
    assert "1. a narrow street · 5 s\n2. ✂ a wide square · 10 s" in card["text"]
    live_bot.provider.video = film()
    await live_bot.tap(ada, card, START)
    await _films(live_bot, chat)
    asked = {str(job.fields["prompt"]): job.fields for job in live_bot.provider.jobs.values()}
    assert asked["a narrow street"]["aspect_ratio"] == asked["a wide square"]["aspect_ratio"] == "9:16"


async def test_one_line_or_ten_are_refused_and_none_tells_how(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    for words, told in [
        ("/film", says("film_how", command="/film")),
        ("/film alone", says("film_lines", least=2, most=9, count=1)),
        ("/film " + "\n".join("abcdefghij"), says("film_lines", least=2, most=9, count=10)),
        ("/film a boat\na bridge --ratoi 9:16", "ratio"),
    ]:
        answer = await live_bot.answer(live_bot.world.say(ada, chat, words))
        assert told in answer["text"]
    assert live_bot.tasks(chat) == []


async def test_a_refused_shot_asks_and_other_words_are_free_until_a_yes(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    card = await _draft(live_bot, ada, chat, "a good start\na bad middle --cut\nit ends well")
    live_bot.provider.next("submit", None, REFUSED)
    await live_bot.tap(ada, card, START)
    asked = await _asked(live_bot, chat, says("button_film_join"))
    assert says("prompt_refused") in _text(asked)
    (words,) = [label for label in buttons(asked) if label.startswith("Other words")]
    await live_bot.tap(ada, asked, words)
    question = await live_bot.until(
        lambda: [one for one in live_bot.world.bot_messages(chat) if "force_reply" in str(one)]
    )
    live_bot.world.say(ada, chat, "a better middle", reply_to=question[0])
    offered = await _asked(live_bot, chat, "Make shot")
    assert live_bot.jobs("a better middle") == 0
    (make,) = [label for label in buttons(offered) if label.startswith("Make shot")]
    await live_bot.tap(ada, offered, make)
    (video,) = await _films(live_bot, chat)
    assert "a better middle" in video["caption"]


async def test_what_there_is_can_be_joined(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    card = await _draft(live_bot, ada, chat, "the only one\nnot this one")
    live_bot.provider.next("submit", None, REFUSED)
    await live_bot.tap(ada, card, START)
    asked = await _asked(live_bot, chat, says("button_film_join"))
    await live_bot.tap(ada, asked, says("button_film_join"))
    (video,) = await _films(live_bot, chat)
    assert len(pictures_of(live_bot.file_of(video))) == 24


async def test_a_stopped_film_buys_nothing_more_and_keeps_what_it_made(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    card = await _draft(live_bot, ada, chat, "the first step\nthe second step\nthe third step")
    with live_bot.unfinished():
        await live_bot.tap(ada, card, START)
        await live_bot.job("the first step")
        (first,) = [job for job in live_bot.provider.jobs.values() if job.prompt == "the first step"]
        first.polls = 1_000_000  # it alone comes to its end
        await live_bot.job("the second step")
        await live_bot.until(lambda: STOP in buttons(live_bot.now(card) or {}))
        await live_bot.tap(ada, card, STOP)
        await live_bot.until(lambda: says("film_stopped", count=1) in _text(live_bot.now(card)))
    assert live_bot.jobs("the third step") == 0
    await live_bot.tap(ada, live_bot.now(card) or card, says("button_film_shots"))
    await live_bot.until(lambda: live_bot.videos(chat))


async def test_the_shots_and_the_original_are_sent_from_the_film(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    card = await _draft(live_bot, ada, chat, "a lake\na hill")
    await live_bot.tap(ada, card, START)
    (video,) = await _films(live_bot, chat)
    await live_bot.tap(ada, video, says("button_film_shots"))
    await live_bot.until(lambda: len(live_bot.videos(chat)) == 3)
    await live_bot.tap(ada, video, says("button_original"))
    await live_bot.until(lambda: [one for one in live_bot.world.bot_messages(chat) if "document" in one])


async def test_cancel_stops_a_film(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await _draft(live_bot, ada, chat, "a long wait\nand then")
        await live_bot.tap(ada, card, START)
        await live_bot.job("a long wait")
        answer = await live_bot.answer(live_bot.world.say(ada, chat, "/cancel"))
        assert answer["text"] == says("press_stopped_film")
        await live_bot.until(lambda: says("film_stopped_none") in _text(live_bot.now(card)))


async def test_only_its_person_may_press(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    card = await _draft(live_bot, ada, chat, "mine\nalso mine")
    data = buttons(card)[START] if START in buttons(card) else next(iter(buttons(card).values()))
    other = await _draft(live_bot, boris, his, "his\nalso his")
    assert await live_bot.forged_tap(boris, other, data) == says("press_gone")
    for forged in ("film:", "film:x:start", f"{data}:9", data.replace("start", "make:99"), "film:\0:go"):
        assert await live_bot.forged_tap(ada, card, forged) in (says("press_gone"), "")
    await live_bot.handled(ada, chat)


def _text(message: Json | None) -> str:
    return str((message or {}).get("text") or (message or {}).get("caption") or "")


async def _asked(live_bot: BotHarness, chat: Chat, label: str) -> Json:
    """The newest message with a button whose words begin so."""

    def found() -> list[Json]:
        said = live_bot.world.bot_messages(chat)
        return [one for one in said if any(words.startswith(label) for words in buttons(one))]

    return (await live_bot.until(found))[-1]


async def _draft(live_bot: BotHarness, person: Person, chat: Chat, lines: str) -> Json:
    return await live_bot.answer(live_bot.world.say(person, chat, f"/film {lines}"))


async def _films(live_bot: BotHarness, chat: Chat) -> list[Json]:
    def done() -> list[Json]:
        return [one for one in live_bot.videos(chat) if says("button_film_shots") in buttons(one)]

    return await live_bot.until(done)


async def test_in_a_group_only_its_person_starts_it_and_an_admin_may_stop_it(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    live_bot.world.set_admin(group, boris)
    asked = live_bot.world.say(ada, group, f"/film@{BOT} our first shot\nour second shot")
    card = await live_bot.answer(asked)
    assert card["reply_to_message"]["message_id"] == asked["message_id"]
    assert await live_bot.tap(boris, card, START) == says("press_not_yours")
    with live_bot.unfinished():
        await live_bot.tap(ada, card, START)
        await live_bot.job("our first shot")
        await live_bot.until(lambda: STOP in buttons(live_bot.now(card) or {}))
        await live_bot.tap(boris, card, STOP)
        await live_bot.until(lambda: says("film_stopped_none") in _text(live_bot.now(card)))
    assert live_bot.jobs("our second shot") == 0
