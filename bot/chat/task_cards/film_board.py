"""The film board: posts and edits the cards of films, and turns them into the films."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from telegram import InlineKeyboardMarkup, InputMediaPhoto, Message
from telegram.constants import ParseMode

from bot.bounded_dict import BoundedDict
from bot.chat.cards.film_card import film_words
from bot.chat.cards.layout import Card
from bot.chat.task_cards.board import CardBoard
from bot.chat.task_cards.card_edits import edit_card
from bot.chat.telegram_io.client import TelegramBot, translated
from bot.chat.telegram_io.messenger import Messenger
from bot.errors import CallRefused, CardGone
from bot.film import Film
from bot.media.video_cache import Video
from bot.request import VideoModel, VideoRequest
from bot.send_rates import Urgency
from bot.task import CardRef, Task, TaskState

_REMEMBERED = 1000


class FilmBoard:
    """Every call may raise ChatError."""

    def __init__(
        self,
        bot: TelegramBot,
        board: CardBoard,
        messenger: Messenger,
        models: Mapping[str, VideoModel],
        clock: Callable[[], datetime],
    ) -> None:
        self._bot = bot
        self._board = board
        self._messenger = messenger
        self._models = models
        self._clock = clock
        self._drawn: BoundedDict[str, tuple[str, InlineKeyboardMarkup | None]] = BoundedDict(_REMEMBERED)
        """What the cards say, so that an edit that changes nothing is not made."""

    async def post(self, film: Film, card: Card) -> CardRef:
        """Send the card, silently; return where it is."""
        is_last = self._messenger.is_last(film.card.chat_id, film.card.message_id)
        message = await self._messenger.send(
            film.card.chat_id,
            card.text,
            card.buttons,
            thread_id=film.card.thread_id,
            reply_to=None if is_last else film.card.message_id,
            silent=True,
        )
        self._drawn[film.id] = (card.text, card.buttons)
        return film.card.posted(message.message_id, has_photo=False)

    async def draw(self, film: Film, card: Card, *, pressed: bool = False) -> CardRef:
        """Edit the card if it says something else by now; return where it is. One that is gone, or cannot be
        edited, is sent again."""
        if film.card.card_id is None:
            return await self.post(film, card)
        if self._drawn.get(film.id) == (card.text, card.buttons):
            return film.card
        try:
            await edit_card(self._bot, film.card, card, Urgency.FIRST if pressed else Urgency.NEXT)
        except (CardGone, CallRefused):
            return await self.post(replace(film, card=film.card.lost()), card)
        self._drawn[film.id] = (card.text, card.buttons)
        return film.card

    async def show_frame(self, film: Film, card: Card, frame: bytes) -> tuple[CardRef, str]:
        """Show a picture on the card; return where that is, and Telegram's id of the picture. Repeating it
        shows the same."""
        self._drawn.pop(film.id, None)
        message: Message | bool = False
        if film.card.card_id is not None:
            try:
                with translated():
                    message = await self._bot.edit_message_media(
                        InputMediaPhoto(frame, card.text, ParseMode.HTML),
                        chat_id=film.card.chat_id,
                        message_id=film.card.card_id,
                        reply_markup=card.buttons,
                    )
            except CardGone:
                pass
        if not isinstance(message, Message):
            with translated():
                message = await self._bot.send_photo(
                    film.card.chat_id,
                    frame,
                    caption=card.text,
                    parse_mode=ParseMode.HTML,
                    reply_markup=card.buttons,
                    message_thread_id=film.card.thread_id,
                    disable_notification=True,
                )
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return film.card.posted(message.message_id, has_photo=True), largest.file_id

    async def deliver(self, film: Film, video: Video) -> Task:
        """Turn the card into the film; return the task that stands for it. Repeating it changes nothing."""
        made = self.task_of(film, video)
        return replace(made, file_id=await self._board.deliver(made, video))

    async def send(self, film: Film, video: Video) -> Task:
        """Send the film as a new message; return the task that stands for it."""
        made = self.task_of(film, video)
        return replace(made, file_id=await self._board.send(made, video))

    async def notify(self, film: Film) -> None:
        """Reply to the card of a film that asks something."""
        await self._messenger.notify(self.task_of(film), "film_asks")

    def task_of(self, film: Film, video: Video | None = None) -> Task:
        """Return the task that stands for the film: nobody ordered it, and it is closed."""
        now, request = self._clock(), film.shots[0].request
        model = self._models.get(request.model)
        seconds = max(round(video.facts.duration_s), 1) if video is not None else None
        return Task(
            id=film.id,
            card=film.card,
            user_id=film.user_id,
            user_name=film.user_name,
            language=film.language,
            provider=model.provider if model else "",
            request=VideoRequest(model=request.model, prompt=film_words(film), seconds=seconds),
            state=TaskState.SUCCEEDED,
            film_id=film.id,
            video_url="",
            created_at=film.started_at or film.created_at,
            finished_at=now,
            delivered_at=now,
            due_at=None,
        )
