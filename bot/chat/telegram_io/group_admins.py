"""The admins of a group: who may change what concerns everybody there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from telegram import Bot

from bot.bounded_dict import BoundedDict
from bot.chat.telegram_io.client import translated
from bot.errors import CallRefused
from bot.log import get_log

_REMEMBERED = timedelta(minutes=3)
_GROUPS = 1000
"""How many are remembered at most."""


class GroupAdmins:
    """Telegram is asked for a group once in some minutes."""

    def __init__(self, bot: Bot, clock: Callable[[], datetime]) -> None:
        self._bot = bot
        self._clock = clock
        self._known: BoundedDict[int, tuple[frozenset[int], datetime]] = BoundedDict(_GROUPS)
        self._log = get_log(__name__)

    async def may_manage(self, chat_id: int, user_id: int) -> bool:
        """Return True if this is an admin of the group, or the person of a private chat. Raises ChatError if
        Telegram does not answer.

        An anonymous admin writes as the group itself.
        """
        if user_id == chat_id:
            return True
        if chat_id > 0:
            return False
        found = self._known.get(chat_id)
        if found is None or self._clock() >= found[1]:
            found = (await self._ask(chat_id), self._clock() + _REMEMBERED)
            self._known[chat_id] = found
        return user_id in found[0]

    async def _ask(self, chat_id: int) -> frozenset[int]:
        try:
            with translated():
                members = await self._bot.get_chat_administrators(chat_id)
                return frozenset(member.user.id for member in members)
        except CallRefused as error:
            self._log.info("the admins of a group are unknown", chat=chat_id, reason=str(error))
        return frozenset()
