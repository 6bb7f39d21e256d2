"""The accounts of a `ProviderServer` beside Volcengine: under which paths they are asked, and in which form
each of them answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KEY = "sk-of-the-tests"
WORDS = {
    "geekai": ("pending", "running", "succeed", "failed"),
    "jimeng_relay": ("QUEUED", "IN_PROGRESS", "SUCCESS", "FAILURE"),
    "unified_relay": ("pending", "processing", "completed", "failed"),
    "jiekou": ("TASK_STATUS_QUEUED", "TASK_STATUS_PROCESSING", "TASK_STATUS_SUCCEED", "TASK_STATUS_FAILED"),
    "ark": ("queued", "running", "succeeded", "cancelled"),
}
"""What each calls a job that waits, runs, is done, or was stopped."""


@dataclass(frozen=True)
class Account:
    """`submit` and `poll` match a path with its query; the latter's group is the id of a job."""

    name: str
    submit: str
    poll: str
    taken: Callable[[str], Mapping[str, Any]]
    shown: Callable[[str, str, str], Mapping[str, Any]]
    """The answer to a poll: of the job's id, its word, and the link, which is empty before the end."""

    def job_in(self, call: str) -> str | None:
        """The id of the job that a call is about."""
        found = re.fullmatch(self.poll, call)
        return found[1] if found else None


def _geekai(task_id: str, word: str, link: str) -> Mapping[str, Any]:
    made = {"video_result": [{"url": link}]} if link else {}
    return {"model": "jimeng_t2v_v30", "task_id": task_id, "task_status": word, **made}


def _jimeng_relay(task_id: str, word: str, link: str) -> Mapping[str, Any]:
    record = {"task_id": task_id, "status": word, "data": {"video": link, "status": word} if link else None}
    return {"code": "success", "message": "", "data": record}


def _unified_relay(task_id: str, word: str, link: str) -> Mapping[str, Any]:
    return {"id": task_id, "status": word, "video_url": link or None}


def _jiekou(task_id: str, word: str, link: str) -> Mapping[str, Any]:
    videos = [{"video_url": link, "video_url_ttl": 3600, "video_type": "mp4"}] if link else []
    return {"task": {"task_id": task_id, "status": word, "reason": ""}, "videos": videos}


def _ark(task_id: str, word: str, link: str) -> Mapping[str, Any]:
    made = {"content": {"video_url": link}, "usage": {"total_tokens": 108900}} if link else {}
    return {"id": task_id, "status": word, "service_tier": "default", **made}


ACCOUNTS = (
    Account(
        "geekai",
        r"/api/v1/videos/generations",
        r"/api/v1/videos/([^/]+)",
        lambda task_id: {"task_id": task_id, "task_status": "pending"},
        _geekai,
    ),
    Account(
        "jimeng_relay",
        r"/jimeng/submit/videos",
        r"/jimeng/fetch/([^/]+)",
        lambda task_id: {"code": "success", "message": "", "data": task_id},
        _jimeng_relay,
    ),
    Account(
        "unified_relay",
        r"/v1/video/create",
        r"/v1/video/query\?id=(.+)",
        lambda task_id: {"id": task_id, "status": "pending"},
        _unified_relay,
    ),
    Account(
        "jiekou",
        r"/v3/async/[^?]+",
        r"/v3/async/task-result\?task_id=(.+)",
        lambda task_id: {"task_id": task_id},
        _jiekou,
    ),
    Account(
        "ark",
        r"/api/v3/contents/generations/tasks",
        r"/api/v3/contents/generations/tasks/([^/]+)",
        lambda task_id: {"id": task_id},
        _ark,
    ),
)


def account_of(call: str) -> Account | None:
    """Whose path this is, with its query; None for Volcengine's."""
    return next((one for one in ACCOUNTS if re.fullmatch(one.submit, call) or one.job_in(call)), None)


def settings_of_all(base_url: str) -> dict[str, str]:
    """The settings with which the bot finds these accounts there."""
    places = {one.name: base_url for one in ACCOUNTS}
    places |= {"geekai": f"{base_url}/api/v1", "ark": f"{base_url}/api/v3"}
    found = {f"{name}_base_url": place for name, place in places.items()}
    return found | {f"{name}_api_key": KEY for name in places}


def prompt_in(fields: object) -> str:
    """The words of an order, wherever its seller wants them."""
    return next(_prompts(fields), "")


def _prompts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _prompts(item)
    elif isinstance(value, dict):
        for name in ("prompt", "text"):
            if isinstance(value.get(name), str):
                yield value[name]
        for item in value.values():
            yield from _prompts(item)
