"""Who sent a message or pressed a button, where, and with which message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.draft import DraftQuestion
from bot.task import Task


@dataclass(frozen=True, slots=True)
class Sender:
    """A person, or a channel or an anonymous admin, who count as persons of their own."""

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
