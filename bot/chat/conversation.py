"""The conversation: the parts of the Telegram side put together, from a connection to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from bot.brake import Brake
from bot.chat.access import Access
from bot.chat.admins import GroupAdmins
from bot.chat.albums import Albums
from bot.chat.alerts import operators_of
from bot.chat.allowance import Allowance
from bot.chat.budgets import Budgets
from bot.chat.client import connect
from bot.chat.comeback import come_back
from bot.chat.companies import Companies
from bot.chat.desk import Desk
from bot.chat.dispatch import Dispatcher
from bot.chat.gate import Gate
from bot.chat.groups import Groups
from bot.chat.hooked import Hook, HookedIntake
from bot.chat.intake import KEY_REFUSED, Intake
from bot.chat.menu import Menu
from bot.chat.messages import Messages
from bot.chat.moves import Moves
from bot.chat.names import Names
from bot.chat.notice_buttons import ADMIT
from bot.chat.notices import Notices
from bot.chat.operator import OpenPage
from bot.chat.orders import Orders
from bot.chat.outlook import Forecast
from bot.chat.photos import Photos
from bot.chat.preferences import Preferences
from bot.chat.quiet import Quiet
from bot.chat.repeats import Repeats
from bot.chat.reposting import Reposting
from bot.chat.rights import OwnRights
from bot.chat.screen import Screen
from bot.chat.strangers import Strangers
from bot.chat.subjects import Subjects
from bot.chat.taps import Taps
from bot.chat.tariff import tariff_of
from bot.chat.voice import Voice
from bot.errors import SettingsError, StartError, StoreError
from bot.log import get_log
from bot.media.shelf import VideoShelf
from bot.pace import TELEGRAM, Limits
from bot.request import VideoModel
from bot.rules import Rules
from bot.settings import Settings
from bot.standing import Standings
from bot.store import Notice, Store
from bot.task import Task
from bot.text import say
from bot.timing import Timing

_COMMANDS = (
    *("video", "animate", "extend", "again", "history", "queue", "cancel", "models", "settings", "help"),
    *("stats", "privacy", "forget"),
)
_ADMIN_COMMANDS = ("admin", "allow", "ban", "limit", "set", "pause", "resume")


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
        rules: Rules,
        store: Store,
        *,
        models: Mapping[str, VideoModel],
        schedule: Timing,
        at_once: Callable[[str], Awaitable[int | None]],
        shelf: VideoShelf,
        clock: Callable[[], datetime],
        wake_worker: Callable[[], None],
        brake: Brake,
        open_page: OpenPage,
        on_answer: Callable[[int], None] = lambda _: None,
        limits: Limits = TELEGRAM,
        hook: Hook | None = None,
        takeover_s: float = 0.0,
    ) -> None:
        """`hook`: where Telegram is to call; None polls. `takeover_s`: how long another process of ours may
        take to stop polling."""
        self._log = get_log(__name__)
        self._store = store
        self._clock = clock
        self._bot = connect(
            token,
            settings.telegram_api_url,
            Gate(store, clock, limits),
            on_answer,
            local_mode=settings.telegram_local_mode == "on",
        )
        rights = OwnRights(self._bot, clock)
        standings = Standings(store, clock)
        self._access = Access(rules, standings, store, store, clock, obstacle=rights.obstacle)
        admins = GroupAdmins(self._bot, clock)

        def default_model() -> str:
            return rules.settings.default_model or next(iter(models), "")

        self._preferences = Preferences(
            store, lambda: rules.settings.default_language, clock, is_shared=store.is_shared
        )
        voice = Voice(self._bot, clock, self._preferences)
        photos = Photos(self._bot, store, models)
        forecast = Forecast(store.count_ahead, schedule, models, at_once, pause=brake.over)
        tariff = tariff_of(lambda: rules.settings, models)
        budgets = Budgets(
            rules=rules,
            store=store,
            access=self._access,
            tariff=tariff,
            tell_admins=self.tell_admins,
            clock=clock,
        )
        allowance = Allowance(rules=rules, access=self._access, budgets=budgets, tariff=tariff, clock=clock)
        self.screen = Screen(
            self._bot,
            models,
            clock,
            forecast=forecast,
            voice=voice,
            photos=photos,
            quiet=Quiet(self._bot, self._preferences),
            tariff=tariff,
            pause=brake.known,
            left=allowance.before,
            sharing=store,
        )
        self.operators = operators_of(
            settings.alert_chat, voice=voice, preferences=self._preferences, models=models, tariff=tariff
        )
        self._notices = Notices(
            kept=store,
            people=store,
            voice=voice,
            access=self._access,
            preferences=self._preferences,
            operators=self.operators,
        )
        names = Names(self._bot)
        self._strangers = Strangers(
            access=self._access,
            standings=standings,
            people=store,
            names=names,
            notices=self._notices,
            voice=voice,
            preferences=self._preferences,
            tasks=store,
            clock=clock,
            wake=wake_worker,
        )
        orders = Orders(
            tasks=store,
            screen=self.screen,
            voice=voice,
            access=self._access,
            budgets=budgets,
            allowance=allowance,
            companies=Companies(store, voice, models),
            photos=photos,
            models=models,
            default_model=default_model,
            old_after=timedelta(minutes=settings.old_message_minutes),
            clock=clock,
            wake=wake_worker,
            tariff=tariff,
            sharing=store,
        )
        self._menu = Menu(
            self._bot,
            _COMMANDS,
            _ADMIN_COMMANDS,
            default_language=lambda: rules.settings.default_language,
            is_admin=self._access.is_admin,
        )
        repeats = Repeats(clock)
        reposting = Reposting(store, self.screen, clock, wake_worker)
        self._subjects = Subjects(
            Desk(
                bot=self._bot,
                store=store,
                settings=settings,
                models=models,
                default_model=default_model,
                clock=clock,
                wake=wake_worker,
                voice=voice,
                screen=self.screen,
                orders=orders,
                access=self._access,
                allowance=allowance,
                rules=rules,
                standings=standings,
                names=names,
                strangers=self._strangers,
                admins=admins,
                preferences=self._preferences,
                photos=photos,
                forecast=forecast,
                shelf=shelf,
                repeats=repeats,
                reposting=reposting,
                brake=brake,
                tariff=tariff,
                menu=self._menu,
                open_page=open_page,
            )
        )
        self.moves: Moves = self._subjects.moves
        self._groups = Groups(
            bot=self._bot,
            tasks=store,
            marks=store,
            voice=voice,
            access=self._access,
            strangers=self._strangers,
            rights=rights,
            preferences=self._preferences,
            reposting=reposting,
            models=models,
            clock=clock,
            wake=wake_worker,
        )
        self._messages = Messages(
            bot=self._bot,
            tasks=store,
            voice=voice,
            notices=self._notices,
            strangers=self._strangers,
            orders=orders,
            access=self._access,
            models=models,
            preferences=self._preferences,
            commands=self._subjects.commands,
            follow=self._groups.follow,
            albums=Albums(tasks=store, orders=orders, clock=clock, wake=wake_worker),
            pairs=self._subjects.pairs,
            again=self._subjects.again,
            menu=self._menu,
            repeats=repeats,
        )
        self._taps = Taps(
            tasks=store,
            people=store,
            screen=self.screen,
            orders=orders,
            access=self._access,
            models=models,
            preferences=self._preferences,
            clock=clock,
            wake=wake_worker,
            repeats=repeats,
            admins=admins,
            acts=self._subjects.acts,
            plain_acts={**self._subjects.plain_acts, ADMIT: self._strangers.decide},
        )
        self._application = self._handlers()
        self._failures: dict[int, Exception] = {}
        self._dispatcher = Dispatcher(
            store, self._read, self._handle, self._give_up, clock, idle_s=store.tick_s
        )
        store.on_work(self._dispatcher.wake)
        self._intake: Intake | HookedIntake
        self._hooked: HookedIntake | None = None
        if hook is None:
            self._intake = Intake(
                self._bot, store, self._dispatcher.wake, clock, sharing=store, patience_s=takeover_s
            )
        else:
            self._intake = self._hooked = HookedIntake(self._bot, store, self._dispatcher.wake, clock, hook)
        self._taking: asyncio.Task[None] | None = None
        self._handling: asyncio.Task[None] | None = None

    @property
    def on_update(self) -> Callable[[dict[str, Any]], Awaitable[None]] | None:
        """For the web server, where Telegram calls."""
        return None if self._hooked is None else self._hooked.take

    @property
    def answered_at(self) -> datetime:
        """When Telegram last answered a poll."""
        return self._intake.answered_at

    async def is_admin(self, user_id: int) -> bool:
        return await self._access.is_admin(user_id)

    async def tell_admins(self, notice: Notice) -> None:
        """In their private chats; kept for whoever cannot be written to. Never raises."""
        await self._notices.tell_admins(notice)

    async def gathered(self, task: Task) -> None:
        """As `bot.worker.Albums`."""
        await self._messages.gathered(task)

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
        await self._menu.publish()
        payload = await self._access.open_claim()
        link = f"https://t.me/{self._bot.username}?start={payload}" if payload else None
        return Greeting(self._bot.username, link)

    async def come_back(self, away: timedelta) -> None:
        """The cards of all that is on its way go on. Called before anything else runs; sends nothing yet."""
        await come_back(self._store, self.screen, away, self._clock())

    async def catch_up(self) -> None:
        """Cards that count, of tasks that somebody stopped from outside."""
        for task in self.screen.live.tasks():
            fresh = await self._store.get(task.id)
            # Only while it counts: a card that has ended may be a video by now.
            if fresh is not None and fresh.hidden and task.id in self.screen.live:
                self.screen.show(fresh)

    async def run(self) -> None:
        """Take updates in, handle them, keep the cards counting; until cancelled."""
        async with asyncio.TaskGroup() as parts:
            self._taking = parts.create_task(self._intake.run())
            self._handling = parts.create_task(self._dispatcher.run())
            parts.create_task(self.screen.live.run())
            parts.create_task(self.screen.presence.run())
            parts.create_task(self._subjects.joining.run())
            parts.create_task(self._publish_for_admins())
            parts.create_task(self._menu.keep_up())

    async def rest(self) -> None:
        """Take nothing more in; returns once what is being handled has ended, after eight seconds at most."""
        self._dispatcher.stop()
        if self._taking is not None:
            self._taking.cancel()
        if self._handling is not None:
            await asyncio.wait({self._handling})

    async def close(self) -> None:
        await self._application.shutdown()

    async def _publish_for_admins(self) -> None:
        with suppress(StoreError):
            for admin in await self._access.admins():
                await self._menu.publish_for(admin, (await self._preferences.of(admin)).language)

    def _handlers(self) -> Application[Any, Any, Any, Any, Any, Any]:
        application = Application.builder().bot(self._bot).updater(None).build()
        application.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, self._on_upgrade))
        application.add_handler(MessageHandler(filters.UpdateType.MESSAGE, self._on_message))
        application.add_handler(ChatMemberHandler(self._on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
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
            language = await self._preferences.language_for(message.chat_id, person.language_code, person.id)
            await message.reply_text(say(language, "given_up"), do_quote=True)

    async def _on_message(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message is not None:
            await self._messages.handle(update.update_id, update.message)

    async def _on_upgrade(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.message
        if message is not None and message.migrate_to_chat_id is not None:
            await self._groups.upgraded(message.chat_id, message.migrate_to_chat_id)

    async def _on_membership(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.my_chat_member is not None:
            await self._groups.changed(update.my_chat_member)

    async def _on_tap(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.callback_query is not None:
            await self._taps.handle(update.update_id, update.callback_query)

    async def _on_error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        if isinstance(update, Update) and context.error is not None:
            self._failures[update.update_id] = context.error
