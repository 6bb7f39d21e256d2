"""Foreign answers of every kind: whatever an adapter reads, only its own words come out."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provider_wire import NAMES

from bot.errors import ProviderError
from bot.provider import Accepted, Failed, StillRunning, Succeeded
from bot.providers._fields import share_of
from bot.providers._http import Answer, Call
from bot.providers.unified_relay import _completed_at as completed_at
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
READ_WORDS = frozenset({"unreachable", "submit_unknown"})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(
        ["", "done", "SUCCESS", "completed", "https://x.example/a.mp4", "http://", "50412", "30%"]
    )
    | st.sampled_from([50411, 50413, 50429, 50500, 10000, -1, 10**30, 10**400, float("nan")])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
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
    fields = data.draw(spoilt(name) | st.dictionaries(st.text(max_size=12), values, max_size=5))
    status = data.draw(statuses)
    try:
        _check(read_submit(Answer(Call.SUBMIT, status, fields)))
    except ProviderError as error:
        _check(error)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300)
@given(data=st.data())
def test_no_answer_to_a_look_brings_anything_but_our_own_words(name: str, data: st.DataObject) -> None:
    _, read_poll = readers(name)
    fields = data.draw(spoilt(name) | st.dictionaries(st.text(max_size=12), values, max_size=5))
    try:
        _check(read_poll(Answer(Call.POLL, data.draw(statuses), fields)))
    except ProviderError as error:
        _check(error)


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
            assert url.lower().startswith(("http://", "https://"))
            assert 0 < keeps_s < 10**8
        case Failed(code=code):
            assert code in phrases("en")
        case _:
            raise AssertionError(outcome)
