"""The film maker: takes the films that are due, and moves each one step. The row and the tasks of its shots
alone say which, so a step that dies is taken again.

| state   | step                                                                                   |
|---------|----------------------------------------------------------------------------------------|
| draft   | let it go: nobody said yes                                                             |
| making  | order the shots that may be; join them if all are made; ask if some cannot be          |
| joining | join what there is, turn the card into the film, close                                 |
| stopped | stop what is under way, say what was spent                                             |
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.chat.cards.film_card import DEARER, REFUSED, FilmView, draw_film
from bot.chat.cards.layout import Card
from bot.chat.deps import ChatDeps
from bot.chat.ordering.film_orders import FilmOrders
from bot.chat.reply import Reply
from bot.chat.task_cards.film_board import FilmBoard
from bot.chat.telegram_io.film_files import FilmFiles
from bot.errors import (
    CallRefused,
    CallUnclear,
    CardGone,
    ChatBusy,
    ChatForbids,
    ChatGone,
    ChatMoved,
    FetchError,
    IllegalMove,
    MediaError,
    StaleTask,
    StoreError,
)
from bot.film import SETTLED, Film, FilmShot, FilmState, ShotState, shot_states
from bot.log import get_log, level_of
from bot.media.video_cache import Video
from bot.task import Task, TaskState
from bot.text import say
from bot.worker import schedule

_AT_ONCE = 200
"""Steps at once. Most wait for Telegram, or for their turn to join."""
_LEASE_S = 1800.0
"""Longer than joining nine shots takes; after that only a dead process has it."""
_PRIVATE_S, _GROUP_S, _LONG_S = 5.0, 15.0, 60.0
"""Between two looks at a film that is being made; the last one after ten minutes."""
_LONG = timedelta(minutes=10)
_RETRY_S = 5.0
_DEFECT_S = 60.0
_STORE_PAUSE_S = 2.0


class FilmMaker:
    """One per process. Each film is moved by one process at a time."""

    def __init__(self, deps: ChatDeps, orders: FilmOrders, board: FilmBoard, files: FilmFiles) -> None:
        self._deps = deps
        self._films = deps.store.films
        self._tasks = deps.store.tasks
        self._leases = deps.store.leases
        self._orders = orders
        self._board = board
        self._files = files
        self._log = get_log(__name__)
        self._work = asyncio.Event()
        self._woken: set[str] = set()
        self._running: set[str] = set()
        self._resting: dict[str, datetime] = {}
        """Films that are not looked at before: somebody else has to answer first."""

    def wake(self, film_id: str) -> None:
        """Check a film now: a shot of it has changed, or a person has pressed a button."""
        self._woken.add(film_id)
        self._work.set()

    async def run(self) -> None:
        """Move films until cancelled. Every open one is looked at after a start."""
        async with asyncio.TaskGroup() as steps:
            is_first = True
            while True:
                self._work.clear()
                wait_s = _STORE_PAUSE_S
                try:
                    if is_first:
                        self._woken |= {film.id for film in await self._films.open_films()}
                        is_first = False
                    for film_id in await self._take_due():
                        self._running.add(film_id)
                        step = steps.create_task(self._take(film_id), name=f"step of film {film_id}")
                        step.add_done_callback(partial(self._ended, film_id))
                    wait_s = await self._idle_s()
                except StoreError as error:
                    self._log.log(level_of(error), "no film can be looked at", reason=str(error))
                try:
                    async with asyncio.timeout(wait_s):
                        await self._work.wait()
                except TimeoutError:
                    pass

    async def card(self, film: Film) -> Card:
        """Return what the card of a film says now."""
        return draw_film(film, await self._view(film, await self._tasks_of(film)))

    async def _take_due(self) -> list[str]:
        now = self._deps.clock()
        self._resting = {film_id: until for film_id, until in self._resting.items() if until > now}
        due = [film.id for film in await self._films.due(now, 2 * _AT_ONCE)]
        wanted = dict.fromkeys([*self._woken, *due])
        free = [one for one in wanted if one not in self._running and one not in self._resting]
        taken = free[: _AT_ONCE - len(self._running)]
        self._woken -= set(taken)
        return taken

    async def _idle_s(self) -> float:
        """Return for how long there is nothing to do, unless somebody wakes the maker."""
        now = self._deps.clock()
        next_due = await self._films.next_due(now)
        moments = [*self._resting.values(), *([next_due] if next_due is not None else [])]
        wait_s = min(((moment - now).total_seconds() for moment in moments), default=_LONG_S)
        return min(max(wait_s, 0.05), self._leases.tick_s)

    def _ended(self, film_id: str, _: asyncio.Task[None]) -> None:
        self._running.discard(film_id)
        self._work.set()

    def _rest(self, film_id: str, wait_s: float) -> None:
        self._resting[film_id] = self._deps.clock() + timedelta(seconds=wait_s)

    async def _take(self, film_id: str) -> None:
        log = self._log.bind(film=film_id)
        try:
            await self.step(film_id)
        except (StaleTask, IllegalMove):
            log.debug("somebody else moved the film")
            self.wake(film_id)
        except ChatBusy as busy:
            self._rest(film_id, busy.retry_after_s)
            self.wake(film_id)
        except CallUnclear as error:
            log.info("Telegram does not answer for a film", reason=str(error))
            self._rest(film_id, _RETRY_S)
            self.wake(film_id)
        except StoreError as error:
            log.log(level_of(error), "the database refused a step of a film", reason=str(error))
            self._rest(film_id, _RETRY_S)
            self.wake(film_id)
        except Exception:
            log.exception("a step of a film failed")
            self._rest(film_id, _DEFECT_S)
            self.wake(film_id)

    async def step(self, film_id: str) -> None:
        """Move a film one step, unless another process is doing that. Raises what makes it fail."""
        name = f"film {film_id}"
        if not await self._leases.take_lease(name, _LEASE_S):
            self._rest(film_id, _RETRY_S)
            return
        try:
            film = await self._films.get(film_id)
            if film is not None:
                await self._step(film)
        except ChatMoved as moved:
            if film is not None:
                await self._tasks.move_chat(film.card.chat_id, moved.chat_id)
        except ChatGone as error:
            await self._lose_chat(film_id, error)
        finally:
            await asyncio.shield(self._leases.end_lease(name))

    async def _lose_chat(self, film_id: str, error: ChatGone) -> None:
        """Buy nothing more for a chat that takes no message; what was made is kept."""
        self._log.info("the chat of a film is gone", film=film_id, reason=str(error))
        film = await self._films.get(film_id)
        if film is None:
            return
        if film.is_open:
            film = await self._films.save(film.stopped(self._deps.clock()))
        await self._stop_tasks(film)
        await self._films.save(replace(film, due_at=None))

    async def _step(self, film: Film) -> None:
        """Move a film one step and save it."""
        now = self._deps.clock()
        match film.state:
            case FilmState.DRAFT if film.due_at is not None and film.due_at <= now:
                await self._films.save(replace(film.stopped(now), asks="draft_expired"))
                self.wake(film.id)
            case FilmState.DRAFT:
                return
            case FilmState.MAKING:
                await self._make(film)
            case FilmState.JOINING:
                await self._join(film)
            case FilmState.STOPPED if film.due_at is not None:
                await self._stop(film)
            case _:
                return

    async def _make(self, film: Film) -> None:
        tasks, now = await self._tasks_of(film), self._deps.clock()
        states = shot_states(film, tasks)
        if set(states) == {ShotState.MADE} and film.asks in (None, REFUSED):
            await self._films.save(film.joining(now))
            self.wake(film.id)
            return
        if film.asks == REFUSED and not {ShotState.REFUSED, ShotState.PROPOSED} & set(states):
            film = await self._films.save(film.resumed(now))  # an answer that was given up came after all
        if not film.asks:
            ready = [index for index, state in enumerate(states) if state is ShotState.READY]
            for index in ready:
                if not await self._order(film, index, tasks):
                    return
            if ready:
                tasks = await self._tasks_of(film)
                states = shot_states(film, tasks)
        is_settled = set(states) <= SETTLED
        if is_settled and not film.asks:
            await self._ask(film, Reply(REFUSED))
            return
        card = draw_film(film, await self._view(film, tasks))
        place = await self._board.draw(film, card)
        is_waiting = film.asks and not {ShotState.UNDER_WAY} & set(states)
        due_at = None if is_waiting else now + timedelta(seconds=self._interval_s(film))
        await self._films.save(replace(film, card=place, due_at=due_at))

    async def _order(self, film: Film, index: int, tasks: Mapping[str, Task]) -> bool:
        """Order a shot, with the last frame of the one before if it continues. Return False if the film has
        been saved meanwhile, so that the step ends."""
        if film.shots[index].continues and film.shots[index].frame_id is None:
            await self._take_frame(film, index, tasks)
            return False
        ordered = await self._orders.order(film, index)
        if ordered == "dearer":
            proposed = film.dearer(index, self._orders.priced(film.shots[index]).price)
            await self._ask(proposed, Reply(DEARER, {"number": index + 1}))
            return False
        if isinstance(ordered, Reply):
            await self._ask(film, ordered)
            return False
        return True

    async def _take_frame(self, film: Film, index: int, tasks: Mapping[str, Task]) -> None:
        """Show the last frame of the shot before on the card: from then on Telegram keeps it."""
        try:
            frame = await self._files.last_frame(tasks[film.task_id(index - 1)])
            card = draw_film(film, await self._view(film, tasks))
            place, frame_id = await self._board.show_frame(film, card, frame)
        except (MediaError, FetchError, CallRefused, ChatForbids) as error:
            self._log.info("a film cannot go on from a shot", film=film.id, reason=str(error))
            await self._ask(film, Reply("film_no_frame", {"number": index}))
            return
        await self._films.save(film.framed(index, frame_id, place, self._deps.clock()))
        self.wake(film.id)

    async def _ask(self, film: Film, problem: Reply) -> None:
        """Leave it to the person how a film goes on, and tell them so."""
        now = self._deps.clock()
        if film.state is FilmState.JOINING:
            self._files.join_anew(film)
        saved = await self._films.save(film.asked(problem.key, problem.values, now))
        place = await self._board.draw(saved, await self.card(saved))
        saved = await self._films.save(replace(saved, card=place))
        await self._board.notify(saved)
        self.wake(film.id)

    async def _join(self, film: Film) -> None:
        """Join the shots that are made, and turn the card into the film."""
        tasks = await self._tasks_of(film)
        if (done := await self._tasks.get(film.id)) is not None and done.delivered_at is not None:
            await self._close(film)  # it died between the two
            return
        if film.card.card_id is not None:
            place = await self._board.draw(film, draw_film(film, await self._view(film, tasks)))
            if place != film.card:
                film = await self._films.save(replace(film, card=place))
        try:
            video = await self._files.joined(film, _made(film, tasks))
        except (MediaError, FetchError) as error:
            self._log.warning("a film cannot be joined", film=film.id, reason=f"{error.code}: {error.detail}")
            await self._ask(film, Reply("film_join_failed"))
            return
        made = await self._show(film, video)
        if made is not None:
            await self._tasks.add(made)
            await self._close(film)

    async def _show(self, film: Film, video: Video) -> Task | None:
        """Turn the card into the film, or send it if there is no card; None if the film has been saved
        meanwhile."""
        fresh = await self._films.get(film.id)
        if fresh is None or fresh.version != film.version:
            raise StaleTask(f"{film.id}: stopped while it was joined")
        limit_s = schedule.upload_limit_s(video.facts.bytes)
        if film.card.card_id is not None:
            try:
                async with asyncio.timeout(limit_s):
                    return await self._board.deliver(film, video)
            except (CardGone, CallRefused) as error:
                self._log.warning("the card cannot become the film", film=film.id, reason=str(error))
                await self._films.save(replace(film, card=film.card.lost()))
                self.wake(film.id)
                return None
            except TimeoutError as error:
                raise CallUnclear("the upload took too long") from error
        if film.sending_at is not None:
            await self._ask(film, Reply("film_perhaps_sent"))
            return None
        film = await self._films.save(replace(film, sending_at=self._deps.clock()))
        try:
            async with asyncio.timeout(limit_s):
                return await self._board.send(film, video)
        except (CallUnclear, TimeoutError):
            await self._ask(film, Reply("film_perhaps_sent"))
        except (CallRefused, ChatForbids) as error:
            self._log.warning("Telegram refuses a film", film=film.id, reason=str(error))
            await self._ask(film, Reply("film_join_failed"))
        except ChatBusy:
            await self._films.save(replace(film, sending_at=None))
            raise
        return None

    async def _close(self, film: Film) -> None:
        await self._films.save(film.done(self._deps.clock()))
        self._files.sent(film)

    async def _stop(self, film: Film) -> None:
        await self._stop_tasks(film)
        tasks = await self._tasks_of(film)
        place = film.card
        if await self._tasks.get(film.id) is None:  # else its card has become the film at the last moment
            card = draw_film(film, await self._view(film, tasks))
            place = await self._board.draw(film, card, pressed=True)
        await self._films.save(replace(film, card=place, due_at=None))

    async def _stop_tasks(self, film: Film) -> None:
        """Stop what is under way, and keep what is made like any video that no chat has."""
        now, by = self._deps.clock(), film.user_id
        for task in (await self._tasks_of(film)).values():
            if task.state in (TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING):
                await self._tasks.update(task.id, lambda row: _hidden(row, now, by, film.user_name))
        self._files.release(film)
        self._deps.wake()

    async def _tasks_of(self, film: Film) -> dict[str, Task]:
        found = [await self._tasks.get(task_id) for task_id in film.task_ids()]
        return {task.id: task for task in found if task is not None}

    async def _view(self, film: Film, tasks: Mapping[str, Task]) -> FilmView:
        models, aside = self._deps.models, ""
        if film.state is FilmState.DRAFT and (company := await self._orders.aside(film)):
            aside = say(film.language, "photo_goes_to", company=company)
        usual_s = [self._usual_s(shot) for shot in film.shots]
        return FilmView(
            tasks=tasks,
            models=models,
            price_labels=self._deps.price_labels(),
            now=self._deps.clock(),
            usual_s=usual_s,
            aside=aside,
        )

    def _usual_s(self, shot: FilmShot) -> float:
        model = self._deps.models.get(shot.request.model)
        return self._deps.schedule.usual_s(model, shot.request) if model is not None else 0.0

    def _interval_s(self, film: Film) -> float:
        if self._deps.clock() - (film.started_at or film.created_at) > _LONG:
            return _LONG_S
        return _GROUP_S if film.card.chat_id < 0 else _PRIVATE_S


def _made(film: Film, tasks: Mapping[str, Task]) -> list[tuple[Task, bool]]:
    """Return the shots that are made, and whether each begins with the last frame of the one before it."""
    states = shot_states(film, tasks)
    return [
        (tasks[film.task_id(index)], shot.continues and states[index - 1] is ShotState.MADE)
        for index, shot in enumerate(film.shots)
        if states[index] is ShotState.MADE
    ]


def _hidden(task: Task, now: datetime, by: int, name: str) -> Task:
    """Stop waiting for a shot; one that has ended meanwhile is left as it is."""
    if task.state not in (TaskState.QUEUED, TaskState.SUBMITTING, TaskState.RUNNING):
        return task
    return task.hide(now, by, name)
