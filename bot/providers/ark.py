"""Ark, Volcengine's second API: the Seedance models, also at BytePlus and at relays of the same form.

Nobody has called it with a real key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr
from yarl import URL

from bot.errors import (
    AccountProblem,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Trouble,
    Unavailable,
)
from bot.provider import Accepted, Failed, Photo, Provider, Status, StillRunning, Succeeded
from bot.providers.ark_models import IDS, MODELS, MOST_REFERENCES, read_ids
from bot.providers.wire.complaints import complaint_in, problem, reasons_in, why, words_in
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.fields import number_of, object_of, text_of
from bot.providers.wire.http import Answer, Call, Http, bearer, unclear, unreadable
from bot.providers.wire.ids import task_ids_in, told_id
from bot.providers.wire.job_record import Job, JobState, job_in
from bot.providers.wire.pictures import link_or_base64
from bot.providers.wire.reasons import named_refusal_in, refused_in
from bot.request import Mode, VideoModel, VideoRequest
from bot.settings import Settings

_ROLES: Mapping[Mode, Sequence[str]] = {
    Mode.FIRST_FRAME: ("first_frame",),
    Mode.FIRST_LAST: ("first_frame", "last_frame"),
    Mode.REFERENCES: ("reference_image",) * MOST_REFERENCES,
}
_COMPANIES = (
    (".volces.com", "Volcengine (ByteDance)"),
    (".bytepluses.com", "BytePlus (ByteDance)"),
)
_LINK_KEEPS_S = 86400.0
_LINK_PLACES = (("content", "video_url"),)

_TROUBLES: Mapping[str, Trouble] = {
    "AuthenticationError": "key_refused",
    "AccountOverdueError": "no_balance",
    "OperationDenied.ServiceOverdue": "no_balance",
    # These two come with a 429, and waiting does not help: a free trial, or a limit of the account's own.
    "QuotaExceeded": "no_balance",
    "SetLimitExceeded": "no_balance",
    "OperationDenied": "not_activated",
    "AccessDenied": "not_activated",
    "ModelNotOpen": "not_activated",
    # Also of a model that has ended.
    "InvalidEndpointOrModel": "not_activated",
    "UnsupportedModel": "not_activated",
}
_BUSY = ("RateLimitExceeded", "ServerOverloaded")
_BAD_REQUEST = ("MissingParameter", "InvalidParameter", "InvalidImageURL")
_DOWN = ("ContentSecurityDetectionError",)
_FAULT = ("InternalServiceError",)
"""Leaves open whether a job was begun."""
_CONTENT = (
    *("InputText", "InputImage", "InputVideo", "InputAudio", "SensitiveContentDetected"),
    *("OutputText", "OutputImage", "OutputVideo", "OutputAudio"),
)
_NAMES = (*_TROUBLES, *_BUSY, *_BAD_REQUEST, *_DOWN, *_FAULT, *_CONTENT)
"""How the codes begin that Ark documents; what follows varies."""
_UNKNOWN_JOB = re.compile(r"\w*NotFound\b")
_REQUEST_ID = re.compile(r"\bRequest id: ([0-9a-f]{20,60})\b")
_FLAG = re.compile(r"-{2,}")


class Ark:
    """One Ark account. It keeps no connection, so there is nothing to close.

    `base_url` is what stands before `/contents/…`. `ids`: what Ark calls the models that are offered.
    """

    name = "ark"

    def __init__(
        self,
        api_key: SecretStr | str,
        base_url: str = "https://ark.cn-beijing.volces.com/api/v3",
        concurrency: int = 3,
        ids: Mapping[str, str] = IDS,
        *,
        http: Http,
        fetcher: VideoFetcher,
    ) -> None:
        self.concurrency = concurrency
        self._api_key = SecretStr(api_key) if isinstance(api_key, str) else api_key
        self._tasks_url = URL(base_url) / "contents" / "generations" / "tasks"
        self._ids = ids
        self._http = http
        self._fetcher = fetcher
        company = _company(self._tasks_url.host or "")
        self.models: Sequence[VideoModel] = tuple(
            replace(model, company=company) for model in MODELS if model.name in ids
        )

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        """Start a job.

        After an unknown outcome the list of jobs proves nothing: Ark takes no mark of ours that it would
        show there, so a job like this one may be another's, and one that is missing may still appear.
        """
        # Only for Ark's support: it makes no repeated call harmless.
        headers = {**bearer(self._api_key), "X-Client-Request-Id": reference}
        wire_id = self._ids[request.model]
        return read_submit(
            await self._http.submit(self._tasks_url, headers, lambda: _job(wire_id, request, photos))
        )

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        return read_poll(await self._poll_once(remote_id))

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        """Stop a job that waits in Ark's queue; those are not charged.

        DELETE stops only those. It would destroy the record of a finished job, and its video with it, so it
        is sent only right after a poll that said `queued`. The poll after it decides, whatever it answered.
        """
        job = await self._job(remote_id)
        if job is not None and job.word == "queued":
            with suppress(Unavailable):
                await self._http.send(Call.POLL, "DELETE", self._job_url(remote_id), bearer(self._api_key))
            job = await self._job(remote_id)
        return job is not None and job.word in {"cancelled", "canceled"}

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._fetcher.fetch(video_url, target)

    async def close(self) -> None:
        pass

    async def _job(self, remote_id: str) -> Job | None:
        """Return the job as it is; None if Ark knows no such job. Raises what an answer without one means."""
        answer = await self._poll_once(remote_id)
        job = _job_in(answer)
        if job is None:
            read_poll(answer)
        return job

    async def _poll_once(self, remote_id: str) -> Answer:
        return await self._http.send(Call.POLL, "GET", self._job_url(remote_id), bearer(self._api_key))

    def _job_url(self, remote_id: str) -> URL:
        return self._tasks_url.joinpath(quote(remote_id, safe=""), encoded=True)


def from_settings(
    settings: Settings, http: Http, fetcher: VideoFetcher, clock: Callable[[], datetime]
) -> Provider | None:
    """Build the provider; None if its key is not set. SettingsError if ARK_MODELS names an unknown model."""
    if not settings.ark_api_key:
        return None
    return Ark(
        settings.ark_api_key,
        settings.ark_base_url,
        settings.ark_concurrency,
        read_ids(settings.ark_models),
        http=http,
        fetcher=fetcher,
    )


def read_submit(answer: Answer) -> Accepted:
    """Return the job's id at Ark. Raises the error that the answer to a submit means."""
    task_id = next(iter(task_ids_in(answer.fields)), None)
    if task_id and 200 <= answer.status < 300 and complaint_in(answer) is None:
        return Accepted(task_id)
    if task_id:
        # An id beside an error: this does not prove a refusal.
        raise OutcomeUnknown("submit_unknown", f"{_detail(answer)}, task {told_id(task_id)}")
    raise _problem(answer)


def read_poll(answer: Answer) -> Status:
    """Return how the job is. Raises the error that says why the poll did not tell."""
    if answer.status == 404 and _UNKNOWN_JOB.match(_code(answer)):
        return Failed("not_found", _detail(answer))
    job = _job_in(answer)
    if job is not None:
        return _status(job, _detail(answer))
    error = _problem(answer)
    if not isinstance(error, Rejected):
        raise error
    if error.code == "not_found":
        return Failed(error.code, error.detail)
    # A refused poll is no refused job.
    raise Unavailable("unreachable", error.detail)


def _company(host: str) -> str:
    return next((name for end, name in _COMPANIES if host.endswith(end)), f"the relay {host}")


def _job(wire_id: str, request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
    """Return the fields of a submit. Text flags such as `--dur 5` are read in a prompt too: none is left."""
    content: list[dict[str, object]] = []
    if request.prompt:
        content.append({"type": "text", "text": _FLAG.sub("–", request.prompt)})
    for role, photo in zip(_ROLES.get(request.mode, ()), photos, strict=False):
        content.append(
            {"type": "image_url", "image_url": {"url": link_or_base64(photo, data_uri=True)}, "role": role}
        )
    fields: dict[str, object] = {
        "model": wire_id,
        "content": content,
        "ratio": request.ratio or "adaptive",
        # Ark would add sound, which costs more, if this was missing.
        "generate_audio": bool(request.audio),
        "watermark": False,
    }
    optional = {"resolution": request.resolution, "duration": request.seconds, "seed": request.seed}
    return fields | {name: value for name, value in optional.items() if value is not None}


def _job_in(answer: Answer) -> Job | None:
    return job_in(answer.fields, _LINK_PLACES) if 200 <= answer.status < 300 else None


def _status(job: Job, detail: str) -> Status:
    match job.state:
        case JobState.QUEUED:
            return StillRunning(queued=True)
        case JobState.SUCCEEDED:
            usage = object_of(job.record.get("usage"))
            told = (number_of(usage.get(name)) or 0 for name in ("completion_tokens", "total_tokens"))
            tokens = next((count for count in told if count > 0), None)
            if not job.links:
                return Failed("no_video", detail)
            return Succeeded(job.links[0], _LINK_KEEPS_S, billed_tokens=tokens)
        case JobState.FAILED:
            ending = f"{detail}, status {job.word}"
            if job.word == "expired":
                return Failed("expired", ending)
            reason = words_in(job.record.get("error")) or reasons_in(job.record)
            return why(reason, "provider_fault", ending)
        case _:
            # Ark tells no progress; a relay may.
            return StillRunning(job.progress or None)


def _problem(answer: Answer) -> ProviderError:
    """Return the error that an answer without a job means. The code's documented beginning decides, before
    the HTTP status."""
    code, detail = _code(answer), _detail(answer)
    refusal = named_refusal_in(code)
    if trouble := next((trouble for name, trouble in _TROUBLES.items() if code.startswith(name)), None):
        return AccountProblem("account", detail, trouble=trouble)
    if code.startswith(_BUSY):
        return Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if code.startswith(_DOWN):
        # A poll that fails says nothing of the job, and `provider_fault` would end it after some polls.
        word = "provider_fault" if answer.call is Call.SUBMIT else "unreachable"
        return Unavailable(word, detail, retry_after_s=answer.retry_after_s)
    if code.startswith(_FAULT):
        return unclear(answer, detail)
    if refusal:
        return Rejected(refusal, detail)
    if code.startswith(_BAD_REQUEST):
        return Rejected(refused_in(_message(answer)) or "input_refused", detail)
    # A relay's own error, or a web server's.
    complaint = complaint_in(answer)
    return unreadable(answer) if complaint is None else problem(answer, complaint)


def _code(answer: Answer) -> str:
    return text_of(object_of(answer.fields.get("error")).get("code"))


def _message(answer: Answer) -> str:
    return text_of(object_of(answer.fields.get("error")).get("message"))


def _detail(answer: Answer) -> str:
    """Return the detail for the log: a code that begins as a documented one, and the request id for Ark's
    support."""
    code, request_id = _code(answer), _REQUEST_ID.search(_message(answer))
    told = code if code.startswith(_NAMES) and re.fullmatch(r"[A-Za-z.]{1,80}", code) else ""
    request = f"request {request_id[1]}" if request_id else ""
    return ", ".join(filter(None, (f"HTTP {answer.status}", told, request)))
