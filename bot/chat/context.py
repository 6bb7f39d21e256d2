"""The desk: what the parts of the chat share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.admin.live_settings import LiveSettings
from bot.admin.permissions import Permissions
from bot.chat.cards.eta import Estimator
from bot.chat.cards.price_labels import PriceLabels
from bot.chat.chat_settings import ChatPreferences
from bot.chat.features.admin_page import OpenPage
from bot.chat.menu import Menu
from bot.chat.operators.access_requests import AccessRequests
from bot.chat.operators.notices import Notices
from bot.chat.operators.operator_chat import OperatorChat
from bot.chat.ordering.access import Access
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.quotas import Quotas
from bot.chat.ordering.request_builder import RequestBuilder
from bot.chat.task_cards.board import CardBoard
from bot.chat.task_cards.repost import CardReposter
from bot.chat.telegram_io.bot_permissions import BotPermissions
from bot.chat.telegram_io.client import TelegramBot
from bot.chat.telegram_io.display_names import DisplayNames
from bot.chat.telegram_io.duplicate_guard import DuplicateGuard
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.messenger import Messenger
from bot.chat.telegram_io.photo_files import PhotoFiles
from bot.chat.telegram_io.sent_files import SentFiles
from bot.media.video_cache import VideoCache
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Store
from bot.worker.purchase_guard import PurchaseGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatContext:
    bot: TelegramBot
    store: Store
    settings: Settings
    models: Mapping[str, VideoModel]
    default_model: Callable[[], str]
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    """Tells the worker that something is due."""
    messenger: Messenger
    board: CardBoard
    reading: RequestBuilder
    orders: Orders
    access: Access
    allowance: Quotas
    rules: LiveSettings
    rights: BotPermissions
    """What Telegram lets the bot do, group by group."""
    permissions: Permissions
    names: DisplayNames
    access_requests: AccessRequests
    notices: Notices
    operators: OperatorChat | None
    """None where ALERT_CHAT is not set."""
    admins: GroupAdmins
    preferences: ChatPreferences
    files: SentFiles
    photos: PhotoFiles
    estimator: Estimator
    video_cache: VideoCache
    repeats: DuplicateGuard
    reposting: CardReposter
    purchase_guard: PurchaseGuard
    price_labels: Callable[[], PriceLabels]
    """As it is at the time of asking."""
    menu: Menu
    open_page: OpenPage
