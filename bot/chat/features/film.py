"""/film: several shots, made one after the other or side by side, and joined into one video."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from telegram.constants import ParseMode

from bot.chat.cards.draft_card import Question
from bot.chat.cards.layout import cut, unlinked
from bot.chat.cards.problem_reply import problem_reply
from bot.chat.cards.result_buttons import FILM
from bot.chat.context import ChatContext
from bot.chat.handlers import Buttons, ChatButton, ChatButtonPress, Command, Commands
from bot.chat.parsing.film_lines import read_line, read_lines
from bot.chat.parsing.message_intent import Intent
from bot.chat.reply import Reply
from bot.chat.sender import Sender
from bot.chat.telegram_io.client import translated
from bot.draft import DraftQuestion
from bot.errors import IllegalMove
from bot.film import Film, FilmState, ShotState, shot_states
from bot.integers import read_integer
from bot.request import Problem
from bot.task import Task, TaskState
from bot.text import plain, say

_OLD_WORDS = 200
_BETWEEN = timedelta(seconds=4)
"""Shots are sent one after the other."""


async def film(ctx: ChatContext, sender: Sender, intent: Intent) -> None:
    """Draft a film of the lines of a message. Handling it twice makes one."""
    if await ctx.store.films.find(sender.update_id) is not None:
        return
    lines = read_lines(intent.words)
    if not lines:
        await ctx.messenger.say(sender, "film_how", command=ctx.names.command("film", sender.chat_id))
        return
    drafted = ctx.film_orders.drafted(sender, lines, await ctx.preferences.of(sender.chat_id))
    if isinstance(drafted, Reply):
        await ctx.messenger.reply(sender, drafted)
        return
    card = await ctx.film_board.post(drafted, await ctx.film_maker.card(drafted))
    await ctx.store.films.add(replace(drafted, card=card))


async def take_words(ctx: ChatContext, sender: Sender, intent: Intent) -> bool:
    """Take other words for a shot, in reply to the question for them. Return False if it is no such reply."""
    if intent.answers is None:
        return False
    films = await ctx.store.films.open_films(sender.chat_id, sender.user_id)
    asked = next((one for one in films if one.question_id == intent.answers), None)
    if asked is None:
        return False
    if asked.editing is None:
        return asked.answer_update_id == sender.update_id
    index, settings = asked.editing, await ctx.preferences.of(sender.chat_id)
    line = read_line(" ".join(intent.words.split()))
    shot = ctx.film_orders.shot_of(line, settings, asked.shots[index], is_first=not index)
    if isinstance(shot, Problem):
        await ctx.messenger.reply(sender, problem_reply(sender.language, shot))
        return True
    now = ctx.clock()
    try:
        await ctx.store.films.update(asked.id, lambda row: row.reworded(shot, sender.update_id, now))
    except IllegalMove:
        await ctx.messenger.say(sender, "press_too_late")
        return True
    ctx.film_maker.wake(asked.id)
    await ctx.messenger.say(sender, "film_words_taken", number=index + 1)
    return True


async def press_film(ctx: ChatContext, press: ChatButtonPress) -> Reply | None:
    """Do what a button on the card of a film says, for its person; a group's admins may stop it."""
    film_id, action, *more = [*press.choice.split(":"), ""]
    found = await ctx.store.films.get(film_id) if film_id.isprintable() and film_id else None
    if found is None or found.card.chat_id != press.sender.chat_id:
        return Reply("press_gone")
    if not await _may_press(ctx, press.sender, found, action):
        return Reply("press_not_yours")
    try:
        return await _do(ctx, press.sender, found, action, [read_integer(one) for one in more if one])
    except IllegalMove:
        return Reply("press_too_late")


async def stop_film(ctx: ChatContext, film: Film) -> None:
    """Stop a film, or drop its draft. Raises IllegalMove if it has ended."""
    now = ctx.clock()
    await ctx.store.films.update(film.id, lambda row: row.stopped(now))
    ctx.film_maker.wake(film.id)


async def _may_press(ctx: ChatContext, sender: Sender, film: Film, action: str) -> bool:
    if sender.user_id == film.user_id:
        return True
    of_group = film.user_id < 0 or action == "stop"
    return of_group and sender.is_group and await ctx.group_admins.may_manage(sender.chat_id, sender.user_id)


async def _do(
    ctx: ChatContext, sender: Sender, film: Film, action: str, numbers: list[int | None]
) -> Reply | None:
    index = numbers[0] if numbers and numbers[0] is not None else -1
    is_shot = 0 <= index < len(film.shots)
    now = ctx.clock()
    match action:
        case "start":
            return await _start(ctx, sender, film)
        case "stop":
            await stop_film(ctx, film)
            return None
        case "seam" if is_shot and len(numbers) > 1:
            return await _turn_seam(ctx, film, index, continues=numbers[1] == 1)
        case "words" if is_shot:
            return await _ask_words(ctx, sender, film, index)
        case "again" if is_shot and film.asks and not film.shots[index].is_proposed:
            shot, update_id = ctx.film_orders.priced(film.shots[index]), sender.update_id
            await ctx.store.films.update(
                film.id, lambda row: row.editing_shot(index, 0).reworded(shot, update_id, now)
            )
        case "make" if is_shot:
            return await _make(ctx, sender, film, index)
        case "go":
            if film.asks:
                await ctx.store.films.update(film.id, lambda row: row.resumed(now))
        case "join":
            if film.state is FilmState.MAKING:
                await ctx.store.films.update(film.id, lambda row: row.joining(now))
        case "shots":
            return await _send_shots(ctx, sender, film)
        case _:
            return Reply("press_gone")
    ctx.film_maker.wake(film.id)
    return None


async def _start(ctx: ChatContext, sender: Sender, film: Film) -> Reply | None:
    if film.state is not FilmState.DRAFT:
        return None if film.is_open else Reply("press_too_late")
    started = await ctx.film_orders.start(sender, film)
    if isinstance(started, Reply):
        if started.key == "film_price_changed":
            await _redraw(ctx, film)
        return started
    ctx.film_maker.wake(film.id)
    return None


async def _turn_seam(ctx: ChatContext, film: Film, index: int, *, continues: bool) -> Reply | None:
    """Let a shot go on from the one before, or be a cut."""
    if not film.shots[index].can_change:
        return Reply("press_gone")

    def turned(row: Film) -> Film:
        shots = list(row.shots)
        shots[index] = ctx.film_orders.priced(replace(shots[index], continues=continues))
        return row.drafted(shots)

    await ctx.store.films.update(film.id, turned)
    await _redraw(ctx, film)
    return None


async def _redraw(ctx: ChatContext, film: Film) -> None:
    fresh = await ctx.store.films.get(film.id)
    if fresh is not None:
        await ctx.film_board.draw(fresh, await ctx.film_maker.card(fresh), pressed=True)


async def _ask_words(ctx: ChatContext, sender: Sender, film: Film, index: int) -> Reply | None:
    """Ask for other words for a shot: they cost nothing before a yes."""
    if film.state is not FilmState.MAKING:
        return Reply("press_too_late")
    if film.editing == index:
        return None
    words = cut(unlinked(film.shots[index].request.prompt), _OLD_WORDS)
    text = say(film.language, DraftQuestion.OTHER_WORDS, words=words)
    sent = await ctx.messenger.ask(
        sender, Question(text, plain(say(film.language, "card_ask_words_placeholder")))
    )
    await ctx.store.films.update(film.id, lambda row: row.editing_shot(index, sent.message_id))
    return None


async def _make(ctx: ChatContext, sender: Sender, film: Film, index: int) -> Reply | None:
    """Say yes to other words. They are paid for as any shot is."""
    now = ctx.clock()
    if not film.shots[index].is_proposed:
        return None
    await ctx.store.films.update(film.id, lambda row: row.confirmed(index, now))
    ctx.film_maker.wake(film.id)
    return None


async def _send_shots(ctx: ChatContext, sender: Sender, film: Film) -> Reply | None:
    """Send each shot that is made as a video of its own."""
    if film.is_open:
        return Reply("press_too_late")
    if ctx.duplicate_guard.is_repeated(sender.update_id, sender.user_id, film.id, "shots"):
        return None
    found = [await ctx.store.tasks.get(task_id) for task_id in film.task_ids()]
    tasks = {task.id: task for task in found if task is not None}
    made = [state is ShotState.MADE for state in shot_states(film, tasks)]
    shots = [tasks[film.task_id(index)] for index in range(len(film.shots)) if made[index]]
    if not shots:
        return Reply("press_gone")
    for place, task in enumerate(shots):
        if task.file_id is None:
            await _deliver(ctx, sender, task, place)
        else:
            with translated():
                await ctx.bot.send_video(
                    sender.chat_id,
                    task.file_id,
                    parse_mode=ParseMode.HTML,
                    message_thread_id=sender.thread_id,
                )
    ctx.wake()
    return Reply("press_fetching")


async def _deliver(ctx: ChatContext, sender: Sender, task: Task, place: int) -> None:
    """Let the worker deliver a shot like any video that nobody has seen."""
    at = ctx.clock() + place * _BETWEEN

    def resent(row: Task) -> Task:
        if row.state is not TaskState.SUCCEEDED or row.delivered_at is None or row.file_id is not None:
            return row
        return row.resend(sender.thread_id, at)

    await ctx.store.tasks.update(task.id, resent)


COMMANDS: Commands = (Command(name="film", handle=film),)
BUTTONS: Buttons = (ChatButton(verb=FILM, handle=press_film, used_by="allowed"),)
