"""Preview: the provider on this machine. Draws a small real film from words or a photo; free, no network."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.errors import FetchError, MediaError, OutcomeUnknown, Rejected
from bot.log import get_log
from bot.media.media_info import SIZES
from bot.media.process import run_in_process
from bot.media.work import film_photo, film_photos, film_words
from bot.provider import Accepted, Failed, Photo, PhotoLink, Provider, Status, StillRunning, Succeeded
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Http
from bot.request import Mode, VideoModel, VideoRequest
from bot.settings import Settings

_LINK = "preview:"
_KEEPS_S = 24 * 3600.0
_LIMIT_S = 120.0
"""For one film; a slow single-board computer takes about 60 s for ten seconds."""

_MODEL = VideoModel(
    name="preview",
    title="Preview, made on this machine",
    provider="preview",
    modes=frozenset(Mode),
    ratios=tuple(SIZES),
    seconds=(5, 10),
    resolutions=("720p",),
    typical_s=8.0,
    prompt_with_photo="optional",
    ratio_with_photo=True,
    references=7,
    audio=True,
    audio_default=True,
    crops_photo=True,
    seed_max=2**31 - 1,
    keeps_s=_KEEPS_S,
    free=True,
)


class Preview:
    """Each job has a folder: the request, the photos, the progress, and at last the film.

    A job whose process ended in the middle is drawn again at the next poll.
    """

    name = "preview"
    models: Sequence[VideoModel] = (_MODEL,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawing: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, MediaError] = {}
        self._log = get_log(__name__)
        # One processor stays free for photos and for finished videos.
        self.concurrency = max(1, (os.cpu_count() or 1) - 1)

    async def submit(self, request: VideoRequest, photos: Sequence[Photo], reference: str) -> Accepted:
        job = self._folder / reference
        try:
            await asyncio.to_thread(self._prune)
            job.mkdir(parents=True, exist_ok=True)
            for number, photo in enumerate(photos):
                if isinstance(photo, PhotoLink):
                    raise Rejected("not_a_photo", "a link instead of bytes")
                await asyncio.to_thread((job / f"photo-{number}").write_bytes, photo)
            (job / "request.json").write_text(request.model_dump_json(), encoding="utf-8")
        except OSError as error:
            raise OutcomeUnknown("submit_unknown", f"on our disk: {error.strerror}") from error
        self._draw(job)
        return Accepted(reference)

    async def poll(self, remote_id: str, model: VideoModel) -> Status:
        job = self._folder / remote_id
        if (job / "film.mp4").exists():
            return Succeeded(_LINK + remote_id, _KEEPS_S)
        if remote_id in self._failures:
            error = self._failures.pop(remote_id)
            code = error.code if error.code == "not_a_photo" else "preview_failed"
            return Failed(code, f"{error.code}: {error.detail}")
        if not (job / "request.json").exists():
            return Failed("not_found")
        if remote_id not in self._drawing:
            self._draw(job)
        return StillRunning(_read_progress(job / "progress"))

    async def cancel(self, remote_id: str, model: VideoModel) -> bool:
        if drawing := self._drawing.get(remote_id):
            drawing.cancel()
            await asyncio.wait({drawing})
        self._failures.pop(remote_id, None)
        await asyncio.to_thread(shutil.rmtree, self._folder / remote_id, ignore_errors=True)
        return True

    async def fetch(self, video_url: str, target: Path) -> None:
        film = self._folder / video_url.removeprefix(_LINK) / "film.mp4"
        try:
            await asyncio.to_thread(shutil.copyfile, film, target)
        except FileNotFoundError as error:
            raise FetchError("link_expired", f"on our disk: {error.strerror}", again=False) from error
        except OSError as error:
            raise FetchError("disk_full", f"on our disk: {error.strerror}", again=True) from error

    async def close(self) -> None:
        for drawing in self._drawing.values():
            drawing.cancel()
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)

    def _draw(self, job: Path) -> None:
        drawing = asyncio.create_task(self._film(job), name=f"preview {job.name}")
        self._drawing[job.name] = drawing
        drawing.add_done_callback(partial(self._drawn, job.name))

    def _drawn(self, name: str, drawing: asyncio.Task[None]) -> None:
        self._drawing.pop(name, None)
        if drawing.cancelled() or (error := drawing.exception()) is None:
            return
        self._log.error("a preview could not be drawn", task=name, exc_info=error)
        self._failures[name] = error if isinstance(error, MediaError) else MediaError("media_crashed")

    async def _film(self, job: Path) -> None:
        request = VideoRequest.model_validate_json((job / "request.json").read_text(encoding="utf-8"))
        await run_in_process(_film, request, job, limit_s=_LIMIT_S)

    def _prune(self) -> None:
        """Forget jobs older than their keeping time."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for job in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another submit forgets it at this moment
                if time.time() - job.stat().st_mtime > _KEEPS_S:
                    shutil.rmtree(job, ignore_errors=True)


def from_settings(
    settings: Settings, http: Http, fetcher: VideoFetcher, clock: Callable[[], datetime]
) -> Provider | None:
    """Build the provider, which needs no account."""
    return Preview(settings.data_dir / "preview")


def _film(request: VideoRequest, job: Path) -> None:
    """Draw the film; this runs in a worker process."""
    target, progress = job / "film.mp4", job / "progress"
    photos = [photo.read_bytes() for photo in sorted(job.glob("photo-*"))]
    request = request.model_copy(update={"seconds": request.seconds or _MODEL.seconds[0]})
    match photos:
        case []:
            film_words(request, target, progress)
        case [photo] if request.mode is not Mode.REFERENCES:
            film_photo(photo, request, target, progress)
        case _:
            film_photos(photos, request, target, progress)


def _read_progress(path: Path) -> float | None:
    try:
        return min(max(float(path.read_text(encoding="ascii")), 0.0), 1.0)
    except (OSError, ValueError):
        return None
