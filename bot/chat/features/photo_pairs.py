"""Several photos: two that a video leads from and to, or references, and the choice between them."""

from __future__ import annotations

from bot.chat.cards import photo_picker
from bot.chat.cards.motion_suggestions import VERB as MOTION
from bot.chat.cards.motion_suggestions import motion_words
from bot.chat.cards.photo_picker import (
    ALL,
    MOST_PHOTOS,
    chosen_photos,
    fit_references,
    fit_two_photos,
    words_question,
)
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.context import ChatContext
from bot.chat.features.objection import object_to
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.ordering.albums import Album
from bot.chat.parsing.message_intent import Intent, SentPhoto
from bot.chat.parsing.prompt_options import PromptOptions, read_prompt
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.draft import STARTED_BY_ANSWER, DraftQuestion
from bot.request import VideoRequest
from bot.store import ChatSettings
from bot.task import Task, TaskState

_OPEN = frozenset({"prompt_missing_with_photo", "no_first_last"})
"""Problems that a question solves."""


async def start_album(ctx: ChatContext, album: Album, settings: ChatSettings) -> Reply | None:
    """Start an album of two or more photos, or ask what is open. Return what stands against it."""
    sender, first, last = album.sender, album.photos[0], album.photos[1]
    words = read_prompt(album.words)
    as_references = words.options.get("photos_as") == "references"
    further = album.photos[1:] if as_references else (last,)
    request, problems = ctx.request_builder.read(words, first, settings=settings, further=further)
    file_ids = tuple(photo.file_id for photo in album.photos)
    several = request.model_copy(update={"photos": file_ids})
    able = request if as_references else fit_two_photos(request, ctx.models)
    blocked = [problem for problem in problems if problem.code not in _OPEN or as_references]
    blocked = [problem for problem in blocked if problem.code != "prompt_missing_with_photo"]
    # A model is no way out if it could not use one of the photos.
    sent = album.photos if as_references else (first, last)
    weakest = min(sent, key=lambda photo: len(ctx.request_builder.others(request, photo)))
    if blocked:
        await object_to(ctx, sender, request, blocked, weakest)
    elif not as_references and (able is None or len(file_ids) > 2 or _may_show(ctx, words, several)):
        await ctx.drafts.put(sender, several, DraftQuestion.WHICH_PHOTOS)
    elif not request.prompt.strip() or not album.is_wanted:
        usual = ctx.request_builder.add_usual(able or request, settings)
        question = DraftQuestion.START if request.prompt.strip() else words_question(usual)
        await ctx.drafts.draft(sender, usual, question)
    elif problems:
        await object_to(ctx, sender, request, problems, weakest)
    else:
        return await ctx.orders.start(sender, request)
    return None


def _may_show(ctx: ChatContext, words: PromptOptions, request: VideoRequest) -> bool:
    """Return True if the photos could be references as well, for the model that the words name or for any."""
    able = fit_references(request, ctx.models)
    return able is not None and (able.model == request.model or "model" not in words.options)


async def awaited(ctx: ChatContext, sender: Sender, intent: Intent) -> Task | None:
    """Return the draft of photos to whose card this photo replies, if it can take one more."""
    if intent.answers is None or intent.photo is None:
        return None
    task = await ctx.store.tasks.find(card=(sender.chat_id, intent.answers))
    if task is None or task.state is not TaskState.DRAFT or task.user_id != sender.user_id:
        return None
    request = task.request
    if not 0 < len(request.photos) < MOST_PHOTOS or request.extends or task.question in STARTED_BY_ANSWER:
        return None
    if fit_references(request, ctx.models):
        return task
    return task if len(request.photos) == 1 and fit_two_photos(request, ctx.models) else None


async def add_photo(
    ctx: ChatContext, sender: Sender, task: Task, photo: SentPhoto, text: str
) -> Reply | None:
    """Add one more photo to a draft, which asks the same as before on a new card, or what they are for."""
    words, base = read_prompt(text), task.request.model_copy(update={"loop": None})
    if words.options.get("photos_as", base.photos_as) == "references":
        base = base.model_copy(update={"photos_as": "references"})
    elif _may_show(ctx, words, base):
        return await _ask_which(ctx, sender, task, photo, words)
    else:
        base = fit_two_photos(base, ctx.models) or base
    request, problems = ctx.request_builder.read(words, None, base, further=(photo,))
    blocked = [problem for problem in problems if problem.code != "prompt_missing_with_photo"]
    if blocked:
        await object_to(ctx, sender, request, blocked, photo)
        return None
    question = words_question(request) if problems else DraftQuestion.START
    return await ctx.orders.answered(task, sender, request, question)


async def _ask_which(
    ctx: ChatContext, sender: Sender, task: Task, photo: SentPhoto, words: PromptOptions
) -> Reply | None:
    """Ask what the photos of a draft and one more are for."""
    base = task.request.model_copy(update={"photos": task.request.photos[:1], "crop": None, "camera": None})
    request, problems = ctx.request_builder.read(words, None, base, further=(photo,))
    blocked = [problem for problem in problems if problem.code not in _OPEN]
    if blocked:
        await object_to(ctx, sender, request, blocked, photo)
        return None
    several = request.model_copy(update={"photos": (*task.request.photos, photo.file_id)})
    return await ctx.orders.answered(task, sender, several, DraftQuestion.WHICH_PHOTOS)


async def add_words(ctx: ChatContext, sender: Sender, task: Task, text: str) -> Reply | None:
    """Add words to photos of which none is chosen yet."""
    words, photos = read_prompt(text), task.request.photos
    if words.options.get("photos_as") == "references":
        request, problems = ctx.request_builder.read(words, None, task.request)
        if problems:
            return problem_reply(sender.language, problems[0])
        return await ctx.orders.answered(task, sender, request)
    base = task.request.model_copy(update={"photos": photos[:1]})
    request, problems = ctx.request_builder.read(words, None, base)
    if problems:
        return problem_reply(sender.language, problems[0])
    several = request.model_copy(update={"photos": photos})
    return await ctx.orders.answered(task, sender, several, DraftQuestion.WHICH_PHOTOS)


async def choose(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Choose the first photo, or make a draft of the chosen ones."""
    task = press.task
    asks = task.question in (DraftQuestion.WHICH_PHOTOS, DraftQuestion.MODEL)
    if task.state is not TaskState.DRAFT or not asks:
        return Reply("press_too_late")
    if press.choice == ALL:
        able = fit_references(task.request, ctx.models)
        return await _draft(ctx, press, able) if able else Reply("press_gone")
    if task.question == DraftQuestion.WHICH_PHOTOS and "-" not in press.choice:
        await ctx.board.redraw(task, press.choice or None)
        return None
    photos = chosen_photos(task.request.photos, press.choice)
    if photos is None:
        return Reply("press_gone")
    request = task.request.model_copy(update={"photos": photos, "photos_as": "frames", "crop": None})
    able = fit_two_photos(request, ctx.models) if len(photos) == 2 else request
    if able is None:
        return Reply("press_gone")
    return await _draft(ctx, press, able)


async def use_motion(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Use a suggested motion as the words."""
    words = motion_words(press.task, press.choice)
    if words is None or press.task.state is not TaskState.DRAFT:
        return Reply("press_too_late")
    return await _draft(ctx, press, press.task.request.model_copy(update={"prompt": words}))


async def _draft(ctx: ChatContext, press: ButtonPress, request: VideoRequest) -> Reply | None:
    problems = ctx.request_builder.problems(request)
    blocked = [problem for problem in problems if problem.code != "prompt_missing_with_photo"]
    if blocked:
        return problem_reply(press.sender.language, blocked[0])
    question = DraftQuestion.START
    if not request.prompt.strip():
        question = words_question(request, is_optional=not problems)
    await ctx.drafts.reask(press.sender, press.task, request, question)
    return None


COMMANDS: Commands = ()
BUTTONS: Buttons = (
    Button(verb=photo_picker.VERB, handle=choose),
    Button(verb=MOTION, handle=use_motion),
)
