"""A household: tasks, a real store and the worker, in any order of answers, crashes, taps and waiting.

Whatever happens, nothing is paid twice, nothing is shown twice unasked, and every task comes to an end of
which its person was told.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
from fakes import A_MODEL, STILL, Clock, RecordingChat, ScriptedProvider, WorkerHarness, a_task
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.codes import FailureCode
from bot.errors import (
    AccountProblem,
    CallRefused,
    CallUnclear,
    CardGone,
    ChatBusy,
    ChatGone,
    ChatMoved,
    FetchError,
    IllegalMove,
    OutcomeUnknown,
    Rejected,
    StaleTask,
    Unavailable,
)
from bot.media.media_info import VideoInfo
from bot.media.provenance import Provenance
from bot.media.video_cache import Video, VideoCache
from bot.provider import Accepted, Failed, Photo, Status, Succeeded
from bot.request import VideoModel, VideoRequest
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState

T = TypeVar("T")
MODEL = replace(A_MODEL, provider="cloud")
NOT_TAKEN: Sequence[BaseException] = (
    *(Unavailable("unreachable"), Unavailable("busy", retry_after_s=30.0), Unavailable("no_slot")),
    *(Rejected("prompt_refused"), AccountProblem("account"), OutcomeUnknown("submit_unknown")),
)
POLLS: Sequence[object] = (
    *(STILL, STILL, Failed("video_refused"), Failed("not_found"), Unavailable("unreachable")),
    *(Unavailable("provider_fault"), AccountProblem("account"), OutcomeUnknown("submit_unknown")),
)
GROUP, MOVED = a_task().card.chat_id, ChatMoved(-1001)
CHATS: Sequence[BaseException] = (
    *(ChatBusy(40.0), ChatGone("blocked"), MOVED, CardGone("deleted")),
    *(CallRefused("bad request"), CallUnclear("TimedOut")),
)


class Died(BaseException):
    """The process ends here."""


UNCLEAR: Sequence[BaseException] = (CallUnclear("TimedOut"), Died())


class Company(ScriptedProvider):
    """Counts the jobs of each task. What is next answered is set from outside, for one call."""

    def __init__(self) -> None:
        super().__init__(Path("nothing"), models=(MODEL,))
        self.concurrency = 2
        self.jobs: Counter[str] = Counter()
        self.order: tuple[BaseException | None, bool] = (None, True)
        self.status: object = None
        self.download: BaseException | None = None
        self.stops: bool | BaseException = False
        self.stopped: Counter[str] = Counter()

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        (error, taken), self.order = self.order, (None, True)
        if taken:
            self.jobs[reference] += 1
        if error is not None:
            raise error
        return Accepted(f"job of {reference}")

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        status, self.status = self.status, None
        if isinstance(status, BaseException):
            raise status
        return Succeeded("https://videos.example/1", 3600.0) if status is None else status  # type: ignore[return-value]

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        stops, self.stops = self.stops, False
        if isinstance(stops, BaseException):
            raise stops
        self.stopped.update({remote_id.removeprefix("job of "): 1} if stops else {})
        return stops

    async def fetch(self, video_url: str, target: Path) -> None:
        error, self.download = self.download, None
        if error is not None:
            raise error
        target.write_bytes(b"a video")


class Wall(RecordingChat):
    """Where the messages hang: on a card stands one video at most, and a new message is one more."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: set[str] = set()
        self.messages: Counter[str] = Counter()
        self.gone: set[str] = set()
        self.moved = False
        self.trouble: deque[tuple[BaseException, bool]] = deque()  # and whether the call works all the same

    async def _call(self, name: str, task: Task) -> str:
        error, arrives = self.trouble.popleft() if self.trouble else (None, True)
        if task.card.chat_id == GROUP and isinstance(error, ChatMoved):
            self.moved = True
        if task.card.chat_id == GROUP and self.moved:
            error, arrives = MOVED, False  # from then on it refuses every call
        elif isinstance(error, ChatMoved):
            error, arrives = None, True
        elif isinstance(error, CallRefused) and name == "deliver" and task.id in self.cards - self.gone:
            error, arrives = (
                None,
                True,
            )  # it is there already: Telegram has nothing to change, and nothing to refuse
        if arrives:
            match name:
                case "deliver":
                    self.cards.add(task.id)
                case "send":
                    self.messages[task.id] += 1
        match error:
            case CardGone():
                self.gone.add(task.id)
            case ChatMoved():
                self.gone |= self.cards
        if error is not None:
            raise error
        return "file-1"

    def seen(self, task_id: str) -> int:
        """How many of a task's videos hang there by now."""
        return (task_id in self.cards - self.gone) + self.messages[task_id]


class ToyShelf(VideoCache):
    """Keeps whatever was fetched: no codec is needed to see who is shown what."""

    async def get(self, task_id: str) -> Video | None:
        video, thumbnail = self._paths(task_id)
        facts = VideoInfo(16, 16, 1.0, has_audio=True, video_codec="h264", pix_fmt="yuv420p", bytes=7)
        return Video(video, thumbnail, facts) if video.exists() else None

    async def put(self, task_id: str, fetch: Any, link: str, provenance: Provenance) -> Video:
        video, _ = self._paths(task_id)
        video.parent.mkdir(exist_ok=True)
        await fetch(link, video)
        made = await self.get(task_id)
        assert made is not None
        return made


class Household(RuleBasedStateMachine):
    _empty: Path | None = None
    """A database that needs no migration: each example begins with a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clock, self.company, self.wall = Clock(), Company(), Wall()
        self.resent: Counter[str] = Counter()
        self.asked = 0
        if Household._empty is None:
            Household._empty = self.folder / "empty.db"
            self.run(self.run(SQLiteStore.open(Household._empty, self.clock)).close())
        shutil.copy(Household._empty, self.folder / "bot.db")
        self.open()

    def run(self, work: Awaitable[T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(60):
                return await work

        return self.runner.run(bounded())

    def open(self) -> None:
        self.store = self.run(SQLiteStore.open(self.folder / "bot.db", self.clock))
        video_cache = ToyShelf(self.folder / "videos")
        self.harness = WorkerHarness(
            self.store, self.company, self.clock, self.folder, self.wall, video_cache=video_cache
        )

    def tasks(self) -> list[Task]:
        found = [self.run(self.store.tasks.get(f"task-{number}")) for number in range(self.asked)]
        return [task for task in found if task is not None]

    def turn(self) -> None:
        """At the next time at which anything is due; a crash in the middle is followed by a new process."""
        due_at = self.run(self.store.tasks.next_due(self.clock()))
        if due_at is not None:
            self.clock.now = max(self.clock.now, due_at)
        try:
            self.run(self.harness.turn())
        except Died:
            self.restart()

    @rule()
    def ask(self) -> None:
        if self.asked < 4:
            number, now = self.asked, self.clock()
            self.asked += 1
            task = a_task(f"task-{number}", update_id=number, created_at=now, queued_at=now, due_at=now)
            self.run(self.store.tasks.add(task))

    @rule(times=st.integers(1, 3))
    def all_goes_well(self, times: int) -> None:
        for _ in range(times):
            self.turn()

    @rule(error=st.sampled_from([*NOT_TAKEN, Died()]), taken=st.booleans())
    def an_order_goes_wrong(self, error: BaseException, taken: bool) -> None:
        may_be_taken = isinstance(error, OutcomeUnknown | Died)
        self.company.order = (error, taken and may_be_taken)
        self.turn()

    @rule(status=st.sampled_from([*POLLS, Died()]))
    def a_poll_tells(self, status: object) -> None:
        self.company.status = status
        self.turn()

    @rule(error=st.sampled_from([FetchError("fetch_failed", again=True), Died()]))
    def a_download_breaks(self, error: BaseException) -> None:
        self.company.download = error
        self.turn()

    @rule(
        first=st.sampled_from([*CHATS, Died()]), then=st.sampled_from([*UNCLEAR, None]), arrives=st.booleans()
    )
    def telegram_goes_wrong(self, first: BaseException, then: BaseException | None, arrives: bool) -> None:
        errors = [one for one in (first, then) if one is not None]
        self.wall.trouble.extend((one, arrives and isinstance(one, CallUnclear | Died)) for one in errors)
        for _ in range(6):
            if self.wall.trouble:
                self.turn()

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.open()

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(60 * minutes)

    @rule(which=st.integers(0, 3))
    def somebody_stops_waiting(self, which: int) -> None:
        self.change(which, lambda task: task.hide(self.clock()))

    @rule(
        which=st.integers(0, 3),
        stops=st.sampled_from([True, False, Unavailable("unreachable", ""), Died()]),
    )
    def somebody_cancels(self, which: int, stops: bool | BaseException) -> None:
        self.company.stops = stops
        if self.change(which, lambda task: task.hide(self.clock(), 20, "Ada")):
            self.turn()

    @rule(which=st.integers(0, 3))
    def somebody_asks_for_what_was_not_seen(self, which: int) -> None:
        if self.change(which, lambda task: task.resend(None, self.clock())):
            self.resent[f"task-{which}"] += 1

    def change(self, which: int, move: Any) -> bool:
        task = self.run(self.store.tasks.get(f"task-{which}"))
        if task is None:
            return False
        try:
            self.run(self.store.tasks.save(move(task)))
        except (IllegalMove, StaleTask):
            return False
        return True

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        assert all(count == 1 for count in self.company.jobs.values())

    @invariant()
    def nothing_is_shown_twice_unasked(self) -> None:
        for number in range(self.asked):
            task_id = f"task-{number}"
            assert self.wall.seen(task_id) <= 1 + self.resent[task_id]

    @invariant()
    def what_was_stopped_is_not_counted(self) -> None:
        for task in self.tasks():
            is_stopped = task.state is TaskState.CANCELLED and task.remote_id is not None
            assert not is_stopped or (self.company.stopped[task.id] and not task.counts_toward_quota)

    def teardown(self) -> None:
        try:
            self.company.order, self.company.status, self.company.download = (None, True), None, None
            self.wall.trouble.clear()
            for _ in range(200):
                if all(task.delivered_at is not None for task in self.tasks()):
                    break
                self.turn()
            for task in self.tasks():
                self.is_fair(task)
        finally:
            self.run(self.store.close())
            self.runner.close()
            if Household._empty is None or Household._empty.parent != self.folder:
                shutil.rmtree(self.folder)

    def is_fair(self, task: Task) -> None:
        """Its end, once it has one."""
        assert task.delivered_at is not None, f"it never ended: {task}"
        assert task.due_at is None
        if task.detached:
            return
        match task.state:
            case TaskState.SUCCEEDED:
                assert task.id in self.wall.cards or self.wall.messages[task.id]
                assert self.company.jobs[task.id] == 1
            case TaskState.FAILED:
                if self.company.jobs[task.id] and task.remote_id is None:
                    assert task.error_code == FailureCode.SUBMIT_UNKNOWN
            case _:
                raise AssertionError(f"no end: {task}")


Household.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=timedelta(minutes=2),
    derandomize=True,
    phases=[Phase.generate],  # to make an example smaller takes minutes: add Phase.shrink when one is needed
)
TestHousehold = Household.TestCase
