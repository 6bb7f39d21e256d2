"""Styles over HTTP: by command, by option and by button; the model gets the words in their style."""

from __future__ import annotations

import pytest
from pictures import photo
from running import BOT, BotHarness, buttons, says

from bot.request import VideoRequest
from bot.styles import styles

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLAY = styles()["clay"]


async def test_the_model_gets_the_words_in_their_style_and_the_card_shows_the_persons(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/style clay a fox that yawns")
    (video,) = await live_bot.shown(chat)
    assert live_bot.jobs(CLAY.words("a fox that yawns")) == 1
    assert video["caption"].startswith("a fox that yawns\n")
    assert "🎨 Clay" in video["caption"]
    await live_bot.tap(ada, video, says("button_details"))
    assert "--style clay" in (await live_bot.answer(video, containing="--style"))["text"]


async def test_style_alone_lists_the_styles(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    told = (await live_bot.answer(live_bot.world.say(ada, chat, "/style")))["text"]
    assert all(f"{one.name} · {one.title('en')}" in told for one in styles().values())


async def test_a_draft_takes_a_style_by_button_and_gives_it_back(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a harbour at dusk"))
    await live_bot.tap(ada, draft, f"🎨 {says('option_no_style')}")
    await live_bot.until(lambda: "Clay" in buttons(live_bot.now(draft) or {}))
    await live_bot.tap(ada, live_bot.now(draft) or {}, "Clay")
    await live_bot.until(lambda: "🎨 Clay" in buttons(live_bot.now(draft) or {}))
    assert live_bot.tasks(chat)[0]["state"] == "draft"


async def test_a_photo_card_offers_styles(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo())
    card = await live_bot.card(chat)
    assert f"🎨 {says('option_no_style')}" in buttons(card)


async def test_an_unknown_style_is_refused(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    told = await live_bot.answer(live_bot.world.say(ada, chat, "/video a fox --style chrome"))
    assert "--style clay" in told["text"]
    assert live_bot.tasks(chat) == []


async def test_the_photo_of_the_command_is_used(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="/style CLAY: it yawns")
    await live_bot.shown(chat)
    assert live_bot.photo_sent(CLAY.words("it yawns")).size == (640, 480)
    sent = live_bot.world.send_photo(ada, chat, photo(800, 600))
    live_bot.world.say(ada, chat, "/style clay\nit stretches", reply_to=sent)
    await live_bot.shown(chat, 2)
    assert live_bot.photo_sent(CLAY.words("it stretches")).size == (800, 600)


async def test_an_album_may_have_a_style(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    pair = [photo(1280, 720), photo(1280, 720, "PNG")]
    live_bot.world.send_album(ada, chat, pair, caption="/style clay day to night --model jimeng-720p")
    await live_bot.shown(chat)
    assert live_bot.jobs(CLAY.words("day to night")) == 1


async def test_a_mistyped_style_command_keeps_style_and_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_photo(ada, chat, photo(), caption="/styel clay it hums")
    draft = await live_bot.card(chat)
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.photo_sent(CLAY.words("it hums")).size == (640, 480)


async def test_editing_the_command_of_a_draft_keeps_its_style(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(is_told=False)
    asked = live_bot.world.send_photo(ada, chat, photo(), caption="/style clay it sings")
    draft = await live_bot.card(chat)
    live_bot.world.edit(ada, asked, "/style clay it dances")
    await live_bot.until(lambda: "it dances\n" in (live_bot.now(draft) or {}).get("text", ""))
    (task,) = live_bot.tasks(chat)
    request = VideoRequest.model_validate_json(task["request"])
    assert (request.prompt, request.style) == ("it dances", CLAY)


async def test_drafts_in_groups_offer_style_and_loop_and_nothing_else(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer(is_told=False)
    group = live_bot.world.add_group("Meadow", [ada])
    sent = live_bot.world.send_photo(ada, group, photo())
    ask = f"/animate@{BOT} the grass sways --model jimeng-720p"
    draft = await live_bot.answer(live_bot.world.say(ada, group, ask, reply_to=sent))
    style, loop = f"🎨 {says('option_no_style')}", says("option_loop_off")
    assert list(buttons(draft)) == [style, loop, says("button_generate"), says("button_dismiss")]
    await live_bot.tap(ada, draft, loop)
    await live_bot.until(lambda: says("option_loop_on") in buttons(live_bot.now(draft) or {}))
    await live_bot.tap(ada, live_bot.now(draft) or {}, style)
    await live_bot.until(lambda: "Clay" in buttons(live_bot.now(draft) or {}))
    boris, _ = live_bot.newcomer("Boris")
    assert await live_bot.tap(boris, live_bot.now(draft) or {}, "Clay") == says("press_not_yours")
    await live_bot.tap(ada, live_bot.now(draft) or {}, "Clay")
    await live_bot.until(lambda: "🎨 Clay" in buttons(live_bot.now(draft) or {}))
    await live_bot.tap(ada, live_bot.now(draft) or {}, says("button_generate"))
    await live_bot.shown(group)
    request = VideoRequest.model_validate_json(live_bot.tasks(group)[0]["request"])
    assert (request.loop, request.style) == (True, CLAY)
