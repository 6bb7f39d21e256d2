"""The actions that an admin may run on a task, a person or a model, with their warnings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.admin.permissions import Permission
from bot.codes import FailureCode
from bot.task import Task, TaskState

ALL_MODELS: Final = "*"
"""In a URL, instead of a model's name."""


@dataclass(frozen=True, slots=True)
class ActionButton:
    """A button. `warning`: what an admin should know first."""

    verb: str
    label: str
    warning: str
    is_grave: bool = False


_CANCEL = ActionButton("cancel", "Cancel", "Nothing was bought yet: it ends, and its person is told.")
_STOP = ActionButton(
    "cancel",
    "Stop waiting",
    "It is paid for and goes on at the provider. Its video is fetched but not shown: /history has it.",
    is_grave=True,
)
_FIRST = ActionButton("first", "Put first", "It is served before all others who wait for the same provider.")
_ALLOW = ActionButton(
    "allow", "Let in", "They may ask anywhere, within the limits. Who was turned away is told."
)
_BAN = ActionButton(
    "ban", "Keep out", "They may not ask anywhere any more. What is on its way goes on.", is_grave=True
)
_PAUSE = ActionButton(
    "pause", "Pause", "Nothing new is begun. What waits keeps its place, and what runs goes on."
)
_RESUME = ActionButton("resume", "Go on", "What waits is ordered now, and that costs money.")


def offers_for_task(task: Task, cost: str) -> list[ActionButton]:
    """Return the actions for a task. `cost`: what it would cost now, as `0.42 USD`; empty if unknown."""
    if task.delivered_at is not None:
        return [_again(task, cost)] if task.state in (TaskState.FAILED, TaskState.CANCELLED) else []
    if task.detached:
        return []
    match task.state:
        case TaskState.QUEUED:
            return [_FIRST, _CANCEL]
        case TaskState.SUBMITTING | TaskState.RUNNING:
            return [_STOP]
        case _:
            return []


def offers_for_subject(permission: Permission) -> list[ActionButton]:
    match permission.admission:
        case "allowed":
            return [_BAN]
        case "banned":
            return [_ALLOW]
        case _:
            return [_ALLOW, _BAN]


def offers_for_model(*, is_paused: bool) -> list[ActionButton]:
    return [_RESUME if is_paused else _PAUSE]


def _again(task: Task, cost: str) -> ActionButton:
    price = f"It costs {cost}." if cost else "It costs what its provider takes."
    twice = " It may have been charged once already." if task.error_code == FailureCode.SUBMIT_UNKNOWN else ""
    order = "The very same is ordered once more for its person, on nobody's limits."
    return ActionButton("again", "Ask again", f"{order} {price}{twice}", is_grave=True)
