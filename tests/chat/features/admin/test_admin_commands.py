"""What the bot's admins decide in the chat: /allow, /ban, /limit and /set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from running import BOT, BotHarness, bot_on_stage, bot_process, running_bot, says, stage

from bot.chat.features.admin.limit import read_figures
from bot.sandbox import Chat, Json, Person
from bot.text import plain
from bot.text import say as say_in

OLGA = Person(501, "Olga", None, "en")


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with bot_on_stage(tmp_path, allowed_users="", admin_users="501") as made:
        made.world.add_person(OLGA)
        await made.answer(made.world.say(OLGA, made.world.private_chat(OLGA), "/start"))
        yield made
        assert made.world.complaints == []


async def say(live_bot: BotHarness, words: str, chat: Chat | None = None, **more: Any) -> str:
    """What the bot answers to the admin."""
    asked = live_bot.world.say(OLGA, chat or live_bot.world.private_chat(OLGA), words, **more)
    return str((await live_bot.answer(asked))["text"])


def decided(admission: str, name: str, bot: str = "") -> str:
    """In a private chat, or with the bot's name in a group."""
    undo = f"/{'ban' if admission == 'allowed' else 'allow'}{bot} {name.split('(')[1].rstrip(')')}"
    return says(f"decided_{admission}", name=name, undo=undo)


async def all_handled(live_bot: BotHarness) -> None:
    """What was said so far is in the store, and done with."""
    said = live_bot.world.updates.next_id - 1
    await live_bot.until(lambda: live_bot.rows("updates")[-1]["update_id"] >= said)
    await live_bot.until(lambda: all(row["state"] == "done" for row in live_bot.rows("updates")))


def decisions(live_bot: BotHarness) -> list[tuple[int, str, str | None, int]]:
    return [
        (int(row["target"]), row["name"], row["value"], row["done_by"]) for row in live_bot.rows("audit_log")
    ]


async def test_a_person_is_let_in_by_id_and_kept_out_by_a_reply(live_bot: BotHarness) -> None:
    eve, hers = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Friends", [OLGA, eve])
    await live_bot.answer(live_bot.world.say(eve, hers, "/start"))
    named = f"Eve ({eve.id})"
    assert await say(live_bot, f"/allow {eve.id}") == decided("allowed", named)
    assert (await live_bot.until(lambda: live_bot.world.bot_messages(hers)[1:]))[0]["text"] == says(
        "welcome", command="/video"
    )
    hello = live_bot.world.say(eve, group, "hello")
    assert await say(live_bot, f"/ban@{BOT}", group, reply_to=hello) == decided("banned", named, f"@{BOT}")
    live_bot.world.say(eve, hers, "/video a door")
    await all_handled(live_bot)
    assert await say(live_bot, f"/allow@{BOT}", group, reply_to=hello) == decided("allowed", named, f"@{BOT}")
    live_bot.world.say(eve, hers, "/video a window")
    await live_bot.shown(hers)
    assert live_bot.jobs("a door") == 0
    assert decisions(live_bot) == [
        (eve.id, "role", value, OLGA.id) for value in ("allowed", "banned", "allowed")
    ]


async def test_a_reply_to_a_card_is_about_whoever_asked_for_it(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Friends", [OLGA, eve])
    await say(live_bot, f"/allow {eve.id}")
    live_bot.world.say(eve, group, f"/video@{BOT} a cat")
    (video,) = await live_bot.shown(group)
    answer = await say(live_bot, f"/ban@{BOT}", group, reply_to=video)
    assert answer == decided("banned", f"Eve ({eve.id})", f"@{BOT}")


async def test_a_group_is_let_in_by_being_in_it_and_kept_out_by_its_id(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Friends", [OLGA, eve])
    named = f"Friends ({group.id})"
    assert await say(live_bot, f"/allow@{BOT}", group) == decided("allowed", named, f"@{BOT}")
    live_bot.world.say(eve, group, f"/video@{BOT} a swing")
    await live_bot.shown(group)
    assert await say(live_bot, f"/ban {group.id}") == decided("banned", named)
    live_bot.world.say(eve, group, f"/video@{BOT} a slide")
    await all_handled(live_bot)
    assert await say(live_bot, f"/allow {group.id}") == decided("allowed", named)
    live_bot.world.say(eve, group, f"/video@{BOT} a sandpit")
    await live_bot.shown(group, 2)
    assert live_bot.jobs("a slide") == 0


async def test_who_is_banned_gets_silence_in_an_allowed_group_too(live_bot: BotHarness) -> None:
    eve, hers = live_bot.newcomer("Eve")
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [OLGA, eve, ada])
    await say(live_bot, f"/allow {group.id}")
    settings = await live_bot.answer(live_bot.world.say(ada, group, f"/settings@{BOT}"))
    await say(live_bot, f"/ban {eve.id}")
    before = [len(live_bot.world.bot_messages(chat)) for chat in (group, hers)]
    admins = len(live_bot.world.bot_messages(live_bot.world.private_chat(OLGA)))
    for chat in (group, hers):
        live_bot.world.say(eve, chat, f"/video@{BOT} a door")
        live_bot.world.say(eve, chat, f"/help@{BOT}")
        live_bot.world.say(eve, chat, f"/vidoe@{BOT} a door")
    assert await live_bot.forged_tap(eve, settings, "settings:model") == ""
    await all_handled(live_bot)
    assert [len(live_bot.world.bot_messages(chat)) for chat in (group, hers)] == before
    assert len(live_bot.world.bot_messages(live_bot.world.private_chat(OLGA))) == admins
    assert live_bot.rows("tasks") == []


async def test_what_waits_for_somebody_who_is_banned_is_not_bought(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, admin_users="501", volcengine_concurrency="1") as live_bot:
        live_bot.world.add_person(OLGA)
        eve, hers = live_bot.newcomer("Eve")
        with live_bot.unfinished():
            live_bot.world.say(eve, hers, "/video bought")
            await live_bot.job("bought")
            live_bot.world.say(eve, hers, "/video waiting")
            await live_bot.until(lambda: len(live_bot.tasks(hers)) == 2)
            await say(live_bot, f"/ban {eve.id}")
            await live_bot.until(lambda: live_bot.tasks(hers)[1]["state"] == "cancelled")
        await live_bot.shown(hers)
        assert live_bot.jobs("waiting") == 0


async def test_in_a_group_a_reply_to_nobodys_card_lists_nobody(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Friends", [OLGA, eve])
    told = live_bot.world.say(OLGA, group, f"/help@{BOT}")
    answer = await live_bot.answer(told)
    assert await say(live_bot, f"/ban@{BOT}", group, reply_to=answer) == says("guests_how", bot=f"@{BOT}")
    assert decisions(live_bot) == []


async def test_a_bare_command_in_private_tells_how_things_stand(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    mallory, _ = live_bot.newcomer("Mallory")
    await say(live_bot, f"/allow {eve.id}")
    await say(live_bot, f"/ban {mallory.id}")
    for command in ("/allow", "/ban"):
        told = await say(live_bot, command)
        lines = told.splitlines()
        assert lines[lines.index(says("guests_allowed")) + 1] == f"• Eve ({eve.id})"
        assert lines[lines.index(says("guests_banned")) + 1] == f"• Mallory ({mallory.id})"
        assert f"• Olga ({OLGA.id})" in lines
        assert "ALLOWED_USERS: –" in lines
    assert await say(live_bot, "/allow Eve") == says("guests_how", bot="")
    assert await say(live_bot, f"/ban {OLGA.id}") == says("ban_admin", name=f"Olga ({OLGA.id})")


async def test_for_everybody_else_these_commands_do_not_exist(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, admin_users="501") as live_bot:
        eve, hers = live_bot.newcomer("Eve")
        group = live_bot.world.add_group("Friends", [eve])
        for command in ("allow", "ban", "limit", "set"):
            asked = live_bot.world.say(eve, hers, f"/{command} {eve.id} 100")
            assert (await live_bot.answer(asked))["text"] == says("unknown_command")
            live_bot.world.say(eve, group, f"/{command}@{BOT} 100")
        assert await live_bot.heard_nothing(eve, group)
        assert live_bot.rows("audit_log") == []


async def test_a_limit_of_ones_own_counts_until_it_is_taken_back(live_bot: BotHarness) -> None:
    eve, hers = live_bot.newcomer("Eve")
    await say(live_bot, f"/allow {eve.id}")
    told = await say(live_bot, f"/limit {eve.id} 1 3")
    daily = says("own_daily_videos", most=1, used=0)
    assert f"{daily} · {says('own_own')}" in told
    live_bot.world.say(eve, hers, "/video one")
    await live_bot.shown(hers)
    refused = await live_bot.answer(live_bot.world.say(eve, hers, "/video two"))
    assert refused["text"] == says("limit_day", count=1, time="00:00")
    assert says("own_daily_videos", most=1, used=1) in await say(live_bot, f"/limit {eve.id}")
    back = await say(live_bot, f"/limit {eve.id} default")
    assert f"{says('own_daily_videos', most=20, used=1)} · {says('own_usual')}" in back
    live_bot.world.say(eve, hers, "/video three")
    await live_bot.shown(hers, 2)
    names = [(name, value) for _, name, value, _ in decisions(live_bot)[1:]]
    assert names == [
        ("daily_videos", "1"),
        ("open_tasks", "3"),
        ("daily_videos", None),
        ("open_tasks", None),
    ]


async def test_figures_in_a_group_are_the_groups_or_whose_message_is_answered(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Friends", [OLGA, eve])
    await say(live_bot, f"/allow@{BOT}", group)
    assert says("own_heading", name=f"Friends ({group.id})") in await say(live_bot, f"/limit@{BOT} 0", group)
    asked = live_bot.world.say(eve, group, f"/video@{BOT} a cat")
    assert (await live_bot.answer(asked))["text"] == says("limit_none")
    await say(live_bot, f"/limit@{BOT} 300 unlimited", group)
    told = await say(live_bot, f"/limit@{BOT} 700 7", group, reply_to=asked)
    assert says("own_heading", name=f"Eve ({eve.id})") in told
    state = await say(live_bot, f"/limit@{BOT}", group)
    assert says("own_daily_videos", most=300, used=0) in state
    assert says("own_open_tasks", most=says("own_unlimited"), used=0) in state
    assert await say(live_bot, "/limit ten") == says("own_how", bot="")
    assert await say(live_bot, f"/limit {eve.id} ten") == says("own_how", bot="")
    assert await say(live_bot, f"/limit {OLGA.id} 4") == says("own_admin", name=f"Olga ({OLGA.id})")


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


async def test_a_setting_is_seen_changed_and_taken_back_in_the_chat(live_bot: BotHarness) -> None:
    eve, hers = live_bot.newcomer("Eve")
    state = await say(live_bot, "/set")
    assert f"DAILY_VIDEOS_PER_USER = 20 · {says('rule_from_default')}" in state
    assert f"ALLOWED_USERS = – · {says('rule_from_default')}" in state
    changed = await say(live_bot, f"/set allowed_users {eve.id}")
    assert f"ALLOWED_USERS = {eve.id} · changed by Olga (501)" in changed
    live_bot.world.say(eve, hers, "/video a door")
    await live_bot.shown(hers)
    wrong = await say(live_bot, "/set OPEN_TASKS_PER_USER = many")
    assert wrong.startswith(says("rule_wrong", reason="OPEN_TASKS_PER_USER should be: "))
    assert "ALLOWED_USERS" in await say(live_bot, "/set TELEGRAM_BOT_TOKEN 1:a")
    back = await say(live_bot, "/set ALLOWED_USERS default")
    assert f"ALLOWED_USERS = – · {says('rule_from_default')}" in back
    record = back.partition(says("rules_record"))[2].splitlines()
    assert record[1].endswith("Olga (501): ALLOWED_USERS → default")
    assert record[2].endswith(f"Olga (501): ALLOWED_USERS → {eve.id}")
    asked = live_bot.world.say(eve, hers, "/video a window")
    assert (await live_bot.answer(asked))["text"] == says("stranger", user_id=eve.id)


async def test_the_default_model_and_language_change_for_the_next_message(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, admin_users="501") as live_bot:
        live_bot.world.add_person(OLGA)
        ada, chat = live_bot.newcomer(language="tlh")
        await say(live_bot, "/set DEFAULT_MODEL jimeng-720p")
        live_bot.world.say(ada, chat, "/video a boat")
        await live_bot.shown(chat)
        assert live_bot.tasks(chat)[0]["request"].startswith('{"model":"jimeng-720p"')
        await say(live_bot, "/set DEFAULT_LANGUAGE ru")
        asked = live_bot.world.say(ada, chat, "/nonsense")
        assert (await live_bot.answer(asked))["text"] == plain(say_in("ru", "unknown_command"))


async def test_what_was_changed_outlives_the_process(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        live_bot.world.add_person(OLGA)
        values = live_bot.values(admin_users="501")
        async with running_bot(values):
            await say(live_bot, "/set DAILY_VIDEOS_PER_USER 0")
        async with bot_process(live_bot.folder, values):
            ada, chat = live_bot.newcomer()
            asked = live_bot.world.say(ada, chat, "/video a hat")
            assert (await live_bot.answer(asked))["text"] == says("limit_none")


async def test_admins_have_a_menu_and_a_help_of_their_own(live_bot: BotHarness) -> None:
    owners = live_bot.world.private_chat(OLGA)
    assert says("help_admin") in await say(live_bot, "/help")
    menu = await live_bot.until(lambda: menu_of(live_bot, owners))
    assert {"allow", "ban", "limit", "set", "video", "forget"} <= {one["command"] for one in menu}
    card: Json = await live_bot.answer(live_bot.world.say(OLGA, owners, "/settings"))
    await live_bot.forged_tap(OLGA, card, "set:language=ru")
    wanted = plain(say_in("ru", "command_allow"))
    await live_bot.until(lambda: wanted in [one["description"] for one in menu_of(live_bot, owners)])
    eve, hers = live_bot.newcomer("Eve")
    await say(live_bot, f"/allow {eve.id}")
    told = await live_bot.answer(live_bot.world.say(eve, hers, "/help"))
    assert says("help_admin") not in told["text"]
    assert "allow" not in {one["command"] for one in live_bot.world.commands.shown_in(hers)}


async def test_whoever_claims_the_bot_gets_the_menu_of_an_admin(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values()) as started:
        assert started.claim_link is not None
        ada, chat = live_bot.newcomer()
        await live_bot.answer(
            live_bot.world.say(ada, chat, f"/start {started.claim_link.partition('start=')[2]}")
        )
        await live_bot.until(lambda: "allow" in {one["command"] for one in menu_of(live_bot, chat)})


async def test_a_reader_of_traditional_chinese_has_that_menu_from_the_first_message_on(
    tmp_path: Path,
) -> None:
    """Telegram keeps one list for both kinds of Chinese."""
    async with bot_on_stage(tmp_path) as live_bot:
        for language, spoken in (("zh-hant", "zh-hant"), ("zh-hans", "zh"), ("de", "en")):
            reader, chat = live_bot.newcomer("Mei", language)
            await live_bot.answer(live_bot.world.say(reader, chat, "/start"))
            await all_handled(live_bot)
            menu = live_bot.world.commands.shown_in(chat)
            assert menu[0]["description"] == plain(say_in(spoken, "command_video"))


def menu_of(live_bot: BotHarness, chat: Chat) -> list[Json]:
    return live_bot.world.commands.shown_in(chat)
