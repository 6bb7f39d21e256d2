"""GeekAI: Jimeng video 3.0 and other models, resold with a key of GeekAI's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from pydantic import SecretStr
from yarl import URL

from bot.errors import AccountProblem, OutcomeUnknown, ProviderError, Rejected, Trouble, Unavailable
from bot.provider import Accepted, Failed, Photo, Provider, Status, StillRunning, Succeeded
from bot.providers.geekai_models import AccountModel, read_models
from bot.providers.wire.complaints import meaning_of, reasons_in
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.fields import id_of, number_of, object_of, text_of
from bot.providers.wire.http import Answer, Call, Http, bearer, unclear, unreadable
from bot.providers.wire.ids import task_ids_in, told_id
from bot.providers.wire.jimeng import RATIOS
from bot.providers.wire.job_record import JobState, job_in, layers
from bot.providers.wire.pictures import link_or_base64
from bot.providers.wire.reasons import named_refusal_in, refused_in
from bot.request import Exclusion, Mode, VideoModel, VideoRequest
from bot.settings import Settings

JIMENG = VideoModel(
    name="geekai-jimeng",
    title="Jimeng Video 3.0 (GeekAI)",
    provider="geekai",
    company="GeekAI",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST, Mode.CAMERA}),
    ratios=RATIOS,
    seconds=(5, 10),
    resolutions=("720p", "1080p"),
    exceptions=(Exclusion(modes=frozenset({Mode.CAMERA}), resolutions=frozenset({"1080p"})),),
    crops_photo=True,
    typical_s=120.0,
    # GeekAI names no time. Jimeng itself forgets a job after 12 hours, and nobody can finish it then.
    keeps_s=12 * 3600.0,
)
_FROM_WORDS = "jimeng_t2v_v30"
_FROM_PHOTOS = "jimeng_i2v_v30"
_SECONDS, _RESOLUTION = JIMENG.seconds[0], JIMENG.resolutions[0]
"""What is made when the field is missing, which is how the documented examples ask for it."""
_LINK_KEEPS_S = 7 * 86400.0  # the default of its Veo page; no page says another

_POLL_PATHS = ("videos/{task_id}", "video/{task_id}/result")
"""The newer documents name the first, the API reference the second."""

_BUSY = {429: "busy", 50429: "busy", 50430: "no_slot"}
"""By HTTP status, and by Jimeng's number if it shows through."""
_NOTHING_MADE = frozenset({50429, 50430})
"""Of these, the numbers whose document says that nothing was made."""
_TROUBLES: Mapping[int, Trouble] = {401: "key_refused", 402: "no_balance", 403: "not_activated"}
_GONE = frozenset({404, 405, 410})
"""The path, or the model that the body names, is not there any more."""
_REFUSALS = {400: "refused", 413: "photo_too_large"}
_LINK_PLACES = (("video_result", "url"),)
_MAY_RUN = frozenset({408, 409, 425, 499})
"""Of the 4xx without a documented meaning, those that may answer a call which went through."""


class GeekAI:
    """One GeekAI account. It keeps no connection, so there is nothing to close.

    `base_url` includes `/api/v1`.
    """

    name = "geekai"

    def __init__(
        self,
        api_key: SecretStr | str,
        base_url: str = "https://geekai.co/api/v1",
        concurrency: int = 1,
        *,
        offers: Mapping[str, AccountModel] = MappingProxyType({}),
        http: Http,
        fetcher: VideoFetcher,
    ) -> None:
        self.models: Sequence[VideoModel] = (JIMENG, *(offer.model for offer in offers.values()))
        self._offers = offers
        self.concurrency = concurrency
        self._api_key = SecretStr(api_key) if isinstance(api_key, str) else api_key
        self._base_url = URL(base_url)
        self._http = http
        self._fetcher = fetcher
        self._poll_paths = _POLL_PATHS

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        """Start a job. GeekAI may answer with the finished video although it was asked not to wait."""
        url = self._base_url.joinpath("videos/generations")
        return read_submit(
            await self._http.submit(url, bearer(self._api_key), lambda: self._job(request, photos))
        )

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        """Return how the job is; 404 has to come from both paths to mean that there is no such job."""
        first, second = self._poll_paths
        task_id = quote(remote_id, safe="")
        answer = await self._poll(first.format(task_id=task_id))
        if answer.status == 404:
            other = await self._poll(second.format(task_id=task_id))
            if job_in(other.fields) is not None:
                # It works, so it comes first from here on.
                self._poll_paths = (second, first)
            # Of two 404s one has to be GeekAI's own: a page of a web server says nothing of the job.
            if other.status != 404 or other.fields:
                answer = other
        return read_poll(answer)

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        return False

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._fetcher.fetch(video_url, target)

    async def close(self) -> None:
        pass

    def _job(self, request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
        if request.model == JIMENG.name:
            return _jimeng_job(request, photos)
        offer = self._offers[request.model]
        optional = {
            "aspect_ratio": request.ratio,
            "duration": request.seconds,
            "negative_prompt": request.negative_prompt or None,
            "with_audio": bool(request.audio) if offer.model.audio else None,
        }
        return {
            "model": offer.wire_name,
            "prompt": request.prompt,
            "async": True,
            **dict(zip(("image", "image_tail"), map(_image, photos), strict=False)),
            **{name: value for name, value in optional.items() if value is not None},
            **offer.fields(request.resolution),
        }

    async def _poll(self, path: str) -> Answer:
        url = self._base_url.joinpath(path, encoded=True)
        return await self._http.send(Call.POLL, "GET", url, bearer(self._api_key))


def from_settings(
    settings: Settings, http: Http, fetcher: VideoFetcher, clock: Callable[[], datetime]
) -> Provider | None:
    """Build the provider; None if its key is not set."""
    if not settings.geekai_api_key:
        return None
    return GeekAI(
        settings.geekai_api_key,
        settings.geekai_base_url,
        settings.geekai_concurrency,
        offers=read_models(settings.geekai_models),
        http=http,
        fetcher=fetcher,
    )


def read_submit(answer: Answer) -> Accepted:
    """Return the job's id at GeekAI and how it is. Raises the error that the answer to a submit means."""
    task_id = id_of(answer.fields.get("task_id")) or next(iter(task_ids_in(answer.fields)), None)
    if task_id and 200 <= answer.status < 300:
        return Accepted(task_id, _status(answer) or StillRunning(queued=True))
    if task_id:
        # An id beside an error: this does not prove a refusal.
        raise OutcomeUnknown("submit_unknown", f"{_detail(answer)}, task {told_id(task_id)}")
    raise _problem(answer)


def read_poll(answer: Answer) -> Status:
    """Return how the job is. Raises the error that says why the poll did not tell."""
    if answer.status == 404 and answer.fields:
        return Failed("not_found", _detail(answer))
    status = _status(answer) if 200 <= answer.status < 300 else None
    if status is not None:
        return status
    problem = _problem(answer)
    if not isinstance(problem, Rejected):
        raise problem
    if problem.code != named_refusal_in(_words(answer)):
        # A refused poll is no refused job.
        raise Unavailable("unreachable", problem.detail)
    return Failed(problem.code, problem.detail)


def _jimeng_job(request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
    fields: dict[str, object] = {
        "model": _FROM_PHOTOS if photos else _FROM_WORDS,
        "prompt": request.prompt,
        # Without it the answer comes when the video is made, minutes later.
        "async": True,
    }
    if request.ratio is not None:
        fields["aspect_ratio"] = request.ratio
    # For the last frame only links are documented. The first one's field takes both, so both are sent.
    fields |= zip(("image", "image_tail"), map(_image, photos), strict=False)
    if request.resolution not in {None, _RESOLUTION}:
        fields["resolution"] = request.resolution
    if request.seconds not in {None, _SECONDS}:
        fields["duration"] = request.seconds
    if request.camera:
        fields["extra_body"] = {"template_id": request.camera, "camera_strength": request.strength}
    return fields


def _image(photo: Photo) -> str:
    """Return a link, or bare base64: whether that takes a `data:` prefix is not documented."""
    return link_or_base64(photo, data_uri=False)


def _status(answer: Answer) -> Status | None:
    """Return what `task_status` says, None if there is none. The answers to both calls have the same form."""
    job = job_in(answer.fields, _LINK_PLACES)
    if job is None:
        return None
    match job.state:
        case JobState.QUEUED:
            return StillRunning(queued=True)
        case JobState.SUCCEEDED:
            return (
                Succeeded(job.links[0], _LINK_KEEPS_S) if job.links else Failed("no_video", _detail(answer))
            )
        case JobState.FAILED:
            return _failure(answer)
        case _:
            # `running`, and what may come one day.
            # 0 stands there too when nothing is known.
            return StillRunning(job.progress or None)


def _failure(answer: Answer) -> Failed:
    words, detail = _words(answer), _detail(answer)
    refusal = named_refusal_in(words) or refused_in(f"{_sentence(answer)} {reasons_in(answer.fields)}")
    busy = _BUSY.get(_code(answer) or 0)
    if refusal or busy is None:
        return Failed(refusal or "provider_fault", detail)
    return Failed(busy, detail, final=_code(answer) not in _NOTHING_MADE)


def _problem(answer: Answer) -> ProviderError:
    """Return the error that an answer without a job means.

    GeekAI documents the HTTP statuses and no bodies, so these of 4xx count with any body. 500 and 503 may be
    a proxy's: they count only beside words.
    """
    detail, words, code = _detail(answer), _words(answer), _code(answer) or 0
    # An error inside an HTTP 200 is read by its own number.
    status = answer.told_status if answer.told_status >= 400 else code
    refusal = named_refusal_in(words)
    if refusal:
        return Rejected(refusal, detail)
    busy = _BUSY.get(code) or _BUSY.get(status)
    if busy:
        return Unavailable(busy, detail, retry_after_s=answer.retry_after_s)
    if status in _TROUBLES:
        return AccountProblem("account", detail, trouble=_TROUBLES[status])
    if 400 <= status < 500 and meaning_of(words) == "no_model":
        return AccountProblem("model_gone", detail, trouble="model_gone")
    if words and status in _GONE:
        return AccountProblem("account", detail)
    if status in _REFUSALS:
        return Rejected(refused_in(_sentence(answer)) or _REFUSALS[status], detail)
    if not words:
        return unreadable(answer)
    if status in {500, 503} and answer.call is Call.SUBMIT:
        return Unavailable("provider_fault", detail, retry_after_s=answer.retry_after_s)
    if 400 <= status < 500 and status not in _MAY_RUN:
        return Rejected("refused", detail)
    # 504 among them: the job may run. A poll that fails says nothing of the job.
    return unclear(answer, detail) if answer.status >= 400 else unreadable(answer)


def _words(answer: Answer) -> str:
    """Return everything that an error says, only to be searched: it may quote a prompt. Empty if there is
    none.

    The body of an error is not documented, that of a failed job is: `error {code, message, details}`.
    """
    return " ".join(filter(None, (*_texts(answer.fields.get("error")), _sentence(answer))))


def _sentence(answer: Answer) -> str:
    """Return an error's own words without its details, which may quote a prompt."""
    said = []
    for layer in layers(answer.fields):
        error = layer.get("error")
        said += [text_of(error), *(text_of(object_of(error).get(name)) for name in ("code", "message"))]
        said += [text_of(layer.get(name)) for name in ("message", "fail_reason", "failure_reason", "reason")]
    return " ".join(filter(None, said))


def _texts(value: object, depth: int = 6) -> Iterator[str]:
    if isinstance(value, str | int):
        yield str(value)
    elif isinstance(value, dict | list) and depth:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner, depth - 1)


def _code(answer: Answer) -> int | None:
    return number_of(object_of(answer.fields.get("error")).get("code"))


def _detail(answer: Answer) -> str:
    """Return the detail for the log: numbers only, never a message."""
    return f"code {_code(answer)}, HTTP {answer.status}"
