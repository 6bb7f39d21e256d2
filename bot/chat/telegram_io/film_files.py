"""The files of films: the videos of their shots, last frames, and what is joined of them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.chat.telegram_io.sent_files import FileKind, SentFiles
from bot.errors import MediaError
from bot.film import Film
from bot.media.process import run_in_process
from bot.media.video_cache import Video, VideoCache
from bot.media.work import join_shots, last_frame, take_video
from bot.provider import Provider
from bot.request import VideoModel
from bot.settings import Settings
from bot.task import Task
from bot.worker.deliver import provenance_of

_FRAME_LIMIT_S = 30.0
_JOIN_LIMIT_S = 120.0
"""For each shot."""
_PREPARE_LIMIT_S = 60.0


class FilmFiles:
    """Every call may raise FetchError, MediaError, ChatBusy and CallUnclear."""

    def __init__(
        self,
        files: SentFiles,
        cache: VideoCache,
        providers: Mapping[str, Provider],
        models: Mapping[str, VideoModel],
        settings: Settings,
    ) -> None:
        self._files = files
        self._cache = cache
        self._providers = providers
        self._models = models
        self._kind = FileKind(settings.download_max_bytes, "video_too_many_bytes", "video_gone")
        self._upload_max_bytes = settings.upload_max_bytes

    async def last_frame(self, task: Task) -> bytes:
        """Return the last frame of a shot: a JPEG."""
        video = await self._video(task)
        async with self._files.queue.step(task.user_id, patient=True):
            return await run_in_process(last_frame, video.path, limit_s=_FRAME_LIMIT_S, foreign=True)

    async def joined(self, film: Film, shots: Sequence[tuple[Task, bool]]) -> Video:
        """Return one video of all these shots, ready for Telegram: it is kept until it is sent. A shot that
        continues begins with the last frame of the one before."""
        if video := await self._cache.get(film.id):
            return video
        paths = [(await self._video(task)).path for task, _ in shots]
        async with self._files.queue.join(film.user_id):
            with self._files.folder() as folder:
                whole, ready, thumbnail = folder / "whole.mp4", folder / "film.mp4", folder / "film.jpg"
                await run_in_process(
                    join_shots,
                    paths,
                    [continues for _, continues in shots],
                    whole,
                    self._upload_max_bytes,
                    limit_s=_JOIN_LIMIT_S * len(shots),
                    foreign=True,
                )
                provenance = provenance_of(shots[-1][0], self._models)
                await run_in_process(
                    take_video, whole, ready, thumbnail, provenance, limit_s=_PREPARE_LIMIT_S, foreign=True
                )
                await asyncio.to_thread(self._cache.add, film.id, ready, thumbnail)
        video = await self._cache.get(film.id)
        if video is None:
            raise MediaError("media_crashed", "the film that was joined cannot be read")
        return video

    def join_anew(self, film: Film) -> None:
        """Forget what was joined of other shots."""
        self._cache.discard(film.id)

    def sent(self, film: Film) -> None:
        """Note that its chat has the film: its shots stay only as long as there is room."""
        self._cache.delivered(film.id)
        self.release(film)

    def release(self, film: Film) -> None:
        """Release the shots: nobody joins them any more."""
        for task_id in film.task_ids():
            self._cache.release(task_id)

    async def _video(self, task: Task) -> Video:
        """Return the video of a shot: as it was kept, else from Telegram, else from its provider once
        more."""
        if video := await self._cache.get(task.id):
            return video
        provider = self._providers.get(task.provider)

        async def from_telegram(file_id: str, target: Path) -> None:
            async with self._files.step(task.user_id, [file_id], self._kind, patient=True) as (path,):
                await asyncio.to_thread(shutil.copyfile, path, target)

        provenance = provenance_of(task, self._models)
        if task.file_id:
            video = await self._cache.put(task.id, from_telegram, task.file_id, provenance)
        elif provider is not None and task.video_url:
            video = await self._cache.put(task.id, provider.fetch, task.video_url, provenance)
        else:
            raise MediaError("video_gone", "the video of a shot is kept nowhere")
        self._cache.hold(task.id)
        return await self._cache.get(task.id) or video
