"""Photo pairs: two photos that a video leads from and to, and the choice if more were sent."""

from __future__ import annotations

from bot.chat.cards import photo_picker
from bot.chat.cards.motion_suggestions import VERB as MOTION
from bot.chat.cards.motion_suggestions import motion_words
from bot.chat.cards.photo_picker import chosen_photos, fit_two_photos
from bot.chat.context import ChatContext
from bot.chat.features.objection import object_to
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.ordering.albums import Album
from bot.chat.parsing.message_intent import Intent
from bot.chat.parsing.prompt_options import read_words
from bot.chat.sender import Sender
from bot.draft import STARTED_BY_ANSWER, DraftQuestion
from bot.request import Problem, VideoRequest
from bot.store import ChatSettings
from bot.task import Task, TaskState

_OPEN = frozenset({"prompt_missing_with_photo", "no_first_last"})
"""What can be asked about."""


async def start_album(ctx: ChatContext, album: Album, settings: ChatSettings) -> Problem | None:
    """Start an album of two or more photos, or ask what is open. Return what stands against it."""
    sender, first, last = album.sender, album.photos[0], album.photos[1]
    words = read_words(album.words)
    request, problems = ctx.request_builder.read(words, first, settings=settings, last=last)
    able = fit_two_photos(request, ctx.models)
    blocked = [problem for problem in problems if problem.code not in _OPEN]
    # A model is no way out where it could not use one of the two.
    weakest = min((first, last), key=lambda photo: len(ctx.request_builder.others(request, photo)))
    if blocked:
        await object_to(ctx, sender, request, blocked, weakest)
    elif able is None or len(album.photos) > 2:
        file_ids = tuple(photo.file_id for photo in album.photos)
        several = request.model_copy(update={"photos": file_ids})
        await ctx.drafts.put(sender, several, DraftQuestion.WHICH_PHOTOS)
    elif not request.prompt.strip() or not album.is_wanted:
        usual = ctx.request_builder.add_usual(able, settings)
        question = DraftQuestion.START if request.prompt.strip() else DraftQuestion.TWO_PHOTOS_WORDS
        await ctx.drafts.draft(sender, usual, question)
    elif problems:
        await object_to(ctx, sender, request, problems, weakest)
    else:
        return await ctx.orders.start(sender, request)
    return None


async def awaited(ctx: ChatContext, sender: Sender, intent: Intent) -> Task | None:
    """Return the draft of one photo to whose card this photo replies, if it can be the last frame."""
    if intent.answers is None or intent.photo is None:
        return None
    task = await ctx.store.tasks.find(card=(sender.chat_id, intent.answers))
    if task is None or task.state is not TaskState.DRAFT or task.user_id != sender.user_id:
        return None
    if len(task.request.photos) != 1 or task.question in STARTED_BY_ANSWER:
        return None
    return task if fit_two_photos(task.request, ctx.models) else None


async def add_last(ctx: ChatContext, sender: Sender, task: Task, intent: Intent) -> Problem | None:
    """Add a second photo to a draft, which asks the same as before on a new card."""
    base = fit_two_photos(task.request, ctx.models) or task.request
    request, problems = ctx.request_builder.read(read_words(intent.words), None, base, last=intent.photo)
    blocked = [problem for problem in problems if problem.code != "prompt_missing_with_photo"]
    if blocked:
        await object_to(ctx, sender, request, blocked, intent.photo)
        return None
    question = DraftQuestion.TWO_PHOTOS_WORDS if problems else DraftQuestion.START
    return await ctx.orders.answered(task, sender, request, question)


async def add_words(ctx: ChatContext, sender: Sender, task: Task, words: str) -> Problem | None:
    """Add words to photos of which none is chosen yet."""
    photos = task.request.photos
    base = task.request.model_copy(update={"photos": photos[:1]})
    request, problems = ctx.request_builder.read(read_words(words), None, base)
    if problems:
        return problems[0]
    several = request.model_copy(update={"photos": photos})
    return await ctx.orders.answered(task, sender, several, DraftQuestion.WHICH_PHOTOS)


async def choose(ctx: ChatContext, press: ButtonPress) -> Problem | None:
    """Choose the first photo, or make a draft of the chosen ones."""
    task = press.task
    asks = task.question in (DraftQuestion.WHICH_PHOTOS, DraftQuestion.MODEL)
    if task.state is not TaskState.DRAFT or not asks:
        return Problem("press_too_late", {})
    if task.question == DraftQuestion.WHICH_PHOTOS and "-" not in press.choice:
        await ctx.board.redraw(task, press.choice or None)
        return None
    photos = chosen_photos(task.request.photos, press.choice)
    if photos is None:
        return Problem("press_gone", {})
    request = task.request.model_copy(update={"photos": photos, "crop": None})
    able = fit_two_photos(request, ctx.models) if len(photos) == 2 else request
    if able is None:
        return Problem("press_gone", {})
    return await _draft(ctx, press, able)


async def use_motion(ctx: ChatContext, press: ButtonPress) -> Problem | None:
    """Use a suggested motion as the words."""
    words = motion_words(press.task, press.choice)
    if words is None or press.task.state is not TaskState.DRAFT:
        return Problem("press_too_late", {})
    return await _draft(ctx, press, press.task.request.model_copy(update={"prompt": words}))


async def _draft(ctx: ChatContext, press: ButtonPress, request: VideoRequest) -> Problem | None:
    problems = ctx.request_builder.problems(request)
    blocked = [problem for problem in problems if problem.code != "prompt_missing_with_photo"]
    if blocked:
        return blocked[0]
    question = DraftQuestion.START
    if not request.prompt.strip():
        alone = DraftQuestion.PHOTO_WORDS if problems else DraftQuestion.PHOTO_MOTION
        question = alone if len(request.photos) == 1 else DraftQuestion.TWO_PHOTOS_WORDS
    await ctx.drafts.reask(press.sender, press.task, request, question)
    return None


COMMANDS: Commands = ()
BUTTONS: Buttons = (
    Button(verb=photo_picker.VERB, handle=choose),
    Button(verb=MOTION, handle=use_motion),
)
