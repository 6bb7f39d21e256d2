"""/video, /v and /animate, and the messages that ask for a video without a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from bot.chat.cards.photo_picker import words_question
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.context import ChatContext
from bot.chat.features import photo_pairs
from bot.chat.features.again import reword
from bot.chat.features.extend import draft_extension
from bot.chat.features.objection import object_to
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.ordering.albums import read_album
from bot.chat.parsing.message_intent import Intent, SentPhoto
from bot.chat.parsing.prompt_options import read_prompt
from bot.chat.sender import Sender
from bot.draft import AWAITS_PHOTO, AWAITS_WORDS, STARTED_BY_ANSWER, STARTED_BY_BUTTON, DraftQuestion
from bot.errors import MediaError, StaleTask
from bot.request import Problem, VideoRequest
from bot.task import Task, TaskState

_WAITS_FOR_PHOTO = frozenset(
    {"prompt_missing", "camera_needs_photo", "loop_needs_photo", "references_need_photo", "no_text"}
)
"""Problems that a photo solves which is still to come."""
_EDITED = STARTED_BY_BUTTON | AWAITS_WORDS
_WRITTEN = frozenset({"video", "photo", "draft", "text", "answer"})
_ANSWERED_BY_ALL = (STARTED_BY_ANSWER | AWAITS_PHOTO | AWAITS_WORDS) - {DraftQuestion.WHICH_PHOTOS}


async def video(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Handle a command or a photo: it answers a question, adds to a draft, or asks for a video by itself."""
    is_command = intent.kind == "video"
    if intent.kind == "wants_photo":
        await _ask_photo(ctx, sender, intent)
    elif intent.video is not None:
        await draft_extension(ctx, sender, intent, intent.video)
    elif not is_command and (task := await _photo_question(ctx, sender, intent)):
        await _complete(ctx, sender, task, intent)
    elif (
        not is_command
        and intent.photo is not None
        and (task := await photo_pairs.awaited(ctx, sender, intent))
    ):
        reply = await photo_pairs.add_photo(ctx, sender, task, intent.photo, intent.words)
        await ctx.messenger.reply(sender, reply)
    elif intent.kind == "answer":
        await _answer_of_another(ctx, sender, intent)
    elif sender.album_id is not None and intent.photo is not None:
        await ctx.albums.begin(sender, intent.photo, intent)
    elif intent.kind == "draft":
        await _draft(ctx, sender, intent)
    else:
        await _start(ctx, sender, intent)


async def text(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Handle plain text: an answer to a question, the words for a photo or a video that it replies to, or in
    private words for a video."""
    if not sender.is_group and await reword(ctx, sender, intent):
        return
    draft = await _question(ctx, sender, intent, ctx.drafts.awaits_words)
    if draft is not None and draft.question == DraftQuestion.FIRST_PHOTO:
        await _keep_words(ctx, sender, draft, intent)
    elif draft is not None and draft.question in AWAITS_PHOTO:
        await ctx.messenger.say(sender, "photo_wanted")
    elif draft is not None and draft.question == DraftQuestion.WHICH_PHOTOS:
        reply = await photo_pairs.add_words(ctx, sender, draft, intent.words)
        await ctx.messenger.reply(sender, reply)
    elif draft is not None:
        # A photo that the words reply to is the draft's own, or shows it.
        await _complete(ctx, sender, draft, replace(intent, photo=None))
    elif sender.is_group:
        await _answer_of_another(ctx, sender, intent)
    elif intent.photo is not None:
        await _draft(ctx, sender, intent)
    elif intent.video is not None:
        await draft_extension(ctx, sender, intent, intent.video)
    else:
        await draft_words(ctx, sender, intent.words)


async def draft_words(ctx: ChatContext, sender: Sender, words: str) -> None:
    """Make a draft of words and the options in them, whatever else is open in the chat."""
    settings = await ctx.preferences.of(sender.chat_id)
    request, problems = ctx.request_builder.read(read_prompt(words), None, settings=settings)
    if problems:
        await object_to(ctx, sender, request, problems, None)
    else:
        await ctx.drafts.draft(sender, request, DraftQuestion.START)


async def guess(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Draft the video that a mistyped command asks for, or ask for what it lacks."""
    if intent.video is not None:
        await draft_extension(ctx, sender, intent, intent.video)
        return
    if intent.photo is None and intent.command == "animate":
        await _ask_photo(ctx, sender, intent)
        return
    settings = await ctx.preferences.of(sender.chat_id)
    request, problems = ctx.request_builder.read(read_prompt(intent.words), intent.photo, settings=settings)
    if not problems:
        await ctx.drafts.draft(sender, request, DraftQuestion.START_GUESSED)
    else:
        await _object(ctx, sender, request, problems, intent.photo)


async def edited(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Change the open draft that a message made to what it says by now: its words, and the options in them.

    Photos, and options that were chosen with buttons, stay.
    """
    drafts = await ctx.store.tasks.drafts(sender.chat_id, sender.user_id)
    task = next((one for one in drafts if one.card.message_id == sender.message_id), None)
    if task is None or intent.kind not in _WRITTEN or not intent.words:
        return
    if task.question == DraftQuestion.WORDS:
        await _complete(ctx, sender, task, replace(intent, photo=None, answers=None))
    if task.question not in _EDITED:
        return
    request, problems = ctx.request_builder.read(read_prompt(intent.words), None, task.request)
    if problems:
        await ctx.messenger.reply(sender, problem_reply(sender.language, problems[0]))
    elif request != task.request:
        asks = task.question in AWAITS_WORDS and task.question != DraftQuestion.WHICH_PHOTOS
        await ctx.drafts.reask(sender, task, request, DraftQuestion.START if asks else task.question)


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
            reply = await photo_pairs.start_album(ctx, collected, settings)
            await ctx.messenger.reply(sender, reply)
    except MediaError as error:
        await ctx.messenger.say(sender, error.code, **error.values)


async def _start(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    task = None
    if intent.kind == "video" and intent.answers is not None:
        task = await ctx.store.tasks.find(card=(sender.chat_id, intent.answers))
    if task is not None and task.request.photos:
        # A card may show its photo cropped, or beside another one.
        intent = replace(intent, photo=SentPhoto(task.request.photos[0], None, None, None))
    settings = await ctx.preferences.of(sender.chat_id)
    request, problems = ctx.request_builder.read(read_prompt(intent.words), intent.photo, settings=settings)
    if not problems:
        await ctx.messenger.reply(sender, await ctx.orders.start(sender, request))
    else:
        await _object(ctx, sender, request, problems, intent.photo)


async def _object(
    ctx: ChatContext,
    sender: Sender,
    request: VideoRequest,
    problems: Sequence[Problem],
    photo: SentPhoto | None,
) -> None:
    """Ask for the words if only they are missing, else say what stands against the request."""
    codes = {problem.code for problem in problems}
    if codes == {"prompt_missing"}:
        await ctx.drafts.ask(sender, request, DraftQuestion.WORDS)
    elif codes == {"prompt_missing_with_photo"}:
        await ctx.drafts.draft(sender, request, words_question(request))
    else:
        await object_to(ctx, sender, request, problems, photo)


async def _ask_photo(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Ask for the photo that the words are about, and keep them."""
    settings = await ctx.preferences.of(sender.chat_id)
    request, problems = ctx.request_builder.read(read_prompt(intent.words), None, settings=settings)
    blocked = [problem for problem in problems if problem.code not in _WAITS_FOR_PHOTO]
    if blocked:
        await ctx.messenger.reply(sender, problem_reply(sender.language, blocked[0]))
    else:
        await ctx.drafts.ask(sender, request, DraftQuestion.FIRST_PHOTO)


async def _keep_words(ctx: ChatContext, sender: Sender, draft: Task, intent: Intent) -> None:
    """Take the words that came before the photo."""
    request, _ = ctx.request_builder.read(read_prompt(intent.words), None, draft.request)
    await ctx.store.tasks.save(draft.asked(request, draft.question, ctx.drafts.expiry(draft.card.chat_id)))
    await ctx.messenger.say(sender, "photo_wanted")


async def _draft(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Ask what should happen in a photo alone, or whether to use one that somebody else made."""
    settings = await ctx.preferences.of(sender.chat_id)
    request, problems = ctx.request_builder.read(read_prompt(intent.words), intent.photo, settings=settings)
    if [problem for problem in problems if problem.code != "prompt_missing_with_photo"]:
        await object_to(ctx, sender, request, problems, intent.photo)
    elif request.prompt:
        await ctx.drafts.draft(sender, request, DraftQuestion.START)
    else:
        question = words_question(request, is_optional=not problems)
        await ctx.drafts.draft(sender, request, question)


async def _answer_of_another(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Handle an answer in a group to a question that was put to somebody else: it is a draft of theirs."""
    if intent.answers is None or not sender.is_group:
        return
    task = await ctx.store.tasks.find(card=(sender.chat_id, intent.answers))
    if task is None or task.state is not TaskState.DRAFT or task.question not in _ANSWERED_BY_ALL:
        return
    if intent.photo is not None and task.question not in AWAITS_PHOTO:
        return
    if task.question in AWAITS_PHOTO and intent.photo is None:
        await ctx.messenger.say(sender, "photo_wanted")
        return
    request, problems = ctx.request_builder.read(read_prompt(intent.words), intent.photo, task.request)
    if problems:
        await _object(ctx, sender, request, problems, intent.photo)
    else:
        await ctx.drafts.draft(sender, request, DraftQuestion.START, task.parent_id)


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
    if intent.kind == "text" and (intent.photo is not None or intent.video is not None):
        # It means the message that it replies to, which may be the photo that a draft asks about.
        meant = [draft for draft in drafts if draft.card.message_id == intent.points_at]
        return next((draft for draft in meant if awaits(draft)), None)
    # A person who is offered another model may write another prompt instead.
    newest = next((draft for draft in drafts if draft.question != DraftQuestion.MODEL), None)
    if newest is not None and newest.is_collecting_album:
        newest = await _close_album(ctx, newest)
    return newest if newest is not None and awaits(newest) else None


async def _close_album(ctx: ChatContext, task: Task) -> Task | None:
    """Handle an album early, because words for it came: nobody sends more photos of it after that."""
    # Stale if the worker was quicker: it may be asking at this moment.
    with suppress(StaleTask):
        claimed = await ctx.albums.claim(task)
        await album(ctx, claimed)
        await ctx.albums.close(claimed)
    return await ctx.store.tasks.get(task.id)


async def _complete(ctx: ChatContext, sender: Sender, task: Task, intent: Intent) -> None:
    """Add to a draft what was missing: words, options, or a photo. The rest stays as it was asked for."""
    # The defaults depend on the model: a draft that offers another model does not have them yet.
    settings = await ctx.preferences.of(sender.chat_id) if task.question == DraftQuestion.MODEL else None
    words = read_prompt(intent.words)
    request, problems = ctx.request_builder.read(words, intent.photo, task.request, settings)
    question = DraftQuestion.START
    if {problem.code for problem in problems} == {"prompt_missing_with_photo"} and intent.photo is not None:
        question, problems = words_question(request), []
    if problems:
        await object_to(ctx, sender, request, problems, intent.photo)
        return
    if task.question == DraftQuestion.START_REWORDED:
        question = DraftQuestion.START_REWORDED
    # The next words in a private chat are meant for the question, but they may be a new thought as well.
    is_reply = intent.answers == task.card.card_id or intent.photo is not None
    await ctx.messenger.reply(
        sender, await ctx.orders.answered(task, sender, request, question, is_reply=is_reply)
    )


COMMANDS: Commands = (
    Command(name="video", handle=video, is_about_photo=True),
    Command(name="v", handle=video, is_about_photo=True, menu="nowhere"),
    Command(name="animate", handle=video, is_about_photo=True, needs_photo=True),
)
BUTTONS: Buttons = ()
