"""The conversation: starts, runs and stops the Telegram side, and passes each update to its dispatcher."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from telegram import Update
from telegram.constants import ChatType
from telegram.error import InvalidToken, TelegramError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from bot.chat.button_presses import ButtonPresses
from bot.chat.cards.layout import start_link
from bot.chat.context import ChatContext
from bot.chat.features import FEATURES
from bot.chat.features.extend import read_video
from bot.chat.features.groups.membership import follow_group, group_upgraded, membership_changed
from bot.chat.features.inline import answer_query
from bot.chat.features.video import album
from bot.chat.handlers import Feature
from bot.chat.messages import Messages
from bot.chat.router import Router
from bot.chat.task_cards.restore import come_back
from bot.chat.telegram_io.client import is_page
from bot.chat.telegram_io.dispatcher import Dispatcher
from bot.chat.telegram_io.inline_queries import InlineQueries
from bot.chat.telegram_io.polling import KEY_REFUSED, NO_BOT_API, UpdatePoller
from bot.chat.telegram_io.webhook import WebhookReceiver, WebhookSettings
from bot.draft import READS_VIDEO
from bot.errors import ChatMoved, SettingsError, StartError, StoreError
from bot.store import Notice
from bot.task import Task
from bot.text import say


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a start prints about the Telegram side."""

    username: str
    claim_link: str | None
    """Set while there is no admin: the first person who opens it becomes one."""


class Conversation:
    """Built, then `start`ed, then `run` beside the worker; `close` at the end."""

    def __init__(
        self,
        ctx: ChatContext,
        *,
        features: Iterable[Feature] = FEATURES,
        hook: WebhookSettings | None = None,
        takeover_s: float = 0.0,
    ) -> None:
        """`hook`: where Telegram is to call; None polls. `takeover_s`: how long another process of ours may
        take to stop polling."""
        self._ctx = ctx
        self.board = ctx.board
        self.operators = ctx.operators
        self.storage = ctx.storage
        self.actions = ctx.actions
        router = Router(features)
        self._messages = Messages(ctx, router)
        self._button_presses = ButtonPresses(ctx, router, self._messages.do_meant)
        self._application = self._handlers()
        self._failures: dict[int, Exception] = {}
        bot, store, clock = ctx.bot, ctx.store, ctx.clock
        self._dispatcher = Dispatcher(
            store.updates,
            self._read,
            self._handle,
            self._give_up,
            clock,
            aside=ctx.files.queue.inside,
            idle_s=store.leases.tick_s,
        )
        store.leases.on_work(self._dispatcher.wake)
        self._inline = InlineQueries(self._read, partial(answer_query, ctx), clock)
        self._receiver: UpdatePoller | WebhookReceiver
        self._webhook: WebhookReceiver | None = None
        if hook is None:
            self._receiver = UpdatePoller(
                bot,
                store.updates,
                self._dispatcher.wake,
                clock,
                leases=store.leases,
                patience_s=takeover_s,
                take_unstored=self._inline.take,
            )
        else:
            self._receiver = self._webhook = WebhookReceiver(
                bot, store.updates, self._dispatcher.wake, clock, hook, take_unstored=self._inline.take
            )
        self._receiving: asyncio.Task[None] | None = None
        self._handling: asyncio.Task[None] | None = None

    @property
    def on_update(self) -> Callable[[dict[str, Any]], Awaitable[None]] | None:
        """What the web server calls with an update of Telegram; None while the bot polls."""
        return None if self._webhook is None else self._webhook.take

    @property
    def answered_at(self) -> datetime:
        """When Telegram last answered a poll."""
        return self._receiver.answered_at

    async def is_admin(self, user_id: int) -> bool:
        return await self._ctx.access.is_admin(user_id)

    async def name_of(self, subject: int) -> str:
        """Return the name of a person or group, or its id if Telegram does not know more."""
        return await self._ctx.names.plain(subject)

    async def tell_admins(self, notice: Notice) -> None:
        """Write to every admin, or keep the notice for them. Never raises."""
        await self._ctx.notices.tell_admins(notice)

    async def complete_album(self, task: Task) -> None:
        """Handle an album or a video whose files have arrived (`bot.worker.loop.Albums`)."""
        if task.question in READS_VIDEO:
            await read_video(self._ctx, task)
        else:
            await album(self._ctx, task)
        await self._ctx.albums.close(task)

    async def start(self) -> Greeting:
        """Log in and publish the command lists. SettingsError if the token is refused, StartError if Telegram
        cannot be reached."""
        try:
            await self._application.initialize()
        except InvalidToken as error:
            raise StartError(NO_BOT_API) if is_page(error) else SettingsError(KEY_REFUSED) from None
        except TelegramError as error:
            kind = type(error).__name__
            raise StartError(
                f"Telegram cannot be reached ({kind}): check the network and TELEGRAM_API_URL."
            ) from None
        await self._ctx.menu.publish()
        payload = await self._ctx.access.open_claim()
        link = start_link(self._ctx.bot.username, payload) if payload else None
        return Greeting(self._ctx.bot.username, link)

    async def come_back(self, away: timedelta) -> None:
        """Put back the cards of what is on its way. Called before anything else runs; sends nothing yet."""
        await come_back(self._ctx.store.tasks, self.board, away, self._ctx.clock())

    async def catch_up(self) -> None:
        """Update the cards of tasks that were stopped from outside."""
        for task in self.board.live.tasks():
            fresh = await self._ctx.store.tasks.get(task.id)
            # Only a live card: one that has ended may be a video by now.
            if fresh is not None and fresh.detached and task.id in self.board.live:
                self.board.show(fresh)

    async def run(self) -> None:
        """Receive and handle updates, and update the cards; until cancelled."""
        async with asyncio.TaskGroup() as parts:
            self._receiving = parts.create_task(self._receiver.run())
            self._handling = parts.create_task(self._dispatcher.run())
            parts.create_task(self.board.live.run())
            parts.create_task(self.board.chat_actions.run())
            parts.create_task(self._ctx.send_queue.run())
            parts.create_task(self._inline.run())
            parts.create_task(self._ctx.film_maker.run())
            parts.create_task(self._publish_for_admins())
            parts.create_task(self._ctx.menu.keep_up())

    async def rest(self) -> None:
        """Receive nothing more; return once all handlers have ended, after eight seconds at most."""
        self._dispatcher.stop()
        if self._receiving is not None:
            self._receiving.cancel()
        if self._handling is not None:
            await asyncio.wait({self._handling})

    async def close(self) -> None:
        await self._application.shutdown()

    async def _publish_for_admins(self) -> None:
        with suppress(StoreError):
            for admin in await self._ctx.access.admins():
                await self._ctx.menu.publish_for(admin, (await self._ctx.preferences.of(admin)).language)

    def _handlers(self) -> Application[Any, Any, Any, Any, Any, Any]:
        application = Application.builder().bot(self._ctx.bot).updater(None).build()
        application.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, self._on_upgrade))
        application.add_handler(MessageHandler(filters.UpdateType.MESSAGE, self._on_message))
        application.add_handler(MessageHandler(filters.UpdateType.EDITED_MESSAGE, self._on_edit))
        application.add_handler(ChatMemberHandler(self._on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        application.add_handler(CallbackQueryHandler(self._on_press))
        application.add_error_handler(self._on_error)
        return application

    def _read(self, body: dict[str, Any]) -> Update:
        return Update.de_json(body, self._ctx.bot)

    async def _handle(self, update: Update) -> None:
        """Handle an update, and raise what its handler raised: python-telegram-bot passes that to its error
        handler alone."""
        await self._application.process_update(update)
        error = self._failures.pop(update.update_id, None)
        chat = update.effective_chat
        if isinstance(error, ChatMoved) and chat is not None and chat.type == ChatType.GROUP:
            # The news of it waits elsewhere, perhaps for long: tried again, the update finds the new id.
            await follow_group(self._ctx, chat.id, error.chat_id)
        if error is not None:
            raise error

    async def _give_up(self, update: Update) -> None:
        """Tell the person who wrote it, unless the update has made a task: that one has its card, and nobody
        is asked to order it again."""
        message, person = update.message, update.effective_user
        if await self._ctx.store.tasks.find(update_id=update.update_id) is not None:
            return
        if message is not None and person is not None:
            language = await self._ctx.preferences.language_for(
                message.chat_id, person.language_code, person.id
            )
            await message.reply_text(say(language, "given_up"), do_quote=True)

    async def _on_message(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message is not None:
            await self._messages.handle(update.update_id, update.message)

    async def _on_edit(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.edited_message is not None:
            await self._messages.handle_edit(update.update_id, update.edited_message)

    async def _on_upgrade(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is not None and message.migrate_to_chat_id is not None:
            await group_upgraded(self._ctx, message.chat_id, message.migrate_to_chat_id)

    async def _on_membership(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.my_chat_member is not None:
            await membership_changed(self._ctx, update.my_chat_member)

    async def _on_press(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.callback_query is not None:
            await self._button_presses.handle(update.update_id, update.callback_query)

    async def _on_error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        if isinstance(update, Update) and context.error is not None:
            self._failures[update.update_id] = context.error
