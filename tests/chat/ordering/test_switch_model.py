"""What the chosen model cannot do: said before anything is paid, with a button for each model that can."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pictures import is_red_and_blue, photo
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

RESOLUTION = says("no_resolution", model="jimeng-pro", choices="1080p", asked="720p")
WITH_720P = says("button_other_model", model="jimeng-720p")


async def test_the_refusal_says_what_would_work_and_a_button_switches(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a tall wave 720p 10s"))
    assert card["text"] == f"{RESOLUTION}\n\n{says('card_switch')}"
    assert list(buttons(card)) == [WITH_720P, says("button_dismiss")]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a tall wave") == 0
    assert await live_bot.tap(ada, card, WITH_720P) == ""
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == card["message_id"]
    assert video["caption"] == "a tall wave\n\njimeng-720p · 16:9 · 10 s · 720p · 🔇"
    (task,) = live_bot.tasks(chat)
    assert task["provider"] == "volcengine"
    assert live_bot.jobs("a tall wave") == 1


async def test_a_model_that_nobody_has_is_answered_with_those_there_are(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a hat --model dall-e"))
    names = ("jimeng-pro", "jimeng-720p", "jimeng-1080p")
    assert card["text"].startswith(says("model_unknown", model="dall-e", choices=", ".join(names)))
    assert list(buttons(card))[:-1] == [says("button_other_model", model=name) for name in names]
    await live_bot.tap(ada, card, says("button_other_model", model="jimeng-1080p"))
    (video,) = await live_bot.shown(chat)
    assert "jimeng-1080p" in video["caption"]


async def test_a_camera_move_goes_to_the_model_that_has_it_with_the_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="closer --camera crane_push")
    card = await live_bot.card(chat)
    assert says("no_camera", model="jimeng-pro") in card["text"]
    live_bot.world.press(ada, card, WITH_720P)
    await live_bot.shown(chat)
    assert is_red_and_blue(live_bot.photo_sent("closer"))


async def test_plain_words_are_offered_too_and_dismissed(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await live_bot.answer(live_bot.world.say(ada, chat, "a low fog 720p"))
    await live_bot.tap(ada, card, says("button_dismiss"))
    await live_bot.until(lambda: (now := live_bot.now(card)) and says("dismissed") in now["text"])
    assert live_bot.jobs("a low fog") == 0


async def test_a_reply_to_the_refusal_mends_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a red kite 720p"))
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "1080p", reply_to=card))
    assert "a red kite" in draft["text"]
    assert says("card_draft") in draft["text"]
    live_bot.world.press(ada, draft, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("a red kite\n\njimeng-pro")


async def test_what_no_model_can_do_is_a_plain_sentence(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/video a hat 7s"))
    assert answer["text"] == says("no_seconds", model="jimeng-pro", choices="5, 10", asked=7)
    assert buttons(answer) == {}
    assert live_bot.tasks(chat) == []


async def test_in_a_group_only_the_person_who_asked_can_switch(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    card = await live_bot.answer(live_bot.world.say(ada, group, f"/video@{BOT} a swift 720p"))
    assert await live_bot.tap(boris, card, WITH_720P) == says("press_not_yours")
    assert live_bot.jobs("a swift") == 0
    await live_bot.tap(ada, card, WITH_720P)
    await live_bot.shown(group)


async def test_a_photo_still_waits_for_words_after_a_refusal(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
    card = await live_bot.answer(live_bot.world.say(ada, chat, "it turns 720p"))
    assert RESOLUTION in card["text"]
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "it turns"))
    assert says("card_draft") in draft["text"]
    assert says("card_photo_ratio") in draft["text"]


async def test_an_old_wish_is_offered_and_a_tap_of_today_buys_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await live_bot.answer(
        live_bot.world.say(ada, chat, "/video an old mill 720p", date=int(time.time()) - 1800)
    )
    await live_bot.tap(ada, card, WITH_720P)
    await live_bot.shown(chat)
    assert live_bot.jobs("an old mill") == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_limits_hold_for_a_switch_too(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, daily_videos_per_user="1") as live_bot:
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video one")
        await live_bot.shown(chat)
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video two 720p"))
        assert await live_bot.tap(ada, card, WITH_720P) == says("limit_day", count=1, time="00:00")
        assert live_bot.jobs("two") == 0


@pytest.mark.asyncio(loop_scope="function")
async def test_an_offer_outlives_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a lamp 720p"))
        async with running_bot(live_bot.values()):
            await live_bot.tap(ada, card, WITH_720P)
            await live_bot.shown(chat)
        assert live_bot.jobs("a lamp") == 1


async def test_a_ratio_that_the_photo_overrules_is_named_until_the_video_is_there(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    line = says("card_ratio_left_out", model="jimeng-pro", ratio="9:16")
    with live_bot.unfinished():
        live_bot.world.send_photo(ada, chat, photo(), caption="it glows 9:16")
        await live_bot.job("it glows")
        card = await live_bot.until(
            lambda: next(
                (one for one in live_bot.world.bot_messages(chat) if "usually" in one.get("text", "")), None
            )
        )
        assert card is not None
        assert line in card["text"]
    (video,) = await live_bot.shown(chat)
    assert line not in video["caption"]


async def test_options_of_a_draft_are_changed_in_place(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a blue door"))
    await live_bot.tap(ada, draft, "16:9")
    opened = live_bot.now(draft)
    assert opened is not None
    assert "✓ 16:9" in buttons(opened)
    await live_bot.tap(ada, opened, "1:1")
    await live_bot.tap(ada, await live_bot.card(chat), "🎬 jimeng-pro")
    await live_bot.tap(ada, await live_bot.card(chat), "jimeng-720p")
    changed = await live_bot.card(chat)
    assert changed["message_id"] == draft["message_id"]
    assert "jimeng-720p · 1:1 · 5 s · 720p · 🔇" in changed["text"]
    await live_bot.tap(ada, changed, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    assert video["caption"] == "a blue door\n\njimeng-720p · 1:1 · 5 s · 720p · 🔇"
    answer = await live_bot.forged_tap(ada, draft, buttons(draft)["16:9"])
    assert answer == says("press_too_late")


async def test_models_are_listed(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/models"))
    for name in ("jimeng-pro", "jimeng-720p", "jimeng-1080p"):
        assert name in answer["text"]
    await live_bot.tap(ada, answer, "jimeng-720p")
    model = live_bot.now(answer)
    assert model is not None
    assert list(buttons(model)) == [says("button_use_model"), says("option_back")]
    await live_bot.tap(ada, model, says("button_use_model"))
    chosen = live_bot.now(answer)
    assert chosen is not None
    assert says("models_default") in chosen["text"]
    await live_bot.tap(ada, chosen, says("option_back"))
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a chosen door"))
    assert "jimeng-720p" in draft["text"]
    assert await live_bot.forged_tap(ada, answer, "models:use=dall-e") == says("press_gone")


async def test_in_a_group_only_an_admin_may_make_a_model_the_default(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    listed = await live_bot.answer(live_bot.world.say(boris, group, f"/models@{BOT}"))
    await live_bot.tap(boris, listed, "jimeng-720p")
    model = live_bot.now(listed)
    assert model is not None
    assert list(buttons(model)) == [says("option_back")]
    assert await live_bot.forged_tap(boris, model, "models:use=jimeng-720p") == says("press_admins_only")


async def test_a_camera_move_has_one_name_from_what_is_typed_to_the_refusal(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(language="ru")
    live_bot.world.send_photo(ada, chat, photo(), caption="ближе --camera Кран --model jimeng-720p")
    (video,) = await live_bot.shown(chat)
    assert "Кран" in video["caption"]
    refused = await live_bot.answer(
        live_bot.world.send_photo(ada, chat, photo(), caption="ближе --camera zoom --model jimeng-720p")
    )
    assert "Кран, " in refused["text"]
    assert "crane_push" not in refused["text"]
