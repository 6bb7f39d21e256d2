"""Chat preferences: what each chat has chosen, among it the language of the bot's answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.bounded_dict import BoundedDict
from bot.store import ChatSettings, PeopleStore
from bot.text import choose_language

_REMEMBERED = timedelta(minutes=1)
_CHATS = 5000
"""How many are remembered at most."""


class ChatPreferences:
    """What each chat has chosen. The settings are read with every message and change seldom: the store is
    asked for a chat once a minute.

    With several processes the store is asked each time: a change of settings that are a minute old would undo
    changes by others.
    """

    def __init__(
        self,
        people: PeopleStore,
        default_language: Callable[[], str],
        clock: Callable[[], datetime],
        *,
        is_shared: bool = False,
    ) -> None:
        self._remembers = not is_shared
        self._people = people
        self.default_language = default_language
        self._clock = clock
        self._known: BoundedDict[int, tuple[ChatSettings, datetime]] = BoundedDict(_CHATS)

    async def of(self, chat_id: int) -> ChatSettings:
        found = self._known.get(chat_id)
        if found is not None and self._clock() < found[1]:
            return found[0]
        settings = (await self._people.chat(chat_id)).settings
        self._remember(chat_id, settings)
        return settings

    async def put(self, chat_id: int, settings: ChatSettings) -> None:
        """Store the settings of a chat."""
        record = await self._people.chat(chat_id)
        await self._people.put_chat(replace(record, settings=settings))
        self._remember(chat_id, settings)

    def drop(self, chat_id: int) -> None:
        """Forget the remembered settings: somebody else has changed what is stored."""
        self._known.pop(chat_id, None)

    async def language_for(self, chat_id: int, code: str | None, person_id: int | None = None) -> str:
        """Return the chat's own language, else the person's, else that of their Telegram (`code`), else the
        default.

        So a group without a choice is answered in the language of the person who asks.
        """
        chosen = (await self.of(chat_id)).language
        if chosen is None and person_id is not None and 0 < person_id != chat_id:
            chosen = (await self.of(person_id)).language
        return choose_language(chosen or code, self.default_language())

    def _remember(self, chat_id: int, settings: ChatSettings) -> None:
        if self._remembers:
            self._known[chat_id] = (settings, self._clock() + _REMEMBERED)
