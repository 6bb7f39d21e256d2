"""Editing a card: as a text, or as the caption of its photo."""

from __future__ import annotations

from telegram.constants import ParseMode

from bot.chat.cards.layout import Card
from bot.chat.telegram_io.client import TelegramBot, translated
from bot.chat.telegram_io.messenger import NO_PREVIEW
from bot.errors import CardGone
from bot.send_rates import Urgency
from bot.task import CardRef


async def edit_card(bot: TelegramBot, place: CardRef, card: Card, urgency: Urgency) -> None:
    """Make the message say what `card` says. Raises ChatError: CardGone also if it was never posted."""
    if place.card_id is None:
        raise CardGone("never posted")
    if place.has_photo:
        with translated():
            await bot.edit_message_caption(
                place.chat_id,
                place.card_id,
                caption=card.text,
                parse_mode=ParseMode.HTML,
                reply_markup=card.buttons,
                rate_limit_args=urgency,
            )
        return
    with translated():
        await bot.edit_message_text(
            card.text,
            chat_id=place.chat_id,
            message_id=place.card_id,
            parse_mode=ParseMode.HTML,
            reply_markup=card.buttons,
            link_preview_options=NO_PREVIEW,
            rate_limit_args=urgency,
        )
