"""The story of a task says who cancelled it, by name, and what its provider said to that."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from fakes import NOW, a_task
from rich.console import Console

from bot.cli.task_table import draw_task_page
from bot.store import Attempt
from bot.store.audit import THE_MACHINE, AuditEntry
from bot.task import Task, TaskState
from bot.web.admin.timeline import tell

ADA, BORIS = 20, 30


def cancelled(by: int, name: str = "", **changes: Any) -> Task:
    running = a_task(user_id=ADA, user_name="Ada", state=TaskState.RUNNING, remote_id="1", **changes)
    return running.hide(NOW, by, name)


def words(task: Task, *acts: AuditEntry, answer: str = "") -> list[str]:
    attempt = Attempt(
        task_id=task.id,
        provider="cloud",
        call="cancel",
        at=NOW + timedelta(seconds=1),
        took_s=0.1,
        answer=answer,
    )
    return [event.words for event in tell(task, [attempt] if answer else [], acts)]


@pytest.mark.parametrize(
    ("task", "acts", "told"),
    [
        (cancelled(ADA), (), "cancelled by Ada, who asked for it"),
        (cancelled(BORIS, "Boris", chat_id=-5), (), "cancelled by Boris, an admin of the group"),
        (
            cancelled(BORIS, "Boris", chat_id=-5),
            (AuditEntry("cancel", "boat", BORIS, NOW),),
            "cancelled by Boris, an admin of the bot",
        ),
        (cancelled(BORIS, "Boris"), (), "cancelled by Boris, an admin of the bot"),
        (cancelled(BORIS), (), "cancelled by 30, an admin of the bot"),
        (cancelled(THE_MACHINE), (), "cancelled by the command line"),
    ],
)
def test_the_story_names_who_stopped_waiting(task: Task, acts: tuple[AuditEntry, ...], told: str) -> None:
    assert told in words(task, *acts)


@pytest.mark.parametrize(
    ("answer", "told"),
    [("ok", "stopped it"), ("not_stopped", "does not stop it"), ("unreachable", "did not answer")],
)
def test_the_story_says_what_the_provider_said_to_that(answer: str, told: str) -> None:
    assert told in words(cancelled(ADA), answer=answer)[-1]


def test_the_command_line_names_who_cancelled_too() -> None:
    console = Console(width=200, file=(out := io.StringIO()))
    console.print(draw_task_page(cancelled(BORIS, "Boris", chat_id=-5), [], 0, NOW))
    text = out.getvalue()
    assert "Boris (30)" in text
    assert "running  cancelled" in text
