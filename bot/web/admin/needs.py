"""What needs an operator, and what to do about each; and why a task waits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.errors import Trouble
from bot.store import AccountTrouble, Pause
from bot.store.budget import EVERYTHING
from bot.task import Task
from bot.web.admin.labels import code_words, duration, time_ago
from bot.web.admin.offered_actions import ALL_MODELS

MEND: Final[Mapping[Trouble, str]] = {
    "no_balance": "top it up in its console",
    "key_refused": "compare the key in .env with the one in its console, then restart the bot",
    "not_activated": "activate the product in its console, and check what the key may use",
    "wrong_clock": "set the clock of this machine (NTP)",
    "wrong_address": "compare its …_BASE_URL and key in .env with its console, then restart the bot",
    "account": "look into its console; its answer is in the log",
}
_TOLD_WITHIN = timedelta(minutes=10)
"""Longer than that no chat waits for an outcome, unless Telegram or the disk refuses."""


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """One thing that needs somebody."""

    what: str
    todo: str
    links: tuple[tuple[str, str], ...] = ()
    """What can be done here: the label and the page."""
    tasks: tuple[Task, ...] = ()
    """Orders of unknown end, to be settled one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What stands against new orders, and who is called what."""

    pauses: Sequence[Pause]
    troubles: Sequence[AccountTrouble]
    down: Mapping[str, datetime]
    """Providers that do not answer, and since when."""
    fetches_down: Mapping[str, datetime]
    """Those whose finished videos cannot be fetched."""
    names: Mapping[int, str]
    now: datetime

    def pause_of(self, model: str) -> Pause | None:
        return next((pause for pause in self.pauses if pause.model in (EVERYTHING, model)), None)

    def paused_by(self, pause: Pause) -> str:
        if pause.is_of_disk:
            return "the bot, whose disk takes no videos"
        return "the limit for an hour" if pause.is_hourly_limit else self.names.get(pause.by, str(pause.by))


def find_needs(
    queue: QueueState,
    *,
    obstacles: Sequence[str],
    unknown: Sequence[Task],
    slots: Mapping[str, int | None],
    undelivered: Sequence[Task],
) -> list[OpenProblem]:
    """Return what needs somebody, the worst first. `unknown`: orders of unknown end that hold a slot."""
    now = queue.now
    needs = [
        OpenProblem(
            f"The bot: {one}",
            "see the log and python -m bot doctor; it goes on by itself once that is mended",
        )
        for one in obstacles
    ]
    for trouble in queue.troubles:
        words = code_words(trouble.trouble)
        needs.append(
            OpenProblem(f"{trouble.provider}: {words} {time_ago(trouble.since, now)}", MEND[trouble.trouble])
        )
    for provider, since in queue.down.items():
        todo = "look at its status page; what waits for it goes on by itself"
        needs.append(OpenProblem(f"{provider}: no answer {time_ago(since, now)}", todo))
    for provider, since in queue.fetches_down.items():
        todo = "see fetches fail in the log; pause its models if it lasts: what it makes is paid for"
        what = f"{provider}: finished videos cannot be fetched {time_ago(since, now)}"
        needs.append(OpenProblem(what, todo))
    for provider in dict.fromkeys(task.provider for task in unknown):
        tasks = tuple(task for task in unknown if task.provider == provider)
        needs.append(_unknown(provider, tasks, slots.get(provider)))
    for pause in queue.pauses:
        what = f"{pause.model or 'Everything'} is paused by {queue.paused_by(pause)}"
        link = ("Go on", f"/admin/models/{pause.model or ALL_MODELS}/resume")
        needs.append(OpenProblem(f"{what} {time_ago(pause.at, now)}", _after_pause(pause), (link,)))
    late = [task for task in undelivered if task.finished_at and now - task.finished_at > _TOLD_WITHIN]
    if late:
        what = (
            f"{_count(len(late), 'outcome')} of more than {duration(_TOLD_WITHIN.total_seconds())} not told"
        )
        needs.append(
            OpenProblem(what, "the log says what Telegram or the disk refuses", (("Show", "#unseen"),))
        )
    return needs


def _after_pause(pause: Pause) -> str:
    if pause.is_of_disk:
        return "free space where DATA_DIR is, or mend that disk, then go on: finished videos wait for it"
    return (
        "go on if as many again may be bought"
        if pause.is_hourly_limit
        else "go on when it may be bought again"
    )


def why_waiting(task: Task, ahead: int, queue: QueueState, slots: int | None) -> str:
    """Return why a waiting task is not handed over now. `ahead`: how many are served before it."""
    now = queue.now
    if pause := queue.pause_of(task.request.model):
        return f"paused by {queue.paused_by(pause)}"
    for trouble in queue.troubles:
        if trouble.provider in (task.provider, task.request.model):
            return f"{trouble.provider}: {code_words(trouble.trouble)}"
    if task.provider in queue.down:
        return f"{task.provider} does not answer"
    if task.error_code and task.due_at is not None and task.due_at > now:
        return (
            f"{code_words(task.error_code)}: tried again in {duration((task.due_at - now).total_seconds())}"
        )
    if ahead:
        return f"{ahead} before it"
    return "all slots are used" if slots is None or slots else "no slot is free"


def _unknown(provider: str, tasks: tuple[Task, ...], slots: int | None) -> OpenProblem:
    held = f"{len(tasks)} of {_count(slots, 'slot')}" if slots else _count(len(tasks), "slot")
    verb = "hold" if len(tasks) > 1 else "holds"
    what = f"{_count(len(tasks), 'order')} of unknown end {verb} {held} at {provider}"
    return OpenProblem(what, f"look for each in the list of jobs in {provider}'s console", tasks=tasks)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
