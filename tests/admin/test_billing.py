"""The bill of a month: what was handed over, what should be charged, and how it reads in a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from admin_site import MODELS, SECRET, a_submit, a_task
from fakes import WorkerHarness

from bot.admin.billing import COLUMNS, draw_bill, month_edges
from bot.codes import FailureCode
from bot.request import VideoRequest
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState

BERLIN = ZoneInfo("Europe/Berlin")
MAY = datetime(2026, 5, 14, 12, tzinfo=UTC)


async def bill(store: SQLiteStore, month: str = "2026-05") -> list[dict[str, str]]:
    pieces = draw_bill(
        store.statistics,
        month,
        zone=BERLIN,
        models=MODELS,
        currency="USD",
        redact=lambda text: text.replace(SECRET, "[hidden]"),
    )
    text = "".join([piece async for piece in pieces])
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def submitted(store: SQLiteStore, task_id: str, answer: str = "ok", **changes: object) -> Task:
    task = replace(a_task(task_id, MAY, submitted_at=MAY, finished_at=MAY + timedelta(seconds=90)), **changes)  # type: ignore[arg-type]
    await store.tasks.add(task)
    await store.tasks.record(a_submit(task, answer=answer))
    return task


async def test_the_id_is_the_one_that_the_provider_prints(store: SQLiteStore) -> None:
    await submitted(store, "photo", state=TaskState.SUCCEEDED, remote_id="jimeng_i2v_first_v30:7392")
    assert [row["remote_id"] for row in await bill(store)] == ["7392"]


async def test_a_row_tells_all_that_a_bill_may_be_asked_about(store: SQLiteStore) -> None:
    await submitted(store, "boat", state=TaskState.SUCCEEDED, remote_id="their-7", billed_tokens=108_900)
    (row,) = await bill(store)
    assert tuple(row) == COLUMNS
    assert row == {
        "handed_over_at": "2026-05-14 14:00:00+02:00",
        "provider": "volcengine",
        "model": "jimeng-pro",
        "remote_id": "their-7",
        "charged": "yes",
        "price": "0.42",
        "currency": "USD",
        "tokens": "108900",
        "seconds": "5",
        "resolution": "1080p",
        "sound": "",
        "outcome": "succeeded",
        "reason": "",
        "submit_answer": "ok",
        "submit_seconds": "0.84",
        "submit_detail": "request 20260514-7f3a",
        "task": "boat",
        "person": "7001",
        "asked_at": "2026-05-14 14:00:00+02:00",
        "ended_at": "2026-05-14 14:01:30+02:00",
    }


async def test_each_row_says_whether_it_should_be_charged(store: SQLiteStore) -> None:
    made, failed = TaskState.SUCCEEDED, TaskState.FAILED
    await submitted(store, "made", state=made, remote_id="1")
    await submitted(store, "running", state=TaskState.RUNNING, remote_id="2")
    await submitted(store, "refused later", state=failed, error_code="video_refused", remote_id="3")
    await submitted(
        store, "unknown", FailureCode.SUBMIT_UNKNOWN, state=failed, error_code=FailureCode.SUBMIT_UNKNOWN
    )
    await submitted(
        store, "not made", FailureCode.SUBMIT_UNKNOWN, state=failed, error_code=FailureCode.PROVIDER_FAULT
    )
    await submitted(store, "refused", "prompt_refused", state=failed, error_code="prompt_refused")
    task = await submitted(store, "busy at first", "busy", state=made, remote_id="4")
    await store.tasks.record(a_submit(task, at=MAY + timedelta(seconds=9)))
    unseen: dict[str, Any] = {"detached": True, "cancelled_at": MAY, "cancelled_by": 20}
    await submitted(store, "made all the same", state=made, remote_id="5", **unseen)
    stopped: dict[str, Any] = {"state": TaskState.CANCELLED, "error_code": "cancelled", "remote_id": "6"}
    await submitted(store, "stopped", **unseen | stopped)
    rows = [(row["task"], row["charged"], row["remote_id"], row["outcome"]) for row in await bill(store)]
    assert rows == [
        ("made", "yes", "1", "succeeded"),
        ("running", "yes", "2", "running"),
        ("refused later", "perhaps", "3", "failed"),
        ("unknown", "perhaps", "", "failed"),
        ("not made", "no", "", "refused"),
        ("refused", "no", "", "refused"),
        ("busy at first", "no", "", "refused"),
        ("made all the same", "yes", "5", "cancelled"),
        ("stopped", "no", "6", "cancelled"),
        ("busy at first", "yes", "4", "succeeded"),
    ]


async def test_what_went_to_another_provider_is_no_row_of_the_first_ones_bill(store: SQLiteStore) -> None:
    request = VideoRequest(model="veo-3", prompt="a hat")
    task = await submitted(
        store,
        "boat",
        state=TaskState.SUCCEEDED,
        provider="jiekou",
        request=request,
        remote_id="7",
        price=Decimal("1.20"),
        tried_models=("jimeng-pro",),
    )
    await store.tasks.record(
        a_submit(task, provider="volcengine", answer="account", at=MAY - timedelta(seconds=1))
    )
    first, second = await bill(store)
    assert (first["provider"], first["charged"], first["model"], first["price"]) == (
        "volcengine",
        "no",
        "",
        "",
    )
    assert (second["provider"], second["charged"], second["price"]) == ("jiekou", "yes", "1.20")


async def test_a_month_begins_at_midnight_where_the_operator_lives(store: SQLiteStore) -> None:
    first = datetime(2026, 4, 30, 22, tzinfo=UTC)
    last = datetime(2026, 5, 31, 22, tzinfo=UTC)
    for name, at in (("april", first - timedelta(seconds=1)), ("first", first), ("june", last)):
        await store.tasks.record(a_submit(await store.tasks.add(a_task(name, at, submitted_at=at))))
    assert [row["task"] for row in await bill(store)] == ["first"]
    assert [row["task"] for row in await bill(store, "2026-06")] == ["june"]


async def test_a_long_month_is_written_piece_by_piece(store: SQLiteStore) -> None:
    task = await submitted(store, "boat")
    for number in range(1200):
        await store.tasks.record(a_submit(task, at=MAY + timedelta(seconds=number // 3), detail=str(number)))
    rows = await bill(store)
    assert sorted(int(row["submit_detail"]) for row in rows[1:]) == list(range(1200))


async def test_no_cell_is_a_formula_and_no_secret_is_in_it(store: SQLiteStore) -> None:
    task = await submitted(store, "boat", remote_id='=HYPERLINK("http://evil.example")', user_id=-100123)
    await store.tasks.record(a_submit(task, detail=f'@{SECRET},"\nx'))
    first, second = await bill(store)
    assert first["remote_id"].startswith("'=HYPERLINK")
    assert first["person"] == "-100123"
    assert second["submit_detail"] == "'@[hidden],\"\nx"


async def test_a_submit_in_which_the_process_died_is_on_the_bill(harness: WorkerHarness) -> None:
    lost = replace(
        a_task("boat", harness.clock(), provider="cloud"),
        state=TaskState.SUBMITTING,
        submitted_at=harness.clock(),
    )
    await harness.store.tasks.add(lost)
    harness.clock.advance(300)
    await harness.turn()
    (attempt,) = await harness.store.tasks.attempts("boat")
    assert (attempt.call, attempt.answer, attempt.at) == (
        "submit",
        FailureCode.SUBMIT_UNKNOWN,
        lost.submitted_at,
    )


@pytest.mark.parametrize(
    "name", ["2026-13", "2026-00", "0000-01", "2026-1", "2026", "0001-01", "9999-12", "", "x", "٢٠٢٦-٠١"]
)
def test_what_is_no_month_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"month|year"):
        month_edges(name, BERLIN)


def test_december_ends_with_the_year() -> None:
    since, until = month_edges("2026-12", BERLIN)
    assert (since.isoformat(), until.isoformat()) == (
        "2026-12-01T00:00:00+01:00",
        "2027-01-01T00:00:00+01:00",
    )
