"""Videos: fetched from Telegram, and taken apart or joined away from the event loop."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from telegram import Bot

from bot.chat.telegram_io.client import translated
from bot.errors import CallRefused, CallUnclear, MediaError
from bot.media.process import run_in_process
from bot.media.video_cache import Video
from bot.media.work import join_videos, last_frame, photo_size, prepare_video
from bot.settings import Settings
from bot.worker import schedule

_FETCHES = 2
"""At once: python-telegram-bot holds what it downloads in memory."""
_FRAME_LIMIT_S = 30.0
_JOIN_LIMIT_S = 180.0
_LEFT_BEHIND = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture out of a video, a JPEG; sides in pixels."""

    data: bytes
    width: int
    height: int


class VideoFiles:
    """Every call may raise MediaError, and ChatBusy or CallUnclear when Telegram does not answer."""

    def __init__(self, bot: Bot, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.download_max_bytes = settings.download_max_bytes
        self._upload_max_bytes = settings.upload_max_bytes
        self._bot = bot
        self._folder = settings.data_dir / "work"
        self._clock = clock
        self._fetches = asyncio.Semaphore(_FETCHES)

    async def last_frame(self, file_id: str) -> Frame:
        with self._work_folder() as folder, _of_people():
            video = await self._fetch(file_id, folder / "video")
            data = await run_in_process(last_frame, video, limit_s=_FRAME_LIMIT_S)
            return Frame(data, *await run_in_process(photo_size, data, limit_s=_FRAME_LIMIT_S))

    @asynccontextmanager
    async def joined(self, first_id: str, second_id: str) -> AsyncIterator[Video]:
        """One film of both, ready for Telegram; its files live as long as the block."""
        with self._work_folder() as folder:
            with _of_people():
                first = await self._fetch(first_id, folder / "first")
                second = await self._fetch(second_id, folder / "second")
                both, film, thumbnail = folder / "both.mp4", folder / "film.mp4", folder / "film.jpg"
                await run_in_process(
                    join_videos, first, second, both, self._upload_max_bytes, limit_s=_JOIN_LIMIT_S
                )
            yield Video(
                film, thumbnail, await run_in_process(prepare_video, both, film, thumbnail, limit_s=60.0)
            )

    async def _fetch(self, file_id: str, place: Path) -> Path:
        try:
            async with self._fetches, asyncio.timeout(schedule.FETCH_LIMIT_S):
                with translated():
                    file = await self._bot.get_file(file_id)
                    return await file.download_to_drive(place)
        except CallRefused as error:
            if "too big" in str(error):
                raise MediaError("video_too_many_bytes", str(error)) from error
            raise MediaError("video_gone", str(error)) from error
        except TimeoutError as error:
            raise CallUnclear("fetching a video took too long") from error

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        """A folder for one piece of work, gone after it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        with TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def _sweep(self) -> None:
        """What a process left behind that was killed in the middle."""
        oldest = (self._clock() - _LEFT_BEHIND).timestamp()
        for folder in self._folder.iterdir():
            with suppress(FileNotFoundError):  # its work has ended at this moment
                if folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _of_people() -> Iterator[None]:
    """Whoever sent a video that cannot be read is told so: the usual words are about a provider's."""
    try:
        yield
    except MediaError as error:
        if error.code != "not_a_video":
            raise
        raise MediaError("video_unreadable", error.detail) from error
