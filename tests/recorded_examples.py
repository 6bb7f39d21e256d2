"""Recorded examples: what the documents of a provider show of a call and of its answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from provider_server import Received, Reply

from bot.errors import ProviderError, Unavailable
from bot.provider import Accepted, Failed, StillRunning, Succeeded

Meaning = tuple[type[ProviderError], str, str | None]
"""An error, its code, and what it tells the admins."""


def read_cases(folder: str) -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((Path(__file__).parent / "fixtures" / folder).glob("*.json"))
        # Those are replayed by test_real_answers.py.
        if not path.stem.startswith("real_")
    }


def reply_of(case: dict[str, Any]) -> Reply:
    return Reply(case["response"]["status"], case["response"]["body"])


async def outcome_of(call: Awaitable[object]) -> object:
    try:
        return await call
    except ProviderError as error:
        return error


def check_call(sent: Received, expected: dict[str, Any]) -> None:
    """The call is the example's, its body aside. Values in the query are percent-encoded, colons too."""
    query = "&".join(f"{name}={quote(text, safe='')}" for name, text in expected["query"].items())
    assert (sent.method, sent.path, sent.query) == (expected["method"], expected["path"], query)
    assert {name: sent.headers.get(name) for name in expected["headers"]} == expected["headers"]
    assert ("Content-Type" in sent.headers) == ("Content-Type" in expected["headers"])


def check_submit(outcome: object, expect: dict[str, Any], meaning: Meaning | None) -> None:
    """The answer to a submit is an id, or the error of this `meaning`."""
    if expect["state"] == "accepted":
        assert outcome == Accepted(expect["task_id"], StillRunning(queued=True))
        return
    assert expect["state"] == "rejected"
    assert meaning is not None
    assert isinstance(outcome, ProviderError)
    assert (type(outcome), outcome.code, getattr(outcome, "trouble", None)) == meaning


def check_poll(outcome: object, expect: dict[str, Any], failures: Mapping[str, str]) -> None:
    """The answer to a poll says how the job is; `failures` are our codes by `error_kind`."""
    match expect["state"]:
        case "queued":
            assert outcome == StillRunning(queued=True)
        case "running":
            progress = expect.get("progress")
            assert outcome == StillRunning(None if progress is None else progress / 100)
        case "succeeded":
            assert outcome == Succeeded(expect["video_urls"][0], 3600)
        case "unknown" if "error_kind" in expect:
            assert isinstance(outcome, Unavailable)
            assert outcome.code == "unreachable"
        case "unknown":
            assert outcome == StillRunning()
        case state:
            assert isinstance(outcome, Failed)
            assert outcome.code == (failures[expect["error_kind"]] if state == "failed" else "not_found")
