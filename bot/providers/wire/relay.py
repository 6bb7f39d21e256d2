"""What both relays share: they run the software of the one-api family and pass on each other's forms."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr
from yarl import URL

from bot.errors import FetchError, OutcomeUnknown, Rejected
from bot.provider import Accepted, Failed, Photo, PhotoLink, Status, StillRunning, Succeeded
from bot.providers.wire.complaints import complaint_in, is_empty_reason, problem, verdict, why, words_in
from bot.providers.wire.fetch import KeyForHost, VideoFetcher
from bot.providers.wire.fields import id_of, is_success, text_of
from bot.providers.wire.http import Answer, unreadable
from bot.providers.wire.ids import chat_answer_in, task_ids_in, told_id
from bot.providers.wire.job_record import Job, JobState, Place, body_of, job_in
from bot.request import VideoRequest, closest_ratio

LINK_KEEPS_S = 3600.0
"""No relay says how long its links live: as long as the shortest-lived ones of those behind it."""
_MOST_REMEMBERED = 500


def links_of(photos: Sequence[Photo]) -> list[PhotoLink]:
    """The photos as links, the only form that relays take; Rejected for anything else."""
    links = [photo for photo in photos if isinstance(photo, PhotoLink)]
    if len(links) < len(photos):
        raise Rejected("photo_refused", "the bytes of a photo where a link to it is due")
    return links


def ratio_of(request: VideoRequest, links: Sequence[PhotoLink], ratios: Sequence[str]) -> str:
    """The ratio to send. Relays demand one with a photo too: then it is the one nearest to the photo's."""
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
    # A bare value is the id of a job only where the relay says that all went well.
    code = answer.fields.get("code")
    is_named = ids[0] != id_of(answer.fields.get("data")) or "code" not in answer.fields
    if is_clear and (is_named or is_success(code)):
        job = job_in(answer.fields)
        made = job is not None and bool(job.links)
        return Accepted(ids[0], _status(job)) if job and made else Accepted(ids[0])
    # An id beside an error: this does not prove a refusal.
    raise OutcomeUnknown("submit_unknown", f"HTTP {answer.status}, no success, and task {told_id(ids[0])}")


def read_poll(answer: Answer, first: Sequence[Place] = ()) -> Status:
    """How the job is; or the error that says why this look told nothing.

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

    Where a video has several, the others are kept for when the first does not work.
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
        best, *others = sorted((status.video_url, *status.others), key=self._is_own)
        self._others[best] = tuple(others)
        while len(self._others) > _MOST_REMEMBERED:
            self._others.popitem(last=False)
        return Succeeded(best, status.keeps_s, tuple(others))

    async def fetch(self, video_url: str, target: Path) -> None:
        """Fetch from this link, else from the next that the relay named for the same video."""
        key = KeyForHost(self._origin, {"Authorization": f"Bearer {self._api_key.get_secret_value()}"})
        errors: list[FetchError] = []
        for link in (video_url, *self._others.get(video_url, ())):
            try:
                await self._fetcher.fetch(link, target, key)
            except FetchError as error:
                errors.append(error)
            else:
                return
        # One that may pass is worth another try.
        raise next((error for error in errors if error.again), errors[0])

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
    return job.word not in {"error", "fail"} or not _OF_A_JOB.isdisjoint(job.record)


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
            if job.links:
                return Succeeded(job.links[0], LINK_KEEPS_S, job.links[1:])
            # Some relays call it a success when the upstream is done with an error.
            return why(_reason(job.record), "no_video", "a success without a link")
        case JobState.FAILED:
            reason = _reason(job.record) or _later_reason(job.record)
            return why(reason, _BY_WORD.get(job.word, "provider_fault"), "the relay says that it failed")


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
_OF_A_JOB = frozenset({"id", "task_id", "progress", "video_url", "detail", "fail_reason", "created_at"})
"""Fields that the record of a job has, and the error of a call has not."""
