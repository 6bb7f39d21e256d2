"""Failover: only where an operator wants it, only after a proven refusal, only to the very same request."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from fakes import A_MODEL, Clock, Script, ScriptedProvider, WorkerHarness, a_task

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.prices import read_prices
from bot.provider import Accepted
from bot.request import Mode, VideoModel, VideoRequest
from bot.store.people import Person
from bot.stores.sqlite import SQLiteStore
from bot.task import TaskState

SECOND = replace(A_MODEL, name="second", provider="second")
THIRD = replace(A_MODEL, name="third", provider="third")
REFUSED = AccountProblem("account", "HTTP 402", trouble="no_balance")


@pytest.fixture
def providers(clip: Path) -> list[ScriptedProvider]:
    return [
        ScriptedProvider(clip),
        ScriptedProvider(clip, "second", [SECOND]),
        ScriptedProvider(clip, "third", [THIRD]),
    ]


@pytest.fixture
def harness(
    store: SQLiteStore, providers: list[ScriptedProvider], clock: Clock, tmp_path: Path
) -> WorkerHarness:
    return WorkerHarness(store, providers, clock, tmp_path, failover=True)


@pytest.mark.parametrize(
    "refusal", [REFUSED, Unavailable("unreachable", "DNS"), Unavailable("provider_fault", "code 50500")]
)
async def test_a_proven_refusal_goes_to_the_next_model(
    harness: WorkerHarness, providers: list[ScriptedProvider], refusal: ProviderError
) -> None:
    providers[0].submits = Script(refusal)
    await harness.store.tasks.add(a_task())
    await harness.turn()
    waiting = await harness.get()
    assert (waiting.state, waiting.request.model, waiting.provider) == (TaskState.QUEUED, "second", "second")
    assert waiting.tried_models == ("jimeng-pro",)
    task = await harness.close_task()
    assert (task.state, task.request.model, task.remote_id) == (TaskState.SUCCEEDED, "second", "job-1")
    assert [one.submits.count for one in providers] == [1, 1, 0]
    assert harness.chat.shown[1].tried_models == ("jimeng-pro",)


async def test_each_model_is_tried_once_and_then_the_last_word_counts(
    harness: WorkerHarness, providers: list[ScriptedProvider]
) -> None:
    for provider in providers:
        provider.submits = Script(REFUSED)
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.state, task.error_code, task.remote_id) == (TaskState.FAILED, "account", None)
    assert task.tried_models == ("jimeng-pro", "second")
    assert [one.submits.count for one in providers] == [1, 1, 1]
    assert len(await harness.store.tasks.attempts("boat")) == 3


@pytest.mark.parametrize(
    "answer",
    [
        OutcomeUnknown("submit_unknown", "HTTP 502"),
        Rejected("prompt_refused", "code 50412"),
        Rejected("photo_refused", "code 50411"),
        Unavailable("busy", "HTTP 429"),
        Unavailable("no_slot", "code 50430"),
        ZeroDivisionError(),
    ],
)
async def test_nothing_else_goes_anywhere(
    harness: WorkerHarness, providers: list[ScriptedProvider], answer: Exception
) -> None:
    providers[0].submits = Script(answer, Accepted("job-1"))
    await harness.store.tasks.add(a_task())
    await harness.close_task()
    assert (await harness.get()).request.model == "jimeng-pro"
    assert [one.submits.count for one in providers[1:]] == [0, 0]


async def test_it_is_off_unless_somebody_turns_it_on(
    store: SQLiteStore, providers: list[ScriptedProvider], clock: Clock, tmp_path: Path
) -> None:
    harness = WorkerHarness(store, providers, clock, tmp_path)
    providers[0].submits = Script(REFUSED)
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert (task.state, providers[1].submits.count) == (TaskState.FAILED, 0)


@pytest.mark.parametrize(
    "other",
    [
        replace(SECOND, ratios=("1:1",)),
        replace(SECOND, seconds=(8,)),
        replace(SECOND, resolutions=("720p",)),
        replace(SECOND, seed_max=None),
        replace(SECOND, modes=frozenset({Mode.FIRST_FRAME})),
        replace(SECOND, free=True),
    ],
)
async def test_a_model_that_would_make_something_else_is_no_help(
    store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path, other: VideoModel
) -> None:
    providers = [ScriptedProvider(clip), ScriptedProvider(clip, "second", [other])]
    harness = WorkerHarness(store, providers, clock, tmp_path, failover=True)
    providers[0].submits = Script(REFUSED)
    asked = VideoRequest(
        model="jimeng-pro", prompt="a boat", ratio="9:16", seconds=10, resolution="1080p", seed=7
    )
    await harness.store.tasks.add(a_task(request=asked))
    await harness.close_task()
    assert providers[1].submits.count == 0


@pytest.mark.parametrize(("most", "goes_to"), [(2, "third"), (3, "second")])
async def test_references_go_to_a_model_that_takes_all_of_them(
    store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path, most: int, goes_to: str
) -> None:
    modes = frozenset({Mode.REFERENCES})
    models = [
        replace(A_MODEL, name=name, provider=provider, modes=modes, references=count)
        for name, provider, count in (
            ("first", "cloud", 3),
            ("second", "second", most),
            ("third", "third", 9),
        )
    ]
    clouds = [ScriptedProvider(clip, model.provider, [model]) for model in models]
    clouds[0].submits = Script(REFUSED)
    harness = WorkerHarness(store, clouds, clock, tmp_path, failover=True)
    request = VideoRequest(model="first", prompt="they meet", photos=("a", "b", "c"), photos_as="references")
    await store.tasks.add(a_task(request=request))
    await harness.turn()
    moved = (await harness.get()).request
    assert (moved.model, moved.photos, moved.mode) == (goes_to, ("a", "b", "c"), Mode.REFERENCES)


@pytest.mark.parametrize(
    ("photos", "companies", "goes_to"),
    [
        (("a",), (), "fourth"),
        (("a",), ("Third",), "third"),
        (("a",), ("Second", "Third"), "second"),
        ((), (), "second"),
    ],
)
async def test_a_photo_goes_to_no_company_that_its_person_was_not_told_of(
    store: SQLiteStore,
    clip: Path,
    clock: Clock,
    tmp_path: Path,
    photos: tuple[str, ...],
    companies: tuple[str, ...],
    goes_to: str,
) -> None:
    models = [
        replace(A_MODEL, name=name, provider=name, company=company)
        for name, company in (
            ("first", "First"),
            ("second", "Second"),
            ("third", "Third"),
            ("fourth", "First"),
        )
    ]
    clouds = [ScriptedProvider(clip, model.provider, [model]) for model in models]
    clouds[0].submits = Script(REFUSED)
    harness = WorkerHarness(store, clouds, clock, tmp_path, failover=True)
    task = a_task(request=VideoRequest(model="first", prompt="they meet", photos=photos))
    await store.people.put_person(Person(task.user_id, companies=frozenset(companies)))
    await store.tasks.add(task)
    await harness.turn()
    assert (await harness.get()).request.model == goes_to
    assert [one.submits.count for one in clouds[1:]] == [0, 0, 0], "it waits for its turn there"


async def test_if_no_known_company_can_make_it_the_person_is_asked(
    store: SQLiteStore, clip: Path, clock: Clock, tmp_path: Path
) -> None:
    models = [replace(A_MODEL, name=name, provider=name, company=name) for name in ("first", "second")]
    clouds = [ScriptedProvider(clip, model.provider, [model]) for model in models]
    clouds[0].submits = Script(REFUSED)
    harness = WorkerHarness(store, clouds, clock, tmp_path, failover=True)
    await store.tasks.add(a_task(request=VideoRequest(model="first", prompt="it nods", photos=("a",))))
    task = await harness.close_task()
    assert (task.state, task.error_code, clouds[1].submits.count) == (TaskState.FAILED, "account", 0)


async def test_who_stopped_waiting_is_bought_nothing_elsewhere(
    harness: WorkerHarness, providers: list[ScriptedProvider]
) -> None:
    async def stop_and_refuse() -> None:
        await harness.store.tasks.save((await harness.get()).hide(harness.clock()))
        raise REFUSED

    providers[0].submits = Script(stop_and_refuse)
    await harness.store.tasks.add(a_task())
    task = await harness.close_task()
    assert task.state is not TaskState.SUCCEEDED
    assert providers[1].submits.count == 0


@pytest.mark.parametrize(
    ("line", "model", "price"),
    [
        ("jimeng-pro=2,second=3,third=1.50", "third", "1.50"),
        ("jimeng-pro=2,third=2", "third", "2"),
        ("second=3", "second", "3"),
    ],
)
async def test_it_never_makes_dearer_what_was_agreed(
    store: SQLiteStore,
    providers: list[ScriptedProvider],
    clock: Clock,
    tmp_path: Path,
    line: str,
    model: str,
    price: str,
) -> None:
    harness = WorkerHarness(store, providers, clock, tmp_path, failover=True, prices=read_prices(line))
    providers[0].submits = Script(REFUSED)
    agreed = read_prices(line).quote(a_task().request, A_MODEL)
    await harness.store.tasks.add(a_task(price=agreed))
    await harness.turn()
    waiting = await harness.get()
    assert (waiting.request.model, waiting.price) == (model, Decimal(price))
