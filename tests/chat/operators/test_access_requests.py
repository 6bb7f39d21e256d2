"""A stranger comes: the admins are asked once, and what they answer counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import BOT, BotHarness, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Fault, FaultKind, Json, Person

OLGA = Person(501, "Olga", None, "en")
PETE = Person(502, "Pete", None, "ru")
ALLOW, IGNORE = says("button_allow"), says("button_ignore")


@pytest.fixture
async def live_bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A closed bot with two admins, both of whom have opened it."""
    async with bot_on_stage(tmp_path, allowed_users="", admin_users="501,502") as made:
        for admin in (OLGA, PETE):
            made.world.add_person(admin)
            await made.answer(made.world.say(admin, made.world.private_chat(admin), "/start"))
        yield made
        assert made.world.complaints == []


def questions(live_bot: BotHarness, admin: Person = OLGA) -> list[Json]:
    chat = live_bot.world.private_chat(admin)
    return [one for one in live_bot.world.bot_messages(chat) if "admit:" in str(buttons(one).values())]


async def asked(live_bot: BotHarness, many: int = 1) -> Json:
    await live_bot.until(lambda: len(questions(live_bot)) == many)
    return questions(live_bot)[-1]


async def test_admins_are_asked_once_and_who_is_allowed_is_told_and_may_ask(live_bot: BotHarness) -> None:
    eve, chat = live_bot.newcomer("Eve")
    live_bot.world.say(eve, chat, "/start")
    question = await asked(live_bot)
    assert "Eve" in question["text"]
    assert str(eve.id) in question["text"]
    live_bot.world.say(eve, chat, "please")
    assert await live_bot.tap(OLGA, question, ALLOW) == ""
    told = await live_bot.until(lambda: live_bot.world.bot_messages(chat)[1:])
    assert told[0]["text"] == says("welcome", command="/video")
    live_bot.world.say(eve, chat, "/video a door")
    await live_bot.shown(chat)
    after = live_bot.now(question)
    assert after is not None
    assert after["text"] == says("decided_allowed", name=f"Eve ({eve.id})", undo=f"/ban {eve.id}")
    assert buttons(after) == {}
    assert len(questions(live_bot, PETE)) == 1
    (entry,) = live_bot.rows("audit_log")
    assert (entry["target"], entry["value"], entry["done_by"]) == (str(eve.id), "allowed", OLGA.id)


async def test_who_is_ignored_hears_nothing_more_and_nobody_is_asked_again(live_bot: BotHarness) -> None:
    eve, chat = live_bot.newcomer("Eve")
    live_bot.world.say(eve, chat, "/start")
    question = await asked(live_bot)
    await live_bot.tap(OLGA, question, IGNORE)
    for words in ("/video a door", "hello?"):
        live_bot.world.say(eve, chat, words)
    ada, hers = live_bot.newcomer()
    live_bot.world.say(ada, hers, "/start")
    await asked(live_bot)
    assert len(live_bot.world.bot_messages(chat)) == 1
    await live_bot.until(lambda: len(questions(live_bot, PETE)) == 2)
    assert live_bot.tasks(chat) == []


async def test_the_first_admins_answer_counts_and_the_second_reads_it(live_bot: BotHarness) -> None:
    eve, chat = live_bot.newcomer("Eve")
    live_bot.world.say(eve, chat, "/start")
    await live_bot.until(lambda: questions(live_bot, PETE) and questions(live_bot))
    (first,), (second,) = questions(live_bot), questions(live_bot, PETE)
    await live_bot.tap(OLGA, first, IGNORE)
    allow = next(label for label, data in buttons(second).items() if data.endswith(":yes"))
    await live_bot.tap(PETE, second, allow)
    after = live_bot.now(second)
    assert after is not None
    assert "Eve" in after["text"]
    assert buttons(after) == {}
    assert [row["value"] for row in live_bot.rows("audit_log")] == ["ignored"]
    assert len(live_bot.world.bot_messages(chat)) == 1


async def test_nobody_but_an_admin_decides_whatever_the_button_says(live_bot: BotHarness) -> None:
    eve, chat = live_bot.newcomer("Eve")
    told = await live_bot.answer(live_bot.world.say(eve, chat, "/start"))
    await asked(live_bot)
    answer = await live_bot.forged_tap(eve, told, f"admit:{eve.id}:yes")
    assert answer == says("press_bot_admins_only")
    question = questions(live_bot)[0]
    for forged in ("admit:", "admit:0:yes", "admit:1e9:yes", f"admit:{'9' * 40}:yes", "admit:77:maybe"):
        assert await live_bot.forged_tap(OLGA, question, forged) == says("press_gone")
    assert live_bot.rows("audit_log") == []


async def test_a_group_is_asked_about_once_and_then_anybody_may_ask_there(live_bot: BotHarness) -> None:
    (eve, hers), (boris, _) = live_bot.newcomer("Eve"), live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Cats & dogs", [eve, boris])
    live_bot.world.say(eve, group, f"/video@{BOT} a cat")
    question = await asked(live_bot)
    assert "Cats & dogs" in question["text"]
    assert str(group.id) in question["text"]
    await live_bot.tap(OLGA, question, ALLOW)
    welcome = says("welcome_group", command=f"/video@{BOT}")
    await live_bot.until(lambda: welcome in [one.get("text") for one in live_bot.world.bot_messages(group)])
    live_bot.world.say(boris, group, f"/video@{BOT} a dog")
    await live_bot.shown(group)
    live_bot.world.say(eve, hers, "/start")
    assert "Eve" in (await asked(live_bot))["text"], "herself she is a stranger still"


async def test_a_group_that_the_bot_left_is_told_through_who_added_it(live_bot: BotHarness) -> None:
    eve, hers = live_bot.newcomer("Eve")
    await live_bot.answer(live_bot.world.say(eve, hers, "/start"))
    group = live_bot.world.add_group("Far away", [eve], with_bot=False)
    live_bot.world.add_bot(eve, group)
    question = await asked(live_bot, 2)
    await live_bot.until(lambda: live_bot.server.calls_of("leaveChat"))
    await live_bot.tap(OLGA, question, ALLOW)
    back = says("welcome_group_back", group="Far away")
    await live_bot.until(lambda: back in [one.get("text") for one in live_bot.world.bot_messages(hers)])
    live_bot.world.add_bot(eve, group)
    live_bot.world.say(eve, group, f"/video@{BOT} a tree")
    await live_bot.shown(group)


async def test_an_ignored_group_gets_no_second_line(live_bot: BotHarness) -> None:
    eve, _ = live_bot.newcomer("Eve")
    group = live_bot.world.add_group("Far away", [eve], with_bot=False)
    for times in (1, 2):
        live_bot.world.add_bot(eve, group)
        await live_bot.until(lambda: len(live_bot.server.calls_of("leaveChat")) == times)  # noqa: B023
    assert len([one for one in live_bot.world.bot_messages(group) if "text" in one]) == 1
    assert len(questions(live_bot)) == 1


async def test_an_admin_who_has_not_opened_the_bot_is_asked_when_they_do(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, allowed_users="", admin_users="501") as live_bot:
        live_bot.world.add_person(OLGA)
        owners = live_bot.world.private_chat(OLGA)
        eve, chat = live_bot.newcomer("Eve")
        await live_bot.answer(live_bot.world.say(eve, chat, "/start"))
        live_bot.world.say(OLGA, owners, "/start")
        question = await asked(live_bot)
        await live_bot.tap(OLGA, question, ALLOW)
        live_bot.world.say(eve, chat, "/video a key")
        await live_bot.shown(chat)


async def test_who_wrote_before_there_was_an_admin_is_asked_about_after_the_claim(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot, running_bot(live_bot.values(allowed_users="")) as started:
        live_bot.world.add_person(OLGA)
        owners = live_bot.world.private_chat(OLGA)
        eve, chat = live_bot.newcomer("Eve")
        told = await live_bot.answer(live_bot.world.say(eve, chat, "/start"))
        assert told["text"] == says("stranger", user_id=eve.id)
        await live_bot.answer(live_bot.world.say(OLGA, owners, "/start"))
        assert started.claim_link is not None
        live_bot.world.say(OLGA, owners, f"/start {started.claim_link.partition('start=')[2]}")
        question = await asked(live_bot)
        assert "Eve" in question["text"], "nobody is asked about herself"
        await live_bot.tap(OLGA, question, ALLOW)
        live_bot.world.say(eve, chat, "/video a key")
        await live_bot.shown(chat)
        assert questions(live_bot) == []


async def test_who_cannot_be_told_is_let_in_all_the_same(live_bot: BotHarness) -> None:
    eve, chat = live_bot.newcomer("Eve")
    await live_bot.answer(live_bot.world.say(eve, chat, "/start"))
    question = await asked(live_bot)
    await live_bot.until(lambda: questions(live_bot, PETE))
    live_bot.server.faults.add(Fault("sendMessage", FaultKind.FORBIDDEN))
    await live_bot.tap(OLGA, question, ALLOW)
    after = live_bot.now(question)
    assert after is not None
    assert says("decided_unheard") in after["text"]
    live_bot.world.say(eve, chat, "/video a door")
    await live_bot.shown(chat)


async def test_a_thousand_strangers_do_not_bury_the_admins(live_bot: BotHarness) -> None:
    for number in range(23):
        eve, chat = live_bot.newcomer(f"Eve {number}")
        await live_bot.answer(live_bot.world.say(eve, chat, "/start"))
    texts = [one.get("text") for one in live_bot.world.bot_messages(live_bot.world.private_chat(OLGA))]
    assert len(questions(live_bot)) == 20
    assert texts.count(says("strangers_many")) == 1


async def test_who_was_allowed_stays_so_after_a_restart_and_after_forgetting(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        values = live_bot.values(allowed_users="", admin_users="501")
        owners: Chat
        async with running_bot(values):
            live_bot.world.add_person(OLGA)
            owners = live_bot.world.private_chat(OLGA)
            await live_bot.answer(live_bot.world.say(OLGA, owners, "/start"))
            eve, chat = live_bot.newcomer("Eve")
            live_bot.world.say(eve, chat, "/start")
            await live_bot.tap(OLGA, await asked(live_bot), ALLOW)
        async with running_bot(values):
            card = await live_bot.answer(live_bot.world.say(eve, chat, "/forget"))
            await live_bot.tap(eve, card, says("button_forget"))
            live_bot.world.say(eve, chat, "/video a door")
            await live_bot.shown(chat)
