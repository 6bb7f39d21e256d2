"""Cards that begin as a photo: a crop to be confirmed, several photos with their numbers, or the picture
from which a video continues."""

from __future__ import annotations

from dataclasses import replace

from telegram import Bot, InputMediaPhoto, Message
from telegram.constants import ParseMode

from bot.chat.cards.layout import Card
from bot.chat.telegram_io.client import translated
from bot.chat.telegram_io.messenger import replying
from bot.chat.telegram_io.photo_files import PhotoFiles, with_first_frame
from bot.draft import DraftQuestion
from bot.errors import CallRefused, ChatGone
from bot.log import get_log
from bot.request import Mode
from bot.task import Task, TaskState


class PhotoCards:
    """Calls may raise ChatError, and MediaError if a photo to be cropped cannot be read."""

    def __init__(self, bot: Bot, photos: PhotoFiles) -> None:
        self._bot = bot
        self._photos = photos
        self._log = get_log(__name__)

    async def post(self, task: Task, reply_to: int | None, card: Card) -> Task | None:
        """Send the card with its photo and return the task with it; None if the card has only text."""
        picture = await self._picture(task)
        if picture is None:
            return None
        try:
            message = await self._send(task, reply_to, card, picture)
        except (CallRefused, ChatGone) as error:
            # Text may be allowed if photos are not; a submit finds out if the photo is gone, and says so.
            self._log.info("a photo cannot be shown", task=task.id, reason=str(error))
            return None
        return replace(task, card=task.card.posted(message.message_id, has_photo=True))

    async def post_frame(self, task: Task, reply_to: int | None, card: Card, frame: bytes) -> Task:
        """Send the card with a picture that Telegram does not have yet; its file id becomes the task's first
        frame.

        If the picture is cropped, the card then shows the crop.
        """
        message = await self._send(task, reply_to, card, frame)
        request = with_first_frame(task.request, message)
        task = replace(task, request=request, card=task.card.posted(message.message_id, has_photo=True))
        await self.edit(task, card, patient=True)
        return task

    async def edit(self, task: Task, card: Card, *, patient: bool = False) -> None:
        """Show what a draft crops of its photos on its card. Nothing changes if it crops nothing."""
        crop = await self._picture(task, patient=patient)
        if isinstance(crop, bytes):
            with translated():
                await self._bot.edit_message_media(
                    InputMediaPhoto(crop, card.text, ParseMode.HTML),
                    chat_id=task.card.chat_id,
                    message_id=task.card.card_id,
                    reply_markup=card.buttons,
                )

    async def _picture(self, task: Task, *, patient: bool = False) -> bytes | str | None:
        """Return the picture of the card: a JPEG, or the file id of a photo."""
        request = task.request
        if not request.photos:
            return None
        if task.state is TaskState.DRAFT and request.crop:
            return await self._photos.draw_crop(request.photos, request.crop, task.user_id, patient=patient)
        asks_which = task.question == DraftQuestion.WHICH_PHOTOS or request.mode is Mode.REFERENCES
        if task.state is TaskState.DRAFT and asks_which and len(request.photos) > 1:
            return await self._photos.draw_numbered(request.photos, task.user_id)
        return request.photos[0] if request.extends else None

    async def _send(self, task: Task, reply_to: int | None, card: Card, picture: bytes | str) -> Message:
        with translated():
            return await self._bot.send_photo(
                task.card.chat_id,
                picture,
                caption=card.text,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                message_thread_id=task.card.thread_id,
                disable_notification=True,
                reply_parameters=replying(reply_to),
            )
