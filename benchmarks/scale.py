"""PostgreSQL: what several processes do together, and what ten thousand tasks in flight cost one of them.

`python benchmarks/scale.py` starts a server of its own (durable, loopback) and prints five tables in a few
minutes. Processes are real ones. Compare figures of one run; the machine's neighbours move them all.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import asyncpg
from postgres_server import PostgresServer, find_binaries

from bot.request import VideoRequest
from bot.stores.postgres import PostgresStore
from bot.stores.values import TASK_COLUMNS
from bot.task import CardRef, Task, TaskState, changed
from bot.worker import schedule

HOUR = timedelta(hours=1)
_STARTED_S = 12.0
"""In which every process is up, on a machine that is busy with other things."""
_TICK_S = 0.02
_CALL_S = 0.02
"""A poll of a provider, simulated."""


def main() -> None:
    binaries = find_binaries()
    if binaries is None:
        sys.exit("PostgreSQL 15 or newer is not installed (apt install postgresql)")
    server = PostgresServer(binaries, durable=True)
    try:
        server.start()
        asyncio.run(_measure(server))
    finally:
        server.stop()


async def _measure(server: PostgresServer) -> None:
    await _compare_processes(server)
    await _compare_limits(server)
    await _compare_sizes(server)
    await _time_wake_ups(server)
    await _fly(server)


# Tasks per second, from queued to closed: a claim and three saves each.


async def _compare_processes(server: PostgresServer) -> None:
    print(
        "Queued to closed as fast as it goes, 3 saves a task, no limit of slots; then 400 a second come due"
    )
    print(
        f"  {'processes':>9} {'tasks/s':>9} {'claim p50 ms':>13} {'p99 ms':>8}"
        f" {'| claim p50 ms':>15} {'p99 ms':>8} {'late p50 ms':>12} {'p99 ms':>8}"
    )
    for count in (1, 2, 4):
        url = await server.clean_database()
        tasks = 1200
        await _add(url, _queued("task"), tasks)
        began = time.perf_counter()
        found = await _in_processes(count, _work, url, None)
        took_s = time.perf_counter() - began - max(one["start_s"] for one in found)
        claims = [ms for one in found for ms in one["claims_ms"]]
        steady, late = await _lateness(await server.clean_database(), count)
        print(
            f"  {count:>9} {tasks / took_s:>9.0f} {_middle(claims):>13.1f} {_most(claims):>8.1f}"
            f" {_middle(steady):>15.1f} {_most(steady):>8.1f} {_middle(late):>12.1f} {_most(late):>8.1f}"
        )


async def _compare_limits(server: PostgresServer) -> None:
    url = await server.clean_database()
    tasks = 800
    await _add(url, _queued("task"), tasks)
    watch = asyncio.create_task(_watch_slots(url))
    found = await _in_processes(4, _work, url, 10)
    watch.cancel()
    most = (await asyncio.gather(watch, return_exceptions=True))[0]
    claimed = [task_id for one in found for task_id in one["claimed"]]
    claims = [ms for one in found for ms in one["claims_ms"]]
    print("\nFour processes on one limit of 10")
    print(f"  claimed {len(claimed)}, twice {len(claimed) - len(set(claimed))}, most at once {most}")
    print(f"  claim p50 {_middle(claims):.1f} ms, p99 {_most(claims):.1f} ms")


async def _watch_slots(url: str) -> int:
    """The most slots that were ever taken at one moment, as the database sees it."""
    connection, most = await asyncpg.connect(url), 0
    try:
        while True:
            most = max(
                most,
                await connection.fetchval(
                    "SELECT count(*) FROM tasks"
                    " WHERE slot_until IS NOT NULL OR waits_for_slot AND due_before_lease IS NOT NULL"
                ),
            )
            await asyncio.sleep(0.001)
    except asyncio.CancelledError:
        return most
    finally:
        connection.terminate()


async def _work(url: str, limit: int | None) -> dict[str, Any]:
    began = time.perf_counter()
    store = await PostgresStore.open(url)
    slots = {} if limit is None else {"cloud": limit}
    start_s = time.perf_counter() - began
    claims_ms, claimed, empty = list[float](), list[str](), 0

    async def buy(task: Task) -> None:
        now = store.leases.now()
        task = await store.tasks.save(task.submitting(now, now + HOUR, now + HOUR), leased=True)
        task = await store.tasks.save(task.accepted("job", now + HOUR, now + HOUR))
        await store.tasks.save(task.succeeded("https://video", now + HOUR, now).delivered(now))

    while empty < 20:
        began = time.perf_counter()
        tasks = await store.tasks.claim(store.leases.now(), 300, 20, slots)
        if tasks:
            claims_ms.append(1000 * (time.perf_counter() - began))
            claimed += [task.id for task in tasks]
            await asyncio.gather(*(buy(task) for task in tasks))
            empty = 0
        elif await store.tasks.count_open():
            await asyncio.sleep(0.001)
        else:
            empty += 1
    await store.close()
    return {"start_s": start_s, "claims_ms": claims_ms, "claimed": claimed}


async def _lateness(url: str, count: int) -> tuple[list[float], list[float]]:
    """What a claim takes, and how late tasks are taken that become due one by one, 400 a second."""
    await _add(url, _running("task"), 1200, apart_s=1 / 400, in_s=_STARTED_S)
    found = await _in_processes(count, _poll_once, url, None)
    return [ms for one in found for ms in one["claims_ms"]], [ms for one in found for ms in one["late_ms"]]


async def _poll_once(url: str, _: int | None) -> dict[str, Any]:
    store = await PostgresStore.open(url)
    claims_ms, late_ms = list[float](), list[float]()
    while (
        due_at := await store.tasks.next_due(store.leases.now())
    ) is not None and due_at < store.leases.now() + HOUR / 2:
        began = time.perf_counter()
        tasks = await store.tasks.claim(store.leases.now(), 2 * 3600, 50, {})
        if tasks:
            claims_ms.append(1000 * (time.perf_counter() - began))
        for task in tasks:
            late_ms.append(_late_ms(task, store.leases.now()))
        await asyncio.sleep(_TICK_S)
    await store.close()
    return {"claims_ms": claims_ms, "late_ms": late_ms}


# What the size of the history costs.


async def _compare_sizes(server: PostgresServer) -> None:
    print("\nThe same questions with more rows closed (claim of 50 and save of each, ms)")
    print(f"  {'rows':>9} {'claim':>8} {'50 saves':>9} {'next due':>9} {'count':>8}")
    for closed in (1_000, 100_000):
        url = await server.clean_database()
        await _add(url, _closed("old"), closed)
        await _add(url, _running("task"), 500)
        store = await PostgresStore.open(url)
        times: dict[str, list[float]] = {"claim": [], "saves": [], "next": [], "count": []}
        for _ in range(60):
            now = store.leases.now()
            tasks = await _timed(times["claim"], store.tasks.claim(now, 300, 50, {"cloud": 9}))
            await _timed(
                times["saves"],
                asyncio.gather(*(store.tasks.save(replace(task, due_at=now)) for task in tasks)),
            )
            await _timed(times["next"], store.tasks.next_due(now))
            await _timed(times["count"], store.tasks.count_open(user_id=7))
        await store.close()
        row = [statistics.median(times[name]) for name in ("claim", "saves", "next", "count")]
        print(f"  {closed:>9} {row[0]:>8.2f} {row[1]:>9.2f} {row[2]:>9.2f} {row[3]:>8.2f}")


async def _timed(times_ms: list[float], work: Any) -> Any:
    began = time.perf_counter()
    result = await work
    times_ms.append(1000 * (time.perf_counter() - began))
    return result


# From one process to another.


async def _time_wake_ups(server: PostgresServer) -> None:
    url = await server.clean_database()
    here, there = await PostgresStore.open(url), await PostgresStore.open(url)
    heard = asyncio.Event()
    there.leases.on_work(heard.set)
    await asyncio.sleep(0.5)
    took_ms = list[float]()
    for number in range(300):
        heard.clear()
        began = time.perf_counter()
        await here.tasks.add(_queued(f"task-{number}"))
        async with asyncio.timeout(5):
            while not await there.tasks.claim(there.leases.now(), 300, 5, {}):
                await heard.wait()
                heard.clear()
        took_ms.append(1000 * (time.perf_counter() - began))
    await here.close()
    await there.close()
    print("\nFrom the call that queues a task to its claim by another store")
    print(f"  p50 {_middle(took_ms):.1f} ms, p99 {_most(took_ms):.1f} ms")


# Ten thousand in flight.


async def _fly(server: PostgresServer) -> None:
    print("\n10,000 tasks in flight on one process, for 15 s: 8 polls in 100 s each, then in 40 s")
    print(
        f"  {'polls/s':>8} {'of a core':>10} {'KiB a task':>11} {'commits a poll':>15}"
        f" {'late p50 ms':>12} {'p99 ms':>8}"
    )
    for every_s in (12.5, 5.0):
        url = await server.clean_database()
        await _add(url, _running("task"), 10_000, apart_s=every_s / 10_000, in_s=_STARTED_S)
        [found] = await _in_processes(1, _poll_for_a_while, url, int(1000 * every_s))
        print(
            f"  {found['polls_s']:>8.0f} {100 * found['core']:>9.1f}% {found['kib']:>11.2f}"
            f" {found['commits']:>15.3f} {_middle(found['late_ms']):>12.1f} {_most(found['late_ms']):>8.1f}"
        )


async def _poll_for_a_while(url: str, every_ms: int | None) -> dict[str, Any]:
    """A central poller: one claim a tick, all looks at once, saves as they come."""
    store = await PostgresStore.open(url)
    every = timedelta(milliseconds=every_ms or 5000)
    late_ms, polls, claims = list[float](), 0, 0
    running: set[asyncio.Task[None]] = set()

    async def poll(task: Task) -> None:
        await asyncio.sleep(_CALL_S)
        now = store.leases.now()
        due_at = now + every
        seen = changed(task.polled(0.5, now), due_at=due_at, late_at=due_at)
        await store.tasks.save(seen)

    first_at = await store.tasks.next_due(store.leases.now()) or store.leases.now()
    await asyncio.sleep(max((first_at - store.leases.now()).total_seconds(), 0))
    memory, cpu_s = _memory_kib(), time.process_time()
    began, commits = time.perf_counter(), store.commits
    while time.perf_counter() - began < 15:
        tick = time.perf_counter()
        tasks = await store.tasks.claim(store.leases.now(), 300, 200, {})
        claims += bool(tasks)
        for task in tasks:
            late_ms.append(_late_ms(task, store.leases.now()))
            step = asyncio.create_task(poll(task))
            running.add(step)
            step.add_done_callback(running.discard)
        polls += len(tasks)
        await asyncio.sleep(max(schedule.CLAIM_PAUSE_S - (time.perf_counter() - tick), 0))
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
    commits = store.commits - commits + claims
    memory = _memory_kib() - memory
    await asyncio.gather(*running)
    await store.close()
    return {
        "polls_s": polls / took_s,
        "core": cpu_s / took_s,
        "kib": memory / 10_000,
        "commits": commits / max(polls, 1),
        "late_ms": late_ms,
    }


# Rows and processes.


def _late_ms(task: Task, now: datetime) -> float:
    """How much later than planned it was claimed."""
    assert task.late_at is not None
    return 1000 * (now - task.late_at).total_seconds()


def _task(name: str, **fields: Any) -> Task:
    now = datetime.now(UTC)
    return Task(
        id=name,
        card=CardRef(chat_id=7, card_id=1),
        user_id=7,
        language="en",
        provider="cloud",
        request=VideoRequest(model="jimeng-pro", prompt="a paper boat in the rain"),
        created_at=now,
        queued_at=now,
        **fields,
    )


def _queued(name: str) -> Task:
    return _task(name, state=TaskState.QUEUED, due_at=datetime.now(UTC))


def _running(name: str) -> Task:
    now = datetime.now(UTC)
    return _task(name, state=TaskState.RUNNING, remote_id="job", keep_until=now + HOUR, due_at=now)


def _closed(name: str) -> Task:
    now = datetime.now(UTC)
    return _task(name, state=TaskState.SUCCEEDED, due_at=None, delivered_at=now, finished_at=now)


async def _add(url: str, task: Task, many: int, *, apart_s: float = 0.0, in_s: float = 0.0) -> None:
    """So many like this one, due one after the other; `late_at` has when."""
    store = await PostgresStore.open(url)
    await store.tasks.add(task)
    await store.close()
    names = ", ".join(column for column in TASK_COLUMNS if column != "id")
    connection = await asyncpg.connect(url)
    await connection.execute(
        f"INSERT INTO tasks (id, queue_tag, chat_queue_tag, {names})"
        f" SELECT id || n, n, 1, {names} FROM tasks, generate_series(2, $1) AS n WHERE id = $2",
        many,
        task.id,
    )
    await connection.execute(
        "UPDATE tasks SET due_at = due, late_at = due FROM (SELECT place AS number,"
        " now() + make_interval(secs => $1::float8 + $2::float8 * row_number() OVER (ORDER BY place)) AS due"
        " FROM tasks"
        " WHERE starts_with(id, $3)) AS plan WHERE place = number AND due_at IS NOT NULL",
        in_s,
        apart_s,
        task.id,
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _in_processes(
    count: int, work: Callable[[str, int | None], Any], url: str, argument: int | None
) -> list[Any]:
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(count):
        here, there = context.Pipe()
        process = context.Process(target=_run, args=(work.__name__, url, argument, there))
        process.start()
        pipes.append(here)
        processes.append(process)
    found = [json.loads(await asyncio.to_thread(pipe.recv)) for pipe in pipes]
    for process in processes:
        await asyncio.to_thread(process.join)
    return found


def _run(name: str, url: str, argument: int | None, pipe: Any) -> None:
    work = {"_work": _work, "_poll_once": _poll_once, "_poll_for_a_while": _poll_for_a_while}[name]
    pipe.send(json.dumps(asyncio.run(work(url, argument))))


def _memory_kib() -> float:
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _middle(figures: list[float]) -> float:
    return statistics.median(figures) if figures else 0.0


def _most(figures: list[float]) -> float:
    return sorted(figures)[int(0.99 * (len(figures) - 1))] if figures else 0.0


if __name__ == "__main__":
    main()
