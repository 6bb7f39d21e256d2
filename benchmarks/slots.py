"""Slots: how full they are while somebody waits, and who waits how long. The real store and the real timing,
with a clock of its own.

`python benchmarks/slots.py` prints two tables in some minutes; nothing in them depends on the machine. A
submit takes 0.3 s and a poll 0.2 s; a job runs from the end of its submit, and a poll tells how it is when
the poll begins. A job takes 60 s (lognormal, sigma 0.25), and how long is learned from polls alone, 100 jobs
before anything is counted. Nobody fills slots better than the limit: one poll, at the very end of each job.
"!" marks what misses its target by more than twice the sampling error of 0.1: 96.5 % at eight polls a job (as
the bot makes them while nobody waits), 97.8 % at sixteen (as it does while others wait).

In the second table one person asks for fifty videos, then twenty people ask for one each. Turns are beside
first-come-first-served, which is what turns are when all are one person. "behind" is how many of the fifty
were handed over while one of the twenty waited, at most: one is a round. "all are done" says what the fifty
lose by it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import random
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bot.request import Mode, VideoModel, VideoRequest
from bot.stores.sqlite import SQLiteStore
from bot.task import CardRef, Task, TaskState
from bot.worker.duration_model import Durations, observed
from bot.worker.schedule import LEASE_S, Schedule, clock_of, duration_keys

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SUBMIT_S, POLL_S = 0.3, 0.2
MEDIAN_S, SIGMA = 60.0, 0.25
LEARNED, COUNTED = 100, 800
TARGETS = {"alone": (0.965, 8.0), "others wait": (0.978, 16.0)}
ERROR = 0.002
RUNS = 4
MODEL = VideoModel(
    name="model",
    title="Model",
    provider="cloud",
    modes=frozenset({Mode.TEXT}),
    ratios=("16:9",),
    seconds=(5,),
    resolutions=("1080p",),
    typical_s=MEDIAN_S,
    prompt_with_photo="optional",
    keeps_s=12 * 3600.0,
)


def main() -> None:
    asyncio.run(_print_use())
    asyncio.run(_print_waits())


async def _print_use() -> None:
    mean_s = MEDIAN_S * math.exp(SIGMA**2 / 2)
    print(f"\nSlot time used with a backlog, {COUNTED} jobs after {LEARNED}")
    _print_row("slots", ["polls as if", "used", "polls", "lag, s", "limit"])
    for slots, (name, (target, budget)) in itertools.product((1, 2, 5, 10), TARGETS.items()):
        async with Account(slots, others_wait=name == "others wait", seed=slots) as account:
            for number in range(LEARNED + COUNTED + slots):
                await account.ask(1, f"job {number}")
            await account.work(until=LEARNED + COUNTED)
        jobs = sorted(account.jobs.values(), key=lambda job: job.seen_s)[LEARNED : LEARNED + COUNTED]
        used = account.used(jobs[0].ended_s, jobs[-1].ended_s)
        polls = statistics.fmean(job.polls for job in jobs)
        figures = [
            name,
            _mark(f"{used:.1%}", used < target - ERROR),
            _mark(f"{polls:.1f}", polls > 1.02 * budget),
            f"{statistics.fmean(job.seen_s - job.ended_s for job in jobs):.2f}",
            f"{mean_s / (mean_s + SUBMIT_S + POLL_S):.1%}",
        ]
        _print_row(str(slots), figures)


async def _print_waits() -> None:
    print(f"\nOne person's fifty and twenty people's one, seconds: means of {RUNS} runs, worst of all")
    columns = ["the twenty", "worst", "the fifty", "behind", "all are done"]
    _print_row("slots, the twenty ask", ["order", *columns])
    for slots, within_s in ((2, 0.0), (2, 600.0), (5, 0.0), (5, 600.0)):
        for order in ("turns", "first come"):
            waits = [await _waits(slots, within_s, run, by_person=order == "turns") for run in range(RUNS)]
            light = [wait for one in waits for wait in one.light_s]
            behind = max(one.behind for one in waits)
            figures = [
                order,
                f"{statistics.fmean(light):.0f}",
                f"{max(light):.0f}",
                f"{statistics.fmean(wait for one in waits for wait in one.heavy_s):.0f}",
                _mark(str(behind), order == "turns" and behind > 1),
                f"{statistics.fmean(one.done_s for one in waits):.0f}",
            ]
            when = f"within {within_s / 60:.0f} min" if within_s else "at once"
            _print_row(f"{slots}, {when}", figures)


@dataclass(frozen=True, slots=True)
class Waits:
    light_s: Sequence[float]
    heavy_s: Sequence[float]
    behind: int
    done_s: float


async def _waits(slots: int, within_s: float, run: int, *, by_person: bool) -> Waits:
    arrivals = random.Random(run)
    async with Account(slots, seed=run) as account:
        for number in range(50):
            await account.ask(1, f"heavy {number}")
        for person in range(20):
            asks = partial(account.ask, 100 + person if by_person else 1, f"light {person}")
            account.at(arrivals.uniform(0.001, max(within_s, 0.001)), asks)
        await account.work(until=70)
    jobs = account.jobs
    light = [job for name, job in jobs.items() if name.startswith("light")]
    heavy = [job for name, job in jobs.items() if name.startswith("heavy")]
    behind = [sum(job.asked_s < other.taken_s < job.taken_s for other in heavy) for job in light]
    return Waits(
        [job.taken_s - job.asked_s for job in light],
        [job.taken_s - job.asked_s for job in heavy],
        max(behind),
        max(job.ended_s for job in jobs.values()),
    )


@dataclass(slots=True)
class Job:
    """Times in seconds from the start: asked for, handed over, begun and ended there, seen to have ended."""

    takes_s: float
    asked_s: float
    taken_s: float = math.inf
    begun_s: float = math.inf
    ended_s: float = math.inf
    seen_s: float = math.inf
    polls: int = 0


@dataclass
class Account:
    """A provider's account with a queue before it, and what the worker does about it, step by step."""

    slots: int
    seed: int
    others_wait: bool = True
    """How many polls are made: as while others wait for a slot, or as while nobody does."""
    jobs: dict[str, Job] = field(default_factory=dict)
    _now_s: float = 0.0

    async def __aenter__(self) -> Account:
        self._folder = tempfile.TemporaryDirectory()
        self._store = await SQLiteStore.open(Path(self._folder.name) / "slots.db", self._clock)
        # No power is lost here: what is asked is in which order, not how durably.
        await self._store._db.writer.read(lambda connection: connection.execute("PRAGMA synchronous = OFF"))
        self._timing = Schedule()
        self._learned = Durations(MODEL.typical_s)
        self._durations = random.Random(self.seed)
        self._events: list[tuple[float, int, Callable[[], Awaitable[None]]]] = []
        self._count = itertools.count()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._store.close()
        self._folder.cleanup()

    def at(self, time_s: float, do: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._events, (time_s, next(self._count), do))

    async def ask(self, person: int, name: str) -> None:
        takes_s = MEDIAN_S * math.exp(SIGMA * self._durations.gauss())
        self.jobs[name] = Job(takes_s, self._now_s)
        now = self._clock()
        await self._store.tasks.add(
            Task(
                id=name,
                card=CardRef(chat_id=person),
                user_id=person,
                language="en",
                provider=MODEL.provider,
                request=VideoRequest(model=MODEL.name),
                state=TaskState.QUEUED,
                created_at=now,
                queued_at=now,
                due_at=now,
            )
        )

    async def work(self, until: int) -> None:
        """Until so many jobs were seen to have ended."""
        while sum(job.seen_s <= self._now_s for job in self.jobs.values()) < until:
            while tasks := await self._store.tasks.claim(
                self._clock(), LEASE_S, 50, {MODEL.provider: self.slots}
            ):
                for task in tasks:
                    await (self._submit if task.state is TaskState.QUEUED else self._poll)(task)
            due = await self._store.tasks.next_due(self._clock())
            times = [(due - START).total_seconds()] if due else []
            self._now_s = max(self._now_s, min([*times, *(at for at, *_ in self._events[:1])]))
            while self._events and self._events[0][0] <= self._now_s:
                await heapq.heappop(self._events)[2]()

    def used(self, from_s: float, to_s: float) -> float:
        """The part of the slots' time in which jobs ran."""
        spans = [min(job.ended_s, to_s) - max(job.begun_s, from_s) for job in self.jobs.values()]
        return sum(max(span, 0.0) for span in spans) / (self.slots * (to_s - from_s))

    async def _submit(self, task: Task) -> None:
        now, self.jobs[task.id].taken_s = self._clock(), self._now_s
        kept = now + timedelta(seconds=MODEL.keeps_s)
        sent = await self._store.tasks.save(
            task.submitting(now, now + timedelta(seconds=LEASE_S), kept), leased=True
        )

        async def accept() -> None:
            job = self.jobs[task.id]
            job.begun_s, job.ended_s = self._now_s, self._now_s + job.takes_s
            await self._store.tasks.save(sent.accepted(task.id, self._next_poll(sent), kept))

        self.at(self._now_s + SUBMIT_S, accept)

    async def _poll(self, task: Task) -> None:
        job = self.jobs[task.id]
        job.polls += 1
        has_ended = job.ended_s <= self._now_s

        async def read() -> None:
            now = self._clock()
            if has_ended:
                job.seen_s = self._now_s
                self._learn(task, now)
                await self._store.tasks.save(task.succeeded("https://video", now, now).delivered(now))
            else:
                seen = task.polled(None, now)
                await self._store.tasks.save(replace(seen, due_at=self._next_poll(seen)))

        self.at(self._now_s + POLL_S, read)

    def _next_poll(self, task: Task) -> datetime:
        return self._timing.next_poll(task, MODEL, self._clock(), others_wait=self.others_wait)

    def _learn(self, task: Task, ended_at: datetime) -> None:
        since = clock_of(task)[1] or ended_at
        looked_s = (max(task.polled_at, since) - since).total_seconds() if task.polled_at else 0.0
        self._learned = observed(self._learned, looked_s, (ended_at - since).total_seconds())
        keys = duration_keys(MODEL, task.request, "running")
        self._timing.remember(dict.fromkeys(keys, self._learned.to_text()))

    def _clock(self) -> datetime:
        return START + timedelta(seconds=self._now_s)


def _mark(figure: str, misses: bool) -> str:
    return f"{figure} !" if misses else figure


def _print_row(name: str, figures: Iterable[str]) -> None:
    print(f"{name:<24}" + "".join(f"{figure:>14}" for figure in figures))


if __name__ == "__main__":
    main()
