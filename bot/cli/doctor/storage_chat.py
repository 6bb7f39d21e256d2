"""Check the storage chat: the bot is in it, and may send videos there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.cli.doctor.finding import Finding
from bot.cli.doctor.network import Answer, FailedCall, ask
from bot.errors import SettingsError
from bot.settings import Settings, proxy_for_telegram


async def check_storage_chat(settings: Settings, clock: Callable[[], datetime]) -> list[Finding]:
    """Check that the bot may send videos to STORAGE_CHAT, if that is set."""
    token = settings.telegram_bot_token
    if settings.storage_chat is None or token is None:
        return []
    base = f"{settings.telegram_api_url}/bot{token.get_secret_value()}"
    of_chat = f"chat_id={settings.storage_chat}"
    try:
        proxy = proxy_for_telegram(settings)
    except SettingsError as error:
        failed = FailedCall(str(error).removesuffix("."))
        return [judge_storage_chat(failed, failed)]
    chat = await ask(f"{base}/getChat?{of_chat}", clock, proxy)
    bot = await ask(f"{base}/getChatMember?{of_chat}&user_id={settings.bot_id}", clock, proxy)
    return [judge_storage_chat(chat, bot)]


def judge_storage_chat(chat: Answer | FailedCall, bot: Answer | FailedCall) -> Finding:
    """Judge the storage chat. `chat`, `bot`: the answers to getChat, and to getChatMember about the bot."""
    what = "storage chat"
    if isinstance(chat, Answer) and chat.status in (400, 403) and chat.fields.get("ok") is False:
        mend = "Add the bot to it, as an administrator if it is a channel, and correct STORAGE_CHAT."
        return Finding(what, "wrong", "Telegram does not show this chat to the bot.", mend)
    info, member = _result(chat), _result(bot)
    if not info or not member:
        return Finding(what, "warning", "Telegram could not be asked about it.")
    if member.get("status") in ("left", "kicked"):
        return Finding(what, "wrong", "The bot is not in it.", "Add the bot, or leave STORAGE_CHAT empty.")
    if not _may_send_videos(info, member):
        seen = "The bot may not send videos there, so each is uploaded to its own chat."
        mend = "Let it post messages (in a channel), or send videos (in a group)."
        return Finding(what, "wrong", seen, mend)
    if info.get("username"):
        mend = "Make it private: it has every video of everybody."
        return Finding(what, "warning", "The bot may send videos there, but the chat is public.", mend)
    return Finding(what, "ok", "The bot may send videos there.")


def _may_send_videos(chat: Mapping[str, object], member: Mapping[str, object]) -> bool:
    if member.get("status") in ("administrator", "creator"):
        return chat.get("type") != "channel" or member.get("can_post_messages") is True
    of_all = chat.get("permissions")
    allowed_to_all = not isinstance(of_all, dict) or of_all.get("can_send_videos", True) is True
    return chat.get("type") != "channel" and allowed_to_all and member.get("can_send_videos", True) is True


def _result(answer: Answer | FailedCall) -> Mapping[str, object]:
    found = answer.fields.get("result") if isinstance(answer, Answer) else None
    return found if isinstance(found, dict) else {}
