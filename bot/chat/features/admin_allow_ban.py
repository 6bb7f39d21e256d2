"""Guests: /allow and /ban, by which an admin of the bot decides who may use it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.admin.live_settings import Rules
from bot.admin.permissions import Admission, Standings
from bot.admin.setting_sources import shown_value
from bot.chat.cards.layout import join
from bot.chat.features.admin_target import find_subject
from bot.chat.operators.access_requests import Strangers, draw_decision
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Asker
from bot.chat.telegram_io.display_names import Names
from bot.chat.telegram_io.messenger import Voice
from bot.store import PeopleStore, TaskStore
from bot.text import say

_NAMED = 20
"""Telegram is asked for the name of each."""


class Guests:
    """A bare command in a private chat tells how things stand; in a group it is about that group."""

    def __init__(
        self,
        *,
        access: Access,
        standings: Standings,
        rules: Rules,
        tasks: TaskStore,
        people: PeopleStore,
        names: Names,
        strangers: Strangers,
        voice: Voice,
    ) -> None:
        self._access = access
        self._standings = standings
        self._rules = rules
        self._tasks = tasks
        self._people = people
        self._names = names
        self._strangers = strangers
        self._voice = voice

    async def allow(self, asker: Asker, intent: Intent) -> None:
        await self._decide(asker, intent, "allowed")

    async def ban(self, asker: Asker, intent: Intent) -> None:
        await self._decide(asker, intent, "banned")

    async def _decide(self, asker: Asker, intent: Intent, admission: Admission) -> None:
        found = await find_subject(self._tasks, asker, intent)
        if found is None and not intent.words and asker.chat_id > 0:
            await self._voice.answer(asker, await self._state(asker))
        elif found is None or found.rest:
            await self._voice.answer(asker, self._how(asker))
        elif admission == "banned" and await self._access.is_admin(found.subject):
            name = await self._names.link(found.subject)
            await self._voice.answer(asker, say(asker.language, "ban_admin", name="\0").replace("\0", name))
        else:
            if admission == "banned":
                is_news = await self._strangers.keep_out(found.subject, asker.user_id)
            else:
                is_news = await self._standings.admit(found.subject, admission, asker.user_id)
            decision = await draw_decision(asker, self._names, found.subject, admission)
            await self._voice.answer(asker, decision)
            if is_news and admission == "allowed" and await self._waits(asker, found.subject):
                await self._strangers.welcome(found.subject)

    async def _waits(self, asker: Asker, subject: int) -> bool:
        """Whether they were turned away once, and cannot see the answer to the command."""
        if subject < 0:
            return subject != asker.chat_id
        return (await self._people.person(subject)).told_at is not None

    def _how(self, asker: Asker) -> str:
        return say(asker.language, "guests_how", bot=self._names.suffix(asker.chat_id))

    async def _state(self, asker: Asker) -> str:
        settings, language = self._rules.settings, asker.language
        lists = {name: shown_value(settings, name) or "–" for name in ("ALLOWED_USERS", "ALLOWED_CHATS")}
        decided = [
            await self._listed(language, f"guests_{admission}", await self._standings.admitted(admission))
            for admission in ("allowed", "banned", "ignored")
        ]
        return join(
            say(language, "guests_heading"),
            await self._listed(language, "guests_admins", await self._access.admins()),
            "\n".join(f"{name}: <code>{value}</code>" for name, value in lists.items()),
            *decided,
            self._how(asker),
        )

    async def _listed(self, language: str, key: str, subjects: Sequence[int]) -> str:
        if not subjects:
            return ""
        names = [await self._names.link(subject) for subject in subjects[:_NAMED]]
        if len(subjects) > _NAMED:
            names.append(say(language, "queue_more", count=len(subjects) - _NAMED))
        return "\n".join([say(language, key), *(f"• {name}" for name in names)])
