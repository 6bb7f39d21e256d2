"""Furnishing: the desk with everything on it, from what the application hands in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.chat.cards.eta import Estimator
from bot.chat.cards.price_labels import price_labels_of
from bot.chat.chat_settings import ChatPreferences
from bot.chat.context import ChatContext
from bot.chat.features.admin_page import OpenPage
from bot.chat.menu import Menu
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.operators.notices import Notices
from bot.chat.operators.operator_chat import operators_of
from bot.chat.ordering.access import Access
from bot.chat.ordering.budgets import Budgets
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.photo_disclosure import PhotoDisclosure
from bot.chat.ordering.quotas import Quotas
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.task_cards.board import CardBoard
from bot.chat.task_cards.reactions import Reactions
from bot.chat.task_cards.repost import CardReposter
from bot.chat.telegram_io.bot_permissions import BotPermissions
from bot.chat.telegram_io.client import connect
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.media_queue import MediaQueue
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.rate_limiter import RateLimiter
from bot.chat.telegram_io.sent_files import SentFiles
from bot.media.video_cache import VideoCache
from bot.request import VideoModel
from bot.send_rates import TELEGRAM, Limits
from bot.settings import Settings
from bot.store import Store
from bot.worker.purchase_guard import PurchaseGuard
from bot.worker.schedule import Schedule

_COMMANDS = (
    *("video", "animate", "extend", "again", "history", "queue", "cancel", "models", "settings", "help"),
    *("stats", "privacy", "forget"),
)
_ADMIN_COMMANDS = ("admin", "allow", "ban", "limit", "set", "pause", "resume")


def build_chat_context(
    token: str,
    settings: Settings,
    rules: LiveSettings,
    store: Store,
    *,
    models: Mapping[str, VideoModel],
    schedule: Schedule,
    at_once: Callable[[str], Awaitable[int | None]],
    video_cache: VideoCache,
    clock: Callable[[], datetime],
    wake_worker: Callable[[], None],
    purchase_guard: PurchaseGuard,
    open_page: OpenPage,
    on_answer: Callable[[int], None] = lambda _: None,
    limits: Limits = TELEGRAM,
) -> ChatContext:
    """Nothing runs and nobody is called so far. `settings` are those of the start, `rules` those in force."""
    bot = connect(
        token,
        settings.telegram_api_url,
        RateLimiter(store.rates, clock, limits),
        on_answer,
        local_mode=settings.telegram_local_mode == "on",
    )

    def default_language() -> str:
        return rules.settings.default_language

    def default_model() -> str:
        return rules.settings.default_model or next(iter(models), "")

    rights = BotPermissions(bot, clock)
    permissions = Permissions(store.audit, clock)
    access = Access(rules, permissions, store, store.tasks, clock, obstacle=rights.obstacle)
    preferences = ChatPreferences(store.people, default_language, clock, is_shared=store.leases.is_shared)
    messenger = Messenger(bot, clock, preferences)
    files = SentFiles(bot, settings.data_dir / "work", clock, MediaQueue(store.leases))
    photos = PhotoFiles(files, store.people, models)
    estimator = Estimator(store.tasks.count_ahead, schedule, models, at_once, pause=purchase_guard.blocking)
    price_labels = price_labels_of(lambda: rules.settings, models)
    operators = operators_of(
        settings.alert_chat,
        messenger=messenger,
        preferences=preferences,
        models=models,
        price_labels=price_labels,
    )
    notices = Notices(
        kept=store.people,
        people=store.people,
        messenger=messenger,
        access=access,
        preferences=preferences,
        operators=operators,
    )
    budgets = Budgets(
        rules=rules,
        store=store,
        access=access,
        price_labels=price_labels,
        tell_admins=notices.tell_admins,
        clock=clock,
    )
    allowance = Quotas(rules=rules, access=access, budgets=budgets, price_labels=price_labels, clock=clock)
    board = CardBoard(
        bot,
        models,
        clock,
        estimator=estimator,
        messenger=messenger,
        photos=photos,
        quiet=Reactions(bot, preferences),
        price_labels=price_labels,
        pause=purchase_guard.cached,
        left=allowance.before,
        sharing=store.leases,
    )
    names = DisplayNames(bot)
    access_requests = AccessRequests(
        access=access,
        permissions=permissions,
        people=store.people,
        names=names,
        notices=notices,
        messenger=messenger,
        preferences=preferences,
        tasks=store.tasks,
        clock=clock,
        wake=wake_worker,
    )
    reading = RequestBuilder(models, default_model, photos)
    orders = Orders(
        tasks=store.tasks,
        board=board,
        messenger=messenger,
        access=access,
        budgets=budgets,
        allowance=allowance,
        companies=PhotoDisclosure(store.people, messenger, models),
        photos=photos,
        reading=reading,
        models=models,
        old_after=timedelta(minutes=settings.old_message_minutes),
        clock=clock,
        wake=wake_worker,
        price_labels=price_labels,
        sharing=store.leases,
    )
    return ChatContext(
        bot=bot,
        store=store,
        settings=settings,
        models=models,
        default_model=default_model,
        clock=clock,
        wake=wake_worker,
        messenger=messenger,
        board=board,
        reading=reading,
        orders=orders,
        access=access,
        allowance=allowance,
        rules=rules,
        rights=rights,
        permissions=permissions,
        names=names,
        access_requests=access_requests,
        notices=notices,
        operators=operators,
        admins=GroupAdmins(bot, clock),
        preferences=preferences,
        files=files,
        photos=photos,
        estimator=estimator,
        video_cache=video_cache,
        repeats=DuplicateGuard(clock),
        reposting=CardReposter(store.tasks, board, clock, wake_worker),
        purchase_guard=purchase_guard,
        price_labels=price_labels,
        menu=Menu(
            bot,
            _COMMANDS,
            _ADMIN_COMMANDS,
            default_language=default_language,
            is_admin=access.is_admin,
        ),
        open_page=open_page,
    )
