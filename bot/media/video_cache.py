"""The video cache: fetched videos, prepared for Telegram, that were not delivered yet."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bot.errors import FetchError, MediaError
from bot.media.atomic_write import disk_errors
from bot.media.media_info import VideoInfo
from bot.media.process import run_in_process
from bot.media.provenance import Provenance
from bot.media.work import probe_video, shrink_video, take_video

Fetch: TypeAlias = Callable[[str, Path], Awaitable[None]]
"""A provider's `fetch`."""
_PREPARE_LIMIT_S = 60.0
_ORIGINAL_KEPT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Video:
    """A file that Telegram shows as a video, with its thumbnail (JPEG, at most 320 pixels a side)."""

    path: Path
    thumbnail: Path
    facts: VideoInfo
    file_id: str | None = None
    """What Telegram knows it by, if it has been uploaded."""


class VideoCache:
    """A folder with `<task id>.mp4` and `<task id>.jpg`; at most `keep_bytes`, the oldest go first.

    In `originals/` is what the provider gave, if the video is not that very file: also after the delivery,
    for a day, or until the room is needed. In `films/` are the shots of films that are not joined yet: they
    were paid for and nobody has them, so they stay however little room there is.
    """

    def __init__(self, folder: Path, keep_bytes: int = 2_000_000_000) -> None:
        self._folder = folder
        self._keep_bytes = keep_bytes

    async def get(self, task_id: str) -> Video | None:
        """Return the video of a task; None if it is not in the cache, or damaged."""
        video, thumbnail = self._paths(task_id)
        if not (video.exists() and thumbnail.exists()):
            return None
        try:
            return Video(video, thumbnail, await run_in_process(probe_video, video, limit_s=_PREPARE_LIMIT_S))
        except MediaError:
            return None

    async def put(self, task_id: str, fetch: Fetch, link: str, provenance: Provenance) -> Video:
        """Fetch and prepare a video, and keep it. Raises FetchError and MediaError: `not_a_video`,
        `disk_full`."""
        with disk_errors():
            return await self._put(task_id, fetch, link, provenance)

    async def _put(self, task_id: str, fetch: Fetch, link: str, provenance: Provenance) -> Video:
        self._folder.mkdir(parents=True, exist_ok=True)
        video, thumbnail = self._paths(task_id)
        raw, ready = video.with_suffix(".raw"), video.with_suffix(".ready")
        try:
            await fetch(link, raw)
            facts = await run_in_process(
                take_video, raw, ready, thumbnail, provenance, limit_s=_PREPARE_LIMIT_S
            )
            if facts.needs_encoding or not ready.samefile(raw):
                await asyncio.to_thread(self._keep_original, task_id, raw)
            ready.replace(video)
        finally:
            for path in (raw, ready):
                path.unlink(missing_ok=True)
                # A process that was killed at its time limit leaves this one behind.
                path.with_name(f"{path.name}.part").unlink(missing_ok=True)
        await asyncio.to_thread(self._prune, video)
        return Video(video, thumbnail, facts)

    async def encode(self, task_id: str, max_bytes: int, provenance: Provenance, limit_s: float) -> None:
        """Encode the task's video again, in `max_bytes` at most. MediaError: `too_large` if that is not
        possible, `media_timeout` if it takes too long."""
        video, _ = self._paths(task_id)
        ready = video.with_suffix(".ready")
        with disk_errors():
            try:
                await run_in_process(shrink_video, video, ready, max_bytes, provenance, limit_s=limit_s)
                ready.replace(video)
            finally:
                ready.unlink(missing_ok=True)
                ready.with_name(f"{ready.name}.part").unlink(missing_ok=True)

    async def original(self, task_id: str, fetch: Fetch | None, link: str | None) -> Path | None:
        """Return what the provider gave, untouched: as it was kept, else fetched again. None if the link is
        dead."""
        original = self._original(task_id)
        if original.exists() or fetch is None or link is None:
            return original if original.exists() else None
        self._folder.mkdir(parents=True, exist_ok=True)
        again = self._folder / f"{task_id}.again"
        try:
            await fetch(link, again)
            await asyncio.to_thread(self._keep_original, task_id, again)
        except FetchError:
            return None
        finally:
            again.unlink(missing_ok=True)
        await asyncio.to_thread(self._prune, original)
        return original

    def hold(self, task_id: str) -> None:
        """Keep the video of a task, whatever room it takes, until it is released."""
        self._move(task_id, self._folder, self._folder / "films")

    def release(self, task_id: str) -> None:
        """Keep the video of a task only as long as there is room."""
        self._move(task_id, self._folder / "films", self._folder)

    def _move(self, task_id: str, source: Path, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        # Without its thumbnail a video counts as missing, and is fetched again.
        for name in (f"{task_id}.mp4", f"{task_id}.jpg"):
            with suppress(FileNotFoundError):
                (source / name).replace(target / name)

    def add(self, task_id: str, source: Path, thumbnail: Path) -> None:
        """Keep a film that was joined here, also as its own original."""
        video, picture = self._folder / f"{task_id}.mp4", self._folder / f"{task_id}.jpg"
        original = self._original(task_id)
        original.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # Telegram has it all the same
            shutil.copyfile(source, original)
        with disk_errors():
            thumbnail.replace(picture)
            source.replace(video)
        self._prune(video)

    def kept(self) -> list[str]:
        """Return the ids of the tasks whose videos or originals are kept."""
        return sorted({video.stem for video in self._folder.glob("**/*.mp4")})

    def delivered(self, task_id: str) -> None:
        """Delete the video of a task, which its chat has by now."""
        for path in self._paths(task_id):
            path.unlink(missing_ok=True)

    def discard(self, task_id: str) -> None:
        """Delete all that is kept of a task."""
        self.delivered(task_id)
        self._original(task_id).unlink(missing_ok=True)

    def _keep_original(self, task_id: str, source: Path) -> None:
        original = self._original(task_id)
        original.parent.mkdir(exist_ok=True)
        source.replace(original)

    def _original(self, task_id: str) -> Path:
        return self._folder / "originals" / f"{task_id}.mp4"

    def _paths(self, task_id: str) -> tuple[Path, Path]:
        held = self._folder / "films" / f"{task_id}.mp4"
        video = held if held.exists() else self._folder / f"{task_id}.mp4"
        return video, video.with_suffix(".jpg")

    def _prune(self, newest: Path) -> None:
        now = newest.stat().st_mtime
        videos, originals = _found(self._folder), _found(self._folder / "originals")
        total = 0
        for _, size, video in videos:
            total += size
            if total > self._keep_bytes and video != newest:
                self.delivered(video.stem)
        for at, size, original in originals:
            total += size
            is_old = now - at > _ORIGINAL_KEPT_S
            if (is_old or total > self._keep_bytes) and original != newest:
                original.unlink(missing_ok=True)


def _found(folder: Path) -> list[tuple[float, int, Path]]:
    """Return the time, size and path of each video, the newest first."""
    found: list[tuple[float, int, Path]] = []
    for video in folder.glob("*.mp4"):
        with suppress(FileNotFoundError):  # it was delivered at this moment
            facts = video.stat()
            found.append((facts.st_mtime, facts.st_size, video))
    return sorted(found, reverse=True)
