"""JieKou AI: models of several makers, resold; `jiekou_products.py` says how each of them is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr
from yarl import URL

from bot.errors import (
    AccountProblem,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    SettingsError,
    Trouble,
    Unavailable,
)
from bot.provider import Accepted, Failed, Photo, Provider, Status, StillRunning, Succeeded
from bot.providers.jiekou_products import MODELS, PRODUCTS, Product
from bot.providers.wire.complaints import meaning_of, reasons_in
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.fields import id_of, link_of, number_of, object_of, text_of
from bot.providers.wire.http import Answer, Call, Http, bearer, unclear, unreadable
from bot.providers.wire.ids import task_ids_in, told_id
from bot.providers.wire.job_record import JobState, job_in, layers
from bot.providers.wire.pictures import link_or_base64
from bot.providers.wire.reasons import refused_in
from bot.request import VideoModel, VideoRequest, can_sound
from bot.settings import Settings

_LINK_KEEPS_S = 3600
"""If `video_url_ttl` says nothing."""

_TROUBLES: Mapping[str, Trouble] = {
    "INVALID_API_KEY": "key_refused",
    "FAILED_TO_AUTH": "key_refused",
    "ACCESS_DENY": "not_activated",
    "MODEL_NOT_FOUND": "model_gone",
    # Now and then this means a rate limit. Which of the two it is, only the operator can see.
    "NOT_ENOUGH_BALANCE": "no_balance",
}
_BUSY = frozenset({"RATE_LIMIT_EXCEEDED", "TOKEN_LIMIT_EXCEEDED"})
_TROUBLES_BY_STATUS: Mapping[int, Trouble] = {401: "key_refused", 402: "no_balance", 403: "account"}
_GONE = frozenset({404, 405, 410})
"""To a submit: every model has a path of its own, so its model is not sold any more."""
_MAY_RUN = frozenset({408, 409, 425, 499})
"""4xx that may answer a call which went through."""
_DOWN = "SERVICE_NOT_AVAILABLE"
_BAD_REQUEST = "INVALID_REQUEST_BODY"
_NAMES = frozenset({*_TROUBLES, *_BUSY, _DOWN, _BAD_REQUEST})
"""Every error that JieKou documents."""

_UNKNOWN_TASK = re.compile(r"\btask(?: id)?(?: \S{1,200})? (?:is |was )?not found\b")

_SUPPORT_CODES = re.compile(r"support codes?: ((?:[0-9]{6,10}(?:, )?)+)")


class JieKou:
    """One JieKou AI account. It keeps no connection, so there is nothing to close.

    `base_url` is what stands before `/v3/async/…`.
    """

    name = "jiekou"

    def __init__(
        self,
        api_key: SecretStr | str,
        base_url: str = "https://api.jiekou.ai",
        concurrency: int = 1,
        *,
        models: Sequence[VideoModel] = MODELS,
        http: Http,
        fetcher: VideoFetcher,
    ) -> None:
        self.models = models
        self.concurrency = concurrency
        self._api_key = SecretStr(api_key) if isinstance(api_key, str) else api_key
        self._async_url = URL(base_url) / "v3" / "async"
        self._http = http
        self._fetcher = fetcher

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        product = PRODUCTS[request.model]
        url = self._async_url / product.forms[request.mode].path
        return read_submit(
            await self._http.submit(url, bearer(self._api_key), lambda: _job(product, request, photos))
        )

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        url = (self._async_url / "task-result").with_query(task_id=remote_id)
        return read_poll(await self._http.send(Call.POLL, "GET", url, bearer(self._api_key)))

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        return False

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._fetcher.fetch(video_url, target)

    async def close(self) -> None:
        pass


def from_settings(
    settings: Settings, http: Http, fetcher: VideoFetcher, clock: Callable[[], datetime]
) -> Provider | None:
    """Build the provider; None if its key is not set."""
    if not settings.jiekou_api_key:
        return None
    return JieKou(
        settings.jiekou_api_key,
        settings.jiekou_base_url,
        settings.jiekou_concurrency,
        models=_offered(settings),
        http=http,
        fetcher=fetcher,
    )


def _offered(settings: Settings) -> list[VideoModel]:
    """Return the models that the operator offers. Raises SettingsError for a name that is none."""
    unknown = [name for name in settings.jiekou_models if name not in PRODUCTS]
    if unknown:
        raise SettingsError(f"JIEKOU_MODELS: there is no {unknown[0]}. There are: {', '.join(PRODUCTS)}.")
    models = [PRODUCTS[name].model for name in settings.jiekou_models]
    if settings.people_allow_all == "off":
        return models
    return [
        replace(model, people=(*model.people, "allow_all")) if model.people else model for model in models
    ]


def read_submit(answer: Answer) -> Accepted:
    """Return the job's id at JieKou. Raises the error that the answer to a submit means."""
    task_id = id_of(answer.fields.get("task_id")) or next(iter(task_ids_in(answer.fields)), None)
    if task_id and 200 <= answer.status < 300 and not _name(answer):
        return Accepted(task_id)
    if task_id:
        # An id beside an error: this does not prove a refusal.
        raise OutcomeUnknown("submit_unknown", f"{_detail(answer)}, task {told_id(task_id)}")
    raise _problem(answer)


def read_poll(answer: Answer) -> Status:
    """Return how the job is. Raises the error that says why the poll did not tell."""
    if _UNKNOWN_TASK.search(_words(answer)):
        return Failed("not_found", _detail(answer))
    status = _status(answer) if 200 <= answer.status < 300 else None
    if status is not None:
        return status
    problem = _problem(answer)
    if isinstance(problem, Rejected):
        # A refused poll is no refused job.
        raise Unavailable("unreachable", problem.detail)
    raise problem


def _job(product: Product, request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
    form = product.forms[request.mode]
    fields = {"prompt": request.prompt, **product.extras, **form.extras}
    fields |= form.pictures([link_or_base64(photo, data_uri=product.data_uri) for photo in photos])
    for option, name in product.fields.items():
        value = getattr(request, option)
        if option == "audio":
            if not can_sound(request.mode, product.model):
                continue
            value = bool(value)
        if value not in {None, ""}:
            fields[name] = product.values.get(option, _as_it_is)(value)
    return product.nest(fields)


def _as_it_is(value: object) -> object:
    return value


def _status(answer: Answer) -> Status | None:
    """Return what `task.status` says, None if there is none."""
    job = job_in(answer.fields)
    if job is None:
        return None
    match job.state:
        case JobState.QUEUED:
            return StillRunning(queued=True)
        case JobState.SUCCEEDED:
            for layer in layers(answer.fields):
                videos = _videos(layer.get("videos"))
                if videos:
                    return videos
            return (
                Succeeded(job.links[0], _LINK_KEEPS_S) if job.links else Failed("no_video", _detail(answer))
            )
        case JobState.FAILED:
            word = refused_in(_words(answer)) or refused_in(reasons_in(answer.fields)) or "provider_fault"
            return Failed(word, f"{_detail(answer)}, status {job.word.upper()}")
        case _:
            # `PROCESSING`, and what may come one day.
            # 0 stands there too when nothing is known.
            return StillRunning(job.progress or None)


def _videos(videos: object) -> Succeeded | None:
    """Return every video that has a link: all mp4s if there are some, else those of other types or none."""
    found = [object_of(video) for video in (videos if isinstance(videos, list) else [videos])]
    linked = [(url, video) for video in found if (url := link_of(video.get("video_url")))]
    mp4s = [(url, video) for url, video in linked if text_of(video.get("video_type")).lower() == "mp4"]
    chosen = mp4s or linked
    if not chosen:
        return None
    ends = [number_of(video.get("video_url_ttl")) or 0 for _, video in chosen]
    keeps_s = min((end for end in ends if end > 0), default=_LINK_KEEPS_S)
    first, *further = dict.fromkeys(url for url, _ in chosen)
    return Succeeded(first, float(keeps_s), further=tuple(further))


def _problem(answer: Answer) -> ProviderError:
    """Return the error that an answer without a job means. Its name decides; the status only repeats it."""
    answer = replace(answer, status=answer.told_status)
    name, detail = _name(answer), _detail(answer)
    words = _words(answer)
    refusal, meaning = refused_in(words), meaning_of(words)
    if name in _TROUBLES:
        trouble = _TROUBLES[name]
        code = "model_gone" if trouble == "model_gone" else "account"
        return AccountProblem(code, detail, trouble=trouble)
    if name in _BUSY or answer.status == 429:
        return Unavailable("busy", detail, retry_after_s=answer.retry_after_s)
    if name == _DOWN:
        # A poll that fails says nothing of the job, and `provider_fault` would end it after some polls.
        code = "provider_fault" if answer.call is Call.SUBMIT else "unreachable"
        return Unavailable(code, detail, retry_after_s=answer.retry_after_s)
    if meaning == "no_balance":
        return AccountProblem("account", detail, trouble="no_balance")
    if answer.call is Call.SUBMIT and words and (answer.status in _GONE or meaning == "no_model"):
        return AccountProblem("model_gone", detail, trouble="model_gone")
    if name == _BAD_REQUEST:
        return Rejected(refusal or "input_refused", detail)
    if not words or answer.status == 413:
        return unreadable(answer)
    # A name that no document has.
    if answer.status in _TROUBLES_BY_STATUS:
        return AccountProblem("account", detail, trouble=_TROUBLES_BY_STATUS[answer.status])
    if 400 <= answer.status < 500 and answer.status not in _MAY_RUN:
        return Rejected(refusal or "refused", detail)
    return unclear(answer, detail) if answer.status >= 400 else unreadable(answer)


def _name(answer: Answer) -> str:
    """Return the documented name of an error, empty if there is none."""
    keys = ("reason", "code")
    named = (text_of(layer.get(key)).upper() for layer in layers(answer.fields) for key in keys)
    return next((name for name in named if name in _NAMES), "")


def _words(answer: Answer) -> str:
    """Return all that an answer says of a failure, only to be searched: it may quote a prompt."""
    said = []
    for layer in layers(answer.fields):
        error = layer.get("error")
        said += [layer.get("reason"), layer.get("message"), error, object_of(error).get("message")]
    return " ".join(" ".join(map(text_of, said)).lower().replace("_", " ").split())


def _detail(answer: Answer) -> str:
    """Return the detail for the log: documented names and numbers, never a sentence."""
    codes = _SUPPORT_CODES.search(_words(answer))
    support = f"Google's support codes {codes[1]}" if codes else ""
    return ", ".join(filter(None, (f"HTTP {answer.status}", _name(answer), support)))
