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
async def there(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A closed bot with two admins, both of whom have opened it."""
    async with bot_on_stage(tmp_path, allowed_users="", admin_users="501,502") as made:
        for admin in (OLGA, PETE):
            made.world.add_person(admin)
            await made.answer(made.world.say(admin, made.world.private_chat(admin), "/start"))
        yield made
        assert made.world.complaints == []


def questions(there: BotHarness, admin: Person = OLGA) -> list[Json]:
    chat = there.world.private_chat(admin)
    return [one for one in there.world.bot_messages(chat) if "admit:" in str(buttons(one).values())]


async def asked(there: BotHarness, many: int = 1) -> Json:
    await there.until(lambda: len(questions(there)) == many)
    return questions(there)[-1]


async def test_admins_are_asked_once_and_who_is_allowed_is_told_and_may_ask(there: BotHarness) -> None:
    eve, chat = there.newcomer("Eve")
    there.world.say(eve, chat, "/start")
    question = await asked(there)
    assert "Eve" in question["text"]
    assert str(eve.id) in question["text"]
    there.world.say(eve, chat, "please")
    assert await there.tap(OLGA, question, ALLOW) == ""
    told = await there.until(lambda: there.world.bot_messages(chat)[1:])
    assert told[0]["text"] == says("welcome", command="/video")
    there.world.say(eve, chat, "/video a door")
    await there.shown(chat)
    after = there.now(question)
    assert after is not None
    assert after["text"] == says("decided_allowed", name=f"Eve ({eve.id})", undo=f"/ban {eve.id}")
    assert buttons(after) == {}
    assert len(questions(there, PETE)) == 1
    (change,) = there.rows("changes")
    assert (change["subject"], change["value"], change["changed_by"]) == (eve.id, "allowed", OLGA.id)


async def test_who_is_ignored_hears_nothing_more_and_nobody_is_asked_again(there: BotHarness) -> None:
    eve, chat = there.newcomer("Eve")
    there.world.say(eve, chat, "/start")
    question = await asked(there)
    await there.tap(OLGA, question, IGNORE)
    for words in ("/video a door", "hello?"):
        there.world.say(eve, chat, words)
    ada, hers = there.newcomer()
    there.world.say(ada, hers, "/start")
    await asked(there)
    assert len(there.world.bot_messages(chat)) == 1
    await there.until(lambda: len(questions(there, PETE)) == 2)
    assert there.tasks(chat) == []


async def test_the_first_admins_answer_counts_and_the_second_reads_it(there: BotHarness) -> None:
    eve, chat = there.newcomer("Eve")
    there.world.say(eve, chat, "/start")
    await there.until(lambda: questions(there, PETE) and questions(there))
    (first,), (second,) = questions(there), questions(there, PETE)
    await there.tap(OLGA, first, IGNORE)
    allow = next(label for label, data in buttons(second).items() if data.endswith(":yes"))
    await there.tap(PETE, second, allow)
    after = there.now(second)
    assert after is not None
    assert "Eve" in after["text"]
    assert buttons(after) == {}
    assert [row["value"] for row in there.rows("changes")] == ["ignored"]
    assert len(there.world.bot_messages(chat)) == 1


async def test_nobody_but_an_admin_decides_whatever_the_button_says(there: BotHarness) -> None:
    eve, chat = there.newcomer("Eve")
    told = await there.answer(there.world.say(eve, chat, "/start"))
    await asked(there)
    answer = await there.forged_tap(eve, told, f"admit:{eve.id}:yes")
    assert answer == says("tap_bot_admins_only")
    question = questions(there)[0]
    for forged in ("admit:", "admit:0:yes", "admit:1e9:yes", f"admit:{'9' * 40}:yes", "admit:77:maybe"):
        assert await there.forged_tap(OLGA, question, forged) == says("tap_gone")
    assert there.rows("changes") == []


async def test_a_group_is_asked_about_once_and_then_anybody_may_ask_there(there: BotHarness) -> None:
    (eve, hers), (boris, _) = there.newcomer("Eve"), there.newcomer("Boris")
    group = there.world.add_group("Cats & dogs", [eve, boris])
    there.world.say(eve, group, f"/video@{BOT} a cat")
    question = await asked(there)
    assert "Cats & dogs" in question["text"]
    assert str(group.id) in question["text"]
    await there.tap(OLGA, question, ALLOW)
    welcome = says("welcome_group", command=f"/video@{BOT}")
    await there.until(lambda: welcome in [one.get("text") for one in there.world.bot_messages(group)])
    there.world.say(boris, group, f"/video@{BOT} a dog")
    await there.shown(group)
    there.world.say(eve, hers, "/start")
    assert "Eve" in (await asked(there))["text"], "herself she is a stranger still"


async def test_a_group_that_the_bot_left_is_told_through_who_added_it(there: BotHarness) -> None:
    eve, hers = there.newcomer("Eve")
    await there.answer(there.world.say(eve, hers, "/start"))
    group = there.world.add_group("Far away", [eve], with_bot=False)
    there.world.add_bot(eve, group)
    question = await asked(there, 2)
    await there.until(lambda: there.server.calls_of("leaveChat"))
    await there.tap(OLGA, question, ALLOW)
    back = says("welcome_group_back", group="Far away")
    await there.until(lambda: back in [one.get("text") for one in there.world.bot_messages(hers)])
    there.world.add_bot(eve, group)
    there.world.say(eve, group, f"/video@{BOT} a tree")
    await there.shown(group)


async def test_an_ignored_group_gets_no_second_line(there: BotHarness) -> None:
    eve, _ = there.newcomer("Eve")
    group = there.world.add_group("Far away", [eve], with_bot=False)
    for times in (1, 2):
        there.world.add_bot(eve, group)
        await there.until(lambda: len(there.server.calls_of("leaveChat")) == times)  # noqa: B023
    assert len([one for one in there.world.bot_messages(group) if "text" in one]) == 1
    assert len(questions(there)) == 1


async def test_an_admin_who_has_not_opened_the_bot_is_asked_when_they_do(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, allowed_users="", admin_users="501") as there:
        there.world.add_person(OLGA)
        owners = there.world.private_chat(OLGA)
        eve, chat = there.newcomer("Eve")
        await there.answer(there.world.say(eve, chat, "/start"))
        there.world.say(OLGA, owners, "/start")
        question = await asked(there)
        await there.tap(OLGA, question, ALLOW)
        there.world.say(eve, chat, "/video a key")
        await there.shown(chat)


async def test_while_there_is_no_admin_no_questions_are_kept(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, allowed_users="") as there:
        eve, chat = there.newcomer("Eve")
        told = await there.answer(there.world.say(eve, chat, "/start"))
        assert told["text"] == says("stranger", user_id=eve.id)
        assert there.rows("notices") == []


async def test_who_cannot_be_told_is_let_in_all_the_same(there: BotHarness) -> None:
    eve, chat = there.newcomer("Eve")
    await there.answer(there.world.say(eve, chat, "/start"))
    question = await asked(there)
    await there.until(lambda: questions(there, PETE))
    there.server.faults.add(Fault("sendMessage", FaultKind.FORBIDDEN))
    await there.tap(OLGA, question, ALLOW)
    after = there.now(question)
    assert after is not None
    assert says("decided_unheard") in after["text"]
    there.world.say(eve, chat, "/video a door")
    await there.shown(chat)


async def test_a_thousand_strangers_do_not_bury_the_admins(there: BotHarness) -> None:
    for number in range(23):
        eve, chat = there.newcomer(f"Eve {number}")
        await there.answer(there.world.say(eve, chat, "/start"))
    texts = [one.get("text") for one in there.world.bot_messages(there.world.private_chat(OLGA))]
    assert len(questions(there)) == 20
    assert texts.count(says("strangers_many")) == 1


async def test_who_was_allowed_stays_so_after_a_restart_and_after_forgetting(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        values = there.values(allowed_users="", admin_users="501")
        owners: Chat
        async with running_bot(values):
            there.world.add_person(OLGA)
            owners = there.world.private_chat(OLGA)
            await there.answer(there.world.say(OLGA, owners, "/start"))
            eve, chat = there.newcomer("Eve")
            there.world.say(eve, chat, "/start")
            await there.tap(OLGA, await asked(there), ALLOW)
        async with running_bot(values):
            card = await there.answer(there.world.say(eve, chat, "/forget"))
            await there.tap(eve, card, says("button_forget"))
            there.world.say(eve, chat, "/video a door")
            await there.shown(chat)
