"""Foreign answers of every kind: whatever an adapter reads, only its own words come out."""

from __future__ import annotations

import asyncio
import copy
import importlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provider_server import Reply
from provider_wire import NAMES, Wire, adapter

from bot.errors import OutcomeUnknown, ProviderError, SettingsError
from bot.provider import Accepted, Failed, StillRunning, Succeeded
from bot.providers.ark_models import read_ids as ark_ids
from bot.providers.geekai_models import read_models as geekai_models
from bot.providers.unified_relay import _completed_at as completed_at
from bot.providers.unified_relay_models import read_models as relay_models
from bot.providers.wire.fields import share_of
from bot.providers.wire.http import Answer, Call
from bot.request import VideoRequest, settle
from bot.text import phrases

FIXTURES = Path(__file__).parents[1] / "fixtures"
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    name: [
        body
        for path in sorted((FIXTURES / name).glob("*.json"))
        if isinstance(body := json.loads(path.read_text(encoding="utf-8"))["response"]["body"], dict)
    ]
    for name in NAMES
}
HOLDERS = ["data", "detail", "result", "task", "output", "data.data", "data.result"]
READ_WORDS = frozenset({"unreachable", "submit_unknown"})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(
        ["", "done", "SUCCESS", "completed", "https://x.example/a.mp4", "http://", "50412", "30%", "100%"]
    )
    | st.sampled_from(
        ["processing", "failed", "https://x.example/v1/videos/7/content", '{"task_id": "job-7"}', "job-7"]
    )
    | st.sampled_from([50411, 50413, 50429, 50500, 10000, -1, 10**30, 10**400, float("nan")])
)
KNOWN_NAMES = (
    "code data detail Result result response output task status task_status state progress id task_id error "
    "message fail_reason failure_reason error_message video_url url result_url videos video content choices "
    "transcoded_video origin usage completion_tokens total_tokens video_type video_url_ttl upsample_video_url"
)
names = st.text(max_size=12) | st.sampled_from(KNOWN_NAMES.split())
"""Those under which adapters poll, so that every path on which something is read is walked."""
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=16,
)
statuses = st.sampled_from([200, 201, 204, 301, 400, 401, 402, 403, 404, 413, 418, 429, 500, 502, 503, 504])


def test_numbers_that_no_float_holds_are_read_all_the_same() -> None:
    assert [share_of(number) for number in (10**400, -(10**400), float("inf"))] == [1, 0, None]
    record = {"completed_at": 10**400, "status_update_time": 1_700_000_000}
    assert completed_at(record) == 1_700_000_000


def _places(value: object) -> list[tuple[Any, Any]]:
    """Every place in a JSON value that can be replaced: its holder and its key there."""
    found: list[tuple[Any, Any]] = []
    match value:
        case dict():
            pairs: list[tuple[Any, Any]] = list(value.items())
        case list():
            pairs = list(enumerate(value))
        case _:
            return []
    for key, inner in pairs:
        found += [(value, key), *_places(inner)]
    return found


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A documented answer with some of its values replaced by anything, or gone."""
    answer: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(EXAMPLES[name])))
    for _ in range(draw(st.integers(0, 3))):
        places = _places(answer)
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        if draw(st.booleans()) and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = draw(values)
    return answer


def readers(name: str) -> tuple[Callable[[Answer], Accepted], Callable[[Answer], object]]:
    module = importlib.import_module(f"bot.providers.{name}")
    return module.read_submit, module.read_poll


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300)
@given(data=st.data())
def test_no_answer_to_a_submit_brings_anything_but_our_own_words(name: str, data: st.DataObject) -> None:
    read_submit, _ = readers(name)
    fields = data.draw(spoilt(name) | st.dictionaries(names, values, max_size=5))
    status = data.draw(statuses)
    try:
        _check(read_submit(Answer(Call.SUBMIT, status, fields)))
    except ProviderError as error:
        _check(error)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200)
@given(data=st.data())
def test_no_id_in_an_answer_to_a_submit_is_ever_dropped(name: str, data: st.DataObject) -> None:
    """It is accepted, or it stands in an error that claims no refusal, and so in the log."""
    read_submit, _ = readers(name)
    fields = data.draw(st.dictionaries(st.sampled_from(["message", "status", "progress", "note"]), scalars))
    fields |= data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "code": st.sampled_from(["success", 0, 200, 10000, None, 50411, 50430, "invalid_request"]),
                "error": st.sampled_from([None, "", "no", {"code": 50412}, {"message": "rate limit"}]),
            },
        )
    )
    holder = data.draw(st.sampled_from(["data", "Result"] if name == "volcengine" else HOLDERS))
    record: object = {"task_id": "job-12345", "status": data.draw(scalars)}
    for inner in reversed(holder.split(".")):
        record = {inner: record}
    assert isinstance(record, dict)
    try:
        accepted = read_submit(Answer(Call.SUBMIT, data.draw(statuses), fields | record))
    except OutcomeUnknown as error:
        told = error.detail
    else:
        told = accepted.remote_id
        _check(accepted)
    assert "job-12345" in told


@pytest.mark.parametrize("name", ["jimeng_relay", "unified_relay"])
@settings(max_examples=200)
@given(content=values | st.text(), own_id=values)
def test_no_chat_brings_anything_but_our_own_words(name: str, content: object, own_id: object) -> None:
    read_submit, read_poll = readers(name)
    fields = {"id": own_id, "choices": [{"message": {"content": content}}]}
    for read, call in ((read_submit, Call.SUBMIT), (read_poll, Call.POLL)):
        try:
            _check(read(Answer(call, 200, fields)))
        except ProviderError as error:
            _check(error)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300)
@given(data=st.data())
def test_no_answer_to_a_poll_brings_anything_but_our_own_words(name: str, data: st.DataObject) -> None:
    _, read_poll = readers(name)
    fields = data.draw(spoilt(name) | st.dictionaries(names, values, max_size=5))
    try:
        _check(read_poll(Answer(Call.POLL, data.draw(statuses), fields)))
    except ProviderError as error:
        _check(error)


replies = st.builds(
    Reply,
    statuses,
    st.binary(max_size=60) | st.text(max_size=60) | values.map(lambda value: json.dumps(value).encode()),
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_bytes_and_no_status_bring_anything_but_our_own_errors(name: str, data: st.DataObject) -> None:
    answers = [data.draw(replies | spoilt(name).map(lambda body: Reply(200, body))) for _ in range(7)]

    async def call() -> None:
        async with Wire(*answers) as wire:
            provider = adapter(name, wire.base_url)
            model = provider.models[0]
            request = settle(VideoRequest(model=model.name, prompt="a fox"), model)
            steps: list[Callable[[], Awaitable[object]]] = [
                lambda: provider.submit(request, [], "reference"),
                lambda: provider.poll("job-7", model),
                lambda: provider.cancel("job-7", model),
            ]
            for step in steps:
                try:
                    outcome = await step()
                except ProviderError as error:
                    outcome = error
                if not isinstance(outcome, bool):
                    _check(outcome)

    asyncio.run(call())


PARTS = "veo3.1 grok-video-3 16:9 9:16 frames references3 upsample 5s 720P words sound ="
parts = st.lists(st.sampled_from(PARTS.split()) | st.text(max_size=12), max_size=6).map("/".join)


@given(entries=st.lists(parts, max_size=4))
def test_whatever_an_operator_lists_is_read_or_refused_in_words(entries: list[str]) -> None:
    for read in (
        lambda: [one.model for one in relay_models(entries, ("2:3",), ("720P",))],
        lambda: [one.model for one in geekai_models(entries).values()],
        lambda: list(ark_ids(entries)),
    ):
        try:
            models = read()
        except SettingsError:
            continue
        assert all(getattr(model, "seconds", True) for model in models)


def _check(outcome: object) -> None:
    match outcome:
        case Accepted(remote_id=remote_id, status=status):
            assert remote_id
            assert remote_id.isprintable()
            _check(status)
        case ProviderError(code=code):
            assert code in phrases("en") or code in READ_WORDS
        case StillRunning(progress=progress):
            assert progress is None or 0 <= progress <= 1
        case Succeeded(video_url=url, keeps_s=keeps_s):
            for link in (url, *outcome.others, *outcome.further):
                assert link.lower().startswith(("http://", "https://"))
            assert 0 < keeps_s < 10**8
            assert outcome.billed_tokens is None or outcome.billed_tokens > 0
        case Failed(code=code):
            assert code in phrases("en")
        case _:
            raise AssertionError(outcome)
