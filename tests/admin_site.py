"""The operator's page on a store with two lively weeks in it, for tests and for pictures."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fakes import A_MODEL, Clock, admin_actions, changed_task

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.prices import read_prices
from bot.request import VideoModel, VideoRequest
from bot.settings import IsolatedSettings
from bot.store import AccountTrouble, Attempt
from bot.store.audit import SET, AuditEntry, setting
from bot.store.budget import Pause
from bot.stores.sqlite import SQLiteStore
from bot.task import CardRef, Task, TaskState
from bot.web import Health, PrivateServer
from bot.web.admin import AdminContext, AdminPages, Names, make_link

NOW = datetime(2026, 5, 14, 15, 40, tzinfo=UTC)
ADMIN = 1001
SECRET = "a-key-that-nobody-may-see"
MODELS: dict[str, VideoModel] = {
    model.name: model
    for model in (
        replace(A_MODEL, provider="volcengine", company="Volcengine"),
        replace(
            A_MODEL,
            name="jimeng-720p",
            title="Jimeng 720p",
            provider="volcengine",
            company="Volcengine",
            resolutions=("720p",),
        ),
        replace(
            A_MODEL, name="veo-3", title="Veo 3", provider="jiekou", company="JieKou AI", seconds=(8, 4, 6)
        ),
        replace(A_MODEL, name="geekai-jimeng", title="Jimeng at GeekAI", provider="geekai", company="GeekAI"),
    )
}
SLOTS = {"volcengine": 3, "jiekou": 1, "geekai": 1}
PRICES = {"jimeng-pro": "0.42", "jimeng-720p": "0.28", "veo-3": "1.20", "geekai-jimeng": "0.35"}
_PRICE_LIST = read_prices(",".join(f"{model}={price}" for model, price in PRICES.items()))
PEOPLE = {7001: "Ada", 7002: "Boris", 7003: "Chiara", 7004: "Dong", 7005: "Élodie", 7006: "Farid"}
PROMPT = "a paper boat in the rain, seen from below"


def a_task(task_id: str, asked_at: datetime, **changes: Any) -> Task:
    """Queued."""
    task = Task(
        id=task_id,
        card=CardRef(chat_id=7001, card_id=30),
        user_id=7001,
        user_name="Ada",
        language="en",
        provider="volcengine",
        request=VideoRequest(model="jimeng-pro", prompt=PROMPT),
        state=TaskState.QUEUED,
        price=Decimal("0.42"),
        created_at=asked_at,
        queued_at=asked_at,
        due_at=asked_at,
    )
    return changed_task(task, **changes)


def a_submit(task: Task, **changes: Any) -> Attempt:
    return replace(
        Attempt(
            task_id=task.id,
            provider=task.provider,
            call="submit",
            at=task.submitted_at or task.created_at,
            took_s=0.84,
            answer="ok",
            detail="request 20260514-7f3a",
        ),
        **changes,
    )


@dataclass
class AdminSite:
    folder: Path
    store: SQLiteStore
    clock: Clock
    models: Mapping[str, VideoModel] = field(default_factory=lambda: MODELS)
    admins: set[int] = field(default_factory=lambda: {ADMIN})
    configured: set[int] = field(default_factory=lambda: {ADMIN})
    down: dict[str, datetime] = field(default_factory=dict)
    fetches_down: dict[str, datetime] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=lambda: {ADMIN: "Olga", -100123: "Film club"})
    obstacles: list[str] = field(default_factory=list)
    before: int = 0
    """How much the audit log held when the test began."""
    server: PrivateServer = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(lambda: True, self._obstacles)
        self.pages = AdminPages(
            AdminContext(
                store=self.store,
                actions=admin_actions(self.store, self.clock, self.models, prices=_PRICE_LIST),
                permissions=Permissions(self.store.audit, self.clock),
                live_settings=LiveSettings(IsolatedSettings(), self.store.audit, self.clock, self.models),
                models=self.models,
                granted={model.provider: SLOTS.get(model.provider, 2) for model in self.models.values()},
                at_once=self._at_once,
                quote=lambda request: _PRICE_LIST.quote(request, self.models[request.model]),
                usual_s=lambda task: 110.0,
                configured_admins=self.configured,
                down=lambda: self.down,
                fetches_down=lambda: self.fetches_down,
                names=Names(self._name, self.clock),
                is_admin=self._is_admin,
                health=self.health,
                redact=lambda text: text.replace(SECRET, "[hidden]"),
                clock=self.clock,
                zone=ZoneInfo("Europe/Berlin"),
                currency="USD",
                has_tls=False,
            )
        )
        self.server = PrivateServer("127.0.0.1", 0, health=self.health, routes=self.pages.routes())

    async def link(self, user_id: int = ADMIN) -> str:
        return await make_link(self.store.tokens, self.server.url, user_id, self.clock())

    async def done(self) -> list[tuple[str, str, int]]:
        """Return what was done since the start: action, target and admin, in order of time."""
        entries = await self.store.audit.entries(100)
        return [
            (str(one.value) if one.action == SET else one.action, one.target, one.by)
            for one in reversed(entries)
        ][self.before :]

    async def _at_once(self, provider: str) -> int | None:
        return min(SLOTS.get(provider, 2), 2)

    async def _obstacles(self) -> list[str]:
        return self.obstacles

    async def _name(self, subject: int) -> str:
        return self.titles.get(subject, PEOPLE.get(subject, str(subject)))

    async def _is_admin(self, user_id: int) -> bool:
        return user_id in self.admins


@asynccontextmanager
async def admin_site(
    folder: Path, *, lively: bool = False, models: Mapping[str, VideoModel] = MODELS
) -> AsyncIterator[AdminSite]:
    clock = Clock(NOW)
    store = await SQLiteStore.open(folder / "admin.db", clock)
    site = AdminSite(folder, store, clock, models)
    if lively:
        await fill(store)
    await site.server.start()
    try:
        yield site
    finally:
        await site.server.close()
        await store.close()


async def fill(store: SQLiteStore) -> None:
    """Two weeks of requests, and some on their way."""
    chance = random.Random(7)
    for day in range(21):
        for _ in range(chance.randint(4, 22)):
            await _add_past(store, chance, NOW - timedelta(days=day, minutes=chance.uniform(20, 800)))
    await _add_present(store)
    trouble = AccountTrouble("jiekou", "no_balance", NOW - timedelta(minutes=47))
    await store.providers.mark_trouble(trouble)
    await store.budget.pause(Pause("geekai-jimeng", ADMIN, NOW - timedelta(hours=2)))
    await store.audit.add(AuditEntry("first", "facade5badc0de12", ADMIN, NOW - timedelta(minutes=1)))
    await store.audit.add(setting(7006, "role", "banned", ADMIN, NOW - timedelta(days=3)))
    await store.audit.add(setting(0, "DAILY_VIDEOS_PER_USER", "30", ADMIN, NOW - timedelta(days=2)))


async def _add_past(store: SQLiteStore, chance: random.Random, asked_at: datetime) -> None:
    name = chance.choices(list(MODELS), (6, 4, 2, 1))[0]
    user_id = chance.choices(list(PEOPLE), (7, 5, 3, 2, 1, 1))[0]
    submitted_at = asked_at + timedelta(seconds=chance.lognormvariate(2.5, 1))
    finished_at = submitted_at + timedelta(seconds=chance.lognormvariate(4.6, 0.35))
    code = chance.choices(
        [None, "prompt_refused", "video_refused", "provider_fault", "submit_unknown"], (40, 3, 2, 2, 1)
    )[0]
    task = a_task(
        f"{chance.getrandbits(64):016x}",
        asked_at,
        user_id=user_id,
        chat_id=chance.choice((user_id, user_id, -100123)),
        user_name=PEOPLE[user_id],
        provider=MODELS[name].provider,
        request=VideoRequest(model=name, prompt=PROMPT, ratio=chance.choice(("16:9", "9:16"))),
        price=Decimal(PRICES[name]),
        state=TaskState.SUCCEEDED if code is None else TaskState.FAILED,
        error_code=code,
        remote_id=f"job-{chance.getrandbits(40)}" if code in (None, "video_refused") else None,
        submitted_at=submitted_at,
        finished_at=finished_at,
        delivered_at=finished_at + timedelta(seconds=3),
        due_at=None,
    )
    if chance.random() < 0.06:
        task = replace(
            task, state=TaskState.CANCELLED, error_code="cancelled", submitted_at=None, remote_id=None
        )
    await store.tasks.add(task)
    if task.submitted_at is not None:
        await store.tasks.record(a_submit(task, answer=code if code not in (None, "video_refused") else "ok"))


async def _add_present(store: SQLiteStore) -> None:
    def at(minutes: float) -> datetime:
        return NOW - timedelta(minutes=minutes)

    running = {"state": TaskState.RUNNING, "keep_until": NOW + timedelta(hours=12), "due_at": NOW}
    made = a_task(
        "5ca1ab1e00c0ffee",
        at(1.6),
        **running | {"submitted_at": at(1.1), "running_at": at(1), "remote_id": "7392616336519610409"},
        request=VideoRequest(model="jimeng-pro", prompt=PROMPT, ratio="16:9", seed=42),
    )
    await store.tasks.add(made)
    await store.tasks.record(
        a_submit(made, at=at(1.5), answer="busy", detail="50429: too many requests", took_s=0.31)
    )
    await store.tasks.record(a_submit(made, detail=f"20260514-7f3a {SECRET}"))
    for seconds, answer in ((20, "ok"), (38, "unreachable"), (52, "ok")):
        polled_at = (made.submitted_at or NOW) + timedelta(seconds=seconds)
        await store.tasks.record(
            a_submit(made, call="poll", at=polled_at, answer=answer, took_s=0.12, detail="")
        )
    for task in (
        a_task(
            "0ddba11deadbeef1",
            at(9),
            **running | {"submitted_at": at(8), "late_at": at(4), "remote_id": "7392616336519610410"},
            user_id=7002,
            user_name="Boris",
            chat_id=-100123,
        ),
        a_task("facade5badc0de12", at(2.1), user_id=7003, user_name="Chiara", chat_id=7003),
        a_task("ba5eba11f00d1234", at(1.2), user_id=7002, user_name="Boris", chat_id=-100123),
        a_task(
            "c0de1edefaced999",
            at(0.4),
            user_id=7004,
            user_name="Dong",
            chat_id=7004,
            provider="jiekou",
            error_code="account",
            request=VideoRequest(model="veo-3", prompt=PROMPT, seconds=8, ratio="9:16"),
            price=Decimal("1.20"),
        ),
    ):
        await store.tasks.add(task)
        if task.submitted_at is not None:
            await store.tasks.record(a_submit(task))
