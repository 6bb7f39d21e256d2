"""Once more: `/again`, and words in reply to a finished video."""

from __future__ import annotations

from pathlib import Path

import pytest
from films import film
from pictures import photo
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.request import VideoRequest
from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_again_makes_the_newest_once_more_without_its_seed(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    await _made(there, ada, chat, "an older tale")
    await _made(there, ada, chat, "a newer tale --seed 7 10s 9:16", 2)
    there.world.say(ada, chat, "/again")
    videos = await there.shown(chat, 3)
    assert videos[2]["caption"] == videos[1]["caption"]
    assert there.jobs("a newer tale") == 2
    newer, once_more = there.tasks(chat)[1:]
    assert _request(newer).seed == 7
    assert _request(once_more) == _request(newer).model_copy(update={"seed": None})
    assert once_more["parent_id"] == newer["id"]


async def test_again_as_a_reply_means_that_video(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    first = await _made(there, ada, chat, "a red kite")
    await _made(there, ada, chat, "a blue kite", 2)
    there.world.say(ada, chat, "/again", reply_to=first)
    await there.shown(chat, 3)
    assert there.jobs("a red kite") == 2
    assert there.jobs("a blue kite") == 1


async def test_what_follows_the_command_changes_the_recipe(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    await _made(there, ada, chat, "a tall ship")
    there.world.say(ada, chat, "/again 10s")
    await there.shown(chat, 2)
    assert _request(there.tasks(chat)[1]).seconds == 10
    answer = await there.answer(there.world.say(ada, chat, "/again 7s"))
    assert answer["text"] == says("no_seconds", model="jimeng-pro", choices="5, 10", asked=7)


async def test_there_must_be_one_and_it_must_be_of_the_bot(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    answer = await there.answer(there.world.say(ada, chat, "/again"))
    assert answer["text"] == says("again_none")
    answer = await there.answer(there.world.say(ada, chat, "/again", reply_to=answer))
    assert answer["text"] == says("again_unknown")
    sent = there.world.send_video(ada, chat, film())
    await there.answer(there.world.say(ada, chat, "/again", reply_to=sent), containing=says("again_unknown"))
    assert there.tasks(chat) == []
    with there.unfinished():
        card = await there.answer(there.world.say(ada, chat, "/video a long road"), containing="a long road")
        said = there.world.say(ada, chat, "/again", reply_to=card)
        await there.answer(said, containing=says("again_unknown"))
    await there.shown(chat)
    assert there.jobs("a long road") == 1


async def test_in_a_group_it_is_the_persons_own_newest_or_the_one_replied_to(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    boris, _ = there.newcomer("Boris")
    group = there.world.add_group("Friends", [ada, boris])
    video = await _made(there, ada, group, "a shared joke")
    answer = await there.answer(there.world.say(boris, group, f"/again@{BOT}"))
    assert answer["text"] == says("again_none")
    there.world.say(boris, group, f"/again@{BOT}", reply_to=video)
    await there.shown(group, 2)
    assert [task["user_id"] for task in there.tasks(group)] == [ada.id, boris.id]


async def test_an_old_command_is_asked_about_and_an_edited_one_is_nothing(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    await _made(there, ada, chat, "a slow tide")
    said = there.world.say(ada, chat, "/again", date=int(there.world.now()) - 1200)
    card = await there.answer(said)
    assert says("card_old", age="20 min") in card["text"]
    there.world.edit(ada, said, "/again 10s")
    await there.handled(ada, chat)
    assert there.jobs("a slow tide") == 1
    await there.tap(ada, card, says("button_generate"))
    await there.shown(chat, 2)
    assert there.jobs("a slow tide") == 2


async def test_limits_hold(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, daily_videos_per_user="1") as there:
        ada, chat = there.newcomer()
        await _made(there, ada, chat, "the only one")
        said = there.world.say(ada, chat, "/again")
        assert (await there.answer(said))["text"].startswith(says("limit_day", count=1, time="").rstrip("."))
        assert there.jobs("the only one") == 1


async def test_words_in_reply_to_a_video_draft_its_recipe_with_them(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    video = await _made(there, ada, chat, "a quiet street 9:16 10s")
    draft = await there.answer(there.world.say(ada, chat, "a busy street", reply_to=video))
    assert draft["text"].startswith("a busy street\njimeng-pro · 9:16 · 10 s")
    assert says("card_draft") in draft["text"]
    assert there.jobs("a busy street") == 0
    await there.tap(ada, draft, says("button_generate"))
    await there.shown(chat, 2)
    quiet, busy = there.tasks(chat)
    assert busy["parent_id"] == quiet["id"]
    assert _request(busy).seconds == 10


async def test_a_reply_to_a_video_is_not_taken_for_a_waiting_photo(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    video = await _made(there, ada, chat, "a still pond")
    there.world.send_photo(ada, chat, photo())
    waiting = await there.until(lambda: there.world.bot_messages(chat)[1:])
    draft = await there.answer(there.world.say(ada, chat, "a wild pond", reply_to=video))
    assert draft["text"].startswith("a wild pond\n")
    await there.until(lambda: len(there.tasks(chat)) == 3)
    assert _request(there.tasks(chat)[-1]).photos == ()
    assert there.now(waiting[-1]) is not None


async def test_a_recipe_with_a_picture_keeps_it(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    sent = there.world.send_video(ada, chat, film())
    there.provider.video = film()
    there.world.say(ada, chat, "/extend the fog lifts", reply_to=sent)
    (piece,) = await there.shown(chat)
    there.world.say(ada, chat, "the fog thickens", reply_to=piece)
    draft = (await there.until(lambda: _with_caption(there, chat, says("card_draft"))))[-1]
    assert says("card_extends") in draft["caption"]
    await there.until(lambda: len(there.tasks(chat)) == 2)
    assert _request(there.tasks(chat)[1]).photos == _request(there.tasks(chat)[0]).photos
    await there.tap(ada, draft, says("button_generate"))
    pieces = await there.shown(chat, 2)
    assert says("button_join") in buttons(pieces[1])


async def test_in_a_group_a_plain_reply_to_a_video_is_nothing(there: BotHarness) -> None:
    ada, _ = there.newcomer()
    group = there.world.add_group("Friends", [ada])
    video = await _made(there, ada, group, "a loud fair")
    there.world.say(ada, group, "how lovely", reply_to=video)
    await there.handled(ada, group)
    assert len(there.tasks(group)) == 1


async def test_a_problem_in_the_new_words_is_told(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    video = await _made(there, ada, chat, "a small lamp")
    answer = await there.answer(there.world.say(ada, chat, "a lamp --modle x", reply_to=video))
    assert answer["text"] == says("unknown_flag_near", flag="modle", nearest="model")
    assert len(there.tasks(chat)) == 1


async def _made(there: BotHarness, person: Person, chat: Chat, words: str, many: int = 1) -> Json:
    command = f"/video@{BOT}" if chat.id < 0 else "/video"
    there.world.say(person, chat, f"{command} {words}")
    return (await there.shown(chat, many))[-1]


def _request(task: Json) -> VideoRequest:
    return VideoRequest.model_validate_json(task["request"])


def _with_caption(there: BotHarness, chat: Chat, words: str) -> list[Json]:
    return [one for one in there.world.bot_messages(chat) if words in one.get("caption", "")]
