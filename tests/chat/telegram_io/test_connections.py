"""Connections to Telegram: many at once where many are needed, and few that are kept."""

from __future__ import annotations

import asyncio

from aiohttp import web
from running import open_gate

from bot.chat.telegram_io.client import connect

TOKEN = "1234567:" + "a" * 35
AT_ONCE = 32


async def test_after_a_burst_of_calls_only_a_few_connections_stay_open() -> None:
    arrived, all_arrived = [], asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        arrived.append(request)
        if len(arrived) == AT_ONCE:
            all_arrived.set()
        await all_arrived.wait()
        return web.json_response({"ok": True, "result": True})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot = connect(TOKEN, f"http://127.0.0.1:{runner.addresses[0][1]}", open_gate())
    try:
        await bot.request.initialize()
        async with asyncio.timeout(10):
            await asyncio.gather(*(bot.log_out() for _ in range(AT_ONCE)))
            await bot.log_out()  # what is too much is closed at the next call at the latest
            assert runner.server is not None
            while len(runner.server.connections) > 8:
                await asyncio.sleep(0.01)
        assert len(arrived) == AT_ONCE + 1
    finally:
        await bot.request.shutdown()
        await runner.cleanup()
