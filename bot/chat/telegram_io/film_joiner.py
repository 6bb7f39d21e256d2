"""The film joiner: joins a video and the one that continues it, and sends the film. It costs nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from telegram import Bot, Message

from bot.chat.cards.task_card import draw_caption
from bot.chat.sender import Sender
from bot.chat.telegram_io.messenger import replying
from bot.chat.telegram_io.send_queue import QueuedSend, SendQueue
from bot.chat.telegram_io.uploads import DIGEST_S, Sent, Uploads, file_id_of, shown_with
from bot.chat.telegram_io.video_files import VideoFiles
from bot.media.provenance import Provenance
from bot.media.video_cache import Video
from bot.request import VideoModel, VideoRequest
from bot.store import TaskStore
from bot.task import CardRef, Task, TaskState
from bot.worker import schedule


@dataclass(frozen=True, slots=True)
class Film:
    """What to join, and whom to send it to, below the message with the button."""

    sender: Sender
    task: Task
    """The second of the two."""
    words: str
    """The prompts of both."""
    first_id: str
    second_id: str
    provenance: Provenance


class FilmJoiner:
    """Joins one film of a person at a time, in the order of their requests; people take turns
    (`MediaQueue.join`)."""

    def __init__(
        self,
        bot: Bot,
        videos: VideoFiles,
        queue: SendQueue,
        clock: Callable[[], datetime],
        *,
        tasks: TaskStore,
        models: Mapping[str, VideoModel],
    ) -> None:
        self._bot = bot
        self._uploads = Uploads(by_path=bot.local_mode)
        self._videos = videos
        self._queue = queue
        self._clock = clock
        self._tasks = tasks
        self._models = models

    def request(self, film: Film) -> Literal["queued", "just_sent"]:
        """Queue the film, unless it is queued already or was sent a moment ago."""
        return self._queue.request(
            QueuedSend(film.sender, f"film {film.task.id}", lambda: self._join(film), "join_failed")
        )

    async def _join(self, film: Film) -> None:
        async with self._videos.joined(
            film.first_id, film.second_id, film.sender.user_id, film.provenance
        ) as video:
            async with asyncio.timeout(schedule.UPLOAD_LIMIT_S):
                await self._send(film, video)

    async def _send(self, film: Film, video: Video) -> None:
        """Send the film, then store it as a task without an order, which stands in the history."""
        sender, made = film.sender, self._made(film, video)
        card = draw_caption(made, self._models)

        def send(file: Sent, picture: Sent | None) -> Awaitable[Message]:
            return self._bot.send_video(
                sender.chat_id,
                file,
                **shown_with(video, picture, card),
                reply_markup=card.buttons,
                message_thread_id=sender.thread_id,
                reply_parameters=replying(sender.message_id),
                read_timeout=DIGEST_S,
            )

        message = await self._uploads.send(video, send)
        card_id = message.message_id if isinstance(message, Message) else None
        posted = replace(made.card, card_id=card_id)
        await self._tasks.add(replace(made, card=posted, file_id=file_id_of(message)))

    def _made(self, film: Film, video: Video) -> Task:
        sender, now, second = film.sender, self._clock(), film.task
        return Task(
            id=secrets.token_hex(8),
            update_id=sender.update_id,
            card=CardRef(chat_id=sender.chat_id, thread_id=sender.thread_id, message_id=sender.message_id),
            user_id=second.user_id,
            user_name=second.user_name,
            language=sender.language,
            provider=second.provider,
            request=VideoRequest(
                model=second.request.model, prompt=film.words, seconds=max(round(video.facts.duration_s), 1)
            ),
            state=TaskState.SUCCEEDED,
            parent_id=second.id,
            video_url="",
            created_at=now,
            finished_at=now,
            delivered_at=now,
            due_at=None,
        )
