"""The conversation: the parts of the Telegram side put together, from a connection to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telegram import BotCommand, Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from bot.chat.access import Access
from bot.chat.client import connect
from bot.chat.command import Command
from bot.chat.companies import Companies
from bot.chat.dispatch import Dispatcher
from bot.chat.help import Help
from bot.chat.intake import KEY_REFUSED, Intake
from bot.chat.messages import Messages
from bot.chat.notices import Notices
from bot.chat.orders import Orders
from bot.chat.photos import Photos
from bot.chat.screen import Screen
from bot.chat.tap import Act, PlainAct
from bot.chat.taps import Taps
from bot.chat.voice import Voice
from bot.errors import SettingsError, StartError
from bot.log import get_log
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Notice, Store
from bot.text import choose_language, menu_languages, plain, say

_COMMANDS = ("video", "animate", "models", "help")


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a start prints of the Telegram side."""

    username: str
    claim_link: str | None
    """While there is no admin: whoever opens it becomes one. Good once."""


class Conversation:
    """Built, then `start`ed, then `run` beside the worker; `close` at the end."""

    def __init__(
        self,
        token: str,
        settings: Settings,
        store: Store,
        *,
        models: Mapping[str, VideoModel],
        default_model: str,
        clock: Callable[[], datetime],
        wake_worker: Callable[[], None],
    ) -> None:
        self._log = get_log(__name__)
        self._bot = connect(token, settings.telegram_api_url)
        self._access = Access(settings, store, store, clock)
        voice = Voice(self._bot, clock)
        photos = Photos(self._bot, store, models)
        self.screen = Screen(
            self._bot, models, clock, count_ahead=store.count_ahead, voice=voice, photos=photos
        )
        self._notices = Notices(
            kept=store, people=store, voice=voice, access=self._access, language=settings.default_language
        )
        orders = Orders(
            tasks=store,
            screen=self.screen,
            voice=voice,
            access=self._access,
            companies=Companies(store, voice, models),
            photos=photos,
            models=models,
            default_model=default_model,
            old_after=timedelta(minutes=settings.old_message_minutes),
            clock=clock,
            wake=wake_worker,
        )
        helping = Help(self._bot, voice, models, default_model)
        commands: dict[str, Command] = {"help": helping.help, "models": helping.models}
        acts: dict[str, Act] = {}
        plain_acts: dict[str, PlainAct] = {}
        self._messages = Messages(
            bot=self._bot,
            tasks=store,
            voice=voice,
            notices=self._notices,
            orders=orders,
            access=self._access,
            models=models,
            settings=settings,
            commands=commands,
        )
        self._taps = Taps(
            tasks=store,
            people=store,
            screen=self.screen,
            orders=orders,
            access=self._access,
            models=models,
            settings=settings,
            clock=clock,
            wake=wake_worker,
            acts=acts,
            plain_acts=plain_acts,
        )
        self._language = settings.default_language
        self._application = self._handlers()
        self._failures: dict[int, Exception] = {}
        self._dispatcher = Dispatcher(store, self._read, self._handle, self._give_up, clock)
        self._intake = Intake(self._bot, store, self._dispatcher.wake, clock)

    @property
    def answered_at(self) -> datetime:
        """When Telegram last answered a poll."""
        return self._intake.answered_at

    async def tell_admins(self, notice: Notice) -> None:
        """In their private chats; kept for whoever cannot be written to. Never raises."""
        await self._notices.tell_admins(notice)

    async def start(self) -> Greeting:
        """Log in and publish the command lists. SettingsError when the token is refused."""
        try:
            await self._application.initialize()
        except InvalidToken:
            raise SettingsError(KEY_REFUSED) from None
        except TelegramError as error:
            kind = type(error).__name__
            raise StartError(
                f"Telegram cannot be reached ({kind}): check the network and TELEGRAM_API_URL."
            ) from None
        await self._publish_commands()
        payload = await self._access.open_claim()
        link = f"https://t.me/{self._bot.username}?start={payload}" if payload else None
        return Greeting(self._bot.username, link)

    async def run(self) -> None:
        """Take updates in, handle them, keep the cards counting; until cancelled."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._intake.run())
            parts.create_task(self._dispatcher.run())
            parts.create_task(self.screen.live.run())

    async def close(self) -> None:
        await self._application.shutdown()

    def _handlers(self) -> Application[Any, Any, Any, Any, Any, Any]:
        application = Application.builder().bot(self._bot).updater(None).build()
        application.add_handler(MessageHandler(filters.UpdateType.MESSAGE, self._on_message))
        application.add_handler(CallbackQueryHandler(self._on_tap))
        application.add_error_handler(self._on_error)
        return application

    def _read(self, body: dict[str, Any]) -> Update:
        return Update.de_json(body, self._bot)

    async def _handle(self, update: Update) -> None:
        """python-telegram-bot swallows what a handler raises into its error handler: bring it back."""
        await self._application.process_update(update)
        error = self._failures.pop(update.update_id, None)
        if error is not None:
            raise error

    async def _give_up(self, update: Update) -> None:
        """Whoever wrote it should not wait for an answer that never comes."""
        message, person = update.message, update.effective_user
        if message is not None and person is not None:
            language = choose_language(person.language_code, self._language)
            await message.reply_text(say(language, "given_up"), do_quote=True)

    async def _on_message(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message is not None:
            await self._messages.handle(update.update_id, update.message)

    async def _on_tap(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.callback_query is not None:
            await self._taps.handle(update.update_id, update.callback_query)

    async def _on_error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        if isinstance(update, Update) and context.error is not None:
            self._failures[update.update_id] = context.error

    async def _publish_commands(self) -> None:
        """The menu. A bot whose menu is old works all the same."""
        try:
            for code, language in menu_languages(self._language).items():
                commands = [BotCommand(name, plain(say(language, f"command_{name}"))) for name in _COMMANDS]
                await self._bot.set_my_commands(commands, language_code=code)
        except TelegramError as error:
            self._log.warning("the command list could not be published", reason=type(error).__name__)
