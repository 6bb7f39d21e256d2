"""A Jimeng relay: one of the servers that sell Jimeng under `/jimeng/submit/videos`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr
from yarl import URL

from bot.provider import Accepted, Failed, Photo, Provider, Status, StillRunning, Succeeded
from bot.providers._fetch import VideoFetcher
from bot.providers._fields import id_of, link_of, object_of, share_of
from bot.providers._http import Answer, Call, Http, unreadable
from bot.providers._jimeng import RATIOS
from bot.providers._relay import (
    LINK_KEEPS_S,
    Standing,
    body_of,
    complaint_in,
    is_success,
    links_of,
    ratio_of,
    read_id,
    standing,
    verdict,
    why,
    words_in,
)
from bot.request import Mode, VideoModel, VideoRequest
from bot.settings import Settings

_CFG_SCALE = 0.5  # required, and the document names no other value

_LINK_PLACES: tuple[tuple[str | int, ...], ...] = (
    ("data", "video"),
    ("data", "data", "video"),
    ("result_url",),
    ("data", "data", "video_url"),
    ("data", "video_url"),
    ("video_url",),
    ("video",),
    ("data", "videos", 0, "url"),
    ("task_result", "videos", 0, "url"),
    ("url",),
    # Older relays keep the link of a success here.
    ("fail_reason",),
)
"""Where relays put the link in the record of a job; the first one found counts."""


class JimengRelay:
    """An account at one relay. It keeps no connection, so there is nothing to close.

    `base_url` is what stands before `/jimeng/…`. `model` is for relays that want one named; those take a
    photo in a list, `image_urls`, instead of in `image_url`.
    """

    name = "jimeng_relay"

    def __init__(
        self,
        api_key: SecretStr | str,
        base_url: str,
        concurrency: int = 1,
        *,
        model: str | None = None,
        http: Http,
        fetcher: VideoFetcher,
    ) -> None:
        self.concurrency = concurrency
        self._api_key = SecretStr(api_key) if isinstance(api_key, str) else api_key
        self._base_url = URL(base_url.rstrip("/"))
        self._model = model
        self._http = http
        self._fetcher = fetcher
        self.models: Sequence[VideoModel] = (_offer(self._base_url.host or ""),)

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        body = json.dumps(_job(self._model, request, photos)).encode()
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = self._base_url.joinpath("jimeng/submit/videos")
        return read_submit(await self._http.send(Call.SUBMIT, "POST", url, headers, body))

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        url = self._base_url.joinpath(f"jimeng/fetch/{quote(remote_id, safe='')}", encoded=True)
        return read_poll(await self._http.send(Call.POLL, "GET", url, self._headers()))

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._fetcher.fetch(video_url, target)

    async def close(self) -> None:
        pass

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._api_key.get_secret_value()}"}


def from_settings(
    settings: Settings, http: Http, fetcher: VideoFetcher, clock: Callable[[], datetime]
) -> Provider | None:
    """Build the provider; None if its key or its address is not set."""
    if not (settings.jimeng_relay_api_key and settings.jimeng_relay_base_url):
        return None
    return JimengRelay(
        settings.jimeng_relay_api_key,
        settings.jimeng_relay_base_url,
        settings.jimeng_relay_concurrency,
        model=settings.jimeng_relay_model,
        http=http,
        fetcher=fetcher,
    )


def read_submit(answer: Answer) -> Accepted:
    """The job's id at the relay: `data` itself or a field of it. Or the error that the answer means."""
    data = answer.fields.get("data")
    task_id = id_of(data) or id_of(object_of(data).get("task_id")) or id_of(object_of(data).get("id"))
    return read_id(answer, task_id, success=is_success(answer.fields.get("code")))


def read_poll(answer: Answer) -> Status:
    """How the job is; or the error that says why this look told nothing."""
    complaint = complaint_in(answer)
    if complaint is not None:
        return verdict(answer, complaint)
    data = answer.fields.get("data", "")
    if not is_success(answer.fields.get("code")) or not 200 <= answer.status < 300:
        raise unreadable(answer)
    if data is None:
        return Failed("not_found", "success without a record")
    record = body_of(data)
    if not record:
        raise unreadable(answer)
    return _status(record)


def _offer(host: str) -> VideoModel:
    return VideoModel(
        name="relay-jimeng",
        title="Jimeng (relay)",
        provider="jimeng_relay",
        company=f"the relay {host}",
        modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
        ratios=RATIOS,
        seconds=(5, 10),
        resolutions=(),
        crops_photo=True,
        photo_as="link",
        typical_s=120.0,
        # No relay names a time. Jimeng itself forgets a job after 12 hours.
        keeps_s=12 * 3600.0,
    )


def _job(model: str | None, request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
    links = links_of(photos)
    fields: dict[str, object] = {
        "prompt": request.prompt,
        "duration": request.seconds,
        "aspect_ratio": ratio_of(request, links, RATIOS),
        "cfg_scale": _CFG_SCALE,
    }
    if model:
        fields["model"] = model
    if links and model:
        fields["image_urls"] = [link.url for link in links]
    elif links:
        fields["image_url"] = links[0].url
    return fields


def _status(record: Mapping[str, object]) -> Status:
    # The status first: `fail_reason` may hold the link of a success.
    match standing(record.get("status")):
        case Standing.QUEUED:
            return StillRunning(queued=True)
        case Standing.RUNNING:
            return StillRunning(share_of(record.get("progress")))
        case Standing.UNKNOWN:
            return StillRunning()
        case Standing.SUCCEEDED:
            link = _link(record)
            if link:
                return Succeeded(link, LINK_KEEPS_S)
            # Some relays call it a success when the upstream is done with an error.
            return Failed(why(_reason(record), "no_video"), "a success without a link")
        case Standing.FAILED:
            return Failed(why(_reason(record), "provider_fault"), "the relay says that it failed")


def _reason(record: Mapping[str, object]) -> str:
    """Why there is no video: the relay's own words and those of the upstream's answer that it keeps."""
    return f"{words_in(record.get('fail_reason'))} {words_in(record.get('data'))}"


def _link(record: Mapping[str, object]) -> str | None:
    return next(filter(None, (link_of(_at(record, place)) for place in _LINK_PLACES)), None)


def _at(value: object, place: Sequence[str | int]) -> object:
    for step in place:
        if isinstance(step, str):
            value = body_of(value).get(step)
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value
