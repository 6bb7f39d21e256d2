"""/cancel and the button on a card: for the owner of a task, and in a group for its admins."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from telegram import InlineKeyboardMarkup

from bot.chat.cards.film_card import film_words
from bot.chat.cards.layout import Card, button, cut, join, prompt_line, with_place
from bot.chat.cards.result_buttons import FILM
from bot.chat.cards.task_card import stopped_phrase
from bot.chat.context import ChatContext
from bot.chat.features.film import stop_film
from bot.chat.handlers import Button, ButtonPress, Buttons, Command, Commands
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.errors import IllegalMove, StaleTask
from bot.film import Film
from bot.task import Task, TaskState
from bot.text import say

CANCEL = "cancel"
DISMISS = "dismiss"
"""The verbs of the buttons on the card of a task and of a draft, and of a choice among them."""
_STOPPABLE = frozenset({TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING})
_TOASTS = {"card_stopped": "press_stopped", "card_stopped_unclear": "press_stopped_unclear"}
"""Short forms of phrases that are too long for a toast."""
_CHOICES = 10
_PROMPT_SHOWN = 40


async def cancel_task(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Cancel a video by the button on its card; or all that were ordered at once by one in a choice, which is
    replaced by the answer."""
    is_on_card = press.sender.message_id in (None, press.task.card.card_id)
    ids = [press.task.id] if is_on_card else press.task.batch_ids
    stopped = await _stop_all(ctx, ids, press.sender.user_id, press.person_name)
    await press.answer(Reply(_TOASTS.get(phrase := _phrase(ctx, stopped[0]), phrase)))
    if not is_on_card:
        await ctx.messenger.redraw(press.sender, Card(_told(ctx, press.sender, stopped), None))
    return None


async def dismiss(ctx: ChatContext, press: ButtonPress) -> Reply | None:
    """Drop a draft by the button on its card, or by one in a choice, which is replaced by the answer."""
    await _drop(ctx, press.task)
    if press.sender.message_id is not None and press.sender.message_id != press.task.card.card_id:
        text = join(prompt_line(press.task), say(press.sender.language, "dismissed"))
        await ctx.messenger.redraw(press.sender, Card(text, None))
    return Reply("dismissed")


async def cancel(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Cancel the task whose card is replied to, else the only one, with all that were ordered at once; offer
    a choice of several."""
    if intent.answers is not None and (meant := await _meant(ctx, sender, intent.answers)):
        await _cancel(ctx, sender, meant)
        return
    tasks = await _stoppable(ctx, sender)
    films = await ctx.store.films.open_films(sender.chat_id, sender.user_id)
    films = [one for one in films if intent.answers in (None, one.card.card_id)]
    if films and (len(films) + len(tasks) == 1 or intent.answers is not None):
        await _stop_film(ctx, sender, films[0])
    elif films:
        card = draw_choice(sender.language, tasks, films=films)
        await ctx.messenger.answer(sender, card.text, card.buttons)
    elif not tasks:
        await _dismiss(ctx, sender)
    elif len(tasks) == 1 and tasks[0].user_id == sender.user_id:
        await _cancel(ctx, sender, tasks[0])
    else:
        card = draw_choice(sender.language, tasks)
        await ctx.messenger.answer(sender, card.text, card.buttons)


async def _stop_film(ctx: ChatContext, sender: Sender, film: Film) -> None:
    try:
        await stop_film(ctx, film)
    except IllegalMove:
        await ctx.messenger.say(sender, "press_too_late")
    else:
        await ctx.messenger.say(sender, "press_stopped_film" if film.started_at else "dismissed")


async def _meant(ctx: ChatContext, sender: Sender, card_id: int) -> Task | None:
    task = await ctx.store.tasks.find(card=(sender.chat_id, card_id))
    if task is None or not _is_stoppable(task):
        return None
    is_theirs = task.user_id == sender.user_id
    return task if is_theirs or await _manages(ctx, sender) else None


async def _stoppable(ctx: ChatContext, sender: Sender) -> list[Task]:
    """Return a task of each order of the sender, newest first; behind them what else an admin may stop in a
    group."""
    whose = None if await _manages(ctx, sender) else sender.user_id
    found = await ctx.store.tasks.open_tasks(chat_id=sender.chat_id, user_id=whose)
    orders = {
        task.batch_ids[0]: task for task in reversed(found) if _is_stoppable(task) and task.film_id is None
    }
    return sorted(orders.values(), key=lambda task: task.user_id != sender.user_id)


async def _manages(ctx: ChatContext, sender: Sender) -> bool:
    return sender.is_group and await ctx.group_admins.may_manage(sender.chat_id, sender.user_id)


async def _cancel(ctx: ChatContext, sender: Sender, task: Task) -> None:
    try:
        stopped = await _stop_all(ctx, task.batch_ids, sender.user_id, sender.user_name)
    except IllegalMove:
        await ctx.messenger.say(sender, "press_too_late")
        return
    await ctx.messenger.answer(sender, _told(ctx, sender, stopped))


async def _stop_all(ctx: ChatContext, task_ids: Sequence[str], by: int, name: str) -> list[Task]:
    """Stop those of the tasks that go on and can be stopped, and return them: if none goes on, those that
    were stopped before. Raises IllegalMove if there is none either."""
    found = [task for task_id in task_ids if (task := await ctx.store.tasks.get(task_id))]
    stopped = list[Task]()
    for task in [task for task in found if not task.is_cancelled] or found:
        with suppress(IllegalMove):
            stopped.append(await stop(ctx, task, by, name))
    if not stopped:
        raise IllegalMove("nothing to stop")
    return stopped


def _told(ctx: ChatContext, sender: Sender, stopped: Sequence[Task]) -> str:
    """Return what became of each: one may be paid for, and another one not."""
    spoken = [replace(task, language=sender.language) for task in stopped]
    lines = [with_place(task, say(sender.language, _phrase(ctx, task))) for task in spoken]
    return join(prompt_line(stopped[0]), "\n".join(lines))


def _phrase(ctx: ChatContext, stopped: Task) -> str:
    return stopped_phrase(stopped, ctx.models.get(stopped.request.model))


async def stop(ctx: ChatContext, task: Task, by: int, name: str) -> Task:
    """Stop a task for somebody and return it, without waiting for Telegram. Raises IllegalMove if there is
    nothing to stop."""
    if task.is_cancelled:
        return task
    stopped = await ctx.store.tasks.update(task.id, lambda row: row.hide(ctx.clock(), by, name))
    if stopped is None:
        raise StaleTask(f"{task.id}: gone")
    ctx.board.show(stopped)
    ctx.wake()
    return stopped


async def _dismiss(ctx: ChatContext, sender: Sender) -> None:
    """Dismiss the only draft, because nothing is on its way; offer a choice of several."""
    drafts = await ctx.store.tasks.drafts(sender.chat_id, sender.user_id)
    if not drafts:
        await ctx.messenger.say(sender, "cancel_nothing")
    elif len(drafts) == 1:
        await _drop(ctx, drafts[0])
        text = join(prompt_line(drafts[0]), say(sender.language, "dismissed"))
        await ctx.messenger.answer(sender, text)
    else:
        card = draw_choice(sender.language, drafts, DISMISS)
        await ctx.messenger.answer(sender, card.text, card.buttons)


async def _drop(ctx: ChatContext, draft: Task) -> None:
    await ctx.store.tasks.save(draft.dropped("dismissed", ctx.clock()))
    ctx.wake()


def draw_choice(language: str, tasks: Sequence[Task], verb: str = CANCEL, films: Sequence[Film] = ()) -> Card:
    """Ask which to cancel: a button for each. For a task of somebody else it names the person."""
    buttons = [
        [button(f"✕ 🎬 {cut(' '.join(film_words(film).split()), _PROMPT_SHOWN)}", FILM, film.id, "stop")]
        for film in films[:_CHOICES]
    ]
    buttons += [[button(_label(task), verb, task.id)] for task in tasks[: _CHOICES - len(buttons)]]
    return Card(say(language, "cancel_which"), InlineKeyboardMarkup(buttons))


def _label(task: Task) -> str:
    words = " ".join(task.request.prompt.split()) or _sign(task) + task.request.model
    whose = f"{cut(task.user_name, 16)}: " if task.card.chat_id < 0 and task.user_name else ""
    return f"✕ {whose}{cut(words, _PROMPT_SHOWN)}"


def _sign(task: Task) -> str:
    """Return what tells a draft without words from the others."""
    if task.request.extends:
        return "🎞 "
    return "🖼 " * min(len(task.request.photos), 3)


def _is_stoppable(task: Task) -> bool:
    return task.state in _STOPPABLE and not task.detached


COMMANDS: Commands = (Command(name="cancel", handle=cancel),)
BUTTONS: Buttons = (
    Button(verb=CANCEL, handle=cancel_task, used_by="group_admins"),
    Button(verb=DISMISS, handle=dismiss),
)
