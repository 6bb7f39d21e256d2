"""The buttons under a finished video: for its owner, and for everybody else in a group."""

from __future__ import annotations

import pytest
from pictures import is_red_and_blue, photo
from running import BOT, BotHarness, bot_on_stage, says

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMPT = "a paper boat"


async def test_a_finished_video_has_its_words_its_facts_and_three_rows_of_buttons(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, f"/video {PROMPT} --seed 7")
    assert video["caption"] == f"{PROMPT}\n\njimeng-pro · 16:9 · 5 s · 1080p · 🔇"
    rows = [[item["text"] for item in row] for row in video["reply_markup"]["inline_keyboard"]]
    assert rows == [
        [says("button_again"), says("button_other_words")],
        [says("button_extend"), says("button_details"), says("button_share")],
        [says("button_original"), says("button_delete")],
    ]


async def test_changed_words_start_from_a_finished_video(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "/video a green boat 9:16")
    await live_bot.tap(ada, video, says("button_other_words"))
    question = await live_bot.answer(video, containing=says("card_ask_other_words", words="a green boat"))
    live_bot.world.say(ada, chat, "a blue boat", reply_to=question)
    await live_bot.shown(chat, 2)
    assert live_bot.videos(chat)[1]["caption"].startswith("a blue boat\n\njimeng-pro · 9:16")


async def test_a_photo_without_words_can_be_given_some(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.send_photo(ada, chat, photo()))
    await live_bot.tap(ada, draft, says("button_generate"))
    (video,) = await live_bot.shown(chat)
    await live_bot.tap(ada, video, says("button_other_words"))
    question = await live_bot.answer(video, containing=says("card_ask_words"))
    live_bot.world.say(ada, chat, "it jumps for joy", reply_to=question)
    await live_bot.shown(chat, 2)
    assert is_red_and_blue(live_bot.photo_sent("it jumps for joy"))


async def test_again_makes_a_video_with_another_seed(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "/video a lone pine --seed 7")
    await live_bot.tap(ada, video, says("button_again"))
    await live_bot.shown(chat, 2)
    seeds = [job.fields["seed"] for job in live_bot.provider.jobs.values() if "lone pine" in str(job.fields)]
    assert seeds == [7, -1]


async def test_again_by_somebody_else_is_a_draft_of_their_own(live_bot: BotHarness) -> None:
    ada, boris, group = _group(live_bot)
    video = await _made(live_bot, ada, group, f"/video@{BOT} a shared kite --seed 7")
    for _ in range(3):
        await live_bot.tap(boris, video, says("button_again"))
    draft = await live_bot.answer(video, containing=says("card_draft_named", name="Boris"))
    assert draft["reply_to_message"]["message_id"] == video["message_id"]
    assert await live_bot.tap(ada, draft, says("button_generate")) == says("press_not_yours")
    await live_bot.handled(boris, group)
    assert live_bot.jobs("a shared kite") == 1, "nothing is bought before Boris says yes"
    await live_bot.tap(boris, draft, says("button_generate"))
    await live_bot.shown(group, 2)
    first, second = live_bot.tasks(group)
    assert (second["user_id"], second["parent_id"]) == (boris.id, first["id"])
    assert live_bot.jobs("a shared kite") == 2


async def test_changed_words_by_somebody_else_are_their_own_order(live_bot: BotHarness) -> None:
    ada, boris, group = _group(live_bot)
    video = await _made(live_bot, ada, group, f"/video@{BOT} a common tree")
    await live_bot.tap(boris, video, says("button_other_words"))
    question = await live_bot.answer(video, containing="Boris")
    live_bot.world.say(ada, group, "a hedge", reply_to=question)
    live_bot.world.say(boris, group, "a bush", reply_to=question)
    await live_bot.shown(group, 2)
    assert (live_bot.jobs("a hedge"), live_bot.jobs("a bush")) == (0, 1)
    bought = [task for task in live_bot.tasks(group) if task["state"] != "draft"]
    assert [task["user_id"] for task in bought] == [ada.id, boris.id]
    (draft,) = [task for task in live_bot.tasks(group) if task["state"] == "draft"]
    assert draft["user_id"] == ada.id, "who was not asked gets a question of their own"


@pytest.mark.asyncio(loop_scope="function")
async def test_whoever_may_not_use_the_bot_gets_no_draft(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), allowed_users="7001") as live_bot:
        ada, boris, group = _group(live_bot)
        video = await _made(live_bot, ada, group, f"/video@{BOT} a private kite")
        assert await live_bot.tap(boris, video, says("button_again")) == says("press_private")
        assert len(live_bot.tasks(group)) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_a_draft_of_somebody_elses_video_counts_on_ones_own_limit(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), daily_videos_per_user="1") as live_bot:
        ada, boris, group = _group(live_bot)
        video = await _made(live_bot, ada, group, f"/video@{BOT} one each")
        await live_bot.tap(boris, video, says("button_again"))
        draft = await live_bot.answer(video, containing="Boris")
        assert await live_bot.tap(boris, draft, says("button_generate")) == ""
        await live_bot.shown(group, 2)
        told = says("limit_day", count=1, time="00:00")
        assert await live_bot.tap(ada, video, says("button_again")) == told


async def test_an_admin_taps_for_the_group_that_they_asked_as(live_bot: BotHarness) -> None:
    ada, boris, group = _group(live_bot)
    live_bot.world.chats[group.id].members[ada.id].status = "administrator"
    live_bot.world.say(ada, group, f"/video@{BOT} a masked ball", anonymous=True)
    (video,) = await live_bot.shown(group)
    assert await live_bot.tap(boris, video, says("button_details")) == says("press_only_owner")
    await live_bot.tap(ada, video, says("button_again"))
    await live_bot.shown(group, 2)
    assert [task["user_id"] for task in live_bot.tasks(group)] == [group.id, group.id]


async def test_details_tell_all_that_is_known(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "/video a lighthouse & a <gull> --seed 7")
    assert await live_bot.tap(ada, video, says("button_details")) == ""
    details = await live_bot.answer(video)
    (task,) = live_bot.tasks(chat)
    assert details["reply_to_message"]["message_id"] == video["message_id"]
    text = details["text"]
    bought = "jimeng-pro · 16:9 · 5 s · 1080p · 🔇\n\n--model jimeng-pro --ratio 16:9 --seconds 5"
    assert text.startswith(f"a lighthouse & a <gull>\n\n{bought}")
    assert "--seed 7" in text
    assert task["id"] in text
    assert task["remote_id"] in text
    assert says("details_submit") in text
    assert says("details_fetch") in text
    copies = [item["copy_text"]["text"] for row in details["reply_markup"]["inline_keyboard"] for item in row]
    assert copies == ["a lighthouse & a <gull>", "7"]


async def test_details_of_a_video_in_a_group_go_to_its_owner_alone(live_bot: BotHarness) -> None:
    ada, _, group = _group(live_bot)
    private = live_bot.world.private_chat(ada)
    video = await _made(live_bot, ada, group, f"/video@{BOT} a quiet lake")
    assert await live_bot.tap(ada, video, says("button_details")) == says("press_details_closed", bot=BOT)
    hello = await live_bot.answer(live_bot.world.say(ada, private, "/start"))
    video = await _made(live_bot, ada, group, f"/video@{BOT} a loud lake")
    assert await live_bot.tap(ada, video, says("button_details")) == says("press_details_sent")
    assert (await live_bot.answer(hello))["text"].startswith("a loud lake")
    assert all("lake" not in one.get("text", "") for one in live_bot.world.bot_messages(group))


def _group(live_bot: BotHarness) -> tuple[Person, Person, Chat]:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    return ada, boris, live_bot.world.add_group("Friends", [ada, boris])


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    before = len(live_bot.videos(chat))
    live_bot.world.say(person, chat, words)
    return (await live_bot.shown(chat, before + 1))[before]
