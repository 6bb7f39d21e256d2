"""Volcengine: the Jimeng video models, asked directly with signed requests."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from yarl import URL

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Unavailable
from bot.provider import Accepted, Failed, Photo, Status, StillRunning, Succeeded
from bot.providers._fetch import VideoFetcher
from bot.providers._http import Answer, Call, Http, nothing_told, unreadable
from bot.providers._signing import Credentials, canonical_query, sign
from bot.request import Mode, VideoModel, VideoRequest

_VERSION = "2022-08-31"
_ACTIONS = {Call.SUBMIT: "CVSync2AsyncSubmitTask", Call.LOOK: "CVSync2AsyncGetResult"}
_FRAMES_A_SECOND = 24
_LINK_KEEPS_S = 3600.0  # the current interface page; the job itself is known for 12 hours

_JIMENG_PRO = VideoModel(
    name="jimeng-pro",
    title="Jimeng Video 3.0 Pro",
    provider="volcengine",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"),
    seconds=(5, 10),
    resolutions=("1080p",),
    typical_s=120.0,
    prompt_with_photo="optional",
    seed_max=2**31 - 1,
    keeps_s=12 * 3600.0,
)


@dataclass(frozen=True, slots=True)
class _Product:
    """A model of ours and the `req_key` that Volcengine has for each of its modes."""

    model: VideoModel
    req_keys: Mapping[Mode, str]


_PRODUCTS = (
    _Product(_JIMENG_PRO, {Mode.TEXT: "jimeng_ti2v_v30_pro", Mode.FIRST_FRAME: "jimeng_ti2v_v30_pro"}),
)

_SUCCESS = 10000
_NO_SLOT = 50430
_BUSY = 50429
_DENIED = 50400
_FAULTS = frozenset({50500, 50501})
"""May pass: documented as worth another try."""

_WORDS = {
    50215: "input_refused",
    50411: "photo_refused",
    50412: "prompt_refused",
    50413: "prompt_sensitive",  # shares its message with 50512: only the number tells them apart
    50511: "video_refused",
    50512: "video_text_refused",
    50513: "input_refused",
    50514: "input_refused",
    50516: "video_refused",
    50517: "audio_refused",
    50518: "photo_copyright",
    50519: "video_copyright",
    50520: "provider_fault",
    50521: "provider_fault",
    50522: "provider_fault",
}
"""Final refusals, in the project's words."""

_GATEWAY_FAULTS = frozenset({100014, 100016})
"""The call may have got through to the service before the gateway gave up."""

_GATEWAY_REFUSALS = {
    100002: "Action or Version did not arrive",
    100003: "the credentials did not arrive",
    100004: "the request arrived incomplete",
    100005: "the signature did not arrive",
    100006: "the signature is out of time: set this machine's clock",
    100007: "the service of the signature is unknown",
    100008: "Action or Version is unknown",
    100009: "the access key id is unknown",
    100010: "the signature does not match: check the secret access key",
    100012: "the access key has no policy for this service",
    100013: "the sub-account is not allowed to call this service",
    100024: "the Authorization header is malformed",
}


class Volcengine:
    """One Volcengine account. It keeps no connection, so there is nothing to close.

    `base_url` is what stands before `/?Action=…`.
    """

    name = "volcengine"
    models: Sequence[VideoModel] = tuple(product.model for product in _PRODUCTS)

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
        req_keys = _product(request.model).req_keys
        req_key = req_keys[request.mode]
        answer = await self._call(Call.SUBMIT, _job(req_key, request, photos))
        accepted = read_submit(answer)
        if len(set(req_keys.values())) == 1:
            return accepted
        # Every look has to name the same key, and this model has several.
        return Accepted(f"{req_key}:{accepted.remote_id}", accepted.status, accepted.detail)

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        req_key, _, task_id = remote_id.rpartition(":")
        req_key = req_key or next(iter(_product(model.name).req_keys.values()))
        return read_look(await self._call(Call.LOOK, {"req_key": req_key, "task_id": task_id}))

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._fetcher.fetch(video_url, target)

    async def close(self) -> None:
        pass

    async def _call(self, call: Call, fields: Mapping[str, object]) -> Answer:
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
        return await self._http.send(call, "POST", url, headers, body)


def read_submit(answer: Answer) -> Accepted:
    """The job's id at Volcengine; or the error that the answer to a submit means."""
    _check_gateway(answer)
    code = _number(answer.fields.get("code"))
    task_id = _id(_data(answer).get("task_id"))
    detail = _detail(answer, code)
    if code == _SUCCESS and task_id:
        return Accepted(task_id, detail=detail)
    if code == _SUCCESS or task_id:
        # Success without an id, or an id beside an error: neither proves a refusal.
        raise OutcomeUnknown("submit_unknown", f"{detail}, task {task_id or 'without an id'}")
    if code is None:
        raise unreadable(answer)
    raise _problem(answer, code)


def read_look(answer: Answer) -> Status:
    """How the job is; or the error that says why this look told nothing.

    `code` comes first: `done` stands beside a failure too.
    """
    _check_gateway(answer)
    code = _number(answer.fields.get("code"))
    if code is None:
        raise unreadable(answer)
    if code == _SUCCESS:
        return _status(answer)
    problem = _problem(answer, code)
    if isinstance(problem, Rejected):
        return Failed(problem.code, problem.detail)
    raise problem


def _product(model_name: str) -> _Product:
    return next(product for product in _PRODUCTS if product.model.name == model_name)


def _job(req_key: str, request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
    fields: dict[str, object] = {"req_key": req_key}
    if photos:
        fields["binary_data_base64"] = [_base64(photo) for photo in photos]
    if request.prompt:
        fields["prompt"] = request.prompt
    fields["seed"] = -1 if request.seed is None else request.seed
    if request.seconds is not None:
        fields["frames"] = _FRAMES_A_SECOND * request.seconds + 1
    if request.ratio is not None and not photos:
        fields["aspect_ratio"] = request.ratio
    return fields


def _base64(photo: Photo) -> str:
    if isinstance(photo, str):
        raise Rejected("photo_refused", "a link where the bytes of the photo are due")
    return base64.b64encode(photo).decode()


def _check_gateway(answer: Answer) -> None:
    """Raise what a gateway error means. Where there is one, no other field of the answer counts."""
    metadata = answer.fields.get("ResponseMetadata")
    error = metadata.get("Error") if isinstance(metadata, dict) else None
    if error is None:
        return
    number = _number(error.get("CodeN")) if isinstance(error, dict) else None
    # Never the gateway's own message: that of 100009 repeats the access key.
    detail = f"gateway error {number}, HTTP {answer.status}"
    if answer.status == 429:
        raise Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if number in _GATEWAY_REFUSALS:
        raise AccountProblem("account", f"{detail}: {_GATEWAY_REFUSALS[number]}")
    if number is None or number in _GATEWAY_FAULTS or answer.status >= 500:
        raise nothing_told(answer.call, detail)
    raise AccountProblem("account", detail)


def _problem(answer: Answer, code: int) -> ProviderError:
    """What a code other than success means, on either call: which call returns which is not documented."""
    detail = _detail(answer, code)
    if code == _NO_SLOT:
        return Unavailable("no_slot", detail, retry_after_s=answer.retry_after_s)
    if code == _BUSY or answer.status == 429:
        return Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if code == _DENIED:
        hint = "the product is not activated, the account is overdue, or its key may not use it"
        return AccountProblem("account", f"{detail}: {hint}")
    if code in _FAULTS:
        return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)
    if code in _WORDS:
        return Rejected(_WORDS[code], detail)
    if answer.status < 500:
        return Rejected("refused", detail)
    if answer.call is Call.SUBMIT:
        # Nobody documents this code, so nothing says that the job was not begun.
        return OutcomeUnknown("submit_unknown", detail)
    return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)


def _status(answer: Answer) -> Status:
    data = _data(answer)
    match data.get("status"):
        case "in_queue":
            return StillRunning(queued=True)
        case "done":
            url = data.get("video_url")
            if isinstance(url, str) and re.match(r"https?://.", url) and url.isprintable():
                return Succeeded(url, _LINK_KEEPS_S)
            return Failed("no_video", _detail(answer, _SUCCESS))
        case "not_found" | "expired" as word:
            return Failed(word, _detail(answer, _SUCCESS))
        case _:
            # `generating`, `processing` of sibling services, and what may come one day.
            return StillRunning()


def _data(answer: Answer) -> Mapping[str, object]:
    data = answer.fields.get("data")
    return data if isinstance(data, dict) else {}


def _detail(answer: Answer, code: int | None) -> str:
    """For the log: numbers and the request id, never a message, which may quote a prompt or a key."""
    return f"code {code}, HTTP {answer.status}, request {_id(answer.fields.get('request_id')) or 'unknown'}"


def _number(value: object) -> int | None:
    """A code; in an answer that has passed through other hands it may have become text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return value if type(value) is int and abs(value) < 10**9 else None


def _id(value: object) -> str | None:
    """An id of theirs that is safe to store and to log, else None."""
    text = str(value) if type(value) is int else value
    return text if isinstance(text, str) and re.fullmatch(r"[\x21-\x7e]{1,100}", text) else None
