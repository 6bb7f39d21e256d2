"""Updates wait until they are confirmed, by polling or by a webhook, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import telegram
from aiohttp import web
from sandbox_client import Sandbox, running_sandbox

from bot.sandbox import Json


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


def _say(sandbox: Sandbox, *texts: str) -> None:
    for text in texts:
        sandbox.world.say(sandbox.ada, sandbox.private, text)


async def _texts(sandbox: Sandbox, **params: object) -> list[str]:
    answer = await sandbox.call("getUpdates", **params)
    return [update["message"]["text"] for update in answer["result"]]


async def test_updates_come_again_until_a_higher_offset_confirms_them(sandbox: Sandbox) -> None:
    sandbox.world.updates.next_id = 500
    _say(sandbox, "one", "two", "three")
    assert await _texts(sandbox) == ["one", "two", "three"]
    assert await _texts(sandbox, limit=2) == ["one", "two"]
    assert await _texts(sandbox, offset=501) == ["two", "three"]
    assert await _texts(sandbox) == ["two", "three"]
    assert await _texts(sandbox, offset=503) == []


async def test_a_negative_offset_keeps_only_the_last(sandbox: Sandbox) -> None:
    _say(sandbox, "one", "two", "three")
    assert await _texts(sandbox, offset=-1) == ["three"]
    assert await _texts(sandbox) == ["three"]


async def test_a_long_poll_is_answered_when_something_happens(sandbox: Sandbox) -> None:
    poll = asyncio.create_task(sandbox.bot.get_updates(timeout=30))
    await sandbox.server.wait_for(lambda: sandbox.server.calls_of("getUpdates"))
    _say(sandbox, "hello")
    (update,) = await poll
    assert update.message is not None
    assert update.message.text == "hello"


async def test_a_long_poll_ends_empty_when_its_time_is_over(sandbox: Sandbox) -> None:
    assert await sandbox.bot.get_updates(timeout=1) == ()


async def test_a_poller_that_vanishes_takes_no_update_with_it(sandbox: Sandbox) -> None:
    poll = asyncio.create_task(sandbox.call("getUpdates", timeout=30))
    await sandbox.server.wait_for(lambda: sandbox.server.calls_of("getUpdates"))
    poll.cancel()
    _say(sandbox, "hello")
    assert await _texts(sandbox) == ["hello"]


async def test_the_second_poller_ends_the_first(sandbox: Sandbox) -> None:
    first = asyncio.create_task(sandbox.bot.get_updates(timeout=30))
    await sandbox.server.wait_for(lambda: sandbox.server.calls_of("getUpdates"))
    second = asyncio.create_task(sandbox.call("getUpdates", timeout=30))
    with pytest.raises(telegram.error.Conflict) as conflict:
        await first
    assert str(conflict.value) == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    _say(sandbox, "hello")
    assert len((await second)["result"]) == 1


async def test_a_repeated_update_comes_back_with_its_old_number(sandbox: Sandbox) -> None:
    _say(sandbox, "one", "two")
    first, _ = await sandbox.updates()
    sandbox.world.updates.repeat(first["update_id"])
    assert (await sandbox.call("getUpdates", offset=3))["result"] == [first]
    assert (await sandbox.call("getUpdates", offset=3))["result"] == []


async def test_only_the_kinds_asked_for_are_queued_and_the_choice_is_remembered(sandbox: Sandbox) -> None:
    await sandbox.bot.get_updates(allowed_updates=["callback_query"])
    _say(sandbox, "unheard")
    assert await sandbox.updates() == []
    await sandbox.bot.get_updates(allowed_updates=[])
    _say(sandbox, "heard")
    assert [message["text"] for message in await sandbox.messages()] == ["heard"]


@asynccontextmanager
async def _receiver(statuses: list[int]) -> AsyncIterator[tuple[str, asyncio.Queue[tuple[Json, str | None]]]]:
    """A bot's webhook that answers with these statuses in turn, then with 200."""
    received: asyncio.Queue[tuple[Json, str | None]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        received.put_nowait((await request.json(), request.headers.get("X-Telegram-Bot-Api-Secret-Token")))
        return web.Response(status=statuses.pop(0) if statuses else 200)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", received
    finally:
        await runner.cleanup()


async def test_a_webhook_gets_updates_in_order_with_the_secret_until_it_takes_them(sandbox: Sandbox) -> None:
    async with _receiver([500, 503]) as (url, received):
        await sandbox.bot.set_webhook(url, secret_token="s3cret")
        _say(sandbox, "one", "two")
        got = [await asyncio.wait_for(received.get(), 5) for _ in range(4)]
        assert [update["message"]["text"] for update, _ in got] == ["one", "one", "one", "two"]
        assert {secret for _, secret in got} == {"s3cret"}
        # That it was taken shows nowhere in the chat, so nothing wakes a waiter: look again and again.
        async with asyncio.timeout(10):
            while sandbox.world.updates.pending:
                await asyncio.sleep(0.01)
        info = await sandbox.bot.get_webhook_info()
        assert (info.url, info.pending_update_count) == (url, 0)
        assert info.last_error_message == "Wrong response from the webhook: 503 Service Unavailable"


async def test_updates_wait_for_a_webhook_that_is_away(sandbox: Sandbox) -> None:
    _say(sandbox, "early")
    async with _receiver([]) as (url, received):
        await sandbox.bot.set_webhook(url)
        update, secret = await asyncio.wait_for(received.get(), 5)
        assert update["message"]["text"] == "early"
        assert secret is None
        sandbox.world.updates.repeat()
        assert await asyncio.wait_for(received.get(), 5) == (update, None)


async def test_polling_is_refused_while_a_webhook_is_set(sandbox: Sandbox) -> None:
    async with _receiver([]) as (url, _received):
        await sandbox.bot.set_webhook(url)
        with pytest.raises(
            telegram.error.Conflict, match="can't use getUpdates method while webhook is active"
        ):
            await sandbox.bot.get_updates()
        await sandbox.bot.delete_webhook()
        assert await sandbox.bot.get_updates() == ()


async def test_setting_a_webhook_ends_a_poll_and_may_drop_what_waits(sandbox: Sandbox) -> None:
    poll = asyncio.create_task(sandbox.bot.get_updates(timeout=30))
    await sandbox.server.wait_for(lambda: sandbox.server.calls_of("getUpdates"))
    async with _receiver([]) as (url, _received):
        await sandbox.bot.set_webhook(url)
        with pytest.raises(telegram.error.Conflict, match="terminated by setWebhook request"):
            await poll
    await sandbox.bot.delete_webhook()
    _say(sandbox, "late")
    await sandbox.bot.delete_webhook(drop_pending_updates=True)
    assert await sandbox.updates() == []


@pytest.mark.parametrize(
    ("url", "secret", "problem"),
    [
        ("http://example.org/hook", "ok", "bad webhook: An HTTPS URL must be provided for webhook"),
        ("http://127.0.0.1:1/hook", "not ok!", "secret token contains unallowed characters"),
    ],
)
async def test_a_bad_webhook_is_refused(sandbox: Sandbox, url: str, secret: str, problem: str) -> None:
    answer = await sandbox.call("setWebhook", url=url, secret_token=secret)
    assert answer["description"] == f"Bad Request: {problem}"
