"""Pauses over HTTP: /pause and /resume, the question at the hourly limit, and what people read meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from provider_server import failure
from running import BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person

OWNER = Person(501, "Olga", None, "en")


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, admin_users=str(OWNER.id), submits_per_hour="2") as made:
        made.world.add_person(OWNER)
        yield made
        assert made.world.complaints == []


@pytest.fixture
def owners(live_bot: BotHarness) -> Chat:
    return live_bot.world.private_chat(OWNER)


async def test_a_pause_holds_what_is_asked_and_resume_lets_it_go(live_bot: BotHarness, owners: Chat) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video a boat under way")
        await live_bot.job("a boat under way")
        paused = await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause"))
        assert says("paused_all") in paused["text"]
        assert says("paused_figures", waiting=0, running=1) in paused["text"]
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a boat in the harbour"))
        assert says("card_paused") in card["text"]
        queue = await live_bot.answer(live_bot.world.say(ada, chat, "/queue"), containing="harbour")
        assert says("card_paused") in queue["text"]
    await live_bot.shown(chat)
    assert live_bot.jobs("a boat in the harbour") == 0
    resumed = await live_bot.answer(live_bot.world.say(OWNER, owners, "/resume"))
    assert resumed["text"].startswith(says("resumed_all"))
    await live_bot.shown(chat, 2)


async def test_a_card_that_waits_already_says_that_it_is_paused_and_that_it_goes_on(
    live_bot: BotHarness, owners: Chat
) -> None:
    ada, chat = live_bot.newcomer()
    first = await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause jimeng-720p"))
    assert says("paused_model", model="jimeng-720p") in first["text"]
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a kite --model jimeng-720p"))
    assert says("card_paused") in card["text"]
    live_bot.world.say(ada, chat, "/video a plane")
    await live_bot.shown(chat)
    assert live_bot.jobs("a kite") == 0
    await live_bot.tap(OWNER, first, says("button_resume_model", model="jimeng-720p"))
    await live_bot.shown(chat, 2)
    said = live_bot.now(first)
    assert said is not None
    assert said["text"].startswith(says("resumed_models", models="jimeng-720p"))


async def test_resume_leaves_the_pause_of_a_single_model_and_says_so(
    live_bot: BotHarness, owners: Chat
) -> None:
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause jimeng-720p"))
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause"))
    resumed = await live_bot.answer(live_bot.world.say(OWNER, owners, "/resume"))
    assert resumed["text"].startswith(says("resumed_all"))
    assert says("resume_models_paused", models="jimeng-720p") in resumed["text"]
    label = says("button_resume_model", model="jimeng-720p")
    await live_bot.tap(OWNER, resumed, label)
    gone = says("resumed_models", models="jimeng-720p")
    await live_bot.until(lambda: gone in (live_bot.now(resumed) or {})["text"])


async def test_a_paused_model_is_no_way_out(live_bot: BotHarness, owners: Chat) -> None:
    ada, chat = live_bot.newcomer()
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause jimeng-1080p"))
    live_bot.provider.interfere = lambda kind, _: (
        failure(50412, "Text Risk Not Pass", 400) if kind == "submit" else None
    )
    try:
        live_bot.world.say(ada, chat, "/video a hidden word")
        await live_bot.until(lambda: [task["state"] for task in live_bot.tasks(chat)] == ["failed"])
        await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    finally:
        live_bot.provider.interfere = lambda _kind, _received: None
    card = await live_bot.card(chat)
    assert says("button_other_words") in buttons(card)
    assert says("button_other_model", model="jimeng-1080p") not in buttons(card)
    refused = await live_bot.answer(live_bot.world.say(ada, chat, "/video a wide field --resolution 720p"))
    assert says("button_other_model", model="jimeng-720p") in buttons(refused)
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause jimeng-720p"))
    refused = await live_bot.answer(live_bot.world.say(ada, chat, "/video a wide hill --resolution 720p"))
    assert says("button_other_model", model="jimeng-720p") not in buttons(refused)


async def test_an_old_button_ends_no_newer_pause(live_bot: BotHarness, owners: Chat) -> None:
    old = await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause"))
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/resume"), containing=says("resumed_all"))
    assert await live_bot.tap(OWNER, old, says("button_resume")) == says("press_too_late")
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause"), containing=says("paused_all"))
    assert await live_bot.tap(OWNER, old, says("button_resume")) == says("press_too_late")
    assert [row["model"] for row in live_bot.rows("pauses")] == [""]


async def test_only_admins_pause_and_for_others_there_is_no_such_command(
    live_bot: BotHarness, owners: Chat
) -> None:
    ada, chat = live_bot.newcomer()
    for words in ("/pause", "/resume", "/pause jimeng-pro"):
        said = await live_bot.answer(live_bot.world.say(ada, chat, words))
        assert said["text"] == says("unknown_command")
        for data in ("pause:", "resume:", "stay:"):
            assert await live_bot.forged_tap(ada, said, data) == says("press_private")
    assert live_bot.rows("pauses") == []
    unknown = await live_bot.answer(live_bot.world.say(OWNER, owners, "/pause sora"))
    assert unknown["text"].startswith("There is no model sora. You can use: jimeng-pro, ")
    nothing = await live_bot.answer(live_bot.world.say(OWNER, owners, "/resume"))
    assert nothing["text"] == says("resume_nothing")
    assert await live_bot.forged_tap(OWNER, nothing, "pause:sora") == says("press_gone")


async def test_too_much_in_an_hour_waits_for_an_admin_who_may_let_it_go_on(
    live_bot: BotHarness, owners: Chat
) -> None:
    live_bot.world.say(OWNER, owners, "/start")
    ada, chat = live_bot.newcomer()
    for words in ("/video one", "/video two"):
        live_bot.world.say(ada, chat, words)
    await live_bot.shown(chat, 2)
    live_bot.world.say(ada, chat, "/video three")
    question = await live_bot.until(lambda: _asked(live_bot, owners))
    await live_bot.until(lambda: says("card_brake") in str(live_bot.world.bot_messages(chat)[-1].get("text")))
    live_bot.world.say(ada, chat, "/video four")
    await live_bot.handled(ada, chat)
    await live_bot.tap(OWNER, question, says("button_stay_paused"))
    stays = await live_bot.until(
        lambda: _with(live_bot, question, says("paused_figures", waiting=2, running=0))
    )
    assert (live_bot.jobs("three"), live_bot.jobs("four")) == (0, 0)
    assert len(live_bot.rows("pauses")) == 1
    await live_bot.tap(OWNER, stays, says("button_resume"))
    await live_bot.shown(chat, 4)
    assert live_bot.rows("pauses") == []
    log = [(row["action"], row["done_by"]) for row in live_bot.rows("audit_log")]
    assert log == [("pause", 0), ("resume", OWNER.id)]


async def test_the_brake_stays_on_over_a_restart_and_the_admin_is_asked_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        values = live_bot.values(admin_users=str(OWNER.id), submits_per_hour="0")
        owners = live_bot.world.private_chat(live_bot.world.add_person(OWNER))
        ada, chat = live_bot.newcomer()
        async with running_bot(values):
            live_bot.world.say(OWNER, owners, "/start")
            live_bot.world.say(ada, chat, "/video a lamp")
            await live_bot.until(lambda: _asked(live_bot, owners))
        async with running_bot({**values, "submits_per_hour": "5"}):
            again = await live_bot.until(lambda: _asked(live_bot, owners, 2))
            await live_bot.handled(ada, chat)
            assert live_bot.jobs("a lamp") == 0
            await live_bot.tap(OWNER, again, says("button_resume"))
            await live_bot.shown(chat)


async def test_a_disk_that_takes_no_videos_holds_new_orders_until_an_admin_goes_on(
    live_bot: BotHarness, owners: Chat
) -> None:
    await live_bot.answer(live_bot.world.say(OWNER, owners, "/start"))
    # No system lets anybody make a file there.
    videos = live_bot.folder / "videos"
    videos.symlink_to("/sys/kernel")
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video one")
    question = await live_bot.until(lambda: _asked(live_bot, owners))
    assert question["text"] == says("brake_disk")
    live_bot.world.say(ada, chat, "/video two")
    await live_bot.until(lambda: says("card_disk") in str(live_bot.world.bot_messages(chat)[-1].get("text")))
    assert live_bot.jobs("two") == 0
    await live_bot.tap(OWNER, question, says("button_stay_paused"))
    await live_bot.until(lambda: _with(live_bot, question, says("paused_figures", waiting=1, running=0)))
    videos.unlink()
    again = await live_bot.until(lambda: _asked(live_bot, owners, 1))
    assert again["text"] == says("brake_disk_over")
    await live_bot.shown(chat, 1)
    await live_bot.tap(OWNER, again, says("button_resume"))
    await live_bot.shown(chat, 2)


def _asked(live_bot: BotHarness, owners: Chat, times: int = 1) -> Json:
    """The question to the admin, once it has been asked so often."""
    found = [one for one in live_bot.world.bot_messages(owners) if says("button_stay_paused") in buttons(one)]
    return found[-1] if len(found) >= times else {}


def _with(live_bot: BotHarness, message: Json, words: str) -> Json:
    now = live_bot.now(message)
    return now if now is not None and words in now.get("text", "") else {}
