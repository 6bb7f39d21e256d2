"""A tap on a button, and what a subject of the chat does with it.

What a button says is looked up, never trusted. `verb:task_id[:choice]` belongs to a task: that the asker may
do this with it has been checked before an act runs. For some verbs under a finished video that is somebody
else than its owner, who gets something of their own. `verb:choice` of a plain act belongs to no task: that
act checks who may do it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.chat.sender import Sender
from bot.request import Problem
from bot.task import Task


@dataclass(frozen=True, slots=True)
class ButtonPress:
    sender: Sender
    """`message_id` is the message on which the button stands."""
    task: Task
    verb: str
    choice: str
    """What stands after the task's id, where the verb needs more."""
    person_id: int
    """Who tapped: an admin may act for the group, which then is the asker."""


@dataclass(frozen=True, slots=True)
class ChatButtonPress:
    sender: Sender
    choice: str
    """What stands after the verb: foreign input."""


ButtonHandler = Callable[[ButtonPress], Awaitable[Problem | None]]
"""Returns what to tell the person who tapped, or None. Handling the same tap twice changes nothing."""
ChatButtonHandler = Callable[[ChatButtonPress], Awaitable[Problem | None]]
