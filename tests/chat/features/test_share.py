"""Recipe links: the same again for whoever opens one, and of the photo only what its owner gives away."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import photo
from running import BOT, BotHarness, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINK = f"https://t.me/{BOT}?start="


async def test_a_recipe_opens_as_a_draft_with_its_seed_and_buys_nothing(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    video = await _made(there, ada, chat, "/video a tin <robot> 9:16 10s --seed 77")
    draft = await _opened(there, boris, his, await _link(there, ada, video))
    assert draft["text"].startswith("a tin <robot>\njimeng-pro · 9:16 · 10 s")
    assert there.jobs("a tin <robot>") == 1
    await there.tap(boris, draft, says("button_generate"))
    await there.shown(his)
    seeds = [
        one.fields["seed"] for one in there.provider.jobs.values() if one.fields["prompt"] == "a tin <robot>"
    ]
    assert seeds == [77, 77]


async def test_a_link_is_unguessable_and_the_same_for_the_same_video(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    video = await _made(there, ada, chat, "/video a paper crane")
    first = await _link(there, ada, video)
    assert len(first.removeprefix(f"{LINK}r_")) == 16
    other = await _link(there, ada, await _made(there, ada, chat, "/video a paper crane"))
    assert first != other
    assert await there.tap(ada, video, says("button_share")) == ""
    assert len([row for row in there.rows("recipes") if row["user_id"] == ada.id]) == 2


async def test_a_link_is_dead_once_its_owner_is_forgotten(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    link = await _link(there, ada, await _made(there, ada, chat, "/video a sand castle"))
    asked = await there.answer(there.world.say(ada, chat, "/forget"), containing=says("forget_ask")[:20])
    await there.tap(ada, asked, says("button_forget"))
    told = await there.answer(there.world.say(boris, his, f"/start {link.partition('start=')[2]}"))
    assert told["text"] == says("recipe_gone")
    assert there.tasks(his) == []


async def test_the_photo_stays_out_until_its_owner_adds_it(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    there.world.send_photo(ada, chat, photo(), caption="it bows 10s")
    (video,) = await there.shown(chat)
    link = await _link(there, ada, video)
    shared = there.world.bot_messages(chat)[-1]
    assert says("recipe_without_photo") in shared["text"]
    draft = await _opened(there, boris, his, link)
    assert says("card_recipe_photo") in draft["text"]
    assert list(buttons(draft)) == [says("button_dismiss")]
    assert all("photo" not in one for one in there.world.bot_messages(his))

    await there.tap(ada, shared, says("button_share_photo"))
    await there.until(lambda: says("recipe_with_photo").splitlines()[0] in _text(there, shared))
    full = _link_in(_text(there, shared))
    assert full != link
    await there.tap(boris, await _opened(there, boris, his, full), says("button_generate"))
    await there.shown(his)
    photos = [
        one.fields["binary_data_base64"]
        for one in there.provider.jobs.values()
        if one.fields.get("prompt") == "it bows"
    ]
    assert len(photos) == 2
    assert photos[0] == photos[1]


async def test_a_recipe_without_its_photo_takes_one_of_ones_own(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    boris, his = there.newcomer("Boris")
    there.world.send_photo(ada, chat, photo(), caption="it turns round 10s")
    (video,) = await there.shown(chat)
    await _opened(there, boris, his, await _link(there, ada, video))
    there.world.send_photo(boris, his, photo())
    draft = (await there.until(lambda: _with_button(there, his, "button_generate")))[0]
    assert draft["text"].startswith("it turns round\n")
    assert there.jobs("it turns round") == 1
    await there.tap(boris, draft, says("button_generate"))
    (his_video,) = await there.shown(his)
    assert his_video["caption"] == "it turns round\n\njimeng-pro · shape of the photo · 10 s"


async def test_only_its_owner_adds_the_photo(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = there.world.add_group("Friends", [ada, boris])
    there.world.send_photo(ada, group, photo(), caption=f"/animate@{BOT} it hides")
    (video,) = await there.shown(group)
    await _link(there, ada, video)
    shared = there.world.bot_messages(group)[-1]
    assert await there.tap(boris, shared, says("button_share_photo")) == says("tap_not_yours")
    assert says("recipe_without_photo") in _text(there, shared)


@pytest.mark.parametrize("token", ["", "nothing-like-it", "A" * 62, "' OR 1=1 --", "%00"])
async def test_a_link_that_leads_nowhere_says_so(there: BotHarness, token: str) -> None:
    ada, chat = there.newcomer()
    answer = await there.answer(there.world.say(ada, chat, f"/start r_{token}"))
    assert answer["text"] == says("recipe_gone")


@pytest.mark.asyncio(loop_scope="function")
async def test_a_recipe_for_a_model_that_is_gone_is_fitted_to_another_and_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        ada, chat = there.newcomer()
        values = there.values()
        async with running_bot(values):
            video = await _made(there, ada, chat, "/video a slow train 9:16 10s --model jimeng-1080p")
            link = await _link(there, ada, video)
        without = {name: value for name, value in values.items() if not name.startswith("volcengine")}
        async with running_bot(without):
            draft = await _opened(there, ada, chat, link)
            told = says("recipe_fitted", chosen="jimeng-1080p", model="preview")
            assert any(one.get("text") == told for one in there.world.bot_messages(chat))
            assert draft["text"].startswith("a slow train\npreview · 9:16 · 10 s")


@pytest.mark.asyncio(loop_scope="function")
async def test_a_stranger_cannot_open_a_recipe(tmp_path: Path) -> None:
    async with stage(tmp_path) as there, running_bot(there.values(allowed_users="7001")):
        ada, chat = there.newcomer()
        boris, his = there.newcomer("Boris")
        link = await _link(there, ada, await _made(there, ada, chat, "/video a closed door"))
        answer = await there.answer(there.world.say(boris, his, f"/start {link.removeprefix(LINK)}"))
        assert answer["text"] == says("stranger", user_id=boris.id)
        assert there.tasks(his) == []


async def _made(there: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    before = len(there.videos(chat))
    there.world.say(person, chat, words)
    return (await there.shown(chat, before + 1))[before]


async def _link(there: BotHarness, person: Person, video: Json) -> str:
    await there.tap(person, video, says("button_share"))
    return _link_in((await there.answer(video, containing=LINK))["text"])


async def _opened(there: BotHarness, person: Person, chat: Chat, link: str) -> Json:
    """The draft that opening the link makes."""
    before = len(_with_button(there, chat, "button_dismiss"))
    there.world.say(person, chat, f"/start {link.removeprefix(LINK)}")
    return (await there.until(lambda: _with_button(there, chat, "button_dismiss")[before:]))[0]


def _with_button(there: BotHarness, chat: Chat, key: str) -> list[Json]:
    return [one for one in there.world.bot_messages(chat) if says(key) in buttons(one)]


def _link_in(text: str) -> str:
    return next(word for word in text.split() if word.startswith(LINK))


def _text(there: BotHarness, message: Json) -> str:
    return str((there.now(message) or {}).get("text", ""))
