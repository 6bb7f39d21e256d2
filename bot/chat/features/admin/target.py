"""The target of an admin's command: an id in it, the writer of the message it replies to, or its group."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat.parsing.message_intent import NOBODY, Intent
from bot.chat.sender import Sender
from bot.store import TaskStore

_ID = re.compile(r"-?[1-9]\d{2,17}")
"""No id has two digits."""


@dataclass(frozen=True, slots=True)
class CommandTarget:
    subject: int
    """A person's id, or the negative one of a group."""
    rest: tuple[str, ...]
    """The words that do not say whom it is about."""


async def find_subject(
    tasks: TaskStore, sender: Sender, intent: Intent, figures: int = 0
) -> CommandTarget | None:
    """Find the person or group that a command is about; None if nothing says it. `figures` is how many other
    numbers the command takes: the first number is an id only if there are more than that, or if nothing else
    says who is meant."""
    words = tuple(intent.words.split())
    if words and _ID.fullmatch(words[0]):
        is_alone = not sender.is_group and intent.about is None and intent.answers is None
        if is_alone or words[0].startswith("-") or len(words) > figures:
            return CommandTarget(int(words[0]), words[1:])
    if intent.about is not None:
        return CommandTarget(intent.about, words) if intent.about != NOBODY else None
    if intent.answers is not None:
        task = await tasks.find(card=(sender.chat_id, intent.answers))
        return None if task is None else CommandTarget(task.user_id, words)
    return CommandTarget(sender.chat_id, words) if sender.is_group else None
