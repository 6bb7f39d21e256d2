"""The types with which a feature declares its commands and buttons.

Telegram returns a button's data as it was sent, and anybody can make it up, so the dispatcher looks up what
it names: `verb:task_id[:choice]` belongs to a task, `verb[:choice]` to none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.chat.context import ChatContext
from bot.chat.menu import MenuEntry
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.task import Task

MEANT = "meant"
"""The verb of the button that runs the command which a mistyped one was taken for."""


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """A press on a button of a task, by somebody who may use it."""

    sender: Sender
    """`message_id` is the message with the button."""
    task: Task
    verb: str
    choice: str
    """What follows the task's id."""
    person_id: int
    """The person who pressed; an admin may act for the group, which then is the sender."""
    person_name: str
    answer: Callable[[Reply | None], Awaitable[None]]
    """Answers the press before something that takes long; only the first answer is shown."""


@dataclass(frozen=True, slots=True)
class ChatButtonPress:
    """A press on a button that belongs to no task."""

    sender: Sender
    choice: str
    """What follows the verb: not checked."""


CommandHandler = Callable[[ChatContext, Sender, Intent], Awaitable[None]]
"""Handling the same message twice changes nothing."""
ButtonHandler = Callable[[ChatContext, ButtonPress], Awaitable[Reply | None]]
"""Returns what to tell the person who pressed. Handling the same press twice changes nothing."""
ChatButtonHandler = Callable[[ChatContext, ChatButtonPress], Awaitable[Reply | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(MenuEntry):
    handle: CommandHandler
    is_about_photo: bool = False
    """It takes the photo that it comes with or replies to."""
    needs_photo: bool = False
    """It asks for a photo if there is none."""
    meant: Callable[[Intent], Intent] | None = None
    """Returns the same intent with the words that the video is made of, if those are not what was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of a task. `anybody` may press it only under a finished video; `group_admins` may besides the
    owner. `refusal` tells the others that they may not."""

    verb: str
    handle: ButtonHandler
    used_by: Literal["owner", "group_admins", "anybody"] = "owner"
    refusal: str = "press_not_yours"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatButton:
    """A button that belongs to no task. `allowed` are those who may ask for videos in the chat, `admins` the
    admins of the bot."""

    verb: str
    handle: ChatButtonHandler
    used_by: Literal["anybody", "allowed", "admins"]
    refusal: str = "press_private"


Commands = tuple[Command, ...]
Buttons = tuple[Button | ChatButton, ...]


class Feature(Protocol):
    """A module in `bot/chat/features/`."""

    COMMANDS: Commands
    BUTTONS: Buttons
