"""The desk: what the parts of the chat share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.brake import Brake
from bot.chat.access import Access
from bot.chat.admins import GroupAdmins
from bot.chat.alerts import OperatorChat
from bot.chat.allowance import Allowance
from bot.chat.client import TelegramBot
from bot.chat.menu import Menu
from bot.chat.names import Names
from bot.chat.notices import Notices
from bot.chat.operator import OpenPage
from bot.chat.orders import Orders
from bot.chat.outlook import Forecast
from bot.chat.photos import Photos
from bot.chat.preferences import Preferences
from bot.chat.reading import Reading
from bot.chat.repeats import Repeats
from bot.chat.reposting import Reposting
from bot.chat.rights import OwnRights
from bot.chat.screen import Screen
from bot.chat.strangers import Strangers
from bot.chat.tariff import Tariff
from bot.chat.voice import Voice
from bot.media.shelf import VideoShelf
from bot.request import VideoModel
from bot.rules import Rules
from bot.settings import Settings
from bot.standing import Standings
from bot.store import Store


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
