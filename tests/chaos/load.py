"""The processes of the bot: started as an operator starts them, ended by signals, started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import bot

PATIENCE_S = 90.0
"""For a start or an end, on a machine that is busy with other things."""
_GLANCE_S = 0.02
_DEFECTS = ("Traceback (most recent call last)", "a step failed", "Task exception was never retrieved")


class BotProcesses:
    """So many processes on one store; each prints into a file of its own in `folder`."""

    def __init__(self, folder: Path, values: dict[str, str], processes: int, code: Path | None) -> None:
        self._folder = folder
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            "PYTHONPATH": str(code or Path(bot.__file__).parents[1]),
            "PYTHONUNBUFFERED": "1",
            **{name.upper(): value for name, value in values.items()},
        }
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._logs: dict[int, Path] = {}
        self._numbers = range(processes)
        self._lives = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            for number in self._numbers:
                await self.start(number)
            yield
        finally:
            for number in self._processes:
                self.send(number, signal.SIGKILL)
                await self.has_ended(number)

    async def start(self, number: int) -> None:
        self._lives += 1
        log = self._folder / f"life-{self._lives:03}.log"
        with log.open("wb") as out:
            self._processes[number] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run"),
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
            )
        self._logs[number] = log

    async def says(self, *arguments: str) -> str:
        """What `python -m bot` with these arguments prints beside them."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        return (await process.communicate())[0].decode()

    async def has_begun(self, number: int) -> None:
        """Until it is up; AssertionError with what it printed when it ended instead.

        Status 1 is a start that may work later, say once the database is back: it is repeated, as a service
        manager does.
        """
        async with asyncio.timeout(PATIENCE_S):
            while "Dreamreel is up" not in (printed := self._logs[number].read_text(errors="replace")):
                if self._processes[number].returncode == 1 and "Traceback" not in printed:
                    await self.start(number)
                assert self._processes[number].returncode is None, f"the bot did not start:\n{printed}"
                await asyncio.sleep(_GLANCE_S)  # a file has no event

    def send(self, number: int, what: signal.Signals) -> None:
        if self._processes[number].returncode is None:
            self._processes[number].send_signal(what)

    async def has_ended(self, number: int) -> int:
        """Its exit code, once it has ended."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._processes[number].wait()

    def printed(self) -> str:
        return "".join(log.read_text(errors="replace") for log in sorted(self._folder.glob("life-*.log")))

    def complaints(self) -> list[str]:
        """Lines in which a process speaks of a defect of its own."""
        lines = self.printed().splitlines()
        return [f"a process printed: {line}" for line in lines if any(sign in line for sign in _DEFECTS)]
