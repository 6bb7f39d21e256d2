"""A PostgreSQL of this machine for tests: a folder and a port of its own, no promise to the disk."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from bot.stores.postgres import PostgresStore

OLDEST = 15
_USER = "dreamreel"
_CLEAN = "clean"
_EMPTY = """DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version'
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
END $$"""
_START_LIMIT_S = 60.0
_CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres` of the newest version that is new enough."""
    found = {
        int(folder.parent.name): folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdecimal() and (folder / "initdb").exists()
    }
    if elsewhere := shutil.which("initdb"):
        folder = Path(elsewhere).resolve().parent
        printed = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, check=True)
        found.setdefault(int(printed.stdout.split()[2].split(".")[0]), folder)
    newest = max(found, default=0)
    return found[newest] if newest >= OLDEST else None


class PostgresServer:
    """StartInfo by `start`, gone with all its data after `stop`."""

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self._binaries = binaries
        self._durable = durable
        self._folder = Path(tempfile.mkdtemp(prefix="dreamreel-postgres-"))
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._has_clean = False
        # initdb and postgres refuse to run as root.
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def start(self) -> None:
        data = self._folder / "data"
        if not data.exists():
            self._run(
                "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
            )
        settings = [
            *("listen_addresses=127.0.0.1", "unix_socket_directories=", f"port={self._port}"),
            *("max_connections=200", "shared_buffers=128MB", "logging_collector=off"),
            *(() if self._durable else _CARELESS),
        ]
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", data, *(part for one in settings for part in ("-c", one))],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("ab"),
            **self._as,
        )
        self._wait()

    def halt(self, number: signal.Signals = signal.SIGINT) -> None:
        """End the server, its data stay. SIGINT cuts every connection, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_START_LIMIT_S)
            self._process = None

    def stop(self) -> None:
        self.halt(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, name: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/{name}"

    async def clean_database(self) -> str:
        """The address of the one with our tables in it, and nothing in them. Making one takes much longer."""
        url = self.url(_CLEAN)
        if not self._has_clean:
            await self._execute("postgres", f"CREATE DATABASE {_CLEAN}")
            await (await PostgresStore.open(url)).close()
            self._has_clean = True
        await self._execute(_CLEAN, _EMPTY)
        return url

    async def new_database(self) -> str:
        """The address of one without any table."""
        name = f"test_{next(self._numbers)}"
        await self._execute("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def ask(self, url: str, sql: str) -> str:
        """What `psql` prints for a query of one value; empty where there is no answer. Blocks."""
        done = subprocess.run(
            [self._binaries / "psql", "-X", "-A", "-t", "-q", "-d", url, "-c", sql],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    async def _execute(self, database: str, sql: str) -> None:
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self._binaries / program, *map(str, arguments)],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            **self._as,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def _wait(self) -> None:
        assert self._process is not None
        ready: list[str | Path] = [
            self._binaries / "pg_isready",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self._port),
        ]
        begun = time.monotonic()
        while subprocess.run(ready, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() - begun > _START_LIMIT_S:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
