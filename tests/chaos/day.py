"""A day of simulated time in seconds: disk, clock, network, database and provider fail one after the other.

Real are the SQLite file with its backup and its refusals, the worker's steps, the video cache, the guard,
the health of providers and the alerts. The clock is an argument everywhere, so the day needs no sleep. What
ends a process is an error that nothing catches; the next one opens the same file.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from fakes import NOW, Clock, RecordingChat, ScriptedProvider, WorkerHarness, a_task

from bot.errors import (
    AccountProblem,
    CallUnclear,
    ChatBusy,
    FetchError,
    OutcomeUnknown,
    StoreError,
    Unavailable,
)
from bot.maintenance.alert_monitor import AlertMonitor
from bot.maintenance.alerts import Alerts
from bot.maintenance.backup import Backup, BackupFolder
from bot.maintenance.cleanup import Cleanup
from bot.maintenance.daily_report import DailyReport
from bot.provider import Accepted, Photo, Status, StillRunning, Succeeded
from bot.request import VideoModel, VideoRequest
from bot.store import Notice
from bot.store.budget import EVERYTHING
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.connection.clock import MonotonicClock
from bot.task import Task, TaskState

_TICK_S = 20.0
_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
_SET_BACK_S = 2 * _HOUR_S
_GB = 1_000_000_000
_ADMIN = 1

FAULTS: Mapping[str, tuple[float, float]] = {
    "provider": (1.0, 1.7),
    "fetches": (3.0, 3.5),
    "backup": (3.9, 5.5),
    "database": (7.0, 7.4),
    "disk": (9.0, 9.7),
    "clock": (11.0, 12.5),
    "telegram": (13.0, 13.5),
    "network": (15.0, 15.7),
    "account": (17.0, 17.5),
    "cut": (19.0, 19.5),
    "no room": (20.5, 21.0),
}
"""From which hour to which."""
DEATHS = {1.3: "poll", 6.0: "submit", 14.2: "deliver", 16.2: "submit", 18.2: "poll", 22.0: "deliver"}
"""At which hour a process dies, and in the middle of what; the first within an outage."""


class Died(BaseException):
    """The process is gone."""


class Machine(Clock):
    """The bot's clock over a calendar that can be set back; `counted` is the true time since the start."""

    def __init__(self) -> None:
        super().__init__(NOW.replace(hour=0))
        self.counted = 0.0
        self.begin()

    def begin(self) -> None:
        """A process starts."""
        self._clock = MonotonicClock(lambda: self.now, lambda: self.counted)

    def __call__(self) -> datetime:
        return self._clock()

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self.counted += seconds


@dataclass
class Weather:
    """Which faults are on, and where the next process dies."""

    machine: Machine
    rng: random.Random
    dies_in: str = ""

    def has(self, *faults: str) -> bool:
        hour = self.machine.counted / _HOUR_S
        return any(FAULTS[one][0] <= hour < FAULTS[one][1] for one in faults)

    def may_die(self, where: str) -> None:
        if self.dies_in == where:
            self.dies_in = ""
            raise Died


class Account(ScriptedProvider):
    """The provider. Its bill is the truth about what was bought."""

    def __init__(self, weather: Weather, clip: Path) -> None:
        super().__init__(clip)
        self.concurrency = 3
        self.bill: Counter[str] = Counter()
        self.doubtful: set[str] = set()
        """Whose submit got no answer that the bot could keep."""
        self.refused: set[str] = set()
        self._ends: dict[str, float] = {}
        self._weather = weather
        self._clip = clip

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        weather = self._weather
        if weather.has("provider", "network"):
            raise Unavailable("unreachable", "connection refused")
        if weather.has("account"):
            self.refused.add(request.prompt)
            raise AccountProblem("account", "no balance", trouble="no_balance")
        if weather.has("no room"):
            raise Unavailable("no_slot", "50430")
        is_cut = weather.has("cut") and weather.rng.random() < 0.5
        if is_cut or weather.dies_in == "submit":
            self.doubtful.add(request.prompt)
        if is_cut and weather.rng.random() < 0.5:
            raise OutcomeUnknown("submit_unknown", "cut on its way there")
        self.bill[request.prompt] += 1
        job = f"job-{self.bill.total()}"
        self._ends[job] = weather.machine.counted + weather.rng.uniform(40, 240)
        if is_cut:
            raise OutcomeUnknown("submit_unknown", "cut on its way back")
        weather.may_die("submit")
        return Accepted(job)

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        self._weather.may_die("poll")
        if self._weather.has("provider", "network"):
            raise Unavailable("unreachable", "connection refused")
        if self._weather.machine.counted < self._ends[remote_id]:
            return StillRunning()
        return Succeeded(f"https://videos.example/{remote_id}", 12 * _HOUR_S)

    async def fetch(self, video_url: str, target: Path) -> None:
        if self._weather.has("fetches", "network"):
            raise FetchError("fetch_failed", "no answer", again=True)
        if self._weather.has("disk"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        shutil.copyfile(self._clip, target)


class Telegram(RecordingChat):
    """People's chats and that of the operators, as they look in the end."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self.cards: dict[str, str] = {}
        """What stands on the card of a task: its video, or the code of the reason why there is none."""
        self._weather = weather

    async def _call(self, name: str, task: Task) -> str:
        assert name in ("deliver", "tell"), f"no card was lost, so nothing else is sent: {name}"
        is_out = self._weather.has("telegram", "network")
        if is_out and self._weather.rng.random() < 0.8:
            raise ChatBusy(30)
        self.cards[task.id] = "video" if name == "deliver" else task.error_code or ""
        self._weather.may_die(name)
        if is_out:
            raise CallUnclear("no answer")
        return "file-1"


class Operators:
    """The operators' chat."""

    def __init__(self, weather: Weather) -> None:
        self.told: list[str] = []
        self._weather = weather

    async def send(
        self, key: str, values: Mapping[str, object], *, pause: str | None = None, silent: bool = False
    ) -> bool:
        if self._weather.has("telegram", "network"):
            return False
        self.told.append(key)
        return True


@dataclass
class Report:
    """What a day came to."""

    wrong: list[str]
    alerts: list[str]
    notices: list[str]
    ends: Counter[str]
    """How many tasks ended with a video, and how many for which reason without one."""


class Day:
    """`play` lives through the day, and goes on until nobody waits any more."""

    def __init__(self, folder: Path, clip: Path, seed: int) -> None:
        self._rng = random.Random(seed)
        self._folder = folder
        self._machine = Machine()
        self._weather = Weather(self._machine, self._rng)
        self._account = Account(self._weather, clip)
        self._telegram = Telegram(self._weather)
        self._operators = Operators(self._weather)
        self._notices: list[str] = []
        self._orders = sorted(self._rng.uniform(0, _DAY_S - _HOUR_S) for _ in range(120))
        self._deaths = sorted(DEATHS.items())
        self._is_set_back = self._is_read_only = False

    async def play(self) -> Report:
        waiting = [f"order-{number}" for number in range(len(self._orders))]
        await self._start_process()
        while self._machine.counted < _DAY_S or await self._store.tasks.count_open():
            assert self._machine.counted < 2 * _DAY_S, "somebody still waits"
            await self._change_the_weather()
            while waiting and self._orders[-len(waiting)] <= self._machine.counted:
                try:
                    await self._ask(waiting[0])
                except StoreError:
                    break  # its update stays at Telegram
                waiting.pop(0)
            try:
                await self._live()
            except Died:
                await self._store.close()
                await self._start_process()
            self._machine.advance(_TICK_S)
        report = await self._audit()
        await self._store.close()
        return report

    async def _start_process(self) -> None:
        self._machine.begin()
        clock, folder = self._machine, self._folder
        self._store = await SQLiteStore.open(folder / "bot.db", clock, lambda: clock.counted)
        harness = WorkerHarness(
            self._store, self._account, clock, folder, self._telegram, save_pauses_s=(0.0, 0.0)
        )
        harness.on_notice = self._note
        await harness.purchase_guard.remind()
        alerts = Alerts(self._store.maintenance, self._operators, clock)
        self._monitor = AlertMonitor(
            self._store,
            alerts=alerts,
            chat=self._operators,
            health=harness.health,
            data_dir=folder,
            clock=clock,
            disk=lambda _: (100 * _GB, 0 if self._weather.has("disk") else 50 * _GB),
        )
        zone = ZoneInfo("UTC")
        copies = BackupFolder(folder / "backups", 4, zone)
        self._harness = harness
        self._report = DailyReport(self._store, alerts, zone, clock)
        self._backup = Backup(self._store, copies, self._monitor.report_backup, clock)
        self._cleanup = Cleanup(self._store, 90, harness.video_cache.discard, clock, between_s=0)

    async def _note(self, notice: Notice) -> None:
        self._notices.append(notice.key)

    async def _ask(self, prompt: str) -> None:
        now = self._machine()
        request = VideoRequest(model="jimeng-pro", prompt=prompt)
        await self._store.tasks.add(
            a_task(prompt, request=request, created_at=now, queued_at=now, due_at=now)
        )

    async def _live(self) -> None:
        """Do what the parts of a process do within a tick."""
        with suppress(StoreError):
            await self._store.maintenance.record_heartbeat(self._machine())
        with suppress(StoreError):  # what is leased comes back when the lease ends
            while await self._harness.turn():
                pass
        await self._monitor.check()
        await self._report.send_if_due()
        await self._cleanup.run_if_due()
        await self._backup.run_if_due()

    async def _change_the_weather(self) -> None:
        if self._deaths and self._machine.counted >= self._deaths[0][0] * _HOUR_S:
            self._weather.dies_in = self._deaths.pop(0)[1]
        if self._weather.has("clock") != self._is_set_back:
            self._machine.now += timedelta(seconds=_SET_BACK_S if self._is_set_back else -_SET_BACK_S)
            self._is_set_back = not self._is_set_back
        copies = self._folder / "backups"
        if self._weather.has("backup") and copies.is_dir():
            copies.rename(copies.with_name("away"))
            copies.touch()
        elif not self._weather.has("backup") and copies.is_file():
            copies.unlink()
            copies.with_name("away").rename(copies)
        if self._weather.has("database") != self._is_read_only:
            self._is_read_only = not self._is_read_only
            pragma = f"PRAGMA query_only = {int(self._is_read_only)}"
            # The file's own connection: SQLite itself refuses every write then.
            await self._store.maintenance._db.writer.read(lambda connection: connection.execute(pragma))
        if self._machine.counted == 10 * _HOUR_S:
            await self._harness.actions.resume(EVERYTHING, _ADMIN)

    async def _audit(self) -> Report:
        wrong = [f"{one} was bought {times} times" for one, times in self._account.bill.items() if times > 1]
        ends: Counter[str] = Counter()
        for number in range(len(self._orders)):
            task = await self._store.tasks.get(f"order-{number}")
            if task is None:
                wrong.append(f"order-{number} is lost")
                continue
            end = "video" if task.state is TaskState.SUCCEEDED else task.error_code or task.state
            ends[end] += 1
            if self._telegram.cards.get(task.id) != end:
                wrong.append(
                    f"{task.id} ended with {end}, its card shows {self._telegram.cards.get(task.id)}"
                )
            excused = {"submit_unknown": self._account.doubtful, "account": self._account.refused}
            if end != "video" and task.id not in excused.get(end, ()):
                wrong.append(f"{task.id} ended with {end}")
            if end == "video" and not self._account.bill[task.id]:
                wrong.append(f"{task.id} has a video that nobody made")
        return Report(wrong, self._operators.told, self._notices, ends)
