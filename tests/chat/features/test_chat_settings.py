"""Settings of a chat: chosen on a card, the base of each request there, and the language spoken there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pictures import photo
from running import BOT, BotHarness, buttons, running_bot, says, stage

from bot.chat.features.settings import VERB as SET
from bot.sandbox import Chat, Fault, FaultKind, Json, Person
from bot.text import language_name, plain, say

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHAPE, LENGTH, MODEL = (says(f"option_name_{name}") for name in ("ratio", "seconds", "model"))
LANGUAGE, QUIET, CROP = (says(f"option_name_{name}") for name in ("language", "quiet", "crop"))
WITH_720P = says("button_other_model", model="jimeng-720p")


async def opened(live_bot: BotHarness, person: Person, chat: Chat) -> Json:
    return await live_bot.answer(live_bot.world.say(person, chat, f"/settings@{BOT}"))


async def tap_option(live_bot: BotHarness, person: Person, card: Json, name: str) -> str:
    """Tap the option of that name, whose button says its choice too; what the bot says to that."""
    (label,) = [label for label in buttons(now(live_bot, card)) if label.startswith(name)]
    return await live_bot.tap(person, card, label)


async def choose(live_bot: BotHarness, person: Person, card: Json, option: str, choice: str) -> str:
    """Open an option and take a choice; what the bot says to that."""
    assert await tap_option(live_bot, person, card, option) == ""
    return await live_bot.tap(person, card, choice)


def now(live_bot: BotHarness, message: Json) -> Json:
    found = live_bot.now(message)
    assert found is not None
    return found


def kept(live_bot: BotHarness, chat: Chat) -> Json:
    """What the bot has stored of a chat's choices, without what nobody chose."""
    stored = [json.loads(row["settings"]) for row in live_bot.rows("chats") if row["chat_id"] == chat.id]
    return {name: value for settings in stored for name, value in settings.items() if value is not None}


async def test_a_choice_is_taken_in_place_and_the_next_video_has_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await opened(live_bot, ada, chat)
    assert await choose(live_bot, ada, card, SHAPE, "9:16") == ""
    assert await choose(live_bot, ada, card, LENGTH, "10 s") == ""
    assert {f"{SHAPE}: 9:16", f"{LENGTH}: 10 s"} <= buttons(now(live_bot, card)).keys()
    assert len(live_bot.world.bot_messages(chat)) == 1
    live_bot.world.say(ada, chat, "/video a kept shape")
    (video,) = await live_bot.shown(chat)
    assert video["caption"].startswith("a kept shape\n\njimeng-pro · 9:16 · 10 s · 1080p · 🔇")


async def test_what_is_typed_wins_over_the_settings_and_those_over_the_bots(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await opened(live_bot, ada, chat)
    await choose(live_bot, ada, card, SHAPE, "9:16")
    await choose(live_bot, ada, card, MODEL, "jimeng-1080p")
    live_bot.world.say(ada, chat, "/video a typed shape 1:1")
    (video,) = await live_bot.shown(chat)
    assert "jimeng-1080p · 1:1 · 5 s · 1080p · 🔇" in video["caption"]
    live_bot.world.say(ada, chat, "/video a typed model --model jimeng-pro")
    _, video = await live_bot.shown(chat, 2)
    assert "jimeng-pro · 9:16 · 5 s · 1080p · 🔇" in video["caption"]


async def test_a_draft_begins_with_what_is_usual_in_the_chat(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await choose(live_bot, ada, await opened(live_bot, ada, chat), SHAPE, "3:4")
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a paper moon"), containing="a paper moon")
    assert "3:4" in draft["text"]


async def test_the_settings_of_one_chat_are_not_those_of_another(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    await choose(live_bot, ada, await opened(live_bot, ada, group), SHAPE, "1:1")
    live_bot.world.say(ada, chat, "/video my own shape")
    (video,) = await live_bot.shown(chat)
    assert "16:9" in video["caption"]
    live_bot.world.say(ada, group, f"/video@{BOT} our own shape")
    (video,) = await live_bot.shown(group)
    assert "1:1" in video["caption"]


async def test_another_model_for_a_typed_wish_is_offered_and_takes_the_settings_along(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    await choose(live_bot, ada, await opened(live_bot, ada, chat), SHAPE, "9:16")
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a tall tower 720p"), containing="720p")
    assert WITH_720P in buttons(card)
    await live_bot.tap(ada, card, WITH_720P)
    (video,) = await live_bot.shown(chat)
    assert "jimeng-720p · 9:16 · 5 s · 720p · 🔇" in video["caption"]


async def test_a_reply_to_that_offer_takes_the_settings_along_too(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await choose(live_bot, ada, await opened(live_bot, ada, chat), SHAPE, "9:16")
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a red tower 720p"), containing="720p")
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "1080p", reply_to=card))
    assert "9:16" in draft["text"]


async def test_a_photo_keeps_its_shape_and_nothing_is_said_of_a_chosen_one(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await choose(live_bot, ada, await opened(live_bot, ada, chat), SHAPE, "9:16")
    live_bot.world.send_photo(ada, chat, photo(), caption="both halves glow")
    await live_bot.shown(chat)
    said = json.dumps([call.params for call in live_bot.edits(chat, "sendMessage")], ensure_ascii=False)
    assert says("card_ratio_left_out", model="jimeng-pro", ratio="9:16") not in said


async def test_a_figure_that_the_named_model_does_not_make_becomes_its_nearest(tmp_path: Path) -> None:
    """Only what was typed is refused."""
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(jiekou_api_key="sk-nobodys")):
        ada, chat = live_bot.newcomer()
        card = await opened(live_bot, ada, chat)
        await choose(live_bot, ada, card, MODEL, "veo-3")
        await choose(live_bot, ada, card, LENGTH, "✓ 8 s")
        live_bot.world.say(ada, chat, "/video a slow river --model jimeng-pro")
        (video,) = await live_bot.shown(chat)
        assert "jimeng-pro · 16:9 · 10 s · 1080p · 🔇" in video["caption"]
        refused = await live_bot.answer(live_bot.world.say(ada, chat, "/video a river 8s --model jimeng-pro"))
        assert says("no_seconds", model="jimeng-pro", choices="5, 10", asked=8) in refused["text"]


async def test_a_setting_keeps_no_model_from_being_offered(tmp_path: Path) -> None:
    """It only has to be able to do what was typed."""
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(jiekou_api_key="sk-nobodys")):
        ada, chat = live_bot.newcomer()
        card = await opened(live_bot, ada, chat)
        await choose(live_bot, ada, card, MODEL, "veo-3")
        await choose(live_bot, ada, card, LENGTH, "✓ 8 s")
        offer = await live_bot.answer(live_bot.world.say(ada, chat, "/video a square 1:1"), containing="1:1")
        await live_bot.tap(ada, offer, says("button_other_model", model="jimeng-pro"))
        (video,) = await live_bot.shown(chat)
        assert "jimeng-pro · 1:1 · 10 s · 1080p · 🔇" in video["caption"]


async def test_a_model_that_is_no_longer_set_up_is_passed_over(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values(jiekou_api_key="sk-nobodys")):
            await choose(live_bot, ada, await opened(live_bot, ada, chat), MODEL, "veo-3")
        async with running_bot(live_bot.values()):
            live_bot.world.say(ada, chat, "/video an empty shelf")
            (video,) = await live_bot.shown(chat)
            assert "jimeng-pro" in video["caption"]
            assert f"{MODEL}: jimeng-pro" in buttons(await opened(live_bot, ada, chat))


async def test_the_defaults_come_back_with_one_tap(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await opened(live_bot, ada, chat)
    await choose(live_bot, ada, card, SHAPE, "9:16")
    await live_bot.tap(ada, card, says("option_reset"))
    assert f"{SHAPE}: 16:9" in buttons(now(live_bot, card))
    assert kept(live_bot, chat) == {"notify": True, "quiet": False, "channels": True}


async def test_a_lost_edit_is_no_harm(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await opened(live_bot, ada, chat)
    live_bot.server.faults.add(
        Fault("editMessageText", FaultKind.BAD_REQUEST, when=lambda params: params["chat_id"] == chat.id)
    )
    assert await live_bot.forged_tap(ada, card, "set:ratio=9:16") == ""
    assert kept(live_bot, chat)["ratio"] == "9:16"
    await live_bot.forged_tap(ada, card, "set:")
    assert f"{SHAPE}: 9:16" in buttons(now(live_bot, card))


@pytest.mark.parametrize(
    "data", ["set:ratio=7:3", "set:model=dall-e", "set:told_at=1", "set:=", "set:quiet=on"]
)
async def test_forged_choices_change_nothing(live_bot: BotHarness, data: str) -> None:
    ada, chat = live_bot.newcomer()
    card = await opened(live_bot, ada, chat)
    assert await live_bot.forged_tap(ada, card, data) == says("press_gone")
    assert kept(live_bot, chat) == {}


async def test_in_a_group_only_its_admins_change_anything(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    seen = await opened(live_bot, boris, group)
    assert says("settings_admins") in seen["text"]
    assert f"{SHAPE}: 16:9" in seen["text"]
    assert buttons(seen) == {}, "nobody sees buttons that they may not press"
    card = await opened(live_bot, ada, group)
    for button in (SHAPE, QUIET, LANGUAGE):
        assert await tap_option(live_bot, boris, card, button) == says("press_admins_only")
    assert now(live_bot, card) == card
    assert await choose(live_bot, ada, card, SHAPE, "9:16") == ""
    assert await tap_option(live_bot, ada, card, QUIET) == says("press_quiet_on")
    assert kept(live_bot, group) == {"ratio": "9:16", "notify": True, "quiet": True, "channels": True}
    assert len(live_bot.edits(group, "getChatAdministrators")) == 1, "remembered for a while"


async def test_an_anonymous_admin_counts_as_one(live_bot: BotHarness) -> None:
    """Their messages come from the group; their taps from themselves."""
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Secret", [ada])
    asked = live_bot.world.say(ada, group, f"/settings@{BOT}", anonymous=True)
    card = await live_bot.answer(asked)
    assert card["reply_to_message"]["message_id"] == asked["message_id"]
    assert await choose(live_bot, ada, card, SHAPE, "4:3") == ""
    assert kept(live_bot, group)["ratio"] == "4:3"


async def test_nobody_changes_the_settings_of_somebody_elses_private_chat(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    card = await opened(live_bot, ada, chat)
    assert await live_bot.forged_tap(boris, card, "set:ratio=9:16") == says("press_admins_only")
    assert kept(live_bot, chat) == {}


async def test_who_may_not_ask_may_not_choose_either(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        async with running_bot(live_bot.values()):
            card = await opened(live_bot, ada, chat)
        async with running_bot(live_bot.values(allowed_users="1", admin_users="1")):
            assert await tap_option(live_bot, ada, card, SHAPE) == says("press_private")


async def test_the_question_about_a_crop_can_be_switched_off_and_on(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await opened(live_bot, ada, chat)
    assert await tap_option(live_bot, ada, card, CROP) == says("press_crop_off")
    live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a narrow lane")
    await live_bot.shown(chat)
    assert await tap_option(live_bot, ada, card, CROP) == says("press_crop_on")
    live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a narrow door")
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
    assert live_bot.tasks(chat)[1]["state"] == "draft"


async def test_a_chosen_language_is_spoken_from_that_tap_on(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    card = await opened(live_bot, ada, chat)
    await choose(live_bot, ada, card, LANGUAGE, language_name("pt"))
    assert now(live_bot, card)["text"].startswith(plain(say("pt", "settings_title")))
    crop = plain(say("pt", "option_name_crop"))
    assert await tap_option(live_bot, ada, card, crop) == plain(say("pt", "press_crop_off"))
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "um barco de papel"))
    assert plain(say("pt", "card_draft")) in draft["text"]
    live_bot.world.press(ada, draft, plain(say("pt", "button_generate")))
    (video,) = await live_bot.shown(chat)
    assert plain(say("pt", "button_again")) in buttons(video)


async def test_a_language_taken_back_is_the_persons_own_again(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(language="es-mx")
    card = await opened(live_bot, ada, chat)
    title = plain(say("es", "settings_title"))
    assert card["text"].startswith(title)
    await choose(live_bot, ada, card, plain(say("es", "option_name_language")), language_name("ru"))
    await choose(
        live_bot, ada, card, plain(say("ru", "option_name_language")), plain(say("ru", "option_own_language"))
    )
    assert now(live_bot, card)["text"].startswith(title)


async def test_a_group_is_spoken_to_in_its_language_else_in_the_askers(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    chen, _ = live_bot.newcomer("晨", "zh-hans")
    group = live_bot.world.add_group("Friends", [ada, chen])
    english, chinese = await opened(live_bot, ada, group), await opened(live_bot, chen, group)
    assert english["text"].startswith(says("settings_title"))
    assert chinese["text"].startswith(plain(say("zh", "settings_title")))
    await choose(live_bot, ada, english, LANGUAGE, language_name("ru"))
    for person in (ada, chen):
        card = await live_bot.answer(live_bot.world.say(person, group, f"/settings@{BOT}"))
        assert card["text"].startswith(plain(say("ru", "settings_title")))
    assert await tap_option(live_bot, chen, english, plain(say("ru", "option_name_ratio"))) == plain(
        say("ru", "press_admins_only")
    )


async def test_a_group_without_a_language_answers_in_the_one_that_its_asker_chose(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer(language="es")
    group = live_bot.world.add_group("Friends", [ada])
    card = await opened(live_bot, ada, chat)
    await choose(live_bot, ada, card, plain(say("es", "option_name_language")), language_name("ru"))
    asked = live_bot.world.say(ada, group, f"/history@{BOT}")
    told = await live_bot.answer(asked)
    assert told["text"] == plain(say("ru", "history_empty", command=f"/video@{BOT}"))


async def test_private_chats_and_groups_have_menus_of_their_own_in_each_language(
    live_bot: BotHarness,
) -> None:
    for code, language in (("", "en"), ("en", "en"), ("zh", "zh"), ("es", "es"), ("pt", "pt"), ("ru", "ru")):
        private = live_bot.world.commands.get({"type": "all_private_chats"}, code)
        group = live_bot.world.commands.get({"type": "all_group_chats"}, code)
        assert {"video", "animate", "models", "settings", "help", "privacy", "forget"} <= names(private)
        assert {"video", "animate", "models", "settings", "help"} <= names(group)
        assert not {"privacy", "forget", "history"} & names(group)
        assert private[0]["description"] == plain(say(language, "command_video"))


async def test_a_chat_with_a_language_has_its_menu_in_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    for place, hidden in ((chat, False), (group, True)):
        scope = {"type": "chat", "chat_id": place.id}
        card = await opened(live_bot, ada, place)
        await choose(live_bot, ada, card, LANGUAGE, language_name("zh-hant"))
        menu = live_bot.world.commands.get(scope)
        assert menu[0]["description"] == plain(say("zh-hant", "command_video"))
        assert ("forget" not in names(menu)) is hidden
        await choose(
            live_bot, ada, card, plain(say("zh-hant", "option_name_language")), f"{SET}:language=auto"
        )
        assert live_bot.world.commands.get(scope) == []


async def test_a_menu_that_telegram_does_not_take_changes_nothing_else(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.server.faults.add(Fault("setMyCommands", FaultKind.BAD_REQUEST))
    card = await opened(live_bot, ada, chat)
    await choose(live_bot, ada, card, LANGUAGE, language_name("es"))
    assert kept(live_bot, chat)["language"] == "es"
    assert now(live_bot, card)["text"].startswith(plain(say("es", "settings_title")))


def names(menu: list[Json]) -> set[str]:
    return {command["command"] for command in menu}
