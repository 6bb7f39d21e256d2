"""The screen: what the worker needs of a chat. Photos in; cards, videos and reasons out."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import IO, Any

from telegram import Bot, ForceReply, InputFile, InputMediaVideo, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode

from bot.chat.asker import Asker
from bot.chat.card import Card, draw_caption, draw_card, draw_offer
from bot.chat.client import translated
from bot.chat.live import LiveCards
from bot.errors import CallRefused, CardGone, ChatError, MediaError
from bot.log import get_log
from bot.media.photos import normalise_photo
from bot.media.process import run_apart
from bot.media.shelf import Video
from bot.provider import Photo
from bot.request import VideoModel
from bot.task import Task, TaskState
from bot.text import say

PHOTO_MAX_BYTES = 20_000_000
"""What Telegram lets a bot download."""
_PHOTO_LIMIT_S = 30.0
_NOTIFY_AFTER = timedelta(seconds=15)
_PRIVATE_PACE_S = 5.0
_GROUP_PACE_S = 15.0
_SHORT_PACE_S = 2.0
_SHORT_S = 30.0
_DIGEST_S = 90.0
"""Telegram goes on working on a video after its last byte."""
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Screen:
    """One task is one message: every call for a card waits for the one before."""

    def __init__(
        self,
        bot: Bot,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
        count_ahead: Callable[[Task], Awaitable[int]],
    ) -> None:
        self._bot = bot
        self._models = models
        self._clock = clock
        self._count_ahead = count_ahead
        self._log = get_log(__name__)
        self.live = LiveCards(self._draw, self._pace_s, clock)

    async def photo(self, file_id: str, model: VideoModel) -> Photo:
        try:
            with translated():
                file = await self._bot.get_file(file_id)
                data = await file.download_as_bytearray()
        except CallRefused as error:
            too_big = "too big" in str(error)
            raise MediaError("photo_too_large" if too_big else "photo_gone", str(error)) from error
        return await run_apart(normalise_photo, bytes(data), model.photo_rules, limit_s=_PHOTO_LIMIT_S)

    def show(self, task: Task) -> None:
        self.live.show(task)

    async def post(self, task: Task, reply_to: int | None) -> int:
        """The card of a new task, as a silent message; its id. Called before the task is stored."""
        card = await self._card(task)
        with translated():
            message = await self._bot.send_message(
                task.chat_id,
                card.text,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                message_thread_id=task.thread_id,
                link_preview_options=_NO_PREVIEW,
                disable_notification=True,
                reply_parameters=_reply(reply_to),
            )
        return message.message_id

    async def deliver(self, task: Task, video: Video) -> str:
        await self.live.settle(task.id)
        if task.card_id is None:
            raise CardGone("never posted")
        with video.path.open("rb") as film, video.thumbnail.open("rb") as picture:
            card = draw_caption(task, self._models.get(task.request.model))
            media = InputMediaVideo(
                # Streamed from the disk; without attach=True the message would go out without its media.
                InputFile(film, filename="dreamreel.mp4", attach=True, read_file_handle=False),
                **_shown_with(video, picture, card),
            )
            message: Message | bool = True
            with translated():
                message = await self._bot.edit_message_media(
                    media,
                    chat_id=task.chat_id,
                    message_id=task.card_id,
                    reply_markup=card.buttons,
                    read_timeout=_DIGEST_S,
                )
        await self._notify(task, "card_ready")
        return _file_id(message)

    async def send(self, task: Task, video: Video) -> str:
        card = draw_caption(task, self._models.get(task.request.model))
        with video.path.open("rb") as film, video.thumbnail.open("rb") as picture, translated():
            message = await self._bot.send_video(
                task.chat_id,
                InputFile(film, filename="dreamreel.mp4", read_file_handle=False),
                **_shown_with(video, picture, card),
                reply_markup=card.buttons,
                message_thread_id=task.thread_id,
                reply_parameters=_reply(task.message_id),
                read_timeout=_DIGEST_S,
            )
        return _file_id(message)

    async def answer(self, asker: Asker, text: str) -> None:
        """A sentence in reply to a message."""
        with translated():
            await self._bot.send_message(
                asker.chat_id,
                text,
                parse_mode=ParseMode.HTML,
                message_thread_id=asker.thread_id,
                reply_parameters=_reply(asker.message_id if asker.chat_id < 0 else None),
                link_preview_options=_NO_PREVIEW,
            )

    async def ask(self, asker: Asker) -> int:
        """A question whose answer is a reply; its id."""
        with translated():
            question = await self._bot.send_message(
                asker.chat_id,
                say(asker.language, "card_ask_words"),
                parse_mode=ParseMode.HTML,
                message_thread_id=asker.thread_id,
                reply_parameters=_reply(asker.message_id),
                reply_markup=ForceReply(
                    selective=True,
                    input_field_placeholder=say(asker.language, "card_ask_words_placeholder"),
                ),
            )
        return question.message_id

    async def remove(self, chat_id: int, card_id: int) -> None:
        """A card that another one has replaced. It may stay where Telegram does not let it go."""
        try:
            with translated():
                await self._bot.delete_message(chat_id, card_id)
        except ChatError as error:
            self._log.debug("a card could not be removed", reason=str(error))

    async def offer(self, task: Task) -> None:
        await self._say(task, draw_offer(task))

    async def tell(self, task: Task) -> None:
        await self.live.settle(task.id)
        dropped = task.state is TaskState.CANCELLED
        try:
            await self._draw(task)
        except CardGone:
            if not dropped:
                await self._say(task, await self._card(task))
            return
        if not dropped:
            await self._notify(task, "card_failed")

    def _pace_s(self, task: Task) -> float:
        """Edits are few: groups are read by many, and a short wait may count faster than a long one."""
        if task.chat_id < 0:
            return _GROUP_PACE_S
        model = self._models.get(task.request.model)
        return _SHORT_PACE_S if model is not None and model.typical_s < _SHORT_S else _PRIVATE_PACE_S

    async def _draw(self, task: Task) -> None:
        if task.card_id is None:
            raise CardGone("never posted")
        card = await self._card(task)
        with translated():
            await self._bot.edit_message_text(
                card.text,
                chat_id=task.chat_id,
                message_id=task.card_id,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                link_preview_options=_NO_PREVIEW,
            )

    async def _card(self, task: Task) -> Card:
        ahead = await self._count_ahead(task) if task.state is TaskState.QUEUED else 0
        return draw_card(task, self._models.get(task.request.model), self._clock(), ahead)

    async def _say(self, task: Task, card: Card) -> None:
        with translated():
            await self._bot.send_message(
                task.chat_id,
                card.text,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                message_thread_id=task.thread_id,
                reply_parameters=_reply(task.message_id),
                link_preview_options=_NO_PREVIEW,
            )

    async def _notify(self, task: Task, key: str) -> None:
        """Edits are silent: whoever waited a while is called by a short reply. Losing it is no harm."""
        if self._clock() - (task.queued_at or task.created_at) <= _NOTIFY_AFTER:
            return
        text = say(task.language, key)
        if task.chat_id < 0 and task.user_name:
            name = f'<a href="tg://user?id={task.user_id}">{html.escape(task.user_name)}</a>'
            text = say(task.language, f"{key}_named", name="\0").replace("\0", name)
        try:
            with translated():
                await self._bot.send_message(
                    task.chat_id,
                    text,
                    parse_mode=ParseMode.HTML,
                    message_thread_id=task.thread_id,
                    reply_parameters=_reply(task.card_id),
                )
        except ChatError as error:
            self._log.info("a notification was not sent", task=task.id, reason=str(error))


def _shown_with(video: Video, picture: IO[bytes], card: Card) -> dict[str, Any]:
    """What makes Telegram play it in place, with its words below."""
    return {
        "caption": card.text,
        "parse_mode": ParseMode.HTML,
        "width": video.facts.width,
        "height": video.facts.height,
        "duration": round(video.facts.duration_s),
        "supports_streaming": True,
        "thumbnail": InputFile(picture, filename="thumbnail.jpg", attach=True, read_file_handle=False),
    }


def _reply(message_id: int | None) -> ReplyParameters | None:
    if message_id is None:
        return None
    return ReplyParameters(message_id, allow_sending_without_reply=True)


def _file_id(message: Message | bool) -> str:
    """Telegram answers with the video, or with an animation where it heard no sound."""
    if isinstance(message, Message):
        found = message.video or message.animation or message.document
        if found is not None:
            return found.file_id
    return ""
