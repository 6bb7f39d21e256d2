"""Long polling: stores Telegram's updates, and confirms them only once they are stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from telegram import Bot
from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError

from bot.chat.telegram_io.rate_limiter import seconds
from bot.errors import SettingsError, StoreError, Unstorable
from bot.integers import is_storable
from bot.log import get_log, level_of
from bot.store import StoredUpdate, UpdateStore
from bot.store.leases import POLLING_LEASE, SINGLE_PROCESS, LeaseStore
from bot.worker import schedule

WANTED = ("message", "edited_message", "callback_query", "my_chat_member", "inline_query")
KEY_REFUSED = "Telegram does not know this TELEGRAM_BOT_TOKEN: copy it again from @BotFather."
NO_BOT_API = (
    "What answers at TELEGRAM_API_URL is no Bot API: correct the address. Unset, it is Telegram itself."
)
KEY_TAKEN = "Another bot is running with this TELEGRAM_BOT_TOKEN: stop it first, or use another token."
TakeUnstored = Callable[[object], bool]
"""Returns True if it has taken an update of Telegram, which then is not stored."""
_POLL_S = 30
_ANSWER_S = 10.0
"""The time for an answer to arrive after a poll of full length."""
_TRIAL_POLL_S = 3
_TRIAL_S = 3.0
"""At first polls are short: another bot with this token shows itself by ending one of them, and the newcomer
stops. A process that has polled without conflict for so long stays."""
_LEASE_S = 3.5
_RENEW_S = 1.0
"""So a dead process is noticed after four and a half seconds at most, also on a busy machine within five."""
_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_LONGEST_PAUSE_REFUSED_S = 300.0


def nothing_unstored(_: object) -> bool:
    """Take no update."""
    return False


class UpdatePoller:
    """Long polling. Asking for what comes after an update is what confirms it: the store comes first."""

    def __init__(
        self,
        bot: Bot,
        updates: UpdateStore,
        on_stored: Callable[[], None],
        clock: Callable[[], datetime],
        *,
        store_pause_s: float = schedule.STORE_PAUSE_S,
        leases: LeaseStore = SINGLE_PROCESS,
        patience_s: float = 0.0,
        take_unstored: TakeUnstored = nothing_unstored,
    ) -> None:
        """`patience_s`: for how long conflicts may last at a start, while another process of ours lets go.
        `take_unstored` is offered each update before it is stored."""
        self._take_unstored = take_unstored
        self._leases = leases
        self._patience_s = patience_s
        self._bot = bot
        self._updates = updates
        self._on_stored = on_stored
        self._clock = clock
        self._store_pause_s = store_pause_s
        self._may_until = 0.0
        self._log = get_log(__name__)
        self.answered_at = clock()
        """When Telegram last answered, for a health check."""

    async def run(self) -> None:
        """Poll until cancelled. Raises SettingsError if the token is refused, or another bot runs with it.

        Of all processes on one store one polls. It renews its lease every second; if it stops for a few
        seconds, another one goes on.
        """
        while True:
            if not await self._may_poll():
                self.answered_at = self._clock()  # another process polls
                await asyncio.sleep(_RENEW_S)
                continue
            polling = asyncio.create_task(self._poll_on(), name="polling")
            try:
                while await self._may_poll():
                    await asyncio.wait({polling}, timeout=_RENEW_S)
                    if polling.done():
                        await polling
                self._log.info("another process polls from now on")
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)
                await asyncio.shield(self._leases.end_lease(POLLING_LEASE))

    async def _may_poll(self) -> bool:
        """Return True if this process has the lease. If the store does not answer, the last lease counts
        until its end."""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_LEASE_S - _RENEW_S):
                taken = await self._leases.take_lease(POLLING_LEASE, _LEASE_S)
            if taken:
                self._may_until = now + _LEASE_S
                return True
        except (StoreError, TimeoutError):
            return now < self._may_until
        return False

    async def _poll_on(self) -> None:
        offset: int | None = None
        began, failures = self._clock(), 0
        patient_until: datetime | None = None
        while True:
            trial = (self._clock() - began).total_seconds() < _TRIAL_S
            try:
                updates = await self._poll(offset, _TRIAL_POLL_S if trial else _POLL_S)
            except Conflict as error:
                if "webhook" in error.message:
                    await self._bot.delete_webhook()
                    continue
                if trial and patient_until is None:
                    patient_until = self._clock() + timedelta(seconds=self._patience_s)
                if patient_until is not None and self._clock() >= patient_until:
                    raise SettingsError(KEY_TAKEN) from None
                self._log.warning("another bot polls with this token: stop one of the two")
                await asyncio.sleep(_PAUSE_S)
            except TelegramError as error:
                failures += 1
                if failures == 1:
                    # Telegram took this token at the start: a proxy or an outage may answer 401 or 404 for a
                    # while. One that was revoked looks the same.
                    self._log.warning("Telegram does not answer", reason=reason_of(error))
                await asyncio.sleep(pause_after(error, failures))
            else:
                patient_until = None
                self._log.debug("Telegram was polled", updates=len(updates))
                if failures:
                    self._log.info("Telegram answers again", failures=failures)
                failures = 0
                self.answered_at = self._clock()
                if updates and await self._keep(updates):
                    offset = max((one["update_id"] + 1 for one in updates if _has_id(one)), default=offset)

    async def _keep(self, updates: list[dict[str, Any]]) -> bool:
        """Store the updates; return True if they are stored, so that Telegram may forget them."""
        updates = [update for update in updates if not self._take_unstored(update)]
        if not updates:
            return True
        try:
            await store_updates(self._updates, updates)
        except StoreError as error:
            self._log.log(level_of(error), "updates could not be stored", reason=str(error))
            await asyncio.sleep(self._store_pause_s)
            return False
        self._on_stored()
        return True

    async def _poll(self, offset: int | None, timeout_s: int) -> list[dict[str, Any]]:
        """Return what came, as Telegram sent it: an update that the library cannot read must not hold up the
        others.

        `Bot.get_updates` reads them all at once. The library makes `getUpdates` of this name too, but leaves
        what comes as it is.
        """
        wanted: dict[str, Any] = {"timeout": timeout_s, "allowed_updates": WANTED}
        if offset is not None:
            wanted["offset"] = offset
        answer = await self._bot.do_api_request(
            "get_Updates", api_kwargs=wanted, read_timeout=timeout_s + _ANSWER_S
        )
        updates: list[dict[str, Any]] = answer
        return updates


def pause_after(error: TelegramError, failures: int) -> float:
    """Return how long to wait after so many failures, in seconds."""
    if isinstance(error, RetryAfter):
        return seconds(error.retry_after)
    refused = isinstance(error, InvalidToken | EndPointNotFound)
    longest_s = _LONGEST_PAUSE_REFUSED_S if refused else _LONGEST_PAUSE_S
    return min(_PAUSE_S * 2.0 ** min(failures - 1, 10), longest_s)


def reason_of(error: TelegramError) -> str:
    """Return what went wrong, for the log."""
    if isinstance(error, InvalidToken | EndPointNotFound):
        return "it refuses the token, or something else answers in its place"
    return type(error).__name__


async def store_updates(store: UpdateStore, updates: Iterable[dict[str, Any]]) -> None:
    """Store what Telegram sent. Leave out what the database can never hold: asking for it again would keep
    back all that comes after it. Raises StoreError."""
    readable = [update for update in updates if _has_id(update)]
    stored = [as_stored(update) for update in readable]
    try:
        await store.add(stored)
    except Unstorable:
        for one in stored:
            try:
                await store.add([one])
            except Unstorable as error:
                get_log(__name__).error("an update is left out", update=one.update_id, reason=str(error))


def _has_id(update: object) -> bool:
    """Return True if it can be stored under its id; without one it is no update."""
    update_id = update.get("update_id") if isinstance(update, dict) else None
    return isinstance(update_id, int) and is_storable(update_id)


def as_stored(update: dict[str, Any]) -> StoredUpdate:
    # JSON may hold half a character (a lone surrogate), which no database can store.
    body = json.dumps(update, ensure_ascii=False).encode(errors="replace").decode()
    owner, person = _owner(update), _person(update)
    if not (is_storable(owner) and is_storable(person)):
        owner, person = 0, 0
    return StoredUpdate(update["update_id"], owner, body, user_id=person)


def _owner(update: dict[str, Any]) -> int:
    """Return the chat in whose order it is handled; the person for a press, which waits for nothing that
    others do in the chat; 0 if nothing can be read."""
    match update:
        case (
            {"message": {"chat": {"id": int(owner)}}}
            | {"edited_message": {"chat": {"id": int(owner)}}}
            | {"my_chat_member": {"chat": {"id": int(owner)}}}
            | {"callback_query": {"from": {"id": int(owner)}}}
        ):
            return owner
        case _:
            return 0


def _person(update: dict[str, Any]) -> int:
    """Return who wrote, pressed or changed something; 0 if nobody is named."""
    match update:
        case (
            {"message": {"from": {"id": int(person)}}}
            | {"message": {"sender_chat": {"id": int(person)}}}
            | {"edited_message": {"from": {"id": int(person)}}}
            | {"edited_message": {"sender_chat": {"id": int(person)}}}
            | {"my_chat_member": {"from": {"id": int(person)}}}
            | {"callback_query": {"from": {"id": int(person)}}}
        ):
            return person
        case _:
            return 0
