"""The outcome onto the card, once: the video, or the reason why there is none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fakes import LINK, NOW, Script, WorkerHarness, a_task, changed_task, made

from bot.errors import (
    CallRefused,
    CallUnclear,
    CardGone,
    ChatBusy,
    ChatError,
    ChatForbids,
    ChatGone,
    ChatMoved,
)
from bot.media.videos import probe_video
from bot.task import Task, TaskState
from bot.worker import schedule


async def test_the_video_is_fetched_put_on_the_card_and_closed(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert (task.delivered_at, task.file_id, task.due_at) == (NOW, "file-1", None)
    assert harness.chat.names() == ["deliver"]
    assert harness.provider.fetched == [LINK]
    assert harness.on_shelf() == []


async def test_what_the_chat_gets_has_a_sound_track(harness: WorkerHarness) -> None:
    kinds = []

    async def look(task: Task, video: Any) -> str:
        kinds.append((probe_video(video.path).has_audio, video.thumbnail.read_bytes()[:2]))
        return "file-1"

    harness.chat.deliver = look  # type: ignore[method-assign]  # it opens what it is given
    await harness.store.tasks.add(made())
    await harness.close_task()
    assert kinds == [(True, b"\xff\xd8")]


async def test_a_hidden_video_is_fetched_kept_and_not_shown(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(made(detached=True))
    task = await harness.close_task()
    assert (task.file_id, harness.chat.names()) == (None, ["tell"])
    assert harness.on_shelf() == ["boat.jpg", "boat.mp4"]


async def test_the_card_of_a_hidden_video_says_so_at_the_latest_when_the_video_is_there(
    harness: WorkerHarness,
) -> None:
    harness.chat.scripts["tell"] = Script(CallUnclear("no answer"), None)
    await harness.store.tasks.add(made(detached=True))
    task = await harness.close_task()
    assert (task.delivered_at is not None, harness.chat.names()) == (True, ["tell", "tell"])


@pytest.mark.parametrize("error", [CardGone("gone"), ChatForbids("no rights"), CallRefused("no")])
async def test_a_hidden_video_goes_nowhere_else_if_its_card_cannot_be_changed(
    harness: WorkerHarness, error: ChatError
) -> None:
    harness.chat.scripts["tell"] = Script(error)
    await harness.store.tasks.add(made(detached=True))
    task = await harness.close_task()
    assert (task.card.chat_id, harness.chat.names()) == (10, ["tell"])


async def test_a_deleted_card_is_answered_with_a_new_message_its_intent_saved_first(
    harness: WorkerHarness,
) -> None:
    harness.chat.scripts["deliver"] = Script(CardGone("message to edit not found"))
    seen: list[Task] = []

    async def send() -> str:
        seen.append(await harness.get())
        return "file-2"

    harness.chat.scripts["send"] = Script(send)
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert harness.chat.names() == ["deliver", "send"]
    assert seen[0].sending_at is not None
    assert (task.card.card_id, task.file_id) == (None, "file-2")


async def test_a_send_of_unknown_end_is_offered_and_never_repeated_unasked(harness: WorkerHarness) -> None:
    harness.chat.scripts["send"] = Script(CallUnclear("TimedOut"), "file-2")
    await harness.store.tasks.add(made(card_id=None))
    task = await harness.close_task()
    assert harness.chat.names() == ["send", "offer"]
    assert task.detached
    await harness.store.tasks.save(task.resend(None, harness.clock()))
    task = await harness.close_task()
    assert harness.chat.names() == ["send", "offer", "send"]
    assert (task.file_id, task.detached) == ("file-2", False)


async def test_an_upload_that_never_ends_counts_as_unclear(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "UPLOAD_LIMIT_S", 0.01)
    harness.chat.scripts["send"] = Script(asyncio.Event().wait)
    await harness.store.tasks.add(made(card_id=None))
    await harness.close_task()
    assert harness.chat.names() == ["send", "offer"]


async def test_an_offer_that_cannot_be_made_yet_is_made_later(harness: WorkerHarness) -> None:
    harness.chat.scripts["offer"] = Script(CallUnclear("?"), ChatBusy(30.0), "ok")
    await harness.store.tasks.add(made(card_id=None, sending_at=NOW))
    await harness.close_task()
    assert harness.chat.names() == ["offer", "offer", "offer"]


@pytest.mark.parametrize("name", ["deliver", "send", "tell"])
async def test_a_busy_chat_is_left_alone_for_as_long_as_it_says(harness: WorkerHarness, name: str) -> None:
    harness.chat.scripts[name] = Script(ChatBusy(400.0), "file-1")
    await harness.store.tasks.add(waiting_for(name))
    await harness.turn()
    task = await harness.get()
    assert (task.due_at, task.sending_at) == (NOW + timedelta(seconds=400), None)
    await harness.close_task()
    assert harness.chat.names() == [name, name]


@pytest.mark.parametrize("name", ["deliver", "send", "tell"])
async def test_a_chat_that_is_gone_is_closed_and_its_video_kept(harness: WorkerHarness, name: str) -> None:
    harness.chat.scripts[name] = Script(ChatGone("bot was blocked"))
    await harness.store.tasks.add(waiting_for(name))
    task = await harness.close_task()
    assert harness.chat.names() == [name]
    assert task.detached
    assert bool(harness.on_shelf()) is (name != "tell")


@pytest.mark.parametrize("name", ["deliver", "send", "tell"])
async def test_a_group_that_moved_is_told_at_its_new_address(harness: WorkerHarness, name: str) -> None:
    harness.chat.scripts[name] = Script(ChatMoved(-1009), "file-1")
    await harness.store.tasks.add(waiting_for(name))
    task = await harness.close_task()
    assert (task.card.chat_id, task.card.card_id, task.card.thread_id) == (-1009, None, None)
    assert harness.chat.names() == [name, {"deliver": "send"}.get(name, name)]
    assert task.detached is False


async def test_a_card_that_telegram_lets_nobody_change_is_left_for_a_new_message(
    harness: WorkerHarness,
) -> None:
    harness.chat.scripts["deliver"] = Script(CallRefused("wrong file"))
    await harness.store.tasks.add(waiting_for("deliver"))
    task = await harness.close_task()
    assert (task.state, task.file_id is None) == (TaskState.SUCCEEDED, False)
    assert harness.chat.names() == ["deliver", "send"]


async def test_a_video_that_telegram_refuses_is_told_as_not_delivered(harness: WorkerHarness) -> None:
    harness.chat.scripts["send"] = Script(CallRefused("wrong file"))
    await harness.store.tasks.add(waiting_for("send"))
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.FAILED, "not_delivered")
    assert harness.chat.names() == ["send", "tell"]


async def test_a_reason_that_cannot_be_told_does_not_come_again(harness: WorkerHarness) -> None:
    harness.chat.scripts["tell"] = Script(CallRefused("can't parse entities"))
    await harness.store.tasks.add(waiting_for("tell"))
    await harness.close_task()
    assert harness.chat.names() == ["tell"]


@pytest.mark.parametrize("name", ["send", "tell"])
async def test_what_finds_no_topic_any_more_comes_in_private(harness: WorkerHarness, name: str) -> None:
    harness.chat.scripts[name] = Script(CardGone("message thread not found"), "file-1")
    await harness.store.tasks.add(changed_task(waiting_for(name), chat_id=-5, thread_id=3, user_id=20))
    task = await harness.close_task()
    assert harness.chat.names() == [name, "redirect", name]
    assert (task.card.chat_id, task.card.thread_id) == (20, None)


@pytest.mark.parametrize("error", [ChatGone("blocked"), CallRefused("?"), CardGone("closed as well")])
async def test_what_cannot_come_in_private_either_is_kept(harness: WorkerHarness, error: ChatError) -> None:
    harness.chat.scripts["send"] = Script(CardGone("message thread not found"))
    harness.chat.scripts["redirect"] = Script(error)
    await harness.store.tasks.add(made(card_id=None))
    task = await harness.close_task()
    assert (harness.chat.names(), task.detached, task.card.chat_id) == (["send", "redirect"], True, 10)
    assert harness.on_shelf() != []


async def test_a_private_chat_that_does_not_answer_at_once_is_asked_again(harness: WorkerHarness) -> None:
    harness.chat.scripts["send"] = Script(CardGone("message thread not found"))
    harness.chat.scripts["redirect"] = Script(CallUnclear("NetworkError"), "ok")
    await harness.store.tasks.add(made(card_id=None))
    await harness.turn()
    assert (await harness.get()).delivered_at is None


async def test_who_finds_a_group_moved_takes_the_rest_of_it_along(harness: WorkerHarness) -> None:
    harness.chat.scripts["deliver"] = Script(ChatMoved(-1009), "file-1")
    await harness.store.tasks.add(changed_task(waiting_for("deliver"), chat_id=-5))
    other = await harness.store.tasks.add(a_task("other", chat_id=-5, state=TaskState.DRAFT, due_at=None))
    await harness.turn()
    moved = await harness.store.tasks.get(other.id)
    assert moved is not None
    assert moved.card.chat_id == -1009


@pytest.mark.parametrize("error", [CallUnclear("NetworkError"), ChatBusy(90.0)])
@pytest.mark.parametrize("name", ["deliver", "tell"])
async def test_a_chat_that_never_answers_is_given_up_after_two_days(
    harness: WorkerHarness, name: str, error: ChatError
) -> None:
    harness.chat.scripts[name] = Script(error)
    task = replace(waiting_for(name), failing_since=NOW - timedelta(hours=47, minutes=59), attempts=50)
    await harness.store.tasks.add(task)
    await harness.turn()
    assert (await harness.get()).delivered_at is None
    task = await harness.close_task()
    assert (harness.chat.names(), task.detached) == ([name, name], True)


@pytest.mark.parametrize(
    ("code", "remote_id", "told"),
    [("video_refused", "job-1", []), ("submit_unknown", None, []), ("prompt_refused", None, ["tell"])],
)
async def test_who_stopped_waiting_hears_only_that_nothing_was_charged(
    harness: WorkerHarness, code: str, remote_id: str | None, told: list[str]
) -> None:
    await harness.store.tasks.add(
        a_task(state=TaskState.FAILED, error_code=code, remote_id=remote_id, detached=True)
    )
    await harness.close_task()
    assert harness.chat.names() == told


def waiting_for(name: str) -> Task:
    match name:
        case "deliver":
            return made()
        case "send":
            return made(card_id=None)
        case _:
            return a_task(state=TaskState.FAILED, error_code="prompt_refused", thread_id=3)


async def test_eight_videos_go_up_at_once_and_the_ninth_waits(harness: WorkerHarness) -> None:
    chat = harness.chat
    free = asyncio.Event()
    full = asyncio.Event()

    async def upload() -> str:
        if len(chat.calls) == 8:
            full.set()
        await free.wait()
        return "file-1"

    chat.scripts["deliver"] = Script(upload)
    for number in range(9):
        await harness.store.tasks.add(made(f"task-{number}", card_id=number + 1))
    claimed = await harness.store.tasks.claim(NOW, schedule.LEASE_S, 9, {})
    steps = [asyncio.create_task(harness.worker.step(task)) for task in claimed]
    await asyncio.wait_for(full.wait(), 20)
    assert len(chat.calls) == 8
    free.set()
    await asyncio.gather(*steps)
    assert len(chat.calls) == 9


async def test_who_waits_too_long_for_a_turn_comes_again_and_leaves_room_for_others(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = asyncio.Event()
    harness.chat.scripts["deliver"] = Script(free.wait)
    for number in range(9):
        await harness.store.tasks.add(made(f"task-{number}", card_id=number + 1))
    claimed = await harness.store.tasks.claim(NOW, schedule.LEASE_S, 9, {})
    uploads = [asyncio.create_task(harness.worker.step(task)) for task in claimed[:8]]
    await asyncio.sleep(0)
    monkeypatch.setattr(schedule, "UPLOAD_SLOT_LIMIT_S", 0.01)
    await harness.worker.step(claimed[8])
    task = await harness.get("task-8")
    assert (task.state, task.attempts, task.delivered_at) == (TaskState.SUCCEEDED, 1, None)
    free.set()
    await asyncio.gather(*uploads)
    await harness.close_task("task-8")
    assert harness.chat.names() == ["deliver"] * 9


async def test_the_video_of_a_shot_is_kept_for_its_film_and_not_shown(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(made(film_id="film", card_id=None))
    task = await harness.close_task()
    assert (task.state, task.delivered_at, task.file_id) == (TaskState.SUCCEEDED, NOW, None)
    assert (harness.chat.names(), [one.id for one in harness.chat.shown]) == ([], [task.id]), (
        "the card of its film is told"
    )
    assert await harness.video_cache.get(task.id) is not None
    again = await harness.store.tasks.save(task.resend(None, NOW))
    assert again.film_id is None, "asked for by itself it is delivered like any video"


async def test_a_refused_shot_is_closed_without_a_message(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(a_task(film_id="film", card_id=None).failed("prompt_refused", "", NOW))
    task = await harness.close_task()
    assert (task.state, task.delivered_at) == (TaskState.FAILED, NOW)
    assert (harness.chat.names(), [one.id for one in harness.chat.shown]) == ([], [task.id])
