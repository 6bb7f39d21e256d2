"""Who sent a message or pressed a button, where, and with which message."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from bot.draft import DraftQuestion
from bot.task import Task

_CHANNELS = 10**15
"""Larger than any id of Telegram: subtracted from a group's, it is nobody's id."""


def channels_of(chat_id: int) -> int:
    """Return the id under which all channels count that write in a group: a person may own any number."""
    return chat_id - _CHANNELS


_UNSHOWN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]+")
"""Line breaks, control characters, and those that change the direction of the text after them."""
_FROM_THE_RIGHT = frozenset({"R", "AL"})


def tidy_name(name: str) -> str:
    """Return a name on one line that leaves the words around it alone, whichever way it is read."""
    tidy = " ".join(_UNSHOWN.sub(" ", name).split())
    if any(unicodedata.bidirectional(letter) in _FROM_THE_RIGHT for letter in tidy):
        return f"\u2068{tidy}\u2069"  # an isolate of Unicode's bidirectional algorithm (UAX 9)
    return tidy


@dataclass(frozen=True, slots=True)
class Sender:
    """A person or an anonymous admin, who counts as a person; or a channel: all of a group count as one."""

    update_id: int
    chat_id: int
    thread_id: int | None
    user_id: int
    user_name: str
    message_id: int | None
    language: str
    sent_at: datetime
    album_id: str | None = None
    pressed: bool = False
    """They pressed a button: `message_id` is the message with it."""
    album_draft: Task | None = None
    """The draft that collected their album, or waited for their video to be read: it becomes the task."""
    chat_title: str = ""
    """Of a group."""
    code: str | None = None
    """The language of their own Telegram, as it names it; `language` is the one to answer in."""

    @property
    def is_channel(self) -> bool:
        """Return True if this was written in the name of a channel."""
        return self.user_id == channels_of(self.chat_id)

    @property
    def is_group(self) -> bool:
        """Return True if this was in a group."""
        return self.chat_id < 0


def sender_of(task: Task) -> Sender:
    """Return who asked for a draft that has no card yet, with that draft."""
    return Sender(
        update_id=task.update_id or 0,
        chat_id=task.card.chat_id,
        thread_id=task.card.thread_id,
        user_id=task.user_id,
        user_name=task.user_name,
        message_id=task.card.message_id,
        language=task.language,
        sent_at=task.created_at,
        album_id=task.album_id,
        pressed=task.question == DraftQuestion.EXTENDING_PRESSED,
        album_draft=task,
    )
