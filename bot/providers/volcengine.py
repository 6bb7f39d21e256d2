"""Volcengine: the Jimeng video models, asked directly with signed requests."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from yarl import URL

from bot.codes import FailureCode
from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, Status, StillRunning, Succeeded
from bot.providers.wire.complaints import complaint_in, problem, reasons_in, why, words_in
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.fields import id_of, number_of, object_of, text_of
from bot.providers.wire.gateway import check_gateway
from bot.providers.wire.http import Answer, Call, Http, unclear, unreadable
from bot.providers.wire.ids import told_id
from bot.providers.wire.jimeng import RATIOS, REFUSALS
from bot.providers.wire.job_record import JobState, body_of, job_in
from bot.providers.wire.signing import Credentials, canonical_query, sign
from bot.request import Mode, VideoModel, VideoRequest
from bot.settings import Settings

_VERSION = "2022-08-31"
_ACTIONS = {Call.SUBMIT: "CVSync2AsyncSubmitTask", Call.POLL: "CVSync2AsyncGetResult"}
_FRAMES_A_SECOND = 24
_LINK_KEEPS_S = 3600.0  # the current interface page; the job itself is known for 12 hours

_REQ_KEYS: Mapping[str, Mapping[Mode, str]] = {
    "jimeng-pro": {Mode.TEXT: "jimeng_ti2v_v30_pro", Mode.FIRST_FRAME: "jimeng_ti2v_v30_pro"},
    "jimeng-720p": {
        Mode.TEXT: "jimeng_t2v_v30",
        Mode.FIRST_FRAME: "jimeng_i2v_first_v30",
        Mode.FIRST_LAST: "jimeng_i2v_first_tail_v30",
        Mode.CAMERA: "jimeng_i2v_recamera_v30",
    },
    "jimeng-1080p": {
        # Of these three only the first ends in p; the wrong one reads like a missing permission (50400).
        Mode.TEXT: "jimeng_t2v_v30_1080p",
        Mode.FIRST_FRAME: "jimeng_i2v_first_v30_1080",
        Mode.FIRST_LAST: "jimeng_i2v_first_tail_v30_1080",
    },
}
"""What Volcengine calls a model of ours in each of its modes."""

_KEYS_WITH_RATIO = frozenset({"jimeng_ti2v_v30_pro", "jimeng_t2v_v30", "jimeng_t2v_v30_1080p"})
"""The others take the shape of the photo."""


def _model(name: str, title: str, resolution: str, typical_s: float) -> VideoModel:
    return VideoModel(
        name=name,
        title=title,
        provider="volcengine",
        company="Volcengine (ByteDance)",
        modes=frozenset(_REQ_KEYS[name]),
        ratios=RATIOS,
        seconds=(5, 10),
        resolutions=(resolution,),
        typical_s=typical_s,
        crops_photo=True,  # documented for Pro, inferred for the others
        seed_max=2**31 - 1,
        keeps_s=12 * 3600.0,
    )


# Nobody documents how long a video takes; users tell of one to five minutes.
_MODELS = (
    replace(_model("jimeng-pro", "Jimeng Video 3.0 Pro", "1080p", 120.0), prompt_with_photo="optional"),
    _model("jimeng-720p", "Jimeng Video 3.0 720P", "720p", 90.0),
    _model("jimeng-1080p", "Jimeng Video 3.0 1080P", "1080p", 150.0),
)

_SUCCESS = 10000
_NO_SLOT = 50430
_BUSY = 50429
_DENIED = 50400
_NO_SUCH_KEY = 50200
_FIRST_CODE = 10000
"""Volcengine's own codes begin here; a smaller one is that of a gateway in between."""
_FAULTS = frozenset({50500, 50501})
"""May pass: documented as worth another try."""


class Volcengine:
    """One Volcengine account. It keeps no connection, so there is nothing to close.

    `base_url` is what stands before `/?Action=…`.
    """

    name = "volcengine"
    models: Sequence[VideoModel] = _MODELS

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: SecretStr | str,
        base_url: str = "https://visual.volcengineapi.com",
        concurrency: int = 1,
        *,
        http: Http,
        fetcher: VideoFetcher,
        clock: Callable[[], datetime],
    ) -> None:
        if isinstance(secret_access_key, SecretStr):
            secret_access_key = secret_access_key.get_secret_value()
        self.concurrency = concurrency
        self._credentials = Credentials(access_key_id, secret_access_key)
        self._base_url = URL(base_url.rstrip("/") + "/")
        self._http = http
        self._fetcher = fetcher
        self._clock = clock

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        """Start a job; `Accepted.detail` is the request id that Volcengine's support asks for.

        50500 and 50501 count as refusals: they are documented errors, they came without a task id, and
        the document has every answer but 10000 mean that there is none.
        """
        req_keys = _REQ_KEYS[request.model]
        req_key = req_keys[request.mode]
        # In a thread: with a photo it is megabytes, which would hold up the event loop.
        signed = await asyncio.to_thread(lambda: self._signed(Call.SUBMIT, _job(req_key, request, photos)))
        answer = await self._http.send(Call.SUBMIT, "POST", *signed)
        accepted = read_submit(answer)
        if len(set(req_keys.values())) == 1:
            return accepted
        # Every look has to name the same key, and this model has several.
        return replace(accepted, remote_id=f"{req_key}:{accepted.remote_id}")

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        req_keys = tuple(dict.fromkeys(_REQ_KEYS[model.name].values()))
        named, task_id = "", remote_id
        if len(req_keys) > 1 and ":" in remote_id:
            named, _, task_id = remote_id.partition(":")
        # An id that an operator attached names no key: only under its own the job is found.
        for req_key in [named] if named else req_keys:
            signed = self._signed(Call.POLL, {"req_key": req_key, "task_id": task_id})
            status = read_poll(await self._http.send(Call.POLL, "POST", *signed))
            if not (isinstance(status, Failed) and status.code == FailureCode.NOT_FOUND):
                break
        return status

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        return False

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._fetcher.fetch(video_url, target)

    async def close(self) -> None:
        pass

    def _signed(self, call: Call, fields: Mapping[str, object]) -> tuple[URL, Mapping[str, str], bytes]:
        """Return address, headers and body."""
        body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        query = (("Action", _ACTIONS[call]), ("Version", _VERSION))
        # Encoded by us, once: what is signed is what is sent.
        url = URL(f"{self._base_url}?{canonical_query(query)}", encoded=True)
        headers = sign(
            self._credentials,
            host=url.host_port_subcomponent or "",
            path=url.raw_path,
            query=query,
            body=body,
            at=self._clock(),
        )
        return url, headers, body


def from_settings(
    settings: Settings, http: Http, fetcher: VideoFetcher, clock: Callable[[], datetime]
) -> Provider | None:
    """Build the provider; None if one of its two keys is not set."""
    if not (settings.volcengine_access_key_id and settings.volcengine_secret_access_key):
        return None
    return Volcengine(
        settings.volcengine_access_key_id.get_secret_value(),
        settings.volcengine_secret_access_key,
        settings.volcengine_base_url,
        settings.volcengine_concurrency,
        http=http,
        fetcher=fetcher,
        clock=clock,
    )


def read_submit(answer: Answer) -> Accepted:
    """Return the job's id at Volcengine. Raises the error that the answer to a submit means."""
    check_gateway(answer)
    code, data = _unwrapped(answer)
    task_id = id_of(data.get("task_id"))
    detail = _detail(answer, code)
    if code == _SUCCESS and task_id:
        return Accepted(task_id, detail=detail)
    if task_id:
        # An id beside an error: this does not prove a refusal.
        raise OutcomeUnknown("submit_unknown", f"{detail}, task {told_id(task_id)}")
    if code == _SUCCESS:
        raise unclear(answer, f"{detail}, without a task")
    raise _problem(answer, code)


def read_poll(answer: Answer) -> Status:
    """Return how the job is. Raises the error that says why the poll did not tell.

    `code` comes first: `done` stands beside a failure too.
    """
    check_gateway(answer)
    code, data = _unwrapped(answer)
    if code == _SUCCESS:
        return _status(answer, data)
    error = _problem(answer, code)
    if isinstance(error, Rejected):
        return Failed(error.code, error.detail)
    raise error


def _job(req_key: str, request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
    fields: dict[str, object] = {"req_key": req_key, **_images(photos)}
    if request.prompt:
        fields["prompt"] = request.prompt
    if request.camera is not None:
        fields |= {"template_id": request.camera, "camera_strength": request.strength}
    fields["seed"] = -1 if request.seed is None else request.seed
    if request.seconds is not None:
        fields["frames"] = _FRAMES_A_SECOND * request.seconds + 1
    if request.ratio is not None and req_key in _KEYS_WITH_RATIO:
        fields["aspect_ratio"] = request.ratio
    return fields


def _images(photos: Sequence[Photo]) -> dict[str, object]:
    """Return the field for the photos, if there are any: one is for links, one for bytes, never both."""
    links = [photo.url for photo in photos if isinstance(photo, PhotoLink)]
    texts = [base64.b64encode(photo).decode() for photo in photos if isinstance(photo, bytes)]
    if links and texts:
        raise Rejected("refused", "one photo as bytes and one as a link")
    if links:
        return {"image_urls": links}
    return {"binary_data_base64": texts} if texts else {}


def _unwrapped(answer: Answer) -> tuple[int | None, Mapping[str, object]]:
    """Return the code of an answer and its task: `data`, in the second dialect that of `Result`, or the
    object itself.

    Without a code, or with 0, it is a success only if HTTP says so and there is a task.
    """
    fields = body_of(answer.fields.get("Result")) or answer.fields
    data = body_of(fields.get("data")) or fields
    code = number_of(fields.get("code"))
    if fields.get("code") is None or code == 0:
        has_task = id_of(data.get("task_id")) is not None or text_of(data.get("status")) != ""
        return (_SUCCESS if has_task and 200 <= answer.status < 300 else None), data
    return code, data


def _problem(answer: Answer, code: int | None) -> ProviderError:
    """Return the error that a code means, for either call: it is not documented which call returns which
    code."""
    detail = _detail(answer, code)
    if code is None or code < _FIRST_CODE:
        return _foreign_problem(answer, code)
    if code == _NO_SLOT:
        return Unavailable("no_slot", detail, retry_after_s=answer.retry_after_s)
    if code == _BUSY:
        return Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if code == _DENIED:
        hint = "the product is not activated, the account is overdue, or its key may not use it"
        return AccountProblem("account", f"{detail}: {hint}", trouble="not_activated")
    if code == _NO_SUCH_KEY:
        return AccountProblem("account", f"{detail}: Volcengine knows no such model")
    if code in _FAULTS:
        return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)
    if code in REFUSALS:
        return Rejected(REFUSALS[code], detail)
    # Known codes first: a failed job may come with a 429 too.
    if answer.status == 429:
        return Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if answer.status < 500:
        return Rejected("refused", detail)
    if answer.call is Call.SUBMIT:
        # Nobody documents this code, so nothing says that the job was not begun.
        return unclear(answer, detail)
    return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)


def _foreign_problem(answer: Answer, code: int | None) -> ProviderError:
    """Return the error that an answer means which is not Volcengine's: a web server's, or an open
    gateway's."""
    complaint = complaint_in(answer)
    if complaint is None or code == 0:
        return unreadable(answer)
    return problem(answer, complaint)


def _status(answer: Answer, data: Mapping[str, object]) -> Status:
    job = job_in(data)
    detail = _detail(answer, _SUCCESS)
    if job is None:
        return StillRunning()
    if job.word in {"not_found", "expired"}:
        return Failed(job.word, detail)
    match job.state:
        case JobState.QUEUED:
            return StillRunning(queued=True)
        case JobState.SUCCEEDED:
            return Succeeded(job.links[0], _LINK_KEEPS_S) if job.links else Failed("no_video", detail)
        case JobState.FAILED:
            return why(words_in(data) or reasons_in(data), "provider_fault", detail)
        case _:
            # `generating`, `processing` of sibling services, and what may come one day.
            return StillRunning(job.progress)


def _detail(answer: Answer, code: int | None) -> str:
    """Return the detail for the log: numbers and the request id, never a message, which may quote a prompt or
    a key."""
    metadata = object_of(answer.fields.get("ResponseMetadata"))
    request_id = id_of(answer.fields.get("request_id")) or id_of(metadata.get("RequestId"))
    return f"code {code}, HTTP {answer.status}, request {request_id or 'unknown'}"
