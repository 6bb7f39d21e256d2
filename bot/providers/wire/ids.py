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
    plain_name,
    state_of,
)

_OUTER_NAMES = ("id", "taskid", "jobid", "videoid", "generationid")
_INNER_NAMES = ("taskid", "id", "jobid", "videoid", "generationid")
"""In plain letters. Inside an envelope `id` may be the number of a row, and `task_id` is the job."""
_BARE_NAMES = ("data", "result", "output", "task", "job")
"""Under these names the id may stand alone."""
_NO_IDS = frozenset({"0", "-1", "null", "none", "nil", "undefined", "true", "false"})

_LIKE_AN_ID = re.compile(r"(?:^|_)(?:id|uuid|task|job)s?$|(?<=[a-z])I[dD]s?$|^(?:ID|UUID)$", re.ASCII)
_LIKE_A_NAME = re.compile(r"^(?:data|result|output|name|operation|text)$", re.IGNORECASE)
_LIKE_A_BARE_ID = re.compile(r"(?=\S*\d)[!-~]{6,200}")
_OF_OTHERS = re.compile(r"user|account|channel|token|group|org|project|tenant|key|model|trace", re.IGNORECASE)
_LIKE_A_KEY = re.compile(r"(?<![A-Za-z0-9])(?:(?:sk|ak|pk|rk)[-_]|AK[A-Z]{2}[A-Za-z0-9-]{6}|[Bb]earer)")
_OF_CALLS = re.compile(r"request|log|event|error|ray|correlation", re.IGNORECASE)
_MOST_NAMED = 3
_MOST_VALUES = 500

_SAID = re.compile(
    r"(?:\bid|[_ ]id|编号|編號|号|任务|任務|\btask|\bjob)[\s*_\"']{0,4}"
    r"(?:[:：=#`]|is\b|为|為|是)[\s*_\"'`:：]{0,4}"
    r"(?P<id>(?=[\w:.\-]*\d)[A-Za-z0-9][\w:.\-]{3,199})",
    re.IGNORECASE | re.ASCII,
)
"""An id that a sentence names."""
_BARE = re.compile(r"(?=[\w:.\-]*\d)[A-Za-z0-9][\w:.\-]{5,199}", re.ASCII)
_LONGEST_TEXT = 20_000
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
    top, *inner = ({plain_name(name): value for name, value in one.items()} for one in layers(fields))
    outside = [top.get(name) for name in _OUTER_NAMES]
    inside = [layer.get(name) for layer in inner for name in _INNER_NAMES]
    # A code is part of an envelope, whose own id would be that of the call.
    ordered = [*inside, *outside] if "code" in fields else [*outside, *inside]
    named = (one for one in map(id_of, ordered) if one and one.lower() not in _NO_IDS)
    return list(dict.fromkeys((*named, *bare_ids_in(fields))))


def bare_ids_in(fields: Mapping[str, object]) -> list[str]:
    """Return the values that are ids themselves: alone under a name such as `data`."""
    return list(filter(None, (_bare_id(fields.get(name)) for name in _BARE_NAMES)))


def told_id(task_id: str) -> str:
    """Return an id as it may stand in a log; hide one that looks like a key."""
    return "[hidden]" if _LIKE_A_KEY.search(task_id) else task_id


def _bare_id(data: object) -> str | None:
    """Return a value that is the id itself, also alone in a list; no word, link or record in its place."""
    text = id_of(data[0] if isinstance(data, list) and len(data) == 1 else data)
    if text is None or not any(map(str.isdigit, text)) or text[0] in "{[" or text.lower() in _NO_IDS:
        return None
    return None if link_of(text) or is_success(text) or state_of(text) is not JobState.UNKNOWN else text


def may_name_a_job(fields: Mapping[str, object]) -> bool:
    """Return True if anything in an unclear answer could be the id of a job, not only that of the call."""
    named = (id_of(value) for name, value in _values_like_ids(fields) if not _OF_CALLS.search(name))
    return bool(task_ids_in(fields)) or any(named)


def mentioned_ids(fields: Mapping[str, object], text: str = "") -> str:
    """Return what in an unclear answer could be the id of a job, for the log, but nothing like a key. `text`:
    its body, if that is no JSON."""
    said = (found["id"] for found in _SAID.finditer(text[:_LONGEST_TEXT]))
    like_ids = (_printable(value) for _, value in _values_like_ids(fields))
    bare = (id_of(value) for _, value in _values_like_ids(fields, _LIKE_A_NAME))
    candidates = (
        *task_ids_in(fields),
        *like_ids,
        *filter(_LIKE_A_BARE_ID.fullmatch, filter(None, bare)),
        *said,
    )
    ids = [one for one in dict.fromkeys(candidates) if 0 < len(one) <= 400 and not _LIKE_A_KEY.search(one)]
    return ", ".join(ids[:_MOST_NAMED])


def _printable(value: object) -> str:
    """Return an id for the log; empty for a sentence, which may quote anything."""
    text = str(value) if type(value) is int else text_of(value).strip()
    return "" if re.search(r"[\s\"']", text) else re.sub(r"[^\x21-\x7e]", "?", text)


def chat_answer_in(fields: Mapping[str, object]) -> ChatAnswer | None:
    """Return what the text of a chat completion names: a finished video, or a job. None if it is no chat."""
    fields = next((layer for layer in layers(fields) if isinstance(layer.get("choices"), list)), {})
    if not fields:
        return None
    text = "\n".join(_contents(fields))[:_LONGEST_TEXT]
    fenced = _FENCED.search(text)
    ids = task_ids_in(body_of(fenced[0])) if fenced else []
    said = _SAID.search(text)
    if said:
        ids.append(said["id"].rstrip(".:-"))
    if not ids and _BARE.fullmatch(text.strip()):
        ids.append(text.strip())
    ids += task_ids_in({name: value for name, value in fields.items() if name not in {"id", "choices"}})
    own_id = id_of(fields.get("id")) or "chat"
    links = links_in_text(text)
    return ChatAnswer(own_id, next(iter(ids), None), links)


def _contents(fields: Mapping[str, object]) -> Iterator[str]:
    choices = fields.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        yield text_of(object_of(choice).get("text"))
        for name in ("message", "delta"):
            content = object_of(object_of(choice).get(name)).get("content")
            for part in content if isinstance(content, list) else [content]:
                yield text_of(part) or text_of(object_of(part).get("text"))
                yield text_of(object_of(object_of(part).get("video_url")).get("url"))


def _values_like_ids(
    fields: Mapping[str, object], names: re.Pattern[str] = _LIKE_AN_ID
) -> Iterator[tuple[str, object]]:
    ahead: list[Mapping[str, object]] = [fields]
    for _ in range(_MOST_VALUES):
        if not ahead:
            return
        for name, value in ahead.pop(0).items():
            items = value if isinstance(value, list) else [value]
            inner = [body for body in map(body_of, items[:_MOST_VALUES]) if body]
            ahead += inner
            if not inner and names.search(name) and not _OF_OTHERS.search(name):
                yield from ((name, item) for item in items)
