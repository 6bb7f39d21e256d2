"""The dispatcher of messages: each goes to the feature that its intent names."""

from __future__ import annotations

import difflib
from dataclasses import replace

from telegram import InlineKeyboardMarkup, Message

from bot.chat.cards.layout import KEYS, button
from bot.chat.context import ChatContext
from bot.chat.features import film, video
from bot.chat.features.groups.membership import follow_group
from bot.chat.features.help import help as show_help
from bot.chat.features.help import start as greet
from bot.chat.features.results import share
from bot.chat.handlers import MEANT
from bot.chat.parsing.message_intent import Intent, find_video, read_intent, writer_of
from bot.chat.router import Router
from bot.chat.sender import Sender, tidy_name
from bot.chat.telegram_io.flood_control import MESSAGES, FloodControl
from bot.errors import ChatMoved, MediaError
from bot.text import plain, say

_ALIKE = 0.75


class Messages:
    def __init__(self, ctx: ChatContext, router: Router) -> None:
        self._ctx = ctx
        self._router = router
        self._flood_control = FloodControl(MESSAGES)

    async def handle(self, update_id: int, message: Message) -> None:
        ctx = self._ctx
        await ctx.messenger.heard(message.chat_id, message.message_id)
        if message.via_bot is not None and message.via_bot.id == ctx.bot.id and not message.forward_origin:
            return  # a video of their own, sent by inline mode: they ask for nothing
        intent = self._read(message)
        sender = await self._sender(update_id, message)
        if sender is None or (intent.kind == "nothing" and intent.photo is None):
            return
        if sender.is_channel and not (await ctx.preferences.of(sender.chat_id)).channels:
            return
        if await ctx.albums.joined(sender, intent) or intent.kind == "nothing":
            return
        verdict = self._flood_control.check(
            sender.chat_id, sender.user_id, update_id, sender.sent_at, sender.album_id
        )
        if verdict == "drop" or await ctx.orders.known(sender):
            return
        is_of_files = sender.album_id is not None and intent.photo is None
        if is_of_files and ctx.duplicate_guard.is_repeated(update_id, sender.chat_id, sender.album_id):
            return  # an album without a photo: one answer is enough
        try:
            await self._answer(sender, intent, is_flood=verdict == "tell")
        except ChatMoved as moved:
            # It was written before the group became a supergroup: the answer goes where the group is by now.
            await follow_group(ctx, sender.chat_id, moved.chat_id)
            sender = replace(sender, chat_id=moved.chat_id, thread_id=None, message_id=None)
            await self._answer(sender, intent, is_flood=verdict == "tell")

    async def handle_edit(self, update_id: int, message: Message) -> None:
        """Change the draft that a message made, if it is still open. An edited message buys nothing."""
        ctx = self._ctx
        sender = await self._sender(update_id, message)
        if sender is None or not await ctx.access.may_ask(sender.user_id, sender.chat_id):
            return
        verdict = self._flood_control.check(sender.chat_id, sender.user_id, update_id, ctx.clock())
        intent = self._read(message)
        try:
            if verdict == "take":
                await video.edited(ctx, sender, intent)
        except MediaError as error:
            await ctx.messenger.say(sender, error.code, **error.values)

    def _read(self, message: Message) -> Intent:
        bot = self._ctx.bot
        return self._router.meant(read_intent(message, bot.username, bot.id, self._router.kinds))

    async def _answer(self, sender: Sender, intent: Intent, *, is_flood: bool) -> None:
        try:
            if await self._may_ask(sender, intent):
                if is_flood:
                    await self._ctx.messenger.say(sender, "too_much_at_once")
                else:
                    await self._dispatch(sender, intent)
        except MediaError as error:
            await self._ctx.messenger.say(sender, error.code, **error.values)

    async def _may_ask(self, sender: Sender, intent: Intent) -> bool:
        """Return False if the sender may not use the bot, or has just become its admin; both are answered."""
        ctx = self._ctx
        claims = not sender.is_group and _is_claim(ctx, intent)
        if claims and await ctx.access.claim(intent.words, sender.user_id):
            await ctx.messenger.say(sender, "claimed")
            await self._welcome(sender)
            await ctx.notices.read_out(sender)
            return False
        if await ctx.access.may_ask(sender.user_id, sender.chat_id):
            return True
        if await ctx.access.is_banned(sender.user_id) or (sender.is_group and intent.kind == "text"):
            return False
        if await ctx.access_requests.handle(sender):
            key = "stranger_group" if sender.is_group else "stranger"
            await ctx.messenger.say(sender, key, user_id=sender.user_id, chat_id=sender.chat_id)
        return False

    async def _dispatch(self, sender: Sender, intent: Intent) -> None:
        ctx = self._ctx
        match intent.kind:
            case "start" if sender.is_group:
                await show_help(ctx, sender, intent)
            case "start" if share.is_recipe(intent.words):
                await share.open_recipe(ctx, sender, intent)
            case "start" if intent.words == KEYS:
                await ctx.messenger.say(sender, "keys_how")
            case "start":
                await greet(ctx, sender, "claim_used" if _is_claim(ctx, intent) else "start")
                await ctx.notices.read_out(sender)
                await self._welcome(sender)
            case "command":
                await self._command(sender, intent)
            case "unknown":
                await self._guess(sender, intent)
            case "no_photo":
                await ctx.messenger.say(sender, "not_a_photo_sent")
            case "video" | "photo" | "draft" | "answer" | "wants_photo":
                await video.video(ctx, sender, intent)
            case "text" if await film.take_words(ctx, sender, intent):
                return
            case "text":
                await video.text(ctx, sender, intent)

    async def _guess(self, sender: Sender, intent: Intent) -> None:
        """Ask whether a mistyped command is the nearest one that the sender may use."""
        ctx, commands = self._ctx, self._router.commands
        is_admin = await ctx.access.is_admin(sender.user_id)
        known = [
            name for name, one in commands.items() if len(name) > 2 and (is_admin or not one.admins_only)
        ]
        nearest = next(iter(difflib.get_close_matches(intent.command, known, n=1, cutoff=_ALIKE)), None)
        meant = self._router.meant(replace(intent, command=nearest or ""))
        if nearest is None and not sender.is_group:
            await ctx.messenger.say(sender, "unknown_command")
        elif nearest is not None and commands[nearest].is_about_photo and meant.kind != "command":
            await video.guess(ctx, sender, meant)
        elif nearest is not None:
            label = plain(say(sender.language, "button_did_you_mean", command=nearest))
            await ctx.messenger.send(
                sender.chat_id,
                say(sender.language, "did_you_mean", command=nearest),
                InlineKeyboardMarkup([[button(label, MEANT, nearest)]]),
                thread_id=sender.thread_id,
                reply_to=sender.message_id,  # the button finds the prompt there
            )

    async def do_meant(self, update_id: int, name: str, message: Message) -> bool:
        """Handle a message as if it had begun with the command `name`. Return False if it cannot be done."""
        command, sender = self._router.commands.get(name), await self._sender(update_id, message)
        if command is None or sender is None:
            return False
        words = (message.text or message.caption or "").partition(" ")[2].strip()
        video_sent = find_video(message)
        await self._command(sender, Intent("command", words, command=name, video=video_sent))
        return True

    async def _command(self, sender: Sender, intent: Intent) -> None:
        command = self._router.commands[intent.command]
        if not command.admins_only or await self._ctx.access.is_admin(sender.user_id):
            await command.handle(self._ctx, sender, intent)
        elif not sender.is_group:
            await self._ctx.messenger.say(sender, "unknown_command")

    async def _welcome(self, sender: Sender) -> None:
        chosen = (await self._ctx.preferences.of(sender.chat_id)).language
        await self._ctx.menu.welcome(sender.chat_id, chosen, sender.code)

    async def _sender(self, update_id: int, message: Message) -> Sender | None:
        user_id = writer_of(message)
        if user_id is None:
            return None
        person = message.from_user
        name = person.first_name if person and not message.sender_chat else (message.author_signature or "")
        code = person.language_code if person else None
        return Sender(
            update_id=update_id,
            chat_id=message.chat_id,
            thread_id=message.message_thread_id if message.is_topic_message else None,
            user_id=user_id,
            user_name=tidy_name(name),
            message_id=message.message_id,
            language=await self._ctx.preferences.language_for(message.chat_id, code, user_id),
            sent_at=message.date,
            album_id=message.media_group_id,
            chat_title=tidy_name(message.chat.title or ""),
            code=code,
        )


def _is_claim(ctx: ChatContext, intent: Intent) -> bool:
    return intent.kind == "start" and ctx.access.is_claim(intent.words)
