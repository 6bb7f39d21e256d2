"""A Jimeng relay: one of the servers that sell Jimeng under `/jimeng/submit/videos`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr
from yarl import URL

from bot.provider import Accepted, Photo, Provider, Status
from bot.providers.wire import relay
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http, bearer
from bot.providers.wire.jimeng import RATIOS
from bot.providers.wire.job_record import Place
from bot.providers.wire.relay import RelayLinks, links_of, ratio_of, read_submit
from bot.request import Mode, VideoModel, VideoRequest
from bot.settings import Settings

_CFG_SCALE = 0.5  # required, and the document names no other value

_LINK_PLACES: tuple[Place, ...] = (
    ("data", "video"),
    ("data", "data", "video"),
    ("result_url",),
    ("data", "data", "video_url"),
    ("data", "video_url"),
    ("video_url",),
    ("video",),
    ("data", "videos"),
    ("task_result", "videos"),
)
"""Where the documents of these relays have the link in the record of a job, before all other places."""

__all__ = ["JimengRelay", "read_poll", "read_submit"]


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
        self._links = RelayLinks(self._base_url, self._api_key, fetcher)
        self.models: Sequence[VideoModel] = (_offer(self._base_url.host or ""),)

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        url = self._base_url.joinpath("jimeng/submit/videos")
        job = _job(self._model, request, photos)
        accepted = read_submit(await self._http.submit(url, bearer(self._api_key), lambda: job))
        return replace(accepted, status=self._links.settle(accepted.status))

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        url = self._base_url.joinpath(f"jimeng/fetch/{quote(remote_id, safe='')}", encoded=True)
        answer = await self._http.send(Call.POLL, "GET", url, bearer(self._api_key))
        return self._links.settle(read_poll(answer))

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        return False

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._links.fetch(video_url, target)

    async def close(self) -> None:
        pass


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


def read_poll(answer: Answer) -> Status:
    """Return how the job is. Raises the error that says why the poll did not tell."""
    return relay.read_poll(answer, _LINK_PLACES)


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
