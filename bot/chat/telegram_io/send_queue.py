"""The queue of slow sends: prepares and sends large files while the messages of their chats go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import ChatError, MediaError
from bot.log import get_log
from bot.worker.user_locks import UserLocks

_JUST_NOW = timedelta(minutes=1)
_SEND_LEASE_S = 600.0


@dataclass(frozen=True, slots=True)
class QueuedSend:
    """What to send, and whom to tell if that fails."""

    sender: Sender
    key: str
    """The same key for the same file."""
    send: Callable[[], Awaitable[Reply | None]]
    """Returns why there is nothing to send. May raise MediaError, ChatError and TimeoutError."""
    failure: str
    """The phrase for a failure that may pass."""


class SendQueue:
    """One send of a person at a time, in the order of their requests. A restart forgets what waits."""

    def __init__(self, messenger: Messenger, clock: Callable[[], datetime]) -> None:
        self._messenger = messenger
        self._clock = clock
        self._log = get_log(__name__)
        self._waiting: asyncio.Queue[QueuedSend] = asyncio.Queue()
        self._under_way: set[str] = set()
        self._locks = UserLocks("sends of", _SEND_LEASE_S)
        self._sent: dict[str, datetime] = {}

    def request(self, queued: QueuedSend) -> Literal["queued", "just_sent"]:
        """Queue a send, unless it is queued already or was done a moment ago."""
        now = self._clock()
        self._sent = {one: at for one, at in self._sent.items() if now - at < _JUST_NOW}
        if queued.key in self._sent:
            return "just_sent"
        if queued.key not in self._under_way:
            self._under_way.add(queued.key)
            self._waiting.put_nowait(queued)
        return "queued"

    async def run(self) -> None:
        """Send what was requested, until cancelled."""
        async with asyncio.TaskGroup() as sends:
            while True:
                sends.create_task(self._handle(await self._waiting.get()))

    async def _handle(self, queued: QueuedSend) -> None:
        try:
            async with self._locks.of(queued.sender.user_id):
                if reply := await self._send(queued):
                    await self._messenger.reply(queued.sender, reply)
        except ChatError as error:
            self._log.info("a failure could not be reported", file=queued.key, reason=str(error))
        finally:
            self._under_way.discard(queued.key)

    async def _send(self, queued: QueuedSend) -> Reply | None:
        try:
            reply = await queued.send()
        except MediaError as error:
            self._log.info("a file cannot be made", file=queued.key, reason=error.detail)
            return Reply(error.code, error.values)
        except (ChatError, TimeoutError) as error:
            self._log.info("a file was not sent", file=queued.key, reason=str(error))
            return Reply(queued.failure)
        except Exception:  # noqa: BLE001 - one send may not end the others
            self._log.exception("a file could not be made", file=queued.key)
            return Reply(queued.failure)
        if reply is None:
            self._sent[queued.key] = self._clock()
        return reply
