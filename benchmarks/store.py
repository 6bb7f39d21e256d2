"""The SQLite store: what group commit, the partial indexes and the writer thread are worth.

`python benchmarks/store.py` prints four tables in about a minute. Only the ratios inside one table mean
something: both sides of each were measured in the same run, on the same disk, with synchronous = FULL. The
disk of a laptop may say that it has written what it has not; so one table is made with 10 ms added to every
fsync, as on a disk that says the truth. A small library, compiled on the spot, does that in a second process.

To reach: with the slow fsync, 256 waiters a hundred times as fast as one by one; the loop's lag p99 at most
5 ms while 200 saves come at once.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.request import VideoRequest
from bot.store import StoredUpdate
from bot.stores.sqlite import SQLiteStore
from bot.stores.sqlite.connection.file import open_file
from bot.stores.sqlite.saving import save
from bot.task import CardRef, Task, TaskState

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


_SLOW_DISK = "--slow-disk"
_SLOW_FSYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int later(const char *name, int file) {
    struct timespec pause = {0, 10 * 1000 * 1000};
    nanosleep(&pause, 0);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file) { return later("fsync", file); }
int fdatasync(int file) { return later("fdatasync", file); }
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        if _SLOW_DISK in sys.argv:
            asyncio.run(_compare_commits(Path(folder), "Durable saves, 10 ms added to every fsync"))
            return
        asyncio.run(_compare_commits(Path(folder), "Durable saves"))
        sys.stdout.flush()
        _run_on_slow_disk(Path(folder))
        asyncio.run(_compare_claims(Path(folder)))
        asyncio.run(_compare_lag(Path(folder)))


def _run_on_slow_disk(folder: Path) -> None:
    """This program once more, in a process whose fsync takes 10 ms longer."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        print("\nNo table for a slow fsync: it takes Linux and a C compiler (apt install gcc libc6-dev).")
        return
    source, library = folder / "slow_fsync.c", folder / "slow_fsync.so"
    source.write_text(_SLOW_FSYNC, encoding="ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    command = [sys.executable, __file__, _SLOW_DISK]
    subprocess.run(command, env=os.environ | {"LD_PRELOAD": str(library)}, check=True)


async def _compare_commits(folder: Path, title: str) -> None:
    waiters, turns = 256, 20
    store = await SQLiteStore.open(folder / "commits.db")
    tasks = await asyncio.gather(*(store.tasks.add(_running(f"task {number}")) for number in range(waiters)))

    async def one_by_one() -> int:
        tasks[:] = [await store.tasks.save(task) for task in tasks]
        return waiters

    async def together() -> int:
        async def write(task: Task) -> None:
            for _ in range(turns):
                task = await store.tasks.save(task)

        await asyncio.gather(*(write(task) for task in tasks))
        return waiters * turns

    rows = []
    for name, work in (("one by one", one_by_one), (f"{waiters} waiters", together)):
        commits, cpu_s, began = store.commits, time.process_time(), time.perf_counter()
        writes = await work()
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
        rows.append((name, [writes / took_s, 1e6 * cpu_s / writes, writes / (store.commits - commits)]))
    await store.close()
    _print(title, ["per s", "CPU us each", "in one commit"], rows)


async def _compare_claims(folder: Path) -> None:
    rows = []
    for closed in (1_000, 100_000):
        store = await SQLiteStore.open(folder / f"claims {closed}.db")
        await _fill(store, closed)
        rows.append((f"{closed:,} closed", [await _median_ms(work) for work in _questions(store)]))
        await store.close()
    columns = ["claim 50, ms", "none due, ms", "updates, ms", "count, ms"]
    _print("The same 1,000 live tasks and updates beside a history", columns, rows)


async def _fill(store: SQLiteStore, closed: int) -> None:
    for first in range(0, closed, 1_000):
        numbers = range(first, first + 1_000)
        await asyncio.gather(*(store.tasks.add(_closed(f"closed {number}")) for number in numbers))
        await store.updates.add([StoredUpdate(number, number % 100, "{}") for number in numbers])
        await asyncio.gather(*(store.updates.finish(number) for number in numbers))
    await asyncio.gather(*(store.tasks.add(_running(f"running {number}")) for number in range(500)))
    await asyncio.gather(*(store.tasks.add(_waiting(f"waiting {number}")) for number in range(500)))
    await store.updates.add([StoredUpdate(closed + number, number % 500, "{}") for number in range(1_000)])


def _questions(store: SQLiteStore) -> list[Callable[[], Awaitable[object]]]:
    full = {"volcengine": 1}  # the running tasks have the slot: whoever waits goes on waiting
    return [
        lambda: store.tasks.claim(NOW, 60, 50, full),
        lambda: store.tasks.claim(NOW - HOUR, 60, 50, full),
        lambda: store.updates.claim(NOW, 60, 50),
        lambda: store.tasks.count_open(user_id=20),
    ]


async def _compare_lag(folder: Path) -> None:
    bursts, size = 30, 200
    store = await SQLiteStore.open(folder / "lag.db")
    tasks = await asyncio.gather(*(store.tasks.add(_running(f"task {number}")) for number in range(size)))

    async def on_the_thread() -> None:
        tasks[:] = await asyncio.gather(*(store.tasks.save(task) for task in tasks))

    thread_lag = await _lag_ms(on_the_thread, bursts)
    await store.close()

    file = await asyncio.to_thread(open_file, folder / "lag.db")

    async def on_the_loop() -> None:
        tasks[:] = [_save_at_once(file.connection, task) for task in tasks]

    loop_lag = await _lag_ms(on_the_loop, bursts)
    file.close()
    _print(
        f"Event loop lag while {size} saves come at once, every 50 ms",
        ["p50, ms", "p99, ms", "max, ms"],
        [("on the thread", thread_lag), ("sync, on the loop", loop_lag)],
    )


def _save_at_once(connection: sqlite3.Connection, task: Task) -> Task:
    """In autocommit mode the statement is a transaction of its own."""
    return save(connection, task, None, leased=False)


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(10):  # ten claims of 50 are the 500 that are due
        began = time.perf_counter()
        await work()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


async def _lag_ms(burst: Callable[[], Awaitable[None]], bursts: int) -> list[float]:
    """How late a sleeper of 1 ms wakes beside bursts of writes: median, 99th percentile, worst."""
    lags: list[float] = []

    async def sleep() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append(1000 * (time.perf_counter() - began - 0.001))

    sleeper = asyncio.create_task(sleep())
    for _ in range(bursts):
        await burst()
        await asyncio.sleep(0.05)
    sleeper.cancel()
    lags.sort()
    return [lags[len(lags) // 2], lags[len(lags) * 99 // 100], lags[-1]]


def _running(task_id: str) -> Task:
    return Task(
        id=task_id,
        card=CardRef(chat_id=10),
        user_id=20,
        language="en",
        provider="volcengine",
        request=VideoRequest(model="jimeng-pro", prompt="a paper boat in the rain", seconds=5, ratio="16:9"),
        state=TaskState.RUNNING,
        remote_id=f"remote {task_id}",
        created_at=NOW,
        queued_at=NOW,
        submitted_at=NOW,
        keep_until=NOW + HOUR,
        due_at=NOW,
    )


def _waiting(task_id: str) -> Task:
    return replace(_running(task_id), state=TaskState.QUEUED, remote_id=None, keep_until=None)


def _closed(task_id: str) -> Task:
    return _running(task_id).succeeded("https://videos.example/1.mp4", NOW + HOUR, NOW).delivered(NOW)


def _print(title: str, columns: list[str], rows: list[tuple[str, list[float]]]) -> None:
    print(f"\n{title}\n{'':18}" + "".join(f"{column:>16}" for column in columns))
    ratios = [second / first for first, second in zip(rows[0][1], rows[1][1], strict=True)]
    for name, figures in [*rows, ("ratio", ratios)]:
        print(f"{name:18}" + "".join(f"{figure:16,.2f}" for figure in figures))


if __name__ == "__main__":
    main()
