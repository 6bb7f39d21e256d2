"""Fetching: the finished video into the cache, or why there is none."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import KEPT, LINK, NOW, STILL, Clock, Script, ScriptedProvider, WorkerHarness, a_task, made
from films import noise
from media_samples import Clip, hollow_movie
from structlog.testing import capture_logs

from bot.errors import (
    CallUnclear,
    FetchError,
    MediaError,
    Unavailable,
)
from bot.media.provenance import Provenance
from bot.media.video_cache import VideoCache
from bot.provider import Failed, Succeeded
from bot.store.budget import EVERYTHING
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState
from bot.text import say
from bot.worker import journal, schedule

NEW_LINK = "https://videos.example/2"


OLD = NOW - timedelta(hours=1)
NO_FILE_YET = {
    "404": FetchError("link_expired", again=False),
    "nothing": FetchError("fetch_failed", again=True),
    "redirects": FetchError("fetch_failed", again=False),
    "a page, or half a file": MediaError("not_a_video"),
}


@pytest.mark.parametrize("answer", NO_FILE_YET.values(), ids=NO_FILE_YET)
async def test_a_young_link_is_asked_again_whatever_it_answers(
    harness: WorkerHarness, answer: Exception
) -> None:
    harness.provider.fetches = Script(*[answer] * 5, None)
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert (task.state, harness.chat.names()) == (TaskState.SUCCEEDED, ["deliver"])
    assert harness.provider.fetched == [LINK] * 6
    assert timedelta(seconds=30) < harness.clock() - NOW < timedelta(minutes=5)


@pytest.mark.parametrize("answer", NO_FILE_YET.values(), ids=NO_FILE_YET)
async def test_after_minutes_the_provider_is_asked_for_another_link(
    harness: WorkerHarness, answer: Exception
) -> None:
    async def fetch() -> None:
        if harness.provider.fetched[-1] == LINK:
            raise answer

    harness.provider.fetches = Script(fetch)
    harness.provider.polls = Script(Succeeded(NEW_LINK, 3600.0))
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert task.state is TaskState.SUCCEEDED
    assert harness.provider.fetched[-2:] == [LINK, NEW_LINK]
    assert harness.clock() - NOW >= timedelta(minutes=5)


async def test_what_stays_no_video_may_be_fetched_again_for_free_while_the_job_is_known(
    harness: WorkerHarness,
) -> None:
    harness.provider.fetches = Script(FetchError("link_expired", again=False))
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert (task.error_code, task.keep_until) == ("link_expired", KEPT)
    assert not task.may_be_fetched_again(KEPT)
    harness.provider.fetches = Script(None)
    harness.provider.polls = Script(Succeeded(NEW_LINK, 3600.0))
    await harness.store.tasks.save(task.refetch(harness.clock()))
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.SUCCEEDED, None)
    assert harness.provider.fetched[-1] == NEW_LINK
    assert harness.provider.requests == [], "nothing was ordered"


async def test_a_link_to_a_host_with_a_fake_address_waits_for_the_operator(harness: WorkerHarness) -> None:
    fake = FetchError("link_refused", again=True, fake_host="cdn.example")
    harness.provider.fetches = Script(*[fake] * 20, None)
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert task.state is TaskState.SUCCEEDED
    assert harness.clock() - NOW > timedelta(minutes=30)
    (notice,) = harness.notices
    assert "TRUSTED_PRIVATE_HOSTS=cdn.example" in say("en", notice.key, **notice.values)


async def test_a_fetch_keeps_its_lease_however_long_it_takes(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_HOLD_PAUSE_S", 0.01)
    others: list[Task] = []

    async def fetch() -> None:
        for _ in range(10):
            harness.clock.advance(schedule.LEASE_S / 2)
            for _ in range(20):
                await asyncio.sleep(0.01)
            others.extend(await harness.store.tasks.claim(harness.clock(), 1.0, 1, {}))

    harness.provider.fetches = Script(fetch)
    await harness.store.tasks.add(made())
    await harness.close_task()
    assert others == []
    assert len(harness.provider.fetched) == 1


async def test_a_link_that_died_early_is_asked_for_once_more(harness: WorkerHarness) -> None:
    harness.provider.fetches = Script(FetchError("link_expired", again=False), None)
    harness.provider.polls = Script(Succeeded(NEW_LINK, 3600.0))
    await harness.store.tasks.add(made(finished_at=OLD))
    await harness.turn()
    assert harness.provider.fetched == [LINK, NEW_LINK]
    assert harness.chat.names() == ["deliver"]
    calls = [(one.call, one.answer) for one in await harness.store.tasks.attempts("boat")]
    assert calls == [("fetch", "link_expired"), ("poll", "ok"), ("fetch", "ok")]


@pytest.mark.parametrize("answer", [Failed("not_found"), STILL])
async def test_a_link_that_died_and_cannot_be_had_again_is_the_end(
    harness: WorkerHarness, answer: object
) -> None:
    harness.provider.fetches = Script(FetchError("link_expired", again=False))
    harness.provider.polls = Script(answer)
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert (task.state, task.error_code, task.counts_toward_quota) == (TaskState.FAILED, "link_expired", True)
    assert harness.chat.names() == ["tell"]


async def test_a_link_is_asked_for_again_as_long_as_the_provider_knows_the_job(
    harness: WorkerHarness,
) -> None:
    harness.provider.fetches = Script(FetchError("link_expired", again=False))
    harness.provider.polls = Script(Unavailable("unreachable"))
    await harness.store.tasks.add(made())
    task = await harness.turn_until(lambda task: task.attempts == 3)
    assert task.state is TaskState.SUCCEEDED
    harness.clock.now = KEPT + timedelta(seconds=1)
    task = await harness.close_task()
    assert (task.state, task.error_code) == (TaskState.FAILED, "link_expired")


async def test_a_download_that_may_work_later_is_tried_until_the_job_is_forgotten(
    harness: WorkerHarness,
) -> None:
    harness.provider.fetches = Script(FetchError("fetch_failed", again=True))
    await harness.store.tasks.add(made(keep_until=NOW + timedelta(minutes=10)))
    task = await harness.turn_until(lambda task: task.state is TaskState.FAILED)
    assert task.error_code == "fetch_failed"
    assert harness.clock() > NOW + timedelta(minutes=10)
    assert len(harness.provider.fetched) > 5


@pytest.mark.parametrize("code", ["link_refused", "too_large"])
async def test_a_download_that_will_never_work_is_the_end(harness: WorkerHarness, code: str) -> None:
    harness.provider.fetches = Script(FetchError(code, again=False))
    await harness.store.tasks.add(made())
    assert (await harness.close_task()).error_code == code
    assert len(harness.provider.fetched) == 1


async def test_what_is_not_a_video_is_never_shown(store: SQLiteStore, clock: Clock, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<h1>Sorry</h1>")
    harness = WorkerHarness(store, ScriptedProvider(page), clock, tmp_path)
    await store.tasks.add(made())
    assert (await harness.close_task()).error_code == "not_a_video"
    assert harness.chat.names() == ["tell"]
    assert harness.on_shelf() == []


@pytest.mark.parametrize("code", ["media_crashed", "media_timeout"])
async def test_a_video_that_this_machine_could_not_read_is_tried_again(
    harness: WorkerHarness, code: str
) -> None:
    harness.provider.fetches = Script(MediaError(code), None)
    await harness.store.tasks.add(made())
    await harness.turn()
    assert ((await harness.get()).state, (await harness.get()).attempts) == (TaskState.SUCCEEDED, 1)
    await harness.close_task()
    assert harness.chat.names() == ["deliver"]


@pytest.mark.parametrize("code", ["media_crashed", "media_timeout"])
async def test_a_video_that_crashed_what_read_it_twice_is_given_up(harness: WorkerHarness, code: str) -> None:
    # What fails on the way to it does not count.
    faults = [
        FetchError("fetch_failed", again=True),
        MediaError(code),
        FetchError("fetch_failed", again=True),
    ]
    harness.provider.fetches = Script(*faults, MediaError(code))
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert (task.state, task.error_code, task.counts_toward_quota) == (TaskState.FAILED, "not_a_video", True)
    assert harness.chat.names() == ["tell"]
    assert len(harness.provider.fetched) == 4
    assert harness.clock() < KEPT


async def test_a_video_that_asks_for_gigabytes_is_given_up(
    store: SQLiteStore, clock: Clock, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(hollow_movie(samples=80_000_000, tracks=3))
    harness = WorkerHarness(store, ScriptedProvider(film), clock, tmp_path / "house")
    await store.tasks.add(made())
    task = await harness.close_task()
    assert (task.error_code, task.counts_toward_quota) == ("not_a_video", True)
    assert len(harness.provider.fetched) <= 2
    assert harness.on_shelf() == []


async def test_a_video_that_is_too_large_to_be_read_is_given_up_at_once(harness: WorkerHarness) -> None:
    harness.provider.fetches = Script(MediaError("video_too_large"))
    await harness.store.tasks.add(made())
    task = await harness.close_task()
    assert (task.error_code, task.counts_toward_quota) == ("not_a_video", True)
    assert len(harness.provider.fetched) == 1


@pytest.mark.parametrize("error", [MediaError("disk_full"), FetchError("disk_full", again=True)])
async def test_a_full_disk_is_waited_for_and_nothing_more_is_bought(
    harness: WorkerHarness, error: Exception
) -> None:
    harness.provider.fetches = Script(*[error] * 5, None)
    await harness.store.tasks.add(made())
    await harness.turn()
    await harness.store.tasks.add(a_task("next", due_at=harness.clock()))
    await harness.close_task()
    assert harness.chat.names() == ["deliver"]
    assert harness.provider.polls.count == 0, "the link is not what is wrong"
    assert ((await harness.get("next")).state, harness.provider.requests) == (TaskState.QUEUED, [])
    (pause,) = await harness.purchase_guard.pauses()
    assert pause.is_of_disk
    told = [(notice.key, notice.values["pause"]) for notice in harness.notices]
    assert told == [("brake_disk", pause.mark), ("brake_disk_over", pause.mark)]
    await harness.actions.resume(EVERYTHING, 501)
    assert (await harness.close_task("next")).state is TaskState.SUCCEEDED


async def test_a_disk_with_no_room_is_told_at_once(harness: WorkerHarness) -> None:
    def full() -> None:
        (harness.folder / "videos" / "boat.raw").symlink_to("/dev/full")

    harness.provider.fetches = Script(full, None)
    await harness.store.tasks.add(made())
    await harness.turn()
    assert [notice.key for notice in harness.notices] == ["brake_disk"]
    (attempt,) = await harness.store.tasks.attempts("boat")
    assert (attempt.answer, attempt.detail) == ("disk_full", "on our disk: No space left on device")
    assert (await harness.close_task()).state is TaskState.SUCCEEDED


async def test_a_video_for_which_there_is_no_room_until_it_is_forgotten_was_paid_for(
    harness: WorkerHarness,
) -> None:
    harness.provider.fetches = Script(FetchError("disk_full", again=True))
    await harness.store.tasks.add(made(keep_until=NOW + timedelta(minutes=10)))
    task = await harness.close_task()
    assert (task.error_code, task.counts_toward_quota) == ("fetch_failed", True)


async def test_fetches_that_fail_are_one_line_in_the_log_and_their_end_another(
    harness: WorkerHarness,
) -> None:
    harness.provider.fetches = Script(*[FetchError("fetch_failed", "no connection", again=True)] * 6, None)
    await harness.store.tasks.add(made())
    with capture_logs() as lines:
        await harness.close_task()
    about = [line["event"] for line in lines if line.get("provider") == "cloud"]
    assert about == ["fetches fail", "the provider answers again"]


async def test_a_download_that_takes_too_long_is_tried_again(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FETCH_LIMIT_S", 0.01)
    harness.provider.fetches = Script(asyncio.Event().wait)
    await harness.store.tasks.add(made())
    await harness.turn()
    assert ((await harness.get()).state, (await harness.get()).attempts) == (TaskState.SUCCEEDED, 1)


async def test_a_video_larger_than_telegram_takes_is_made_smaller_and_shown(
    store: SQLiteStore, clock: Clock, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(noise(1.0))
    largest = film.stat().st_size // 2
    harness = WorkerHarness(store, ScriptedProvider(film), clock, tmp_path / "house", max_bytes=largest)
    await store.tasks.add(made())
    task = await harness.close_task()
    assert (task.state, task.file_id) == (TaskState.SUCCEEDED, "file-1")
    (facts,) = harness.chat.videos
    assert facts.is_shrunk
    assert facts.bytes <= largest
    assert len(harness.provider.fetched) == 1


async def test_a_video_that_some_phones_do_not_play_is_encoded_in_a_step_of_its_own(
    store: SQLiteStore, clock: Clock, tmp_path: Path
) -> None:
    film = Clip(kind="webm", codec="libvpx", options=()).write(tmp_path / "film.webm")
    harness = WorkerHarness(store, ScriptedProvider(film), clock, tmp_path / "house")
    await store.tasks.add(made())
    await harness.turn()
    assert harness.chat.names() == []
    task = await harness.close_task()
    assert (task.state, len(harness.provider.fetched)) == (TaskState.SUCCEEDED, 1)
    (facts,) = harness.chat.videos
    assert (facts.video_codec, facts.pix_fmt, facts.has_audio) == ("h264", "yuv420p", True)
    assert not facts.is_shrunk


@pytest.mark.parametrize("code", ["media_crashed", "media_timeout", "too_large"])
async def test_a_video_that_cannot_be_encoded_is_sent_as_it_came(
    store: SQLiteStore, clock: Clock, tmp_path: Path, code: str
) -> None:
    class Unable(VideoCache):
        async def encode(self, task_id: str, max_bytes: int, provenance: Provenance, limit_s: float) -> None:
            raise MediaError(code)

    film = Clip(codec="libvpx-vp9", options=()).write(tmp_path / "film.mp4")
    cache = Unable(tmp_path / "house" / "videos")
    harness = WorkerHarness(store, ScriptedProvider(film), clock, tmp_path / "house", video_cache=cache)
    await store.tasks.add(made())
    task = await harness.close_task()
    assert (task.state, len(harness.provider.fetched)) == (TaskState.SUCCEEDED, 1)
    assert [facts.video_codec for facts in harness.chat.videos] == ["vp9"]


async def test_a_video_that_cannot_be_made_small_enough_is_not_uploaded(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    harness = WorkerHarness(store, provider, clock, tmp_path, max_bytes=1000)
    await store.tasks.add(made())
    task = await harness.close_task()
    assert (task.state, task.error_code, task.counts_toward_quota) == (TaskState.FAILED, "too_large", True)
    assert harness.chat.names() == ["tell"]
    assert harness.on_shelf() == ["boat.jpg", "boat.mp4"], "the operator can still have it"


async def test_a_paid_video_is_never_called_free_because_its_model_was_taken_away(
    store: SQLiteStore, provider: ScriptedProvider, clock: Clock, tmp_path: Path
) -> None:
    harness = WorkerHarness(store, provider, clock, tmp_path, models={})
    await store.tasks.add(made(keep_until=NOW + timedelta(seconds=1)))
    task = await harness.close_task()
    assert (task.error_code, task.counts_toward_quota) == ("fetch_failed", True)


async def test_a_delivery_that_has_to_be_repeated_fetches_only_once(harness: WorkerHarness) -> None:
    harness.chat.scripts["deliver"] = Script(CallUnclear("TimedOut"), "file-1")
    await harness.store.tasks.add(made())
    await harness.turn()
    assert harness.on_shelf() == ["boat.jpg", "boat.mp4"]
    await harness.close_task()
    assert len(harness.provider.fetched) == 1
    assert harness.chat.names() == ["deliver", "deliver"]


async def test_a_delivery_is_not_begun_with_too_little_lease_left(harness: WorkerHarness) -> None:
    await harness.store.tasks.add(made())
    (task,) = await harness.store.tasks.claim(NOW, schedule.LEASE_S, 1, {})
    harness.clock.advance(31)
    await harness.worker.step(task)
    assert (harness.chat.names(), harness.provider.fetched) == ([], [])
    await harness.close_task()
    assert harness.chat.names() == ["deliver"]


async def test_an_upload_is_not_begun_when_fetching_took_the_lease(harness: WorkerHarness) -> None:
    harness.provider.fetches = Script(
        lambda: harness.clock.advance(schedule.LEASE_S - schedule.UPLOAD_LIMIT_S)
    )
    await harness.store.tasks.add(made(card_id=None))
    await harness.turn()
    task = await harness.get()
    assert (harness.chat.names(), task.sending_at, task.attempts) == ([], None, 1)
