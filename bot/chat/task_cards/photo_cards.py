"""Cards that begin as a photo: a crop to be agreed to, several photos with their numbers, or the picture
that a video goes on from."""

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
    """Calls may raise ChatError, and MediaError where a photo to be cropped cannot be read."""

    def __init__(self, bot: Bot, photos: PhotoFiles) -> None:
        self._bot = bot
        self._photos = photos
        self._log = get_log(__name__)

    async def post(self, task: Task, reply_to: int | None, card: Card) -> Task | None:
        """The task with its card; None where that is words alone."""
        picture = await self._picture(task)
        if picture is None:
            return None
        try:
            message = await self._send(task, reply_to, card, picture)
        except (CallRefused, ChatGone) as error:
            # Words may be allowed where photos are not; a submit finds out whether it is gone, and says so.
            self._log.info("a photo cannot be shown", task=task.id, reason=str(error))
            return None
        return replace(task, card=task.card.posted(message.message_id, has_photo=True))

    async def post_frame(self, task: Task, reply_to: int | None, card: Card, frame: bytes) -> Task:
        """A picture that no message shows so far: this one gives it a file id, as the task's first frame.

        Where it is to be cropped, the card shows that in its place.
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
        """What stands above the words: a JPEG, or the file id of a photo."""
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
