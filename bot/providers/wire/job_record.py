"""Reads foreign answers: where the record of a job lies, what its status word means, where its link lies.

One reading for every adapter, since sellers pass each other's forms on and wrap them once more. Nothing here
decides what an answer means for a task.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise, product

from bot.providers.wire.fields import link_of, object_of, share_of, text_of

Place = tuple[str, ...]
"""Names on the way to a value. A list on the way is searched item by item."""


class JobState(Enum):
    """What a status word says of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    STAGE = "stage"
    """It runs on, also if there is a link to an early version and one part of the work is at 100 %."""
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_WORDS = {
    JobState.QUEUED: "not_start not_started submitted queued queueing in_queue pending waiting created "
    "scheduled 排队中 等待中 已提交",
    JobState.RUNNING: "in_progress processing running generating 处理中 生成中 进行中",
    JobState.STAGE: "image_downloading video_generating video_generation_completed video_upsampling "
    "video_upsampling_completed",
    JobState.SUCCEEDED: "success succeeded succeed successful completed complete done finished finish ended "
    "ready 成功 生成成功 完成 已完成",
    JobState.FAILED: "failure failed fail error cancelled canceled expired timeout timed_out rejected "
    "aborted video_generation_failed video_upsampling_failed 失败 生成失败 已取消 超时",
}
_STATES = {word: state for state, words in _WORDS.items() for word in words.split()}
_WORD_FIELDS = ("taskstatus", "status", "state", "jobstatus", "taskstate", "videostatus")
"""In plain letters: `task_status`, `taskStatus` and `TASK_STATUS` are one name."""
_STATUS_NAMES = frozenset({*_WORD_FIELDS, "progress", "progresspercent", "percent"})
_OF_CALLS = frozenset({"error", "fail"})
_OF_A_JOB = frozenset({"id", "taskid", "progress", "videourl", "detail", "failreason", "createdat"})
"""Fields that the record of a job has, and the error of a call has not."""

_WRAPPERS = (
    *("data", "detail", "Result", "result", "response", "output", "task", "job", "record", "payload"),
    *("Data", "tasks", "video", "generation"),
)
"""Under these names answers hold the record of a job, or a record holds its upstream's answer."""
_MOST_LAYERS = 16
_LONGEST_TEXT = 200_000

_LINK_NAMES = ("video_url", "url", "result_url", "output_url", "output", "video", "videos", "download_url")
_UNWRAPPED = ("url", "video_url", "uri")
_HOLDERS: tuple[Place, ...] = (
    (),
    ("detail",),
    ("response",),
    ("data",),
    ("data", "data"),
    ("result",),
    ("output",),
    ("task_result",),
    ("content",),
    ("metadata",),
    ("data", "response"),
    ("data", "content"),
    ("data", "task_result"),
)
_LINK_PLACES: tuple[Place, ...] = (
    # In the order in which the sellers' documents trust them.
    ("video_url",),
    ("detail", "video_url"),
    ("detail", "upsample_video_url"),
    ("detail", "url"),
    ("detail", "draft_info", "downloadable_url"),
    ("url",),
    ("result_url",),
    ("output_url",),
    ("response", "videos"),
    *((*holder, name) for holder, name in product(_HOLDERS, _LINK_NAMES)),
    # Older relays keep the link of a success here.
    ("fail_reason",),
)
_TRANSCODED = "transcoded_video"
"""Jimeng's own site holds a video in several sizes under this name, the best one as `origin`."""

_NOT_THE_RESULT = re.compile(
    r"^(?:req|request|input|param|propert|option|image|photo|picture|cover|thumb|poster|first_|last_|ref|audio"
    r"|source|callback|webhook|notify)|prompt|thumbnail|cover|_image"
)
"""Names of what was asked for, and of pictures beside a video."""
_VIDEO_FILE = re.compile(r"\.(?:mp4|mov|webm|m4v|mkv)(?![\w.])", re.IGNORECASE)
_VIDEO_NAME = re.compile(
    r"video.*(?:url|uri|link|src)|(?:url|uri|link|src).*video|^(?:play|download)_?(?:url|uri)|^videos?$"
)
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|webp|gif|heic|avif|svg|mp3|wav)(?![\w.])", re.IGNORECASE)
_DEEPEST = 14
_MOST_VALUES = 2000
_BEHIND_A_KEY = re.compile(r"/videos?/[^/?#]+/content/?(?:[?#]|$)")
"""The path under which relays serve a video to holders of a key: the upstream's own link comes first."""
_PATH = re.compile(r"/(?!/)[!-~]+")
_LINK_IN_TEXT = re.compile(r"https?://[^\s<>()\[\]{}\"'`|\\，。；、）】》]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as an answer shows it."""

    record: Mapping[str, object]
    word: str
    """Its status word in small letters; empty if there is none."""
    state: JobState
    progress: float | None
    """0 to 1, if it is told."""
    links: tuple[str, ...]
    """To its finished video, the most trusted first; empty while it is not finished."""
    paths: tuple[str, ...] = ()
    """To the same, on the host that answered."""


def body_of(value: object) -> Mapping[str, object]:
    """Return a JSON object, also one that arrives as text inside another or alone in a list; else an empty
    one."""
    if isinstance(value, str) and len(value) < _LONGEST_TEXT and value.lstrip()[:1] in {"{", "["}:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return object_of(value)


def state_of(status: object) -> JobState:
    """Return what a status word says, in upper or lower case. Only whole words count:
    `video_generation_completed` is a stage of a job that runs."""
    return _STATES.get(_plain_word(status), JobState.UNKNOWN)


def layers(fields: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return an answer and the objects that it wraps, the outermost first."""
    found = [fields]
    for layer in found:
        if len(found) > _MOST_LAYERS:
            break
        found += [inner for name in _WRAPPERS if (inner := body_of(layer.get(name)))]
    return found


def job_in(fields: Mapping[str, object], first: Sequence[Place] = ()) -> Job | None:
    """Return the job that an answer shows, wherever its record lies; None if there is none.

    A link beside a word for the end, or beside 100 %, is the end; so is one to a video where nothing else is
    told. `first`: the place at which this seller's own document has the link, before all other places.
    """
    record = _record_in(fields, first)
    if record is None:
        alone = _only_video(fields) if _says_nothing_of_a_job(fields) else ()
        return Job(fields, "", JobState.SUCCEEDED, None, alone) if alone else None
    word = _plain_word(_word_of(record))
    if _is_of_a_call(word, record, fields):
        return None
    found, progress = state_of(word), _progress_of(record)
    links: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    if found is JobState.SUCCEEDED:
        links = _links(record, fields, first) or _only_video(fields)
        paths = _links(record, fields, first, _path_of)
    elif progress == 1.0 and found not in {JobState.FAILED, JobState.STAGE}:
        links = _links(record, fields, first)
        found = JobState.SUCCEEDED if links else found
    return Job(record, word, found, progress, links, paths)


def links_in_text(text: str) -> tuple[str, ...]:
    """Return the links to a video in a text such as Markdown; if none looks like one, its only link."""
    found = tuple(dict.fromkeys(link.rstrip(".,;:!?*_~") for link in _LINK_IN_TEXT.findall(text)))
    links = tuple(link for link in found if link_of(link) and not _PICTURE_FILE.search(link))
    return tuple(filter(_VIDEO_FILE.search, links)) or (links if len(links) == 1 else ())


def looks_like_a_video(link: str) -> bool:
    """Return True if a link names a video file."""
    return _VIDEO_FILE.search(link) is not None


def _record_in(fields: Mapping[str, object], first: Sequence[Place]) -> Mapping[str, object] | None:
    told = [layer for layer in layers(fields) if _word_of(layer)]
    if not told:
        complete = next((layer for layer in layers(fields) if _progress_of(layer) == 1.0), None)
        hidden = None if complete else _hidden_record(fields)
        return _record_in(hidden, first) if hidden else complete
    known = [layer for layer in told if state_of(_word_of(layer)) is not JobState.UNKNOWN]
    record, *inner = known or told
    outer = state_of(_word_of(record))
    if outer in {JobState.QUEUED, JobState.RUNNING}:
        # A relay may be behind its upstream, whose record with the video it shows already.
        ended = (one for one in inner if state_of(_word_of(one)) is JobState.SUCCEEDED)
        return next((one for one in ended if _links(one, one, first)), record)
    if outer is not JobState.SUCCEEDED:
        return record
    # Either the job has succeeded, or only the call has, and what it wraps says how the job is.
    for outside, inside in pairwise((record, *inner)):
        if _has_own_end(outside, first):
            break
        if state_of(_word_of(inside)) is not JobState.SUCCEEDED:
            return inside
    return record


def _has_own_end(layer: Mapping[str, object], first: Sequence[Place]) -> bool:
    """Return True if it says more than a word for the end, apart from what it wraps."""
    own = {
        name: value
        for name, value in layer.items()
        if name == "detail" or name not in _WRAPPERS or not body_of(value)
    }
    return _progress_of(layer) == 1.0 or bool(_links(own, own, first))


def _says_nothing_of_a_job(fields: Mapping[str, object]) -> bool:
    """Return True if there is no status of any form, no progress and no error: a link can only be the end."""
    if fields.get("error") or "choices" in fields:
        return False
    named = (item for one in layers(fields) for item in one.items())
    told = (value for name, value in named if plain_name(name) in _STATUS_NAMES)
    return all(value is None or value == "" for value in told)


def _is_of_a_call(word: str, record: Mapping[str, object], fields: Mapping[str, object]) -> bool:
    """Return True if a word for a failure is about the call, which says nothing of the job."""
    is_outer = record is fields or "code" not in fields
    return word in _OF_CALLS and is_outer and _OF_A_JOB.isdisjoint(map(plain_name, record))


def _hidden_record(fields: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the object under unknown names that tells how a job is; None if there are several."""
    ahead = [fields]
    for _ in range(_DEEPEST):
        told = [layer for layer in ahead if state_of(_word_of(layer)) is not JobState.UNKNOWN]
        if told:
            return told[0] if len(told) == 1 else None
        named = [(name.lower(), body_of(value)) for layer in ahead for name, value in layer.items()]
        found = (inner for name, inner in named if name != "error" and not _NOT_THE_RESULT.search(name))
        ahead = [inner for inner in found if inner][:_MOST_VALUES]
    return None


def _word_of(layer: Mapping[str, object]) -> str:
    told = {plain_name(name): value for name, value in layer.items() if isinstance(value, str)}
    words = (text_of(told.get(name)).strip() for name in _WORD_FIELDS)
    # "ok" is what a server says of a call.
    return next((word for word in words if word and word.lower() != "ok"), "")


def plain_name(name: str) -> str:
    """Return the name of a field in plain letters, however its words are joined."""
    return re.sub(r"[^a-z]", "", name.lower())


def _plain_word(status: object) -> str:
    word = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", text_of(status).strip()).lower()
    return word.removeprefix("task_status_")


def _progress_of(layer: Mapping[str, object]) -> float | None:
    names = ("progress", "progress_percent")
    return next((share for name in names if (share := share_of(layer.get(name))) is not None), None)


def _links(
    record: Mapping[str, object],
    fields: Mapping[str, object],
    first: Sequence[Place],
    read: Callable[[object], str | None] = link_of,
) -> tuple[str, ...]:
    """Return those at known places of the record, then of the answer around it."""
    found = []
    for holder in (record,) if record is fields else (record, fields):
        for place in (*first, *_LINK_PLACES):
            found += _links_at(holder, place, read)
        found += _transcoded(holder) if read is link_of else []
    return tuple(sorted(dict.fromkeys(found), key=lambda link: _BEHIND_A_KEY.search(link) is not None))


def _links_at(value: object, place: Place, read: Callable[[object], str | None] = link_of) -> list[str]:
    found = []
    for holder in _values_at(value, place):
        inner = (read(object_of(holder).get(name)) for name in _UNWRAPPED)
        found += [link for link in (read(holder), *inner) if link]
    return found


def _path_of(value: object) -> str | None:
    """Return a value that is a path on the host that answered, else None."""
    return value if isinstance(value, str) and _PATH.fullmatch(value) else None


def _values_at(value: object, place: Place) -> Iterator[object]:
    """Yield what stands there; a list gives its items, but no items of lists inside it."""
    items = value if isinstance(value, list) else [value]
    if not place:
        yield from items
        return
    name, *rest = place
    for item in items:
        yield from _values_at(body_of(item).get(name), tuple(rest))


def _transcoded(fields: Mapping[str, object]) -> list[str]:
    for name, value in walk(fields):
        sizes = body_of(value) if name.rpartition(".")[2] == _TRANSCODED else {}
        if sizes:
            return [link for size in (sizes.get("origin"), *sizes.values()) for link in _links_at(size, ())]
    return []


def _only_video(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Return the one link anywhere that looks like a video: by the file that it names, else by the name of
    its field, else within a text. None if there are several that do."""
    values = list(walk(fields))
    linked = [(name, link) for name, value in values if (link := link_of(value))]
    linked = [(name, link) for name, link in linked if not _PICTURE_FILE.search(link)]
    files = {link for _, link in linked if _VIDEO_FILE.search(link)}
    named = {link for name, link in linked if _VIDEO_NAME.search(name.rpartition(".")[2])}
    within = {link for name, link in linked if _VIDEO_NAME.search(name)}
    found = files or named or within or {link for _, value in values for link in _files_in_text(value)}
    return tuple(found) if len(found) == 1 else ()


def _files_in_text(value: object) -> tuple[str, ...]:
    text = text_of(value)[:_LONGEST_TEXT]
    return tuple(filter(looks_like_a_video, links_in_text(text))) if "http" in text.lower() else ()


def walk(fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield every value with its name, and the names around it before that, without what was asked for;
    bounded, since it is foreign."""
    ahead: list[tuple[str, object, int]] = [("", fields, 0)]
    for _ in range(_MOST_VALUES):
        if not ahead:
            return
        name, value, depth = ahead.pop(0)
        yield name, value
        inner = body_of(value)
        if depth >= _DEEPEST:
            continue
        if inner:
            small = ((key.lower(), one) for key, one in inner.items())
            ahead += [
                (f"{name}.{key}", one, depth + 1) for key, one in small if not _NOT_THE_RESULT.search(key)
            ]
        elif isinstance(value, list):
            ahead += [(name, one, depth + 1) for one in value if not isinstance(one, list)]
