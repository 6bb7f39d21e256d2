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


async def test_again_makes_the_newest_once_more_without_its_seed(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "an older tale")
    await _made(live_bot, ada, chat, "a newer tale --seed 7 10s 9:16", 2)
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "/again"))
    assert says("card_draft") in draft["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a newer tale") == 1
    await live_bot.tap(ada, draft, says("button_generate"))
    videos = await live_bot.shown(chat, 3)
    assert videos[2]["caption"] == videos[1]["caption"]
    assert live_bot.jobs("a newer tale") == 2
    newer, once_more = live_bot.tasks(chat)[1:]
    assert _request(newer).seed == 7
    assert _request(once_more) == _request(newer).model_copy(update={"seed": None})
    assert once_more["parent_id"] == newer["id"]


async def test_again_as_a_reply_means_that_video(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    first = await _made(live_bot, ada, chat, "a red kite")
    await _made(live_bot, ada, chat, "a blue kite", 2)
    live_bot.world.say(ada, chat, "/again", reply_to=first)
    await live_bot.shown(chat, 3)
    assert live_bot.jobs("a red kite") == 2
    assert live_bot.jobs("a blue kite") == 1


async def test_what_follows_the_command_changes_the_recipe(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "a tall ship")
    live_bot.world.say(ada, chat, "/again 10s")
    await live_bot.shown(chat, 2)
    assert _request(live_bot.tasks(chat)[1]).seconds == 10
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/again 7s"))
    assert answer["text"] == says("no_seconds", model="jimeng-pro", choices="5, 10", asked=7)
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/again --camera zoom"))
    assert says("camera_move_crane_push") in answer["text"]
    assert "crane_push" not in answer["text"]


async def test_there_must_be_one_and_it_must_be_of_the_bot(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/again"))
    assert answer["text"] == says("again_none")
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/again", reply_to=answer))
    assert answer["text"] == says("again_unknown")
    assert live_bot.tasks(chat) == []
    sent = live_bot.world.send_video(ada, chat, film())
    await live_bot.answer(
        live_bot.world.say(ada, chat, "/again", reply_to=sent), containing=says("again_unknown")
    )
    with live_bot.unfinished():
        card = await live_bot.answer(
            live_bot.world.say(ada, chat, "/video a long road"), containing="a long road"
        )
        said = live_bot.world.say(ada, chat, "/again", reply_to=card)
        await live_bot.answer(said, containing=says("again_unknown"))
    await live_bot.shown(chat)
    assert live_bot.jobs("a long road") == 1


async def test_in_a_group_it_is_the_persons_own_newest_or_the_one_replied_to(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    video = await _made(live_bot, ada, group, "a shared joke")
    answer = await live_bot.answer(live_bot.world.say(boris, group, f"/again@{BOT}"))
    assert answer["text"] == says("again_none")
    live_bot.world.say(boris, group, f"/again@{BOT}", reply_to=video)
    await live_bot.shown(group, 2)
    assert [task["user_id"] for task in live_bot.tasks(group)] == [ada.id, boris.id]


async def test_an_old_command_is_asked_about_and_an_edited_one_is_nothing(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await _made(live_bot, ada, chat, "a slow tide")
    said = live_bot.world.say(ada, chat, "/again 5s", date=int(live_bot.world.now()) - 1200)
    card = await live_bot.answer(said)
    assert says("card_old", age="20 min") in card["text"]
    live_bot.world.edit(ada, said, "/again 10s")
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a slow tide") == 1
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat, 2)
    assert live_bot.jobs("a slow tide") == 2


async def test_limits_hold(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, daily_videos_per_user="1") as live_bot:
        ada, chat = live_bot.newcomer()
        await _made(live_bot, ada, chat, "the only one")
        said = live_bot.world.say(ada, chat, "/again 10s")
        assert (await live_bot.answer(said))["text"].startswith(
            says("limit_day", count=1, time="").rstrip(".")
        )
        assert live_bot.jobs("the only one") == 1


async def test_words_in_reply_to_a_video_draft_its_recipe_with_them(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a quiet street 9:16 10s")
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a busy street", reply_to=video))
    assert draft["text"].startswith("a busy street\njimeng-pro · 9:16 · 10 s · 1080p · 🔇")
    assert says("card_reworded") in draft["text"]
    assert live_bot.jobs("a busy street") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat, 2)
    quiet, busy = live_bot.tasks(chat)
    assert busy["parent_id"] == quiet["id"]
    assert _request(busy).seconds == 10


async def test_a_reply_to_a_video_is_not_taken_for_a_waiting_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a still pond")
    live_bot.world.send_photo(ada, chat, photo())
    waiting = await live_bot.until(lambda: live_bot.world.bot_messages(chat)[1:])
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a wild pond", reply_to=video))
    assert draft["text"].startswith("a wild pond\n")
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 3)
    assert _request(live_bot.tasks(chat)[-1]).photos == ()
    assert live_bot.now(waiting[-1]) is not None


async def test_a_recipe_with_a_picture_keeps_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.video = film()
    live_bot.world.send_video(ada, chat, film(), caption="/extend the fog lifts")
    (piece,) = await live_bot.shown(chat)
    live_bot.world.say(ada, chat, "the fog thickens", reply_to=piece)
    draft = (await live_bot.until(lambda: _with_caption(live_bot, chat, says("card_reworded"))))[-1]
    assert says("card_extends") in draft["caption"]
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
    assert _request(live_bot.tasks(chat)[1]).photos == _request(live_bot.tasks(chat)[0]).photos
    await live_bot.tap(ada, draft, says("button_generate"))
    pieces = await live_bot.shown(chat, 2)
    assert says("button_join") in buttons(pieces[1])


async def test_in_a_group_a_plain_reply_to_a_video_is_nothing(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    video = await _made(live_bot, ada, group, "a loud fair")
    live_bot.world.say(ada, group, "how lovely", reply_to=video)
    await live_bot.handled(ada, group)
    assert len(live_bot.tasks(group)) == 1


async def test_a_problem_in_the_new_words_is_told(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "a small lamp")
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "a lamp --modle x", reply_to=video))
    assert answer["text"] == says("unknown_flag_near", flag="modle", nearest="model")
    assert len(live_bot.tasks(chat)) == 1


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str, many: int = 1) -> Json:
    command = f"/video@{BOT}" if chat.id < 0 else "/video"
    live_bot.world.say(person, chat, f"{command} {words}")
    return (await live_bot.shown(chat, many))[-1]


def _request(task: Json) -> VideoRequest:
    return VideoRequest.model_validate_json(task["request"])


def _with_caption(live_bot: BotHarness, chat: Chat, words: str) -> list[Json]:
    return [one for one in live_bot.world.bot_messages(chat) if words in one.get("caption", "")]
