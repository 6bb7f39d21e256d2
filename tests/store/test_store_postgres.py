"""What is PostgreSQL's own: several processes on one database, lost connections, and the way it is opened."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from fakes import a_task, changed_task
from postgres_server import PostgresServer

from bot.errors import SettingsError, StaleTask, StartError, StoreError, Unstorable
from bot.send_rates import Limit, Limits, Urgency
from bot.store import Store, StoredUpdate
from bot.stores.postgres import PostgresStore
from bot.stores.values import TASK_COLUMNS
from bot.task import Task, TaskState

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LEASE_S = 60.0
NO_LIMIT: dict[str, int] = {}
_: type[Store] = PostgresStore


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    return await postgres.clean_database()


class Fleet:
    """Stores on one database, as so many processes have them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stores: list[PostgresStore] = []

    async def join(self) -> PostgresStore:
        self.stores.append(await PostgresStore.open(self.url, lambda: NOW))
        return self.stores[-1]

    async def sql(self, statement: str, *values: Any) -> Any:
        """What the statement gives, one row's first value."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()


@pytest.fixture
async def fleet(url: str) -> AsyncIterator[Fleet]:
    made = Fleet(url)
    yield made
    for store in made.stores:
        await store.close()


@pytest.fixture
async def store(fleet: Fleet) -> PostgresStore:
    return await fleet.join()


def waiting(number: int, **changes: Any) -> Task:
    return a_task(f"task-{number}", **changes)


def running(number: int, **changes: Any) -> Task:
    return waiting(
        number, state=TaskState.RUNNING, remote_id="job", keep_until=NOW + timedelta(hours=1), **changes
    )


# Several processes.


async def test_a_lease_that_comes_after_who_wanted_it_was_cut_short_ends_at_a_stop(fleet: Fleet) -> None:
    first, second = await fleet.join(), await fleet.join()
    await fleet.sql("INSERT INTO leases VALUES ('card', 'gone', now() - interval '1 minute')")
    other = await asyncpg.connect(fleet.url)
    try:
        async with asyncio.timeout(20), other.transaction():
            await other.execute("SELECT 1 FROM leases FOR UPDATE")
            taking = asyncio.create_task(first.leases.take_lease("card", 60))
            while not await fleet.sql("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
            taking.cancel()
            release = asyncio.create_task(first.tasks.release())
            await asyncio.wait([release], timeout=0.3)
        await asyncio.wait_for(release, 20)
    finally:
        await other.close()
    assert await second.leases.take_lease("card", 60)


async def test_four_processes_never_spend_more_than_the_budget(fleet: Fleet) -> None:
    stores = [await fleet.join() for _ in range(4)]

    async def order(store: PostgresStore, user_id: int) -> None:
        if await store.budget.reserve(user_id, Decimal(1), Decimal(10), since=NOW, now=NOW) >= 1:
            task = replace(waiting(user_id), user_id=user_id, price=Decimal(1), queued_at=NOW)
            await store.tasks.add(task)
        await store.budget.cancel_reservation(user_id)

    people = enumerate(store for store in stores for _ in range(15))
    await asyncio.gather(*(order(store, user_id) for user_id, store in people))
    assert await stores[0].budget.spent_since(NOW) == 10


async def test_four_processes_never_run_an_eleventh_job_on_a_limit_of_ten(fleet: Fleet) -> None:
    stores = [await fleet.join() for _ in range(4)]
    await asyncio.gather(*(stores[0].tasks.add(waiting(number)) for number in range(120)))
    at_once = [store.tasks.claim(NOW, LEASE_S, 3, {"cloud": 10}) for store in stores for _ in range(4)]
    assert sum(map(len, await asyncio.gather(*at_once))) == 10
    for store in stores:
        await store.tasks.release()
    running: set[str] = set()
    most, claimed = 0, list[str]()

    async def work(store: PostgresStore) -> None:
        nonlocal most
        while await store.tasks.count_open() > 0:
            for task in await store.tasks.claim(NOW, LEASE_S, 3, {"cloud": 10}):
                claimed.append(task.id)
                running.add(task.id)
                most = max(most, len(running))
                sent = await store.tasks.save(
                    task.submitting(NOW, NOW + timedelta(seconds=LEASE_S), NOW + timedelta(hours=1)),
                    leased=True,
                )
                made = sent.accepted("job", NOW, NOW + timedelta(hours=1))
                running.discard(task.id)
                await store.tasks.save(made.succeeded("https://video", NOW, NOW).delivered(NOW))

    await asyncio.gather(*(work(store) for store in stores for _ in range(4)))
    assert sorted(claimed) == sorted(f"task-{number}" for number in range(120)), "none twice, none left"
    assert most <= 10


async def test_a_stop_ends_the_leases_of_its_own_process_alone(fleet: Fleet) -> None:
    first, second = await fleet.join(), await fleet.join()
    await first.tasks.add(waiting(1))
    [task] = await first.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT)
    await first.updates.add([StoredUpdate(1, 10, "{}")])
    await first.updates.claim(NOW, LEASE_S, 1)
    assert await second.tasks.release() == 0
    assert await (await fleet.join()).tasks.release() == 0, "nor does a start"
    assert await second.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT) == []
    assert await first.tasks.save(task) is not None
    assert await first.tasks.release() == 1


async def die(fleet: Fleet, store: PostgresStore) -> None:
    """Its last sign of life is long ago, as after `kill -9`; then another process has a look."""
    await fleet.sql(
        "UPDATE processes SET alive_until = now() - interval '1 minute' WHERE id = $1", store._db.me
    )
    await fleet.stores[-1]._heartbeat.release_dead_leases()


async def test_the_leases_of_a_dead_process_end_and_it_is_refused(fleet: Fleet) -> None:
    dead, alive = await fleet.join(), await fleet.join()
    await dead.tasks.add(waiting(1))
    await dead.updates.add([StoredUpdate(1, 10, "{}")])
    await dead.updates.claim(NOW, LEASE_S, 1)
    [task] = await dead.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT)
    await die(fleet, dead)
    with pytest.raises(StaleTask):
        await dead.tasks.save(task)
    assert [one.id for one in await alive.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT)] == [task.id]
    [update] = await alive.updates.claim(NOW, LEASE_S, 1)
    assert (update.attempts, update.was_cut_short) == (1, True), "it may be what killed the process"


async def test_a_submit_in_flight_outlives_the_belief_that_its_process_is_dead(fleet: Fleet) -> None:
    cut_off, alive = await fleet.join(), await fleet.join()
    await cut_off.tasks.add(waiting(1))
    [task] = await cut_off.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT)
    end = NOW + timedelta(seconds=LEASE_S)
    sent = await cut_off.tasks.save(task.submitting(NOW, end, NOW + timedelta(hours=1)), leased=True)
    await die(fleet, cut_off)
    await fleet.join()
    assert await alive.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT) == []
    assert (await cut_off.tasks.save(sent.accepted("job-1", end, end))).state is TaskState.RUNNING


async def test_what_a_killed_process_held_by_name_is_free_and_what_a_silent_one_holds_is_not(
    fleet: Fleet,
) -> None:
    killed, silent, alive = await fleet.join(), await fleet.join(), await fleet.join()
    await killed.close()  # its connections are gone, and so is its lock
    await fleet.sql(
        "INSERT INTO leases (name, owner, until) VALUES ('orders of 7', $1, now() + interval '1 hour')",
        killed._db.me,
    )
    await fleet.sql("INSERT INTO processes (id, alive_until) VALUES ($1, now())", killed._db.me)
    assert await silent.leases.take_lease("orders of 8", 60)
    await die(fleet, silent)
    assert await alive.leases.take_lease("orders of 7", 60)
    assert not await alive.leases.take_lease("orders of 8", 60)


# Saving.


async def test_saves_that_wait_together_share_a_commit(store: PostgresStore) -> None:
    tasks = [await store.tasks.add(running(number)) for number in range(100)]
    saved = await asyncio.gather(*(store.tasks.save(task) for task in tasks))
    assert [task.version for task in saved] == [task.version + 1 for task in tasks]
    assert store.commits <= 3


async def test_a_refused_save_does_not_spoil_its_group(store: PostgresStore) -> None:
    tasks = [await store.tasks.add(running(number)) for number in range(5)]
    tasks[2] = replace(tasks[2], language="\0")
    ends = await asyncio.gather(*(store.tasks.save(task) for task in tasks), return_exceptions=True)
    assert [type(end) for end in ends] == [Task, Task, Unstorable, Task, Task]


async def test_a_text_with_nul_is_stored_without_it(store: PostgresStore) -> None:
    task = await store.tasks.add(waiting(1, user_name="A\0da", error_detail="\0"))
    stored = await store.tasks.get(task.id)
    assert stored is not None
    assert (stored.user_name, stored.error_detail) == ("Ada", "")


async def test_a_caller_that_is_cancelled_does_not_take_its_save_back(fleet: Fleet) -> None:
    store = await fleet.join()
    task = await store.tasks.add(waiting(1))
    saving = asyncio.create_task(store.tasks.save(changed_task(task, card_id=99)))
    await asyncio.sleep(0)
    saving.cancel()
    await store.close()
    stored = await (await fleet.join()).tasks.get(task.id)
    assert stored is not None
    assert stored.card.card_id == 99


# The connection.


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGQUIT])
async def test_a_restart_of_the_database_is_sat_out_and_loses_nothing(
    fragile: PostgresServer, end: signal.Signals
) -> None:
    store = await PostgresStore.open(await fragile.new_database())
    tasks = [await store.tasks.add(waiting(number)) for number in range(20)]
    await asyncio.to_thread(fragile.halt, end)
    with pytest.raises(StoreError):
        await store.tasks.get(tasks[0].id)
    saving = [asyncio.create_task(store.tasks.save(changed_task(task, card_id=7))) for task in tasks]
    await asyncio.to_thread(fragile.start)
    ends = await asyncio.gather(*saving, return_exceptions=True)
    assert all(isinstance(end, Task | StoreError) for end in ends)
    for task, end_of_save in zip(tasks, ends, strict=True):
        stored = await store.tasks.get(task.id)
        assert stored == (end_of_save if isinstance(end_of_save, Task) else task)
    assert len(await store.tasks.claim(NOW, LEASE_S, 50, NO_LIMIT)) == 20
    await store.close()


class Wire:
    """What lies between the store and its server. While it is `deaf`, no answer comes back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self.deaf = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", self._port)
        self._pairs.append((writer, questions))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, back: bool) -> None:
            with suppress(ConnectionError):
                while data := await source.read(65536):
                    if not (back and self.deaf):
                        sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, questions, back=False), pump(answers, writer, back=True))

    def cut(self) -> None:
        for pair in self._pairs:
            for writer in pair:
                writer.close()
        self._pairs.clear()


async def test_a_save_whose_confirmation_was_lost_is_found_to_be_saved(url: str) -> None:
    wire = Wire(urlsplit(url).port or 0)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    far = url.replace(f":{urlsplit(url).port}", f":{server.sockets[0].getsockname()[1]}")
    store = await PostgresStore.open(far)
    near = Fleet(url)
    task = await store.tasks.save(
        await store.tasks.add(running(1))
    )  # from here on the connection knows the statement
    wire.deaf = True
    saving = asyncio.create_task(store.tasks.save(changed_task(task, card_id=7)))
    async with asyncio.timeout(20):
        while await near.sql("SELECT version FROM tasks") == task.version:
            await asyncio.sleep(0.01)
    wire.deaf = False
    wire.cut()
    assert (
        await saving
        == await store.tasks.get(task.id)
        == changed_task(task, card_id=7, version=task.version + 1)
    )
    await store.close()
    server.close()
    await server.wait_closed()


# Opening.


async def test_processes_that_start_together_make_the_tables_once(postgres: PostgresServer) -> None:
    url = await postgres.new_database()
    stores = await asyncio.gather(*(PostgresStore.open(url) for _ in range(5)))
    assert await stores[0].tasks.count_open() == 0
    for store in stores:
        await store.close()


async def test_a_database_of_a_newer_version_is_left_alone(postgres: PostgresServer) -> None:
    fleet = Fleet(await postgres.new_database())
    await (await fleet.join()).close()
    await fleet.sql("INSERT INTO schema_version VALUES (9999)")
    with pytest.raises(SettingsError, match="newer Dreamreel"):
        await PostgresStore.open(fleet.url)


async def test_who_cannot_connect_reads_one_sentence_without_the_password(postgres: PostgresServer) -> None:
    secret = "s3cret-passw0rd"
    here = postgres.url("postgres").replace("@", f":{secret}@")
    with pytest.raises(SettingsError, match="no database of this name") as no_database:
        await PostgresStore.open(here.replace("/postgres", "/nowhere"))
    with pytest.raises(StartError, match="does not answer") as nobody_there:
        await PostgresStore.open(f"postgresql://ada:{secret}@127.0.0.1:1/boats", patience_s=0)
    with pytest.raises(SettingsError, match="cannot be read") as unreadable:
        await PostgresStore.open(f"postgresql://ada:{secret}@127.0.0.1:port/boats")
    with pytest.raises(SettingsError, match="cannot be read") as too_high:
        await PostgresStore.open(f"postgresql://ada:{secret}@127.0.0.1:99999/boats")
    for caught in (no_database, nobody_there, unreadable, too_high):
        assert secret not in str(caught.value)
        assert caught.value.__cause__ is None


async def test_every_field_of_a_task_has_a_column(fleet: Fleet) -> None:
    columns = await fleet.sql(
        "SELECT array_agg(column_name::text) FROM information_schema.columns WHERE table_name = 'tasks'"
    )
    own = {"due_before_lease", "leased_by", "place", "queue_tag", "chat_queue_tag", "moved_by"}
    assert set(columns) == set(TASK_COLUMNS) | own


# What processes need of each other.


async def test_a_lease_on_a_name_is_one_process_s_until_it_ends(fleet: Fleet) -> None:
    first, second = await fleet.join(), await fleet.join()
    assert await first.leases.take_lease("polling", 60)
    assert not await second.leases.take_lease("polling", 60)
    assert await second.leases.take_lease("another", 60)
    assert await first.leases.take_lease("polling", 60), "it is kept"
    assert (await first.leases.holds_lease("polling"), await second.leases.holds_lease("polling")) == (
        True,
        False,
    )
    assert await second.leases.count_processes() == 2
    await second.leases.end_lease("polling")
    assert not await second.leases.take_lease("polling", 60), "somebody else's is left alone"
    await first.leases.end_lease("polling")
    assert await second.leases.take_lease("polling", 0)
    assert await first.leases.take_lease("polling", 60), "it ran out"


async def test_of_many_who_want_a_name_at_once_one_process_gets_it(fleet: Fleet) -> None:
    stores = [await fleet.join() for _ in range(3)]
    for turn in range(5):
        taken = await asyncio.gather(*(store.leases.take_lease(f"turn {turn}", 60) for store in stores))
        assert taken.count(True) == 1


async def test_a_card_belongs_to_whoever_moved_its_task_last(fleet: Fleet) -> None:
    first, second = await fleet.join(), await fleet.join()
    task = await first.tasks.add(waiting(1))
    assert await first.leases.is_ours(task.id)
    assert not await second.leases.is_ours(task.id)
    [claimed] = await second.tasks.claim(NOW, LEASE_S, 1, NO_LIMIT)
    assert await second.leases.is_ours(task.id)
    assert not await first.leases.is_ours(task.id)
    await second.tasks.save(claimed)
    await second.close()
    assert await first.leases.is_ours(task.id), "its process is gone"
    assert await first.leases.is_ours("not stored so far")


async def test_all_processes_hear_of_work_but_not_of_looks(fleet: Fleet) -> None:
    first, second = await fleet.join(), await fleet.join()
    heard = asyncio.Event()
    second.leases.on_work(heard.set)
    async with asyncio.timeout(20):
        await heard.wait()  # once, as it begins to listen
        heard.clear()
        job = await first.tasks.add(running(1))
        job = await first.tasks.save(job.polled(0.5, NOW))
        assert not heard.is_set()
        await first.tasks.add(waiting(2))
        await heard.wait()
        heard.clear()
        await first.tasks.save(job.succeeded("https://video", NOW, NOW))
        await heard.wait()  # a slot came free
        heard.clear()
        await first.updates.add([StoredUpdate(1, 10, "{}")])
        await heard.wait()


async def test_all_processes_share_the_clock_of_the_server(fleet: Fleet) -> None:
    store = await PostgresStore.open(fleet.url)
    at = await fleet.sql("SELECT clock_timestamp()")
    assert abs(store.leases.now() - at) < timedelta(seconds=5)
    await store.close()


async def test_sending_rates_are_shared(fleet: Fleet) -> None:
    stores = [await fleet.join() for _ in range(3)]
    limits = Limits(Limit(0.1, 3), Limit(1.0, 2), Limit(10.0, 2))
    delays = await asyncio.gather(
        *(store.rates.take_turn(chat, Urgency.NEXT, NOW, limits) for chat in range(1, 5) for store in stores)
    )
    assert sum(delay.is_over for delay in delays) == 3


async def test_an_update_that_a_stop_cut_short_has_had_no_attempt(fleet: Fleet) -> None:
    stopped, alive = await fleet.join(), await fleet.join()
    await stopped.updates.add([StoredUpdate(1, 10, "{}")])
    await stopped.updates.claim(NOW, LEASE_S, 1)
    await stopped.tasks.release()
    [update] = await alive.updates.claim(NOW, LEASE_S, 1)
    assert (update.attempts, update.was_cut_short) == (0, False)


async def test_an_update_whose_process_left_without_a_release_has_had_an_attempt(fleet: Fleet) -> None:
    gone, alive = await fleet.join(), await fleet.join()
    await gone.updates.add([StoredUpdate(1, 10, "{}")])
    await gone.updates.claim(NOW, LEASE_S, 1)
    await fleet.sql("DELETE FROM processes WHERE id = $1", gone._db.me)
    await alive.tasks.release()
    [update] = await alive.updates.claim(NOW, LEASE_S, 1)
    assert (update.attempts, update.was_cut_short) == (1, True)
