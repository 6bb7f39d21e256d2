"""What the bot's admins decide in the chat: /allow, /ban, /limit and /set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from running import BOT, BotHarness, bot_on_stage, bot_process, running_bot, says, stage

from bot.chat.features.admin_limit import read_figures
from bot.sandbox import Chat, Json, Person
from bot.text import plain
from bot.text import say as say_in

OLGA = Person(501, "Olga", None, "en")


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, allowed_users="", admin_users="501") as made:
        made.world.add_person(OLGA)
        await made.answer(made.world.say(OLGA, made.world.private_chat(OLGA), "/start"))
        yield made
        assert made.world.complaints == []


async def say(there: BotHarness, words: str, chat: Chat | None = None, **more: Any) -> str:
    """What the bot answers to the admin."""
    asked = there.world.say(OLGA, chat or there.world.private_chat(OLGA), words, **more)
    return str((await there.answer(asked))["text"])


def decided(admission: str, name: str, bot: str = "") -> str:
    """In a private chat, or with the bot's name in a group."""
    undo = f"/{'ban' if admission == 'allowed' else 'allow'}{bot} {name.split('(')[1].rstrip(')')}"
    return says(f"decided_{admission}", name=name, undo=undo)


async def all_handled(there: BotHarness) -> None:
    """What was said so far is in the store, and done with."""
    said = there.world.updates.next_id - 1
    await there.until(lambda: there.rows("updates")[-1]["update_id"] >= said)
    await there.until(lambda: all(row["state"] == "done" for row in there.rows("updates")))


def decisions(there: BotHarness) -> list[tuple[int, str, str | None, int]]:
    return [(row["subject"], row["name"], row["value"], row["changed_by"]) for row in there.rows("changes")]


async def test_a_person_is_let_in_by_id_and_kept_out_by_a_reply(there: BotHarness) -> None:
    eve, hers = there.newcomer("Eve")
    group = there.world.add_group("Friends", [OLGA, eve])
    await there.answer(there.world.say(eve, hers, "/start"))
    named = f"Eve ({eve.id})"
    assert await say(there, f"/allow {eve.id}") == decided("allowed", named)
    assert (await there.until(lambda: there.world.bot_messages(hers)[1:]))[0]["text"] == says(
        "welcome", command="/video"
    )
    hello = there.world.say(eve, group, "hello")
    assert await say(there, f"/ban@{BOT}", group, reply_to=hello) == decided("banned", named, f"@{BOT}")
    there.world.say(eve, hers, "/video a door")
    await all_handled(there)
    assert await say(there, f"/allow@{BOT}", group, reply_to=hello) == decided("allowed", named, f"@{BOT}")
    there.world.say(eve, hers, "/video a window")
    await there.shown(hers)
    assert there.jobs("a door") == 0
    assert decisions(there) == [
        (eve.id, "role", value, OLGA.id) for value in ("allowed", "banned", "allowed")
    ]


async def test_a_reply_to_a_card_is_about_whoever_asked_for_it(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Friends", [OLGA, eve])
    await say(there, f"/allow {eve.id}")
    there.world.say(eve, group, f"/video@{BOT} a cat")
    (video,) = await there.shown(group)
    answer = await say(there, f"/ban@{BOT}", group, reply_to=video)
    assert answer == decided("banned", f"Eve ({eve.id})", f"@{BOT}")


async def test_a_group_is_let_in_by_being_in_it_and_kept_out_by_its_id(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Friends", [OLGA, eve])
    named = f"Friends ({group.id})"
    assert await say(there, f"/allow@{BOT}", group) == decided("allowed", named, f"@{BOT}")
    there.world.say(eve, group, f"/video@{BOT} a swing")
    await there.shown(group)
    assert await say(there, f"/ban {group.id}") == decided("banned", named)
    there.world.say(eve, group, f"/video@{BOT} a slide")
    await all_handled(there)
    assert await say(there, f"/allow {group.id}") == decided("allowed", named)
    there.world.say(eve, group, f"/video@{BOT} a sandpit")
    await there.shown(group, 2)
    assert there.jobs("a slide") == 0


async def test_what_waits_for_somebody_who_is_banned_is_not_bought(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, admin_users="501", volcengine_concurrency="1") as there:
        there.world.add_person(OLGA)
        eve, hers = there.newcomer("Eve")
        with there.unfinished():
            there.world.say(eve, hers, "/video bought")
            await there.job("bought")
            there.world.say(eve, hers, "/video waiting")
            await there.until(lambda: len(there.tasks(hers)) == 2)
            await say(there, f"/ban {eve.id}")
            await there.until(lambda: there.tasks(hers)[1]["state"] == "cancelled")
        await there.shown(hers)
        assert there.jobs("waiting") == 0


async def test_in_a_group_a_reply_to_nobodys_card_lists_nobody(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Friends", [OLGA, eve])
    told = there.world.say(OLGA, group, f"/help@{BOT}")
    answer = await there.answer(told)
    assert await say(there, f"/ban@{BOT}", group, reply_to=answer) == says("guests_how", bot=f"@{BOT}")
    assert decisions(there) == []


async def test_a_bare_command_in_private_tells_how_things_stand(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    mallory, _ = there.newcomer("Mallory")
    await say(there, f"/allow {eve.id}")
    await say(there, f"/ban {mallory.id}")
    for command in ("/allow", "/ban"):
        told = await say(there, command)
        lines = told.splitlines()
        assert lines[lines.index(says("guests_allowed")) + 1] == f"• Eve ({eve.id})"
        assert lines[lines.index(says("guests_banned")) + 1] == f"• Mallory ({mallory.id})"
        assert f"• Olga ({OLGA.id})" in lines
        assert "ALLOWED_USERS: –" in lines
    assert await say(there, "/allow Eve") == says("guests_how", bot="")
    assert await say(there, f"/ban {OLGA.id}") == says("ban_admin", name=f"Olga ({OLGA.id})")


async def test_for_everybody_else_these_commands_do_not_exist(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, admin_users="501") as there:
        eve, hers = there.newcomer("Eve")
        group = there.world.add_group("Friends", [eve])
        for command in ("allow", "ban", "limit", "set"):
            asked = there.world.say(eve, hers, f"/{command} {eve.id} 100")
            assert (await there.answer(asked))["text"] == says("unknown_command")
            there.world.say(eve, group, f"/{command}@{BOT} 100")
        assert await there.heard_nothing(eve, group)
        assert there.rows("changes") == []


async def test_a_limit_of_ones_own_counts_until_it_is_taken_back(there: BotHarness) -> None:
    eve, hers = there.newcomer("Eve")
    await say(there, f"/allow {eve.id}")
    told = await say(there, f"/limit {eve.id} 1 3")
    daily = says("own_daily_videos", most=1, used=0)
    assert f"{daily} · {says('own_own')}" in told
    there.world.say(eve, hers, "/video one")
    await there.shown(hers)
    refused = await there.answer(there.world.say(eve, hers, "/video two"))
    assert refused["text"] == says("limit_day", count=1, time="00:00")
    assert says("own_daily_videos", most=1, used=1) in await say(there, f"/limit {eve.id}")
    back = await say(there, f"/limit {eve.id} default")
    assert f"{says('own_daily_videos', most=20, used=1)} · {says('own_usual')}" in back
    there.world.say(eve, hers, "/video three")
    await there.shown(hers, 2)
    names = [(name, value) for _, name, value, _ in decisions(there)[1:]]
    assert names == [
        ("daily_videos", "1"),
        ("open_tasks", "3"),
        ("daily_videos", None),
        ("open_tasks", None),
    ]


async def test_figures_in_a_group_are_the_groups_or_whose_message_is_answered(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Friends", [OLGA, eve])
    await say(there, f"/allow@{BOT}", group)
    assert says("own_heading", name=f"Friends ({group.id})") in await say(there, f"/limit@{BOT} 0", group)
    asked = there.world.say(eve, group, f"/video@{BOT} a cat")
    assert (await there.answer(asked))["text"] == says("limit_none")
    await say(there, f"/limit@{BOT} 300 unlimited", group)
    told = await say(there, f"/limit@{BOT} 700 7", group, reply_to=asked)
    assert says("own_heading", name=f"Eve ({eve.id})") in told
    state = await say(there, f"/limit@{BOT}", group)
    assert says("own_daily_videos", most=300, used=0) in state
    assert says("own_open_tasks", most=says("own_unlimited"), used=0) in state
    assert await say(there, "/limit ten") == says("own_how", bot="")
    assert await say(there, f"/limit {eve.id} ten") == says("own_how", bot="")
    assert await say(there, f"/limit {OLGA.id} 4") == says("own_admin", name=f"Olga ({OLGA.id})")


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        ("", {}),
        ("10", {"daily_videos": 10}),
        ("10 2", {"daily_videos": 10, "open_tasks": 2}),
        ("unlimited", {"daily_videos": "unlimited", "open_tasks": "unlimited"}),
        ("Default", {"daily_videos": None, "open_tasks": None}),
        ("default 2", {"daily_videos": None, "open_tasks": 2}),
        ("0 unlimited", {"daily_videos": 0, "open_tasks": "unlimited"}),
        ("-1", None),
        ("1.5", None),
        ("1 2 3", None),
        ("99999999", None),
    ],
)
def test_figures_are_read_or_refused_as_a_whole(words: str, figures: dict[str, object] | None) -> None:
    assert read_figures(tuple(words.split())) == figures


async def test_a_setting_is_seen_changed_and_taken_back_in_the_chat(there: BotHarness) -> None:
    eve, hers = there.newcomer("Eve")
    state = await say(there, "/set")
    assert f"DAILY_VIDEOS_PER_USER = 20 · {says('rule_from_default')}" in state
    assert f"ALLOWED_USERS = – · {says('rule_from_start')}" in state
    changed = await say(there, f"/set allowed_users {eve.id}")
    assert f"ALLOWED_USERS = {eve.id} · changed by Olga (501)" in changed
    there.world.say(eve, hers, "/video a door")
    await there.shown(hers)
    wrong = await say(there, "/set OPEN_TASKS_PER_USER = many")
    assert wrong.startswith(says("rule_wrong", reason="OPEN_TASKS_PER_USER should be: "))
    assert "ALLOWED_USERS" in await say(there, "/set TELEGRAM_BOT_TOKEN 1:a")
    back = await say(there, "/set ALLOWED_USERS default")
    assert f"ALLOWED_USERS = – · {says('rule_from_start')}" in back
    record = back.partition(says("rules_record"))[2].splitlines()
    assert record[1].endswith("Olga (501): ALLOWED_USERS → default")
    assert record[2].endswith(f"Olga (501): ALLOWED_USERS → {eve.id}")
    asked = there.world.say(eve, hers, "/video a window")
    assert (await there.answer(asked))["text"] == says("stranger", user_id=eve.id)


async def test_the_default_model_and_language_change_for_the_next_message(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, admin_users="501") as there:
        there.world.add_person(OLGA)
        ada, chat = there.newcomer(language="tlh")
        await say(there, "/set DEFAULT_MODEL jimeng-720p")
        there.world.say(ada, chat, "/video a boat")
        await there.shown(chat)
        assert there.tasks(chat)[0]["request"].startswith('{"model":"jimeng-720p"')
        await say(there, "/set DEFAULT_LANGUAGE ru")
        asked = there.world.say(ada, chat, "/nonsense")
        assert (await there.answer(asked))["text"] == plain(say_in("ru", "unknown_command"))


async def test_what_was_changed_outlives_the_process(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        there.world.add_person(OLGA)
        values = there.values(admin_users="501")
        async with running_bot(values):
            await say(there, "/set DAILY_VIDEOS_PER_USER 0")
        async with bot_process(there.folder, values):
            ada, chat = there.newcomer()
            asked = there.world.say(ada, chat, "/video a hat")
            assert (await there.answer(asked))["text"] == says("limit_none")


async def test_admins_have_a_menu_and_a_help_of_their_own(there: BotHarness) -> None:
    owners = there.world.private_chat(OLGA)
    assert says("help_admin") in await say(there, "/help")
    menu = await there.until(lambda: menu_of(there, owners))
    assert {"allow", "ban", "limit", "set", "video", "forget"} <= {one["command"] for one in menu}
    card: Json = await there.answer(there.world.say(OLGA, owners, "/settings"))
    await there.forged_tap(OLGA, card, "set:language=ru")
    wanted = plain(say_in("ru", "command_allow"))
    await there.until(lambda: wanted in [one["description"] for one in menu_of(there, owners)])
    eve, hers = there.newcomer("Eve")
    await say(there, f"/allow {eve.id}")
    told = await there.answer(there.world.say(eve, hers, "/help"))
    assert says("help_admin") not in told["text"]
    assert "allow" not in {one["command"] for one in there.world.commands.shown_in(hers)}


async def test_whoever_claims_the_bot_gets_the_menu_of_an_admin(tmp_path: Path) -> None:
    async with stage(tmp_path) as there, running_bot(there.values()) as started:
        assert started.claim_link is not None
        ada, chat = there.newcomer()
        await there.answer(there.world.say(ada, chat, f"/start {started.claim_link.partition('start=')[2]}"))
        await there.until(lambda: "allow" in {one["command"] for one in menu_of(there, chat)})


async def test_a_reader_of_traditional_chinese_has_that_menu_from_the_first_message_on(
    tmp_path: Path,
) -> None:
    """Telegram keeps one list for both kinds of Chinese."""
    async with bot_on_stage(tmp_path) as there:
        for language, spoken in (("zh-hant", "zh-hant"), ("zh-hans", "zh"), ("de", "en")):
            reader, chat = there.newcomer("Mei", language)
            await there.answer(there.world.say(reader, chat, "/start"))
            await all_handled(there)
            menu = there.world.commands.shown_in(chat)
            assert menu[0]["description"] == plain(say_in(spoken, "command_video"))


def menu_of(there: BotHarness, chat: Chat) -> list[Json]:
    return there.world.commands.shown_in(chat)
