"""Delivery: what twenty large videos at once cost, beside a plain copy of the same bytes.

`python benchmarks/delivery.py` takes about two minutes and two gigabytes of disk. The bot runs in a process
of its own; a provider and a Telegram in this one. Twenty jobs end at once, each with a real video of 45 MB.
The copy is aiohttp alone: it streams each download into an upload, and touches no disk. Both processes
measure themselves; what the bot's media worker processes need is told apart.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import aiohttp
from films import noise
from provider_server import ProviderServer
from running import BotHarness

from bot import app
from bot.log import set_up_logs
from bot.sandbox import SandboxServer
from bot.settings import load_settings, secrets_of

VIDEOS = 20
VIDEO_MB = 45
_NEVER = ("generating",) * 1_000_000
_PATIENCE_S = 300.0
_MB = 1_000_000
_GLANCE_S = 0.01


def main() -> None:
    match sys.argv[1:]:
        case ["bot"]:
            asyncio.run(_bot())
        case ["copy", url, *links]:
            asyncio.run(_copy(url, links))
        case _:
            asyncio.run(_benchmark())


async def _benchmark() -> None:
    with tempfile.TemporaryDirectory(prefix="delivery-") as folder:
        video = noise(30.0, VIDEO_MB * 8 / 30)
        async with SandboxServer() as server, ProviderServer(_NEVER, video=video) as provider:
            there = BotHarness(server, provider, Path(folder))
            figures = {"the bot": await _deliver(there), "a plain copy": await _copy_apart(there)}
    print(f"{VIDEOS} videos of {len(video) / _MB:.0f} MB at once")
    print("| | took, s | memory each, MB | CPU s per GB | lag p99, ms | longest | workers' CPU s per GB |")
    print("|---|---|---|---|---|---|---|")
    gigabytes = VIDEOS * len(video) / 1e9
    for name, it in figures.items():
        cells = [
            f"{it['took_s']:.1f}",
            f"{it['grown'] / _MB / VIDEOS:.2f}",
            f"{it['cpu_s'] / gigabytes:.2f}",
            f"{it['lag_p99_s'] * 1000:.1f}",
            f"{it['lag_max_s'] * 1000:.1f}",
            f"{it['workers_cpu_s'] / gigabytes:.2f}",
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


async def _deliver(there: BotHarness) -> dict[str, float]:
    values = there.values(volcengine_concurrency=str(VIDEOS), poll_max_seconds="1", log_level="error")
    environment = {name.upper(): value for name, value in values.items()}
    async with _process("bot", environment=environment) as child:
        people = [there.newcomer(f"Person {number}") for number in range(VIDEOS)]
        for number, (person, chat) in enumerate(people):
            there.world.say(person, chat, f"/video boat {number}")
        await there.until(lambda: len(there.provider.jobs) == VIDEOS, _PATIENCE_S)
        await _tell(child, "begin")
        for job in there.provider.jobs.values():
            job.polls = len(_NEVER)
        await there.until(lambda: all(there.videos(chat) for _, chat in people), _PATIENCE_S)
        return await _tell(child, "end")


async def _copy_apart(there: BotHarness) -> dict[str, float]:
    _, chat = there.newcomer()
    chat.started = True
    url = f"{there.server.url}/bot{there.server.token}/sendVideo?chat_id={chat.id}"
    links = [
        f"{there.provider.base_url}/videos/{job.task_id}.mp4?sign=s3cr3t-{job.task_id}"
        for job in there.provider.jobs.values()
    ]
    async with _process("copy", url, *links) as child:
        await _tell(child, "begin")
        return await _tell(child, "end")


async def _bot() -> None:
    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format, secrets_of(settings))
    running = asyncio.create_task(app.run(settings, lambda _: None))
    await _heard("begin")
    async with _measured() as meter:
        await _heard("end")
    _print(meter)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _copy(url: str, links: list[str]) -> None:
    async with aiohttp.ClientSession() as http:

        async def copy(link: str) -> None:
            async with http.get(link) as answer:
                form = aiohttp.FormData()
                form.add_field("video", answer.content, filename="video.mp4", content_type="video/mp4")
                async with http.post(url, data=form) as taken:
                    assert taken.status == 200, await taken.text()

        await _heard("begin")
        async with _measured() as meter:
            await asyncio.gather(*(copy(link) for link in links))
        await _heard("end")
        _print(meter)


@dataclass
class _Meter:
    lags_s: list[float]
    took_s: float = 0.0
    cpu_s: float = 0.0
    workers_cpu_s: float = 0.0
    grown: int = 0


@asynccontextmanager
async def _measured() -> AsyncIterator[_Meter]:
    """Of this process, from an idle moment on: what it takes, and how late its event loop wakes a sleeper."""
    meter = _Meter([])
    idle, cpu_s, workers_s, began = _memory(), _cpu_s(), _workers_cpu_s(), time.monotonic()

    async def watch() -> None:
        while True:
            due = time.monotonic() + _GLANCE_S
            await asyncio.sleep(_GLANCE_S)
            meter.lags_s.append(time.monotonic() - due)
            if len(meter.lags_s) % 10 == 0:
                meter.grown = max(meter.grown, _memory() - idle)

    watching = asyncio.create_task(watch())
    try:
        yield meter
    finally:
        watching.cancel()
        meter.took_s = time.monotonic() - began
        meter.cpu_s = _cpu_s() - cpu_s
        meter.workers_cpu_s = _workers_cpu_s() - workers_s


def _print(meter: _Meter) -> None:
    lags = sorted(meter.lags_s)
    figures = {
        "took_s": meter.took_s,
        "cpu_s": meter.cpu_s,
        "workers_cpu_s": meter.workers_cpu_s,
        "grown": meter.grown,
        "lag_p99_s": lags[int(0.99 * len(lags))],
        "lag_max_s": lags[-1],
    }
    print(json.dumps(figures), flush=True)


def _memory() -> int:
    """Resident, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _workers_cpu_s() -> float:
    """Of the children of this process that are still there."""
    ticks = 0
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = place.read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _process(
    *arguments: str, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        *arguments,
        env=kept | (environment or {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _tell(child: asyncio.subprocess.Process, word: str) -> dict[str, Any]:
    """After "end" comes what was measured."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{word}\n".encode())
    await child.stdin.drain()
    if word != "end":
        return {}
    figures: dict[str, Any] = json.loads(await child.stdout.readline())
    return figures


async def _heard(word: str) -> None:
    line = await asyncio.to_thread(sys.stdin.readline)
    assert line.strip() == word


if __name__ == "__main__":
    main()
