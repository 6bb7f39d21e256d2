"""A run: people ask, processes die in the middle, calls fail; then peace, and the books are audited."""

from __future__ import annotations

import asyncio
import csv
import io
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provider_accounts import ACCOUNTS, settings_of_all
from provider_server import Fault as ProviderFault
from provider_server import Kind, ProviderServer, Received, Reply, make_mp4
from running import BotHarness

from bot.sandbox import Fault, FaultKind, SandboxServer
from chaos.audit import Audit, Entry, entry_of
from chaos.faults import AT_TELEGRAM, Trouble
from chaos.load import BotProcesses
from chaos.moments import CALLS, Reaper, any_moment
from chaos.people import People, toasts_of

_GLANCE_S = 0.2
_STATUSES = (*["in_queue"] * 5, "generating")
"""The queue is so long that some jobs are cancelled in it."""
_VIDEO = make_mp4(1, 576, 320)
"""Large enough to be extended."""
_STOP_S = 10.0
"""What a stop may take, beside a submit in flight."""


@dataclass(frozen=True)
class Plan:
    """All that a run does follows from this; how it ends depends on the machine's haste too.

    `kills` processes die with SIGKILL and `stops` are told to end with SIGTERM, one after the other, with
    some of the `requests` before each. `faults` is the share of calls that fail. `processes` run at once on
    one store. A process dies at one of its `calls`, at the latest after `moment_s`; a call without answer
    hangs for `hang_s`. `settings` are added to the bot's. `finished`: whether jobs ever end, and people press
    buttons. Of so many jobs as `withheld` the end is told without a link, until somebody presses Fetch again.
    """

    seed: int
    requests: int = 40
    kills: int = 12
    stops: int = 1
    faults: float = 0.12
    processes: int = 1
    hang_s: float = 1.5
    moment_s: float = 2.0
    calls: tuple[str | None, ...] = CALLS
    settle_s: float = 240.0
    finished: bool = True
    withheld: int = 0
    settings: dict[str, str] = field(default_factory=dict)


def only_messages(seed: int, requests: int = 200, kills: int = 50) -> Plan:
    """A storm of messages in which processes die while these are taken in; no job ever ends."""
    return Plan(
        seed,
        requests=requests,
        kills=kills,
        stops=0,
        faults=0.0,
        moment_s=0.5,
        calls=("getUpdates", "sendMessage", "sendMessage", None),
        finished=False,
        settings={"volcengine_concurrency": "1"},
    )


@dataclass(frozen=True)
class Report:
    """What a run came to. `wrong` is empty where the books balance."""

    plan: Plan
    wrong: Sequence[str]
    figures: dict[str, Any]
    log: str
    """What all processes printed."""

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        end = (
            "the books balance"
            if not self.wrong
            else "THE BOOKS DO NOT BALANCE:\n  " + "\n  ".join(self.wrong)
        )
        return f"seed {self.plan.seed}: {figures}\n{end}"


class StoreUnderTest:
    """SQLite in the run's folder. Another store brings its own address and its own way to read its rows."""

    def settings(self, folder: Path) -> dict[str, str]:
        return {"database_url": f"sqlite:///{folder}/bot.db"}

    def rows(self, stage: BotHarness, table: str) -> Sequence[dict[str, Any]]:
        """Every row of `tasks` or `updates`; none where the table is not there yet."""
        return stage.rows(table) if (stage.folder / "bot.db").exists() else []

    def leases(self, stage: BotHarness) -> int:
        """How many rows are leased, once nobody runs."""
        tasks = [row for row in self.rows(stage, "tasks") if row["due_before_lease"] is not None]
        updates = [row for row in self.rows(stage, "updates") if row["leased_until"] is not None]
        return len(tasks) + len(updates)

    async def disturb(self, rng: random.Random) -> None:
        """Before each kill: a server of its own may be restarted here."""


class Run:
    def __init__(self, plan: Plan, stage: BotHarness, store: StoreUnderTest, code: Path | None) -> None:
        self._plan = plan
        self._stage = stage
        self._store = store
        self._rng = random.Random(plan.seed)
        self._people = People(self._rng, stage, plan.requests, press=plan.finished)
        self._trouble = Trouble(self._rng, plan.faults, plan.hang_s, self._people.prompts)
        self._reaper = Reaper()
        self._wrong: list[str] = []
        slots = str(max(4 * plan.requests, 1))
        values = stage.values(
            **{
                "volcengine_concurrency": slots,
                **settings_of_all(stage.provider.base_url),
                **{f"{one.name}_concurrency": slots for one in ACCOUNTS},
                "open_tasks_per_user": "unlimited",
                "open_tasks_per_chat": "unlimited",
                "daily_videos_per_user": "unlimited",
                "daily_videos_per_chat": "unlimited",
                "submits_per_hour": "100000",
                "log_level": "debug",
                **store.settings(stage.folder),
                **plan.settings,
            }
        )
        self._load = BotProcesses(stage.folder, values, plan.processes, code)

    async def play(self) -> Report:
        began = time.monotonic()
        self._set_the_traps()
        ends = [signal.SIGKILL] * self._plan.kills + [signal.SIGTERM] * self._plan.stops
        self._rng.shuffle(ends)
        waiting = list(self._people.prompts)
        async with self._load.running(), asyncio.TaskGroup() as group:
            pressing = group.create_task(self._people.press_on())
            for number, end in enumerate(ends):
                share = len(waiting) // (len(ends) - number)
                for prompt in waiting[:share]:
                    self._people.ask(prompt)
                del waiting[:share]
                await self._store.disturb(self._rng)
                await self._end_one(end)
                self._people.meddle()
                if number == len(ends) // 3 and self._plan.withheld:
                    jobs = self._stage.provider.jobs
                    self._stage.provider.withheld.update(list(jobs)[-self._plan.withheld :])
            for prompt in waiting:
                self._people.ask(prompt)
            pressing.cancel()
            storm_s = time.monotonic() - began
            self._trouble.end(self._stage.server, self._stage.provider)
            if self._plan.finished:
                # A job that is late by now is polled so rarely that it would take hours.
                self._stage.provider.statuses = ()
            await self._settle()
            await self._stop_all()
            bill = await self._load.says("bill", time.strftime("%Y-%m", time.gmtime()))
        books = self._books(list(csv.DictReader(io.StringIO(bill))))
        wrong = [*books.audit(), *self._wrong, *self._load.complaints()]
        figures = {
            "requests": len(books.requests),
            "answers": len(books.answers),
            "presses": len(books.presses),
            "jobs": len(books.jobs),
            "stopped": sum(job.stopped for job in books.jobs),
            "videos": sum("video" in one or "animation" in one for one in books.messages),
            "cancelled": sum(entry.cancelled_by is not None for entry in books.entries),
            "asked": sum(entry.error_code == "submit_unknown" for entry in books.entries),
            "offered": sum(entry.offered for entry in books.entries),
            "shared": sum(one.verb == "share" for one in books.presses),
            "sent again": sum(one.verb == "send" for one in books.presses),
            "blocked": len(books.blocked),
            "faults": self._trouble.counted.total(),
            "kills": self._plan.kills,
            "stops": self._plan.stops,
            "seconds of storm": round(storm_s, 1),
            "seconds": round(time.monotonic() - began, 1),
        }
        return Report(self._plan, wrong, figures, self._load.printed())

    # What happens to the bot.

    def _set_the_traps(self) -> None:
        server, provider = self._stage.server, self._stage.provider

        def interfere(kind: Kind, received: Received) -> Reply | ProviderFault | None:
            if self._reaper.sees(kind):
                return ProviderFault.CUT
            return self._trouble.at_the_provider(kind, received)

        provider.interfere = interfere
        for method in AT_TELEGRAM:
            server.faults.add(Fault(method, FaultKind.DROP, times=None, when=self._sees(method)))
        self._trouble.at_telegram(server)
        provider.statuses = _STATUSES if self._plan.finished else ("generating",) * 100_000

    def _sees(self, method: str) -> Callable[[Any], bool]:
        return lambda _params: self._reaper.sees(method)

    async def _end_one(self, how: signal.Signals) -> None:
        """One process ends at a moment that is drawn, and another takes its place."""
        moment = any_moment(self._rng, self._plan.moment_s, self._plan.calls)
        victim = self._rng.randrange(self._plan.processes)
        await self._load.has_begun(victim)
        await self._reaper.wait(moment, lambda: self._load.send(victim, how))
        began = time.monotonic()
        code = await self._load.has_ended(victim)
        if how is signal.SIGTERM:
            took_s = time.monotonic() - began
            if code != 0:
                self._wrong.append(f"a stop ended with {code}")
            if took_s > _STOP_S + self._plan.hang_s:
                self._wrong.append(f"a stop took {took_s:.1f} s")
            if self._plan.processes == 1 and (left := self._store.leases(self._stage)):
                self._wrong.append(f"a stop left {left} leases behind")
        await self._load.start(victim)

    # The end.

    async def _settle(self) -> None:
        """Until nothing is on its way any more."""
        try:
            async with asyncio.timeout(self._plan.settle_s):
                while not self._is_quiet():
                    # A database has no event, and reading all of a large one is work.
                    await asyncio.sleep(_GLANCE_S * max(1.0, self._plan.requests / 100))
        except TimeoutError:
            self._wrong.append(f"not all has ended within {self._plan.settle_s:.0f} s")

    def _is_quiet(self) -> bool:
        entries = self._entries()
        if self._plan.finished and not all(entry.closed for entry in entries):
            self._people.answer_all()
            return False
        updates = self._store.rows(self._stage, "updates")
        told = {row["update_id"] for row in updates if row["state"] != "open"}
        sent = {update["update_id"] for update in self._stage.world.updates.history}
        ordered = [entry for entry in entries if not entry.is_sibling]
        return sent <= told and len(ordered) >= self._plan.requests * (not self._people.blocked)

    async def _stop_all(self) -> None:
        for number in range(self._plan.processes):
            await self._load.has_begun(number)
            self._load.send(number, signal.SIGTERM)
        for number in range(self._plan.processes):
            if code := await self._load.has_ended(number):
                self._wrong.append(f"the last stop ended with {code}")
        if left := self._store.leases(self._stage):
            self._wrong.append(f"{left} leases are left behind")

    def _entries(self) -> list[Entry]:
        return [entry_of(row) for row in self._store.rows(self._stage, "tasks")]

    def _books(self, bill: list[dict[str, str]]) -> Audit:
        stage, people = self._stage, self._people
        updates = self._store.rows(stage, "updates")
        return Audit(
            requests=people.prompts[: people.orders],
            answers=people.prompts[people.orders :],
            entries=self._entries(),
            parked=[row["update_id"] for row in updates if row["state"] == "parked"],
            jobs=list(stage.provider.jobs.values()),
            bill=bill,
            messages=[one for chat in stage.world.chats.values() for one in stage.world.bot_messages(chat)],
            presses=people.presses,
            toast_of=toasts_of(stage),
            sent={one["update_id"]: one for one in stage.world.updates.history},
            blocked=people.blocked,
            kills=self._plan.kills + self._plan.stops,
            lost_cards=self._trouble.lost_cards | people.lost_cards,
            refused_edits=self._trouble.refused_edits,
            doubtful_sends=self._trouble.doubtful_sends,
            moves={one.id: one.migrated_to for one in stage.world.chats.values() if one.migrated_to},
            complaints=[*stage.world.complaints, *stage.provider.complaints],
            finished=self._plan.finished,
        )


@asynccontextmanager
async def _stage(folder: Path, hang_s: float) -> AsyncIterator[BotHarness]:
    async with (
        SandboxServer() as server,
        ProviderServer(hang_s=hang_s, video=_VIDEO, has_all=True) as provider,
    ):
        yield BotHarness(server, provider, folder)


async def run(
    plan: Plan, folder: Path, store: StoreUnderTest | None = None, code: Path | None = None
) -> Report:
    """Play the plan in this folder. `code`: where the package `bot` lies that is to be run, if elsewhere."""
    async with _stage(folder, plan.hang_s) as stage:
        return await Run(plan, stage, store or StoreUnderTest(), code).play()
