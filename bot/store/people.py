"""People, chats, the recipes they share and the notices that wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.request import VideoRequest

Role = Literal["admin"]


@dataclass(frozen=True, slots=True)
class Person:
    """What is remembered of a Telegram user beyond their tasks."""

    user_id: int
    role: Role | None = None
    language: str | None = None
    told_at: datetime | None = None
    """When a stranger got the one answer with their id."""
    companies: frozenset[str] = frozenset()
    """The companies that they were told receive their photos (`VideoModel.company`)."""
    crop_preview: bool = True
    """Whether to be asked before much of a photo is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """What a chat's admins, or a person for their private chat, have chosen; None is the bot's default."""

    model: str | None = None
    ratio: str | None = None
    seconds: int | None = None
    resolution: str | None = None
    audio: bool | None = None
    language: str | None = None
    notify: bool = True
    """Whether a message that rings follows an outcome that took a while."""
    quiet: bool = False
    """Cards of one line, and reactions in place of words."""
    channels: bool = True
    """Whether channels that write in a group may order."""


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """What is remembered of a chat; a private one has its person's id."""

    chat_id: int
    told_at: datetime | None = None
    """When an unknown group got the one line with its id."""
    settings: ChatSettings = ChatSettings()
    moved_from: int | None = None
    """The id it had before it became a supergroup."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A request that somebody shared: anybody with the token may open it as a draft of their own."""

    token: str
    task_id: str
    user_id: int
    request: VideoRequest
    """With the photos only if their owner added them."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an admin has to read: a phrase and the values for its placeholders."""

    key: str
    values: Mapping[str, str]


class PeopleStore(Protocol):
    async def person(self, user_id: int) -> Person:
        """Return what is known; an unknown person is one without a role."""

    async def put_person(self, person: Person) -> None: ...

    async def admins(self) -> list[int]:
        """Return the ids of those with the role admin in the store; the settings may name more."""

    async def claim_admin(self, flag: str, user_id: int) -> bool:
        """Clear the flag and make the person an admin, if it is set and there is no admin. One write: of
        several claims at once one succeeds."""

    async def remove_admin(self, user_id: int) -> bool:
        """Take the role from an admin, with the links and sessions of the operator's page, and every link to
        claim the bot: an older one may be known to the same people. Return False for nobody's admin. One
        write."""

    async def chat(self, chat_id: int) -> ChatRecord: ...

    async def put_chat(self, chat: ChatRecord) -> None: ...

    async def forget(self, user_id: int) -> int:
        """Delete what is known of a person; return of how many closed tasks.

        Those lose words, photos, file ids and links, and stay as figures: limits and bills count them. So do
        a role, and what admins decided. Recipes, notices and the settings of the private chat go. Open tasks
        are left alone.
        """

    async def add_recipe(self, recipe: Recipe) -> Recipe:
        """Store it; if one of the same task and request is already there, return that instead."""

    async def replace_recipe(self, recipe: Recipe) -> Recipe:
        """Store it in place of the person's own of the same `task_id`, and return it with the token that that
        one had, if there is one."""

    async def recipe(self, token: str) -> Recipe | None: ...

    async def keep_notice(self, user_id: int, notice: Notice) -> None:
        """Store it for somebody who cannot be written to yet."""

    async def take_notices(self, user_id: int) -> list[Notice]:
        """Return what was kept for them, oldest first, and delete it."""
