"""Access requests: tells strangers once that the bot is private, and asks its admins about them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.admin.permissions import Admission
from bot.chat.access import Access
from bot.chat.cards.layout import cut
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.deps import ChatDeps
from bot.chat.operators.notice_buttons import NO, STRANGER, STRANGER_GROUP, YES
from bot.chat.operators.notices import Notices
from bot.chat.sender import Sender
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import ChatError
from bot.store import Notice
from bot.text import say

_DECISIONS: Mapping[str, Admission] = {YES: "allowed", NO: "ignored"}
_NAME_SHOWN = 60
_QUESTIONS = 20
_WITHIN = timedelta(hours=1)
"""The time for so many questions: a bot that thousands of people find should not flood its admins."""


class AccessRequests:
    def __init__(
        self,
        deps: ChatDeps,
        *,
        access: Access,
        names: DisplayNames,
        notices: Notices,
        messenger: Messenger,
        preferences: ChatPreferences,
    ) -> None:
        self._deps = deps
        self._access = access
        self._names = names
        self._notices = notices
        self._messenger = messenger
        self._preferences = preferences
        self._asked: deque[datetime] = deque(maxlen=_QUESTIONS)
        self._quiet_until = deps.clock()

    async def handle(self, sender: Sender) -> bool:
        """Ask the admins about a person who may not use the bot, or about their group. Return True if
        they are to be answered: they are once, with their id."""
        if not await self._access.is_new(sender.user_id, sender.chat_id):
            return False
        await self._ask(sender)
        # Noted before it is said: in a group where it may not write the bot would ask for ever.
        await self._access.note_told(sender.user_id, sender.chat_id, sender.code)
        return True

    async def welcome(self, subject: int, asked_by: int | None = None) -> bool:
        """Tell a person or a group that they are let in; if the bot has left the group, tell `asked_by`.
        Return True if somebody was told."""
        try:
            await self._tell(subject, "welcome_group" if subject < 0 else "welcome")
        except ChatError:
            if subject < 0 and asked_by is not None:
                group = await self._names.plain(subject)
                return await self._told(asked_by, "welcome_group_back", group=group)
            return False
        return True

    async def _told(self, user_id: int, key: str, **values: object) -> bool:
        try:
            await self._tell(user_id, key, **values)
        except ChatError:
            return False
        return True

    async def _tell(self, chat_id: int, key: str, **values: object) -> None:
        code = (await self._deps.store.people.person(chat_id)).language if chat_id > 0 else None
        language = await self._preferences.language_for(chat_id, code)
        command = self._names.command("video", chat_id)
        await self._messenger.send(chat_id, say(language, key, command=command, **values))

    async def _ask(self, sender: Sender) -> None:
        now = self._deps.clock()
        if len(self._asked) == _QUESTIONS and now - self._asked[0] < _WITHIN:
            if self._quiet_until <= now:
                self._quiet_until = now + _WITHIN
                await self._notices.tell_admins(Notice("strangers_many", {}))
            return
        self._asked.append(now)
        values = {
            "name": cut(sender.user_name or str(sender.user_id), _NAME_SHOWN),
            "user_id": str(sender.user_id),
        }
        if not sender.is_group:
            await self._notices.tell_admins(Notice(STRANGER, values))
        else:
            values |= {
                "group": cut(sender.chat_title or str(sender.chat_id), _NAME_SHOWN),
                "chat_id": str(sender.chat_id),
            }
            await self._notices.tell_admins(Notice(STRANGER_GROUP, values))
