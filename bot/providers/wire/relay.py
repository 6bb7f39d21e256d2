"""What both relays share: they run the software of the one-api family and pass on each other's forms."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr
from yarl import URL

from bot.errors import FetchError, OutcomeUnknown, Rejected
from bot.provider import Accepted, Failed, Photo, PhotoLink, Status, StillRunning, Succeeded
from bot.providers.wire.complaints import (
    complaint_in,
    is_empty_reason,
    meaning_of,
    problem,
    reasons_in,
    verdict,
    why,
    words_in,
)
from bot.providers.wire.fetch import KeyForHost, VideoFetcher, is_page
from bot.providers.wire.fields import is_success, text_of
from bot.providers.wire.http import Answer, bearer, unreadable
from bot.providers.wire.ids import bare_ids_in, chat_answer_in, task_ids_in, told_id
from bot.providers.wire.job_record import Job, JobState, Place, body_of, job_in
from bot.providers.wire.reasons import named_refusal_in, refused_in
from bot.request import VideoRequest, closest_ratio

LINK_KEEPS_S = 3600.0
"""No relay says how long its links live: as long as the shortest-lived ones of those behind it."""
_MOST_REMEMBERED = 500


def links_of(photos: Sequence[Photo]) -> list[PhotoLink]:
    """Return the photos as links, the only form that relays take. Raises Rejected for anything else."""
    links = [photo for photo in photos if isinstance(photo, PhotoLink)]
    if len(links) < len(photos):
        raise Rejected("photo_refused", "the bytes of a photo where a link to it is due")
    return links


def ratio_of(request: VideoRequest, links: Sequence[PhotoLink], ratios: Sequence[str]) -> str:
    """Return the ratio to send. Relays demand one with a photo too: then it is the one nearest to the
    photo's."""
    if request.ratio is None and links:
        return closest_ratio(links[0].width, links[0].height, ratios)
    return request.ratio or ratios[0]


def read_submit(answer: Answer) -> Accepted:
    """Return the job that an answer to a submit names, wherever that stands; else raise what it means."""
    chat = chat_answer_in(answer.fields)
    complaint = complaint_in(answer)
    is_clear = complaint is None and 200 <= answer.status < 300
    if chat is not None and is_clear:
        if chat.links and (chat.task_id is None or chat.is_finished):
            return Accepted(chat.own_id, Succeeded(chat.links[0], LINK_KEEPS_S, chat.links[1:]))
        if chat.task_id is not None:
            return Accepted(chat.task_id)
        raise OutcomeUnknown(
            "submit_unknown", f"a chat {told_id(chat.own_id)} that names no job and no video"
        )
    ids = task_ids_in(answer.fields)
    if not ids:
        raise unreadable(answer) if complaint is None else problem(answer, complaint)
    # A bare value is the id of a job only if the relay says that all went well.
    code = answer.fields.get("code")
    is_named = ids[0] not in bare_ids_in(answer.fields) or "code" not in answer.fields
    if is_clear and (is_named or is_success(code)):
        job = job_in(answer.fields)
        made = job is not None and bool(job.links or job.paths)
        return Accepted(ids[0], _status(job)) if job and made else Accepted(ids[0])
    # An id beside an error: this does not prove a refusal.
    raise OutcomeUnknown("submit_unknown", f"HTTP {answer.status}, no success, and task {told_id(ids[0])}")


def read_poll(answer: Answer, first: Sequence[Place] = ()) -> Status:
    """Return how the job is. Raises the error that says why the poll did not tell.

    `first` is where this relay's own document has the link.
    """
    fields = answer.fields
    complaint = complaint_in(answer)
    is_answer = 200 <= answer.status < 300
    # The record before any error: `error` is part of a failed job too.
    job = job_in(fields, first) if is_answer else None
    if job is not None and _is_about_the_job(job, fields):
        return _status(job)
    if complaint is not None:
        return verdict(answer, complaint)
    chat = chat_answer_in(fields) if is_answer else None
    if chat is not None and chat.links:
        return Succeeded(chat.links[0], LINK_KEEPS_S, chat.links[1:])
    if is_answer and job is None and is_success(fields.get("code")):
        if fields.get("data", "") is None:
            return Failed("not_found", "success without a record")
        if body_of(fields.get("data")):
            return StillRunning()
    raise unreadable(answer)


class RelayLinks:
    """The links of one relay: some want its key, which goes to its own host alone.

    If a video has several, the others are kept in case the first does not work.
    """

    def __init__(self, base_url: URL, api_key: SecretStr, fetcher: VideoFetcher) -> None:
        self._origin = base_url.origin()
        self._api_key = api_key
        self._fetcher = fetcher
        self._others: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def settle(self, status: Status) -> Status:
        """Return the same status with a link that needs no key, if there is one, and remember the others."""
        if not isinstance(status, Succeeded):
            return status
        links = (self._absolute(link) for link in (status.video_url, *status.others))
        best, *others = sorted(dict.fromkeys(links), key=self._is_own)
        self._others[best] = tuple(others)
        while len(self._others) > _MOST_REMEMBERED:
            self._others.popitem(last=False)
        return Succeeded(best, status.keeps_s, tuple(others))

    async def fetch(self, video_url: str, target: Path) -> None:
        """Fetch from this link, else from the next that the relay named for the same video."""
        key = KeyForHost(self._origin, bearer(self._api_key))
        errors: list[FetchError] = []
        *links, last = (video_url, *self._others.get(video_url, ()))
        for link in (*links, last):
            try:
                await self._fetcher.fetch(link, target, key)
            except FetchError as error:
                errors.append(error)
                continue
            if link == last or not await asyncio.to_thread(is_page, target):
                return
            errors.append(FetchError("link_expired", f"{URL(link).host}: a page", again=False))
        # One that may pass is worth another try.
        raise next((error for error in errors if error.again), errors[0])

    def _absolute(self, link: str) -> str:
        return f"{self._origin}{link}" if link.startswith("/") else link

    def _is_own(self, link: str) -> bool:
        try:
            return URL(link).origin() == self._origin
        except ValueError:
            return False


def _is_about_the_job(job: Job, fields: Mapping[str, object]) -> bool:
    """Return True unless a failure may be that of the call: relays use the same words for both, and a record
    beside a null code proves no failure."""
    if job.state is not JobState.FAILED:
        return True
    if job.record is not fields and "code" in fields:
        code = fields["code"]
        return is_success(code) or bool(text_of(code)) or type(code) is int
    return True


def _status(job: Job) -> Status:
    if job.word in {"not_found", "not_exist"}:
        return Failed("not_found", "the relay knows no such job")
    match job.state:
        case JobState.QUEUED:
            return StillRunning(queued=True)
        case JobState.RUNNING | JobState.STAGE:
            return StillRunning(job.progress)
        case JobState.UNKNOWN:
            return StillRunning()
        case JobState.SUCCEEDED:
            links = (*job.links, *job.paths)
            if links:
                return Succeeded(links[0], LINK_KEEPS_S, links[1:])
            # Some relays call it a success when the upstream is done with an error.
            return why(_reason(job.record), "no_video", "a success without a link")
        case JobState.FAILED:
            otherwise = _BY_WORD.get(job.word, "provider_fault")
            return why(_reason_of_failure(job.record), otherwise, "the relay says that it failed")


def _reason_of_failure(record: Mapping[str, object]) -> str:
    """Return the first of those that say something; if that is nothing known, a certain refusal elsewhere."""
    said = _reason(record) or _later_reason(record) or reasons_in(record)
    if refused_in(said) or meaning_of(said):
        return said
    # What `detail` says may be about an earlier try.
    others = reasons_in({name: value for name, value in record.items() if name != "detail"})
    return others if named_refusal_in(others) else said


def _reason(record: Mapping[str, object]) -> str:
    """Return why there is no video: the relay's own words and those of the upstream that it keeps."""
    detail = body_of(record.get("detail"))
    values = (
        *(record.get(name) for name in _REASONS),
        record.get("data"),
        *(detail.get(name) for name in _REASONS if name != "error"),
    )
    return " ".join(text for text in map(words_in, values) if not is_empty_reason(text))


def _later_reason(record: Mapping[str, object]) -> str:
    """Return what counts if nothing else is said: `detail.error_message` may be about an earlier try."""
    detail = body_of(record.get("detail"))
    values = (
        *(detail.get(name) for name in ("error_message", "error", "message")),
        *(record.get(name) for name in ("error_message", "message", "reason", "msg")),
    )
    return next((text for text in map(words_in, values) if not is_empty_reason(text)), "")


_REASONS = ("error", "fail_reason", "failure_reason", "video_generation_error")
_BY_WORD = {"expired": "expired", "rejected": "refused"}
