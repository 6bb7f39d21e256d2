"""/again: make a finished video once more, as it was or with other words."""

from __future__ import annotations

from bot.chat.cards.continuation import continuation
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.context import ChatContext
from bot.chat.features.extend import draft_extension
from bot.chat.handlers import Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent, SentVideo
from bot.chat.parsing.prompt_options import read_prompt
from bot.chat.sender import Sender
from bot.draft import DraftQuestion
from bot.task import Task, TaskState


async def again(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Repeat the video that is replied to, else the person's newest here. The words change it."""
    task = await _meant(ctx, sender, intent)
    if task is None:
        is_reply = intent.answers is not None or intent.video is not None
        await ctx.messenger.say(sender, "again_unknown" if is_reply else "again_none")
        return
    # The same seed would give the same video.
    unseeded = task.request.model_copy(update={"seed": None})
    request, problems = ctx.request_builder.read(read_prompt(intent.words), None, unseeded)
    is_bare = not intent.words and intent.answers is None and intent.video is None
    if not problems and is_bare:
        # This is what the menu sends, perhaps by a slip of the thumb.
        await ctx.drafts.draft(sender, request, DraftQuestion.START, task.id)
        return
    reply = (
        problem_reply(sender.language, problems[0])
        if problems
        else await ctx.orders.start(sender, request, task.id)
    )
    await ctx.messenger.reply(sender, reply)


async def reword(ctx: ChatContext, sender: Sender, intent: Intent) -> bool:
    """Make a draft of the request on whose card the words reply, with them. Return False if they reply to no
    card, or to that of a draft."""
    if intent.answers is None:
        return False
    task = await ctx.store.tasks.find(card=(sender.chat_id, intent.answers))
    if task is None or task.state is TaskState.DRAFT or not (task.request.prompt or task.request.photos):
        return False
    if task.is_joined and task.file_id:
        await draft_extension(ctx, sender, intent, SentVideo(task.file_id, None))
        return True
    request, problems = ctx.request_builder.read(read_prompt(intent.words), None, task.request)
    can_go_on = task.file_id and continuation(request, task.file_id, ctx.models, request.model)
    if problems:
        await ctx.messenger.reply(sender, problem_reply(sender.language, problems[0]))
    else:
        question = DraftQuestion.START_REWORDED if can_go_on else DraftQuestion.START
        await ctx.drafts.draft(sender, request, question, task.id)
    return True


async def _meant(ctx: ChatContext, sender: Sender, intent: Intent) -> Task | None:
    if intent.answers is not None or intent.video is not None:
        task = await _shown(ctx, sender, intent.answers)
    else:
        task = next(iter(await ctx.store.tasks.history(sender.chat_id, sender.user_id, 1)), None)
    # A joined film was not made of words: what is made again is its second part.
    if task is not None and task.is_joined and task.parent_id is not None:
        return await ctx.store.tasks.get(task.parent_id)
    return task


async def _shown(ctx: ChatContext, sender: Sender, card_id: int | None) -> Task | None:
    """Return the task whose video is on that message, if its request is still known."""
    task = None if card_id is None else await ctx.store.tasks.find(card=(sender.chat_id, card_id))
    if task is None or task.state is not TaskState.SUCCEEDED:
        return None
    return task if task.request.prompt or task.request.photos else None


COMMANDS: Commands = (Command(name="again", handle=again),)
BUTTONS: Buttons = ()
