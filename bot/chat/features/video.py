"""/video, /v and /animate, and the messages that ask for a video without a command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bot.chat.context import ChatContext
from bot.chat.features import photo_pairs
from bot.chat.features.again import reword
from bot.chat.features.objection import object_to
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.ordering.albums import read_album
from bot.chat.parsing.message_intent import Intent
from bot.chat.parsing.prompt_options import read_words
from bot.chat.sender import Sender
from bot.draft import AWAITS_PHOTO, DraftQuestion
from bot.errors import MediaError, StaleTask
from bot.task import Task, TaskState


async def video(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Handle a command or a photo: it answers a question, adds to a draft, or asks for a video by itself."""
    is_command = intent.kind == "video"
    if not is_command and (task := await _photo_question(ctx, sender, intent)):
        await _complete(ctx, sender, task, intent)
    elif not is_command and (task := await photo_pairs.awaited(ctx, sender, intent)):
        problem = await photo_pairs.add_last(ctx, sender, task, intent)
        await ctx.messenger.explain(sender, problem)
    elif intent.kind == "answer":
        return
    elif sender.album_id is not None and intent.photo is not None:
        await ctx.albums.begin(sender, intent.photo, intent)
    elif intent.kind == "draft":
        await _draft(ctx, sender, intent)
    else:
        await _start(ctx, sender, intent)


async def text(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Handle plain text: an answer to a question, the words for a photo, or in private words for a video."""
    if not sender.is_group and await reword(ctx, sender, intent):
        return
    draft = await _question(ctx, sender, intent, ctx.drafts.awaits_words)
    if draft is not None and draft.question in AWAITS_PHOTO:
        await ctx.messenger.say(sender, "photo_wanted")
    elif draft is not None and draft.question == DraftQuestion.WHICH_PHOTOS:
        problem = await photo_pairs.add_words(ctx, sender, draft, intent.words)
        await ctx.messenger.explain(sender, problem)
    elif draft is not None:
        await _complete(ctx, sender, draft, intent)
    elif not sender.is_group:
        settings = await ctx.preferences.of(sender.chat_id)
        request, problems = ctx.request_builder.read(read_words(intent.words), None, settings=settings)
        if problems:
            await object_to(ctx, sender, request, problems, None)
        else:
            await ctx.drafts.draft(sender, request, DraftQuestion.START)


async def album(ctx: ChatContext, task: Task) -> None:
    """Handle an album whose photos have all been collected."""
    collected = read_album(task)
    sender = collected.sender
    try:
        if len(collected.photos) == 1:
            one = Intent("video" if collected.is_wanted else "draft", collected.words, collected.photos[0])
            await (_start if collected.is_wanted else _draft)(ctx, sender, one)
        else:
            settings = await ctx.preferences.of(task.card.chat_id)
            problem = await photo_pairs.start_album(ctx, collected, settings)
            await ctx.messenger.explain(sender, problem)
    except MediaError as error:
        await ctx.messenger.say(sender, error.code, **error.values)


async def _start(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    settings = await ctx.preferences.of(sender.chat_id)
    request, problems = ctx.request_builder.read(read_words(intent.words), intent.photo, settings=settings)
    if not problems:
        await ctx.messenger.explain(sender, await ctx.orders.start(sender, request))
    elif {problem.code for problem in problems} == {"prompt_missing"}:
        await ctx.drafts.ask(sender, request, DraftQuestion.WORDS)
    elif {problem.code for problem in problems} == {"prompt_missing_with_photo"}:
        await ctx.drafts.draft(sender, request, DraftQuestion.PHOTO_WORDS)
    else:
        await object_to(ctx, sender, request, problems, intent.photo)


async def _draft(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Ask what should happen in a photo alone, or whether to use one that somebody else made."""
    settings = await ctx.preferences.of(sender.chat_id)
    request, problems = ctx.request_builder.read(read_words(intent.words), intent.photo, settings=settings)
    if [problem for problem in problems if problem.code != "prompt_missing_with_photo"]:
        await object_to(ctx, sender, request, problems, intent.photo)
    elif request.prompt:
        await ctx.drafts.draft(sender, request, DraftQuestion.START)
    else:
        question = DraftQuestion.PHOTO_WORDS if problems else DraftQuestion.PHOTO_MOTION
        await ctx.drafts.draft(sender, request, question)


async def _photo_question(ctx: ChatContext, sender: Sender, intent: Intent) -> Task | None:
    """Return the question that this photo answers."""
    task = await _question(ctx, sender, intent, ctx.drafts.awaits_photo)
    return task if task is not None and task.question in AWAITS_PHOTO else None


async def _question(
    ctx: ChatContext, sender: Sender, intent: Intent, awaits: Callable[[Task], bool]
) -> Task | None:
    """Return the draft that a message replies to; in private else the newest, if it `awaits` such a one."""
    if intent.answers is not None:
        task = await ctx.store.tasks.find(card=(sender.chat_id, intent.answers))
        asked = task is not None and task.state is TaskState.DRAFT and task.question is not None
        if task is not None and asked and task.user_id == sender.user_id:
            return task
    if sender.is_group:
        return None
    drafts = await ctx.store.tasks.drafts(sender.chat_id, sender.user_id)
    # Who is offered another model may as well say it in other words.
    newest = next((draft for draft in drafts if draft.question != DraftQuestion.MODEL), None)
    if newest is not None and newest.is_collecting_album:
        newest = await _close_album(ctx, newest)
    return newest if newest is not None and awaits(newest) else None


async def _close_album(ctx: ChatContext, task: Task) -> Task | None:
    """Handle an album early, because words for it came: nobody sends more photos of it after that."""
    # Stale if the worker was quicker, and may be asking at this moment.
    with suppress(StaleTask):
        claimed = await ctx.albums.claim(task)
        await album(ctx, claimed)
        await ctx.albums.close(claimed)
    return await ctx.store.tasks.get(task.id)


async def _complete(ctx: ChatContext, sender: Sender, task: Task, intent: Intent) -> None:
    """Add to a draft what was missing: words, options, or a photo. The rest stays as it was asked for."""
    # The defaults depend on the model: a draft that offers another model does not have them yet.
    settings = await ctx.preferences.of(sender.chat_id) if task.question == DraftQuestion.MODEL else None
    words = read_words(intent.words)
    request, problems = ctx.request_builder.read(words, intent.photo, task.request, settings)
    if problems:
        await object_to(ctx, sender, request, problems, intent.photo)
    else:
        await ctx.messenger.explain(sender, await ctx.orders.answered(task, sender, request))


COMMANDS: Commands = (
    Command(name="video", handle=video, is_about_photo=True),
    Command(name="v", handle=video, is_about_photo=True, menu="nowhere"),
    Command(name="animate", handle=video, is_about_photo=True),
)
BUTTONS: Buttons = ()
