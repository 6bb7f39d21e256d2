"""The buttons under an outcome: the same request again or changed, and a video that is offered again."""

from __future__ import annotations

from bot.chat.cards.next_steps import NextStep
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.cards.task_card import MAKE_ANYWAY
from bot.chat.context import ChatContext
from bot.chat.handlers import Button, ButtonPress, Buttons, Commands
from bot.chat.reply import Reply
from bot.codes import RESULT_REFUSED
from bot.draft import DraftQuestion
from bot.request import VideoRequest
from bot.task import END_STATES, TaskState


async def repeat(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Order the very same; of somebody else's video make a draft, on one's own limits."""
    task, request = press.task, press.task.request
    if task.state is TaskState.SUCCEEDED or task.error_code in RESULT_REFUSED:
        # The same seed would give the same video.
        request = request.model_copy(update={"seed": None})
    if press.sender.user_id == task.user_id:
        return await _order(ctx, press, request)
    if not await _is_repeated(ctx, press):
        await ctx.drafts.draft(press.sender, request, DraftQuestion.START_NAMED, task.id)
    return None


async def make_anyway(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Order what was dropped. Its card goes: the new one takes its place."""
    if press.task.state is not TaskState.CANCELLED:
        return Reply("press_too_late")
    reply = await _order(ctx, press, press.task.request)
    if (reply is None or reply.key == "press_ordered") and press.sender.message_id is not None:
        await ctx.board.remove(press.sender.chat_id, press.sender.message_id)
    return reply


async def use_model(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Use another model: for a draft that the chosen one cannot make, or after an outcome."""
    request = press.task.request.model_copy(update={"model": press.choice})
    if press.task.state is TaskState.DRAFT:
        settings = await ctx.preferences.of(press.sender.chat_id)
        completed = ctx.request_builder.add_usual(request, settings)
        return await ctx.orders.generate(press.sender, press.task, completed)
    return await _order(ctx, press, request)


async def drop_photo(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    without = {"photos": (), "photos_as": "frames", "crop": None, "extends": None, "loop": None}
    return await _order(ctx, press, press.task.request.model_copy(update=without))


async def ask_for_change(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Ask for other words or another photo. The answer starts the task."""
    if press.task.state not in END_STATES:
        return Reply("press_too_late")
    if not await _is_repeated(ctx, press):
        words = DraftQuestion.OTHER_WORDS if press.task.request.prompt else DraftQuestion.WORDS
        question = DraftQuestion.OTHER_PHOTO if press.verb == NextStep.PHOTO else words
        await ctx.drafts.ask(press.sender, press.task.request, question, press.task.id)
    return None


async def send_offered(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Send a video again that perhaps did not arrive."""
    await ctx.store.tasks.save(press.task.resend(press.sender.thread_id, ctx.clock()))
    ctx.wake()
    return Reply("press_done")


async def fetch_again(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Ask the provider again, for free, for a video that was made and could not be fetched."""
    saved = await ctx.store.tasks.save(press.task.refetch(ctx.clock()))
    ctx.board.show(saved, pressed=True)
    ctx.wake()
    return Reply("press_fetching")


async def _order(ctx: ChatContext, press: ButtonPress, request: VideoRequest) -> Reply | None:
    """Order a new task, after one that has ended."""
    if press.task.state not in END_STATES:
        return Reply("press_too_late")
    if problems := ctx.request_builder.problems(request):
        return problem_reply(press.sender.language, problems[0])
    if await _is_repeated(ctx, press):
        return None
    if await ctx.orders.is_on_its_way(press.sender, request, press.task.id):
        return Reply("press_on_its_way")
    return await ctx.orders.start(press.sender, request, press.task.id)


async def _is_repeated(ctx: ChatContext, press: ButtonPress) -> bool:
    """Return True if this very press, or the same a moment ago, has been handled."""
    update_id = press.sender.update_id
    same = (press.sender.user_id, press.task.id, press.verb, press.choice)
    if ctx.duplicate_guard.is_repeated(update_id, *same):
        return True
    return await ctx.store.tasks.find(update_id=update_id) is not None


COMMANDS: Commands = ()
BUTTONS: Buttons = (
    Button(verb=NextStep.AGAIN, handle=repeat, used_by="anybody"),
    Button(verb=MAKE_ANYWAY, handle=make_anyway),
    Button(verb=NextStep.WORDS, handle=ask_for_change, used_by="anybody"),
    Button(verb=NextStep.PHOTO, handle=ask_for_change),
    Button(verb=NextStep.PLAIN, handle=drop_photo),
    Button(verb=NextStep.MODEL, handle=use_model),
    Button(verb=NextStep.FETCH, handle=fetch_again),
    Button(verb="send", handle=send_offered),
)
