"""Webhook mode: Telegram calls, is answered once the update is stored, and nobody else is listened to."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes import Clock
from running import bot_on_stage, running_bot, stage

from bot.errors import SettingsError, StoreError
from bot.photo_links import webhook_secret
from bot.settings import IsolatedSettings, load_settings
from bot.web import Health, Webhook, WebServer

SECRET = "a-secret-of-telegram"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


async def _obstacles() -> list[str]:
    return []


async def post(on_update: Any, *, secret: str | None = SECRET, body: bytes = b'{"update_id": 1}') -> int:
    server = WebServer(
        "127.0.0.1",
        0,
        health=Health(lambda: True, _obstacles),
        open_photo=None,
        links=None,
        clock=Clock(),
        webhook=Webhook(SECRET, on_update),
    )
    await server.start()
    try:
        headers = {} if secret is None else {HEADER: secret}
        url = f"http://127.0.0.1:{server.port}/telegram"
        async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as answer:
            return answer.status
    finally:
        await server.close()


class Door:
    def __init__(self, error: Exception | None = None) -> None:
        self.taken: list[dict[str, Any]] = []
        self._error = error

    async def __call__(self, update: dict[str, Any]) -> None:
        if self._error is not None:
            raise self._error
        self.taken.append(update)


async def test_telegram_is_answered_once_its_update_is_stored() -> None:
    door = Door()
    assert await post(door) == 200
    assert door.taken == [{"update_id": 1}]
    assert await post(Door(StoreError("full"))) == 503, "and sends it again"


@pytest.mark.parametrize("secret", [None, "", "another", SECRET + "x", "\u00e9"])
async def test_nobody_else_is_listened_to(secret: str | None) -> None:
    door = Door()
    assert await post(door, secret=secret) == 404
    assert door.taken == []


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"[]", b'{"update_id": "one"}', b'{"update_id": 9223372036854775808}', b"\xff"]
)
async def test_what_cannot_be_read_does_not_come_again_for_ever(body: bytes) -> None:
    door = Door()
    assert await post(door, body=body) == 200
    assert door.taken == []


def test_every_process_makes_the_same_secret_of_the_same_key() -> None:
    made = webhook_secret(None, "key")
    assert made == webhook_secret(None, "key") != webhook_secret(None, "other")
    assert "key" not in made


def test_a_webhook_needs_a_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_MODE", "webhook")
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        load_settings()
    monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", "too short")
    with pytest.raises(SettingsError, match="TELEGRAM_WEBHOOK_SECRET"):
        load_settings()


def test_several_processes_need_one_key_for_their_links() -> None:
    values = {"database_url": "postgresql://bots/db", "public_url": "https://b.example", "listen_port": 80}
    with pytest.raises(ValueError, match="SECRET_KEY"):
        IsolatedSettings.model_validate(values)
    IsolatedSettings.model_validate({**values, "secret_key": "one key for all of them"})


def hooked() -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "telegram_mode": "webhook",
        "listen_port": str(port),
        "public_url": f"http://127.0.0.1:{port}",
        "secret_key": "a key of the tests",
    }


async def test_a_video_is_made_for_whom_telegram_calls_in(tmp_path: Path) -> None:
    async with bot_on_stage(tmp_path, **hooked()) as live_bot:
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a paper boat")
        assert len(await live_bot.shown(chat)) == 1
        assert live_bot.server.calls_of("getUpdates") == []


async def test_a_bot_that_polls_again_removes_the_webhook(tmp_path: Path) -> None:
    async with stage(tmp_path) as live_bot:
        async with running_bot(live_bot.values(**hooked())):
            ada, chat = live_bot.newcomer()
            asked = live_bot.world.say(ada, chat, "/help")
            await live_bot.answer(asked, containing="Options:")
        async with running_bot(live_bot.values()):
            asked = live_bot.world.say(ada, chat, "/help")
            await live_bot.answer(asked, containing="Options:")
        assert live_bot.server.calls_of("deleteWebhook")
