"""Ordered faults: each fails the call in its own way, and the log of calls says what happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import telegram
from sandbox_client import Sandbox, running_sandbox

from bot.sandbox import Fault, FaultKind, Person


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as running:
        yield running


def _texts(sandbox: Sandbox) -> list[str]:
    return [message["text"] for message in sandbox.world.bot_messages(sandbox.private)]


async def test_a_flood_error_says_when_to_come_back_and_ends_by_itself(sandbox: Sandbox) -> None:
    sandbox.server.faults.add(Fault("sendMessage", FaultKind.FLOOD, times=2, retry_after=7))
    for _ in range(2):
        with pytest.raises(telegram.error.RetryAfter) as flood:
            await sandbox.bot.send_message(sandbox.private.id, "x")
        assert flood.value.retry_after == timedelta(seconds=7)
    await sandbox.bot.send_message(sandbox.private.id, "x")
    assert _texts(sandbox) == ["x"]
    assert [call.status for call in sandbox.server.calls_of("sendMessage")] == [429, 429, 200]


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault("*", FaultKind.FORBIDDEN), telegram.error.Forbidden, "Forbidden: bot was blocked by the user"),
        (
            Fault("*", FaultKind.BAD_REQUEST, description="CHAT_WRITE_FORBIDDEN"),
            telegram.error.BadRequest,
            "(?i)chat_write_forbidden",
        ),
        (Fault("*", FaultKind.MIGRATED, migrate_to=-1009), telegram.error.ChatMigrated, "-1009"),
        (
            Fault("*", FaultKind.SERVER_ERROR, status=504),
            telegram.error.NetworkError,
            "Bad Gateway|504|Gateway",
        ),
        (Fault("*", FaultKind.DROP), telegram.error.NetworkError, "Server disconnected|ReadError"),
    ],
)
async def test_a_fault_before_the_effect_leaves_the_chat_as_it_was(
    sandbox: Sandbox, fault: Fault, error: type[Exception], says: str
) -> None:
    sandbox.server.faults.add(fault)
    with pytest.raises(error, match=says):
        await sandbox.bot.send_message(sandbox.private.id, "x")
    assert _texts(sandbox) == []
    await sandbox.bot.send_message(sandbox.private.id, "y")
    assert _texts(sandbox) == ["y"]


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR_AFTER])
async def test_a_fault_after_the_effect_leaves_the_message_there(sandbox: Sandbox, kind: FaultKind) -> None:
    sandbox.server.faults.add(Fault("sendMessage", kind))
    with pytest.raises(telegram.error.NetworkError):
        await sandbox.bot.send_message(sandbox.private.id, "x")
    assert _texts(sandbox) == ["x"]


async def test_a_server_error_is_an_html_page(sandbox: Sandbox) -> None:
    sandbox.server.faults.add(Fault("getMe", FaultKind.SERVER_ERROR, status=502))
    async with sandbox.http.get(f"{sandbox.server.url}/bot{sandbox.server.token}/getMe") as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")


async def test_a_slow_answer_comes_after_the_video_is_in_the_chat(sandbox: Sandbox) -> None:
    sandbox.server.faults.add(Fault("sendVideo", FaultKind.SLOW, delay_s=None))
    sending = asyncio.create_task(sandbox.bot.send_video(sandbox.private.id, b"video", read_timeout=0.2))
    await sandbox.server.wait_for(lambda: sandbox.world.bot_messages(sandbox.private))
    with pytest.raises(telegram.error.TimedOut):
        await sending


async def test_a_slow_answer_may_come_in_the_end(sandbox: Sandbox) -> None:
    sandbox.server.faults.add(Fault("getMe", FaultKind.SLOW, delay_s=0.01))
    assert (await sandbox.call("getMe"))["ok"] is True


async def test_faults_can_skip_calls_and_choose_them(sandbox: Sandbox) -> None:
    chosen = sandbox.server.faults.add(
        Fault("sendMessage", FaultKind.FORBIDDEN, skip=1, when=lambda params: params["text"] == "bad")
    )
    texts = ("bad", "good", "bad", "bad")
    answers = [await sandbox.call("sendMessage", chat_id=sandbox.private.id, text=text) for text in texts]
    assert [answer["ok"] for answer in answers] == [True, True, False, True]
    assert chosen.times == 0


async def test_a_chat_takes_a_short_burst_and_then_a_message_a_second() -> None:
    async with running_sandbox(enforce_rate_limits=True) as sandbox:
        ids = [(await sandbox.bot.send_message(sandbox.private.id, str(n))).message_id for n in range(10)]
        with pytest.raises(telegram.error.RetryAfter) as refused:
            await sandbox.bot.send_message(sandbox.private.id, "the 11th at once")
        assert refused.value.retry_after == timedelta(seconds=1)
        with pytest.raises(telegram.error.RetryAfter):
            await sandbox.bot.edit_message_text("an edit counts too", sandbox.private.id, ids[0])
        await sandbox.bot.send_chat_action(sandbox.private.id, "upload_video")
        await sandbox.bot.send_message(sandbox.group.id, "another chat")
        sandbox.clock.now += 1
        await sandbox.bot.edit_message_text("now it may", sandbox.private.id, ids[0])
        with pytest.raises(telegram.error.RetryAfter):
            await sandbox.bot.send_message(sandbox.private.id, "too soon again")


async def test_a_group_takes_twenty_messages_and_edits_a_minute() -> None:
    async with running_sandbox(enforce_rate_limits=True) as sandbox:
        message = await sandbox.bot.send_message(sandbox.group.id, "the first")
        for number in range(19):
            sandbox.clock.now += 1
            await sandbox.bot.edit_message_text(str(number), sandbox.group.id, message.message_id)
        sandbox.clock.now += 1
        with pytest.raises(telegram.error.RetryAfter) as refused:
            await sandbox.bot.send_message(sandbox.group.id, "the 21st in a minute")
        assert refused.value.retry_after == timedelta(seconds=40)
        sandbox.clock.now += 40
        await sandbox.bot.send_message(sandbox.group.id, "now it may")


async def test_all_chats_together_take_thirty_messages_a_second() -> None:
    async with running_sandbox(enforce_rate_limits=True) as sandbox:
        people = [sandbox.world.add_person(Person(5000 + n, "X", None, "en")) for n in range(16)]
        for person in people:
            sandbox.world.private_chat(person).started = True
        for person in [*people, *people][:30]:
            await sandbox.bot.send_message(person.id, "hello")
        with pytest.raises(telegram.error.RetryAfter):
            await sandbox.bot.send_message(sandbox.private.id, "the 31st")
        sandbox.clock.now += 1
        await sandbox.bot.send_message(sandbox.private.id, "now it may")


async def test_waiting_in_vain_tells_what_the_bot_did(sandbox: Sandbox) -> None:
    await sandbox.bot.send_message(sandbox.private.id, "x")
    with pytest.raises(TimeoutError, match="sendMessage → 200"):
        await sandbox.server.wait_for(lambda: False, timeout_s=0.01)
