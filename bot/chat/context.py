"""The chat context: what the features share."""

from __future__ import annotations

from dataclasses import dataclass

from bot.admin.actions import AdminActions
from bot.admin.permissions import Permissions
from bot.chat.access import Access
from bot.chat.cards.eta import Estimator
from bot.chat.chat_preferences import ChatPreferences
from bot.chat.deps import ChatDeps
from bot.chat.menu import Menu
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.operators.notices import Notices
from bot.chat.operators.operator_chat import OperatorChat
from bot.chat.ordering.albums import Albums
from bot.chat.ordering.drafts import Drafts
from bot.chat.ordering.film_maker import FilmMaker
from bot.chat.ordering.film_orders import FilmOrders
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.quotas import Quotas
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.task_cards.board import CardBoard
from bot.chat.task_cards.film_board import FilmBoard
from bot.chat.task_cards.repost import CardReposter
from bot.chat.telegram_io.bot_permissions import BotPermissions
from bot.chat.telegram_io.client import TelegramBot
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.film_joiner import FilmJoiner
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.send_queue import SendQueue
from bot.chat.telegram_io.sent_files import SentFiles
from bot.chat.telegram_io.video_files import VideoFiles
from bot.chat.telegram_io.video_storage import VideoStorage


@dataclass(frozen=True, kw_only=True)
class ChatContext(ChatDeps):
    """Passed whole to every feature, which takes from it what it needs. Built by `build_chat_context`."""

    bot: TelegramBot
    messenger: Messenger
    menu: Menu
    names: DisplayNames
    files: SentFiles
    photos: PhotoFiles
    videos: VideoFiles
    send_queue: SendQueue
    film_joiner: FilmJoiner
    group_admins: GroupAdmins
    bot_permissions: BotPermissions
    """What Telegram lets the bot do in each group."""
    duplicate_guard: DuplicateGuard
    preferences: ChatPreferences
    access: Access
    permissions: Permissions
    access_requests: AccessRequests
    actions: AdminActions
    """What admins do, with its audit entries."""
    notices: Notices
    storage: VideoStorage | None
    """None if STORAGE_CHAT is not set."""
    operators: OperatorChat | None
    """None if ALERT_CHAT is not set."""
    estimator: Estimator
    board: CardBoard
    card_reposter: CardReposter
    request_builder: RequestBuilder
    drafts: Drafts
    orders: Orders
    film_orders: FilmOrders
    film_maker: FilmMaker
    film_board: FilmBoard
    albums: Albums
    quotas: Quotas
