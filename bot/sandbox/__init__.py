"""A simulated Telegram on this machine: a Bot API server and a chat page, to try and to test the bot."""

from bot.sandbox.answer import ApiError, Json
from bot.sandbox.bot_api.calls import CallRecord
from bot.sandbox.chats import BotAccount, Chat, Member, Person
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.server import SandboxServer
from bot.sandbox.world import Attachment, World, demo_world

__all__ = [
    "ApiError",
    "Attachment",
    "BotAccount",
    "CallRecord",
    "Chat",
    "Fault",
    "FaultKind",
    "Json",
    "Member",
    "Person",
    "SandboxServer",
    "World",
    "demo_world",
]
