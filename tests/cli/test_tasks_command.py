"""`python -m bot tasks`, as an operator types it, beside a running bot that goes on from what it finds."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from provider_server import Fault, failure
from running import BotHarness, BotProcess, bot_on_stage, buttons, running_bot, says, stage

from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """One job at a time."""
    async with bot_on_stage(tmp_path_factory.mktemp("bot"), volcengine_concurrency="1") as made:
        yield made


async def typed(live_bot: BotHarness, *words: str, code: int = 0) -> str:
    """What `python -m bot tasks …` prints."""
    return await printed(live_bot, "tasks", *words, code=code)


async def printed(live_bot: BotHarness, *words: str, code: int = 0) -> str:
    """What `python -m bot …` prints."""
    command = BotProcess(live_bot.folder, live_bot.values(), *words)
    await command.start()
    assert await command.end() == code, command.printed
    return command.printed


async def as_json(live_bot: BotHarness, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(await typed(live_bot, *words, "--json"))
    return answer


async def a_queue(live_bot: BotHarness, *words: str) -> tuple[Person, Chat, list[Json]]:
    """One that runs and others behind it, with their cards."""
    ada, chat = live_bot.newcomer()
    first, *others = words
    cards = [await live_bot.answer(live_bot.world.say(ada, chat, f"/video {first}"))]
    await live_bot.job(first)
    cards += [await live_bot.answer(live_bot.world.say(ada, chat, f"/video {one}")) for one in others]
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == len(words))
    return ada, chat, cards


async def test_a_list_tells_who_waits_and_a_story_all_that_is_known(live_bot: BotHarness) -> None:
    with live_bot.unfinished():
        _, chat, _ = await a_queue(live_bot, "a listed one", "a waiting one", "the last one")
        listed = await typed(live_bot, "list", "--open", "--chat", str(chat.id))
        lines = [line.split() for line in listed.splitlines() if "jimeng-pro" in line]
        first, _, last = (task["id"] for task in live_bot.tasks(chat))
        assert sorted(line[1] for line in lines) == ["queued", "queued", "running"]
        assert "1 before it" in listed
        assert "3 of 3" in listed
        assert "waiting one" not in listed, "words stand in the story alone"
        story = await typed(live_bot, "show", last[:12])
        for known in ("the last one", "jimeng-pro, at volcengine", f"Ada ({chat.id})", "1 before it"):
            assert known in story
        page = await as_json(live_bot, "list", "--chat", str(chat.id), "--limit", "2")
        assert (len(page["tasks"]), page["more"]) == (2, True)
        running = await as_json(live_bot, "show", first)
        assert [call["call"] for call in running["attempts"]][:1] == ["submit"]
    await live_bot.shown(chat, 3)


@pytest.mark.parametrize("option", ["--user", "--chat", "--limit"])
async def test_a_number_that_no_id_has_is_one_sentence(live_bot: BotHarness, option: str) -> None:
    for number in ("9" * 30, "-" + "9" * 300, "x"):
        printed_words = await typed(live_bot, "list", option, number, code=2)
        assert "Invalid value" in printed_words
        assert "Traceback" not in printed_words


async def test_a_cancel_is_noticed_by_the_running_bot_at_once(live_bot: BotHarness) -> None:
    with live_bot.unfinished():
        _, chat, cards = await a_queue(live_bot, "a paid one", "a free one")
        paid, free = live_bot.tasks(chat)
        assert "Cancelled." in await typed(live_bot, "cancel", free["id"])
        await live_bot.until(
            lambda: (live_bot.now(cards[1]) or {}).get("text") == f"a free one\n\n{says('cancelled')}", 15
        )
        assert "already paid" in await typed(live_bot, "cancel", paid["id"])
        await live_bot.until(
            lambda: says("card_stopped") in (live_bot.now(cards[0]) or {}).get("text", ""), 15
        )
        assert buttons(live_bot.now(cards[0]) or {}) == {}
    await live_bot.until(lambda: all(task["delivered_at"] for task in live_bot.tasks(chat)))
    assert live_bot.videos(chat) == []


async def test_one_is_put_first(live_bot: BotHarness) -> None:
    with live_bot.unfinished():
        _, chat, _ = await a_queue(live_bot, "order 1", "order 2", "order 3")
        last = live_bot.tasks(chat)[2]["id"]
        assert "It gets the next slot." in await typed(live_bot, "put-first", last)
    await live_bot.shown(chat, 3)
    made = sorted(live_bot.tasks(chat), key=lambda task: task["submitted_at"])
    assert [json.loads(task["request"])["prompt"] for task in made] == ["order 1", "order 3", "order 2"]


async def test_what_failed_is_asked_for_again_on_the_same_card_once_somebody_says_yes(
    live_bot: BotHarness,
) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("submit", failure(50412, "Text Risk Not Pass", 400))
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video once more"))
    await live_bot.until(lambda: [task for task in live_bot.tasks(chat) if task["delivered_at"]])
    failed = live_bot.tasks(chat)[0]["id"]
    assert "costs money" in await typed(live_bot, "retry", failed, code=1)
    assert len(live_bot.tasks(chat)) == 1
    again = await as_json(live_bot, "retry", failed, "--yes")
    assert (again["parent_id"], again["card_id"]) == (failed, card["message_id"])
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == card["message_id"]
    assert live_bot.jobs("once more") == 1


async def test_an_id_that_was_lost_is_attached_and_its_video_delivered(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.provider.next("submit", Fault.LOST)
    card = await live_bot.answer(live_bot.world.say(ada, chat, "/video a lost one"))
    await live_bot.until(lambda: [task for task in live_bot.tasks(chat) if task["delivered_at"]])
    lost = live_bot.tasks(chat)[0]["id"]
    (job,) = [job for job in live_bot.provider.jobs.values() if job.fields["prompt"] == "a lost one"]
    assert "polled now" in await typed(live_bot, "attach", lost, job.task_id)
    (video,) = await live_bot.shown(chat)
    assert video["message_id"] == card["message_id"]
    assert live_bot.jobs("a lost one") == 1


async def test_a_task_is_watched_until_its_end(live_bot: BotHarness) -> None:
    with live_bot.unfinished():
        _, chat, _ = await a_queue(live_bot, "watched closely")
        task_id = live_bot.tasks(chat)[0]["id"]
        command = BotProcess(live_bot.folder, live_bot.values(), "tasks", "watch", task_id, "--json")
        await command.start()
        assert json.loads(await command.prints(task_id))["state"] in ("submitting", "running")
    assert await command.end() == 0
    last = json.loads(command.printed.splitlines()[-1])
    assert (last["state"], last["delivered_at"] is not None) == ("succeeded", True)


async def test_without_a_running_bot_it_works_all_the_same(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        assert "no database" in await typed(live_bot, "list", code=2)
        async with running_bot(live_bot.values()):
            ada, chat = live_bot.newcomer()
            live_bot.world.say(ada, chat, "/video a quick one")
            await live_bot.shown(chat)
        listed = await as_json(live_bot, "list")
        assert [task["state"] for task in listed["tasks"]] == ["succeeded"]
        assert "No task has" in await typed(live_bot, "show", "zz", code=1)


async def test_a_month_is_printed_beside_the_running_bot(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, "/video a billed one")
    await live_bot.shown(chat)
    (task,) = live_bot.tasks(chat)
    rows = list(csv.DictReader((await printed(live_bot, "bill", task["submitted_at"][:7])).splitlines()))
    (row,) = [row for row in rows if row["task"] == task["id"]]
    assert (row["remote_id"], row["charged"]) == (task["remote_id"], "yes")
    assert "is not a month" in await printed(live_bot, "bill", "2026-13", code=2)


async def test_a_backup_is_made_beside_the_running_bot_and_never_over_another_file(
    live_bot: BotHarness, tmp_path: Path
) -> None:
    path = (await printed(live_bot, "backup")).strip()
    assert Path(path).parent == live_bot.folder / "backups"
    copy = tmp_path / "copy.db"
    assert (await printed(live_bot, "backup", str(copy))).strip() == str(copy)
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (tasks,) = database.execute("SELECT count(*) FROM tasks").fetchone()
    assert tasks == len(live_bot.rows("tasks"))
    assert "exists: name another file" in await printed(live_bot, "backup", str(copy), code=2)


async def test_an_admin_who_claimed_the_bot_is_removed_beside_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        values = live_bot.values()
        async with running_bot(values) as started:
            assert "There is no admin." in await printed(live_bot, "admins", "list")
            assert started.claim_link is not None
            eve, chat = live_bot.newcomer("Eve")
            await live_bot.answer(
                live_bot.world.say(eve, chat, f"/start {started.claim_link.partition('start=')[2]}")
            )
            assert f"{eve.id}  claimed the bot" in await printed(live_bot, "admins", "list")
            removed = await printed(live_bot, "admins", "remove", str(eve.id))
            assert "There is no admin now: restart the bot" in removed
            assert "is not an admin" in await printed(live_bot, "admins", "remove", str(eve.id), code=1)
            told = await live_bot.answer(live_bot.world.say(eve, chat, "/allow 77"))
            assert told["text"] == says("unknown_command")
        async with running_bot(values) as started:
            assert started.claim_link is not None
