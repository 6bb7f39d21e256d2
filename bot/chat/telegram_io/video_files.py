"""Video files: videos that people sent, split or joined in a worker process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from bot.chat.telegram_io.sent_files import FileKind, SentFiles
from bot.codes import CRASHES, FailureCode
from bot.errors import MediaError
from bot.media.process import READINGS, run_in_process
from bot.media.provenance import Provenance
from bot.media.video_cache import Video
from bot.media.work import join_videos, last_frame, photo_size, take_video
from bot.settings import Settings

_FRAME_LIMIT_S = 30.0
_JOIN_LIMIT_S = 180.0
_PREPARE_LIMIT_S = 60.0
_CRASHES_NOTED = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """The last frame of a video."""

    data: bytes
    """A JPEG."""
    width: int
    height: int


class VideoFiles:
    """Every call may raise MediaError, CallUnclear if Telegram does not answer, and ChatBusy, also if a
    person has too much in progress.
    """

    def __init__(self, files: SentFiles, settings: Settings) -> None:
        self.download_max_bytes = settings.download_max_bytes
        self._upload_max_bytes = settings.upload_max_bytes
        self._files = files
        self._kind = FileKind(settings.download_max_bytes, "video_too_many_bytes", "video_gone")
        self._crashes: dict[tuple[str, ...], int] = {}

    async def last_frame(self, file_id: str, user_id: int) -> Frame:
        with self._reading(file_id):
            async with self._files.step(user_id, [file_id], self._kind) as (video,):
                data = await run_in_process(last_frame, video, limit_s=_FRAME_LIMIT_S, foreign=True)
                size = await run_in_process(photo_size, data, limit_s=_FRAME_LIMIT_S, foreign=True)
                return Frame(data, *size)

    @asynccontextmanager
    async def joined(
        self, first_id: str, second_id: str, user_id: int, provenance: Provenance
    ) -> AsyncIterator[Video]:
        """Join two videos into one film, ready for Telegram; its files live as long as the block."""
        with self._files.folder() as folder:
            both, film, thumbnail = folder / "both.mp4", folder / "film.mp4", folder / "film.jpg"
            with self._reading(first_id, second_id):
                async with self._files.join(user_id, [first_id, second_id], self._kind) as (first, second):
                    most = self._upload_max_bytes
                    await run_in_process(
                        join_videos, first, second, both, most, limit_s=_JOIN_LIMIT_S, foreign=True
                    )
                facts = await run_in_process(
                    take_video, both, film, thumbnail, provenance, limit_s=_PREPARE_LIMIT_S, foreign=True
                )
            yield Video(film, thumbnail, facts)

    @contextmanager
    def _reading(self, *file_ids: str) -> Iterator[None]:
        """Give up what crashed the work before, and what is read together with it. The usual words for a file
        that cannot be read are about a provider's: the person who sent this one is told so."""
        crashes = self._crashes.get(file_ids, 0)
        if crashes >= READINGS:
            raise MediaError(FailureCode.MEDIA_CRASHED, "it crashed the work before")
        try:
            yield
        except MediaError as error:
            if error.code in CRASHES:
                while len(self._crashes) >= _CRASHES_NOTED:
                    del self._crashes[next(iter(self._crashes))]
                self._crashes[file_ids] = crashes + 1
            if error.code == FailureCode.NOT_A_VIDEO:
                raise MediaError("video_unreadable", error.detail) from error
            raise
