"""`python -m bot tasks`, as an operator types it, beside a running bot that goes on from what it finds."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
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


async def typed(there: BotHarness, *words: str, code: int = 0) -> str:
    """What `python -m bot tasks …` prints."""
    return await printed(there, "tasks", *words, code=code)


async def printed(there: BotHarness, *words: str, code: int = 0) -> str:
    """What `python -m bot …` prints."""
    command = BotProcess(there.folder, there.values(), *words)
    await command.start()
    assert await command.end() == code, command.printed
    return command.printed


async def as_json(there: BotHarness, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(await typed(there, *words, "--json"))
    return answer


async def a_queue(there: BotHarness, *words: str) -> tuple[Person, Chat, list[Json]]:
    """One that runs and others behind it, with their cards."""
    ada, chat = there.newcomer()
    first, *others = words
    cards = [await there.answer(there.world.say(ada, chat, f"/video {first}"))]
    await there.job(first)
    cards += [await there.answer(there.world.say(ada, chat, f"/video {one}")) for one in others]
    await there.until(lambda: len(there.tasks(chat)) == len(words))
    return ada, chat, cards


async def test_a_list_tells_who_waits_and_a_story_all_that_is_known(there: BotHarness) -> None:
    with there.unfinished():
        _, chat, _ = await a_queue(there, "a listed one", "a waiting one", "the last one")
        listed = await typed(there, "list", "--open", "--chat", str(chat.id))
        lines = [line.split() for line in listed.splitlines() if "jimeng-pro" in line]
        first, _, last = (task["id"] for task in there.tasks(chat))
        assert sorted(line[1] for line in lines) == ["queued", "queued", "running"]
        assert "1 before it" in listed
        assert "3 of 3" in listed
        assert "waiting one" not in listed, "words stand in the story alone"
        story = await typed(there, "show", last[:12])
        for known in ("the last one", "jimeng-pro, at volcengine", f"Ada ({chat.id})", "1 before it"):
            assert known in story
        page = await as_json(there, "list", "--chat", str(chat.id), "--limit", "2")
        assert (len(page["tasks"]), page["more"]) == (2, True)
        running = await as_json(there, "show", first)
        assert [call["call"] for call in running["attempts"]][:1] == ["submit"]
    await there.shown(chat, 3)


async def test_a_cancel_is_noticed_by_the_running_bot_at_once(there: BotHarness) -> None:
    with there.unfinished():
        _, chat, cards = await a_queue(there, "a paid one", "a free one")
        paid, free = there.tasks(chat)
        assert "It is cancelled." in await typed(there, "cancel", free["id"])
        await there.until(lambda: (there.now(cards[1]) or {}).get("text") == says("cancelled"), 15)
        assert "it is paid for" in await typed(there, "cancel", paid["id"])
        await there.until(lambda: says("card_stopped") in (there.now(cards[0]) or {}).get("text", ""), 15)
        assert buttons(there.now(cards[0]) or {}) == {}
    await there.until(lambda: all(task["delivered_at"] for task in there.tasks(chat)))
    assert there.videos(chat) == []


async def test_one_is_put_first(there: BotHarness) -> None:
    with there.unfinished():
        _, chat, _ = await a_queue(there, "order 1", "order 2", "order 3")
        last = there.tasks(chat)[2]["id"]
        assert "It comes next." in await typed(there, "put-first", last)
    await there.shown(chat, 3)
    made = sorted(there.tasks(chat), key=lambda task: task["submitted_at"])
    assert [json.loads(task["request"])["prompt"] for task in made] == ["order 1", "order 3", "order 2"]


async def test_what_failed_is_asked_for_again_on_the_same_card_once_somebody_says_yes(
    there: BotHarness,
) -> None:
    ada, chat = there.newcomer()
    there.provider.next("submit", failure(50412, "Text Risk Not Pass", 400))
    card = await there.answer(there.world.say(ada, chat, "/video once more"))
    await there.until(lambda: [task for task in there.tasks(chat) if task["delivered_at"]])
    failed = there.tasks(chat)[0]["id"]
    assert "costs money" in await typed(there, "retry", failed, code=1)
    assert len(there.tasks(chat)) == 1
    again = await as_json(there, "retry", failed, "--yes")
    assert (again["parent_id"], again["card_id"]) == (failed, card["message_id"])
    (video,) = await there.shown(chat)
    assert video["message_id"] == card["message_id"]
    assert there.jobs("once more") == 1


async def test_an_id_that_was_lost_is_attached_and_its_video_delivered(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.provider.next("submit", Fault.LOST)
    card = await there.answer(there.world.say(ada, chat, "/video a lost one"))
    await there.until(lambda: [task for task in there.tasks(chat) if task["delivered_at"]])
    lost = there.tasks(chat)[0]["id"]
    (job,) = [job for job in there.provider.jobs.values() if job.fields["prompt"] == "a lost one"]
    assert "looked at now" in await typed(there, "attach", lost, job.task_id)
    (video,) = await there.shown(chat)
    assert video["message_id"] == card["message_id"]
    assert there.jobs("a lost one") == 1


async def test_a_task_is_watched_until_its_end(there: BotHarness) -> None:
    with there.unfinished():
        _, chat, _ = await a_queue(there, "watched closely")
        task_id = there.tasks(chat)[0]["id"]
        command = BotProcess(there.folder, there.values(), "tasks", "watch", task_id, "--json")
        await command.start()
        assert json.loads(await command.prints(task_id))["state"] in ("submitting", "running")
    assert await command.end() == 0
    last = json.loads(command.printed.splitlines()[-1])
    assert (last["state"], last["delivered_at"] is not None) == ("succeeded", True)


async def test_without_a_running_bot_it_works_all_the_same(tmp_path: Path) -> None:
    async with stage(tmp_path) as there:
        assert "no database" in await typed(there, "list", code=2)
        async with running_bot(there.values()):
            ada, chat = there.newcomer()
            there.world.say(ada, chat, "/video a quick one")
            await there.shown(chat)
        listed = await as_json(there, "list")
        assert [task["state"] for task in listed["tasks"]] == ["succeeded"]
        assert "No task has" in await typed(there, "show", "zz", code=1)


async def test_a_month_is_printed_beside_the_running_bot(there: BotHarness) -> None:
    ada, chat = there.newcomer()
    there.world.say(ada, chat, "/video a billed one")
    await there.shown(chat)
    (task,) = there.tasks(chat)
    rows = list(csv.DictReader((await printed(there, "bill", task["submitted_at"][:7])).splitlines()))
    (row,) = [row for row in rows if row["task"] == task["id"]]
    assert (row["remote_id"], row["charged"]) == (task["remote_id"], "yes")
    assert "is no month" in await printed(there, "bill", "2026-13", code=2)
