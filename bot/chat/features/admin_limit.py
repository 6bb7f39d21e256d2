"""Limits of one's own: /limit shows how many videos a person or a group may have, and changes that."""

from __future__ import annotations

from bot.admin.permissions import FIGURES, Figure, LimitOverride, Permissions, read_own
from bot.chat.cards.layout import join
from bot.chat.features.admin_target import find_subject
from bot.chat.ordering.access import Access
from bot.chat.parsing.message_intent import Intent
from bot.chat.sender import Sender
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.messenger import Messenger
from bot.store import TaskStore
from bot.text import say


class AdminLimit:
    """`/limit 10 2` to somebody's message: ten a day, two at once. In a private chat an id comes first."""

    def __init__(
        self,
        *,
        access: Access,
        permissions: Permissions,
        tasks: TaskStore,
        names: DisplayNames,
        messenger: Messenger,
    ) -> None:
        self._access = access
        self._permissions = permissions
        self._tasks = tasks
        self._names = names
        self._messenger = messenger

    async def command(self, sender: Sender, intent: Intent) -> None:
        found = await find_subject(self._tasks, sender, intent, figures=len(FIGURES))
        wishes = read_figures(found.rest) if found else None
        if found is None or wishes is None:
            await self._messenger.answer(sender, self._how(sender))
            return
        for figure, most in wishes.items():
            await self._permissions.grant(found.subject, figure, most, sender.user_id)
        await self._messenger.answer(sender, await self._state(sender, found.subject))

    def _how(self, sender: Sender) -> str:
        return say(sender.language, "own_how", bot=self._names.suffix(sender.chat_id))

    async def _state(self, sender: Sender, subject: int) -> str:
        language = sender.language
        name = await self._names.link(subject)
        if subject > 0 and await self._access.is_admin(subject):
            return say(language, "own_admin", name="\0").replace("\0", name)
        permission = await self._permissions.of(subject)
        lines = []
        whose = {"user_id": subject} if subject > 0 else {"chat_id": subject}
        for figure, quota in zip(FIGURES, await self._access.quotas(**whose), strict=True):
            own = getattr(permission, figure)
            most = say(language, "own_unlimited") if quota.most is None else quota.most
            origin = say(language, "own_usual" if own is None else "own_own")
            lines.append(say(language, f"own_{figure}", most=most, used=quota.used) + f" · {origin}")
        heading = say(language, "own_heading", name="\0").replace("\0", name)
        return join(heading, "\n".join(lines), self._how(sender))


def read_figures(words: tuple[str, ...]) -> dict[Figure, LimitOverride] | None:
    """`10`, `10 2`, `unlimited 2`, `default`: a day, and at once. One word that is no figure is for both.
    None where it cannot be read."""
    if len(words) > len(FIGURES):
        return None
    try:
        wishes = [read_own(word) for word in words]
    except ValueError:
        return None
    if len(wishes) == 1 and not isinstance(wishes[0], int):
        wishes *= len(FIGURES)
    return dict(zip(FIGURES, wishes, strict=False))
