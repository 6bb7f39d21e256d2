"""The adapters: how many answers a second each reads, and what a submit with a 4 MB photo costs.

`python benchmarks/providers.py` prints two tables in under a minute. Only ratios inside one table count.
Reading is compared with the JSON parser alone on the same bytes; a submit with sending the same bytes, made
ready beforehand, by aiohttp alone. Both talk to one server in another process, whose work is not counted.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.provider import Photo, PhotoLink
from bot.providers.wire.http import Answer, Call
from bot.request import Mode, VideoModel, VideoRequest, settle

TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))

from provider_wire import NAMES, Adapter, adapter  # noqa: E402 - the tests' own
from test_provider_contract import ACCEPTED, DONE  # noqa: E402

PHOTO = bytes(range(256)) * (4_000_000 // 256)
SUBMITS = 20


def main() -> None:
    _print(
        "Answers read, thousands a second",
        ["JSON alone", "read", "share"],
        [(name, _reading(name)) for name in NAMES],
    )
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    base_url: str = ours.recv()
    try:
        rows = [(name, asyncio.run(_submitting(name, base_url))) for name in NAMES]
    finally:
        server.terminate()
    _print(
        "CPU of a submit with a 4 MB photo (a link where the system takes links), ms",
        ["body, MB", "aiohttp alone", "submit", "ratio"],
        rows,
    )


def _reading(name: str) -> list[float]:
    read = import_module(f"bot.providers.{name}").read_poll
    raw = json.dumps(DONE[name]).encode()
    alone = _per_s(lambda: json.loads(raw))
    whole = _per_s(lambda: read(Answer(Call.POLL, 200, json.loads(raw))))
    return [alone / 1e3, whole / 1e3, whole / alone]


def _per_s(work: Callable[[], object]) -> float:
    """The best of five rounds: whatever else the machine does only ever slows one down."""
    rates = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(5_000):
            work()
        rates.append(5_000 / (time.process_time() - began))
    return max(rates)


async def _submitting(name: str, base_url: str) -> list[float]:
    provider = adapter(name, f"{base_url}/{name}")
    model = next(model for model in provider.models if Mode.FIRST_FRAME in model.modes)
    request = settle(VideoRequest(model=model.name, prompt="the leaves move", photos=("file-1",)), model)
    link = PhotoLink("https://bot.example/photo.jpg", 1600, 900)
    photos: list[Photo] = [PHOTO if model.photo_as == "bytes" else link]
    await provider.submit(request, photos, "warm-up")
    async with aiohttp.ClientSession() as session, session.get(f"{base_url}/last") as last:
        body = await last.read()
        alone, whole = [], []
        for _ in range(SUBMITS):
            alone.append(await _cpu_ms(_send(f"{base_url}/{name}", body)))
            whole.append(await _cpu_ms(_submit(provider, request, photos, model)))
    ratio = statistics.median(whole) / statistics.median(alone)
    return [len(body) / 1e6, statistics.median(alone), statistics.median(whole), ratio]


async def _submit(provider: Adapter, request: VideoRequest, photos: list[Photo], model: VideoModel) -> None:
    await provider.submit(request, photos, model.name)


async def _send(url: str, body: bytes) -> None:
    """On a connection of its own, as a submit is sent."""
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as response:
        await response.read()


async def _cpu_ms(work: Any) -> float:
    began = time.process_time()
    await work
    return 1e3 * (time.process_time() - began)


def _serve(pipe: Connection) -> None:
    """Accepts every job; `/last` is the body of the last one."""
    bodies = [b""]

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/last":
            return web.Response(body=bodies[-1])
        bodies[:] = [await request.read()]
        return web.json_response(ACCEPTED[request.path.split("/")[1]])

    async def serve() -> None:
        app = web.Application(client_max_size=20_000_000)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await asyncio.Event().wait()

    asyncio.run(serve())


def _print(title: str, columns: list[str], rows: list[tuple[str, list[float]]]) -> None:
    print(f"\n{title}\n")
    print(" " * 16 + "".join(f"{column:>15}" for column in columns))
    for name, figures in rows:
        print(f"{name:16}" + "".join(f"{figure:15.2f}" for figure in figures))


if __name__ == "__main__":
    main()
