"""Recipe links: the same again for anybody who opens one, with the photo only if its owner shares it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import photo
from running import BOT, BotHarness, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINK = f"https://t.me/{BOT}?start="


async def test_a_recipe_opens_as_a_draft_with_its_seed_and_buys_nothing(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    video = await _made(live_bot, ada, chat, "/video a tin <robot> 9:16 10s --seed 77")
    draft = await _opened(live_bot, boris, his, await _link(live_bot, ada, video))
    assert draft["text"].startswith("a tin <robot>\njimeng-pro · 9:16 · 10 s · 1080p · 🔇")
    assert live_bot.jobs("a tin <robot>") == 1
    await live_bot.tap(boris, draft, says("button_generate"))
    await live_bot.shown(his)
    seeds = [
        one.fields["seed"]
        for one in live_bot.provider.jobs.values()
        if one.fields["prompt"] == "a tin <robot>"
    ]
    assert seeds == [77, 77]


async def test_a_link_is_unguessable_and_the_same_for_the_same_video(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "/video a paper crane")
    first = await _link(live_bot, ada, video)
    assert len(first.removeprefix(f"{LINK}r_")) == 16
    other = await _link(live_bot, ada, await _made(live_bot, ada, chat, "/video a paper crane"))
    assert first != other
    assert await live_bot.tap(ada, video, says("button_share")) == ""
    assert len([row for row in live_bot.rows("recipes") if row["user_id"] == ada.id]) == 2


async def test_a_link_is_dead_once_its_owner_is_forgotten(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    link = await _link(live_bot, ada, await _made(live_bot, ada, chat, "/video a sand castle"))
    asked = await live_bot.answer(
        live_bot.world.say(ada, chat, "/forget"), containing=says("forget_ask")[:20]
    )
    await live_bot.tap(ada, asked, says("button_forget"))
    told = await live_bot.answer(live_bot.world.say(boris, his, f"/start {link.partition('start=')[2]}"))
    assert told["text"] == says("recipe_gone")
    assert live_bot.tasks(his) == []


async def test_the_photo_stays_out_until_its_owner_adds_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    live_bot.world.send_photo(ada, chat, photo(), caption="it bows 10s")
    (video,) = await live_bot.shown(chat)
    link = await _link(live_bot, ada, video)
    shared = live_bot.world.bot_messages(chat)[-1]
    assert says("recipe_without_photo") in shared["text"]
    draft = await _opened(live_bot, boris, his, link)
    assert says("card_recipe_photo") in draft["text"]
    assert list(buttons(draft)) == [says("button_dismiss")]
    assert all("photo" not in one for one in live_bot.world.bot_messages(his))

    await live_bot.tap(ada, shared, says("button_share_photo"))
    await live_bot.until(lambda: says("recipe_with_photo").splitlines()[0] in _text(live_bot, shared))
    full = _link_in(_text(live_bot, shared))
    assert full != link
    await live_bot.tap(boris, await _opened(live_bot, boris, his, full), says("button_generate"))
    await live_bot.shown(his)
    photos = [
        one.fields["binary_data_base64"]
        for one in live_bot.provider.jobs.values()
        if one.fields.get("prompt") == "it bows"
    ]
    assert len(photos) == 2
    assert photos[0] == photos[1]


async def test_a_recipe_without_its_photo_takes_one_of_ones_own(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    live_bot.world.send_photo(ada, chat, photo(), caption="it turns round 10s")
    (video,) = await live_bot.shown(chat)
    await _opened(live_bot, boris, his, await _link(live_bot, ada, video))
    live_bot.world.send_photo(boris, his, photo())
    draft = (await live_bot.until(lambda: _with_button(live_bot, his, "button_generate")))[0]
    assert draft["text"].startswith("it turns round\n")
    assert live_bot.jobs("it turns round") == 1
    await live_bot.tap(boris, draft, says("button_generate"))
    (his_video,) = await live_bot.shown(his)
    assert his_video["caption"] == "it turns round\n\njimeng-pro · photo's format · 10 s · 1080p · 🔇"


async def test_only_its_owner_adds_the_photo(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    live_bot.world.send_photo(ada, group, photo(), caption=f"/animate@{BOT} it hides")
    (video,) = await live_bot.shown(group)
    await _link(live_bot, ada, video)
    shared = live_bot.world.bot_messages(group)[-1]
    assert await live_bot.tap(boris, shared, says("button_share_photo")) == says("press_not_yours")
    assert says("recipe_without_photo") in _text(live_bot, shared)


@pytest.mark.parametrize("token", ["", "nothing-like-it", "A" * 62, "' OR 1=1 --", "%00"])
async def test_a_link_that_leads_nowhere_says_so(live_bot: BotHarness, token: str) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, f"/start r_{token}"))
    assert answer["text"] == says("recipe_gone")


@pytest.mark.asyncio(loop_scope="function")
async def test_a_recipe_for_a_model_that_is_gone_is_fitted_to_another_and_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        ada, chat = live_bot.newcomer()
        values = live_bot.values()
        async with running_bot(values):
            video = await _made(live_bot, ada, chat, "/video a slow train 9:16 10s --model jimeng-1080p")
            link = await _link(live_bot, ada, video)
        without = {name: value for name, value in values.items() if not name.startswith("volcengine")}
        async with running_bot(without):
            draft = await _opened(live_bot, ada, chat, link)
            told = says("recipe_fitted", chosen="jimeng-1080p", model="preview")
            assert any(one.get("text") == told for one in live_bot.world.bot_messages(chat))
            assert draft["text"].startswith("a slow train\npreview · 9:16 · 10 s")


@pytest.mark.asyncio(loop_scope="function")
async def test_a_stranger_cannot_open_a_recipe(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(allowed_users="7001")):
        ada, chat = live_bot.newcomer()
        boris, his = live_bot.newcomer("Boris")
        link = await _link(live_bot, ada, await _made(live_bot, ada, chat, "/video a closed door"))
        answer = await live_bot.answer(live_bot.world.say(boris, his, f"/start {link.removeprefix(LINK)}"))
        assert answer["text"] == says("stranger", user_id=boris.id)
        assert live_bot.tasks(his) == []


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    before = len(live_bot.videos(chat))
    live_bot.world.say(person, chat, words)
    return (await live_bot.shown(chat, before + 1))[before]


async def _link(live_bot: BotHarness, person: Person, video: Json) -> str:
    await live_bot.tap(person, video, says("button_share"))
    return _link_in((await live_bot.answer(video, containing=LINK))["text"])


async def _opened(live_bot: BotHarness, person: Person, chat: Chat, link: str) -> Json:
    """The draft that opening the link makes."""
    before = len(_with_button(live_bot, chat, "button_dismiss"))
    live_bot.world.say(person, chat, f"/start {link.removeprefix(LINK)}")
    return (await live_bot.until(lambda: _with_button(live_bot, chat, "button_dismiss")[before:]))[0]


def _with_button(live_bot: BotHarness, chat: Chat, key: str) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if says(key) in buttons(one)]


def _link_in(text: str) -> str:
    return next(word for word in text.split() if word.startswith(LINK))


def _text(live_bot: BotHarness, message: Json) -> str:
    return str((live_bot.now(message) or {}).get("text", ""))
