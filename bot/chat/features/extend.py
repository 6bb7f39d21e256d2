"""/extend and the button Extend: continue a video from its last frame."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.chat.cards.continuation import continuation
from bot.chat.cards.draft_card import GO_ON
from bot.chat.cards.photo_picker import words_question
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.cards.result_buttons import EXTEND
from bot.chat.context import ChatContext
from bot.chat.handlers import Button, ButtonPress, Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent, SentPhoto, SentVideo
from bot.chat.parsing.prompt_options import PromptOptions, read_prompt
from bot.chat.reply import Reply
from bot.chat.sender import Sender, sender_of
from bot.draft import DraftQuestion
from bot.errors import ChatGone, MediaError
from bot.media import media_info as media
from bot.request import check_photo
from bot.task import Task, TaskState

_ASKED_AGAIN_AFTER = timedelta(seconds=30)


async def extend(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Start a continuation of the video that is replied to; without words ask for them."""
    if intent.video is None:
        await ctx.messenger.say(sender, "extend_how", command=ctx.names.command("extend", sender.chat_id))
        return
    parent, words = await _parent(ctx, sender, intent), read_prompt(intent.words)
    await ctx.messenger.reply(sender, await _continue(ctx, sender, intent.video, parent, words))


async def extend_result(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Ask for the words."""
    task = press.task
    if task.state is not TaskState.SUCCEEDED or not task.file_id:
        return Reply("press_gone")
    if await _has_just_asked(ctx, press):
        return None
    return await _continue(ctx, press.sender, SentVideo(task.file_id, None), task, PromptOptions())


async def draft_extension(ctx: ChatContext, sender: Sender, intent: Intent, video: SentVideo) -> None:
    """Draft a continuation of a video that was sent alone, or to which plain words replied."""
    parent, words = await _parent(ctx, sender, intent), read_prompt(intent.words)
    await ctx.messenger.reply(
        sender, await _continue(ctx, sender, video, parent, words, question=DraftQuestion.EXTENDING_DRAFT)
    )


async def go_on(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Order the words of a draft as what happens next in the video to which they replied."""
    task = press.task
    parent = await ctx.store.tasks.get(task.parent_id) if task.parent_id else None
    if task.question != DraftQuestion.START_REWORDED or task.state is not TaskState.DRAFT:
        return Reply("press_too_late")
    if parent is None or not parent.file_id:
        return Reply("press_gone")
    if refusal := await ctx.access.limit(press.sender.user_id, press.sender.chat_id):
        return refusal
    request = continuation(task.request, parent.file_id, ctx.models, task.request.model)
    if request is None:
        return Reply("extend_nobody")
    request = request.model_copy(update={"prompt": task.request.prompt})
    # The worker posts a new card, which shows the picture.
    waiting = task.asked(request, DraftQuestion.EXTENDING_PRESSED, ctx.clock())
    await ctx.store.tasks.save(replace(waiting, card=waiting.card.lost()))
    if task.card.card_id is not None:
        await ctx.board.remove(task.card.chat_id, task.card.card_id)
    ctx.wake()
    return None


async def _parent(ctx: ChatContext, sender: Sender, intent: Intent) -> Task | None:
    """Return the task on whose card the video is."""
    if intent.answers is None:
        return None
    return await ctx.store.tasks.find(card=(sender.chat_id, intent.answers))


async def _continue(
    ctx: ChatContext,
    sender: Sender,
    video: SentVideo,
    parent: Task | None,
    words: PromptOptions,
    *,
    question: DraftQuestion | None = None,
) -> Reply | None:
    """Check all that can be checked, then leave the video to the worker. Return what stands against it.
    `question`: what the draft asks meanwhile, if not what the sender's way of asking makes of it.

    Reading a video takes time, and no message should wait for it: a draft without a card waits for its turn.
    """
    if refusal := await ctx.access.limit(sender.user_id, sender.chat_id):
        return refusal
    if (video.size_bytes or 0) > ctx.videos.download_max_bytes:
        return Reply("video_too_many_bytes")
    settings = await ctx.preferences.of(sender.chat_id)
    usual, _ = ctx.request_builder.read(PromptOptions(), None, settings=settings)
    source = parent.request if parent else usual
    base = continuation(source, video.file_id, ctx.models, usual.model)
    if base is None:
        return Reply("extend_nobody")
    request, problems = ctx.request_builder.read(words, None, base, settings)
    for problem in problems:
        if words.prompt or not problem.code.startswith("prompt_missing"):
            return problem_reply(sender.language, problem)
    try:
        if request.model != source.model and "model" not in words.options:
            await ctx.messenger.say(sender, "extend_by_other", chosen=source.model, model=request.model)
    except ChatGone:
        return Reply("extend_no_photos")
    question = question or (DraftQuestion.EXTENDING_PRESSED if sender.pressed else DraftQuestion.EXTENDING)
    await ctx.drafts.gather(sender, request, question, ctx.clock(), parent.id if parent else None)
    return None


async def read_video(ctx: ChatContext, task: Task) -> None:
    """Handle a draft whose video is due to be read: start it, ask for words, or say why it cannot work."""
    sender = sender_of(task)
    try:
        reply = await _read(ctx, sender, task)
    except MediaError as error:
        reply = Reply(error.code, error.values)
    await ctx.messenger.reply(sender, reply)


async def _read(ctx: ChatContext, sender: Sender, task: Task) -> Reply | None:
    request, video_id = task.request, task.request.photos[0]
    model = ctx.models.get(request.model)
    if model is None:
        return Reply("extend_nobody")  # the bot was set up again meanwhile
    frame = await ctx.videos.last_frame(video_id, sender.user_id)
    for problem in check_photo(model, frame.width, frame.height, media.MAX_BYTES, None):
        # Its phrase speaks of a photo, and nobody sent one.
        return Reply("video_too_small", problem.values)
    # Until a message shows the frame, the video stands in its place.
    ctx.photos.note(SentPhoto(video_id, frame.width, frame.height, None))
    try:
        if task.question == DraftQuestion.EXTENDING_DRAFT:
            is_optional = not ctx.request_builder.problems(request)
            asks = words_question(request, is_optional=is_optional)
            question = DraftQuestion.START if request.prompt else asks
            await ctx.drafts.draft(sender, request, question, task.parent_id, frame.data)
        elif request.prompt:
            return await ctx.orders.start(sender, request, task.parent_id, frame.data)
        else:
            await ctx.drafts.ask(sender, request, DraftQuestion.EXTEND_WORDS, task.parent_id, frame.data)
    except ChatGone:
        # A group may allow text only; if nothing can be sent, this answer fails in the same way.
        return Reply("extend_no_photos")
    return None


async def _has_just_asked(ctx: ChatContext, press: ButtonPress) -> bool:
    since = ctx.clock() - _ASKED_AGAIN_AFTER
    drafts = await ctx.store.tasks.drafts(press.sender.chat_id, press.sender.user_id)
    mine = [one for one in drafts if one.parent_id == press.task.id]
    asking = (DraftQuestion.EXTEND_WORDS, DraftQuestion.EXTENDING_PRESSED)
    asked = [one for one in mine if one.question in asking]
    repeated = any(one.created_at > since for one in asked)
    return repeated or await ctx.store.tasks.find(update_id=press.sender.update_id) is not None


COMMANDS: Commands = (Command(name="extend", handle=extend),)
BUTTONS: Buttons = (
    Button(verb=EXTEND, handle=extend_result, used_by="anybody"),
    Button(verb=GO_ON, handle=go_on),
)
