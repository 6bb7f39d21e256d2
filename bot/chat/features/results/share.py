"""The button Share: a link to a recipe, which others open as a draft of their own, and the video itself."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlencode

from telegram import InlineKeyboardButton, SwitchInlineQueryChosenChat

from bot.chat.cards.layout import Card, copy_button, cut, keyboard, start_link, task_button
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.cards.result_buttons import SHARE
from bot.chat.context import ChatContext
from bot.chat.features.video import draft_words
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.telegram_io.client import translated
from bot.draft import DraftQuestion
from bot.request import Problem, VideoRequest, fit_request, shown
from bot.store import Recipe
from bot.task import Task, TaskState
from bot.text import say

SHARE_PHOTO = "share-photo"
"""The verb of the button that makes a link with the photo in it."""
_PREFIX = "r_"
_TOKEN_BYTES = 12
"""96 bits, which nobody guesses. With its prefix it fits into the 64 characters of a `/start`."""
EXACT = "#"
"""Begins an inline query that is the id of one video."""
TYPED = "typed"
"""The `task_id` of a recipe that is what a person typed in another chat, options and all."""
_SOME_PHOTO = ("photo",)
_WORDS_SHARED = 200


async def share(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Answer with a link, without the photo."""
    if press.task.state is not TaskState.SUCCEEDED:
        return Reply("press_too_late")
    if ctx.duplicate_guard.is_repeated(press.sender.update_id, press.person_id, press.task.id, press.verb):
        return None
    card = await _card(ctx, press, with_photos=False)
    await ctx.messenger.answer(press.sender, card.text, card.buttons)
    return None


async def share_photo(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Replace the link by one with the photo."""
    if press.task.state is not TaskState.SUCCEEDED or not press.task.request.photos:
        return Reply("press_too_late")
    await ctx.messenger.redraw(press.sender, await _card(ctx, press, with_photos=True))
    return None


async def open_recipe(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Handle `/start r_…`: make a draft for the sender."""
    recipe = await ctx.store.people.recipe(intent.words.removeprefix(_PREFIX))
    if recipe is None:
        await ctx.messenger.say(sender, "recipe_gone")
        return
    if recipe.task_id == TYPED:
        await draft_words(ctx, sender, recipe.request.prompt)
        return
    lacks_photo = await _lacks_photo(ctx, recipe)
    request, problem = _fitted(ctx, recipe.request, lacks_photo)
    if problem is not None:
        await ctx.messenger.reply(sender, problem_reply(sender.language, problem))
        return
    if request.model != recipe.request.model:
        values = {"chosen": recipe.request.model, "model": request.model}
        await ctx.messenger.say(sender, "recipe_fitted", **values)
    question = DraftQuestion.RECIPE_PHOTO if lacks_photo else DraftQuestion.START
    await ctx.drafts.draft(sender, request, question)


async def keep_typed(ctx: ChatContext, user_id: int, words: str) -> str:
    """Store what a person typed, in place of what they typed before; return the payload of a `/start` that
    opens it."""
    recipe = Recipe(_new_token(), TYPED, user_id, VideoRequest(model="", prompt=words), ctx.clock())
    return _PREFIX + (await ctx.store.people.replace_recipe(recipe)).token


async def can_use_inline(ctx: ChatContext, user_id: int) -> bool:
    """Return True if inline mode answers this person: those who may write to the bot in private."""
    return user_id > 0 and await ctx.access.may_ask(user_id, user_id)


async def _card(ctx: ChatContext, press: ButtonPress, *, with_photos: bool) -> Card:
    recipe = await ctx.store.people.add_recipe(
        Recipe(
            token=_new_token(),
            task_id=press.task.id,
            user_id=press.task.user_id,
            request=recipe_of(press.task.request, with_photos=with_photos),
            created_at=ctx.clock(),
        )
    )
    link = start_link(ctx.bot.username, f"{_PREFIX}{recipe.token}")
    with translated():
        is_inline = (await ctx.bot.get_me()).supports_inline_queries  # BotFather may have changed it
    return draw_link(
        press.sender.language,
        press.task,
        link,
        with_photos=with_photos,
        sends_video=bool(is_inline) and await can_use_inline(ctx, press.task.user_id),
    )


def _new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


async def _lacks_photo(ctx: ChatContext, recipe: Recipe) -> bool:
    """Return True if it was made from a photo that its owner did not share."""
    if recipe.request.photos:
        return False
    task = await ctx.store.tasks.get(recipe.task_id)
    needs_photo = recipe.request.camera is not None or recipe.request.photos_as == "references"
    return needs_photo or bool(task and task.request.photos)


def _fitted(
    ctx: ChatContext, request: VideoRequest, lacks_photo: bool
) -> tuple[VideoRequest, Problem | None]:
    """Return the request for its own model, or fitted to another one; and why no model can make it."""
    whole = request.model_copy(update={"photos": _SOME_PHOTO}) if lacks_photo else request
    names = dict.fromkeys([ctx.default_model(), *shown(ctx.models)])
    fits = [fit_request(whole, ctx.models[name]) for name in names if name in ctx.models]
    candidates = [whole, *fits] if request.model in ctx.models else fits
    working = [one for one in candidates if not ctx.request_builder.problems(one)]
    if not working:
        return request, ctx.request_builder.problems((candidates or [whole])[0])[0]
    return working[0].model_copy(update={"photos": request.photos}), None


def _chooser(link: str, words: str) -> str:
    """Return the address at which Telegram asks to which chat a link and some words should go.

    https://core.telegram.org/widgets/share
    """
    query = urlencode({"url": link, "text": cut(words, _WORDS_SHARED)}, quote_via=quote)
    return f"https://t.me/share/url?{query}"


def _any_chat(query: str) -> SwitchInlineQueryChosenChat:
    return SwitchInlineQueryChosenChat(
        query, allow_user_chats=True, allow_group_chats=True, allow_channel_chats=True
    )


def query_for(task: Task) -> str:
    """Return the inline query that finds this video alone, for its owner."""
    return f"{EXACT}{task.id}"


def is_recipe(payload: str) -> bool:
    """Return True if what follows `/start` is the token of a recipe."""
    return payload.startswith(_PREFIX)


def recipe_of(request: VideoRequest, *, with_photos: bool) -> VideoRequest:
    """Return the part of a request that is shared. The video that it continues is never shared."""
    kept_back = {} if with_photos else {"photos": (), "crop": None}
    return request.model_copy(update={"extends": None, **kept_back})


def draw_link(language: str, task: Task, link: str, *, with_photos: bool, sends_video: bool = False) -> Card:
    """Draw the link and say if the photo is in it, with a button that adds a photo that is not.
    `sends_video`: Share sends the video itself, else the link."""
    lines = [say(language, "recipe_link", link=link)]
    label = say(language, "button_share")
    if sends_video:
        lines.append(say(language, "recipe_sends_video"))
        chooser = InlineKeyboardButton(label, switch_inline_query_chosen_chat=_any_chat(query_for(task)))
    else:
        chooser = InlineKeyboardButton(label, url=_chooser(link, task.request.prompt))
    button_rows = [[chooser, copy_button(language, "button_copy_link", link)]]
    if with_photos:
        lines.append(say(language, "recipe_with_photo"))
    elif task.request.photos:
        lines.append(say(language, "recipe_without_photo"))
        button_rows.append([task_button(task, "button_share_photo", SHARE_PHOTO)])
    return Card("\n\n".join(lines), keyboard(button_rows))


COMMANDS: Commands = ()
BUTTONS: Buttons = (
    Button(verb=SHARE, handle=share, refusal="press_only_owner"),
    Button(verb=SHARE_PHOTO, handle=share_photo),
)
