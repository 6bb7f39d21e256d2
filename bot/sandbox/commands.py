"""The bot's command lists, by scope and language."""

from __future__ import annotations

import json
import re

from bot.sandbox.answer import Json, bad_request
from bot.sandbox.chats import Chat

_NAME = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = frozenset(
    {
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    }
)


class Commands:
    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], list[Json]] = {}

    def set(self, commands: list[Json], scope: Json | None = None, language_code: str = "") -> None:
        """Set a list. Raises ApiError with Telegram's text for a name or description that it refuses."""
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not _NAME.fullmatch(command["command"].removeprefix("/")):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        named = [{**command, "command": command["command"].removeprefix("/")} for command in commands]
        self._lists[_key(scope, language_code)] = named

    def get(self, scope: Json | None = None, language_code: str = "") -> list[Json]:
        return self._lists.get(_key(scope, language_code), [])

    def delete(self, scope: Json | None = None, language_code: str = "") -> None:
        self._lists.pop(_key(scope, language_code), None)

    def shown_in(self, chat: Chat) -> list[Json]:
        """Return the menu of a chat: the narrowest list that is set, first in the reader's language.

        https://core.telegram.org/bots/api#determining-list-of-commands; members of a group read several
        languages, so a group shows the lists without a language.
        """
        kind = "all_private_chats" if chat.type == "private" else "all_group_chats"
        scopes = ({"type": "chat", "chat_id": chat.id}, {"type": kind}, {"type": "default"})
        language = ((chat.person and chat.person.language_code) or "")[:2]
        for scope in scopes:
            for code in dict.fromkeys((language, "")):
                if found := self.get(scope, code):
                    return found
        return []


def _key(scope: Json | None, language_code: str) -> tuple[str, str]:
    scope = scope or {"type": "default"}
    if scope["type"] not in _SCOPES:
        raise bad_request("unsupported BotCommandScope type")
    return json.dumps(scope, sort_keys=True), language_code
