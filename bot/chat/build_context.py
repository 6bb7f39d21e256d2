"""Building the chat context from what the application hands in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from bot.admin.actions import AdminActions
from bot.admin.permissions import Permissions
from bot.chat.access import Access
from bot.chat.cards.eta import Estimator
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.context import ChatContext
from bot.chat.deps import ChatDeps
from bot.chat.features import FEATURES
from bot.chat.handlers import Feature
from bot.chat.menu import Menu
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.operators.action_listener import ChatActionListener
from bot.chat.operators.notices import Notices
from bot.chat.operators.operator_chat import operators_of
from bot.chat.ordering.albums import Albums
from bot.chat.ordering.budgets import Budgets
from bot.chat.ordering.drafts import Drafts
from bot.chat.ordering.film_maker import FilmMaker
from bot.chat.ordering.film_orders import FilmOrders
from bot.chat.ordering.limits import OrderLimits
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.photo_disclosure import PhotoDisclosure
from bot.chat.ordering.quotas import Quotas
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.task_cards.board import CardBoard
from bot.chat.task_cards.film_board import FilmBoard
from bot.chat.task_cards.reactions import Reactions
from bot.chat.task_cards.renderer import CardRenderer
from bot.chat.task_cards.repost import CardReposter
from bot.chat.telegram_io.bot_permissions import BotPermissions
from bot.chat.telegram_io.client import TelegramBot, connect
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.film_files import FilmFiles
from bot.chat.telegram_io.film_joiner import FilmJoiner
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.media_queue import MediaQueue
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.rate_limiter import RateLimiter
from bot.chat.telegram_io.send_queue import SendQueue
from bot.chat.telegram_io.sent_files import SentFiles
from bot.chat.telegram_io.video_files import VideoFiles
from bot.chat.telegram_io.video_storage import VideoStorage
from bot.send_rates import TELEGRAM, Limits
from bot.settings import proxy_for_telegram
from bot.task import Task
from bot.worker.user_locks import UserLocks

_ORDER_LEASE_S = 60.0
"""Longer than an order takes, with its card to post."""


def build_chat_context(
    token: str,
    deps: ChatDeps,
    *,
    features: Iterable[Feature] = FEATURES,
    on_answer: Callable[[int], None] = lambda _: None,
    limits: Limits = TELEGRAM,
) -> ChatContext:
    """Build what the features share; nothing is started or called. `on_answer` gets the status of each answer
    of Telegram."""
    store, clock = deps.store, deps.clock
    bot = _connect(token, deps, on_answer, limits)
    permissions, bot_permissions = Permissions(store.audit, clock), BotPermissions(bot, clock)
    access = Access(
        deps.live_settings, permissions, store, store.tasks, clock, obstacle=bot_permissions.obstacle
    )
    preferences = ChatPreferences(
        store.people, deps.default_language, clock, is_shared=store.leases.is_shared
    )
    messenger, names = (
        Messenger(bot, clock, preferences, hears_all=not store.leases.is_shared),
        DisplayNames(bot),
    )
    files = SentFiles(bot, deps.settings.data_dir / "work", clock, MediaQueue(store.leases))
    photos, videos = PhotoFiles(files, store.people, deps.models), VideoFiles(files, deps.settings)
    operators = operators_of(deps, messenger, preferences)
    notices = Notices(
        kept=store.people,
        people=store.people,
        messenger=messenger,
        access=access,
        preferences=preferences,
        operators=operators,
    )
    budgets, quotas = _limits(deps, access, notices)
    estimator = Estimator(store.tasks.count_ahead, deps.schedule, deps.models, deps.queue_watch.before)
    disclosure = PhotoDisclosure(store.people, deps.models)
    asides = (disclosure.before, quotas.before)
    board = _card_board(deps, bot, messenger, photos, estimator, asides=asides, preferences=preferences)
    request_builder = RequestBuilder(deps.models, deps.default_model, photos)
    drafts = Drafts(deps, board, messenger, photos)
    card_reposter = CardReposter(store.tasks, board, clock, deps.wake)
    limits_of_orders = OrderLimits(
        access, budgets, quotas, UserLocks("orders of", _ORDER_LEASE_S, store.leases)
    )
    orders = Orders(
        deps,
        drafts,
        limits_of_orders,
        board,
        photos,
        request_builder=request_builder,
        disclosure=disclosure,
        card_reposter=card_reposter,
    )
    film_orders = FilmOrders(deps, limits_of_orders, request_builder, disclosure)
    film_board = FilmBoard(bot, board, messenger, deps.models, clock)
    film_files = FilmFiles(files, deps.video_cache, deps.providers, deps.models, deps.settings)
    film_maker = FilmMaker(deps, film_orders, film_board, film_files)
    board.on_shot = film_maker.wake
    send_queue = SendQueue(messenger, clock)
    access_requests = AccessRequests(
        deps,
        access=access,
        names=names,
        notices=notices,
        messenger=messenger,
        preferences=preferences,
    )
    return ChatContext(
        **vars(deps),
        bot=bot,
        messenger=messenger,
        menu=_menu(deps, bot, features, access),
        names=names,
        files=files,
        photos=photos,
        videos=videos,
        send_queue=send_queue,
        film_joiner=FilmJoiner(bot, videos, send_queue, clock, tasks=store.tasks, models=deps.models),
        group_admins=GroupAdmins(bot, clock),
        bot_permissions=bot_permissions,
        duplicate_guard=DuplicateGuard(clock),
        preferences=preferences,
        access=access,
        permissions=permissions,
        access_requests=access_requests,
        actions=_actions(deps, board, access_requests),
        notices=notices,
        storage=None
        if (chat_id := deps.settings.storage_chat) is None
        else VideoStorage(chat_id, bot, clock),
        operators=operators,
        estimator=estimator,
        board=board,
        card_reposter=card_reposter,
        request_builder=request_builder,
        drafts=drafts,
        orders=orders,
        film_orders=film_orders,
        film_maker=film_maker,
        film_board=film_board,
        albums=Albums(tasks=store.tasks, drafts=drafts, clock=clock, wake=deps.wake),
        quotas=quotas,
    )


def _connect(token: str, deps: ChatDeps, on_answer: Callable[[int], None], limits: Limits) -> TelegramBot:
    settings = deps.settings
    return connect(
        token,
        settings.telegram_api_url,
        RateLimiter(deps.store.rates, deps.clock, limits),
        on_answer,
        local_mode=settings.telegram_local_mode == "on",
        proxy=proxy_for_telegram(settings),
    )


def _actions(deps: ChatDeps, board: CardBoard, access_requests: AccessRequests) -> AdminActions:
    return AdminActions(
        deps.store,
        deps.models,
        quote=lambda request: deps.price_labels().quote(request),
        configured_admins=deps.settings.admin_users,
        clock=deps.clock,
        listener=ChatActionListener(deps, board, access_requests),
    )


def _card_board(
    deps: ChatDeps,
    bot: TelegramBot,
    messenger: Messenger,
    photos: PhotoFiles,
    estimator: Estimator,
    *,
    asides: Sequence[Callable[[Task], Awaitable[str]]],
    preferences: ChatPreferences,
) -> CardBoard:
    renderer = CardRenderer(
        deps.models,
        deps.clock,
        estimator,
        price_labels=deps.price_labels,
        asides=asides,
        unusable=deps.unusable_models,
        username=lambda: bot.username,
    )
    return CardBoard(
        bot,
        renderer,
        deps.clock,
        messenger=messenger,
        photos=photos,
        reactions=Reactions(bot, preferences),
        pause=deps.purchase_guard.cached,
        leases=deps.store.leases,
    )


def _limits(deps: ChatDeps, access: Access, notices: Notices) -> tuple[Budgets, Quotas]:
    budgets = Budgets(
        live_settings=deps.live_settings,
        store=deps.store,
        access=access,
        price_labels=deps.price_labels,
        tell_admins=notices.tell_admins,
        clock=deps.clock,
    )
    quotas = Quotas(
        live_settings=deps.live_settings,
        access=access,
        budgets=budgets,
        price_labels=deps.price_labels,
        clock=deps.clock,
    )
    return budgets, quotas


def _menu(deps: ChatDeps, bot: TelegramBot, features: Iterable[Feature], access: Access) -> Menu:
    return Menu(
        bot,
        [command for feature in features for command in feature.COMMANDS],
        default_language=deps.default_language,
        is_admin=access.is_admin,
    )
