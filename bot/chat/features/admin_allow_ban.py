"""Guests: /allow and /ban, by which an admin of the bot decides who may use it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Admission, Permissions
from bot.admin.setting_sources import shown_value
from bot.chat.cards.layout import cut, join
from bot.chat.features.admin_target import find_subject
from bot.chat.operators.access_requests import AccessRequests, draw_decision
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.messenger import Messenger
from bot.store import PeopleStore, TaskStore
from bot.text import say

_NAMED = 20
_VALUE_SHOWN = 300
"""Telegram is asked for the name of each."""


class AllowBan:
    """A bare command in a private chat tells how things stand; in a group it is about that group."""

    def __init__(
        self,
        *,
        access: Access,
        permissions: Permissions,
        rules: LiveSettings,
        tasks: TaskStore,
        people: PeopleStore,
        names: DisplayNames,
        access_requests: AccessRequests,
        messenger: Messenger,
    ) -> None:
        self._access = access
        self._permissions = permissions
        self._rules = rules
        self._tasks = tasks
        self._people = people
        self._names = names
        self._access_requests = access_requests
        self._messenger = messenger

    async def allow(self, sender: Sender, intent: Intent) -> None:
        await self._decide(sender, intent, "allowed")

    async def ban(self, sender: Sender, intent: Intent) -> None:
        await self._decide(sender, intent, "banned")

    async def _decide(self, sender: Sender, intent: Intent, admission: Admission) -> None:
        found = await find_subject(self._tasks, sender, intent)
        if found is None and not intent.words and sender.chat_id > 0:
            await self._messenger.answer(sender, await self._state(sender))
        elif found is None or found.rest:
            await self._messenger.answer(sender, self._how(sender))
        elif admission == "banned" and await self._access.is_admin(found.subject):
            name = await self._names.link(found.subject)
            await self._messenger.answer(
                sender, say(sender.language, "ban_admin", name="\0").replace("\0", name)
            )
        else:
            if admission == "banned":
                is_news = await self._access_requests.ban(found.subject, sender.user_id)
            else:
                is_news = await self._permissions.decide(found.subject, admission, sender.user_id)
            decision = await draw_decision(sender, self._names, found.subject, admission)
            await self._messenger.answer(sender, decision)
            if is_news and admission == "allowed" and await self._waits(sender, found.subject):
                await self._access_requests.welcome(found.subject)

    async def _waits(self, sender: Sender, subject: int) -> bool:
        """Whether they were turned away once, and cannot see the answer to the command."""
        if subject < 0:
            return subject != sender.chat_id
        return (await self._people.person(subject)).told_at is not None

    def _how(self, sender: Sender) -> str:
        return say(sender.language, "guests_how", bot=self._names.suffix(sender.chat_id))

    async def _state(self, sender: Sender) -> str:
        settings, language = self._rules.settings, sender.language
        lists = {
            name: cut(shown_value(settings, name), _VALUE_SHOWN) or "–"
            for name in ("ALLOWED_USERS", "ALLOWED_CHATS")
        }
        decided = [
            await self._listed(
                language, f"guests_{admission}", await self._permissions.with_admission(admission)
            )
            for admission in ("allowed", "banned", "ignored")
        ]
        return join(
            say(language, "guests_heading"),
            await self._listed(language, "guests_admins", await self._access.admins()),
            "\n".join(f"{name}: <code>{value}</code>" for name, value in lists.items()),
            *decided,
            self._how(sender),
        )

    async def _listed(self, language: str, key: str, subjects: Sequence[int]) -> str:
        if not subjects:
            return ""
        names = [await self._names.link(subject) for subject in subjects[:_NAMED]]
        if len(subjects) > _NAMED:
            names.append(say(language, "queue_more", count=len(subjects) - _NAMED))
        return "\n".join([say(language, key), *(f"• {name}" for name in names)])
