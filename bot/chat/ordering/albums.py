"""Albums: photos that Telegram sends one by one, without a word on how many. A draft gathers them.

That draft has no card. The worker takes it up a moment after its last photo, and what it is by then is
answered like any other message. Until then its photos stand in it each with its message and its size, and its
prompt is the album's caption as it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chat.ordering.orders import Orders
from bot.chat.parsing.message_intent import Intent, SentPhoto
from bot.chat.sender import Sender
from bot.errors import IllegalMove, StaleTask
from bot.request import VideoRequest
from bot.store import TaskStore
from bot.task import ALBUM, WANTED_ALBUM, Task, TaskState
from bot.worker import schedule

_WANTING = frozenset({"video", "photo"})
"""What starts when it is a single photo."""


@dataclass(frozen=True, slots=True)
class Album:
    """What was sent, in the order of its messages."""

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
        orders: Orders,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._tasks = tasks
        self._orders = orders
        self._clock = clock
        self._wake = wake

    async def begin(self, sender: Sender, photo: SentPhoto, intent: Intent) -> None:
        """The first photo of an album: nothing is said before the others are there."""
        caption = VideoRequest(model="", prompt=intent.words, photos=(_pack(sender, photo),))
        question = WANTED_ALBUM if intent.kind in _WANTING else ALBUM
        await self._orders.gather(
            sender, caption, question, schedule.album_due(sender.sent_at, self._clock())
        )

    async def joined(self, sender: Sender, intent: Intent) -> bool:
        """Whether a message belongs to an album that is known by another photo. It is taken in, or left out
        where it comes too late. Taking it twice changes nothing."""
        if sender.album_id is None:
            return False
        task = await self._tasks.find(album=(sender.chat_id, sender.album_id))
        if task is None:
            return False
        with suppress(IllegalMove):
            await self._tasks.update(task.id, lambda row: self._grown(row, sender, intent))
        return True

    async def claim(self, task: Task) -> Task:
        """Take it up before the worker does. StaleTask where that one was quicker."""
        until = self._clock() + timedelta(seconds=schedule.LEASE_S)
        return await self._tasks.save(replace(task, due_at=until))

    async def close(self, task: Task) -> None:
        """What could be made of it has been said: a row that is still a gathering ends without a word."""
        fresh = await self._tasks.get(task.id)
        if fresh is not None and fresh.is_collecting_album:
            await self._tasks.save(fresh.cancelled("dismissed", self._clock()))
            self._wake()

    def _grown(self, task: Task, sender: Sender, intent: Intent) -> Task:
        """Return the draft with one more photo; IllegalMove if it has that one, or takes none any more."""
        now = self._clock()
        is_taken_up = task.due_at is None or task.due_at > now + schedule.ALBUM_LIMIT
        if (
            intent.photo is None
            or not task.is_collecting_album
            or is_taken_up
            or task.user_id != sender.user_id
        ):
            raise IllegalMove(f"{task.id}: takes no more photos")
        before = task.request
        if (sender.message_id or 0) in map(_message_id, before.photos):
            raise IllegalMove(f"{task.id}: has this photo")
        photos = sorted((*before.photos, _pack(sender, intent.photo)), key=_message_id)
        words = intent.words if intent.kind in ("video", "photo", "draft") else ""
        question = WANTED_ALBUM if intent.kind in _WANTING else task.question
        request = before.model_copy(update={"photos": tuple(photos), "prompt": before.prompt or words})
        return task.asked(request, question, schedule.album_due(task.created_at, now))


def read_album(task: Task) -> Album:
    """What a draft has gathered; its asker brings the draft along."""
    if task.state is not TaskState.DRAFT or not task.is_collecting_album:
        raise StaleTask(f"{task.id}: no album any more")
    sender = Sender(
        update_id=task.update_id or 0,
        chat_id=task.chat_id,
        thread_id=task.thread_id,
        user_id=task.user_id,
        user_name=task.user_name,
        message_id=task.message_id,
        language=task.language,
        sent_at=task.created_at,
        album_id=task.album_id,
        gathered=task,
    )
    photos = tuple(map(_unpack, task.request.photos))
    return Album(sender, photos, task.request.prompt, task.question == WANTED_ALBUM)


def _pack(sender: Sender, photo: SentPhoto) -> str:
    figures = (sender.message_id, photo.width, photo.height, photo.size_bytes)
    return ":".join([*(str(figure or 0) for figure in figures), photo.file_id])


def _unpack(packed: str) -> SentPhoto:
    _, width, height, size_bytes, file_id = packed.split(":", 4)
    return SentPhoto(file_id, int(width) or None, int(height) or None, int(size_bytes) or None)


def _message_id(packed: str) -> int:
    return int(packed.partition(":")[0])
