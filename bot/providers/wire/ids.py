"""Finds the id of a job in the answer to a submit: it is what a paid video is asked for with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.providers.wire.fields import id_of, is_success, link_of, object_of, text_of
from bot.providers.wire.job_record import (
    JobState,
    body_of,
    layers,
    links_in_text,
    looks_like_a_video,
    state_of,
)

_OUTER_NAMES = ("id", "task_id", "taskId", "job_id", "video_id", "generation_id")
_INNER_NAMES = ("task_id", "taskId", "id", "job_id", "video_id", "generation_id")
"""Inside an envelope `id` may be the number of a row, and `task_id` is the job."""

_LIKE_AN_ID = re.compile(r"(?:^|_)(?:id|uuid|task|job)$|(?<=[a-z])Id$")
_OF_OTHERS = re.compile(r"user|account|channel|token|group|org|project|tenant|key|model|trace", re.IGNORECASE)
_LIKE_A_KEY = re.compile(r"(?:sk|ak|pk|rk)[-_]|AK[A-Z]{2}[A-Za-z0-9-]{6}|[Bb]earer")
_OF_CALLS = re.compile(r"request|log|event|error|ray|correlation", re.IGNORECASE)
_MOST_NAMED = 3
_MOST_VALUES = 500

_SAID = re.compile(
    r"(?:\bid|[_ ]id|编号|編號|号|任务|任務|\btask|\bjob)[\s*_\"']{0,4}[:：=#`][\s*_\"'`]{0,4}"
    r"(?P<id>(?=[\w:.\-]*\d)[A-Za-z0-9][\w:.\-]{3,199})",
    re.IGNORECASE | re.ASCII,
)
"""An id that a sentence names."""
_BARE = re.compile(r"(?=[\w:.\-]*\d)[A-Za-z0-9][\w:.\-]{5,199}", re.ASCII)
_FENCED = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """What a chat completion says in the place of an answer to a submit. Its own id is of no job."""

    own_id: str
    task_id: str | None
    links: tuple[str, ...]

    @property
    def is_finished(self) -> bool:
        """True if a link names a video file, and not a page that shows how the job is."""
        return any(map(looks_like_a_video, self.links))


def task_ids_in(fields: Mapping[str, object]) -> list[str]:
    """Return the ids that an answer to a submit may mean, the likeliest first."""
    top, *inner = layers(fields)
    outside = [top.get(name) for name in _OUTER_NAMES]
    inside = [layer.get(name) for layer in inner for name in _INNER_NAMES]
    # A code is part of an envelope, whose own id would be that of the call.
    ordered = [*inside, *outside] if "code" in fields else [*outside, *inside]
    return list(dict.fromkeys(filter(None, (*map(id_of, ordered), _bare_id(fields.get("data"))))))


def told_id(task_id: str) -> str:
    """Return an id as it may stand in a log; hide one that looks like a key."""
    return "[hidden]" if _LIKE_A_KEY.match(task_id) else task_id


def _bare_id(data: object) -> str | None:
    """Return a value that is the id itself, and no word, link or record in the place of one."""
    text = id_of(data)
    is_other = text is None or text[0] in "{[" or link_of(text) or is_success(text)
    return None if is_other or state_of(text) is not JobState.UNKNOWN else text


def may_name_a_job(fields: Mapping[str, object]) -> bool:
    """Return True if anything in an unclear answer could be the id of a job, not only that of the call."""
    named = (id_of(value) for name, value in _values_like_ids(fields) if not _OF_CALLS.search(name))
    return bool(task_ids_in(fields)) or any(named)


def mentioned_ids(fields: Mapping[str, object]) -> str:
    """Return what in an unclear answer could be the id of a job, for the log, but nothing like a key."""
    candidates = (
        *task_ids_in(fields),
        *filter(None, (id_of(value) for _, value in _values_like_ids(fields))),
    )
    ids = [one for one in dict.fromkeys(candidates) if len(one) <= 100 and not _LIKE_A_KEY.match(one)]
    return ", ".join(ids[:_MOST_NAMED])


def chat_answer_in(fields: Mapping[str, object]) -> ChatAnswer | None:
    """Return what the text of a chat completion names: a finished video, or a job. None if it is no chat."""
    if not isinstance(fields.get("choices"), list):
        return None
    text = "\n".join(_contents(fields))[:20_000]
    fenced = _FENCED.search(text)
    ids = task_ids_in(body_of(fenced[0])) if fenced else []
    said = _SAID.search(text)
    if said:
        ids.append(said["id"].rstrip(".:-"))
    if not ids and _BARE.fullmatch(text.strip()):
        ids.append(text.strip())
    own_id = id_of(fields.get("id")) or "chat"
    links = links_in_text(text)
    return ChatAnswer(own_id, next(iter(ids), None), links)


def _contents(fields: Mapping[str, object]) -> Iterator[str]:
    choices = fields.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        for name in ("message", "delta"):
            content = object_of(object_of(choice).get(name)).get("content")
            for part in content if isinstance(content, list) else [content]:
                yield text_of(part) or text_of(object_of(part).get("text"))
                yield text_of(object_of(object_of(part).get("video_url")).get("url"))


def _values_like_ids(fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    ahead: list[Mapping[str, object]] = [fields]
    for _ in range(_MOST_VALUES):
        if not ahead:
            return
        for name, value in ahead.pop(0).items():
            inner = body_of(value)
            if inner:
                ahead.append(inner)
            elif _LIKE_AN_ID.search(name) and not _OF_OTHERS.search(name):
                yield name, value
