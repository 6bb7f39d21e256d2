"""PostgreSQL behind a failover or a pooler, and databases that cannot hold what people write."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import asyncpg
import pytest
from fakes import a_task
from postgres_server import PostgresServer

from bot.errors import SettingsError, StartError
from bot.stores.open import examine_store
from bot.stores.postgres import PostgresStore
from bot.stores.postgres.connection.pool import Connection

_SSL_REQUEST = 80877103
_POOLER_TAKES = {"user", "database", "application_name", "client_encoding"}


class Address:
    """One address that leads to a server, and after a failover to another one. What is open stays open."""

    def __init__(self, port: int) -> None:
        self.leads_to = port
        self.made = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        answers, questions = await asyncio.open_connection("127.0.0.1", self.leads_to)
        await asyncio.gather(_pump(reader, questions), _pump(answers, writer))


class Pooler(Address):
    """Refuses start-up parameters that it does not know, as PgBouncer does."""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(8)
            length, code = struct.unpack("!II", head)
            body = await reader.readexactly(length - 8)
            if code != _SSL_REQUEST:
                break
            writer.write(b"N")
        names = set(body.split(b"\0")[:-2:2])
        if strange := {name.decode() for name in names} - _POOLER_TAKES:
            words = f"SFATAL\0C08P01\0Munsupported startup parameter: {min(strange)}\0\0".encode()
            writer.write(b"E" + struct.pack("!I", len(words) + 4) + words)
            writer.close()
            return
        answers, questions = await asyncio.open_connection("127.0.0.1", self.leads_to)
        questions.write(head + body)
        await asyncio.gather(_pump(reader, questions), _pump(answers, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
    sink.close()


@asynccontextmanager
async def listening(address: Address, url: str) -> AsyncIterator[str]:
    server = await asyncio.start_server(address.carry, "127.0.0.1", 0)
    try:
        yield url.replace(f":{urlsplit(url).port}", f":{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


async def become_standby(url: str) -> None:
    """From here on it refuses every write with 25006, and keeps the connections that it has."""
    await execute(url, "ALTER SYSTEM SET default_transaction_read_only = on")
    await execute(url, "SELECT pg_reload_conf()")
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(20):
            while await connection.fetchval("SHOW default_transaction_read_only") != "on":
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


async def test_after_a_failover_the_new_primary_is_found_at_the_same_address(
    fragile: PostgresServer, postgres: PostgresServer
) -> None:
    first, second = await fragile.clean_database(), await postgres.clean_database()
    address = Address(port_of(first))
    async with listening(address, first) as url:
        store = await PostgresStore.open(url)
        heard = asyncio.Event()
        store.leases.on_work(heard.set)
        await asyncio.wait_for(heard.wait(), 20)
        await store.tasks.add(a_task("before"))
        await become_standby(first)
        address.leads_to = port_of(second)
        heard.clear()
        await store.tasks.add(a_task("after"))
        assert await store.tasks.get("after") is not None, "it is read from where it was written"
        assert await store.tasks.get("before") is None
        await asyncio.wait_for(heard.wait(), 20)  # the listener has moved too
        await store.close()
    near = await PostgresStore.open(second)
    assert await near.tasks.get("after") is not None
    await near.close()


async def test_of_several_hosts_the_one_that_takes_writes_is_used(
    fragile: PostgresServer, postgres: PostgresServer
) -> None:
    first, second = await fragile.clean_database(), await postgres.clean_database()
    await become_standby(first)
    hosts = f"127.0.0.1:{port_of(first)},127.0.0.1:{port_of(second)}"
    store = await PostgresStore.open(first.replace(f"127.0.0.1:{port_of(first)}", hosts))
    await store.tasks.add(a_task())
    await store.close()
    with pytest.raises(StartError, match="takes no writes, it is a standby: name the primary"):
        await PostgresStore.open(first, patience_s=0)
    assert (await examine_store(first)).problem == "takes no writes, it is a standby"


async def test_a_pooler_that_refuses_parameters_at_the_start_of_a_connection_is_no_obstacle(
    postgres: PostgresServer,
) -> None:
    url = await postgres.clean_database()
    async with listening(Pooler(port_of(url)), url) as pooled:
        store = await PostgresStore.open(pooled, patience_s=0)
        heard = asyncio.Event()
        store.leases.on_work(heard.set)
        await asyncio.wait_for(heard.wait(), 20)

        async def settings(connection: Connection) -> list[str]:
            return [
                await connection.fetchval(f"SHOW {name}")
                for name in ("jit", "enable_seqscan", "enable_bitmapscan", "timezone")
            ]

        assert await store._db.connections.read(settings) == ["off", "off", "off", "UTC"]
        assert (await examine_store(pooled)).problem == ""
        await store.close()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_cannot_hold_what_people_write_is_refused_at_the_start(
    postgres: PostgresServer, encoding: str
) -> None:
    name = f"old_{encoding.lower()}"
    await execute(
        postgres.url("postgres"), f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0"
    )
    with pytest.raises(SettingsError, match=f"has the encoding {encoding}, which cannot hold what people"):
        await PostgresStore.open(postgres.url(name))
    found = await examine_store(postgres.url(name))
    assert f"has the encoding {encoding}" in found.problem
    assert "ENCODING 'UTF8'" in found.mend
