"""Every model in every state of a task: whatever shows a task can show each of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from admin_site import ADMIN, NOW, a_submit, a_task, admin_site
from every_model import WITH_LINKS
from fakes import changed_task
from rich.console import Console

from bot.admin.billing import draw_bill
from bot.chat.cards.option_buttons import choice_rows, option_rows
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.cards.task_card import draw_caption, draw_card
from bot.chat.features.history import draw_history
from bot.chat.features.results.details import draw_details
from bot.cli import task_table
from bot.codes import FailureCode
from bot.draft import DraftQuestion
from bot.prices import read_prices
from bot.request import CAMERAS, Mode, VideoModel, VideoRequest
from bot.store import Attempt
from bot.stores.sqlite import SQLiteStore
from bot.task import Task, TaskState

UTC_ZONE = ZoneInfo("UTC")
_BEGUN = {"submitted_at": NOW, "keep_until": NOW + timedelta(hours=12), "due_at": NOW}
_ENDED = {"submitted_at": NOW, "finished_at": NOW, "due_at": None, "delivered_at": NOW}
STATES: Mapping[str, dict[str, Any]] = {
    "draft": {"state": TaskState.DRAFT, "question": "card_draft", "queued_at": None},
    "album": {"state": TaskState.DRAFT, "question": DraftQuestion.ALBUM, "queued_at": None, "card_id": None},
    "queued": {},
    "put back": {"error_code": "busy", "attempts": 3, "failing_since": NOW},
    "another model before": {"tried_models": ("a-model-that-is-gone",)},
    "handed over": {"state": TaskState.SUBMITTING, **_BEGUN},
    "running": {"state": TaskState.RUNNING, "remote_id": "1", **_BEGUN},
    "half made": {"state": TaskState.RUNNING, "remote_id": "1", "progress": 0.5, "running_at": NOW, **_BEGUN},
    "late": {"state": TaskState.RUNNING, "remote_id": "1", "late_at": NOW, **_BEGUN},
    "not waited for": {"state": TaskState.RUNNING, "remote_id": "1", "detached": True, **_BEGUN},
    "made": {"state": TaskState.SUCCEEDED, "remote_id": "1", "video_url": "https://x.example", **_BEGUN},
    "shown": {"state": TaskState.SUCCEEDED, "remote_id": "1", "file_id": "f", **_ENDED},
    "refused": {"state": TaskState.FAILED, "error_code": "prompt_refused", **_ENDED},
    "unknown": {
        "state": TaskState.FAILED,
        "error_code": FailureCode.SUBMIT_UNKNOWN,
        "finished_at": NOW,
        **_BEGUN,
    },
    "cancelled": {"state": TaskState.CANCELLED, "error_code": "cancelled", **_ENDED, "submitted_at": None},
}
PAGES = ["", "/days", "/record", "/settings", "/people/7001", "/people/-100", "/bill?month=2026-05"]
LISTS = ["", "?state=waiting", "?state=making", "?state=made", "?state=failed", "?state=asking"]


def requests_of(model: VideoModel) -> list[VideoRequest]:
    """One for each of its modes, with nothing chosen that it does not need; and the words alone, as a draft
    has them that lacks its photo."""
    made = [VideoRequest(model=model.name, prompt="a boat")]
    for mode in sorted(model.modes):
        photos = {Mode.TEXT: (), Mode.FIRST_LAST: ("a", "b")}.get(mode, ("a",))
        camera = CAMERAS[0] if mode is Mode.CAMERA else None
        made.append(VideoRequest(model=model.name, prompt="a boat", photos=photos, camera=camera))
    return made


def tasks_of(model: VideoModel) -> list[Task]:
    every = product(STATES.items(), enumerate(requests_of(model)))
    return [
        changed_task(
            a_task(f"{model.name}-{name.replace(' ', '-')}-{number}", NOW),
            request=request,
            provider=model.provider,
            chat_id=-100 if number else 7001,
            **changes,
        )
        for (name, changes), (number, request) in every
    ]


def attempts_of(task: Task) -> list[Attempt]:
    if task.submitted_at is None:
        return []
    return [a_submit(task), a_submit(task, call="poll"), a_submit(task, call="fetch", answer="unreachable")]


@pytest.mark.parametrize("model", WITH_LINKS.values(), ids=WITH_LINKS)
async def test_every_page_of_the_operator_is_drawn(tmp_path: Path, model: VideoModel) -> None:
    async with (
        admin_site(tmp_path, models=WITH_LINKS) as site,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        paths = [*PAGES, *(f"/tasks{which}" for which in LISTS)]
        for task in tasks_of(model):
            await site.store.tasks.add(task)
            for attempt in attempts_of(task):
                await site.store.tasks.record(attempt)
            paths.append(f"/tasks/{task.id}")
        token = (await site.link(ADMIN)).partition("#")[2]
        await session.post(f"{site.server.url}/admin/login", data={"token": token})
        for path in paths:
            async with session.get(f"{site.server.url}/admin{path}") as response:
                assert response.status == 200, path
        for task in tasks_of(model):
            for move in ("cancel", "first", "again"):
                async with session.get(f"{site.server.url}/admin/tasks/{task.id}/{move}") as response:
                    assert response.status in (200, 409), (task.id, move)


@pytest.mark.parametrize("model", WITH_LINKS.values(), ids=WITH_LINKS)
def test_the_command_line_shows_it(model: VideoModel) -> None:
    console = Console(width=160, file=None, record=True, quiet=True)
    tasks = tasks_of(model)
    console.print(task_table.draw_table(tasks, {}, NOW))
    for task in tasks:
        console.print(task_table.draw_task_page(task, attempts_of(task), 0, NOW))
        assert task_table.write_json(task_table.task_json(task))


@pytest.mark.parametrize("model", WITH_LINKS.values(), ids=WITH_LINKS)
async def test_the_bill_has_a_row_for_it(store: SQLiteStore, model: VideoModel) -> None:
    submitted = [task for task in tasks_of(model) if task.submitted_at]
    for task in submitted:
        await store.tasks.add(task)
        await store.tasks.record(a_submit(task))
    pieces = draw_bill(
        store.statistics,
        "2026-05",
        zone=UTC_ZONE,
        models=WITH_LINKS,
        currency="USD",
        redact=lambda text: text,
    )
    assert "".join([piece async for piece in pieces]).count("\r\n") == len(submitted) + 1


@pytest.mark.parametrize("model", WITH_LINKS.values(), ids=WITH_LINKS)
def test_the_chat_shows_it(model: VideoModel) -> None:
    price_labels = PriceLabels(read_prices(f"{model.name}=0.50/s"), "USD", WITH_LINKS)
    for task in tasks_of(model):
        assert task.is_collecting_album or draw_card(task, WITH_LINKS, NOW).text
        assert draw_caption(task, WITH_LINKS, price_labels).text
        assert draw_details("en", task, attempts_of(task), model, UTC_ZONE, price_labels=price_labels).text
        assert option_rows(task, WITH_LINKS)
        for option in ("model", "ratio", "seconds", "resolution", "audio", "camera", "strength"):
            choice_rows(task, WITH_LINKS, option, price_labels)
    assert draw_history("en", tasks_of(model), WITH_LINKS, UTC_ZONE, user_id=7001, newer=0).text
