"""The bill of a month as CSV: a row for each submit, to hold beside what a provider charges.

A row says whether its provider should have charged for it: `yes`; `no`, if it refused the job or stopped it
without a charge; `perhaps`, if nobody knows how the submit ended, or if the job failed at the provider.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bot.codes import FailureCode
from bot.request import VideoModel, VideoRequest, settle
from bot.store.statistics import StatisticsStore, Submit
from bot.task import TaskState

COLUMNS: Final = (
    *("handed_over_at", "provider", "model", "remote_id", "charged", "price", "currency", "tokens"),
    *(
        "seconds",
        "resolution",
        "sound",
        "outcome",
        "reason",
        "submit_answer",
        "submit_seconds",
        "submit_detail",
    ),
    *("task", "person", "asked_at", "ended_at"),
)
_PAGE = 100
_FORMULA = re.compile(r"(?!-?\d+$)[=+\-@\t\r]")
"""How a cell begins that a spreadsheet takes for a formula (OWASP: CSV injection); numbers are none."""
Charged = Literal["yes", "no", "perhaps"]


def month_edges(name: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when the month `2026-11` begins and ends. Raises ValueError if there is no such month."""
    found = re.fullmatch(r"(\d{4})-(\d{2})", name, re.ASCII)
    if found is None:
        raise ValueError(f"{name} is no month such as 2026-11")
    year, month = int(found[1]), int(found[2])
    if not 1970 <= year < 9999:
        raise ValueError(f"{name} is in no year that has a bill")
    since = datetime(year, month, 1, tzinfo=zone)  # refuses a thirteenth one
    return since, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)


async def draw_bill(
    store: StatisticsStore,
    month: str,
    *,
    zone: ZoneInfo,
    models: Mapping[str, VideoModel],
    currency: str,
    redact: Callable[[str], str],
) -> AsyncIterator[str]:
    """Yield the file piece by piece, however many rows it has. Raises ValueError as `month_edges` does, and
    StoreError.

    `models` are those that are set up; for other models the columns say what was asked for. `redact` takes
    secrets out of a provider's words.
    """
    since, until = month_edges(month, zone)
    yield _lines([COLUMNS])
    page = await store.submits(since, until, _PAGE)
    while page:
        yield _lines([_row(one, zone, models, currency, redact) for one in page])
        page = await store.submits(since, until, _PAGE, page[-1]) if len(page) == _PAGE else []


def charged(submit: Submit) -> Charged:
    if submit.answer == FailureCode.SUBMIT_UNKNOWN:
        task = submit.task
        is_settled = task.state is TaskState.FAILED and not task.has_unknown_outcome
        # An operator has checked that it was not made.
        return "no" if is_settled and task.remote_id is None else "perhaps"
    if submit.answer != "ok":
        return "no"
    match submit.task.state:
        case TaskState.FAILED:
            return "perhaps"
        case TaskState.CANCELLED:
            return "no"
        case _:
            return "yes"


def _outcome(submit: Submit) -> str:
    if charged(submit) == "no" and submit.answer != "ok":
        return "refused"
    return TaskState.CANCELLED.value if submit.task.is_cancelled else submit.task.state.value


def _row(
    submit: Submit,
    zone: ZoneInfo,
    models: Mapping[str, VideoModel],
    currency: str,
    redact: Callable[[str], str],
) -> list[str]:
    task, answered = submit.task, charged(submit)
    was_taken = answered != "no" or submit.answer == "ok"
    # A task that went to another model since was refused here, whatever became of it there.
    is_here = task.provider == submit.provider
    request = _settled(task.request, models)
    return [
        _time(submit.at, zone),
        submit.provider,
        request.model if is_here else "",
        task.job_id if was_taken and is_here else "",
        answered,
        "" if task.price is None or not is_here else f"{task.price:f}",
        currency,
        str(task.billed_tokens or "") if is_here and answered == "yes" else "",
        str(request.seconds or "") if is_here else "",
        request.resolution or "" if is_here else "",
        {True: "on", False: "off", None: ""}[request.audio],
        _outcome(submit),
        (task.error_code or "" if was_taken else submit.answer),
        submit.answer,
        f"{submit.took_s:.2f}",
        redact(submit.detail),
        task.id,
        str(task.user_id),
        _time(task.queued_at or task.created_at, zone),
        _time(task.finished_at, zone),
    ]


def _settled(request: VideoRequest, models: Mapping[str, VideoModel]) -> VideoRequest:
    """Return the request with the model's defaults for what the person left open."""
    model = models.get(request.model)
    return request if model is None else settle(request, model)


def _time(moment: datetime | None, zone: ZoneInfo) -> str:
    return "" if moment is None else moment.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[_harmless(cell) for cell in row] for row in rows])
    return text.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
