"""The desk: what the parts of the chat share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.admin.live_settings import Rules
from bot.admin.permissions import Standings
from bot.chat.cards.eta import Forecast
from bot.chat.cards.price_labels import Tariff
from bot.chat.chat_settings import Preferences
from bot.chat.features.admin_page import OpenPage
from bot.chat.menu import Menu
from bot.chat.operators.access_requests import Strangers
from bot.chat.operators.notices import Notices
from bot.chat.operators.operator_chat import OperatorChat
from bot.chat.ordering.access import Access
from bot.chat.ordering.orders import Orders
from bot.chat.ordering.quotas import Allowance
from bot.chat.ordering.request_builder import Reading
from bot.chat.task_cards.board import Screen
from bot.chat.task_cards.repost import Reposting
from bot.chat.telegram_io.bot_permissions import OwnRights
from bot.chat.telegram_io.client import TelegramBot
from bot.chat.telegram_io.display_names import Names
from bot.chat.telegram_io.duplicate_guard import Repeats
from bot.chat.telegram_io.group_admins import GroupAdmins
from bot.chat.telegram_io.messenger import Voice
from bot.chat.telegram_io.photo_files import Photos
from bot.media.video_cache import VideoShelf
from bot.request import VideoModel
from bot.settings import Settings
from bot.store import Store
from bot.worker.purchase_guard import Brake


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    bot: TelegramBot
    store: Store
    settings: Settings
    models: Mapping[str, VideoModel]
    default_model: Callable[[], str]
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    """Tells the worker that something is due."""
    voice: Voice
    screen: Screen
    reading: Reading
    orders: Orders
    access: Access
    allowance: Allowance
    rules: Rules
    rights: OwnRights
    """What Telegram lets the bot do, group by group."""
    standings: Standings
    names: Names
    strangers: Strangers
    notices: Notices
    operators: OperatorChat | None
    """None where ALERT_CHAT is not set."""
    admins: GroupAdmins
    preferences: Preferences
    photos: Photos
    forecast: Forecast
    shelf: VideoShelf
    repeats: Repeats
    reposting: Reposting
    brake: Brake
    tariff: Callable[[], Tariff]
    """As it is at the time of asking."""
    menu: Menu
    open_page: OpenPage
