"""The buttons of a failed card: other photo, other words, once more, another model. None acts by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pictures import is_red_and_blue, photo
from provider_server import Reply, failure
from running import BOT, COMPANY, BotHarness, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person
from bot.worker import schedule

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTO_REFUSED = failure(50411, "Pre Img Risk Not Pass", 400)
WORDS_REFUSED = failure(50412, "Text Risk Not Pass", 400)
WORDS_SENSITIVE = failure(50413, "Post Text Risk Not Pass", 400)
VIDEO_REFUSED = failure(50511, "Post Img Risk Not Pass", 400)


async def test_an_input_refused_at_once_cost_nothing_and_may_be_changed(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused(live_bot, ada, chat, WORDS_REFUSED, "/video a hidden word")
    assert card["text"].endswith(f"{says('prompt_refused')}\n{says('not_charged')}")
    assert list(buttons(card)) == [
        says("button_other_words"),
        says("button_copy_words"),
        says("button_other_model", model="jimeng-1080p"),
    ]
    _change, copy = card["reply_markup"]["inline_keyboard"][0]
    assert copy["copy_text"] == {"text": "a hidden word"}


async def test_a_video_that_could_not_be_fetched_is_fetched_again_for_free(
    live_bot: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "YOUNG_LINK_FOR", timedelta(0))
    ada, chat = live_bot.newcomer()
    live_bot.provider.interfere = lambda kind, _: Reply(404, "not here") if kind == "video" else None
    try:
        live_bot.world.say(ada, chat, "/video a lost letter")
        await live_bot.until(lambda: [task["state"] for task in live_bot.tasks(chat)] == ["failed"])
        await live_bot.until(lambda: [bool(task["delivered_at"]) for task in live_bot.tasks(chat)] == [True])
    finally:
        live_bot.provider.interfere = lambda _kind, _received: None
    card = await live_bot.card(chat)
    assert says("link_expired") in card["text"]
    assert next(iter(buttons(card))) == says("button_fetch_again")
    assert await live_bot.tap(ada, card, says("button_fetch_again")) == says("press_fetching")
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == card["message_id"]
    assert live_bot.jobs("a lost letter") == 1, "nothing was ordered"


async def test_other_words_start_the_same_recipe(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused(live_bot, ada, chat, WORDS_SENSITIVE, "/video a famous mouse <3 9:16 10s")
    assert await live_bot.tap(ada, card, says("button_other_words")) == ""
    question = await live_bot.answer(card)
    assert question["text"] == says("card_ask_other_words", words="a famous mouse <3")
    (code,) = [one for one in question["entities"] if one["type"] == "code"]
    assert code["length"] == len("a famous mouse <3")
    assert question["reply_markup"]["force_reply"] is True
    live_bot.world.say(ada, chat, "a shy mouse", reply_to=question)
    (video,) = await live_bot.shown(chat)
    assert video["caption"] == "a shy mouse\n\njimeng-pro · 9:16 · 10 s · 1080p · 🔇"
    first, second = live_bot.tasks(chat)
    assert second["parent_id"] == first["id"]
    assert live_bot.jobs("a shy mouse") == 1


async def test_options_alone_change_the_recipe_and_keep_the_words(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused(live_bot, ada, chat, WORDS_REFUSED, "/video a slow snail")
    live_bot.world.press(ada, card, says("button_other_words"))
    live_bot.world.say(ada, chat, "1:1", reply_to=await live_bot.answer(card))
    (video,) = await live_bot.shown(chat)
    assert video["caption"] == "a slow snail\n\njimeng-pro · 1:1 · 5 s · 1080p · 🔇"


async def test_another_photo_as_a_reply_starts_the_same_recipe(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused_photo(live_bot, ada, chat, "it waves 10s")
    assert says("button_other_photo") in buttons(card)
    live_bot.world.press(ada, card, says("button_other_photo"))
    question = await live_bot.answer(card)
    assert question["text"] == says("card_ask_other_photo")
    live_bot.world.send_photo(ada, chat, photo(), reply_to=question)
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("it waves\n\njimeng-pro · photo's format · 10 s · 1080p · 🔇")
    assert is_red_and_blue(live_bot.photo_sent("it waves"))


async def test_in_private_the_next_photo_is_the_other_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused_photo(live_bot, ada, chat, "it nods")
    live_bot.world.press(ada, card, says("button_other_photo"))
    await live_bot.answer(card)
    live_bot.world.send_photo(ada, chat, photo(), caption="it nods twice")
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("it nods twice"))
    parent, child = live_bot.tasks(chat)
    assert child["parent_id"] == parent["id"]


async def test_words_are_no_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused_photo(live_bot, ada, chat, "it blinks")
    live_bot.world.press(ada, card, says("button_other_photo"))
    question = await live_bot.answer(card)
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "it winks", reply_to=question))
    assert answer["text"] == says("photo_wanted")
    live_bot.world.send_photo(ada, chat, photo(200, 300), reply_to=question)
    await live_bot.answer(answer, containing=says("photo_too_small", width=200, height=300, min_side=320))
    assert live_bot.jobs("it blinks") == live_bot.jobs("it winks") == 0
    live_bot.world.send_photo(ada, chat, photo(), reply_to=question)
    await live_bot.shown(chat)


async def test_an_album_as_the_other_photo_starts_one_task(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused_photo(live_bot, ada, chat, "it dances")
    live_bot.world.press(ada, card, says("button_other_photo"))
    await live_bot.answer(card)
    live_bot.world.send_album(ada, chat, [photo(), photo()])
    await live_bot.shown(chat)
    await live_bot.handled(ada, chat)
    assert len(live_bot.tasks(chat)) == 2
    assert live_bot.jobs("it dances") == 1


async def test_in_a_group_the_question_mentions_the_person_and_takes_only_a_reply(
    live_bot: BotHarness,
) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    picture = live_bot.world.send_photo(ada, group, photo())
    live_bot.provider.next("submit", PHOTO_REFUSED)
    live_bot.world.say(ada, group, f"/animate@{BOT} it sings", reply_to=picture)
    card = await _failed(live_bot, group)
    assert await live_bot.tap(boris, card, says("button_other_photo")) == says("press_not_yours")
    await live_bot.tap(ada, card, says("button_other_photo"))
    question = await live_bot.answer(card, containing=says("card_ask_other_photo"))
    assert question["text"].startswith("Ada\n")
    assert question["entities"][0]["type"] == "text_mention"
    live_bot.world.send_photo(ada, group, photo())
    live_bot.world.send_photo(boris, group, photo(), reply_to=question)
    await live_bot.handled(ada, group)
    assert live_bot.jobs("it sings") == 0
    live_bot.world.send_photo(ada, group, photo(), reply_to=question)
    await live_bot.shown(group)
    assert live_bot.jobs("it sings") == 1


async def test_a_refused_result_says_that_once_more_is_a_new_order(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("poll", VIDEO_REFUSED)
    live_bot.world.say(ada, chat, "/video a rare bird")
    card = await _failed(live_bot, chat)
    assert f"{says('video_refused')}\n{says('charged')}" in card["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a rare bird") == 1, "nothing is bought unasked"
    live_bot.world.press(ada, card, says("button_try_again_order"))
    await live_bot.shown(chat)
    assert live_bot.jobs("a rare bird") == 2


async def test_another_model_makes_the_very_same(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused(live_bot, ada, chat, WORDS_REFUSED, "/video a grey heron 9:16")
    assert await live_bot.tap(ada, card, says("button_other_model", model="jimeng-1080p")) == ""
    (video,) = await live_bot.shown(chat)
    assert video["caption"] == "a grey heron\n\njimeng-1080p · 9:16 · 5 s · 1080p · 🔇"
    (fields,) = [
        job.fields for job in live_bot.provider.jobs.values() if job.fields["prompt"] == "a grey heron"
    ]
    assert fields["req_key"] == "jimeng_t2v_v30_1080p"
    failed, made = live_bot.tasks(chat)
    assert made["parent_id"] == failed["id"]


async def test_a_double_tap_asks_and_starts_once(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused(live_bot, ada, chat, WORDS_REFUSED, "/video a twin")
    for _ in range(3):
        live_bot.world.press(ada, card, says("button_other_words"))
        live_bot.world.press(ada, card, says("button_other_model", model="jimeng-1080p"))
    await live_bot.shown(chat)
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a twin") == 1
    questions = [
        one for one in live_bot.world.bot_messages(chat) if "force_reply" in one.get("reply_markup", {})
    ]
    assert len(questions) == 1


async def test_forged_models_are_refused(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused(live_bot, ada, chat, WORDS_REFUSED, "/video a mask")
    (task,) = live_bot.tasks(chat)
    for name in ("", "dall-e", "' OR 1=1 --"):
        answer = await live_bot.forged_tap(ada, card, f"with:{task['id']}:{name}")
        assert answer.startswith("There is no model"), name
    assert len(live_bot.tasks(chat)) == 1


async def test_a_question_outlives_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            live_bot.tell(ada)
            card = await _refused_photo(live_bot, ada, chat, "it sleeps")
            live_bot.world.press(ada, card, says("button_other_photo"))
            question = await live_bot.answer(card)
        async with running_bot(live_bot.values()):
            live_bot.world.send_photo(ada, chat, photo(), reply_to=question)
            await live_bot.shown(chat)
        assert live_bot.jobs("it sleeps") == 1


async def test_a_real_person_is_made_by_a_model_that_takes_people(tmp_path: Path) -> None:
    code = "InputImageSensitiveContentDetected.PrivacyInformation"
    refusal = Reply(400, {"error": {"code": code, "message": "the input image may contain real person"}})
    async with stage(tmp_path) as live_bot:
        ark = {"ark_api_key": "ark-nobodys", "ark_base_url": live_bot.provider.base_url}
        async with running_bot(live_bot.values(**ark)):
            ada, chat = live_bot.newcomer(is_told=False)
            live_bot.tell(ada, COMPANY, "the relay 127.0.0.1")
            live_bot.provider.next("submit", refusal)
            words = "/video she smiles --model ark-seedance-2.0"
            live_bot.world.send_photo(ada, chat, photo(), caption=words)
            card = await _failed(live_bot, chat)
            assert card["text"].endswith(f"{says('person_refused')}\n{says('not_charged')}")
            other = says("button_other_model", model="jimeng-720p")
            assert list(buttons(card)) == [other, says("button_other_photo"), says("button_without_photo")]
            assert await live_bot.tap(ada, card, other) == ""
            await live_bot.shown(chat)
            assert live_bot.jobs("she smiles") == 1


async def _refused(live_bot: BotHarness, person: Person, chat: Chat, reply: Reply, words: str) -> Json:
    """The card of a request that the provider refused at once."""
    live_bot.provider.next("submit", reply)
    live_bot.world.say(person, chat, words)
    return await _failed(live_bot, chat)


async def _refused_photo(live_bot: BotHarness, person: Person, chat: Chat, caption: str) -> Json:
    live_bot.provider.next("submit", PHOTO_REFUSED)
    live_bot.world.send_photo(person, chat, photo(), caption=caption)
    return await _failed(live_bot, chat)


async def _failed(live_bot: BotHarness, chat: Chat) -> Json:
    await live_bot.until(
        lambda: any(task["error_code"] and task["delivered_at"] for task in live_bot.tasks(chat))
    )
    return await live_bot.card(chat)


async def test_the_same_words_may_be_made_without_the_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await _refused_photo(live_bot, ada, chat, "it goes alone")
    await live_bot.tap(ada, card, says("button_without_photo"))
    (video,) = await live_bot.shown(chat)
    assert video["caption"] == "it goes alone\n\njimeng-pro · 16:9 · 5 s · 1080p · 🔇"
    assert live_bot.jobs("it goes alone") == 1
