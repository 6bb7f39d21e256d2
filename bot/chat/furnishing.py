"""Furnishing: the desk with everything on it, from what the application hands in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.admin.live_settings import Rules
from bot.admin.permissions import Standings
from bot.chat.cards.eta import Forecast
from bot.chat.cards.price_labels import tariff_of
from bot.chat.chat_settings import Preferences
from bot.chat.context import Desk
from bot.chat.features.admin_page import OpenPage
from bot.chat.menu import Menu
from bot.chat.operators.access_requests import Strangers
from bot.chat.operators.notices import Notices
from bot.chat.operators.operator_chat import operators_of
from bot.chat.ordering.access import Access
from bot.chat.ordering.budgets import Budgets
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.photo_disclosure import Companies
from bot.chat.ordering.quotas import Allowance
from bot.chat.ordering.request_builder import Reading
from bot.chat.task_cards.board import Screen
from bot.chat.task_cards.reactions import Quiet
from bot.chat.task_cards.repost import Reposting
from bot.chat.telegram_io.bot_permissions import OwnRights
from bot.chat.telegram_io.client import connect
from bot.chat.telegram_io.display_names import Names
from bot.chat.telegram_io.duplicate_guard import Repeats
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.messenger import Voice
from bot.chat.telegram_io.photo_files import Photos
from bot.chat.telegram_io.rate_limiter import Gate
from bot.media.video_cache import VideoShelf
from bot.request import VideoModel
from bot.send_rates import TELEGRAM, Limits
from bot.settings import Settings
from bot.store import Store
from bot.worker.purchase_guard import Brake
from bot.worker.schedule import Timing

_COMMANDS = (
    *("video", "animate", "extend", "again", "history", "queue", "cancel", "models", "settings", "help"),
    *("stats", "privacy", "forget"),
)
_ADMIN_COMMANDS = ("admin", "allow", "ban", "limit", "set", "pause", "resume")


def furnish_desk(
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
) -> Desk:
    """Nothing runs and nobody is called so far. `settings` are those of the start, `rules` those in force."""
    bot = connect(
        token,
        settings.telegram_api_url,
        Gate(store, clock, limits),
        on_answer,
        local_mode=settings.telegram_local_mode == "on",
    )

    def default_language() -> str:
        return rules.settings.default_language

    def default_model() -> str:
        return rules.settings.default_model or next(iter(models), "")

    rights = OwnRights(bot, clock)
    standings = Standings(store, clock)
    access = Access(rules, standings, store, store, clock, obstacle=rights.obstacle)
    preferences = Preferences(store, default_language, clock, is_shared=store.is_shared)
    voice = Voice(bot, clock, preferences)
    photos = Photos(bot, store, models)
    forecast = Forecast(store.count_ahead, schedule, models, at_once, pause=brake.over)
    tariff = tariff_of(lambda: rules.settings, models)
    operators = operators_of(
        settings.alert_chat, voice=voice, preferences=preferences, models=models, tariff=tariff
    )
    notices = Notices(
        kept=store,
        people=store,
        voice=voice,
        access=access,
        preferences=preferences,
        operators=operators,
    )
    budgets = Budgets(
        rules=rules,
        store=store,
        access=access,
        tariff=tariff,
        tell_admins=notices.tell_admins,
        clock=clock,
    )
    allowance = Allowance(rules=rules, access=access, budgets=budgets, tariff=tariff, clock=clock)
    screen = Screen(
        bot,
        models,
        clock,
        forecast=forecast,
        voice=voice,
        photos=photos,
        quiet=Quiet(bot, preferences),
        tariff=tariff,
        pause=brake.known,
        left=allowance.before,
        sharing=store,
    )
    names = Names(bot)
    strangers = Strangers(
        access=access,
        standings=standings,
        people=store,
        names=names,
        notices=notices,
        voice=voice,
        preferences=preferences,
        tasks=store,
        clock=clock,
        wake=wake_worker,
    )
    reading = Reading(models, default_model, photos)
    orders = Orders(
        tasks=store,
        screen=screen,
        voice=voice,
        access=access,
        budgets=budgets,
        allowance=allowance,
        companies=Companies(store, voice, models),
        photos=photos,
        reading=reading,
        models=models,
        old_after=timedelta(minutes=settings.old_message_minutes),
        clock=clock,
        wake=wake_worker,
        tariff=tariff,
        sharing=store,
    )
    return Desk(
        bot=bot,
        store=store,
        settings=settings,
        models=models,
        default_model=default_model,
        clock=clock,
        wake=wake_worker,
        voice=voice,
        screen=screen,
        reading=reading,
        orders=orders,
        access=access,
        allowance=allowance,
        rules=rules,
        rights=rights,
        standings=standings,
        names=names,
        strangers=strangers,
        notices=notices,
        operators=operators,
        admins=GroupAdmins(bot, clock),
        preferences=preferences,
        photos=photos,
        forecast=forecast,
        shelf=shelf,
        repeats=Repeats(clock),
        reposting=Reposting(store, screen, clock, wake_worker),
        brake=brake,
        tariff=tariff,
        menu=Menu(
            bot,
            _COMMANDS,
            _ADMIN_COMMANDS,
            default_language=default_language,
            is_admin=access.is_admin,
        ),
        open_page=open_page,
    )
