"""Help for this place, what is kept of people, and forgetting it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person
from bot.text import plain, say

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """One job at a time, so that others wait; and one video a day."""
    changes = {"volcengine_concurrency": "1", "daily_videos_per_user": "4"}
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), **changes) as made:
        yield made


def examples(message: Json) -> list[str]:
    """What can be copied with a tap."""
    text = message["text"].encode("utf-16-le")
    return [
        text[2 * one["offset"] : 2 * (one["offset"] + one["length"])].decode("utf-16-le")
        for one in message["entities"]
        if one["type"] == "code"
    ]


async def test_help_has_three_examples_to_copy_and_they_work(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    words, photo, options = examples(await live_bot.answer(live_bot.world.say(ada, chat, "/help")))
    assert words.startswith("/video ")
    assert photo.startswith("/animate ")
    live_bot.world.say(ada, chat, options)
    (video,) = await live_bot.shown(chat)
    assert "9:16 · 10 s" in video["caption"]
    lacking = await live_bot.answer(live_bot.world.say(ada, chat, "/video a hat --model"))
    assert lacking["text"] == says("flag_needs_value", flag="model", example="--model jimeng-pro")


async def test_help_in_a_group_names_the_bot_in_each_command(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    help_ = await live_bot.answer(live_bot.world.say(ada, group, f"/help@{BOT}"))
    assert [one.split()[0].partition("@")[2] for one in examples(help_)] == [BOT] * 3
    assert f"/models@{BOT}" in help_["text"]
    assert f"/settings@{BOT}" in help_["text"]


async def test_help_gives_options_that_the_chats_model_can_do(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(jiekou_api_key="sk-nobodys")):
        ada, chat = live_bot.newcomer()
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/settings"))
        await live_bot.forged_tap(ada, card, "set:model=veo-3")
        help_ = await live_bot.answer(live_bot.world.say(ada, chat, "/help"))
        assert examples(help_)[2].endswith("9:16 8s")
        assert "--model veo-3, --ratio 9:16, --seconds 8," in help_["text"]


async def test_privacy_says_who_receives_what_in_the_persons_language(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    chen, hers = live_bot.newcomer("晨", "zh-hans")
    told = (await live_bot.answer(live_bot.world.say(ada, chat, "/privacy")))["text"]
    models = "jimeng-pro, jimeng-720p, jimeng-1080p"
    assert says("privacy_company", company="Volcengine (ByteDance)", models=models) in told
    assert says("privacy_shared") in told
    assert says("privacy_kept", count=90) in told
    assert says("privacy_mark") in told
    assert says("privacy_backups") in told
    assert "/forget" in told
    chinese = (await live_bot.answer(live_bot.world.say(chen, hers, "/privacy")))["text"]
    assert plain(say("zh", "privacy_shared")) in chinese


async def test_where_all_is_made_here_nobody_is_named(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        changes = {"keep_days": "30", "backup_hour": "off"}
        bare = live_bot.values(volcengine_access_key_id="", volcengine_secret_access_key="", **changes)
        async with running_bot(bare):
            ada, chat = live_bot.newcomer()
            told = (await live_bot.answer(live_bot.world.say(ada, chat, "/privacy")))["text"]
        assert says("privacy_not_shared") in told
        assert says("privacy_kept", count=30) in told
        assert says("privacy_backups") not in told
        assert "•" not in told


async def test_forget_deletes_nothing_before_a_yes(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video a first letter")
    await live_bot.shown(chat)
    asked = await _asked(live_bot, ada, chat)
    assert asked["text"] == says("forget_ask")
    assert await live_bot.tap(ada, asked, says("button_keep")) == ""
    assert _now(live_bot, asked)["text"] == says("forget_kept")
    assert buttons(_now(live_bot, asked)) == {}
    assert "a first letter" in live_bot.tasks(chat)[0]["request"]


async def test_a_yes_deletes_what_is_known_of_a_person(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/settings"))
    await live_bot.forged_tap(ada, card, "set:language=es")
    await live_bot.forged_tap(ada, card, "set:crop=off")
    live_bot.world.say(ada, chat, "/video a second letter")
    await live_bot.shown(chat)
    live_bot.world.say(ada, group, f"/video@{BOT} a third letter")
    await live_bot.shown(group)
    asked = await _asked(live_bot, ada, chat)
    await live_bot.tap(ada, asked, plain(say("es", "button_forget")))
    assert _now(live_bot, asked)["text"] == plain(say("es", "forget_done"))
    for task in (*live_bot.tasks(chat), *live_bot.tasks(group)):
        assert json.loads(task["request"]) == {"model": "jimeng-pro"}
        assert (task["user_name"], task["video_url"], task["file_id"]) == ("", None, None)
    assert [row for row in live_bot.rows("people") if row["user_id"] == ada.id] == []
    assert [row for row in live_bot.rows("chats") if row["chat_id"] == chat.id] == []
    assert live_bot.world.commands.get({"type": "chat", "chat_id": chat.id}) == []
    english = await live_bot.answer(live_bot.world.say(ada, chat, "/settings"))
    assert english["text"].startswith(says("settings_title"))


async def test_a_draft_is_dropped_and_what_waits_is_cancelled_in_every_chat(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, his = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada])
    with live_bot.unfinished():
        live_bot.world.say(boris, his, "/video a crowded desk")
        await live_bot.job("a crowded desk")
        waiting = await live_bot.answer(live_bot.world.say(ada, group, f"/video@{BOT} a waiting letter"))
        draft = await live_bot.answer(live_bot.world.say(ada, chat, "a drafted letter"))
        asked = await _asked(live_bot, ada, chat)
        await live_bot.tap(ada, asked, says("button_forget"))
        assert _now(live_bot, asked)["text"] == says("forget_done")
        assert _now(live_bot, draft)["text"] == says("dismissed")
        assert _now(live_bot, waiting)["text"] == says("cancelled")
        stored = json.dumps([*live_bot.tasks(chat), *live_bot.tasks(group)])
    await live_bot.shown(his)
    await live_bot.handled(ada, chat)
    assert "letter" not in stored
    assert live_bot.jobs("a waiting letter") == 0


async def test_a_film_is_forgotten_and_orders_no_other_shot(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/film a last shot\na lost shot"))
        await live_bot.tap(ada, card, says("button_film_start"))
        await live_bot.job("a last shot")
        asked = await live_bot.answer(live_bot.world.say(ada, chat, "/forget"))
        await live_bot.tap(ada, asked, says("button_forget"))
        await live_bot.until(lambda: live_bot.rows("films") == [])
    await live_bot.until(lambda: all(task["delivered_at"] for task in live_bot.tasks(chat)))
    assert live_bot.jobs("a lost shot") == 0


async def test_what_is_being_made_is_finished_first_and_can_be_forgotten_then(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        live_bot.world.say(ada, chat, "/video an open letter")
        await live_bot.job("an open letter")
        await live_bot.until(lambda: live_bot.tasks(chat)[0]["remote_id"])
        asked = await _asked(live_bot, ada, chat)
        await live_bot.tap(ada, asked, says("button_forget"))
        assert _now(live_bot, asked)["text"].endswith(says("forget_unfinished", count=1))
    await live_bot.shown(chat)
    assert "an open letter" in live_bot.tasks(chat)[0]["request"]
    await live_bot.tap(ada, await _asked(live_bot, ada, chat), says("button_forget"))
    assert "an open letter" not in live_bot.tasks(chat)[0]["request"]


async def test_a_video_that_was_kept_unseen_is_deleted_from_the_disk(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    with live_bot.unfinished():
        card = await live_bot.answer(live_bot.world.say(ada, chat, "/video an unseen letter"))
        await live_bot.until(lambda: says("button_stop_paid") in buttons(_now(live_bot, card)))
        await live_bot.tap(ada, card, says("button_stop_paid"))
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["delivered_at"])
    (task,) = live_bot.tasks(chat)
    files = [live_bot.folder / "videos" / f"{task['id']}.{ending}" for ending in ("mp4", "jpg")]
    assert all(file.exists() for file in files)
    await live_bot.tap(ada, await _asked(live_bot, ada, chat), says("button_forget"))
    assert not any(file.exists() for file in files)


async def test_limits_stay(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    for number in range(4):
        live_bot.world.say(ada, chat, f"/video letter number {number}")
        await live_bot.shown(chat, number + 1)
    await live_bot.tap(ada, await _asked(live_bot, ada, chat), says("button_forget"))
    refused = await live_bot.answer(live_bot.world.say(ada, chat, "/video a fifth letter"))
    assert refused["text"] == says("limit_day", count=4, time="00:00")


async def test_a_second_tap_changes_nothing(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    asked = await _asked(live_bot, ada, chat)
    data = buttons(asked)[says("button_forget")]
    await live_bot.tap(ada, asked, says("button_forget"))
    assert await live_bot.forged_tap(ada, asked, data) == ""
    assert _now(live_bot, asked)["text"] == says("forget_done")


async def test_nobody_is_forgotten_by_somebody_elses_tap(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    asked = await live_bot.answer(live_bot.world.say(ada, group, f"/forget@{BOT}"))
    for button in (says("button_forget"), says("button_keep")):
        assert await live_bot.tap(boris, asked, button) == says("press_not_yours")
    for data in ("forget:", "forget:yes", f"forget:{ada.id}:yes", f"forget:{boris.id}"):
        assert await live_bot.forged_tap(boris, asked, data) in (says("press_not_yours"), says("press_gone"))
    assert _now(live_bot, asked)["text"] == says("forget_ask")


async def test_a_forgotten_video_cannot_be_made_again(live_bot: BotHarness) -> None:
    """Its words are gone: nothing is bought, and the tap is answered."""
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video a burnt letter")
    (video,) = await live_bot.shown(chat)
    await live_bot.tap(ada, await _asked(live_bot, ada, chat), says("button_forget"))
    assert await live_bot.tap(ada, video, says("button_again")) == says("prompt_missing")
    assert len(live_bot.tasks(chat)) == 1


async def _asked(live_bot: BotHarness, person: Person, chat: Chat) -> Json:
    return await live_bot.answer(live_bot.world.say(person, chat, "/forget"))


def _now(live_bot: BotHarness, message: Json) -> Json:
    found = live_bot.now(message)
    assert found is not None
    return found
