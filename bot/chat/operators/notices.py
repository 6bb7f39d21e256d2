"""Notices: sends what the admins have to know to their private chats; keeps what cannot be sent."""

from __future__ import annotations

import asyncio

from bot.chat.access import Access
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.operators.notice_buttons import STRANGER, buttons_of
from bot.chat.operators.operator_chat import OperatorChat
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import ChatError, StoreError
from bot.log import get_log, level_of
from bot.store import Notice, PeopleStore
from bot.text import say

_FIRST_ADMIN = 0
"""No person has this id: notices kept under it are for the first admin."""
_LIMIT_S = 15.0
"""For one message: the caller waits for it."""


class Notices:
    def __init__(
        self,
        *,
        kept: PeopleStore,
        people: PeopleStore,
        messenger: Messenger,
        access: Access,
        preferences: ChatPreferences,
        operators: OperatorChat | None = None,
        limit_s: float = _LIMIT_S,
    ) -> None:
        self._kept = kept
        self._people = people
        self._messenger = messenger
        self._access = access
        self._preferences = preferences
        self._operators = operators
        self._limit_s = limit_s
        self._log = get_log(__name__)

    async def tell_admins(self, notice: Notice) -> None:
        """Write it to every admin, or keep it for them. Never raises."""
        try:
            admins = await self._access.admins()
        except StoreError as error:
            self._log.log(
                level_of(error), "the admins could not be notified", notice=notice.key, reason=str(error)
            )
            return
        if not admins:
            await self._keep(_FIRST_ADMIN, notice)
        if self._operators is not None and self._operators.chat_id not in admins:
            await self._operators.pass_on(notice)
        await asyncio.gather(*(self._tell(admin, notice) for admin in admins))

    async def read_out(self, sender: Sender) -> None:
        """Send an admin all that was kept for them, once."""
        if not await self._access.is_admin(sender.user_id):
            return
        notices = await self._kept.take_notices(sender.user_id)
        notices += await self._kept.take_notices(_FIRST_ADMIN)
        # The person who claimed the bot may have been told before that it is private.
        own = (STRANGER, str(sender.user_id))
        notices = [one for one in notices if (one.key, one.values.get("user_id")) != own]
        while notices:
            try:
                text = say(sender.language, notices[0].key, **notices[0].values)
                await self._messenger.answer(sender, text, buttons_of(sender.language, notices[0]))
            except ChatError:
                for notice in notices:
                    await self._kept.keep_notice(sender.user_id, notice)
                raise
            notices = notices[1:]

    async def _tell(self, admin: int, notice: Notice) -> None:
        try:
            person = await self._people.person(admin)
            language = await self._preferences.language_for(admin, person.language)
            text = say(language, notice.key, **notice.values)
            async with asyncio.timeout(self._limit_s):
                await self._messenger.send(admin, text, buttons_of(language, notice))
        except (ChatError, StoreError, TimeoutError) as error:
            self._log.info("an admin could not be notified", admin=admin, reason=type(error).__name__)
            await self._keep(admin, notice)
        except Exception:  # noqa: BLE001 - the caller is busy with something that matters more
            self._log.exception("an admin could not be notified", admin=admin)

    async def _keep(self, admin: int, notice: Notice) -> None:
        try:
            await self._kept.keep_notice(admin, notice)
        except StoreError as error:
            self._log.error("a notice is lost", admin=admin, notice=notice.key, reason=str(error))
