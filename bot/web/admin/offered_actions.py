"""The actions that an admin may run on a task, a person or a model, with their warnings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.admin.permissions import Permission
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
    confirm: str = ""
    """What the button says that does it; empty: the same."""
    field: str = ""
    """The label of a text that has to be given."""


_STOP_IT: Final = "Stop this task"
_CANCEL = ActionButton(
    "cancel", "Cancel", "Nothing was bought yet: it ends, and its person is told.", confirm=_STOP_IT
)
_STOP = ActionButton(
    "cancel",
    "Stop waiting",
    "It is paid for. Its provider is asked to stop it; if it goes on, its video is fetched but not shown:"
    " /history has it.",
    is_grave=True,
    confirm=_STOP_IT,
)
_NOT_MADE = ActionButton(
    "not-made",
    "It was not made: free the slot",
    "Only if the list of jobs in its provider's console does not have it. It then counts as not bought.",
    is_grave=True,
    confirm="It was not made",
)
_ATTACH = ActionButton(
    "attach",
    "Attach its id",
    "The job goes on under the id that its provider has for it, and its video is delivered.",
    field="The id of the job, from its provider's console",
)
_FIRST = ActionButton("first", "Put first", "It is served before all others who wait for the same provider.")
_ALLOW = ActionButton(
    "allow", "Allow", "They may ask anywhere, within the limits. Who was turned away is told."
)
_BAN = ActionButton(
    "ban", "Ban", "They may not ask anywhere any more. What is on its way goes on.", is_grave=True
)
_PAUSE = ActionButton(
    "pause", "Pause", "Nothing new is begun. What waits keeps its place, and what runs goes on."
)
_RESUME = ActionButton("resume", "Go on", "What waits is ordered now, and that costs money.")


_UNDECIDE = ActionButton(
    "undecide", "As if nobody had decided", "The settings alone say then whether they may ask."
)
_REMOVE_ADMIN = ActionButton(
    "remove-admin",
    "No admin any more",
    "They claimed the bot by its link. Their sessions on this page end at once.",
    is_grave=True,
)


def offers_for_task(task: Task, cost: str) -> list[ActionButton]:
    """Return the actions for a task. `cost`: what it would cost now, as `0.42 USD`; empty if unknown."""
    if task.has_unknown_outcome:
        settled = [_NOT_MADE, _ATTACH]
        return [*settled, _again(task, cost)] if task.delivered_at is not None else settled
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
            return [_BAN, _UNDECIDE]
        case "banned":
            return [_ALLOW, _UNDECIDE]
        case "ignored":
            return [_ALLOW, _BAN, _UNDECIDE]
        case _:
            return [_ALLOW, _BAN]


def offers_for_admin(*, is_claimed: bool, is_self: bool) -> list[ActionButton]:
    """Return the actions for an admin: one in ADMIN_USERS is removed there, and nobody removes themselves."""
    return [_REMOVE_ADMIN] if is_claimed and not is_self else []


def offers_for_model(*, is_paused: bool) -> list[ActionButton]:
    return [_RESUME if is_paused else _PAUSE]


def _again(task: Task, cost: str) -> ActionButton:
    price = f"It costs {cost}." if cost else "It costs what its provider takes."
    twice = " It may have been charged once already." if task.has_unknown_outcome else ""
    order = "The very same is ordered once more for its person, on nobody's limits."
    return ActionButton("again", "Ask again", f"{order} {price}{twice}", is_grave=True)
