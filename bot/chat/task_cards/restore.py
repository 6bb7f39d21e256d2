"""After a start: draws the cards of tasks in progress, and says that the bot was away."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.chat.task_cards.board import CardBoard
from bot.store import TaskStore
from bot.task import TaskState
from bot.text import say, say_duration

_NOTICED = timedelta(minutes=1)
"""A shorter absence is not mentioned."""
_SAID_FOR = timedelta(minutes=3)


async def come_back(tasks: TaskStore, board: CardBoard, away: timedelta, now: datetime) -> None:
    """Draw the cards of tasks in progress after a start. Called before anything else moves a task: a card
    drawn later could hide an outcome."""
    for task in await tasks.open_tasks():
        # The others are about to be told their outcome.
        if task.state in (TaskState.QUEUED, TaskState.RUNNING):
            if away >= _NOTICED:
                minutes_s = 60 * round(away.total_seconds() / 60)
                line = say(task.language, "card_back", time=say_duration(task.language, minutes_s))
                board.note(task, line, until=now + _SAID_FOR)
            board.show(task)
