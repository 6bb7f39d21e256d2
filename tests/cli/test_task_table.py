"""How the command line shows tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fakes import CARD_FIELDS, NOW, a_task, made

from bot.cli import task_table
from bot.codes import FailureCode
from bot.store import Attempt
from bot.task import Task, TaskState

LOST: dict[str, Any] = {
    "state": TaskState.FAILED,
    "error_code": FailureCode.SUBMIT_UNKNOWN,
    "delivered_at": NOW,
    "submitted_at": NOW,
}


def drawn(what: Any) -> str:
    from rich.console import Console  # noqa: PLC0415

    console = Console(width=160, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_the_story_of_a_lost_one_says_what_to_do() -> None:
    attempt = Attempt(
        task_id="boat",
        provider="cloud",
        call="submit",
        at=NOW,
        took_s=60.0,
        answer=FailureCode.SUBMIT_UNKNOWN,
        detail="[bold]cut[/bold]",
    )
    story = drawn(task_table.draw_task_page(a_task(**LOST), [attempt] * 20, 0, NOW))
    assert "tasks attach boat REMOTE_ID" in story
    assert "8 more" in story
    assert "[bold]cut[/bold]" in story, "what a provider says is shown as it is"


def test_the_story_shows_the_order_however_many_polls_came_after_it() -> None:
    order = Attempt(task_id="boat", provider="cloud", call="submit", at=NOW, took_s=0.8, answer="ok")
    polls = [replace(order, call="poll", at=NOW + timedelta(seconds=n)) for n in range(1, 21)]
    story = drawn(task_table.draw_task_page(a_task(), [order, *polls], 0, NOW))
    assert "submit" in story
    assert "8 more" in story
    assert story.count("poll") == 12


def test_names_and_words_are_shown_as_they_are() -> None:
    task = a_task(user_name="[red]Ada[/red]", user_id=5)
    assert "[red]Ada[/red]" in drawn(task_table.draw_table([task], {"boat": 2}, NOW))
    assert "2 before it" in drawn(task_table.draw_table([task], {"boat": 2}, NOW))


TASK_FIELDS = (*(name for name in Task.__dataclass_fields__ if name != "card"), *CARD_FIELDS)


def test_json_has_every_field_of_a_task() -> None:
    task = made(price=Decimal("0.10"), tried_models=("veo-3",))
    fields = task_table.task_json(task)
    renamed = {"detached": "hidden", "tried_models": "passed_over", "polled_at": "looked_at"}
    renamed["has_photo"] = "card_has_photo"
    assert fields.keys() == {renamed.get(name, name) for name in TASK_FIELDS}
    assert (fields["price"], fields["state"], fields["passed_over"]) == ("0.10", "succeeded", ["veo-3"])
    assert fields["created_at"] == NOW.isoformat()
    assert task_table.write_json(fields)
