"""A unified relay: one of the servers that sell Jimeng, Grok, Veo and others under `/v1/video/create`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr
from yarl import URL

from bot.errors import Rejected, Unavailable
from bot.provider import Accepted, Failed, Photo, Provider, Status
from bot.providers.unified_relay_models import RelayModel, jimeng, read_models
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Answer, Call, Http, bearer
from bot.providers.wire.job_record import job_in
from bot.providers.wire.relay import RelayLinks, links_of, ratio_of, read_poll, read_submit
from bot.request import VideoModel, VideoRequest
from bot.settings import Settings

__all__ = ["UnifiedRelay", "read_poll", "read_submit"]

_LATE_LINK_S = 120.0
"""For so long after a job was completed its link may still be on its way."""
_MILLISECONDS = 10**11
"""From here on a time counts milliseconds: in seconds that is the year 5138."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class UnifiedRelay:
    """An account at one relay. It keeps no connection, so there is nothing to close.

    `base_url` is what stands before `/v1/video/…`; `offers` is what this relay sells.
    """

    name = "unified_relay"

    def __init__(
        self,
        api_key: SecretStr | str,
        base_url: str,
        concurrency: int = 1,
        *,
        offers: Sequence[RelayModel] = (jimeng("jimeng-video-3.0", ("2:3", "3:2", "1:1"), ("720P",)),),
        http: Http,
        fetcher: VideoFetcher,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.concurrency = concurrency
        self._api_key = SecretStr(api_key) if isinstance(api_key, str) else api_key
        self._base_url = URL(base_url.rstrip("/"))
        self._offers = {offer.model.name: offer for offer in offers}
        self._http = http
        self._links = RelayLinks(self._base_url, self._api_key, fetcher)
        self._clock = clock
        company = f"the relay {self._base_url.host or ''}"
        self.models: Sequence[VideoModel] = [replace(offer.model, company=company) for offer in offers]

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        url = self._base_url.joinpath("v1/video/create")
        job = self._job(request, photos)
        accepted = read_submit(await self._http.submit(url, self._headers(), lambda: job))
        return replace(accepted, status=self._links.settle(accepted.status))

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        """Return how the job is. Right after its end a missing link is a fault of the relay, and the worker
        polls a few more times; later it means that there is no video."""
        # Encoded by us: yarl would leave the colon that ids hold.
        query = f"v1/video/query?id={quote(remote_id, safe='')}"
        url = URL(f"{self._base_url}/{query}", encoded=True)
        answer = await self._http.send(Call.POLL, "GET", url, self._headers())
        status = read_poll(answer)
        if isinstance(status, Failed) and status.code == "no_video" and self._may_follow(answer):
            raise Unavailable("provider_fault", "completed, and no link so far")
        return self._links.settle(status)

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        return False

    async def fetch(self, video_url: str, target: Path) -> None:
        await self._links.fetch(video_url, target)

    async def close(self) -> None:
        pass

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", **bearer(self._api_key)}

    def _job(self, request: VideoRequest, photos: Sequence[Photo]) -> dict[str, object]:
        offer, links = self._offers[request.model], links_of(photos)
        sizes, name = offer.wire_sizes, offer.names.get(request.mode)
        if name is None or (request.resolution is not None and request.resolution not in sizes):
            # Asked for when the settings were others.
            raise Rejected("model_gone", "a mode or a size that is not set up any more")
        fields: dict[str, object] = {"model": name, "prompt": request.prompt, **offer.extras}
        if request.enhance is not None and offer.model.enhance:
            fields["enhance_prompt"] = request.enhance
        if offer.model.ratios:
            fields["aspect_ratio"] = ratio_of(request, links, offer.model.ratios)
        if request.resolution is not None:
            fields["size"] = sizes[request.resolution]
        return {**fields, "images": [link.url for link in links]}

    def _may_follow(self, answer: Answer) -> bool:
        job = job_in(answer.fields)
        completed_at = _completed_at(job.record if job else answer.fields)
        return completed_at is None or self._clock().timestamp() - completed_at < _LATE_LINK_S


def from_settings(
    settings: Settings, http: Http, fetcher: VideoFetcher, clock: Callable[[], datetime]
) -> Provider | None:
    """Build the provider; None if its key or its address is not set."""
    if not (settings.unified_relay_api_key and settings.unified_relay_base_url):
        return None
    ratios, sizes = settings.unified_relay_ratios, settings.unified_relay_sizes
    listed = settings.unified_relay_models
    return UnifiedRelay(
        settings.unified_relay_api_key,
        settings.unified_relay_base_url,
        settings.unified_relay_concurrency,
        offers=read_models(listed, ratios, sizes) or [jimeng(settings.unified_relay_model, ratios, sizes)],
        clock=clock,
        http=http,
        fetcher=fetcher,
    )


def _completed_at(record: Mapping[str, object]) -> float | None:
    """Return when the job was completed as Unix time, from seconds or milliseconds."""
    for name in ("completed_at", "status_update_time"):
        value = record.get(name)
        if type(value) is int and 0 < value < _MILLISECONDS * 1000:
            return value / 1000 if value >= _MILLISECONDS else float(value)
    return None
