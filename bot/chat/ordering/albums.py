"""Albums: photos that Telegram sends one by one, without saying how many. A draft collects them.

That draft has no card. The worker takes it up a moment after its last photo, and what it is by then is
answered like any other message. Until then its photos stand in it each with its message and its size, and its
prompt is the album's caption as it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chat.ordering.drafts import Drafts
from bot.chat.parsing.message_intent import Intent, SentPhoto
from bot.chat.sender import Sender, sender_of
from bot.draft import READS_VIDEO, DraftQuestion
from bot.errors import StaleTask
from bot.request import VideoRequest
from bot.store import TaskStore
from bot.task import Task, TaskState
from bot.worker import schedule

_WANTING = frozenset({"video", "photo"})
"""The intents that start a video if the album is a single photo."""


@dataclass(frozen=True, slots=True)
class Album:
    """A complete album, in the order of its messages."""

    sender: Sender
    photos: tuple[SentPhoto, ...]
    words: str
    is_wanted: bool
    """Whether its caption asks for the video, rather than for a draft."""


class Albums:
    def __init__(
        self,
        *,
        tasks: TaskStore,
        drafts: Drafts,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._tasks = tasks
        self._drafts = drafts
        self._clock = clock
        self._wake = wake

    async def begin(self, sender: Sender, photo: SentPhoto, intent: Intent) -> None:
        """Start collecting an album with its first photo. Nothing is answered before the others are there."""
        caption = VideoRequest(model="", prompt=intent.words, photos=(_pack(sender, photo),))
        question = DraftQuestion.ALBUM_WANTED if intent.kind in _WANTING else DraftQuestion.ALBUM
        await self._drafts.gather(
            sender, caption, question, schedule.album_due(sender.sent_at, self._clock())
        )

    async def joined(self, sender: Sender, intent: Intent) -> bool:
        """Return True if the message belongs to an album that has begun. The photo is added, unless
        it comes too late. Adding it twice changes nothing."""
        while sender.album_id is not None:
            task = await self._tasks.find(album=(sender.chat_id, sender.album_id))
            if task is None:
                return False
            grown = self._grown(task, sender, intent)
            if grown is None:
                return True
            try:
                await self._tasks.save(grown)
            except StaleTask:
                continue  # The worker has taken it up at this moment.
            return True
        return False

    async def claim(self, task: Task) -> Task:
        """Take the album before the worker does. Raises StaleTask if the worker was first."""
        until = self._clock() + timedelta(seconds=schedule.LEASE_S)
        return await self._tasks.save(replace(task, due_at=until))

    async def close(self, task: Task) -> None:
        """End a draft that is still collecting, without a message: the album has been answered."""
        fresh = await self._tasks.get(task.id)
        if fresh is not None and fresh.is_collecting_album:
            await self._tasks.save(fresh.dropped("dismissed", self._clock()))
            self._wake()

    def _grown(self, task: Task, sender: Sender, intent: Intent) -> Task | None:
        """Return the draft with one more photo; None if it has that one, or takes no more."""
        now = self._clock()
        is_taken_up = task.due_at is None or task.due_at > now + schedule.ALBUM_LIMIT
        if (
            intent.photo is None
            or not task.is_collecting_album
            or task.question in READS_VIDEO
            or is_taken_up
            or task.user_id != sender.user_id
        ):
            return None
        before = task.request
        if (sender.message_id or 0) in map(_message_id, before.photos):
            return None
        photos = sorted((*before.photos, _pack(sender, intent.photo)), key=_message_id)
        words = intent.words if intent.kind in ("video", "photo", "draft") else ""
        question = DraftQuestion.ALBUM_WANTED if intent.kind in _WANTING else task.question
        request = before.model_copy(update={"photos": tuple(photos), "prompt": before.prompt or words})
        return task.asked(request, question, schedule.album_due(task.created_at, now))


def read_album(task: Task) -> Album:
    """Return what a draft has collected. Raises StaleTask if it is no album any more."""
    if task.state is not TaskState.DRAFT or not task.is_collecting_album:
        raise StaleTask(f"{task.id}: no album any more")
    photos = tuple(map(_unpack, task.request.photos))
    return Album(sender_of(task), photos, task.request.prompt, task.question == DraftQuestion.ALBUM_WANTED)


def _pack(sender: Sender, photo: SentPhoto) -> str:
    figures = (sender.message_id, photo.width, photo.height, photo.size_bytes)
    return ":".join([*(str(figure or 0) for figure in figures), photo.file_id])


def _unpack(packed: str) -> SentPhoto:
    _, width, height, size_bytes, file_id = packed.split(":", 4)
    return SentPhoto(file_id, int(width) or None, int(height) or None, int(size_bytes) or None)


def _message_id(packed: str) -> int:
    return int(packed.partition(":")[0])
